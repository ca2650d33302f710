"""PlaneExplorer: what it accepts, and its numbers against torch.distributions and scikit-learn."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from torch.distributions import MultivariateNormal

from helpers.data import gaussian_classes
from helpers.explorers import PlaneExplorer

MEANS = torch.tensor([[0.0, 0.0], [2.0, 1.0]])
COVARIANCES = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.4, 0.3], [0.3, 0.8]]])


@pytest.fixture(scope="module")
def data():
    x, y = gaussian_classes(100, MEANS, COVARIANCES, seed=3)
    return x.double(), y


@pytest.fixture(scope="module")
def logistic(data):
    return LogisticRegression().fit(*data)


def make(data, logistic, **options):
    x, y = data
    means = torch.stack([x[y == c].mean(dim=0) for c in (0, 1)])
    covariances = torch.stack([torch.cov(x[y == c].T, correction=0) for c in (0, 1)])
    arguments = {"x": x, "y": y, "means": means, "covariances": covariances}
    arguments |= {"weight": logistic.coef_[0], "bias": logistic.intercept_[0]}
    return PlaneExplorer(**(arguments | options))


@pytest.mark.parametrize("point", [(0.0, 0.0), (1.2, -0.7), (-10.0, 10.0), (10.0, 10.0)])
@pytest.mark.parametrize("prior", [0.01, 0.5, 0.9])
def test_the_numbers_are_those_of_the_libraries(data, logistic, point, prior):
    explorer = make(data, logistic, point=point)
    explorer.prior = prior
    x, y = data
    for label, value in enumerate(explorer.numbers[name] for name in ("log_p_a", "log_p_b")):
        own = x[y == label]
        density = MultivariateNormal(own.mean(dim=0), torch.cov(own.T, correction=0))
        assert value == pytest.approx(
            density.log_prob(torch.tensor(point, dtype=x.dtype)).item(), rel=1e-9
        )
    qda = QuadraticDiscriminantAnalysis(priors=[prior, 1 - prior]).fit(x, y)
    assert explorer.numbers["generative"] == pytest.approx(
        qda.predict_proba([point])[0, 0], abs=1e-6
    )
    expected = logistic.predict_proba([point])[0, 0]
    assert explorer.numbers["logistic"] == pytest.approx(expected, abs=1e-9)


def test_a_prior_moves_the_generative_model_alone(data, logistic):
    explorer = make(data, logistic, point=(1.0, 0.5))
    before = explorer.numbers
    explorer.prior = 0.9
    after = explorer.numbers
    assert after["log_p_a"] == before["log_p_a"]
    assert after["log_p_b"] == before["log_p_b"]
    assert after["logistic"] == before["logistic"]
    odds = [n["generative"] / (1 - n["generative"]) for n in (before, after)]
    assert odds[1] / odds[0] == pytest.approx(9)


def test_the_still_picture_shows_the_point_that_was_set(data, logistic):
    explorer = make(data, logistic)
    stills = [explorer.still]
    explorer.point = [-8, 8]
    stills.append(explorer.still)
    pictures = [plt.imread(io.BytesIO(still)) for still in stills]
    assert pictures[0].shape == pictures[1].shape
    assert np.abs(pictures[0] - pictures[1]).max() > 0.5
    assert plt.get_fignums() == []
    numbers = explorer.numbers
    for text in ("(-8.00, 8.00)", f"{numbers['log_p_a']:.2f}", f"{numbers['generative']:.2f}"):
        assert text in explorer.alt


NOT_FINITE = torch.full((2, 2), float("nan"))
WRONG = [
    ({"x": torch.zeros(5, 3)}, "x"),
    ({"y": torch.zeros(3)}, "a class, 0 or 1"),
    ({"y": torch.full((200,), 2)}, "a class, 0 or 1"),
    ({"means": torch.zeros(3, 2)}, "means"),
    ({"means": NOT_FINITE}, "means"),
    ({"covariances": torch.zeros(2, 2, 2)}, "positive definite"),
    ({"covariances": [[[1, 1], [0, 1]], [[1, 0], [0, 1]]]}, "positive definite"),
    ({"weight": [1.0]}, "weight"),
    ({"bias": [1.0, 2.0]}, "bias"),
    ({"limits": (3, 3)}, "low < high"),
    ({"point": (11, 0)}, "point"),
    ({"point": (0, 0, 0)}, "point"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_what_does_not_fit_is_refused(data, logistic, options, message):
    with pytest.raises(ValueError, match=message):
        make(data, logistic, **options)


@pytest.mark.parametrize("prior", [0.0, 1.0, -1, float("nan")])
def test_a_prior_outside_the_slider_is_refused(data, logistic, prior):
    explorer = make(data, logistic)
    with pytest.raises(ValueError, match="prior"):
        explorer.prior = prior
    assert explorer.prior == 0.5
