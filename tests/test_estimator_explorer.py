"""EstimatorExplorer: its estimates against autograd, its exact variances against quadrature."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.quiver import Quiver
from PIL import Image
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import Normal
from traitlets import TraitError

from helpers.explorers import EstimatorExplorer
from helpers.explorers.estimator import exact_variances, mean_of

FUNCTIONS = {
    "square": lambda z: z**2,
    "line": lambda z: z,
    "step": lambda z: (z > 0).to(z.dtype) if torch.is_tensor(z) else float(z > 0),
}
ALL = ("fresh", "shared", "p", "f")


def noise_of(explorer, n):
    noise = torch.frombuffer(bytearray(explorer.noise), dtype=torch.float32).double()
    return noise.reshape(2, -1)[:, :n]


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("baseline", [False, True])
@pytest.mark.parametrize(("mu", "sigma", "n"), [(0.0, 1.0, 10_000), (1.5, 0.4, 500), (-3, 2, 10)])
def test_the_estimates_are_those_of_autograd(f, baseline, mu, sigma, n):
    explorer = EstimatorExplorer(mu, sigma, n, f=f, baseline=baseline, rows=ALL, seed=1)
    value, (first, second) = FUNCTIONS[f], noise_of(explorer, n)
    location = torch.full((n,), float(mu), dtype=torch.float64, requires_grad=True)
    fixed = (location + sigma * first).detach()
    b = integral(lambda z: value(z), mu, sigma) if baseline else 0
    surrogate = (value(fixed) - b) * Normal(location, sigma).log_prob(fixed)
    (score,) = torch.autograd.grad(surrogate.sum(), location)
    path = value(location + sigma * first)
    slope = torch.zeros_like(first)
    if path.requires_grad:
        (slope,) = torch.autograd.grad(path.sum(), location)
    up = value(mu + 0.1 + sigma * first)
    single = {
        "fresh": (up - value(mu - 0.1 + sigma * second)) / 0.2,
        "shared": (up - value(mu - 0.1 + sigma * first)) / 0.2,
        "p": score,
        "f": slope,
    }
    assert list(explorer.estimates) == list(ALL)
    for name, values in single.items():
        expected = values.mean(), values.std() / n**0.5
        assert np.allclose(explorer.estimates[name], expected, rtol=1e-6, atol=1e-8), name


def integral(g, mu, sigma):
    """E g(z), the step at 0 being an end of one of the pieces."""
    ends = sorted({0.0, *np.linspace(mu - 9 * sigma, mu + 9 * sigma, 37)})
    return sum(
        quad(lambda z: g(z) * norm.pdf(z, mu, sigma), *piece)[0]
        for piece in zip(ends[:-1], ends[1:], strict=True)
    )


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize(("mu", "sigma"), [(0.0, 1.0), (1.5, 0.4), (-0.7, 2.0)])
def test_truth_and_variances_are_those_of_quadrature(f, mu, sigma):
    value, explorer = FUNCTIONS[f], EstimatorExplorer(mu, sigma, f=f)
    up, down = (integral(value, mu + d, sigma) for d in (1e-3, -1e-3))
    assert explorer.truth == pytest.approx((up - down) / 2e-3, abs=1e-4)
    mean = integral(value, mu, sigma)
    assert mean_of(f, mu, sigma) == pytest.approx(mean, abs=1e-7)
    for b in (0.0, mean):
        second = integral(lambda z, b=b: ((value(z) - b) * (z - mu) / sigma**2) ** 2, mu, sigma)
        first = integral(lambda z: value(z) * (z - mu) / sigma**2, mu, sigma)
        exact = exact_variances(f, mu, sigma, 1, b)["p"]
        assert exact == pytest.approx(second - first**2, rel=1e-6)


@pytest.mark.parametrize("dimension", [1, 2, 10, 100])
def test_in_many_dimensions_the_variances_are_known_exactly(dimension):
    """With r = ‖z‖², r z₁ and (r − D) z₁ for 400,000 draws; 5 % is 5 standard errors and more."""
    explorer = EstimatorExplorer(f="norm", dimension=dimension)
    assert explorer.variances == {"p": (dimension + 2) * (dimension + 4), "f": 4}
    explorer.baseline = True
    assert explorer.variances["p"] == 2 * dimension + 8
    rng = np.random.default_rng(5)
    first = rng.standard_normal(400_000)
    rest = rng.chisquare(dimension - 1, 400_000) if dimension > 1 else 0
    measured = [((first**2 + rest - b) * first).var() for b in (0, dimension)]
    assert np.allclose(measured, [(dimension + 2) * (dimension + 4), 2 * dimension + 8], rtol=0.05)
    assert (2 * first).var() == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("baseline", [False, True])
def test_the_estimates_in_many_dimensions_spread_as_their_error_bars_say(baseline):
    """The other coordinates come from one row of noise: the mean must spread as if from many."""
    means, errors = [], []
    for seed in range(200):
        options = {"f": "norm", "dimension": 30, "baseline": baseline, "seed": seed}
        explorer = EstimatorExplorer(n=2000, **options)
        mean, error = explorer.estimates["p"]
        means.append(mean)
        errors.append(error)
    assert abs(np.mean(means)) < 5 * np.mean(errors) / 200**0.5
    assert np.std(means) / np.mean(errors) == pytest.approx(1, abs=0.25)  # 5 standard errors
    exact = explorer.variances["p"]
    assert np.mean(np.square(errors)) * 2000 == pytest.approx(exact, rel=0.1)


def test_the_step_is_flat_and_the_picture_says_that_the_estimate_is_wrong():
    explorer = EstimatorExplorer(0.5, 0.8, f="step")
    assert explorer.estimates["f"] == (0, 0)
    assert explorer.truth == pytest.approx(norm.pdf(0.5, 0, 0.8))
    assert "wrong" in explorer.alt
    assert "wrong" not in EstimatorExplorer(0.5, 0.8, f="square").alt


def test_the_noise_is_standard_normal_and_the_seed_repeats_it():
    noise = np.frombuffer(EstimatorExplorer().noise, np.float32)
    assert noise.size == 20_000
    assert abs(noise.mean()) < 5 / 20_000**0.5
    assert abs(noise.std() - 1) < 5 / 40_000**0.5
    assert EstimatorExplorer(seed=3).noise == EstimatorExplorer(seed=3).noise
    assert EstimatorExplorer(seed=3).noise != EstimatorExplorer(seed=4).noise


@pytest.mark.parametrize("rows", [("fresh", "shared"), ("fresh", "shared", "p"), ALL, ("p",)])
def test_the_rows_are_those_asked_for_in_one_order_and_the_picture_has_each(rows):
    explorer = EstimatorExplorer(rows=rows[::-1])
    assert tuple(explorer.estimates) == rows
    with Image.open(io.BytesIO(explorer.still)) as picture:
        assert picture.size == (740, 520)
    assert ("score" in explorer.alt) == ("p" in rows)
    assert {"truth", *rows, *(f"{row}_margin" for row in rows)} <= set(explorer.numbers)


def panels_of(explorer):
    figure = plt.figure(figsize=explorer.figure_size)
    explorer.draw(figure)
    axes = figure.get_axes()
    plt.close(figure)
    return axes


@pytest.mark.parametrize("f", ["square", "line"])
def test_the_arrows_of_both_panels_show_the_slope_and_not_the_way_down(f):
    explorer = EstimatorExplorer(0.6, 1.2, f=f, seed=3)
    density, slopes, _ = panels_of(explorer)
    pushes, scale = (one for one in density.collections if isinstance(one, Quiver))
    z = pushes.XY[:, 0]
    assert (z < -1).any()
    score = (z - 0.6) / 1.2**2
    assert np.allclose(
        pushes.V / scale.V, FUNCTIONS[f](z) * score / exact_variances(f, 0.6, 1.2, 1, 0)["p"] ** 0.5
    )
    (arrows,) = (one for one in slopes.collections if isinstance(one, Quiver))
    z = arrows.XY[:, 0]
    rising = z if f == "square" else np.ones_like(z)
    assert (np.sign(arrows.U) == np.sign(rising)).all()


def test_lines_join_the_pairs_of_a_difference():
    axes = panels_of(EstimatorExplorer(1.5, 0.8, rows=("fresh", "shared"), seed=2))
    assert [ax.get_title() for ax in axes[:2]] == ["fresh noise", "shared noise"]
    noise = noise_of(EstimatorExplorer(seed=2), 13).numpy()
    for ax, second in zip(axes, (noise[1], noise[0]), strict=False):
        lines = np.array([line.get_xdata() for line in ax.lines[:13]])
        expected = np.stack([1.6 + 0.8 * noise[0], 1.4 + 0.8 * second], axis=1)
        assert np.allclose(lines, expected)


WRONG = [
    {"mu": np.nan},
    {"mu": 3.5},
    {"sigma": 0},
    {"n": 1},
    {"n": 10_001},
    {"f": "cube"},
    {"dimension": 101},
    {"rows": ()},
    {"rows": ("g",)},
    {"rows": ("fresh",), "f": "norm"},
]


@pytest.mark.parametrize("options", WRONG)
def test_what_does_not_fit_is_refused(options):
    with pytest.raises(ValueError, match="expected"):
        EstimatorExplorer(**options)


@pytest.mark.parametrize("options", [{"n": 50.5}, {"dimension": "2"}])
def test_a_count_that_is_no_integer_is_refused(options):
    with pytest.raises(TraitError, match="an int"):
        EstimatorExplorer(**options)


@pytest.mark.parametrize("noise", [b"", bytes(79_996), np.full(20_000, np.nan, "f4").tobytes()])
def test_noise_of_another_size_is_refused(noise):
    explorer = EstimatorExplorer()
    with pytest.raises(ValueError, match="20000 finite"):
        explorer.noise = noise
