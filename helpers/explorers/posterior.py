"""The posterior explorer: observe x, and see what it says about one latent z."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from traitlets import Bytes, validate

from helpers.explorers.base import Explorer, Slider, module, on_grid
from helpers.plots import COLORS

MOST = 5_000  # draws that are kept
WIDE = 1.6  # how far the largest p(x) reaches from the right edge, in units of z


class PosteriorExplorer(Explorer):
    """Move x and see p(z|x), where z ~ N(0, 1) and x|z ~ N(f(z), noise²), in the browser.

    A button draws z from the prior and then x, once or often; the x pile up as p(x).
    Without inference there is the left chart alone, with its draws: no x is observed.

    Args:
        z: (N,) equally spaced, increasing.
        curve: (N,) f at these z.
        noise: a standard deviation above 0.
        x: the start, in −3 … 3.
        draws: how many pairs are drawn at the start, the same ones each time.
        inference: whether x and what it says about z are shown.
    Traits:
        x: the observation. It changes when the reader lets go, and can be set.
        drawn: pairs (z, x) as float32 bytes, at most 5,000; `draws` has them as (N, 2).
        numbers: draws, how many there are; and, with inference, p_x (p(x)), and z's posterior mean
            and standard deviation, mean and std.
        posterior: p(z|x) at the z above.
    Raises:
        ValueError: where the above does not hold.
    Source:
        notebooks/01, section 4.
    """

    _esm = module("posterior.js")
    x = Slider(-3.0, 3.0, 0.0)
    drawn = Bytes().tag(sync=True, echo_update=False, from_json=lambda data, _: bytes(data))

    def __init__(self, z, curve, noise: float, *, x=0.0, draws=0, inference=True):
        z, curve = on_grid(z, curve, "curve")
        if not 0 < noise < np.inf:
            raise ValueError(f"expected a finite noise > 0; got {noise}")
        colors = [COLORS[name] for name in ("data", "prior", "posterior")]
        spec = {"z": z.tolist(), "curve": curve.tolist(), "noise": float(noise), "colors": colors}
        spec |= {"most": MOST, "inference": inference}
        super().__init__(spec, x=x, drawn=_some_draws(draws, z, curve, noise))

    @property
    def figure_size(self) -> tuple[float, float]:
        return (7.4 if self.spec["inference"] else 4.4), 3.2

    @validate("drawn")
    def _check_drawn(self, proposal):
        drawn = proposal["value"]
        if len(drawn) % 8 or len(drawn) > 8 * MOST or not np.isfinite(_pairs(drawn)).all():
            raise ValueError(f"expected at most {MOST} finite pairs of float32; got other bytes")
        return drawn

    @property
    def draws(self) -> np.ndarray:
        """The pairs (z, x) that were drawn, (N, 2)."""
        return _pairs(self.drawn)

    @property
    def posterior(self) -> np.ndarray:
        return self._infer(self.x)[1]

    @property
    def numbers(self) -> dict[str, float]:
        draws = {"draws": float(len(self.draws))}
        if not self.spec["inference"]:
            return draws
        z, dz = np.array(self.spec["z"]), self._dz
        p_x, density = self._infer(self.x)
        mean = float(density @ z * dz)
        std = float(np.sqrt(density @ (z - mean) ** 2 * dz))
        return {"p_x": p_x, "mean": mean, "std": std} | draws

    @property
    def _dz(self) -> float:
        return self.spec["z"][1] - self.spec["z"][0]

    def _infer(self, x: float) -> tuple[float, np.ndarray]:
        """p(x), and p(z|x) at each z.

        Far from the curve p(x) is 0 in the computer, and p(z|x) must not become 0 / 0: the largest
        log p(x, z) is taken out before exp, and put back into p(x) alone.
        """
        z, curve = np.array(self.spec["z"]), np.array(self.spec["curve"])
        noise = self.spec["noise"]
        squares = ((x - curve) / noise) ** 2 + z**2
        joint = np.exp((squares.min() - squares) / 2)
        total = joint.sum() * self._dz
        return float(total * np.exp(-squares.min() / 2) / (2 * np.pi * noise)), joint / total

    def describe(self) -> str:
        count = len(self.draws)
        piled = f" {count} pairs z, x are dots; their x pile up at the right edge as p(x)."
        piled = piled if count else ""
        if not self.spec["inference"]:
            return "The curve f(z) over z." + piled
        marginal, mean, std, _ = self.numbers.values()
        return (
            f"Left: the curve f(z) and a line at the observed x = {self.x:.2f}. Right: the prior "
            "of z, and its posterior, with a peak where the line meets the curve. "
            f"p(x) = {marginal:.4f}; posterior mean {mean:.3f}, standard deviation {std:.3f}."
        ) + piled

    def draw(self, figure: Figure) -> None:
        if self.spec["inference"]:
            left, right = figure.subplots(1, 2)
            self._draw_densities(right)
        else:
            left = figure.subplots()
        self._draw_curve(left)

    def _draw_curve(self, ax: Axes) -> None:
        data, _, posterior = self.spec["colors"]
        ends = 1.2 * np.array(self.spec["limits"]["x"])
        ax.plot(self.spec["z"], self.spec["curve"], color=data)
        if self.spec["inference"]:
            ax.axhline(self.x, color=posterior)
        if len(self.draws):
            self._draw_pile(ax, *ends)
        ax.set(xlabel="z", ylabel="x", xlim=(-3.6, 3.6), ylim=ends)
        ax.set_title("generation: x = f(z) + noise")

    def _draw_pile(self, ax: Axes, low: float, high: float) -> None:
        """The pairs as dots; at the right edge a histogram of x, sideways, and p(x)."""
        z, x = self.draws.T
        xs = np.linspace(low, high, 121)
        p = np.array([self._infer(value)[0] for value in xs])
        unit = WIDE / p.max()
        counts, edges = np.histogram(x, 30, (low, high))
        heights = unit * counts / len(x) / (edges[1] - edges[0])
        color, width = self.spec["colors"][0], edges[1] - edges[0]
        style = {"align": "edge", "color": color, "alpha": 0.35}
        ax.barh(edges[:-1], -heights, width, 3.6, **style)
        ax.plot(3.6 - unit * p, xs, color=color, lw=1.5)
        ax.text(3.5, 0.95 * low, "p(x)", ha="right", va="bottom", color=color)
        ax.plot(z[-300:], x[-300:], ".", color=color, alpha=0.5, ms=4)

    def _draw_densities(self, ax: Axes) -> None:
        z, (_, prior, posterior) = np.array(self.spec["z"]), self.spec["colors"]
        ax.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), "--", color=prior)
        ax.plot(z, self.posterior, color=posterior)
        ax.legend(["prior p(z)", "posterior p(z|x)"], loc="upper left", fontsize=9)
        ax.set(xlabel="z", ylabel="density", xlim=(-3.6, 3.6), ylim=(0, 4))
        ax.set_title(f"inference: z given x = {self.x:.2f}".replace("-", "−"))


def _some_draws(count: int, z: np.ndarray, curve: np.ndarray, noise: float) -> bytes:
    if not (isinstance(count, int) and 0 <= count <= MOST):
        raise ValueError(f"expected draws from 0 to {MOST}; got {count!r}")
    first, second = np.random.default_rng(0).standard_normal((2, count))
    x = np.interp(first, z, curve) + noise * second
    return np.stack([first, x], axis=1).astype(np.float32).tobytes()


def _pairs(drawn: bytes) -> np.ndarray:
    return np.frombuffer(drawn, np.float32).reshape(-1, 2).astype(float)
