"""Arrays in, axes out. One style, one color a meaning, alt text on every picture."""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.checks import check_count, to_numpy

STYLE = Path(__file__).with_name("course.mplstyle")
# Okabe and Ito's palette (jfly.uni-koeln.de/color), safe for color-blind readers.
COLORS = {
    "prior": "#0072B2",
    "posterior": "#E69F00",
    "data": "#555555",
    "reconstruction": "#009E73",
    "gradient": "#D55E00",
    "other": "#CC79A7",
}
# Ten classes: Tol's muted scheme (personal.sron.nl/~pault), and black for the tenth.
CLASS_COLORS = ["#332288", "#88CCEE", "#44AA99", "#117733", "#999933"]
CLASS_COLORS += ["#DDCC77", "#CC6677", "#882255", "#AA4499", "#000000"]


def use_style() -> None:
    """Set the course's style for all figures to come.

    Source:
        The setup cell of every notebook calls it.
    """
    plt.style.use(STYLE)


def show(figure: Figure | Axes, alt: str) -> None:
    """Display a figure with a text for readers who cannot see it, and close it.

    Args:
        figure: a figure, or axes in it.
        alt: what the picture shows, in a sentence or two.
    Raises:
        ValueError: if alt is empty.
    Source:
        The setup cell of every notebook imports it.
    """
    if not alt.strip():
        raise ValueError("expected a text that says what the picture shows; got an empty one")
    figure = figure.get_figure(root=True) if isinstance(figure, Axes) else figure
    data = {"image/png": b64encode(png(figure)).decode(), "text/plain": alt}
    display(data, metadata={"image/png": {"alt": alt}}, raw=True)


def png(figure: Figure) -> bytes:
    """Draw the figure as PNG, and close it. (The layout of course.mplstyle leaves nothing to cut:
    drawing twice, to trim the margins as notebooks do, takes two to three times as long.)"""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    plt.close(figure)
    return buffer.getvalue()


def plot_images(images, *, columns: int = 10, titles: Sequence[str] = (), ax=None) -> Axes:
    """Grey images side by side on one scale from 0 (black) to 1 (white).

    Args:
        images: (N, H·W) with square images, or (N, H, W), in [0, 1], and shown as black or white
            beyond.
        columns: images a row.
        titles: one for each row of the mosaic, written at its left.
        ax: axes to draw into.
    Returns:
        The axes.
    Raises:
        ValueError: if the images are not square, there are none, a pixel is not finite, columns is
            no integer of 1 or more, or there are more titles than rows.
    Source:
        notebooks/01, section 2.
    """
    check_count(1, columns=columns)
    images = _squares(to_numpy(images))
    columns, side = min(columns, len(images)), images.shape[1]
    rows = -(-len(images) // columns)
    if len(titles) > rows:
        raise ValueError(f"expected a title for each of the {rows} rows; got {len(titles)}")
    if ax is None:
        margin = 0.2 + 0.075 * max(map(len, titles)) if titles else 0  # inches
        _, ax = plt.subplots(figsize=(0.62 * columns + margin, 0.62 * rows))
    ax.imshow(_mosaic(images, rows, columns), cmap="gray", vmin=0, vmax=1)
    ax.spines[:].set_visible(False)
    ax.set_xticks([])
    ax.set_yticks([(side + 1) * row + side / 2 for row in range(len(titles))], titles)
    ax.tick_params(length=0)
    if titles:  # else the layout cuts them, where the mosaic leaves room at both sides
        ax.set_anchor("W")
    return ax


def _squares(images: np.ndarray) -> np.ndarray:
    """The images as (N, H, H), or an error where they are none."""
    side = round(images[0].size ** 0.5) if images.ndim in (2, 3) and len(images) else 0
    if side == 0 or images.shape[1:] not in ((side, side), (side * side,)):
        raise ValueError(f"expected square images (N, H·W) or (N, H, W); got {images.shape}")
    if not np.isfinite(images).all():
        raise ValueError("expected finite pixels; got NaN or infinity")
    return images.reshape(-1, side, side)


def _mosaic(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """One large image, with a white line of one pixel between the images."""
    n, side, _ = images.shape
    tiles = np.ones((rows * columns, side + 1, side + 1))
    tiles[:n, :side, :side] = images
    tiles = tiles.reshape(rows, columns, side + 1, side + 1).transpose(0, 2, 1, 3)
    return tiles.reshape(rows * (side + 1), columns * (side + 1))[:-1, :-1]


def plot_latent(z, y, *, circles: bool = False, ax=None) -> Axes:
    """Codes in the plane, one color a class, with each class's number near the median of its codes.

    Where numbers would lie above each other they move apart, and a line leads back.

    Args:
        z: (N, 2), N may be 0.
        y: (N,) classes 0 … 9.
        circles: draw one and two standard deviations of the prior N(0, I).
        ax: axes to draw into.
    Returns:
        The axes.
    Raises:
        ValueError: if z is not (N, 2) or not finite, or y is not N whole numbers.
    Source:
        notebooks/02, section 3.
    """
    z, y = to_numpy(z), to_numpy(y)
    if z.ndim != 2 or z.shape[1] != 2 or y.shape != z.shape[:1]:
        raise ValueError(f"expected z (N, 2) and y (N,); got {z.shape} and {y.shape}")
    numbers = y.dtype.kind in "biuf" and np.isfinite(y).all() and np.isfinite(z).all()
    if not numbers or (y % 1 != 0).any():
        raise ValueError("expected finite z, and whole numbers for y; got others")
    y = y.astype(int)
    ax = ax or plt.subplots(figsize=(4.8, 4.5))[1]
    colors = {label: CLASS_COLORS[label % len(CLASS_COLORS)] for label in np.unique(y)}
    for label, color in colors.items():
        ax.scatter(*z[y == label].T, s=14, color=color, alpha=0.6, linewidths=0)
    for radius in (1, 2) if circles else ():
        ax.add_patch(plt.Circle((0, 0), radius, fill=False, color=COLORS["prior"], lw=1.5))
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("$z_1$")
    ax.set_ylabel("$z_2$")
    if colors:
        middles = np.array([np.median(z[y == label], axis=0) for label in colors])
        write_names(ax, list(map(str, colors)), middles, list(colors.values()))
    return ax


def write_names(
    ax: Axes, names: Sequence[str], middles: np.ndarray, colors: Sequence[str], *, keep_off=()
) -> None:
    """Names in boxes on axes whose limits are set, each at its middle or, where full, beside it.

    Args:
        names: (N,) of a few letters.
        middles: (N, 2), where each belongs.
        colors: (N,) of the boxes.
        keep_off: places (M, 2) that stay free.
    Source:
        notebooks/02, section 3.
    """
    ax.apply_aspect()
    unit = ax.transData.transform([[0, 0], [1, 1]])  # in pixels; the layout may still shrink it
    unit = (unit[1] - unit[0]) * 72 / ax.figure.dpi
    taken = np.array([*np.asarray(keep_off, dtype=float).reshape(-1, 2), *middles])
    kept = len(taken) - len(middles)
    widths = np.array([12.0] * kept + [14 + 6 * (len(name) - 1) for name in names])
    moved = apart(taken * unit, np.stack([widths, np.full(len(taken), 14)], axis=1), kept)
    for name, middle, by, color in zip(names, middles, moved[kept:] / unit, colors, strict=True):
        if by.any():
            ax.plot(*zip(middle, middle + by, strict=True), color=color, lw=1, zorder=4)
        box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": color, "lw": 1.2}
        place = {"ha": "center", "va": "center", "size": 10, "zorder": 5}
        ax.text(*(middle + by), name, bbox=box, parse_math=False, **place)


def apart(middles: np.ndarray, sizes: np.ndarray, kept: int = 0) -> np.ndarray:
    """How far boxes have to move so that none overlap: pairs part where they overlap least.

    Args:
        middles: (N, 2).
        sizes: (N, 2), width and height.
        kept: so many of the first stay where they are.
    Returns:
        (N, 2), 0 for those that need not move. js/apart.js does the same.
    Source:
        notebooks/02, section 3.
    """
    at = np.array(middles, dtype=float)
    for _ in range(300):
        done = True
        for i in range(len(at)):
            for j in range(max(i + 1, kept), len(at)):
                gap = at[j] - at[i]
                over = (sizes[i] + sizes[j]) / 2 - np.abs(gap)
                if over.min() <= 1e-9:
                    continue
                done, axis = False, int(over[1] <= over[0])
                step = np.zeros(2)
                step[axis] = over[axis] if gap[axis] >= 0 else -over[axis]
                share = 0 if i < kept else 0.5
                at[i] -= share * step
                at[j] += (1 - share) * step
        if done:
            break
    return at - middles


def plot_history(history, name: str = "loss", *, unit: str = "nats per image", ax=None) -> Axes:
    """One recorded value against the epoch: training and, where there is one, held-out.

    A training mean is taken while the weights change: it is drawn in the middle of its epoch, half
    an epoch before the held-out value that is taken at the end. So the two can be compared.

    Args:
        history: a History of helpers.training.
        name: "loss" or a name that the loss reported.
        unit: of the vertical axis.
        ax: axes to draw into.
    Returns:
        The axes.
    Raises:
        ValueError: if no such value was recorded.
    Source:
        notebooks/02, section 2.
    """
    if name not in history.train:
        raise ValueError(f"expected one of {sorted(history.train)}; got {name!r}")
    ax = ax or plt.subplots()[1]
    curves = (("training", history.train, 0.5), ("held out", history.validation, 1))
    for label, means, first in curves:
        if name in means:
            epochs = np.arange(len(means[name])) + first
            marker = "o" if len(epochs) == 1 else None  # a line of one point is not seen
            ax.plot(epochs, means[name], marker=marker, label=f"{name}, {label}")
    ax.set_xlabel("epoch")
    ax.set_ylabel(unit)
    ax.legend()
    return ax
