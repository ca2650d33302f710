"""The latent explorer: move a code and see its image; draw and see what the network makes of it."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from traitlets import Any, Bool, Bytes, TraitType, observe, validate

from helpers.checks import to_numpy
from helpers.explorers.base import Explorer, module
from helpers.explorers.images import (
    as_tensor,
    checked_images,
    class_colors,
    class_names,
    drawing_trait,
    grey_levels,
)
from helpers.explorers.latent_still import (
    draw_ellipses,
    draw_grid,
    draw_map,
    draw_names,
    draw_points,
)
from helpers.explorers.networks import Networks, for_browser, networks_of
from helpers.plots import COLORS, plot_images


class LatentExplorer(Explorer):
    """Move a code z by slider, map or drawing and see its image, decoded in the browser.

    It shows the model as it was when the explorer was made. A model with a layer that the browser
    cannot run is run in the kernel, and a line under the picture says so.

    Args:
        model: an Autoencoder or a VAE, a pair (encoder, decoder) of modules whose encoder may be
            None, or a decoder alone. An encoder with 2 · latent_dim outputs is a VAE's: mu and
            logvar; the code is mu. The prior N(0, I) is shown for a VAE or a lone decoder.
        x: (N, D) images in [0, 1] for the map.
        labels: (N,) their classes, numbers or names.
        x_train: (M, D) images among which the nearest one is found (default: x).
        latent_ranges: (low, high) for all sliders, or one pair a dimension.
        output: what the decoder ends in, "logits" or "pixels" (a last Sigmoid: "pixels").
        grid, points, ellipses: the map's switches at the start.
        pad: whether there is a pad for drawing; without one, half of the weights stay here.
    Traits:
        z: the code, a list; can be set. It changes when the reader lets go.
        image: (side, side), decoded from z.
        drawing: (28, 28), as the encoder saw it, or None; can be set.
        grid: whether the map shows decoded images, 20 × 20, at whose middles z would be; points:
            the codes of x; ellipses: q(z|x) of a hundred of x at one and two σ, for a VAE.
    Raises:
        ValueError: for a model, images, labels, ranges, z or drawing that do not fit.
    Source:
        notebooks/01, section 5; notebooks/02, sections 1 and 3.
    """

    _esm = module("latent.js")
    weights = Bytes().tag(sync=True)  # float16: the decoder's, then the encoder's
    codes = Bytes().tag(sync=True)  # float32
    logvars = Bytes().tag(sync=True)  # float32; none where the encoder gives codes alone
    images = Bytes().tag(sync=True)  # grey levels 0 … 255
    train_codes = Bytes().tag(sync=True)
    train_images = Bytes().tag(sync=True)
    z = TraitType().tag(sync=True)
    grid = Bool(False).tag(sync=True)
    points = Bool(True).tag(sync=True)
    ellipses = Bool(False).tag(sync=True)
    image = Any(None)
    drawing = drawing_trait()

    def __init__(
        self,
        model,
        x=None,
        labels=None,
        *,
        x_train=None,
        latent_ranges=None,
        output="logits",
        grid=False,
        points=True,
        ellipses=False,
        pad=True,
    ):
        self._networks = networks = networks_of(model, output)
        x, codes = _encoded(networks, x, "x")
        x_train, train_codes = _encoded(networks, x_train, "x_train")
        names = class_names(labels, len(x))
        ranges = _ranges(latent_ranges, networks, codes)
        layers, weights = for_browser(networks if pad else networks._replace(encoder=None))
        spec = {
            "latent_dim": networks.latent_dim,
            "side": networks.side,
            "prior": networks.prior,
            "prior_color": COLORS["prior"],
            "posterior_color": COLORS["posterior"],
            "ranges": ranges,
            "start": [min(max(0.0, low), high) for low, high in ranges],
            "classes": names,
            "colors": class_colors(names),
            "typical": _typical_errors(networks, x, codes),
        }
        super().__init__(
            spec | layers,
            weights=weights,
            codes=codes.numpy().tobytes(),
            logvars=networks.logvar(x).numpy().tobytes() if len(x) else b"",
            images=grey_levels(x),
            train_codes=train_codes.numpy().tobytes(),
            train_images=grey_levels(x_train),
            z=spec["start"],
            grid=grid,
            points=points,
            ellipses=ellipses,
        )
        self.on_msg(_answer)

    @validate("z")
    def _check_z(self, proposal):
        z, wanted = as_tensor(proposal["value"], "z"), self._networks.latent_dim
        if z.numel() != wanted or not z.isfinite().all():
            raise ValueError(f"expected {wanted} finite numbers for z; got {proposal['value']}")
        return to_numpy(proposal["value"]).astype(float).ravel().tolist()

    @validate("drawing")
    def _check_drawing(self, proposal):
        if proposal["value"] is None:
            return None
        return checked_images(proposal["value"], "drawing", 28).numpy().reshape(28, 28)

    @observe("z")
    def _set_image(self, change):
        side = self._networks.side
        self.image = self._networks.decode(torch.tensor([self.z])).numpy().reshape(side, side)

    def page_state(self) -> dict | None:
        """As JSON; the pad for drawing is left out where only the kernel can run the encoder."""
        if self.spec["decoder"] is None:
            return None
        state = super().page_state()
        if self.spec["has_encoder"] and self.spec["encoder"] is None:
            pad = {
                "has_encoder": False,
                "note": "The pad for drawing needs Python: not shown here.",
            }
            state["spec"] = self.spec | pad
        return state

    @property
    def figure_size(self) -> tuple[float, float]:
        return 6.4 if len(self.z) > 1 else 3.2, 3.2

    def draw(self, figure: Figure) -> None:
        axes = figure.subplots(1, 2 if len(self.z) > 1 else 1, squeeze=False)[0]
        plot_images(self.image[None], ax=axes[-1])
        axes[-1].set_title("decoded image")
        if len(self.z) > 1:
            self._draw_map(axes[0])

    def _draw_map(self, ax: Axes) -> None:
        """The first two latents; the others stay at those of z."""
        codes, logvars = self._rows(self.codes), self._rows(self.logvars)
        if self.grid:
            draw_grid(ax, self.spec, self._networks.decode, self.z)
        if self.points:
            draw_points(ax, self.spec, codes)
        if self.ellipses and len(logvars):
            draw_ellipses(ax, self.spec, codes, logvars)
        draw_map(ax, self.spec, self.z)
        if self.points:
            draw_names(ax, self.spec, codes)

    def describe(self) -> str:
        z = ", ".join(f"{value:.2f}" for value in self.z[:4]) + (", …" if len(self.z) > 4 else "")
        text = f"The image decoded at z = ({z})"
        if len(self.z) == 1:
            return text + "."
        count = len(self._rows(self.codes))
        shown = [
            f"{count} encoded images" if self.points and count else "",
            "20 × 20 decoded images" if self.grid else "",
            "the ellipses of q(z|x) at one and two σ" if self.ellipses and self.logvars else "",
            "the circles of the prior at 1σ and 2σ" if self.spec["prior"] else "",
        ]
        of = " and ".join(filter(None, shown))
        return f"{text}, beside the latent map" + (f" with {of}." if of else ".")

    @property
    def numbers(self) -> dict[str, float]:
        """z1, z2, …, and the squared error of what is drawn, where something is."""
        numbers = {f"z{i}": value for i, value in enumerate(self.z, 1)}
        if self.drawing is None:
            return numbers
        x = torch.tensor(self.drawing).reshape(1, -1)
        error = (self._networks.decode(self._networks.encode(x)) - x).square().sum()
        return numbers | {"error": error.item()}

    def _rows(self, numbers: bytes) -> np.ndarray:
        """(N, latent_dim), a row for each image of the map."""
        return np.frombuffer(numbers, np.float32).reshape(-1, len(self.z))


def _answer(explorer: LatentExplorer, message: dict, buffers) -> None:
    """Run a network for the browser, on one row or many; its next request comes after the answer.

    No method, which would hold the explorer: see holding.py.
    """
    networks = explorer._networks
    width = networks.latent_dim if message["kind"] == "decode" else networks.side**2
    rows = torch.tensor(message["values"], dtype=torch.float32).reshape(-1, width)
    result = getattr(networks, message["kind"])(rows)
    explorer.send({"id": message["id"]}, [result.numpy().tobytes()])


def _encoded(networks: Networks, x, name: str) -> tuple[Tensor, Tensor]:
    """The images (N, side²) and their codes (N, latent_dim); N is 0 where x is None."""
    if x is None:
        return torch.zeros(0, networks.side**2), torch.zeros(0, networks.latent_dim)
    if networks.encoder is None:
        raise ValueError(f"expected a model with an encoder where {name} is given; got none")
    x = checked_images(x, name, networks.side)
    return x, networks.encode(x)


def _ranges(ranges, networks: Networks, codes: Tensor) -> list[list[float]]:
    """(low, high) of each slider: those given, or around the codes and what the prior covers."""
    if ranges is None:
        least = 3.0 if networks.prior or not len(codes) else 0.1
        low, high = codes.aminmax(dim=0) if len(codes) else [torch.zeros(networks.latent_dim)] * 2
        margin = 0.05 * (high - low)
        pairs = torch.stack([(low - margin).clamp(max=-least), (high + margin).clamp(min=least)], 1)
        return [[float(f"{value:.2g}") for value in pair] for pair in pairs.tolist()]
    pairs = as_tensor(ranges, "latent_ranges")
    fits = pairs.shape in ((2,), (networks.latent_dim, 2)) and pairs.isfinite().all()
    if not (fits and (pairs[..., 0] < pairs[..., 1]).all()):
        raise ValueError(
            f"expected latent_ranges (low, high) with low < high, once or {networks.latent_dim} "
            f"times; got {ranges}"
        )
    return pairs.expand(networks.latent_dim, 2).tolist()


def _typical_errors(networks: Networks, x: Tensor, codes: Tensor) -> dict | None:
    """Squared errors of the images' reconstructions: the median and the middle nine tenths."""
    if not len(x):
        return None
    errors = (networks.decode(codes) - x).square().sum(dim=1)
    low, median, high = errors.quantile(torch.tensor([0.05, 0.5, 0.95])).tolist()
    return {"low": low, "median": median, "high": high}
