"""PosteriorExplorer: what it accepts, and its numbers against adaptive quadrature."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, norm

from helpers.explorers import PosteriorExplorer

Z = np.linspace(-6, 6, 1201)


def curve(z):
    return 2 * z - 3 * np.tanh(2 * z)


def shown(explorer):
    return [explorer.numbers[name] for name in ("p_x", "mean", "std")]


@pytest.mark.parametrize("x", [-3.0, -0.4, 0.0, 1.3])
def test_the_numbers_are_those_of_quadrature(x):
    def integral(g):
        def value(z):
            return g(z) * norm.pdf(x, curve(z), 0.3) * norm.pdf(z)

        return sum(
            quad(value, start, start + 0.5, epsabs=1e-12)[0] for start in np.arange(-6, 6, 0.5)
        )

    explorer = PosteriorExplorer(Z, curve(Z), 0.3, x=x)
    total = integral(lambda z: 1)
    mean = integral(lambda z: z) / total
    std = np.sqrt(integral(lambda z: (z - mean) ** 2) / total)
    assert np.allclose(shown(explorer), (total, mean, std), atol=1e-8)
    expected = norm.pdf(x, curve(Z), 0.3) * norm.pdf(Z) / total
    assert np.allclose(explorer.posterior, expected, atol=1e-7)


def test_a_linear_curve_has_the_gaussian_posterior_of_the_closed_form():
    explorer = PosteriorExplorer(Z, 2 * Z + 1, 0.5, x=2.0)
    m = 2**2 + 0.5**2
    expected = norm.pdf(2, 1, np.sqrt(m)), 2 * (2 - 1) / m, 0.5 / np.sqrt(m)
    assert np.allclose(shown(explorer), expected, atol=1e-9)


@pytest.mark.parametrize("noise", [0.001, 0.01, 0.1])
def test_where_p_of_x_is_0_in_the_computer_the_posterior_is_a_density_still(noise):
    explorer = PosteriorExplorer(Z, curve(Z) - 22, noise, x=3.0)
    z = np.linspace(-6, 6, 1201, dtype=np.longdouble)  # its smallest number is 1e-4951
    joint = np.exp(-(((25 - curve(z)) / noise) ** 2 + z**2) / 2 + (16 / noise) ** 2 / 2)
    assert norm.pdf(3, curve(Z) - 22, noise).sum() == 0
    assert explorer.numbers["p_x"] == 0
    assert np.isfinite(list(explorer.numbers.values())).all()
    assert np.allclose(explorer.posterior, joint / joint.sum() / 0.01, rtol=1e-6)
    assert "nan" not in explorer.alt


def test_the_text_of_the_picture_tells_the_posterior_mean():
    explorer = PosteriorExplorer(Z, curve(Z), 0.3)
    explorer.x = 2
    assert f"{explorer.numbers['mean']:.3f}" in explorer.alt


WRONG = [
    ({"curve": np.full(1201, np.nan)}, "finite"),
    ({"noise": 0}, "noise > 0"),
    ({"noise": float("nan")}, "noise > 0"),
    ({"x": 3.5}, "expected x between"),
    ({"x": float("nan")}, "expected x between"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PosteriorExplorer(**({"z": Z, "curve": curve(Z), "noise": 0.3} | options))


def test_draws_at_the_start_follow_the_model_and_are_the_same_each_time():
    explorer = PosteriorExplorer(Z, curve(Z), 0.3, draws=5000)
    z, x = explorer.draws.T
    assert kstest(z, norm.cdf).pvalue > 0.01
    assert kstest((x - curve(z)) / 0.3, norm.cdf).pvalue > 0.01
    assert PosteriorExplorer(Z, curve(Z), 0.3, draws=5000).drawn == explorer.drawn
    for wrong in (-1, 5001, 2.0):
        with pytest.raises(ValueError, match="expected draws from 0 to 5000"):
            PosteriorExplorer(Z, curve(Z), 0.3, draws=wrong)


def test_without_inference_neither_picture_nor_text_tell_the_posterior():
    explorer = PosteriorExplorer(Z, curve(Z), 0.3, draws=10, inference=False)
    assert explorer.numbers == {"draws": 10}
    assert "10 pairs" in explorer.alt
    assert "posterior" not in explorer.alt
    figure = plt.figure(figsize=explorer.figure_size)
    explorer.draw(figure)
    (ax,) = figure.axes
    lines = [line.get_ydata() for line in ax.lines]
    plt.close(figure)
    assert not any(len(y) == 2 and y[0] == y[1] == explorer.x for y in lines)


def test_what_was_drawn_is_in_the_picture_and_other_bytes_are_refused():
    explorer = PosteriorExplorer(Z, curve(Z), 0.3)
    before = explorer.still
    pairs = np.array([[0.5, -1.25], [-0.25, 0.75]], np.float32)
    explorer.drawn = pairs.tobytes()
    assert np.array_equal(explorer.draws, pairs)
    assert explorer.numbers["draws"] == 2
    assert explorer.still != before
    assert "2 pairs z, x" in explorer.alt
    for wrong in (b"1234", np.full(2, np.nan, "f4").tobytes(), bytes(8 * 5_001)):
        with pytest.raises(ValueError, match="expected at most 5000 finite pairs"):
            explorer.drawn = wrong
    assert np.array_equal(explorer.draws, pairs)
