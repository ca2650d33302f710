"""Noise that stays where it is, while μ and σ move the samples computed from it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from traitlets import TraitType, validate

from helpers.checks import to_numpy
from helpers.explorers.base import Explorer, Slider, module
from helpers.plots import COLORS

LIMIT = 5.0  # the axis of ε and z runs from −LIMIT to LIMIT; points beyond lie at its ends
TOP = 16.0  # the axis of z² runs from 0 to TOP; points beyond lie at its end
STEP = 0.1  # an arrow is this many times the negative gradient long
DROPS = {"color": "0.55", "lw": 1, "ls": ":", "zorder": 0}  # from z on to its loss
BESIDE = {"textcoords": "offset points", "va": "center"}
NAMES = ("other", "posterior", "gradient")  # ε, z, the arrows: as in img/vae.svg


class FrozenNoise(Explorer):
    """z = μ + σ ε with ε that stay where they are, the loss z², and its gradient at each z.

    The browser draws it and asks nothing of the kernel; a button there draws fresh ε.

    Args:
        mu, sigma: where the sliders start, in −2 … 2 and 0 … 1.5.
        eps: at least one number.
    Traits:
        mu, sigma, eps (a list): set when the reader lets go, or from Python.
        numbers: the mean of z² (loss), its gradient by mu and by sigma over these ε, and the
            gradients over all ε (true_by_mu = 2μ, true_by_sigma = 2σ).
        z: the samples.
    Raises:
        ValueError: for mu or sigma out of range, or an eps that is not finite.
    Source:
        notebooks/04, first screen.
    """

    _esm = module("frozen_noise.js")
    figure_size = (6.4, 4.2)
    mu = Slider(-2.0, 2.0, 0.0)
    sigma = Slider(0.0, 1.5, 1.0)
    eps = TraitType().tag(sync=True)

    def __init__(self, mu: float, sigma: float, eps):
        colors = {name: COLORS[name] for name in NAMES}
        spec = {"limit": LIMIT, "top": TOP, "step": STEP, "colors": colors}
        super().__init__(spec, mu=mu, sigma=sigma, eps=eps)

    @validate("eps")
    def _check_eps(self, proposal):
        eps = to_numpy(proposal["value"]).astype(float)
        if eps.ndim != 1 or len(eps) == 0 or not np.isfinite(eps).all():
            raise ValueError(f"expected at least one finite number for eps; got {eps}")
        return eps.tolist()

    @property
    def z(self) -> np.ndarray:
        return self.mu + self.sigma * np.array(self.eps)

    @property
    def numbers(self) -> dict[str, float]:
        return {
            "loss": float((self.z**2).mean()),
            "by_mu": float((2 * self.z).mean()),
            "by_sigma": float((2 * self.z * self.eps).mean()),
            "true_by_mu": 2 * self.mu,
            "true_by_sigma": 2 * self.sigma,
        }

    def describe(self) -> str:
        return (
            f"{len(self.eps)} noise values ε in a row above, a line from each to its z below at "
            f"μ = {self.mu:.2f} and σ = {self.sigma:.2f}; μ is marked. A dotted line leads on "
            "to the loss z², a parabola. An arrow points downhill, longer where the slope "
            "is steeper."
        )

    def draw(self, figure: Figure) -> None:
        above, below = figure.subplots(2, 1, sharex=True)
        self._draw_noise(above)
        self._draw_loss(below)
        below.set(xlim=(-LIMIT, LIMIT), xlabel="value of ε and of z")

    def _draw_noise(self, ax: Axes) -> None:
        """ε above, z below, and a line between the two."""
        eps, z = (np.clip(values, -LIMIT, LIMIT) for values in (self.eps, self.z))
        up, down = np.ones(len(eps)), np.zeros(len(eps))
        ax.plot([eps, z], [up, down], color=COLORS["data"], lw=0.8)
        ax.scatter(eps, up, color=COLORS["other"], zorder=3)
        ax.scatter(z, down, color=COLORS["posterior"], edgecolor="black", lw=0.7, zorder=3)
        ax.plot([z, z], [down, down - 0.4], **DROPS)
        ax.plot(np.clip(self.mu, -LIMIT, LIMIT), -0.17, "^", color="black", ms=6)
        ax.annotate("μ", (np.clip(self.mu, -LIMIT, LIMIT), -0.3), (7, 0), **BESIDE)
        ax.set(yticks=[0, 1], yticklabels=["z", "ε"], ylim=(-0.4, 1.2))

    def _draw_loss(self, ax: Axes) -> None:
        """The parabola, and an arrow downhill at each z."""
        axis = np.linspace(-(TOP**0.5), TOP**0.5, 101)
        ax.plot(axis, axis**2, color=COLORS["data"], lw=1.5)
        z = np.clip(self.z, -LIMIT, LIMIT)
        loss = np.minimum(z**2, TOP)
        ax.plot([z, z], [loss, 0 * z + 1.1 * TOP], **DROPS)
        ax.scatter(z, loss, s=14, color=COLORS["posterior"], edgecolor="black", lw=0.7, zorder=3)
        style = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.005}
        ax.quiver(z, loss, -2 * STEP * self.z, 0 * z, color=COLORS["gradient"], **style)
        ax.set(ylabel="loss z²", ylim=(-0.05 * TOP, 1.1 * TOP))
