"""The flow explorer: one image goes through the network, and the gradient comes back."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from traitlets import Bool, Bytes, Int, TraitType, validate

from helpers.checks import to_numpy
from helpers.explorers import flow_still
from helpers.explorers.base import Explorer, Slider, module, within
from helpers.explorers.flow_pass import Flow, flow
from helpers.explorers.images import (
    as_tensor,
    checked_images,
    class_names,
    drawing_trait,
    grey_levels,
)
from helpers.explorers.networks import Networks, for_browser, networks_of
from helpers.plots import COLORS

SHOWN = 4  # latents; more would not fit
REACH = 3.2  # standard deviations to both ends of the axis of ε


class FlowExplorer(Explorer):
    """One image goes through the network, left to right, with every number on its way.

    x → encoder → μ and σ → z = μ + σ ε → decoder → x̂; below, the reconstruction loss, the KL of
    each latent and the loss. Where the gradient is blocked, z is a draw and no formula. A click on
    a part shows the line of code that computes it, and a switch the gradient that comes back. All
    is computed in the browser, with the weights that the model had when the explorer was made,
    rounded to float16; so is `numbers`.

    Args:
        model: a VAE or an Autoencoder, or a pair (encoder, decoder) of modules: an encoder with
            2 · latent_dim outputs is a VAE's. Its layers must be ones that the browser can run.
        x: (N, D) square images in [0, 1].
        labels: (N,) their classes, numbers or names.
        likelihood: a VAE's reconstruction loss. "bernoulli": −log p(x|z) in nats, and the loss is
            −ELBO, as in notebook 05; "sum": the summed squared error, as in 03 and 04. An
            autoencoder's is always the summed squared error.
        gradient: "reparameterized", or "blocked" for a VAE whose gradient ends at z.
        shown: how many latents, from 1 to 4, in the line; the totals are over all.
    Traits:
        index: which of the images; drawing: one of the reader's own (side, side) instead, or None;
        eps: the noise, latent_dim numbers; noise: what ε is multiplied with, from 0 to 1 (at 0
        z = μ); light: whether the gradient is shown. They change when the reader lets go, and can
        be set. `numbers`: what is shown, names ending in _1, _2, … for the latents in the line.
    Raises:
        ValueError: for a model, images, labels or settings that do not fit.
    Source:
        notebooks/05, section 2; img/vae.svg.
    """

    _esm = module("flow.js")
    weights = Bytes().tag(sync=True)  # float16: the decoder's, then the encoder's
    images = Bytes().tag(sync=True)  # grey levels 0 … 255
    index = Int(0).tag(sync=True)
    eps = TraitType().tag(sync=True)
    noise = Slider(0.0, 1.0, 1.0)
    light = Bool(False).tag(sync=True)
    drawing = drawing_trait()

    def __init__(
        self,
        model,
        x,
        labels=None,
        *,
        likelihood="bernoulli",
        gradient="reparameterized",
        shown=SHOWN,
    ):
        _check_option(likelihood, ("bernoulli", "sum"), "likelihood")
        _check_option(gradient, ("reparameterized", "blocked"), "gradient")
        _check_option(shown, range(1, SHOWN + 1), "shown")
        self._networks = networks = _rounded(networks_of(model, "logits"))
        if gradient == "blocked" and not networks.prior:
            raise ValueError("expected a VAE where the gradient is blocked; got an autoencoder")
        layers, weights = for_browser(networks)
        if layers["note"]:
            raise ValueError(f"expected layers that the browser can run; got {layers['note']}")
        x = checked_images(x, "x", networks.side)
        names = class_names(labels, len(x))
        spec = {
            "latent_dim": networks.latent_dim,
            "shown": min(shown, networks.latent_dim),
            "side": networks.side,
            "variational": networks.prior,
            "likelihood": likelihood if networks.prior else "sum",
            "gradient": gradient,
            "classes": names,
            "reach": REACH,
            "limit": _limit(networks, x),
            "limits": {"index": [0, len(x) - 1]},
            "colors": COLORS,
        }
        super().__init__(
            spec | layers,
            weights=weights,
            images=grey_levels(x),
            eps=np.random.default_rng(35).standard_normal(networks.latent_dim).round(2).tolist(),
        )

    @validate("index")
    def _check_index(self, proposal):
        return within("index", proposal["value"], *self.spec["limits"]["index"])

    @validate("eps")
    def _check_eps(self, proposal):
        eps, wanted = as_tensor(proposal["value"], "eps"), self.spec["latent_dim"]
        if eps.numel() != wanted or not eps.isfinite().all():
            raise ValueError(f"expected {wanted} finite numbers for eps; got {proposal['value']}")
        return to_numpy(proposal["value"]).astype(float).ravel().tolist()

    @validate("drawing")
    def _check_drawing(self, proposal):
        if proposal["value"] is None:
            return None
        side = self.spec["side"]
        return checked_images(proposal["value"], "drawing", side).numpy().reshape(side, side)

    @property
    def flow(self) -> Flow:
        """What goes through the network now, computed by PyTorch."""
        if self.drawing is None:
            size = self.spec["side"] ** 2
            grey = np.frombuffer(self.images, np.uint8, size, self.index * size)
            x = torch.tensor(grey) / 255
        else:
            x = torch.tensor(self.drawing).flatten()
        return flow(self._networks, self.spec, x, torch.tensor(self.eps), self.noise)

    @property
    def numbers(self) -> dict[str, float]:
        """What the reader sees, by the view's names; gradients only where the light is on."""
        now, each = self.flow, ("mu", "sigma", "eps", "z", "kl")
        if self.spec["gradient"] == "blocked":  # z is a draw there, and no formula
            each = ("mu", "sigma", "z", "kl")
        reconstruction, kl = now.reconstruction.item(), 0.0
        values = {name: getattr(now, name) for name in each}
        values |= now.slopes if self.light else {}
        numbers = {
            f"{name}_{i + 1}": value[i].item()
            for name, value in values.items()
            if value is not None
            for i in range(self.spec["shown"])
        }
        if now.kl is not None:
            numbers["kl"] = kl = now.kl.sum().item()
        return numbers | {"reconstruction": reconstruction, "loss": reconstruction + kl}

    @property
    def figure_size(self) -> tuple[float, float]:
        return 7.4, flow_still.height(self.spec) / 100

    def draw(self, figure) -> None:
        flow_still.draw(figure, self.flow, self.spec, self.noise, self.light)

    def describe(self) -> str:
        numbers, spec = self.numbers, self.spec
        first = range(1, spec["shown"] + 1)
        more = ", …" if spec["latent_dim"] > spec["shown"] else ""
        names = ("μ", "mu"), ("σ", "sigma"), ("ε", "eps"), ("z", "z")
        texts = []
        for sign, name in names if spec["variational"] else names[3:]:
            if f"{name}_1" not in numbers:
                continue
            values = [flow_still.digits(numbers[f"{name}_{i}"]) for i in first]
            texts.append(f"{sign} = ({', '.join(values)}{more})")
        model = "a VAE" if spec["variational"] else "an autoencoder"
        unit = " nats" if spec["likelihood"] == "bernoulli" else ""
        error, kl = (round(numbers.get(name, 0.0), 2) for name in ("reconstruction", "kl"))
        parts = f"{error:.2f}{unit} for the reconstruction"
        if spec["variational"]:
            parts += f" and {kl:.2f} nats of KL add up to the loss, {error + kl:.2f}"
        else:
            parts = f"the squared error is {error:.2f}"
        text = f"{self._name()} goes through {model}, left to right: {'; '.join(texts)}; {parts}."
        return text + (f" {_light_text(spec, self.noise)}" if self.light else "")

    def _name(self) -> str:
        if self.drawing is not None:
            return "A drawing"
        names = self.spec["classes"]
        return f"Image {self.index + 1}" + (f" ({names[self.index]})" if names else "")


def _check_option(value, options: Sequence, name: str) -> None:
    if value not in options:
        raise ValueError(f"expected {name} {' or '.join(map(repr, options))}; got {value!r}")


@torch.no_grad()
def _rounded(networks: Networks) -> Networks:
    """The networks, which are copies, with the weights that travel."""
    if networks.encoder is None:
        raise ValueError("expected a model with an encoder; got a decoder alone")
    for network in (networks.encoder, networks.decoder):
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())
    return networks


@torch.no_grad()
def _limit(networks: Networks, x: Tensor) -> float:
    """The end of the axis of z: it holds every code, two σ around it where there are any."""
    outputs, dim = networks.encoder(x), networks.latent_dim
    reach = outputs[:, :dim].abs()
    if networks.prior:
        reach = reach + 2 * (outputs[:, dim:] / 2).exp()
    return max(3.0, float(np.ceil(2 * reach.max().item()) / 2))


def _light_text(spec: dict, noise: float) -> str:
    """Where the gradient comes, in a sentence or two."""
    if not spec["variational"]:
        return "The gradient of the squared error reaches the decoder, z and the encoder."
    if spec["gradient"] == "blocked":
        where = "the decoder and ends at z"
    else:
        where = "the decoder, z, μ" + (", σ" if noise > 0 else "") + " and the encoder"
    return (
        f"The gradient of the reconstruction loss reaches {where}; "
        "that of the KL reaches μ, σ and the encoder."
    )
