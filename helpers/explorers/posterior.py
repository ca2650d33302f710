"""The posterior explorer: observe x, and see what it says about one latent z."""

import matplotlib.pyplot as plt
import numpy as np
import traitlets

from helpers.explorers.base import Explorer, module, on_grid
from helpers.plots import COLORS, STYLE, png


class PosteriorExplorer(Explorer):
    """Move x and see p(z|x), where z ~ N(0, 1) and x|z ~ N(f(z), noise²), in the browser.

    Args:    z: (N,) equally spaced, increasing; curve: (N,) f at these z; noise: a standard
             deviation above 0; x_range: (low, high) of the slider; x: the start.
    Traits:  x: the observation. It changes when the reader lets go, and can be set.
             `posterior`: p(z|x) at the z above; `summary`: p(x), and z's posterior mean and
             standard deviation.
    Raises:  ValueError where the above does not hold.
    Source:  notebooks/01, section 6.
    """

    _esm = module("posterior.js")
    spec = traitlets.Dict().tag(sync=True)
    x = traitlets.CFloat().tag(sync=True)

    def __init__(self, z, curve, noise: float, *, x_range=(-3.0, 3.0), x: float = 0.0):
        z, curve = on_grid(z, curve, "curve")
        low, high = map(float, x_range)
        if not (0 < noise < np.inf and -np.inf < low < high < np.inf):
            raise ValueError(
                f"expected noise > 0 and low < high, all finite; got {noise} and {low}, {high}"
            )
        colors = [COLORS[name] for name in ("data", "prior", "posterior")]
        spec = {"z": z.tolist(), "curve": curve.tolist(), "noise": float(noise)}
        super().__init__(spec=spec | {"range": [low, high], "colors": colors}, x=x)

    @traitlets.validate("x")
    def _check_x(self, proposal):
        low, high = self.spec["range"]
        if not low <= proposal["value"] <= high:
            raise ValueError(f"expected x between {low} and {high}; got {proposal['value']}")
        return proposal["value"]

    @property
    def posterior(self) -> np.ndarray:
        joint, dz = self._joint()
        return joint / (joint.sum() * dz)

    @property
    def summary(self) -> tuple[float, float, float]:
        joint, dz = self._joint()
        z = np.array(self.spec["z"])
        mean = float(joint @ z / joint.sum())
        std = float(np.sqrt(joint @ (z - mean) ** 2 / joint.sum()))
        return float(joint.sum() * dz), mean, std

    def _joint(self) -> tuple[np.ndarray, float]:
        """p(x|z) p(z) at each z, and the step between them."""
        z, curve = np.array(self.spec["z"]), np.array(self.spec["curve"])
        noise = self.spec["noise"]
        squares = ((self.x - curve) / noise) ** 2 + z**2
        return np.exp(-squares / 2) / (2 * np.pi * noise), z[1] - z[0]

    @property
    def alt(self) -> str:
        marginal, mean, std = self.summary
        return (
            f"Left: the curve f(z) and a line at the observed x = {self.x:.2f}. Right: the prior "
            "of z, and its posterior, with a peak where the line meets the curve. "
            f"p(x) = {marginal:.4f}; posterior mean {mean:.3f}, standard deviation {std:.3f}."
        )

    @property
    def still(self) -> bytes:
        z, low, high = np.array(self.spec["z"]), *self.spec["range"]
        data, prior, posterior = self.spec["colors"]
        with plt.style.context(STYLE):
            figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.2))
            left.plot(z, self.spec["curve"], color=data)
            left.axhline(self.x, color=posterior)
            left.set(xlabel="z", ylabel="x", xlim=(-3.6, 3.6), ylim=(1.2 * low, 1.2 * high))
            left.set_title("generation: x = f(z) + noise")
            right.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), "--", color=prior)
            right.plot(z, self.posterior, color=posterior)
            right.legend(["prior p(z)", "posterior p(z|x)"], loc="upper left", fontsize=9)
            right.set(xlabel="z", ylabel="density", xlim=(-3.6, 3.6), ylim=(0, 4))
            right.set_title(f"inference: z given x = {self.x:.2f}".replace("-", "−"))
            return png(figure)
