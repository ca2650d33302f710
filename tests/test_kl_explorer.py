"""KLExplorer: its numbers against torch.distributions and adaptive quadrature."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.integrate import quad
from torch.distributions import Normal, kl_divergence

from helpers.explorers import KLExplorer
from helpers.plots import COLORS

CASES = [(1.0, 1.0), (0.0, 2.0), (0.0, 0.5), (-3.0, 0.2), (2.4, 2.5), (0.0, 1.0)]


@pytest.mark.parametrize(("mu", "sigma"), CASES)
def test_the_bars_and_the_area_are_the_kl_of_torch(mu, sigma):
    numbers = KLExplorer(mu, sigma).numbers
    q = Normal(torch.tensor(mu, dtype=torch.float64), sigma)
    exact = kl_divergence(q, Normal(torch.tensor(0.0, dtype=torch.float64), 1.0)).item()
    assert numbers["kl"] == pytest.approx(exact, abs=1e-9)
    assert numbers["area"] == pytest.approx(exact, abs=1e-6)
    bars = mu**2 / 2, (sigma**2 - 1) / 2, np.log(1 / sigma)
    assert np.allclose([numbers[n] for n in ("mu_term", "sigma_term", "log_term")], bars)


@pytest.mark.parametrize(("mu", "sigma"), CASES)
def test_the_areas_above_and_below_zero_are_those_of_quadrature(mu, sigma):
    def at(z):  # by hand: scipy's densities take fifty times as long for one number
        squares, log_scale = ((z - mu) / sigma) ** 2, math.log(sigma)
        q = math.exp(-squares / 2 - log_scale) / math.sqrt(2 * math.pi)
        return q * (z**2 / 2 - squares / 2 - log_scale)

    numbers = KLExplorer(mu, sigma).numbers
    for name, sign in (("positive", 1), ("negative", -1)):
        pieces = np.linspace(mu - 9 * sigma, mu + 9 * sigma, 73)
        area = sum(
            quad(lambda z, sign=sign: max(0, sign * at(z)), *ends)[0]
            for ends in zip(pieces[:-1], pieces[1:], strict=True)
        )
        assert numbers[name] == pytest.approx(area, abs=5e-5)


def test_the_picture_follows_and_its_text_has_the_numbers():
    explorer = KLExplorer(1.0, 0.5)
    before = explorer.still
    assert "½μ² = 0.500, ½(σ² − 1) = -0.375, −log σ = 0.693" in explorer.alt
    explorer.mu = -2
    assert explorer.still != before
    assert "½μ² = 2.000" in explorer.alt
    with Image.open(io.BytesIO(explorer.still)) as picture:
        assert picture.size == (740, 420)
        colors = {color for _, color in picture.convert("RGB").getcolors(picture.width * 420)}
    ours = {name: tuple(bytes.fromhex(COLORS[name][1:])) for name in ("prior", "other")}
    assert ours["prior"] in colors  # the KL's color, in the flow explorer as well
    assert not any(
        sum(abs(a - b) for a, b in zip(c, ours["other"], strict=True)) < 60 for c in colors
    )


@pytest.mark.parametrize("given", [(3.1, 1), (np.nan, 1), (0, 0.1), (0, np.inf), (0, -1)])
def test_values_out_of_range_are_refused(given):
    with pytest.raises(ValueError, match="expected"):
        KLExplorer(*given)
