"""The bound explorer: move q(z), and see the ELBO and the gap, whose sum stays log p(x)."""

import matplotlib.pyplot as plt
import numpy as np
import traitlets

from helpers.explorers.base import Explorer, module, on_grid
from helpers.plots import COLORS, STYLE, png

RANGES = {"mean": (-2.5, 2.5), "std": (0.1, 1.0)}


class BoundExplorer(Explorer):
    """Move the mean and width of q = N(mean, std²) against log p(x, z), in the browser.

    Args:    z: (N,) equally spaced, increasing, well beyond ±8 with steps below 0.05, so that
             sums over it are integrals for every q; log_joint: (N,) log p(x, z) at these z;
             mean, std: the start, in −2.5 … 2.5 and 0.1 … 1.
    Traits:  mean and std of q. They change when the reader lets go, and can be set.
             `numbers`: log p(x), the ELBO and the gap KL(q ‖ p(z|x)), each by its own sum;
             `posterior` and `q`: both densities at the z above.
    Raises:  ValueError where the above does not hold.
    Source:  notebooks/05, section 1.
    """

    _esm = module("bound.js")
    spec = traitlets.Dict().tag(sync=True)
    mean = traitlets.CFloat().tag(sync=True)
    std = traitlets.CFloat().tag(sync=True)

    def __init__(self, z, log_joint, *, mean: float = 0.0, std: float = 0.5):
        z, log_joint = on_grid(z, log_joint, "log_joint")
        step = z[1] - z[0]
        if step > 0.05 or z[0] > -8 or z[-1] < 8:
            raise ValueError(
                "expected z from −8 or below to 8 or above in steps of 0.05 or less; "
                f"got {z[0]:g} to {z[-1]:g} in steps of {step:g}"
            )
        colors = [COLORS[name] for name in ("posterior", "other", "reconstruction", "data")]
        spec = {"z": z.tolist(), "log_joint": log_joint.tolist(), "ranges": RANGES}
        super().__init__(spec=spec | {"colors": colors}, mean=mean, std=std)

    @traitlets.validate("mean", "std")
    def _check(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        low, high = RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"expected {name} between {low} and {high}; got {value}")
        return value

    @property
    def q(self) -> np.ndarray:
        return np.exp(self._log_q)

    @property
    def posterior(self) -> np.ndarray:
        return np.exp(np.array(self.spec["log_joint"]) - self._log_evidence)

    @property
    def numbers(self) -> tuple[float, float, float]:
        log_joint, dz = np.array(self.spec["log_joint"]), self._dz
        elbo = float(self.q @ (log_joint - self._log_q) * dz)
        gap = float(self.q @ (self._log_q - (log_joint - self._log_evidence)) * dz)
        return self._log_evidence, elbo, gap

    @property
    def _dz(self) -> float:
        return self.spec["z"][1] - self.spec["z"][0]

    @property
    def _log_q(self) -> np.ndarray:
        squares = ((np.array(self.spec["z"]) - self.mean) / self.std) ** 2
        return -squares / 2 - np.log(self.std * np.sqrt(2 * np.pi))

    @property
    def _log_evidence(self) -> float:
        log_joint = np.array(self.spec["log_joint"])
        top = log_joint.max()
        return float(top + np.log(np.exp(log_joint - top).sum() * self._dz))

    @property
    def alt(self) -> str:
        evidence, elbo, gap = self.numbers
        return (
            f"Left: the true posterior of z, and q with mean {self.mean:.2f} and standard "
            f"deviation {self.std:.2f}. Right, three bars in nats: log p(x) = {evidence:.3f}, "
            f"ELBO {elbo:.3f}, and from the ELBO up to log p(x) the gap, {gap:.3f}."
        )

    @property
    def still(self) -> bytes:
        z, (posterior, q, bound, data) = np.array(self.spec["z"]), self.spec["colors"]
        evidence, elbo, gap = self.numbers
        with plt.style.context(STYLE):
            figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.2))
            left.plot(z, self.posterior, color=posterior)
            left.plot(z, self.q, "--", color=q)
            left.legend(["posterior p(z|x)", "q(z)"], loc="upper right", fontsize=9)
            left.set(xlabel="z", ylabel="density", xlim=(-3.6, 3.6), ylim=(0, 4))
            left.set_title("the proposal and the truth")
            right.bar([0, 1], [evidence + 10, max(elbo, -10) + 10], 0.6, -10, color=[data, bound])
            right.bar(2, evidence - max(elbo, -10), 0.6, max(elbo, -10), color=q)
            right.axhline(evidence, color=data, ls=":", lw=1)
            right.set_xticks(range(3), ["log p(x)", "ELBO", "gap"])
            right.set(ylabel="nats", ylim=(-10, 1))
            for place, value in enumerate((evidence, elbo, gap)):
                text = f"{value:.3f}".replace("-", "−")
                right.text(place, evidence + 0.3, text, ha="center")
            right.set_title("ELBO + gap = log p(x)")
            return png(figure)
