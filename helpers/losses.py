"""The two terms of the ELBO, per example and in nats: summed over pixels and over latents."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.checks import check_same_shape, require_finite
from helpers.models import VAEOutput


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(q(z|x) ‖ N(0, I)) per example, in nats.

    Args:
        mu, logvar: (B, latent_dim); logvar = log σ².
    Returns:
        (B,), non-negative.
    Raises:
        ValueError: if the shapes differ.
        FloatingPointError: if the result is not finite.
    Source:
        Kingma & Welling 2014, appendix B. Derived in notebooks/04, section 4.
    """
    check_same_shape(mu=mu, logvar=logvar)
    kl = 0.5 * (mu.square() + torch.expm1(logvar) - logvar).sum(dim=-1)  # expm1(a) = eᵃ − 1
    return require_finite(kl, mu=mu, logvar=logvar)


def bernoulli_log_likelihood(x: Tensor, x_logits: Tensor) -> Tensor:
    """log p(x|z) of pixels that are black or white with probability sigmoid(x_logits), in nats.

    With l = x_logits a pixel contributes x l − log(1 + eˡ). On grey pixels this is no normalized
    likelihood: compare values on binarized images only.

    Args:
        x: (B, D) in [0, 1].
        x_logits: (B, D). A dimension of size 1 is broadcast.
    Returns:
        (B,), never positive.
    Raises:
        ValueError: if the shapes differ, or x leaves [0, 1].
        FloatingPointError: if the result is not finite.
    Source:
        notebooks/05, sections 2 and 8.
    """
    _check_pixels(x, x_logits, "x_logits")
    low, high = x.aminmax() if x.numel() else (0, 1)
    if not (low >= 0 and high <= 1):  # NaN fails this test too
        raise ValueError(f"expected x in [0, 1]; got values from {low:.4g} to {high:.4g}")
    x = x if x.is_floating_point() else x.to(x_logits.dtype)  # such as x > 0.5
    if x.shape == x_logits.shape:
        entropy = F.binary_cross_entropy_with_logits(x_logits, x, reduction="none").sum(dim=-1)
        return -require_finite(entropy, x_logits=x_logits)
    # All pairs of images and logits: a matrix product is 100 times faster than broadcasting. It
    # takes the difference of two large sums, and so float64.
    logits = x_logits.double()
    pairs = torch.einsum("...d,...d->...", x.double(), logits) - F.softplus(logits).sum(dim=-1)
    return require_finite(pairs.to(x_logits.dtype), x_logits=x_logits)


def gaussian_log_likelihood(x: Tensor, mean: Tensor, logvar: Tensor | float) -> Tensor:
    """log N(x; mean, σ²) in nats, summed over pixels; the squared error is one term of it.

    Args:
        x, mean: (B, D), a dimension of size 1 is broadcast.
        logvar: log σ² of the pixel noise, a number or broadcastable to mean.
    Returns:
        (B,).
    Raises:
        ValueError: if the shapes differ.
        RuntimeError: from torch, if logvar does not fit.
        FloatingPointError: if the result is not finite.
    Source:
        notebooks/05, section 8.
    """
    _check_pixels(x, mean, "mean")
    logvar = torch.as_tensor(logvar, dtype=mean.dtype, device=mean.device)
    logvar = logvar.broadcast_to(mean.shape)  # torch refuses one that would enlarge the mean
    squares = (x - mean).square() / logvar.exp()
    result = -0.5 * (squares + logvar + math.log(2 * math.pi)).sum(dim=-1)
    return require_finite(result, x=x, mean=mean, logvar=logvar)


class ELBOTerms(NamedTuple):
    """The two terms, in nats per image: reconstruction (B,), higher is better; kl (B,), ≥ 0."""

    reconstruction: Tensor
    kl: Tensor

    def elbo(self, beta: float = 1.0) -> Tensor:
        """reconstruction − beta · kl, (B,); beta = 1 is the evidence lower bound."""
        if not 0 <= beta < math.inf:
            raise ValueError(f"expected a finite beta of 0 or more; got {beta}")
        return self.reconstruction - beta * self.kl


def elbo_terms(x: Tensor, output: VAEOutput, log_likelihood=bernoulli_log_likelihood) -> ELBOTerms:
    """One-sample estimate of the two terms of the ELBO, per example.

    Args:
        x: (B, D).
        output: a VAE's output for x.
        log_likelihood: log_likelihood(x, x_logits) -> (B,).
    Returns:
        ELBOTerms of shape (B,) each; the KL is exact, the reconstruction uses output.z.
    Raises:
        ValueError: if the shapes differ, or x leaves [0, 1] (Bernoulli).
        FloatingPointError: if a term is not finite.
    Source:
        Kingma & Welling 2014, equation 10. Derived in notebooks/05, section 7.
    """
    reconstruction = log_likelihood(x, output.x_logits)
    kl = kl_divergence(output.mu, output.logvar)
    if not x.shape[:1] == output.x_logits.shape[:1] == reconstruction.shape == kl.shape:
        got = f"{tuple(reconstruction.shape)} and {tuple(kl.shape)} for x {tuple(x.shape)}"
        raise ValueError(f"expected a log-likelihood and a KL for each image; got {got}")
    return ELBOTerms(reconstruction, kl)


def _check_pixels(x: Tensor, other: Tensor, name: str) -> None:
    """The widths must be equal; the sizes before them are equal, or one of them is 1."""
    ours, theirs = tuple(x.shape), tuple(other.shape)
    fits = len(ours) == len(theirs) > 0 and ours[-1] == theirs[-1]
    if not fits or any(a != b and 1 not in (a, b) for a, b in zip(ours, theirs, strict=True)):
        raise ValueError(f"expected x and {name} of one shape; got {ours} and {theirs}")
