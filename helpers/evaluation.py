"""How good a trained model is: log p(x), the latents in use, what random codes decode to."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from helpers.checks import finite, rows, whole, wide
from helpers.losses import bernoulli_log_likelihood, gaussian_log_likelihood
from helpers.models import VAE, Autoencoder, reparameterize

LogLikelihood = Callable[[Tensor, Tensor], Tensor]
ROWS_AT_ONCE = 8192  # images decoded together: bounds the memory, not the result


@torch.no_grad()
def importance_weighted_bound(
    model: VAE, x: Tensor, k: int, log_likelihood: LogLikelihood = bernoulli_log_likelihood
) -> Tensor:
    """log (1/k) Σ p(x|z) p(z) / q(z|x) over k samples of q(z|x), per example, in nats.

    In expectation it is the ELBO at k = 1, grows with k, and stays below log p(x).

    Args:    model: a VAE; x: (B, D); k: samples an image; log_likelihood(x, x_logits) -> (B,).
    Returns: (B,).
    Raises:  ValueError if k is no integer of 1 or more, or x does not fit the model or the
             likelihood.
    Source:  Burda, Grosse & Salakhutdinov 2016, equation 8. notebooks/05, section 4.
    """
    whole(1, k=k)
    rows(x=x)
    mu, logvar = model.encode(x)
    zero = torch.zeros(())
    log_weights = []
    for start in range(0, k, step := max(1, ROWS_AT_ONCE // max(1, len(x)))):
        copies = (min(step, k - start), *mu.shape)
        mean, spread = mu.expand(copies), logvar.expand(copies)
        z = reparameterize(mean, spread)
        prior = gaussian_log_likelihood(z, torch.zeros_like(z), zero)
        posterior = gaussian_log_likelihood(z, mean, spread)
        log_weights.append(log_likelihood(x[None], model.decode(z)) + prior - posterior)
    return torch.cat(log_weights).logsumexp(dim=0) - math.log(k)


@torch.no_grad()
def exact_log_likelihood(
    model: VAE,
    x: Tensor,
    points_per_axis: int = 200,
    limit: float = 5.0,
    log_likelihood: LogLikelihood = bernoulli_log_likelihood,
) -> Tensor:
    """log p(x) = log ∫ p(x|z) p(z) dz of a model with two latents, by quadrature, in nats.

    The midpoint rule on a square grid over [−limit, limit]². The prior's mass outside is 1e-6 at
    limit 5. Double the points to see whether the grid is fine enough for the model at hand.

    Args:    model: has latent_dim 2 and decode; x: (B, D); points_per_axis, limit: the grid;
             log_likelihood(x, x_logits) -> (B,).
    Returns: (B,).
    Raises:  ValueError if the latent is not two-dimensional, the grid is empty, or x does not fit
             the model or the likelihood.
    Source:  notebooks/05, section 4.
    """
    if model.latent_dim != 2:
        raise ValueError(f"expected a model with latent_dim 2; got {model.latent_dim}")
    whole(2, points_per_axis=points_per_axis)
    if not 0 < limit < math.inf:
        raise ValueError(f"expected a positive, finite limit; got {limit}")
    rows(x=x)
    (x,) = wide(x)
    width = 2 * limit / points_per_axis
    axis = -limit + width * (torch.arange(points_per_axis, dtype=x.dtype, device=x.device) + 0.5)
    grid = torch.cartesian_prod(axis, axis)
    log_prior = gaussian_log_likelihood(grid, torch.zeros_like(grid), 0.0)
    parts = []
    for z, prior in zip(grid.split(256), log_prior.split(256), strict=True):
        joint = log_likelihood(x[:, None], model.decode(z)[None]) + prior
        parts.append(joint.logsumexp(dim=1))
    return torch.stack(parts).logsumexp(dim=0) + 2 * math.log(width)


@torch.no_grad()
def active_units(model: VAE, x: Tensor, threshold: float = 0.01) -> Tensor:
    """Which latents the encoder uses: the variance of μ over the images is above the threshold.

    Args:    model: a VAE; x: (B, D) with B of 2 or more; threshold: in squared latent units.
    Returns: (latent_dim,) of bool.
    Raises:  ValueError if there are fewer than two images, or the threshold is not 0 or more.
    Source:  Burda, Grosse & Salakhutdinov 2016, section 5.2. notebooks/05, section 2.
    """
    rows(x=x)
    if len(x) < 2:
        raise ValueError(f"expected at least 2 images; got {len(x)}")
    if not threshold >= 0:
        raise ValueError(f"expected a threshold of 0 or more; got {threshold}")
    (mu,) = wide(model.encode(x)[0])
    return finite(mu.var(dim=0), mu=mu) > threshold


@torch.no_grad()
def nearest_distance(images: Tensor, digits: Tensor) -> Tensor:
    """How far each image is from the nearest digit: the least L2 distance, in pixel units.

    Blurred images are near to many digits: compare with the model's own reconstructions.

    Args:    images: (B, D); digits: (N, D), real images, N of 1 or more.
    Returns: (B,), 0 for an image that is among the digits.
    Raises:  ValueError if there are no digits, the widths differ, or a value is not finite.
    Source:  notebooks/02, section 4.
    """
    if images.ndim != 2 or digits.ndim != 2 or len(digits) == 0:
        raise ValueError(
            "expected images (B, D) and at least one digit (N, D); "
            f"got {tuple(images.shape)} and {tuple(digits.shape)}"
        )
    if images.shape[1] != digits.shape[1]:
        raise ValueError(f"expected images of width {digits.shape[1]}; got {images.shape[1]}")
    images, digits = wide(images, digits)
    finite(images, images=images)
    finite(digits, digits=digits)
    parts = []
    for part in images.split(ROWS_AT_ONCE):
        least, nearest = torch.cdist(part, digits).min(dim=1)
        finite(least, images=part, digits=digits)
        parts.append((part - digits[nearest]).norm(dim=1))  # again: cdist rounds, this does not
    return torch.cat(parts)


@torch.no_grad()
def reencoding_shift(model: Autoencoder | VAE, z: Tensor, codes: Tensor) -> Tensor:
    """How far each code moves when its image is encoded again, against the spread of real codes.

    ‖encode(sigmoid(decode(z))) − z‖² over the variance of the codes, summed over latents. 0: the
    code comes back. 2: it comes back no nearer than another code drawn at random (on average,
    where both are spread as the codes are). A VAE's code is its mu.

    Args:    model: has encode and decode; z: (B, latent_dim); codes: (N, latent_dim) codes of
             real images, N of 2 or more, which set the scale.
    Returns: (B,), non-negative.
    Raises:  ValueError if the widths differ, the codes do not vary, or a value is not finite.
    Source:  notebooks/02, section 4.
    """
    if z.ndim != 2 or codes.ndim != 2 or z.shape[1] != codes.shape[1]:
        raise ValueError(
            f"expected z and codes of one width; got {tuple(z.shape)} and {tuple(codes.shape)}"
        )
    z, codes = wide(z, codes)
    spread = finite(codes.var(dim=0, correction=0).sum(), codes=codes) if len(codes) > 1 else 0
    if not spread > 0:
        raise ValueError(f"expected at least two codes that differ; got {len(codes)} without")
    code = model.encode(model.decode(z).sigmoid())
    code = code[0] if isinstance(code, tuple) else code
    return finite((code - z).square().sum(dim=1) / spread, z=z, codes=codes)
