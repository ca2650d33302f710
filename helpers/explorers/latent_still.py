"""The still picture of the latent explorer: the map, with what its switches show."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection

from helpers.plots import COLORS, write_names

POINTS = 600  # codes on the map, so that the picture stays small
CELLS = 20  # decoded images to a side, as in js/grid.js
ELLIPSES = 100  # as in js/ellipses.js
INK = 0.6  # how dark the images of the grid are, so that points are seen above them


def draw_map(ax: Axes, spec: dict, z: list[float]) -> None:
    """The circles of the prior, and z by its first two numbers."""
    for radius in (1, 2) if spec["prior"] else ():
        ax.add_patch(plt.Circle((0, 0), radius, fill=False, color=COLORS["prior"], lw=1.5))
    ax.plot(*z[:2], "o", color=COLORS["gradient"], mec="white", mew=1.5, ms=9, zorder=9)
    left, right, bottom, top = _window(spec["ranges"])
    ax.set(xlim=(left, right), ylim=(bottom, top), box_aspect=1)
    ax.set(xlabel="$z_1$", ylabel="$z_2$", title="latent map")


def draw_grid(ax: Axes, spec: dict, decode: Callable, z: list[float]) -> None:
    """Images decoded at the middles of the cells, in dark ink on white."""
    left, right, bottom, top = window = _window(spec["ranges"])
    at = (torch.arange(CELLS) + 0.5) / CELLS
    across, down = left + (right - left) * at, top - (top - bottom) * at
    codes = torch.tensor(z).repeat(CELLS, CELLS, 1)
    codes[..., 0], codes[..., 1] = across, down[:, None]
    images = decode(codes.flatten(0, 1)).reshape(CELLS, CELLS, spec["side"], spec["side"])
    page = images.transpose(1, 2).reshape(CELLS * spec["side"], -1)
    ax.imshow(INK * page.numpy(), cmap="gray_r", vmin=0, vmax=1, extent=window, zorder=0)
    ax.grid(visible=False)


def draw_points(ax: Axes, spec: dict, codes: np.ndarray) -> None:
    """The first two numbers of the codes (N, latent_dim)."""
    colors = [spec["colors"][name] for name in spec["classes"][:POINTS]] or COLORS["data"]
    ax.scatter(*codes[:POINTS, :2].T, s=14, c=colors, alpha=0.7, linewidths=0)


def draw_names(ax: Axes, spec: dict, codes: np.ndarray) -> None:
    """The names of the classes, clear of each other and of where z begins, as in the browser."""
    classes, names = np.array(spec["classes"]), list(spec["colors"])
    middles = [np.median(codes[classes == name, :2], axis=0) for name in names]
    if names:
        shown, colors = [name[:12] for name in names], list(spec["colors"].values())
        write_names(ax, shown, np.array(middles), colors, keep_off=[spec["start"][:2]])


def draw_ellipses(ax: Axes, spec: dict, codes: np.ndarray, logvars: np.ndarray) -> None:
    """q(z|x) at one and two σ, of a hundred of the images."""
    rows, classes = _some_of(len(codes)), spec["classes"]
    colors = [spec["colors"][classes[row]] for row in rows] if classes else COLORS["posterior"]
    for sigmas, alpha in ((1, 0.9), (2, 0.45)):
        width, height = 2 * sigmas * np.exp(logvars[rows, :2] / 2).T
        style = {"facecolors": "none", "edgecolors": colors, "alpha": alpha, "linewidths": 0.8}
        at = {"units": "xy", "offsets": codes[rows, :2], "transOffset": ax.transData}
        ax.add_collection(EllipseCollection(width, height, np.zeros(len(rows)), **at, **style))


def _some_of(count: int) -> np.ndarray:
    """A hundred of the rows, or all, spread in steps of which no order of classes is a multiple."""
    if count <= ELLIPSES:
        return np.arange(count)
    golden = (np.sqrt(5) - 1) / 2
    return (np.arange(ELLIPSES) * golden % 1 * count).astype(int)


def _window(ranges: list[list[float]]) -> tuple[float, float, float, float]:
    """What the sliders reach, on one scale for both axes, as in the browser."""
    (left, right), (bottom, top) = ranges[:2]
    reach = max(right - left, top - bottom) / 2
    x, y = (left + right) / 2, (bottom + top) / 2
    return x - reach, x + reach, y - reach, y + reach
