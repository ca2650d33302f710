"""The face of the flow explorer: its numbers against formulas written out here."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from helpers.data import load_images
from helpers.explorers import FlowExplorer
from helpers.explorers.flow_still import digits
from helpers.models import VAE, Autoencoder

DIGITS = load_images()
X, Y = DIGITS.x_test[:12], DIGITS.y_test[:12]


def made(kind=VAE, latent_dim=2, seed=0):
    torch.manual_seed(seed)
    model = kind(latent_dim, (32,))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2).copy_(parameter.half().float())
    return model


def close(numbers, name, expected):
    assert numbers[name] == pytest.approx(float(expected), rel=1e-4, abs=1e-5), name


@torch.no_grad()
def test_the_numbers_of_a_vae_are_those_of_the_formulas():
    model = made()
    explorer = FlowExplorer(model, X, Y)
    explorer.index, explorer.eps, explorer.noise = 5, [0.7, -1.2], 0.5
    n = explorer.numbers
    mu, logvar = (part[0] for part in model.encode(X[5:6]))
    sigma = (logvar / 2).exp()
    z = mu + 0.5 * sigma * torch.tensor([0.7, -1.2])
    p = model.decode(z[None])[0].double().sigmoid()
    x = X[5].double()
    kl = (mu**2 + sigma**2 - 1) / 2 - sigma.log()
    for i in range(2):
        close(n, f"mu_{i + 1}", mu[i])
        close(n, f"sigma_{i + 1}", sigma[i])
        close(n, f"z_{i + 1}", z[i])
        close(n, f"kl_{i + 1}", kl[i])
    assert [n["eps_1"], n["eps_2"]] == pytest.approx([0.7, -1.2])
    error = -(x * p.log() + (1 - x) * (1 - p).log()).sum()
    close(n, "reconstruction", error)
    close(n, "loss", error + kl.sum())
    close(n, "kl", kl.sum())
    assert not any("_by_" in name for name in n)


@pytest.mark.parametrize("gradient", ["reparameterized", "blocked"])
def test_the_light_shows_the_slopes_of_the_loss(gradient):
    model = made()
    explorer = FlowExplorer(model, X, likelihood="sum", gradient=gradient)
    explorer.light = True
    n, step = explorer.numbers, 1e-3

    @torch.no_grad()
    def error(mu, sigma):
        z = torch.tensor([mu, n["mu_2"]]) + torch.tensor([sigma, n["sigma_2"]]) * torch.tensor(
            explorer.eps
        )
        return (model.double().decode(z[None].double())[0].sigmoid() - X[0]).square().sum().item()

    mu, sigma = n["mu_1"], n["sigma_1"]
    by_mu = (error(mu + step, sigma) - error(mu - step, sigma)) / (2 * step)
    by_sigma = (error(mu, sigma + step) - error(mu, sigma - step)) / (2 * step)
    assert n["reconstruction_by_z_1"] == pytest.approx(by_mu, rel=0.02)
    if gradient == "blocked":
        assert n["reconstruction_by_mu_1"] == n["reconstruction_by_sigma_1"] == 0
        assert "ends at z" in explorer.alt
    else:
        assert n["reconstruction_by_mu_1"] == pytest.approx(by_mu, rel=0.02)
        assert n["reconstruction_by_sigma_1"] == pytest.approx(by_sigma, rel=0.02)
    close(n, "kl_by_mu_1", mu)
    close(n, "kl_by_sigma_1", sigma - 1 / sigma)


@torch.no_grad()
def test_an_autoencoder_has_a_code_and_a_squared_error():
    model = made(Autoencoder, 3)
    explorer = FlowExplorer(model, X)
    z = model.encode(X[:1])
    error = (model.decode(z).sigmoid() - X[:1]).square().sum()
    assert set(explorer.numbers) == {"z_1", "z_2", "z_3", "reconstruction", "loss"}
    close(explorer.numbers, "z_3", z[0, 2])
    close(explorer.numbers, "loss", error)
    assert "autoencoder" in explorer.alt
    assert "KL" not in explorer.alt


@torch.no_grad()
def test_of_ten_latents_four_are_shown_and_the_totals_are_over_all():
    model = made(VAE, 10)
    explorer = FlowExplorer(model, X)
    n = explorer.numbers
    mu, logvar = model.encode(X[:1])
    assert "mu_4" in n
    assert "mu_5" not in n
    close(n, "kl", 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum())
    assert n["kl"] > sum(n[f"kl_{i}"] for i in (1, 2, 3, 4))


def test_fewer_latents_are_shown_where_fewer_are_asked_for():
    model = made(VAE, 10)
    two, four = FlowExplorer(model, X, shown=2), FlowExplorer(model, X)
    assert {name for name in two.numbers if "mu" in name} == {"mu_1", "mu_2"}
    assert two.numbers["kl"] == four.numbers["kl"]
    assert two.figure_size[1] < four.figure_size[1]
    assert FlowExplorer(made(VAE, 1), X, shown=3).numbers["kl_1"] >= 0


def test_blocked_there_is_a_draw_and_no_noise_in_a_formula():
    explorer = FlowExplorer(made(), X, gradient="blocked")
    assert not any("eps" in name for name in explorer.numbers)
    assert "ε" not in explorer.alt
    figure = plt.figure(figsize=explorer.figure_size)
    explorer.draw(figure)
    texts = [text.get_text() for text in figure.axes[0].texts]
    plt.close(figure)
    assert not any("ε" in text or "μ + σ" in text for text in texts)
    assert "z₁ ∼ N(μ₁, σ₁²)" in texts
    assert "ε = " in FlowExplorer(made(), X).alt


@torch.no_grad()
def test_what_is_shown_has_two_decimals_and_adds_up():
    for value, text in (
        (9.15e-8, "0.00"),
        (-0.000225, "0.00"),
        (-1.144, "−1.14"),
        (163.4, "163.40"),
    ):
        assert digits(value) == text
    for i in range(len(X)):
        explorer = FlowExplorer(made(), X, likelihood="sum")
        explorer.index = i
        error, kl, loss = map(float, re.findall(r"\d+\.\d\d(?! *[,;)])", explorer.alt)[-3:])
        assert round(error + kl, 2) == loss
        assert loss == pytest.approx(explorer.numbers["loss"], abs=0.0101)


def test_a_drawing_takes_the_place_of_the_image():
    explorer = FlowExplorer(made(), X)
    before = explorer.numbers
    explorer.drawing = X[3].reshape(28, 28)
    assert "A drawing" in explorer.alt
    assert explorer.numbers != before
    explorer.drawing = None
    assert explorer.numbers == before


def test_the_still_picture_has_the_size_that_its_rows_need():
    sizes = []
    for kind, dim in ((Autoencoder, 2), (VAE, 1), (VAE, 4)):
        explorer = FlowExplorer(made(kind, dim), X, Y)
        explorer.light = True
        head = np.frombuffer(explorer.still[16:24], ">u4")  # width and height of a PNG
        sizes.append(head.tolist())
    assert all(wide == 740 for wide, _ in sizes)
    assert sizes[2][1] > sizes[1][1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"likelihood": "mean"}, "likelihood 'bernoulli' or 'sum'; got 'mean'"),
        ({"gradient": "score"}, "gradient 'reparameterized' or 'blocked'; got 'score'"),
        ({"shown": 5}, "shown 1 or 2 or 3 or 4; got 5"),
        ({"model": made(Autoencoder), "gradient": "blocked"}, "a VAE"),
        ({"model": nn.Linear(2, 784)}, "an encoder"),
        ({"model": (nn.Linear(784, 2), nn.Sequential(nn.Linear(2, 784), nn.ELU()))}, "ELU"),
        ({"labels": [1, 2]}, "one label for each of the 12 images"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        FlowExplorer(**{"model": made(), "x": X} | change)


@pytest.mark.parametrize(
    ("trait", "value"), [("index", 12), ("eps", [1.0]), ("noise", 1.5), ("drawing", np.ones(9))]
)
def test_traits_out_of_range_are_refused(trait, value):
    explorer = FlowExplorer(made(), X)
    with pytest.raises(ValueError, match="expected"):
        setattr(explorer, trait, value)
