"""The still picture of the flow explorer: the whole line with its numbers, as the view draws it.

Places are in hundredths of an inch, from the upper left.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Polygon

from helpers.plots import COLORS

WIDTH = 740
ROW = 88  # of one latent
TOP = 40
X, X_HAT = 12, 658  # left edges of the two images
IMAGE = 70
LEFT, RIGHT = 190, 550  # of the latents
GAP = 8  # between them and their brackets
INK = "#222222"


def height(spec: dict) -> int:
    below = 170 if spec["variational"] else 105
    rows = spec["shown"] * (ROW if spec["variational"] else 42)
    return TOP + max(rows, 130) + 24 + below


def draw(figure, flow, spec: dict, noise: float, light: bool) -> None:
    """Fill the figure; `light` marks what the gradients reach."""
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(height(spec), 0))
    ax.set_axis_off()
    row = ROW if spec["variational"] else 42
    tall = max(spec["shown"] * row, 130)
    middle = TOP + tall / 2
    side = spec["side"]
    for left, values, name, color in (
        (X, flow.x, "x", COLORS["data"]),
        (X_HAT, flow.x_hat, "x̂", COLORS["reconstruction"]),
    ):
        box = (left, left + IMAGE, middle + IMAGE / 2, middle - IMAGE / 2)
        ax.imshow(values.reshape(side, side).numpy(), cmap="gray", vmin=0, vmax=1, extent=box)
        _box(ax, left, middle - IMAGE / 2, IMAGE, IMAGE, color, fill=False)
        _text(ax, left + IMAGE / 2, middle + IMAGE / 2 + 16, name, 15, style="italic")
    _network(ax, 97, middle, "encoder", 1)
    _network(ax, 571, middle, "decoder", -1)
    inner = (LEFT, RIGHT) if spec["variational"] else (LEFT + 88, LEFT + 272)
    for left, right in ((84, 95), (169, inner[0] - GAP), (inner[1] + GAP, 569), (644, 656)):
        _arrow(ax, (left, middle), (right, middle))
    for x, way in ((inner[0] - GAP, 1), (inner[1] + GAP, -1)):  # brackets around all latents
        ends = [x + way * GAP / 2, x, x, x + way * GAP / 2]
        ax.plot(ends, [TOP, TOP, TOP + tall, TOP + tall], color="#333", lw=1.6)
    start = TOP + (tall - spec["shown"] * row) / 2
    for i in range(spec["shown"]):
        (_latent if spec["variational"] else _code)(ax, flow, spec, i, start + i * row)
    if spec["latent_dim"] > spec["shown"]:
        left_out = spec["latent_dim"] - spec["shown"]
        _text(ax, (LEFT + RIGHT) / 2, TOP + tall + 8, f"and {left_out} more latents", 10)
    ax.set(xlim=(0, WIDTH), ylim=(height(spec), 0), aspect="auto")  # imshow changed them
    if light:
        _light(ax, spec, middle, [start + i * row + 65 for i in range(spec["shown"])], inner)
    _loss(ax, flow, spec, middle, TOP + tall + 24)
    if spec["variational"]:
        blocked = spec["gradient"] == "blocked"
        _text(ax, LEFT + 88, 22, "code distribution q(z | x)", 10)
        scale = "" if noise == 1 else f"{noise:g} · "
        _text(ax, LEFT + 280, 22, "z drawn" if blocked else f"ε ∼ N(0, 1);  z = μ + {scale}σ ε", 10)


def _latent(ax: Axes, flow, spec: dict, i: int, top: float) -> None:
    mu, sigma, eps = (getattr(flow, name)[i].item() for name in ("mu", "sigma", "eps"))
    z, kl = flow.z[i].item(), flow.kl[i].item()
    _box(ax, LEFT, top, 176, ROW - 10, COLORS["posterior"])
    for line, (name, value) in enumerate((("μ", mu), ("σ", sigma))):
        _text(ax, LEFT + 8, top + 15 + 19 * line, f"{name}{_sub(i)} = {digits(value)}", ha="left")
    _box(ax, LEFT + 6, top + 51, 88, 22, COLORS["prior"])
    _text(ax, LEFT + 50, top + 62, f"KL {digits(kl)}")
    _bell(ax, LEFT + 100, top + 6, mu, sigma, spec["limit"], COLORS["posterior"], z)
    left = LEFT + 200
    if spec["gradient"] == "blocked":
        tall = ROW - 10
        _box(ax, left, top, 160, tall, COLORS["posterior"], rounding=tall / 2)
        _text(ax, left + 80, top + 26, f"z{_sub(i)} ∼ N(μ{_sub(i)}, σ{_sub(i)}²)", 10)
        _text(ax, left + 80, top + 52, f"z{_sub(i)} = {digits(z)}", weight="bold")
        _arrow(ax, (LEFT + 176, top + tall / 2), (left, top + tall / 2))
        return
    _box(ax, left, top, 160, 40, COLORS["other"], rounding=16)
    _text(ax, left + 10, top + 20, f"ε{_sub(i)} = {digits(eps)}", 10, ha="left")
    _bell(ax, left + 90, top + 2, 0, 1, spec["reach"], COLORS["other"], eps, tall=28)
    _arrow(ax, (left + 80, top + 40), (left + 80, top + 51))
    _box(ax, left, top + 52, 160, ROW - 62, COLORS["posterior"])
    _text(ax, left + 80, top + 65, f"z{_sub(i)} = {digits(z)}", weight="bold")
    _arrow(ax, (LEFT + 176, top + 65), (left, top + 65))


def _code(ax: Axes, flow, spec: dict, i: int, top: float) -> None:
    _box(ax, LEFT + 90, top, 180, 32, COLORS["posterior"])
    text = f"z{_sub(i)} = {digits(flow.z[i].item())}"
    _text(ax, LEFT + 180, top + 16, text, 13, weight="bold")


def _loss(ax: Axes, flow, spec: dict, middle: float, top: float) -> None:
    """The line from x and x̂ to what compares them, and the loss."""
    value, unit = flow.reconstruction.item(), " nats"
    name = "reconstruction loss, −log p(x | z)"
    if spec["likelihood"] == "sum":
        name, unit = "squared error, summed over the pixels", ""
    if spec["variational"]:
        kl = flow.kl.sum().item()
        _box(ax, LEFT + 65, top, 230, 30, COLORS["prior"])
        _text(ax, LEFT + 180, top + 15, f"KL, all latents: {digits(kl)} nats")
        top += 48
    for left, end in ((X, LEFT), (X_HAT, RIGHT)):
        across = left + IMAGE / 2
        ax.plot([across, across], [middle + IMAGE / 2 + 28, top + 17], color="#333", lw=1.6)
        _arrow(ax, (across, top + 17), (end, top + 17))
    _box(ax, LEFT, top, RIGHT - LEFT, 34, COLORS["reconstruction"])
    _text(ax, (LEFT + RIGHT) / 2, top + 17, f"{name}: {digits(value)}{unit}", 10)
    total = f"loss = {digits(value)}"
    if spec["variational"]:
        whole = round(value, 2) + round(kl, 2)  # of what is shown, so that the sum is right
        total += f" + {digits(kl)} = {digits(whole)}{unit}"
        total += " = −ELBO" if spec["likelihood"] == "bernoulli" else ""
    _text(ax, (LEFT + RIGHT) / 2, top + 60, total, 14, weight="bold")


def _light(ax: Axes, spec: dict, middle: float, rows: list[float], inner) -> None:
    """The gradients that come back, dashed, under the arrows; a bar where one is blocked."""
    blocked = spec["gradient"] == "blocked"
    colors = {name: COLORS[name] for name in ("reconstruction", "prior")}
    for start, end in ((656, 644), (569, inner[1])):
        _back(ax, start, end, middle + 10, colors["reconstruction"])
    if not blocked:
        _back(ax, inner[0], 170, middle + 10, colors["reconstruction"])
    if spec["variational"]:
        _back(ax, inner[0], 170, middle + 20, colors["prior"])
        for y in rows:
            if blocked:
                ax.plot([LEFT + 187] * 2, [y - 18, y + 2], color=COLORS["gradient"], lw=4)
                style = {"color": colors["reconstruction"], "lw": 2, "ls": (0, (2, 1))}
                ax.plot([LEFT + 190, LEFT + 202], [y - 8, y - 8], **style)
            else:
                _back(ax, LEFT + 200, LEFT + 176, y + 9, colors["reconstruction"])


def _back(ax, start: float, end: float, y: float, color: str) -> None:
    style = {"arrowstyle": "-|>", "color": color, "lw": 2, "ls": (0, (2, 1))}
    ax.annotate("", (end, y), (start, y), arrowprops=style | {"shrinkA": 0, "shrinkB": 0})


def _network(ax: Axes, left: float, middle: float, name: str, way: int) -> None:
    """A trapezoid that narrows to the right (way 1) or to the left (−1)."""
    high, low = (64, 46)[::way]
    corners = [(0, -high), (72, -low), (72, low), (0, high)]
    points = [(left + x, middle + y) for x, y in corners]
    ax.add_patch(Polygon(points, facecolor="white", edgecolor="#333", lw=2, joinstyle="round"))
    _text(ax, left + 36, middle, name, 10)


def _bell(ax, left, top, mu, sigma, limit, color, mark, tall=44) -> None:
    """The density over −limit … limit, 70 wide, the prior dashed, and a dot under it."""
    z = np.linspace(-limit, limit, 141)
    to_x = lambda v: left + 35 + 35 * np.clip(v / limit, -1, 1)  # noqa: E731
    peak = max(1, 1 / max(sigma, 1e-3))
    bell = np.exp(-0.5 * ((z - mu) / max(sigma, 1e-3)) ** 2) / max(sigma, 1e-3) / peak
    base = top + tall
    if color != COLORS["other"]:
        prior = np.exp(-0.5 * z**2) / peak
        ax.plot(to_x(z), base - prior * (tall - 8), color=COLORS["prior"], lw=1, ls="--")
    ax.fill_between(to_x(z), base, base - bell * (tall - 8), color=color, alpha=0.45, lw=0)
    ax.plot(to_x(z), base - bell * (tall - 8), color=color, lw=1.5)
    ax.plot([left, left + 70], [base, base], color="#888", lw=0.8)
    ax.plot(to_x(mark), base + 3, "o", color=color, mec="black", mew=0.8, ms=6, zorder=5)


def _box(ax, left, top, wide, tall, color, fill=True, rounding=6) -> None:
    style = f"round,pad=0,rounding_size={rounding}"
    face = (*_rgb(color, 0.14), 1) if fill else "none"
    box = FancyBboxPatch((left, top), wide, tall, boxstyle=style, fc=face, ec=color, lw=2)
    ax.add_patch(box)


def _rgb(color: str, share: float) -> tuple[float, ...]:
    """The color mixed with white."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return tuple(1 - share * (1 - part) for part in parts)


def _arrow(ax, start, end) -> None:
    style = {"arrowstyle": "-|>", "color": "#333", "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=style)


def _text(ax, x, y, text, size=11, ha="center", color=INK, **style) -> None:
    ax.text(x, y, text, size=size, ha=ha, va="center", color=color, **style)


def _sub(i: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(i + 1))


def digits(value: float) -> str:
    """Two decimals, and no −0.00."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
