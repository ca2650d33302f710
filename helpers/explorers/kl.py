"""KL(q ‖ p) of two bells: an area, and three bars that add up to it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.explorers.base import Explorer, Slider, module
from helpers.plots import COLORS

TERMS = {  # name: what stands at its bar
    "mu_term": "½ μ²",
    "sigma_term": "½ (σ² − 1)",
    "log_term": "− log σ",
    "kl": "KL, their sum",
}


class KLExplorer(Explorer):
    """The bell of q = N(μ, σ²) over the prior p = N(0, 1), and KL(q ‖ p) in nats, drawn twice.

    Once as the area under q log(q/p), less what lies below zero; once as the closed form,
    ½μ² + ½(σ² − 1) − log σ, one bar a term. The browser computes and draws.

    Args:
        mu: where q begins, from -3 to 3.
        sigma: its width, from 0.2 to 2.5.
    Traits:
        mu, sigma: set when the reader lets go, or from Python.
    Raises:
        ValueError: for values out of range.
    Source:
        Kingma & Welling 2014, appendix B. notebooks/04, section 4.
    """

    _esm = module("kl.js")
    figure_size = (7.4, 4.2)
    mu = Slider(-3, 3, 1)
    sigma = Slider(0.2, 2.5, 0.5)

    def __init__(self, mu: float = 1.0, sigma: float = 0.5):
        colors = {name: COLORS[name] for name in ("prior", "posterior")}
        super().__init__({"colors": colors}, mu=mu, sigma=sigma)

    @property
    def numbers(self) -> dict[str, float]:
        """The three terms and their sum; the area above zero and below, and their difference."""
        mu, sigma = self.mu, self.sigma
        terms = mu**2 / 2, (sigma**2 - 1) / 2, float(-np.log(sigma))
        areas = self._integrand(mu + sigma * np.linspace(-10, 10, 4001)) * sigma / 200
        positive, negative = float(areas[areas > 0].sum()), float(-areas[areas < 0].sum())
        return {
            **{"mu": mu, "sigma": sigma},
            **dict(zip(TERMS, (*terms, sum(terms)), strict=True)),
            **{"positive": positive, "negative": negative, "area": positive - negative},
        }

    def _density(self, z: np.ndarray) -> np.ndarray:
        return np.exp(-(((z - self.mu) / self.sigma) ** 2) / 2) / self.sigma / (2 * np.pi) ** 0.5

    def _integrand(self, z: np.ndarray) -> np.ndarray:
        log_ratio = z**2 / 2 - ((z - self.mu) / self.sigma) ** 2 / 2 - np.log(self.sigma)
        return self._density(z) * log_ratio

    def draw(self, figure: Figure) -> None:
        grid = figure.add_gridspec(2, 2)
        z = np.linspace(-6, 6, 1201)
        above = figure.add_subplot(grid[0, 0])
        prior = np.exp(-(z**2) / 2) / (2 * np.pi) ** 0.5
        above.plot(z, prior, "--", color=COLORS["prior"], label="prior p")
        above.plot(z, self._density(z), color=COLORS["posterior"], label="q")
        above.legend(loc="upper left" if self.mu >= 0 else "upper right", fontsize=9)
        above.set(ylabel="density", xlim=(-6, 6), title=self._title())
        above.set_ylim(0, max(0.8, 1.35 * self._density(z).max()))
        below = figure.add_subplot(grid[1, 0], sharex=above)
        self._draw_area(below, z)
        self._draw_bars(figure.add_subplot(grid[:, 1]))

    def _title(self) -> str:
        return f"q = N({self.mu:.2f}, {self.sigma:.2f}²)".replace("-", "−")

    def _draw_area(self, ax: Axes, z: np.ndarray) -> None:
        y = self._integrand(z)
        ax.fill_between(z, y, where=y > 0, color=COLORS["prior"], alpha=0.75, lw=0)
        style = {"facecolor": "none", "edgecolor": COLORS["prior"], "hatch": "||||", "lw": 0}
        ax.fill_between(z, y, where=y < 0, **style)
        ax.plot(z, y, color="black", lw=1)
        ax.axhline(0, color="black", lw=0.8)
        ax.set(xlabel="z", ylabel="q log (q / p)", title="area above less area below: the KL")

    def _draw_bars(self, ax: Axes) -> None:
        heights = [self.numbers[name] for name in TERMS]
        starts = [0, heights[0], heights[0] + heights[1], 0]
        low = min(-0.6, *(s + h for s, h in zip(starts, heights, strict=True)))
        high = max(1.2, *(s + h for s, h in zip(starts, heights, strict=True)))
        for row, (start, height) in enumerate(zip(starts, heights, strict=True)):
            style = {"color": COLORS["prior"], "alpha": 0.75}
            if height < 0:
                style = {"facecolor": "none", "edgecolor": COLORS["prior"], "hatch": "||||"}
            ax.barh(-row, height, 0.4, start, **style)
            ax.text(low, 0.3 - row, list(TERMS.values())[row])
            number = f"{height:.3f}".replace("-", "−")
            ax.text(high, 0.3 - row, number, ha="right")
        ax.axvline(0, color="black", lw=0.8)
        ax.set(xlabel="nats", xlim=(low, high), ylim=(-3.4, 0.6), yticks=[])
        ax.spines["left"].set_visible(False)
        ax.set_title("the closed form: three bars add up")

    def describe(self) -> str:
        values = self.numbers
        return (
            f"Left, above: the bell of q at μ = {self.mu:.2f} with width σ = {self.sigma:.2f}, "
            "over the dashed bell of the prior. Below it q log(q/p): filled where it is positive, "
            f"an area of {values['positive']:.3f}, and hatched where it is negative, "
            f"{values['negative']:.3f}. Right, bars in nats, each from where the last one ended: "
            f"½μ² = {values['mu_term']:.3f}, ½(σ² − 1) = {values['sigma_term']:.3f}, −log σ = "
            f"{values['log_term']:.3f}; their sum, the KL, is {values['kl']:.3f}."
        )
