"""helpers.explorers.FrozenNoise: its numbers and inputs. No browser here."""

import io
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from helpers.explorers import FrozenNoise

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


@pytest.mark.parametrize(
    "arguments",
    [(0, -0.1, EPS), (np.nan, 1, EPS), (0, np.inf, EPS), (0, 1, []), (0, 1, [np.nan]), (0, 1, 3)],
)
def test_frozen_noise_refuses_values_that_are_no_noise(arguments):
    with pytest.raises(ValueError, match="expected"):
        FrozenNoise(*arguments)


def test_a_refused_value_leaves_the_old_one():
    explorer = FrozenNoise(0.5, 1.0, EPS)
    with pytest.raises(ValueError, match="expected sigma between 0 and 1.5; got -1"):
        explorer.sigma = -1
    assert explorer.sigma == 1.0


@pytest.mark.parametrize("explorer", [FrozenNoise(1, 0, EPS), FrozenNoise(-1, 0.5, EPS)])
def test_the_still_picture_is_a_png_and_the_alt_text_has_the_numbers(explorer):
    with Image.open(io.BytesIO(explorer.still)) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200
    assert f"μ = {explorer.mu:.2f} and σ = {explorer.sigma:.2f}" in explorer.alt
    data, metadata = explorer._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == explorer.alt
    assert explorer.alt in repr(explorer)


def test_the_picture_marks_the_mean_and_leads_each_z_on_to_its_loss():
    explorer = FrozenNoise(1.5, 0.8, EPS)
    figure = plt.figure(figsize=explorer.figure_size)
    explorer.draw(figure)
    above, below = figure.axes
    plt.close(figure)
    (mark,) = (line for line in above.lines if line.get_marker() == "^")
    assert mark.get_xdata() == [1.5]
    for ax in (above, below):
        drops = [line for line in ax.lines if line.get_linestyle() == ":"]
        assert [line.get_xdata()[0] for line in drops] == explorer.z.tolist()
    assert [line.get_ydata()[0] for line in drops] == (explorer.z**2).tolist()


def test_the_noise_has_the_color_that_the_diagram_gives_it():
    svg = (Path(__file__).parents[1] / "img" / "vae.svg").read_text("utf-8")
    colors = {
        name: bytes.fromhex(re.search(rf"\.{name} {{.*stroke: #(\w+)", svg)[1])
        for name in ("other", "prior")
    }
    with Image.open(io.BytesIO(FrozenNoise(1.5, 0.8, EPS).still)) as picture:
        pixels = picture.convert("RGB").tobytes()
    shown = {pixels[i : i + 3] for i in range(0, len(pixels), 3)}
    assert colors["other"] in shown
    assert colors["prior"] not in shown
