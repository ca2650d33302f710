"""What the latent explorer explores: networks out of a model, and their layers for the browser."""

from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn

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

    @torch.no_grad()
    def logvar(self, x: Tensor) -> Tensor:
        """x (B, side²) -> (B, latent_dim), or (B, 0) where the encoder gives codes alone."""
        return self.encoder(x)[:, self.latent_dim :]


def networks_of(model, output: str) -> Networks:
    """Frozen copies of the model's networks, tried out, whose decoder ends in pixels."""
    if output not in ("logits", "pixels"):
        raise ValueError(f"expected output 'logits' or 'pixels'; got {output!r}")
    encoder, decoder = (_frozen(part) for part in _parts(model))
    latent_dim = _latent_dim(decoder)
    if output == "pixels":
        decoder = nn.Sequential(decoder, nn.Hardtanh(0, 1))
    elif not isinstance(flat(decoder)[-1], nn.Sigmoid):
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


def flat(network: nn.Module) -> list[nn.Module]:
    """The layers of nested Sequentials, in order."""
    if not isinstance(network, nn.Sequential):
        return [network]
    return [layer for part in network for layer in flat(part)]


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


def for_browser(networks: Networks) -> tuple[dict, bytes]:
    """The layers as the browser runs them, None where it cannot, and their float16 weights."""
    spec, weights, unknown = {"has_encoder": networks.encoder is not None}, [], set()
    for role in ("decoder", "encoder"):
        layers = flat(getattr(networks, role) or nn.Sequential())
        names = {type(layer).__name__ for layer in layers if not _is_known(layer)}
        spec[role] = None if names else [_layer(one) for one in layers if type(one) not in SKIPPED]
        weights += [] if names else [w for one in layers for w in _weights(one)]
        unknown |= names
    numbers = torch.cat([torch.zeros(0), *weights]).half()
    if not numbers.isfinite().all():
        raise ValueError("expected finite weights below 65504; got NaN or larger ones")
    return spec | {"note": _note(unknown)}, numbers.numpy().tobytes()


def _is_known(layer: nn.Module) -> bool:
    return type(layer) in (nn.Linear, *ACTIVATIONS, *SKIPPED)


def _layer(layer: nn.Module) -> dict:
    kind = {"type": type(layer).__name__}
    if isinstance(layer, nn.Linear):
        return kind | {"inputs": layer.in_features, "outputs": layer.out_features}
    return kind | ACTIVATIONS[type(layer)](layer)


def _weights(layer: nn.Module) -> list[Tensor]:
    """The matrix, row after row, and the bias of a linear layer; nothing of another."""
    if not isinstance(layer, nn.Linear):
        return []
    bias = torch.zeros(layer.out_features) if layer.bias is None else layer.bias
    return [layer.weight.detach().flatten(), bias.detach()]


def _note(unknown: set[str]) -> str:
    if not unknown:
        return ""
    return (
        f"The browser cannot run {', '.join(sorted(unknown))}: the kernel computes the pictures of "
        "this model, so they come later and stop when the kernel stops."
    )
