"""helpers.explorers.FrozenNoise and GradientExplorer: their numbers and inputs. No browser here."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.explorers import FrozenNoise, GradientExplorer

EPS = [-1.5, -0.5, 0.0, 0.25, 2.0]


def test_the_gradient_of_frozen_noise_is_that_of_autograd():
    mu, sigma = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.7, 1.2))
    z = mu + sigma * torch.tensor(EPS, dtype=torch.float64)
    z.square().mean().backward()
    explorer = FrozenNoise(0.7, 1.2, EPS)
    assert np.allclose(explorer.z, z.detach())
    numbers = explorer.numbers
    assert np.allclose([numbers["by_mu"], numbers["by_sigma"]], (mu.grad, sigma.grad))
    assert np.isclose(numbers["loss"], z.detach().square().mean())
    assert (numbers["true_by_mu"], numbers["true_by_sigma"]) == (1.4, 2.4)


@pytest.mark.parametrize(("mu", "sigma", "n"), [(0.0, 1.0, 10_000), (1.5, 0.4, 500), (-3, 2, 10)])
def test_the_three_estimates_are_those_of_their_definitions(mu, sigma, n):
    explorer = GradientExplorer(mu, sigma, n, seed=1)
    noise = torch.frombuffer(bytearray(explorer.noise), dtype=torch.float32).double()
    first, second = noise.reshape(2, -1)[:, :n]
    location = torch.full((n,), float(mu), dtype=torch.float64, requires_grad=True)
    log_p = torch.distributions.Normal(location, sigma).log_prob(mu + sigma * first)
    score = torch.autograd.grad(log_p.sum(), location)[0]
    single = {
        "fresh noise": (mu + 0.1 + sigma * first) ** 2 - (mu - 0.1 + sigma * second) ** 2,
        "shared noise": (mu + 0.1 + sigma * first) ** 2 - (mu - 0.1 + sigma * first) ** 2,
        "score function": 0.2 * (mu + sigma * first) ** 2 * score,
    }
    assert list(explorer.estimates) == list(single)
    assert np.allclose(explorer.z, mu + sigma * first)
    for name, values in single.items():
        expected = values.mean() / 0.2, values.std() / 0.2 / n**0.5
        assert np.allclose(explorer.estimates[name], expected, rtol=1e-6, atol=1e-9)
        shown = [explorer.numbers[name.replace(" ", "_") + end] for end in ("", "_error")]
        assert shown == [explorer.estimates[name][0], 2 * explorer.estimates[name][1]]


def test_the_estimates_are_near_the_true_slope():
    for name, (mean, error) in GradientExplorer(1.5, 0.8, 10_000).estimates.items():
        assert abs(mean - 3) < 5 * error < 3, name


def test_the_noise_is_standard_normal_and_the_seed_repeats_it():
    noise = np.frombuffer(GradientExplorer(0, 1).noise, np.float32)
    assert noise.size == 20_000
    assert abs(noise.mean()) < 5 / 20_000**0.5
    assert abs(noise.std() - 1) < 5 / 40_000**0.5
    assert GradientExplorer(0, 1, seed=3).noise == GradientExplorer(0, 1, seed=3).noise
    assert GradientExplorer(0, 1, seed=3).noise != GradientExplorer(0, 1, seed=4).noise


@pytest.mark.parametrize(
    "arguments",
    [(0, -0.1, EPS), (np.nan, 1, EPS), (0, np.inf, EPS), (0, 1, []), (0, 1, [np.nan]), (0, 1, 3)],
)
def test_frozen_noise_refuses_values_that_are_no_noise(arguments):
    with pytest.raises(ValueError, match="expected"):
        FrozenNoise(*arguments)


@pytest.mark.parametrize("arguments", [(0, 0), (0, -1), (np.inf, 1), (0, 1, 1), (0, 1, 10_001)])
def test_gradient_explorer_refuses_values_out_of_range(arguments):
    with pytest.raises(ValueError, match="expected"):
        GradientExplorer(*arguments)


def test_a_refused_value_leaves_the_old_one():
    explorer = FrozenNoise(0.5, 1.0, EPS)
    with pytest.raises(ValueError, match="expected sigma between 0 and 1.5; got -1"):
        explorer.sigma = -1
    assert explorer.sigma == 1.0


@pytest.mark.parametrize("explorer", [FrozenNoise(1, 0, EPS), GradientExplorer(-1, 0.5, 30)])
def test_the_still_picture_is_a_png_and_the_alt_text_has_the_numbers(explorer):
    with Image.open(io.BytesIO(explorer.still)) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200
    assert f"μ = {explorer.mu:.2f} and σ = {explorer.sigma:.2f}" in explorer.alt
    data, metadata = explorer._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == explorer.alt
    assert explorer.alt in repr(explorer)


@pytest.mark.parametrize("noise", [b"", bytes(79_996), np.full(20_000, np.nan, "f4").tobytes()])
def test_noise_of_another_size_is_refused(noise):
    explorer = GradientExplorer(0, 1)
    with pytest.raises(ValueError, match="20000 finite"):
        explorer.noise = noise
