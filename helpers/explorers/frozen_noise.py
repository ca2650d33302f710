"""Noise that stays where it is, while μ and σ move the samples computed from it."""

import matplotlib.pyplot as plt
import numpy as np
from traitlets import Dict, Float, TraitType, validate

from helpers.explorers.base import Explorer, module
from helpers.plots import COLORS, STYLE, png

SPEC = {
    "limit": 5.0,  # the axis of ε and z runs from −limit to limit; points beyond lie at its ends
    "top": 16.0,  # the axis of z² runs from 0 to top; points beyond lie at its end
    "step": 0.1,  # an arrow is this many times the negative gradient long
    "colors": {name: COLORS[name] for name in ("prior", "posterior", "gradient")},
}


class FrozenNoise(Explorer):
    """z = μ + σ ε with ε that stay where they are, the loss z², and its gradient at each z.

    The browser draws it and asks nothing of the kernel; a button there draws fresh ε.

    Args:    mu, sigma: where the sliders start, σ ≥ 0; eps: at least one number.
    Traits:  mu, sigma, eps (a list): set when the reader lets go, or from Python.
    Raises:  ValueError for a negative σ, or values that are not finite.
    Source:  notebooks/04, section 2.
    """

    _esm = module("frozen_noise.js")
    spec = Dict(SPEC).tag(sync=True)
    mu = Float().tag(sync=True)
    sigma = Float().tag(sync=True)
    eps = TraitType().tag(sync=True)

    def __init__(self, mu: float, sigma: float, eps):
        super().__init__(mu=mu, sigma=sigma, eps=eps)

    @validate("mu", "sigma")
    def _check_number(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if not np.isfinite(value) or (name == "sigma" and value < 0):
            raise ValueError(f"expected a finite mu and a sigma of 0 or more; got {name} = {value}")
        return value

    @validate("eps")
    def _check_eps(self, proposal):
        eps = np.asarray(proposal["value"], dtype=float)
        if eps.ndim != 1 or len(eps) == 0 or not np.isfinite(eps).all():
            raise ValueError(f"expected at least one finite number for eps; got {eps}")
        return eps.tolist()

    @property
    def z(self) -> np.ndarray:
        """The samples μ + σ ε."""
        return self.mu + self.sigma * np.array(self.eps)

    @property
    def gradient(self) -> tuple[float, float]:
        """The gradient of the mean of z² over these ε, by μ and by σ."""
        return float((2 * self.z).mean()), float((2 * self.z * self.eps).mean())

    @property
    def alt(self) -> str:
        return (
            f"{len(self.eps)} noise values ε in a row above, a line from each to its z below at "
            f"μ = {self.mu:.2f} and σ = {self.sigma:.2f}. Under them the loss z² as a parabola, "
            "with an arrow at each z that points downhill, longer where the slope is steeper."
        )

    @property
    def still(self) -> bytes:
        limit, top, step, colors = (SPEC[name] for name in ("limit", "top", "step", "colors"))
        with plt.style.context(STYLE):
            figure, (above, below) = plt.subplots(2, 1, figsize=(6.4, 4.2), sharex=True)
            eps, z = (np.clip(values, -limit, limit) for values in (self.eps, self.z))
            rows = np.ones(len(eps)), np.zeros(len(eps))
            above.plot([eps, z], rows, color=COLORS["data"], lw=0.8)
            above.scatter(eps, rows[0], color=colors["prior"], zorder=3)
            above.scatter(
                z, rows[1], color=colors["posterior"], edgecolor="black", lw=0.7, zorder=3
            )
            above.set(yticks=[0, 1], yticklabels=["z", "ε"], ylim=(-0.2, 1.2), xlim=(-limit, limit))
            axis = np.linspace(-(top**0.5), top**0.5, 101)
            below.plot(axis, axis**2, color=COLORS["data"], lw=1.5)
            loss = np.minimum(z**2, top)
            below.scatter(
                z, loss, s=14, color=colors["posterior"], edgecolor="black", lw=0.7, zorder=3
            )
            style = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.005}
            below.quiver(z, loss, -2 * step * self.z, 0 * z, color=colors["gradient"], **style)
            below.set(xlim=(-limit, limit), ylabel="loss z²", xlabel="value of ε and of z")
            return png(figure)
