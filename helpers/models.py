"""The autoencoder and the variational autoencoder, as fully connected networks."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor, nn

from helpers.checks import check_count, check_same_shape


def mlp(sizes: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of the given sizes with an activation between them, none after the last.

    Args:
        sizes: at least two positive integers, input first.
        activation: a module class.
    Returns:
        The network, which refuses an input of another width (ValueError).
    Raises:
        ValueError: if there are fewer than two sizes, or one is not a positive integer.
    Source:
        notebooks/02, section 2.
    """
    if len(sizes) < 2 or any(not isinstance(size, Integral) or size < 1 for size in sizes):
        raise ValueError(f"expected at least two layer sizes of 1 or more; got {tuple(sizes)}")
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(inputs, outputs), activation()]
    network = nn.Sequential(*layers[:-1])
    network.register_forward_pre_hook(_check_width)  # torch calls it before each pass
    return network


def _check_width(network: nn.Sequential, inputs: tuple[Tensor, ...]) -> None:
    width, shape = network[0].in_features, tuple(inputs[0].shape)
    if shape[-1:] != (width,):
        raise ValueError(f"expected an input of shape (B, {width}); got {shape}")


class Autoencoder(nn.Module):
    """Encoder and decoder of mirrored sizes; the decoder ends in logits.

    Args:
        latent_dim, hidden_dims, input_dim: sizes of 1 or more.
        activation: a module class.
    Raises:
        ValueError: for a size below 1, or an input of another width.
    Source:
        notebooks/02, section 2.
    """

    def __init__(self, latent_dim=2, hidden_dims=(512, 256), input_dim=784, activation=nn.ReLU):
        super().__init__()
        self.latent_dim, self.input_dim = latent_dim, input_dim
        self.encoder = mlp((input_dim, *hidden_dims, latent_dim), activation)
        self.decoder = mlp((latent_dim, *reversed(hidden_dims), input_dim), activation)

    def encode(self, x: Tensor) -> Tensor:
        """x (B, input_dim) -> z (B, latent_dim)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """z (B, latent_dim) -> x_logits (B, input_dim)."""
        return self.decoder(z)

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

    Args:
        latent_dim, hidden_dims, input_dim: sizes of 1 or more.
    Raises:
        ValueError: for a size below 1, or an input of another width.
    Source:
        Kingma & Welling 2014. Written out in notebooks/05, section 2.
    """

    def __init__(self, latent_dim=2, hidden_dims=(512, 256), input_dim=784):
        super().__init__()
        self.latent_dim, self.input_dim = latent_dim, input_dim
        self.encoder = mlp((input_dim, *hidden_dims, 2 * latent_dim))
        self.decoder = mlp((latent_dim, *reversed(hidden_dims), input_dim))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, input_dim) -> mu, logvar, each (B, latent_dim); logvar = log σ²."""
        return self.encoder(x).chunk(2, dim=-1)

    def decode(self, z: Tensor) -> Tensor:
        """z (B, latent_dim) -> x_logits (B, input_dim)."""
        return self.decoder(z)

    def forward(self, x: Tensor, eps: Tensor | None = None) -> VAEOutput:
        """Encode, sample z with the noise eps (drawn if None), decode."""
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, eps)
        return VAEOutput(self.decode(z), mu, logvar, z)

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n new images (n, input_dim), pixel means in [0, 1], from z ~ N(0, I)."""
        check_count(1, n=n)
        z = torch.randn(n, self.latent_dim).to(next(self.parameters()))  # its device and dtype
        return self.decode(z).sigmoid()


class ConditionalVAE(VAE):
    """A VAE of p(x|c): encoder and decoder are given a condition, such as a one-hot class, too.

    `elbo_terms` of its output is the ELBO given the class, a lower bound of log p(x|c).

    Args:
        latent_dim, hidden_dims, input_dim: as for VAE.
        condition_dim: width of the condition, ten for a class out of ten.
    Raises:
        ValueError: for a size below 1, or an input of another width.
    Source:
        Kingma, Rezende, Mohamed & Welling 2014 (M2); Sohn, Lee & Yan 2015. notebooks/05, section 9.
    """

    def __init__(self, latent_dim=2, hidden_dims=(512, 256), input_dim=784, condition_dim=10):
        super().__init__(latent_dim, hidden_dims, input_dim)
        check_count(1, condition_dim=condition_dim)
        self.condition_dim = condition_dim
        self.encoder = mlp((input_dim + condition_dim, *hidden_dims, 2 * latent_dim))
        self.decoder = mlp((latent_dim + condition_dim, *reversed(hidden_dims), input_dim))

    def encode(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, input_dim), condition (B, condition_dim) -> mu, logvar, each (B, latent_dim)."""
        return super().encode(torch.cat([x, condition], dim=-1))

    def decode(self, z: Tensor, condition: Tensor) -> Tensor:
        """z (B, latent_dim), condition (B, condition_dim) -> x_logits (B, input_dim)."""
        return super().decode(torch.cat([z, condition], dim=-1))

    def forward(self, x: Tensor, condition: Tensor, eps: Tensor | None = None) -> VAEOutput:
        """Encode, sample z with the noise eps (drawn if None), decode, all given the condition."""
        mu, logvar = self.encode(x, condition)
        z = reparameterize(mu, logvar, eps)
        return VAEOutput(self.decode(z, condition), mu, logvar, z)

    @torch.no_grad()
    def sample(self, n: int, condition: Tensor) -> Tensor:
        """n new images (n, input_dim) given the condition, (n, condition_dim) or one for all."""
        check_count(1, n=n)
        z = torch.randn(n, self.latent_dim).to(next(self.parameters()))
        return self.decode(z, condition.expand(n, -1)).sigmoid()


def reparameterize(mu: Tensor, logvar: Tensor, eps: Tensor | None = None) -> Tensor:
    """z = μ + σ ε with ε ~ N(0, I): a sample of N(μ, σ²) through which gradients reach μ and σ.

    Args:
        mu, logvar: (B, latent_dim); logvar = log σ².
        eps: the same shape, drawn if None.
    Returns:
        z (B, latent_dim).
    Raises:
        ValueError: if the shapes differ.
    Source:
        Kingma & Welling 2014, section 2.4. Derived in notebooks/04, section 1.
    """
    std = (0.5 * logvar).exp()
    eps = torch.randn_like(std) if eps is None else eps
    check_same_shape(mu=mu, logvar=logvar, eps=eps)
    return mu + std * eps
