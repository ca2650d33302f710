"""The two terms of the ELBO, per example and in nats: summed over pixels and over latents.

float16 is computed and returned in float32: a sum over pixels needs its digits.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.checks import finite, wide
from helpers.models import VAEOutput


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(q(z|x) ‖ N(0, I)) per example, in nats.

    Args:    mu, logvar: (B, latent_dim); logvar = log σ².
    Returns: (B,), non-negative.
    Raises:  ValueError if the shapes differ, or the values are not finite or overflow.
    Source:  Kingma & Welling 2014, appendix B. Derived in notebooks/04, section 4.
    """
    if mu.shape != logvar.shape or mu.ndim == 0:
        raise ValueError(
            f"expected mu and logvar of one shape; got {tuple(mu.shape)} and {tuple(logvar.shape)}"
        )
    mu, logvar = wide(mu, logvar)
    kl = 0.5 * (mu.square() + torch.expm1(logvar) - logvar).sum(dim=-1)
    return finite(kl, mu=mu, logvar=logvar)


def bernoulli_log_likelihood(x: Tensor, x_logits: Tensor) -> Tensor:
    """log p(x|z) of pixels that are black or white with probability sigmoid(x_logits), in nats.

    With l = x_logits a pixel contributes x l − log(1 + eˡ). On grey pixels this is no normalized
    likelihood: compare values on binarized images only.

    Args:    x: (B, D) in [0, 1]; x_logits: (B, D). A dimension of size 1 is broadcast.
    Returns: (B,), never positive.
    Raises:  ValueError if the shapes differ, x leaves [0, 1], or a value is not finite.
    Source:  notebooks/05, section 4.
    """
    _check_shapes(x, x_logits, "x_logits")
    x, x_logits = wide(x, x_logits)
    if x.numel():
        low, high = x.aminmax()
        if not (low >= 0 and high <= 1):  # NaN fails this test too
            raise ValueError(
                "expected x in [0, 1] for a Bernoulli likelihood; "
                f"got values from {low:.4g} to {high:.4g}"
            )
    if x.shape == x_logits.shape:
        entropy = F.binary_cross_entropy_with_logits(x_logits, x, reduction="none").sum(dim=-1)
        return -finite(entropy, x_logits=x_logits)
    # All pairs of images and logits: a matrix product is 100 times faster than broadcasting. It
    # takes the difference of two large sums, and so float64.
    logits = x_logits.double()
    pairs = torch.einsum("...d,...d->...", x.double(), logits) - F.softplus(logits).sum(dim=-1)
    return finite(pairs.to(x_logits.dtype), x_logits=x_logits)


def gaussian_log_likelihood(x: Tensor, mean: Tensor, logvar: Tensor | float) -> Tensor:
    """log N(x; mean, σ²) in nats, summed over pixels; the squared error is one term of it.

    Args:    x, mean: (B, D), a dimension of size 1 is broadcast; logvar: log σ² of the pixel
             noise, a number or broadcastable to mean.
    Returns: (B,).
    Raises:  ValueError if the shapes differ, or the values are not finite or overflow.
    Source:  notebooks/05, section 2.
    """
    _check_shapes(x, mean, "mean")
    x, mean = wide(x, mean)
    logvar = torch.as_tensor(logvar, dtype=mean.dtype, device=mean.device)
    try:
        logvar = logvar.broadcast_to(mean.shape)
    except RuntimeError:
        raise ValueError(
            f"expected logvar broadcastable to {tuple(mean.shape)}; got {tuple(logvar.shape)}"
        ) from None
    squares = (x - mean).square() / logvar.exp()
    result = -0.5 * (squares + logvar + math.log(2 * math.pi)).sum(dim=-1)
    return finite(result, x=x, mean=mean, logvar=logvar)


class ELBOTerms(NamedTuple):
    """The two terms, in nats per image: reconstruction (B,), higher is better; kl (B,), ≥ 0."""

    reconstruction: Tensor
    kl: Tensor

    def elbo(self, beta: float = 1.0) -> Tensor:
        """reconstruction − beta · kl, (B,); beta = 1 is the evidence lower bound."""
        if not 0 <= beta < math.inf:
            raise ValueError(f"expected a finite beta of 0 or more; got {beta}")
        return self.reconstruction - beta * self.kl


def elbo_terms(
    x: Tensor,
    output: VAEOutput,
    log_likelihood: Callable[[Tensor, Tensor], Tensor] = bernoulli_log_likelihood,
) -> ELBOTerms:
    """One-sample estimate of the two terms of the ELBO, per example.

    Args:    x: (B, D); output: a VAE's output for x; log_likelihood(x, x_logits) -> (B,).
    Returns: ELBOTerms of shape (B,) each; the KL is exact, the reconstruction uses output.z.
    Raises:  ValueError if the shapes differ, x leaves [0, 1] (Bernoulli), or a value is not finite.
    Source:  Kingma & Welling 2014, equation 10. Derived in notebooks/05, section 1.
    """
    if x.shape[:1] != output.x_logits.shape[:1]:
        raise ValueError(
            f"expected one output for each image of x, {tuple(x.shape)}; "
            f"got x_logits {tuple(output.x_logits.shape)}"
        )
    reconstruction = log_likelihood(x, output.x_logits)
    kl = kl_divergence(output.mu, output.logvar)
    if reconstruction.shape != kl.shape:
        raise ValueError(
            "expected a log-likelihood and a KL for each image; "
            f"got shapes {tuple(reconstruction.shape)} and {tuple(kl.shape)}"
        )
    return ELBOTerms(reconstruction, kl)


def _check_shapes(x: Tensor, other: Tensor, name: str) -> None:
    fits = x.ndim == other.ndim >= 1 and x.shape[-1] == other.shape[-1]
    sizes = zip(x.shape, other.shape, strict=False)
    if not fits or any(a != b and 1 not in (a, b) for a, b in sizes):
        raise ValueError(
            f"expected x and {name} of one shape; got {tuple(x.shape)} and {tuple(other.shape)}"
        )
