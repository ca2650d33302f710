"""BoundExplorer: what it accepts, and its numbers against adaptive quadrature and closed forms."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from helpers.explorers import BoundExplorer

Z = np.linspace(-10, 10, 1001)


def log_joint(z, x=1.0):
    return norm.logpdf(x, 2 * z - 3 * np.tanh(2 * z), 0.3) + norm.logpdf(z)


def log_normal(x, mean, std):  # by hand: scipy takes fifty times as long for one number
    return -(((x - mean) / std) ** 2) / 2 - math.log(std * math.sqrt(2 * math.pi))


def log_joint_at(z, x=1.0):
    return log_normal(x, 2 * z - 3 * math.tanh(2 * z), 0.3) + log_normal(z, 0, 1)


def integral(g, low=-10, high=10):
    starts = np.arange(low, high, 0.25)
    return sum(quad(g, start, start + 0.25, epsabs=1e-12)[0] for start in starts)


def shown(explorer):
    return [explorer.numbers[name] for name in ("evidence", "elbo", "gap")]


@pytest.mark.parametrize(("mean", "std"), [(-0.5, 0.4), (0.0, 1.0), (2.5, 0.1), (-2.5, 1.0)])
def test_the_numbers_are_those_of_quadrature(mean, std):
    explorer = BoundExplorer(Z, log_joint(Z), mean=mean, std=std)
    evidence = math.log(integral(lambda z: math.exp(log_joint_at(z))))
    q = norm(mean, std)

    def bound(z):
        log_q = log_normal(z, mean, std)
        return math.exp(log_q) * (log_joint_at(z) - log_q)

    elbo = integral(bound)
    assert np.allclose(shown(explorer), (evidence, elbo, evidence - elbo), atol=1e-6)
    assert np.allclose(explorer.q, q.pdf(Z), atol=1e-12)
    assert np.allclose(explorer.posterior, np.exp(log_joint(Z) - evidence), atol=1e-7)


@pytest.mark.parametrize("mean", [-1.0, 0.4, 2.0])
def test_where_the_posterior_is_gaussian_the_gap_is_the_kl_of_two_gaussians(mean):
    # z ~ N(0, 1) and x|z ~ N(2 z, 0.8²) at x = 1.5: the posterior has a closed form.
    variance = 1 / (1 + 4 / 0.64)
    center = variance * 2 * 1.5 / 0.64
    joint = norm.logpdf(1.5, 2 * Z, 0.8) + norm.logpdf(Z)
    evidence, elbo, gap = shown(BoundExplorer(Z, joint, mean=mean, std=0.3))
    kl = 0.5 * (0.09 / variance + (mean - center) ** 2 / variance - 1 - np.log(0.09 / variance))
    assert evidence == pytest.approx(norm.logpdf(1.5, 0, np.sqrt(4 + 0.64)), abs=1e-9)
    assert gap == pytest.approx(kl, abs=1e-9)
    assert elbo == pytest.approx(evidence - kl, abs=1e-9)


def test_the_gap_vanishes_where_q_is_the_posterior():
    variance = 1 / (1 + 4 / 0.64)
    joint = norm.logpdf(1.5, 2 * Z, 0.8) + norm.logpdf(Z)
    explorer = BoundExplorer(Z, joint, mean=variance * 3 / 0.64, std=np.sqrt(variance))
    assert explorer.numbers["gap"] == pytest.approx(0, abs=1e-9)


def test_the_text_of_the_picture_tells_the_bound():
    explorer = BoundExplorer(Z, log_joint(Z), mean=-0.5, std=0.4)
    explorer.mean = 1.2
    assert f"{explorer.numbers['elbo']:.3f}" in explorer.alt


WRONG = [
    ({"log_joint": np.full(1001, -np.inf)}, "finite"),
    ({"z": Z / 2}, "from −8"),
    ({"z": Z * 3}, "0.05 or less"),
    ({"mean": 2.6}, "expected mean between"),
    ({"std": 0.05}, "expected std between"),
    ({"std": float("nan")}, "expected std between"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        BoundExplorer(**({"z": Z, "log_joint": log_joint(Z)} | options))
