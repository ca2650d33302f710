"""The plane explorer: two models of two classes, asked about one point."""

import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.checks import to_numpy
from helpers.explorers.base import Explorer, Slider, module, within
from helpers.plots import CLASS_COLORS, COLORS


class PlaneExplorer(Explorer):
    """Drag a point over the plane, and the class prior; two models answer in the browser.

    The generative model has one Gaussian a class, the discriminative one is a logistic regression.
    A new prior moves the generative boundary (solid) at once; the other (dashed) stays.

    Args:
        x: (N, 2) points.
        y: (N,) their classes, 0 for A and 1 for B.
        means: (2, 2), a row a class.
        covariances: (2, 2, 2), positive definite.
        weight, bias: (2,) and a number; the logistic regression's log-odds of class B.
        limits: (low, high) of both axes.
        point: the start.
    Traits:
        point: [x1, x2]. It changes when the reader lets go, and can be set; so does prior.
        prior: p(A), in 0.01 … 0.99.
        numbers: log_p_a and log_p_b, which are log p(x|A) and log p(x|B); p(A|x) by Bayes' rule
            (generative) and by the logistic regression (logistic).
    Raises:
        ValueError: where shapes differ from those above, numbers are not finite, a covariance is
            not positive definite, or point or prior lies outside its range.
    Source:
        notebooks/01, section 1.
    """

    _esm = module("plane.js")
    figure_size = (7.6, 3.6)
    points = traitlets.Bytes().tag(sync=True)  # float32, two numbers a point
    labels = traitlets.Bytes().tag(sync=True)
    point = traitlets.List(traitlets.CFloat()).tag(sync=True)
    prior = Slider(0.01, 0.99, 0.5)

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
            "limits": {"point": [low, high]},
            "colors": [CLASS_COLORS[0], CLASS_COLORS[6], COLORS["other"]],
        }
        super().__init__(
            spec,
            points=x.astype(np.float32).tobytes(),
            labels=y.astype(np.uint8).tobytes(),
            point=list(point),
        )

    @traitlets.validate("point")
    def _check_point(self, proposal):
        point = _numbers(proposal["value"], (2,), "point")
        return within("point", point, *self.spec["limits"]["point"]).tolist()

    @property
    def numbers(self) -> dict[str, float]:
        point = np.array(self.point)
        a, b = self._log_densities(point)
        chances = _sigmoid(a - b + self._prior_odds), _sigmoid(self._logistic_odds(point))
        names = ("log_p_a", "log_p_b", "generative", "logistic")
        return dict(zip(names, map(float, (a, b, *chances)), strict=True))

    def describe(self) -> str:
        a, b, generative, logistic = self.numbers.values()
        at = ", ".join(f"{value:.2f}" for value in self.point)
        return (
            "Two clouds of points, A and B, in the plane; the boundary of the generative model is "
            "a curve, that of the logistic regression a straight line. At the point "
            f"({at}), with p(A) = {self.prior:.2f}: log p(x|A) = {a:.2f}, log p(x|B) = {b:.2f}, "
            f"p(A|x) = {generative:.2f} by Bayes' rule and {logistic:.2f} by the logistic "
            "regression."
        )

    def draw(self, figure: Figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.05))
        self._draw_points(left)
        self._draw_boundaries(left)
        left.plot(*self.point, "o", color="white", mec="black", mew=2, ms=10, zorder=9)
        title = f"p(A) = {self.prior:.2f}"
        left.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", title=title)
        _draw_numbers(right, self.numbers, self.spec)

    @property
    def _prior_odds(self) -> float:
        return np.log(self.prior / (1 - self.prior))

    def _log_densities(self, x: np.ndarray) -> np.ndarray:
        """log p(x|A) and log p(x|B), stacked first, for x (..., 2)."""
        terms = zip(*(self.spec[k] for k in ("means", "precisions", "peaks")), strict=True)
        return np.stack([p - 0.5 * np.sum((x - m) @ s * (x - m), axis=-1) for m, s, p in terms])

    def _logistic_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds of class A in the logistic regression."""
        return -(x @ np.array(self.spec["weight"]) + self.spec["bias"])

    def _draw_points(self, ax: Axes) -> None:
        points = np.frombuffer(self.points, np.float32).reshape(-1, 2)
        labels = np.frombuffer(self.labels, np.uint8)
        for label, marker in enumerate("os"):
            color = self.spec["colors"][label]
            style = {"s": 16, "color": color, "alpha": 0.7, "marker": marker, "linewidths": 0}
            ax.scatter(*points[labels == label].T, **style)

    def _draw_boundaries(self, ax: Axes) -> None:
        axis = np.linspace(*self.spec["limits"]["point"], 160)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1)
        a, b = self._log_densities(grid)
        ax.contour(axis, axis, a - b + self._prior_odds, levels=[0], colors="black")
        line = {"levels": [0], "colors": self.spec["colors"][2], "linestyles": "dashed"}
        ax.contour(axis, axis, self._logistic_odds(grid), **line)


def _draw_numbers(ax: Axes, numbers: dict[str, float], spec: dict) -> None:
    """The four numbers as text and as bars, as in the browser."""
    names = ["log p(x|A)", "log p(x|B)", "p(A|x), generative", "p(A|x), logistic"]
    top = max(*spec["peaks"], 0)
    colors = [*spec["colors"][:2], "black", spec["colors"][2]]
    for row, (name, value) in enumerate(zip(names, numbers.values(), strict=True)):
        share = 1 + (value - top) / 30 if row < 2 else value
        ax.barh(row, 1, color="#eeeeee", height=0.35)
        ax.barh(row, max(share, 0), color=colors[row], height=0.35)
        text = f"{value:.2f} nats" if row < 2 else f"{value:.2f}"
        ax.text(0, row - 0.28, name, va="bottom")
        ax.text(1, row - 0.28, text.replace("-", "−"), ha="right", va="bottom")
    ax.set(xlim=(0, 1), ylim=(3.4, -0.8))
    ax.set_axis_off()


def _sigmoid(value: float) -> float:
    return 0.5 * (1 + np.tanh(value / 2))


def _numbers(values, shape: tuple[int, ...], name: str) -> np.ndarray:
    """values as float64 of the shape, in which −1 stands for any length."""
    array = to_numpy(values).astype(np.float64)
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
