"""Two ways to estimate the slope of E f(z) by μ, from the same samples; and finite differences."""

from functools import partial
from math import erf, pi

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from traitlets import Bool, Bytes, Int, Unicode, validate

from helpers.explorers.base import Explorer, Slider, module, within
from helpers.plots import COLORS

SIZE = 10_000  # the most samples
H = 0.1  # half the distance of the two points of a finite difference
SHIFT = 97  # the draws for one more dimension stand so many places further on
ROWS = {
    "fresh": "differences, fresh noise",
    "shared": "differences, shared noise",
    "p": "derivative on the density",
    "f": "derivative on f",
}
CHOICES = {  # of f: how it is called; the axes of f and of the estimates; the arrow of slope 1
    "square": {"text": "z²", "top": [-1, 16], "ends": [-12, 12], "step": 0.1},
    "line": {"text": "z (a line)", "top": [-6, 6], "ends": [-5, 6], "step": 0.7},
    "step": {
        "text": "1 if z > 0 (a step)",
        "top": [-0.4, 1.4],
        "ends": [-2, 6],
        "step": 0.7,
    },
    "norm": {"text": "‖z‖² in D dimensions", "top": [-1, 16], "ends": [-12, 12], "step": 0.1},
}
ARROWS = 30  # so many samples get a dot and an arrow
PAIRS = 13  # so many pairs of samples are joined by a line


class EstimatorExplorer(Explorer):
    """Estimates of ∂ E f(z) / ∂μ for z ~ N(μ, σ²), from the same draws, side by side.

    The derivative on the density (row "p", the score function): the mean of f(z) · (z − μ)/σ².
    The derivative on f (reparameterized): the mean of f′(μ + σε). Finite differences over ±0.1
    with fresh or with shared noise. With f = "norm", z has D dimensions, μ = 0, σ = 1, and the
    slope is that by the first of the D means. The browser computes and draws; a button there draws
    fresh noise.

    Args:
        mu: from -3 to 3.
        sigma: from 0.1 to 2.
        n: samples, from 10 to 10,000.
        f: "square", "line", "step" or "norm".
        baseline: whether E f is subtracted from f in the derivative on the density.
        dimension: D, from 1 to 100, for f = "norm".
        rows: what is shown, of "fresh", "shared", "p" and "f".
        seed: of the noise.
    Traits:
        mu, sigma, n, f, baseline, dimension: set when the reader lets go, or from Python.
        noise: two rows of 10,000 draws of N(0, 1), as float32 bytes.
    Raises:
        ValueError: for values out of range, and for f = "norm" beside finite differences.
        traitlets.TraitError: for an n or a dimension that is no integer.
    Source:
        Mohamed et al. 2020 (JMLR 21:132); notebooks/03, sections 3 and 4; notebooks/04, section 3.
    """

    _esm = module("estimator.js")
    figure_size = (7.4, 5.2)
    mu = Slider(-3, 3, 1.5)
    sigma = Slider(0.1, 2, 0.8)
    n = Int(100).tag(sync=True)
    f = Unicode("square").tag(sync=True)
    baseline = Bool(False).tag(sync=True)
    dimension = Int(1).tag(sync=True)
    noise = Bytes().tag(sync=True, echo_update=False, from_json=lambda data, _: bytes(data))

    def __init__(
        self,
        mu: float = 1.5,
        sigma: float = 0.8,
        n: int = 100,
        *,
        f: str = "square",
        baseline: bool = False,
        dimension: int = 1,
        rows=("p", "f"),
        seed: int = 0,
    ):
        rows = [row for row in ROWS if row in _known(rows)]
        choices = dict(CHOICES)
        if not set(rows) <= {"p", "f"}:  # fresh draws in D dimensions would be a lot of noise
            del choices["norm"]
        spec = {
            "rows": {row: ROWS[row] for row in rows},
            "choices": choices,
            "limits": {"n": [10, SIZE], "dimension": [1, 100], "f": list(choices)},
            **{"h": H, "size": SIZE, "shift": SHIFT, "arrows": ARROWS, "pairs": PAIRS},
            "colors": {name: COLORS[name] for name in ("posterior", "gradient", "prior")},
        }
        noise = np.random.default_rng(seed).standard_normal((2, SIZE), dtype=np.float32)
        given = {"mu": mu, "sigma": sigma, "n": n, "f": f}
        given |= {"baseline": baseline, "dimension": dimension, "noise": noise.tobytes()}
        super().__init__(spec, **given)

    @validate("n", "dimension")
    def _check_count(self, proposal):
        name = proposal["trait"].name
        return within(name, proposal["value"], *self.spec["limits"][name])

    @validate("f")
    def _check_f(self, proposal):
        if proposal["value"] not in self.spec["choices"]:
            raise ValueError(f"expected f of {list(self.spec['choices'])}; got {proposal['value']}")
        return proposal["value"]

    @validate("noise")
    def _check_noise(self, proposal):
        noise = proposal["value"]
        if len(noise) != 8 * SIZE or not np.isfinite(np.frombuffer(noise, np.float32)).all():
            raise ValueError(f"expected {2 * SIZE} finite float32 numbers for noise")
        return noise

    @property
    def estimates(self) -> dict[str, tuple[float, float]]:
        """The mean of n single estimates and its standard error, for each row."""
        return {
            row: (float(one.mean()), float(one.std(ddof=1) / self.n**0.5))
            for row, one in self._single().items()
        }

    @property
    def truth(self) -> float:
        """The slope that is estimated, ∂ E f(z) / ∂μ."""
        mu, sigma = self._place
        slopes = {"line": 1.0, "step": _density(mu / sigma) / sigma}
        return slopes.get(self.f, 2 * mu)

    @property
    def variances(self) -> dict[str, float]:
        """The exact variance of a single estimate, for the rows "p" and "f" where shown."""
        exact = exact_variances(self.f, *self._place, self.dimension, self._b)
        return {row: exact[row] for row in self.spec["rows"] if row in exact}

    @property
    def numbers(self) -> dict[str, float]:
        """The slope; each estimate, two of its standard errors, and a single one's variance."""
        mu, sigma = self._place
        result = {"mu": mu, "sigma": sigma, "n": float(self.n), "truth": self.truth}
        if self.f == "norm":
            result["dimension"] = float(self.dimension)
        for row, (mean, error) in self.estimates.items():
            result |= {row: mean, f"{row}_margin": 2 * error}
        return result | {f"{row}_variance": value for row, value in self.variances.items()}

    @property
    def _place(self) -> tuple[float, float]:
        return (0.0, 1.0) if self.f == "norm" else (self.mu, self.sigma)

    @property
    def _b(self) -> float:
        return mean_of(self.f, *self._place, self.dimension) if self.baseline else 0.0

    def _eps(self) -> np.ndarray:
        return np.frombuffer(self.noise, np.float32).reshape(2, SIZE).astype(float)

    def _value(self, z: np.ndarray) -> np.ndarray:
        """f at z. The other D − 1 coordinates of a sample stand in the second row of noise."""
        if self.f in ("line", "step"):
            return z if self.f == "line" else (z > 0).astype(float)
        value = z**2
        if self.f == "norm":
            squares = self._eps()[1] ** 2
            for d in range(1, self.dimension):
                value = value + np.roll(squares, -SHIFT * d)[: len(z)]
        return value

    def _slope(self, z: np.ndarray) -> np.ndarray:
        """∂f at z, by the (first) coordinate."""
        return {"line": np.ones_like(z), "step": np.zeros_like(z)}.get(self.f, 2 * z)

    def _single(self) -> dict[str, np.ndarray]:
        """n estimates for each row."""
        mu, sigma = self._place
        first, second = self._eps()[:, : self.n]
        z = mu + sigma * first
        ways = {
            "fresh": lambda: self._value(z + H) - self._value(mu - H + sigma * second),
            "shared": lambda: self._value(z + H) - self._value(z - H),
            "p": lambda: (self._value(z) - self._b) * first / sigma,
            "f": lambda: self._slope(z),
        }
        scale = {"fresh": 2 * H, "shared": 2 * H}
        return {row: ways[row]() / scale.get(row, 1) for row in self.spec["rows"]}

    def draw(self, figure: Figure) -> None:
        rows = self.spec["rows"]
        above, below = figure.subfigures(2, 1, height_ratios=(3, 1 + 0.4 * len(rows)))
        panels = {row: partial(self._draw_pairs, row) for row in ("fresh", "shared") if row in rows}
        panels |= {"p": self._draw_pushes} if "p" in rows else {}
        panels |= {"f": self._draw_slopes} if {"p", "f"} & set(rows) else {}
        axes = above.subplots(1, len(panels), squeeze=False)[0]
        for ax, panel in zip(axes, panels.values(), strict=True):
            panel(ax)
        self._draw_estimates(below.subplots())

    def _draw_pairs(self, row: str, ax: Axes) -> None:
        """Samples at μ + h and at μ − h; a line joins the two of each pair."""
        count = min(self.n, PAIRS)
        first, second = self._eps()[:, :count]
        high = self.mu + H + self.sigma * first
        low = self.mu - H + self.sigma * (second if row == "fresh" else first)
        ax.plot([high, low], [np.ones(count), np.zeros(count)], color=COLORS["data"], lw=0.8)
        for height, z in enumerate((low, high)):
            ax.plot(z, height + 0 * z, **DOTS)
        ax.set(xlim=(-5, 5), ylim=(-0.3, 1.3), xticks=range(-4, 5, 2), xlabel="z")
        ax.set_yticks([0, 1], ["at μ − h", "at μ + h"])
        ax.set_title(f"{row} noise")

    def _some(self) -> tuple[np.ndarray, np.ndarray]:
        """z of the samples that are drawn, and f there."""
        mu, sigma = self._place
        z = mu + sigma * self._eps()[0][: min(self.n, ARROWS)]
        return z, self._value(z)

    def _draw_pushes(self, ax: Axes) -> None:
        """An arrow at each sample, and one for scale: the spread without b."""
        mu, sigma = self._place
        z, value = self._some()
        axis = np.linspace(-5, 5, 601)
        bell, at = (_density((v - mu) / sigma) / sigma for v in (axis, z))
        top = _density(0.0) / sigma
        spread = exact_variances(self.f, mu, sigma, self.dimension, 0.0)["p"] ** 0.5 or 1
        pushes = (value - self._b) * (z - mu) / sigma**2 / spread
        _arrows(ax, z, at, 0 * z, top / 3 * pushes)
        _arrows(ax, np.array([-4.6]), np.array([1.2 * top]), np.zeros(1), top / 3)
        ax.text(-4.3, 1.37 * top, f"{spread:.2g}", va="center")
        ax.plot(axis, bell, color=COLORS["data"])
        ax.plot(z, at, **DOTS)
        ax.set(xlim=(-5, 5), ylim=(-0.7 * top, 1.8 * top), xticks=range(-4, 5, 2))
        ax.set(xlabel="z", yticks=[])
        ax.set_title("derivative on the density:\nf(z) · score, an arrow up or down")

    def _draw_slopes(self, ax: Axes) -> None:
        """f, and at each sample its own slope: an arrow to the side where f rises."""
        z, value = self._some()
        axis, choice = np.linspace(-5, 5, 1201), self.spec["choices"][self.f]
        low, high = choice["top"]
        if self.f == "norm":
            high += 1.5 * self.dimension
            ax.plot(axis, axis**2 + self.dimension - 1, color=COLORS["data"])
        else:
            ax.plot(axis, self._value(axis), color=COLORS["data"])
        title = "f(z) at the samples"
        if "f" in self.spec["rows"]:
            title = "derivative on f: its slope at z,\nan arrow to where f rises"
            slope = self._slope(z)
            _arrows(ax, z, value, choice["step"] * slope)
        if self.f == "step" and "f" in self.spec["rows"]:
            title = "derivative on f: flat at each z, so 0,\n"
            title += f"and wrong: the true slope is {self.truth:.2f}"
        if self.baseline:
            ax.axhline(self._b, color=COLORS["prior"], ls="--", label="baseline b = E f")
            ax.legend(loc="upper center", fontsize=9)
        ax.plot(z, value, **DOTS)
        ax.set(xlim=(-5, 5), ylim=(low, high), xticks=range(-4, 5, 2))
        ax.set(xlabel="z", ylabel="f(z)", title=title)

    def _draw_estimates(self, ax: Axes) -> None:
        rows = self.spec["rows"]
        low, high = self.spec["choices"][self.f]["ends"]
        ax.axvline(np.clip(self.truth, low, high), color=COLORS["gradient"])
        for place, (mean, error) in enumerate(self.estimates.values()):
            ends = np.clip([mean - 2 * error, mean, mean + 2 * error], low, high)
            ax.plot(ends[[0, 2]], [-place] * 2, "|-", color="black", ms=12)
            ax.plot(ends[1], -place, "o", color="black")
        ax.set(xlim=(low, high), ylim=(0.4 - len(rows), 0.6))
        ax.set_yticks(range(0, -len(rows), -1), [self._label(row) for row in rows], fontsize=10)
        ax.set(xlabel=f"mean of {self.n}, ± 2 standard errors; line: the true slope")

    def _label(self, row: str) -> str:
        mean, error = self.estimates[row]
        label = f"{self.spec['rows'][row]}: {mean:.2f} ± {2 * error:.2f}"
        if row in self.variances:
            label += f"\nexact variance of one: {self.variances[row]:.5g}"
        return label.replace("-", "−")

    def describe(self) -> str:
        mu, sigma = self._place
        name = self.spec["choices"][self.f]["text"].replace("in D", f"in {self.dimension}")
        rows = "; ".join(
            f"{self.spec['rows'][row]} {mean:.2f} ± {2 * error:.2f}"
            for row, (mean, error) in self.estimates.items()
        )
        parts = [f"f(z) = {name}, and {self.n} samples at μ = {mu:.2f} and σ = {sigma:.2f}."]
        for row in self.spec["rows"]:
            if row in ("fresh", "shared"):
                how = "cross" if row == "fresh" else "run side by side"
                parts.append(
                    f"With {row} noise lines from samples at μ + h to those at μ − h {how}."
                )
        if "p" in self.spec["rows"]:
            parts.append("At samples on the bell, arrows up or down: f(z) times the score.")
        if "f" in self.spec["rows"] and self.f != "step":
            parts.append("At samples on the curve of f, arrows to the side where it rises.")
        if "f" in self.spec["rows"] and self.f == "step":
            parts.append("The step is flat: no arrow, and an estimate that is wrong.")
        parts.append(f"Below, the true slope {self.truth:.2f} as a line, and means with two ")
        return " ".join(parts) + f"standard errors: {rows}."


DOTS = {"ls": "", "marker": "o", "color": COLORS["posterior"], "mec": "black", "mew": 0.5, "ms": 4}


def _arrows(ax: Axes, x, y, right, up=0) -> None:
    style = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.007, "zorder": 3}
    ax.quiver(x, y, right, up + 0 * x, color=COLORS["gradient"], **style)


def _known(rows) -> list[str]:
    rows = list(rows)
    if not rows or not set(rows) <= set(ROWS):
        raise ValueError(f"expected rows of {list(ROWS)}, at least one; got {rows}")
    return rows


def _density(z):
    return np.exp(-(z**2) / 2) / (2 * pi) ** 0.5


def _below(z: float) -> float:
    """The share of N(0, 1) below z."""
    return (1 + erf(z / 2**0.5)) / 2


def mean_of(f: str, mu: float, sigma: float, dimension: int = 1) -> float:
    """E f(z) for z ~ N(μ, σ²); for "norm" ‖z‖² in D dimensions."""
    every = {"line": mu, "step": _below(mu / sigma), "norm": float(dimension)}
    return every.get(f, mu**2 + sigma**2)


def exact_variances(f: str, mu: float, sigma: float, dimension: int, b: float) -> dict[str, float]:
    """The variance of one estimate by the derivative on p, with baseline b, and on f.

    By E ε² = 1, E ε⁴ = 3, E ε⁶ = 15. For the step, with a = μ/σ, E[ε²; ε > −a] = Φ(a) − aφ(a).
    """
    if f == "line":
        return {"p": (mu - b) ** 2 / sigma**2 + 2, "f": 0.0}
    if f == "step":
        a = mu / sigma
        above = _below(a) - a * _density(a)
        second = (1 - b) ** 2 * above + b**2 * (1 - above)
        return {"p": max(0.0, float(second - _density(a) ** 2)) / sigma**2, "f": 0.0}
    if f == "norm":
        return {"p": (dimension + 2) * (dimension + 4) - 2 * b * (dimension + 2) + b**2, "f": 4.0}
    best = mu**2 + 3 * sigma**2
    p = mu**4 / sigma**2 + 14 * mu**2 + 15 * sigma**2 - (2 * b * best - b**2) / sigma**2
    return {"p": p, "f": 4 * sigma**2}
