"""The bound explorer: move q(z), and see the ELBO and the gap, whose sum stays log p(x)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.explorers.base import Explorer, Slider, module, on_grid
from helpers.plots import COLORS

FLOOR = -10  # nats: the bars stand on it, and are cut off at it


class BoundExplorer(Explorer):
    """Move the mean and width of q = N(mean, std²) against log p(x, z), in the browser.

    Args:
        z: (N,) equally spaced, increasing, well beyond ±8 with steps below 0.05, so that sums over
            it are integrals for every q.
        log_joint: (N,) log p(x, z) at these z.
        mean, std: the start, in −2.5 … 2.5 and 0.1 … 1.
    Traits:
        mean, std: of q. They change when the reader lets go, and can be set.
        numbers: evidence (log p(x)), elbo and gap (KL(q ‖ p(z|x))), each by its own sum.
        posterior, q: both densities at the z above.
    Raises:
        ValueError: where the above does not hold.
    Source:
        notebooks/05, section 7.
    """

    _esm = module("bound.js")
    mean = Slider(-2.5, 2.5, 0.0)
    std = Slider(0.1, 1.0, 0.5)

    def __init__(self, z, log_joint, *, mean: float = 0.0, std: float = 0.5):
        z, log_joint = on_grid(z, log_joint, "log_joint")
        step = z[1] - z[0]
        if step > 0.05 or z[0] > -8 or z[-1] < 8:
            raise ValueError(
                "expected z from −8 or below to 8 or above in steps of 0.05 or less; "
                f"got {z[0]:g} to {z[-1]:g} in steps of {step:g}"
            )
        colors = [COLORS[name] for name in ("posterior", "other", "reconstruction", "data")]
        spec = {"z": z.tolist(), "log_joint": log_joint.tolist(), "colors": colors}
        super().__init__(spec, mean=mean, std=std)

    @property
    def q(self) -> np.ndarray:
        return np.exp(self._log_q)

    @property
    def posterior(self) -> np.ndarray:
        return np.exp(np.array(self.spec["log_joint"]) - self._log_evidence)

    @property
    def numbers(self) -> dict[str, float]:
        log_joint, evidence, dz = np.array(self.spec["log_joint"]), self._log_evidence, self._dz
        elbo = float(self.q @ (log_joint - self._log_q) * dz)
        gap = float(self.q @ (self._log_q - (log_joint - evidence)) * dz)
        return {"evidence": evidence, "elbo": elbo, "gap": gap}

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

    def describe(self) -> str:
        evidence, elbo, gap = self.numbers.values()
        return (
            f"Left: the true posterior of z, and q with mean {self.mean:.2f} and standard "
            f"deviation {self.std:.2f}. Right, three bars in nats: log p(x) = {evidence:.3f}, "
            f"ELBO {elbo:.3f}, and from the ELBO up to log p(x) the gap, {gap:.3f}."
        )

    def draw(self, figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        self._draw_densities(left)
        self._draw_bars(right)

    def _draw_densities(self, ax: Axes) -> None:
        z, (posterior, q, _, _) = np.array(self.spec["z"]), self.spec["colors"]
        ax.plot(z, self.posterior, color=posterior)
        ax.plot(z, self.q, "--", color=q)
        ax.legend(["posterior p(z|x)", "q(z|x)"], loc="upper right", fontsize=9)
        ax.set(xlabel="z", ylabel="density", xlim=(-3.6, 3.6), ylim=(0, 4))
        ax.set_title("the proposal and the truth")

    def _draw_bars(self, ax: Axes) -> None:
        _, q, bound, data = self.spec["colors"]
        evidence, elbo, gap = self.numbers.values()
        top = max(elbo, FLOOR)
        ax.bar([0, 1], [evidence - FLOOR, top - FLOOR], 0.6, FLOOR, color=[data, bound])
        ax.bar(2, evidence - top, 0.6, top, color=q)
        ax.axhline(evidence, color=data, ls=":", lw=1)
        ax.set_xticks(range(3), ["log p(x)", "ELBO", "gap"])
        ax.set(ylabel="nats", ylim=(FLOOR, 1), title="ELBO + gap = log p(x)")
        for place, value in enumerate((evidence, elbo, gap)):
            ax.text(place, evidence + 0.3, f"{value:.3f}".replace("-", "−"), ha="center")
