"""The latent explorer: move a code and see its image; draw and see what the network makes of it."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn
from traitlets import Any, Bytes, Dict, TraitType, observe, validate

from helpers.explorers import pages
from helpers.explorers.base import Explorer, module
from helpers.plots import CLASS_COLORS, COLORS, STYLE, plot_images, png

# The activations that the browser can run, and what it must know of each.
ACTIVATIONS = {
    nn.ReLU: lambda layer: {},
    nn.LeakyReLU: lambda layer: {"slope": layer.negative_slope},
    nn.GELU: lambda layer: {"approximate": layer.approximate},
    nn.SiLU: lambda layer: {},
    nn.Tanh: lambda layer: {},
    nn.Sigmoid: lambda layer: {},
    nn.Softplus: lambda layer: {"beta": layer.beta, "threshold": layer.threshold},
    nn.Hardtanh: lambda layer: {"low": layer.min_val, "high": layer.max_val},
}
SKIPPED = (nn.Identity, nn.Dropout)  # in evaluation, dropout does nothing
LARGE = 10_000  # weights of a matrix that is worth a grid
STILL_POINTS = 600  # codes in the still picture, which stays small


class Networks(NamedTuple):
    """What is explored: (B, side²) -> encoder -> (B, latent_dim) -> decoder -> (B, side²)."""

    encoder: nn.Module | None
    decoder: nn.Module  # ends in pixels
    latent_dim: int
    side: int
    prior: bool  # whether the codes have the prior N(0, I)

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """z (B, latent_dim) -> pixels (B, side²) in [0, 1]."""
        return self.decoder(z).flatten(1)

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """x (B, side²) -> codes (B, latent_dim): mu where the encoder is a VAE's."""
        return self.encoder(x)[:, : self.latent_dim]


class LatentExplorer(Explorer):
    """Move a code z by slider, map or drawing and see its image, decoded in the browser.

    It shows the model as it was when the explorer was made. A model with a layer that the browser
    cannot run is run in the kernel, and a line under the picture says so.

    Args:    model: an Autoencoder or a VAE, a pair (encoder, decoder) of modules whose encoder may
             be None, or a decoder alone. An encoder with 2 · latent_dim outputs is a VAE's: mu
             and logvar; the code is mu. The prior N(0, I) is shown for a VAE or a lone decoder;
             x: (N, D) images in [0, 1] for the map; labels: (N,) their classes, numbers or names;
             x_train: (M, D) images among which the nearest one is found (default: x);
             latent_ranges: (low, high) for all sliders, or one pair a dimension;
             output: what the decoder ends in, "logits" or "pixels" (a last Sigmoid: "pixels").
    Traits:  z: the code, a list; image: (side, side), decoded from z; drawing: (28, 28), as the
             encoder saw it, or None. They change when the reader lets go. z and drawing can be set.
    Raises:  ValueError for a model, images, labels, ranges, z or drawing that do not fit.
    Source:  notebooks/02, section 3.
    """

    _esm = module("latent.js")
    spec = Dict().tag(sync=True)
    weights = Bytes().tag(sync=True)  # float16: the decoder's, then the encoder's
    codes = Bytes().tag(sync=True)  # float32
    images = Bytes().tag(sync=True)  # grey levels 0 … 255
    train_codes = Bytes().tag(sync=True)
    train_images = Bytes().tag(sync=True)
    z = TraitType().tag(sync=True)
    image = Any(None)
    drawing = Any(None).tag(
        sync=True,
        echo_update=False,
        to_json=lambda values, _: None if values is None else values.tobytes(),
        from_json=lambda data, _: None if data is None else np.frombuffer(data, np.float32).copy(),
    )

    def __init__(
        self, model, x=None, labels=None, *, x_train=None, latent_ranges=None, output="logits"
    ):
        self._networks = networks = _networks(model, output)
        x, codes = _encoded(networks, x, "x")
        x_train, train_codes = _encoded(networks, x_train, "x_train")
        names = _class_names(labels, len(x))
        ranges = _ranges(latent_ranges, networks, codes)
        layers, weights = _for_browser(networks)
        spec = {
            "latent_dim": networks.latent_dim,
            "side": networks.side,
            "prior": networks.prior,
            "prior_color": COLORS["prior"],
            "ranges": ranges,
            "start": [min(max(0.0, low), high) for low, high in ranges],
            "classes": names,
            "colors": _class_colors(names),
            "typical": _typical_errors(networks, x, codes),
        }
        super().__init__(
            spec=spec | layers,
            weights=weights,
            codes=codes.numpy().tobytes(),
            images=_grey_levels(x),
            train_codes=train_codes.numpy().tobytes(),
            train_images=_grey_levels(x_train),
            z=spec["start"],
        )
        self.on_msg(self._answer)

    @validate("z")
    def _check_z(self, proposal):
        z, wanted = _tensor(proposal["value"], "z"), self._networks.latent_dim
        if z.numel() != wanted or not z.isfinite().all():
            raise ValueError(f"expected {wanted} finite numbers for z; got {proposal['value']}")
        return np.asarray(proposal["value"], dtype=float).ravel().tolist()

    @validate("drawing")
    def _check_drawing(self, proposal):
        if proposal["value"] is None:
            return None
        return _checked_images(proposal["value"], "drawing", 28).numpy().reshape(28, 28)

    @observe("z")
    def _set_image(self, change):
        side = self._networks.side
        self.image = self._networks.decode(torch.tensor([self.z])).numpy().reshape(side, side)

    def _answer(self, _, message: dict, buffers) -> None:
        """Run a network for the browser, which sends its next request after the answer."""
        run = getattr(self._networks, message["kind"])
        result = run(torch.tensor([message["values"]], dtype=torch.float32))
        self.send({"id": message["id"]}, [result.numpy().tobytes()])

    def close(self) -> None:
        """End the views and free the data: IPython's Out would keep it."""
        super().close()
        self.weights = self.codes = self.images = self.train_codes = self.train_images = b""
        self._networks = None

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

    def smaller_states(self, state: dict) -> Iterator[dict]:
        """On a page of 1 MB: coarser weights, no training images, no pad, fewer images."""
        spec, size = state["spec"], self.spec["side"] ** 2
        x = torch.tensor(np.frombuffer(self.images, np.uint8).reshape(-1, size)) / 255
        networks = self._networks
        networks = networks if spec["has_encoder"] else networks._replace(encoder=None)
        yield state
        decoder, encoder = _for_small_page(networks, x, self._some_codes())
        yield state | {"weights": decoder + encoder}
        empty = pages.packed(b"")
        state |= {"train_codes": empty, "train_images": empty}
        out = ["the training images"] if self.train_images else []
        yield _with_note(state | {"weights": decoder + encoder}, out)
        out += ["the pad for drawing"] if spec["has_encoder"] else []
        state |= {"weights": decoder, "spec": spec | {"has_encoder": False}}
        yield _with_note(state, out)
        for tenths in range(9, 0, -1):
            count = len(x) * tenths // 10
            yield _with_note(self._first(state, count), [*out, f"{len(x) - count} of the images"])

    def _some_codes(self) -> Tensor:
        """The map's codes, and 1000 points between the ends of the sliders."""
        low, high = torch.tensor(self.spec["ranges"]).T
        random = torch.rand(1000, len(low), generator=torch.Generator().manual_seed(0))
        codes = torch.tensor(np.frombuffer(self.codes, np.float32).reshape(-1, len(low)))
        return torch.cat([codes, low + random * (high - low)])

    def _first(self, state: dict, count: int) -> dict:
        """The state with only the first images of the map."""
        codes = pages.packed(self.codes[: 4 * len(self.z) * count])
        images = pages.packed(self.images[: self.spec["side"] ** 2 * count])
        spec = state["spec"] | {"classes": self.spec["classes"][:count]}
        return state | {"codes": codes, "images": images, "spec": spec}

    @property
    def alt(self) -> str:
        z = ", ".join(f"{value:.2f}" for value in self.z[:4]) + (", …" if len(self.z) > 4 else "")
        text = f"The image decoded at z = ({z})"
        if len(self.z) > 1:
            count = len(self.codes) // (4 * len(self.z))
            text += ", beside the latent map" + (f" of {count} encoded images" if count else "")
            text += " and the circles of the prior at 1σ and 2σ" if self.spec["prior"] else ""
        return text + "."

    @property
    def still(self) -> bytes:
        return _still(self)


def _networks(model, output: str) -> Networks:
    """Frozen copies of the model's networks, tried out, whose decoder ends in pixels."""
    if output not in ("logits", "pixels"):
        raise ValueError(f"expected output 'logits' or 'pixels'; got {output!r}")
    encoder, decoder = (_frozen(part) for part in _parts(model))
    latent_dim = _latent_dim(decoder)
    if output == "pixels":
        decoder = nn.Sequential(decoder, nn.Hardtanh(0, 1))
    elif not isinstance(_flat(decoder)[-1], nn.Sigmoid):
        decoder = nn.Sequential(decoder, nn.Sigmoid())
    pixels = _tried(decoder, latent_dim, "decoder").flatten(1).shape[1]
    side = round(pixels**0.5)
    if side * side != pixels:
        raise ValueError(f"expected a decoder of square images; got {pixels} values an image")
    if encoder is None:
        return Networks(None, decoder, latent_dim, side, prior=True)
    codes = _tried(encoder, pixels, "encoder").shape[1:]
    if codes not in ((latent_dim,), (2 * latent_dim,)):
        raise ValueError(
            f"expected an encoder with {latent_dim} outputs (the decoder's inputs), or "
            f"{2 * latent_dim} for mu and logvar; got {tuple(codes)}"
        )
    return Networks(encoder, decoder, latent_dim, side, prior=codes == (2 * latent_dim,))


def _parts(model) -> tuple[nn.Module | None, nn.Module]:
    """The encoder and the decoder of what was handed in."""
    if getattr(model, "condition_dim", 0):
        raise ValueError(f"expected a model without a condition; got width {model.condition_dim}")
    if hasattr(model, "encoder") and hasattr(model, "decoder"):
        model = model.encoder, model.decoder
    if isinstance(model, (nn.Sequential, nn.Linear)):
        model = None, model
    if isinstance(model, (tuple, list)) and len(model) == 2:
        encoder, decoder = model
        if isinstance(decoder, nn.Module) and isinstance(encoder, (nn.Module, type(None))):
            return encoder, decoder
    raise ValueError(
        "expected an Autoencoder, a VAE, a pair (encoder, decoder) of modules, or a decoder; "
        f"got {type(model).__name__}"
    )


def _frozen(network: nn.Module | None) -> nn.Module | None:
    return None if network is None else deepcopy(network).cpu().float().eval()


def _flat(network: nn.Module) -> list[nn.Module]:
    """The layers of nested Sequentials, in order."""
    if not isinstance(network, nn.Sequential):
        return [network]
    return [layer for part in network for layer in _flat(part)]


def _latent_dim(decoder: nn.Module) -> int:
    for layer in decoder.modules():
        for name in ("in_features", "in_channels"):
            if hasattr(layer, name):
                return getattr(layer, name)
    raise ValueError(f"expected a decoder with weights; got {type(decoder).__name__}")


@torch.no_grad()
def _tried(network: nn.Module, inputs: int, name: str) -> Tensor:
    try:
        return network(torch.zeros(1, inputs))
    except (RuntimeError, ValueError, IndexError) as error:
        raise ValueError(f"expected {name} inputs of shape (B, {inputs}); got: {error}") from error


def _for_browser(networks: Networks) -> tuple[dict, bytes]:
    """The layers as the browser runs them, None where it cannot, and their float16 weights."""
    spec, arrays, names = {"has_encoder": networks.encoder is not None}, [], []
    for role in ("decoder", "encoder"):
        network = getattr(networks, role)
        layers = [] if network is None else _flat(network)
        unknown = [type(layer).__name__ for layer in layers if not _is_known(layer)]
        spec[role] = (
            None if unknown else [_layer(one) for one in layers if type(one) not in SKIPPED]
        )
        names += unknown
        if not unknown:
            arrays += [
                a for layer in layers if isinstance(layer, nn.Linear) for a in _weights(layer)
            ]
    weights = torch.cat([array.flatten() for array in arrays] or [torch.zeros(0)]).half()
    if not weights.isfinite().all():
        raise ValueError("expected finite weights below 65504; got NaN or larger ones")
    return spec | {"note": _note(names)}, weights.numpy().tobytes()


def _is_known(layer: nn.Module) -> bool:
    return type(layer) in (nn.Linear, *ACTIVATIONS, *SKIPPED)


def _layer(layer: nn.Module) -> dict:
    kind = {"type": type(layer).__name__}
    if isinstance(layer, nn.Linear):
        return kind | {"inputs": layer.in_features, "outputs": layer.out_features}
    return kind | ACTIVATIONS[type(layer)](layer)


def _weights(layer: nn.Linear) -> list[Tensor]:
    bias = torch.zeros(layer.out_features) if layer.bias is None else layer.bias
    return [layer.weight.detach(), bias.detach()]


def _note(unknown: list[str]) -> str:
    if not unknown:
        return ""
    names = ", ".join(sorted(set(unknown)))
    return (
        f"The browser cannot run {names}: the kernel computes the pictures of this model, so they "
        "come later and stop when the kernel stops."
    )


@torch.no_grad()
def _for_small_page(networks: Networks, x: Tensor, z: Tensor) -> tuple[list, list]:
    """The packed weights of decoder and encoder, as coarse as the pictures at z allow.

    Of a large matrix each column is stored in steps of a power of two, finer where its input is
    larger. The first steps that change no pixel by more than two of 255 grey levels are taken.
    """
    for bits in range(8, 14):
        decoder, packed = _on_grid(networks.decoder, z, bits)
        if (decoder(z) - networks.decoder(z)).abs().max() <= 2 / 255:
            break
    encoder = [] if networks.encoder is None else _on_grid(networks.encoder, x, bits)[1]
    return packed, encoder


def _on_grid(network: nn.Module, inputs: Tensor, bits: int) -> tuple[nn.Module, list]:
    """The network with rounded weights, and these weights as a page's host unpacks them."""
    network, packed = deepcopy(network), []
    for layer in _flat(network):
        values, inputs = inputs, layer(inputs)
        if not isinstance(layer, nn.Linear):
            continue
        weight, bias = _weights(layer)
        if weight.numel() < LARGE or weight.abs().max() > 3:
            packed.append(pages.packed(weight.half().numpy().tobytes()))
        else:
            size = values.square().mean(dim=0).sqrt() if len(values) else torch.ones(1)
            finer = (size / size.square().mean().sqrt()).log2().round().nan_to_num().clamp(min=-7)
            grid = (bits + finer).clamp(max=13).expand(weight.shape[1])
            packed.append(pages.packed_grid(weight.numpy(), grid.int().numpy()))
            layer.weight.copy_((weight * 2**grid).round() / 2**grid)
        packed.append(pages.packed(bias.half().numpy().tobytes()))
    return network, packed


def _with_note(state: dict, left_out: list[str]) -> dict:
    if not left_out:
        return state
    line = f"Left out to keep this page small: {', '.join(left_out)}."
    spec = state["spec"]
    return state | {"spec": spec | {"note": f"{spec['note']} {line}".strip()}}


def _encoded(networks: Networks, x, name: str) -> tuple[Tensor, Tensor]:
    """The images (N, side²) and their codes (N, latent_dim); N is 0 where x is None."""
    if x is None:
        return torch.zeros(0, networks.side**2), torch.zeros(0, networks.latent_dim)
    if networks.encoder is None:
        raise ValueError(f"expected a model with an encoder where {name} is given; got none")
    x = _checked_images(x, name, networks.side)
    return x, networks.encode(x)


def _checked_images(x, name: str, side: int) -> Tensor:
    """x as (N, side²) in [0, 1]."""
    images = _tensor(x, name)
    if images.numel() == 0 or images.numel() % side**2 or images.shape[-1] not in (side, side**2):
        raise ValueError(f"expected {name} of shape (N, {side**2}); got {tuple(images.shape)}")
    low, high = images.aminmax()
    if not (low >= 0 and high <= 1):  # NaN fails this test too
        raise ValueError(f"expected {name} in [0, 1]; got values from {low:.4g} to {high:.4g}")
    return images.reshape(-1, side**2)


def _tensor(values, name: str) -> Tensor:
    """values as a float32 tensor on the CPU."""
    try:
        return torch.as_tensor(values).detach().cpu().float()
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"expected numbers for {name}; got {values!r}") from None


def _grey_levels(x: Tensor) -> bytes:
    return (255 * x).round().to(torch.uint8).numpy().tobytes()


def _class_names(labels: Sequence | None, count: int) -> list[str]:
    if labels is None:
        return []
    names = [str(label) for label in (labels.tolist() if hasattr(labels, "tolist") else labels)]
    if len(names) != count:
        raise ValueError(f"expected one label for each of the {count} images; got {len(names)}")
    return names


def _class_colors(names: list[str]) -> dict[str, str]:
    """One color a class: that of its number as in plots.plot_latent, or of its place by name."""
    classes = sorted(set(names))
    places = [int(name) if name.isdecimal() else place for place, name in enumerate(classes)]
    colors = [CLASS_COLORS[place % len(CLASS_COLORS)] for place in places]
    return dict(zip(classes, colors, strict=True))


def _ranges(ranges, networks: Networks, codes: Tensor) -> list[list[float]]:
    """(low, high) of each slider: those given, or around the codes and what the prior covers."""
    if ranges is None:
        least = 3.0 if networks.prior or not len(codes) else 0.1
        low, high = codes.aminmax(dim=0) if len(codes) else [torch.zeros(networks.latent_dim)] * 2
        margin = 0.05 * (high - low)
        pairs = torch.stack([(low - margin).clamp(max=-least), (high + margin).clamp(min=least)], 1)
        return [[float(f"{value:.2g}") for value in pair] for pair in pairs.tolist()]
    pairs = _tensor(ranges, "latent_ranges")
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


def _still(explorer: LatentExplorer) -> bytes:
    """The map with the point, and the decoded image, as a PNG."""
    columns = 2 if len(explorer.z) > 1 else 1
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(1, columns, figsize=(3.2 * columns, 3.2), squeeze=False)
        plot_images(explorer.image[None], ax=axes[0, -1])
        axes[0, -1].set_title("decoded image")
        if columns == 2:
            _plot_map(explorer, axes[0, 0])
        return png(figure)


def _plot_map(explorer: LatentExplorer, ax: Axes) -> None:
    spec = explorer.spec
    codes = np.frombuffer(explorer.codes, np.float32).reshape(-1, len(explorer.z))[:STILL_POINTS]
    colors = [spec["colors"][name] for name in spec["classes"][:STILL_POINTS]] or COLORS["data"]
    ax.scatter(*codes[:, :2].T, s=5, c=colors, alpha=0.7, linewidths=0)
    for radius in (1, 2) if spec["prior"] else ():
        ax.add_patch(plt.Circle((0, 0), radius, fill=False, color=COLORS["prior"], lw=1.5))
    ax.plot(*explorer.z[:2], "o", color=COLORS["gradient"], mec="white", mew=1.5, ms=9, zorder=9)
    for name, color in spec["colors"].items():
        middle = np.median(codes[np.array(spec["classes"][:STILL_POINTS]) == name, :2], axis=0)
        box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": color}
        ax.text(*middle, name[:12], size=8, ha="center", va="center", bbox=box, parse_math=False)
    (left, right), (bottom, top) = spec["ranges"][:2]
    half = max(right - left, top - bottom) / 2  # one scale on both axes, as in the browser
    ax.set(xlim=(left + right) / 2 + np.array([-half, half]), xlabel="$z_1$", ylabel="$z_2$")
    ax.set(ylim=(bottom + top) / 2 + np.array([-half, half]), title="latent map", box_aspect=1)
