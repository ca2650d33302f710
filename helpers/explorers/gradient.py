"""Three estimates of the slope of E z², from the same samples."""

import numpy as np
from matplotlib.figure import Figure
from traitlets import Bytes, validate

from helpers.explorers.base import Explorer, Slider, module
from helpers.plots import COLORS

SIZE = 10_000  # the most samples
H = 0.1  # half the distance of the two points of a finite difference
ROWS = ["fresh noise", "shared noise", "score function"]
SPEC = {
    "h": H,
    "size": SIZE,
    "rows": ROWS,
    "colors": {name: COLORS[name] for name in ("posterior", "gradient")},
}


class GradientExplorer(Explorer):
    """Samples z of N(μ, σ²) and three estimates of d E z² / dμ = 2μ, with their standard errors.

    Two are finite differences over ±0.1, with fresh and with shared noise; the third is the score
    function. The browser computes and draws them; a button there draws fresh noise.

    Args:
        mu, sigma, n: where the sliders start, in −3 … 3, 0.1 … 2, and 10 … 10,000 samples.
        seed: of the noise.
    Traits:
        mu, sigma, n: set when the reader lets go, or from Python.
        noise: two rows of 10,000 draws of N(0, 1), as float32 bytes.
        numbers: the true slope, and each estimate with its two standard errors.
    Raises:
        ValueError: for values out of range.
    Source:
        notebooks/03, section 6.
    """

    _esm = module("gradient.js")
    figure_size = (7.4, 2.8)
    mu = Slider(-3.0, 3.0, 0.0)
    sigma = Slider(0.1, 2.0, 1.0)
    n = Slider(10, SIZE, SIZE)
    noise = Bytes().tag(sync=True, echo_update=False, from_json=lambda data, _: bytes(data))

    def __init__(self, mu: float, sigma: float, n: int = 100, *, seed: int = 0):
        noise = np.random.default_rng(seed).standard_normal((2, SIZE), dtype=np.float32)
        super().__init__(SPEC, mu=mu, sigma=sigma, n=n, noise=noise.tobytes())

    @validate("noise")
    def _check_noise(self, proposal):
        noise = proposal["value"]
        if len(noise) != 8 * SIZE or not np.isfinite(np.frombuffer(noise, np.float32)).all():
            raise ValueError(f"expected {2 * SIZE} finite float32 numbers for noise")
        return noise

    @property
    def z(self) -> np.ndarray:
        """The n samples μ + σ ε."""
        return self.mu + self.sigma * self._eps()[0]

    @property
    def estimates(self) -> dict[str, tuple[float, float]]:
        """The mean of n estimates and its standard error, for each of the three ways."""
        first, second = self._eps()
        up, down, fresh = ((first, H), (first, -H), (second, -H))
        up, down, fresh = ((self.mu + d + self.sigma * e) ** 2 for e, d in (up, down, fresh))
        single = [(up - fresh) / (2 * H), (up - down) / (2 * H), self.z**2 * first / self.sigma]
        pairs = [(float(one.mean()), float(one.std(ddof=1) / self.n**0.5)) for one in single]
        return dict(zip(ROWS, pairs, strict=True))

    @property
    def numbers(self) -> dict[str, float]:
        numbers = {"true_slope": 2 * self.mu}
        for name, (mean, error) in self.estimates.items():
            name = name.replace(" ", "_")
            numbers |= {name: mean, f"{name}_error": 2 * error}
        return numbers

    def _eps(self) -> np.ndarray:
        noise = np.frombuffer(self.noise, np.float32).reshape(2, SIZE)
        return noise[:, : int(self.n)].astype(float)

    def describe(self) -> str:
        rows = "; ".join(f"{name} {m:.2f} ± {2 * e:.2f}" for name, (m, e) in self.estimates.items())
        return (
            f"Left: a histogram of {self.n:.0f} samples z at μ = {self.mu:.2f} and σ = "
            f"{self.sigma:.2f}. Right: the true slope {2 * self.mu:.2f} as a line, and three "
            f"estimates with two standard errors: {rows}."
        )

    def draw(self, figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        left.hist(self.z, bins=64, range=(-8, 8), density=True, color=COLORS["posterior"])
        axis = self.mu + self.sigma * np.linspace(-4, 4, 121)
        bell = np.exp(-((axis - self.mu) ** 2) / (2 * self.sigma**2)) / self.sigma
        left.plot(axis, bell / (2 * np.pi) ** 0.5, color="black", lw=1.5)
        left.set(xlim=(-8, 8), xlabel="z", title="histogram of z", yticks=[])
        for row, (mean, error) in enumerate(self.estimates.values()):
            right.errorbar(mean, -row, xerr=2 * error, fmt="o", color="black", capsize=4)
        right.axvline(2 * self.mu, color=COLORS["gradient"])
        right.set(xlim=(-12, 12), ylim=(-2.6, 0.6), yticks=[0, -1, -2], yticklabels=ROWS)
        right.set(xlabel="estimate of the slope 2μ", title="estimates, ± 2 standard errors")
