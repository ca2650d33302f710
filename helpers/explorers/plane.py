"""The plane explorer: two models of two classes, asked about one point."""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import traitlets

from helpers.explorers.base import Explorer, module
from helpers.plots import CLASS_COLORS, COLORS, STYLE, png

PRIORS = (0.01, 0.99)  # the ends of the slider


class PlaneNumbers(NamedTuple):
    """What the two models say of a point; the probabilities are those of class A."""

    log_p_a: float  # log p(x|A)
    log_p_b: float
    generative: float  # p(A|x) by Bayes' rule
    logistic: float  # p(A|x) of the logistic regression


class PlaneExplorer(Explorer):
    """Drag a point over the plane, and the class prior; two models answer in the browser.

    The generative model has one Gaussian a class, the discriminative one is a logistic regression.
    A new prior moves the generative boundary (solid) at once; the other (dashed) stays.

    Args:    x: (N, 2) points; y: (N,) their classes, 0 for A and 1 for B; means: (2, 2);
             covariances: (2, 2, 2), positive definite; weight (2,), bias: log-odds of class B in
             the logistic regression; limits: (low, high) of both axes; point: the start.
    Traits:  point: [x1, x2]; prior: p(A). They change when the reader lets go, and can be set.
             `numbers` is what is shown of them: PlaneNumbers.
    Raises:  ValueError where shapes differ from those above, numbers are not finite, a covariance
             is not positive definite, or point or prior lies outside its range.
    Source:  notebooks/01, section 2.
    """

    _esm = module("plane.js")
    spec = traitlets.Dict().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)  # float32, two numbers a point
    labels = traitlets.Bytes().tag(sync=True)
    point = traitlets.List(traitlets.CFloat()).tag(sync=True)
    prior = traitlets.CFloat(0.5).tag(sync=True)

    def __init__(
        self, x, y, means, covariances, weight, bias, *, limits=(-10.0, 10.0), point=(0.0, 0.0)
    ):
        x, y = _numbers(x, (-1, 2), "x"), _numbers(y, (-1,), "y")
        if len(x) != len(y) or not np.isin(y, (0, 1)).all():
            raise ValueError(f"expected a class, 0 or 1, for each of the {len(x)} points")
        means, covariances = _numbers(means, (2, 2), "means"), _covariances(covariances)
        low, high = _numbers(limits, (2,), "limits").tolist()
        if low >= high:
            raise ValueError(f"expected limits (low, high) with low < high; got ({low}, {high})")
        dets = np.linalg.det(covariances)
        spec = {
            "means": means.tolist(),
            "precisions": np.linalg.inv(covariances).tolist(),
            "peaks": (-np.log(2 * np.pi) - np.log(dets) / 2).tolist(),  # log p at the mean
            "weight": _numbers(weight, (2,), "weight").tolist(),
            "bias": _numbers(bias, (), "bias").item(),
            "limits": [low, high],
            "priors": PRIORS,
            "colors": [CLASS_COLORS[0], CLASS_COLORS[6], COLORS["other"]],
        }
        super().__init__(
            spec=spec,
            points=x.astype(np.float32).tobytes(),
            labels=y.astype(np.uint8).tobytes(),
            point=list(point),
        )

    @traitlets.validate("point")
    def _check_point(self, proposal):
        point = _numbers(proposal["value"], (2,), "point")
        low, high = self.spec["limits"]
        if (point < low).any() or (point > high).any():
            raise ValueError(f"expected a point between {low} and {high}; got {point.tolist()}")
        return point.tolist()

    @traitlets.validate("prior")
    def _check_prior(self, proposal):
        if not PRIORS[0] <= proposal["value"] <= PRIORS[1]:
            raise ValueError(f"expected a prior in {PRIORS}; got {proposal['value']}")
        return proposal["value"]

    @property
    def numbers(self) -> PlaneNumbers:
        a, b = self._log_densities(np.array(self.point))
        logit = self._logistic_odds(np.array(self.point))
        odds = a - b + np.log(self.prior / (1 - self.prior))
        return PlaneNumbers(float(a), float(b), float(_sigmoid(odds)), float(_sigmoid(logit)))

    @property
    def alt(self) -> str:
        n, at = self.numbers, ", ".join(f"{value:.2f}" for value in self.point)
        return (
            "Two clouds of points, A and B, in the plane; the boundary of the generative model is "
            "a curve, that of the logistic regression a straight line. At the point "
            f"({at}), with p(A) = {self.prior:.2f}: log p(x|A) = {n.log_p_a:.2f}, log p(x|B) = "
            f"{n.log_p_b:.2f}, p(A|x) = {n.generative:.4f} by Bayes' rule and {n.logistic:.4f} by "
            "the logistic regression."
        )

    @property
    def still(self) -> bytes:
        with plt.style.context(STYLE):
            figure, (left, right) = plt.subplots(
                1, 2, figsize=(7.6, 3.6), width_ratios=(1, 1.05), dpi=90
            )
            self._draw_plane(left)
            _draw_numbers(self.numbers, self.spec, right)
            return png(figure, dpi=90)

    def _log_densities(self, x: np.ndarray) -> np.ndarray:
        """log p(x|A) and log p(x|B), stacked first, for x (..., 2)."""
        terms = zip(*(self.spec[k] for k in ("means", "precisions", "peaks")), strict=True)
        return np.stack([p - 0.5 * np.sum((x - m) @ s * (x - m), axis=-1) for m, s, p in terms])

    def _logistic_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds of class A in the logistic regression."""
        return -(x @ np.array(self.spec["weight"]) + self.spec["bias"])

    def _draw_plane(self, ax) -> None:
        points = np.frombuffer(self.points, np.float32).reshape(-1, 2)
        labels = np.frombuffer(self.labels, np.uint8)
        axis = np.linspace(*self.spec["limits"], 160)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1)
        a, b = self._log_densities(grid)
        for label, marker in enumerate("os"):
            ax.scatter(
                *points[labels == label].T,
                s=4,
                color=self.spec["colors"][label],
                marker=marker,
                linewidths=0,
            )
        odds = a - b + np.log(self.prior / (1 - self.prior))
        ax.contour(axis, axis, odds, levels=[0], colors="black")
        other = self.spec["colors"][2]
        ax.contour(
            axis, axis, self._logistic_odds(grid), levels=[0], colors=other, linestyles="dashed"
        )
        ax.plot(*self.point, "o", color="white", mec="black", mew=2, ms=10, zorder=9)
        ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", title=f"p(A) = {self.prior:.2f}")


def _draw_numbers(numbers: PlaneNumbers, spec: dict, ax) -> None:
    """The four numbers as text and as bars, as in the browser."""
    names = ["log p(x|A)", "log p(x|B)", "p(A|x), generative", "p(A|x), logistic"]
    top = max(*spec["peaks"], 0)
    shares = [1 + (value - top) / 30 for value in numbers[:2]] + list(numbers[2:])
    colors = [*spec["colors"][:2], "black", spec["colors"][2]]
    for row, (name, value, share) in enumerate(zip(names, numbers, shares, strict=True)):
        ax.barh(row, 1, color="#eeeeee", height=0.35)
        ax.barh(row, max(share, 0), color=colors[row], height=0.35)
        text = f"{value:.2f} nats" if row < 2 else f"{value:.4f}"
        ax.text(0, row - 0.28, name, va="bottom")
        ax.text(1, row - 0.28, text.replace("-", "−"), ha="right", va="bottom")
    ax.set(xlim=(0, 1), ylim=(3.4, -0.8))
    ax.set_axis_off()


def _sigmoid(value: float) -> float:
    return 0.5 * (1 + np.tanh(value / 2))


def _numbers(values, shape: tuple[int, ...], name: str) -> np.ndarray:
    """values as float64 of the shape, in which −1 stands for any length."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values, dtype=np.float64)
    fits = array.ndim == len(shape)
    fits = fits and all(w in (-1, s) for s, w in zip(array.shape, shape, strict=True))
    if not fits or not np.isfinite(array).all():
        wanted = str(shape).replace("-1", "N")
        raise ValueError(f"expected finite numbers of shape {wanted} for {name}; got {values!r}")
    return array


def _covariances(values) -> np.ndarray:
    covariances = _numbers(values, (2, 2, 2), "covariances")
    symmetric = np.allclose(covariances, covariances.transpose(0, 2, 1))
    if not symmetric or np.linalg.eigvalsh(covariances).min() <= 0:
        raise ValueError(f"expected positive definite covariances; got {covariances.tolist()}")
    return covariances
