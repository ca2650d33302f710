"""The still picture of the latent explorer: the map with the point, and the decoded image."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from helpers.plots import COLORS

POINTS = 600  # codes on the map, so that the picture stays small


def draw_map(ax: Axes, spec: dict, codes: np.ndarray, z: list[float]) -> None:
    """The first two numbers of the codes (N, latent_dim), of the prior and of z."""
    codes, classes = codes[:POINTS, :2], np.array(spec["classes"][:POINTS])
    colors = [spec["colors"][name] for name in classes] or COLORS["data"]
    ax.scatter(*codes.T, s=5, c=colors, alpha=0.7, linewidths=0)
    for radius in (1, 2) if spec["prior"] else ():
        ax.add_patch(plt.Circle((0, 0), radius, fill=False, color=COLORS["prior"], lw=1.5))
    ax.plot(*z[:2], "o", color=COLORS["gradient"], mec="white", mew=1.5, ms=9, zorder=9)
    for name, color in spec["colors"].items():
        if name in classes:
            _write(ax, name, np.median(codes[classes == name], axis=0), color)
    _set_window(ax, spec["ranges"])
    ax.set(xlabel="$z_1$", ylabel="$z_2$", title="latent map")


def _write(ax: Axes, name: str, middle: np.ndarray, color: str) -> None:
    """The name of a class, in the middle of its codes."""
    box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": color}
    ax.text(*middle, name[:12], size=8, ha="center", va="center", bbox=box, parse_math=False)


def _set_window(ax: Axes, ranges: list[list[float]]) -> None:
    """What the sliders reach, on one scale for both axes, as in the browser."""
    (left, right), (bottom, top) = ranges[:2]
    reach = max(right - left, top - bottom) / 2 * np.array([-1, 1])
    ax.set(xlim=(left + right) / 2 + reach, ylim=(bottom + top) / 2 + reach, box_aspect=1)
