"""The autoencoder and the variational autoencoder, as fully connected networks.

Inputs are converted to the dtype of the weights. A network in float16 rounds after each layer: its
outputs are good to about three digits of its largest numbers.
"""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor, nn

from helpers.checks import finite, whole, wide


def mlp(sizes: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of the given sizes with an activation between them, none after the last.

    Args:    sizes: at least two positive integers, input first; activation: a module class.
    Raises:  ValueError if there are fewer than two sizes, or one is not a positive integer.
    Source:  notebooks/02, section 1.
    """
    if len(sizes) < 2 or any(not isinstance(size, Integral) or size < 1 for size in sizes):
        raise ValueError(f"expected at least two layer sizes of 1 or more; got {tuple(sizes)}")
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """Encoder and decoder of mirrored sizes; the decoder ends in logits.

    Args:    latent_dim, hidden_dims, input_dim: sizes of 1 or more; activation: a module class.
    Raises:  ValueError for a size below 1, or an input of another width or not finite.
    Source:  notebooks/02, section 1.
    """

    def __init__(self, latent_dim=2, hidden_dims=(512, 256), input_dim=784, activation=nn.ReLU):
        super().__init__()
        self.latent_dim, self.input_dim = latent_dim, input_dim
        self.encoder = mlp((input_dim, *hidden_dims, latent_dim), activation)
        self.decoder = mlp((latent_dim, *reversed(hidden_dims), input_dim), activation)

    def encode(self, x: Tensor) -> Tensor:
        """x (B, input_dim) -> z (B, latent_dim)."""
        return self.encoder(_input(self, x, self.input_dim, "x"))

    def decode(self, z: Tensor) -> Tensor:
        """z (B, latent_dim) -> x_logits (B, input_dim)."""
        return self.decoder(_input(self, z, self.latent_dim, "z"))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, input_dim) -> x_logits (B, input_dim)."""
        return self.decode(self.encode(x))


class VAEOutput(NamedTuple):
    """What one pass returns: x_logits (B, input_dim); mu, logvar and z (B, latent_dim)."""

    x_logits: Tensor
    mu: Tensor
    logvar: Tensor
    z: Tensor


class VAE(nn.Module):
    """Variational autoencoder: q(z|x) = N(mu, diag(exp(logvar))), prior N(0, I), logits out.

    Args:    latent_dim, hidden_dims, input_dim: sizes of 1 or more; condition_dim: width of a
             condition (a one-hot class, say) that encoder and decoder are given too; 0: none.
    Raises:  ValueError for a size out of range, or an input of another width or not finite.
    Source:  Kingma & Welling 2014. Derived in notebooks/05, sections 1 and 3.
    """

    def __init__(self, latent_dim=2, hidden_dims=(512, 256), input_dim=784, condition_dim=0):
        super().__init__()
        whole(1, latent_dim=latent_dim, input_dim=input_dim)
        whole(0, condition_dim=condition_dim)
        self.latent_dim, self.input_dim = latent_dim, input_dim
        self.condition_dim = condition_dim
        self.encoder = mlp((input_dim + condition_dim, *hidden_dims, 2 * latent_dim))
        self.decoder = mlp((latent_dim + condition_dim, *reversed(hidden_dims), input_dim))

    def encode(self, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, input_dim) -> mu, logvar, each (B, latent_dim); logvar = log σ²."""
        x = self._join(_input(self, x, self.input_dim, "x"), condition)
        mu, logvar = self.encoder(x).chunk(2, dim=-1)
        return mu, logvar

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """z (B, latent_dim) -> x_logits (B, input_dim)."""
        return self.decoder(self._join(_input(self, z, self.latent_dim, "z"), condition))

    def forward(
        self, x: Tensor, eps: Tensor | None = None, condition: Tensor | None = None
    ) -> VAEOutput:
        """Encode, sample z with the noise eps (drawn if None), decode."""
        mu, logvar = self.encode(x, condition)
        z = reparameterize(mu, logvar, eps)
        return VAEOutput(self.decode(z, condition), mu, logvar, z)

    @torch.no_grad()
    def sample(self, n: int, condition: Tensor | None = None) -> Tensor:
        """n new images (n, input_dim), pixel means in [0, 1], from z ~ N(0, I)."""
        whole(1, n=n)
        z = torch.randn(n, self.latent_dim, device=next(self.parameters()).device)
        return self.decode(z, condition).sigmoid()

    def _join(self, inputs: Tensor, condition: Tensor | None) -> Tensor:
        if self.condition_dim == 0 and condition is None:
            return inputs
        wanted = (*inputs.shape[:-1], self.condition_dim)
        got = None if condition is None else tuple(condition.shape)
        if self.condition_dim == 0 or got != wanted:
            raise ValueError(f"expected a condition of shape {wanted}; got {got}")
        condition = _input(self, condition, self.condition_dim, "condition")
        return torch.cat([inputs, condition], dim=-1)


def reparameterize(mu: Tensor, logvar: Tensor, eps: Tensor | None = None) -> Tensor:
    """z = μ + σ ε with ε ~ N(0, I): a sample of N(μ, σ²) through which gradients reach μ and σ.

    Args:    mu, logvar: (B, latent_dim), logvar = log σ²; eps: the same shape, drawn if None.
    Returns: z (B, latent_dim), in float32 at least.
    Raises:  ValueError if the shapes differ, or the values are not finite or overflow.
    Source:  Kingma & Welling 2014, section 2.4. Derived in notebooks/04, section 1.
    """
    mu, logvar = wide(mu, logvar)
    eps = torch.randn_like(mu) if eps is None else eps
    if not mu.shape == logvar.shape == eps.shape:
        raise ValueError(
            "expected mu, logvar and eps of one shape; got "
            f"{tuple(mu.shape)}, {tuple(logvar.shape)} and {tuple(eps.shape)}"
        )
    mu, logvar, eps = wide(mu, logvar, eps)
    return finite(mu + (0.5 * logvar).exp() * eps, mu=mu, logvar=logvar, eps=eps)


def _input(network: nn.Module, values: Tensor, width: int, name: str) -> Tensor:
    """The values in the dtype of the network, if their width is right and they are finite."""
    if values.ndim < 1 or values.shape[-1] != width:
        raise ValueError(f"expected {name} of shape (B, {width}); got {tuple(values.shape)}")
    return finite(values.to(next(network.parameters()).dtype), **{name: values})
