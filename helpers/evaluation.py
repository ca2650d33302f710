"""How good a trained model is: log p(x), the latents in use, the images that it generates."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.checks import check_count, check_matrix
from helpers.losses import bernoulli_log_likelihood, gaussian_log_likelihood
from helpers.models import VAE, mlp, reparameterize
from helpers.training import fit

ROWS_AT_ONCE = 8192  # images decoded together: bounds the memory, not the result


@torch.no_grad()
def importance_weighted_bound(model, x, k, log_likelihood=bernoulli_log_likelihood) -> Tensor:
    """log (1/k) Σ p(x|z) p(z) / q(z|x) over k samples of q(z|x), per example, in nats.

    In expectation it is the ELBO at k = 1, grows with k, and stays below log p(x).

    Args:
        model: a VAE.
        x: (B, D).
        k: samples an image.
        log_likelihood: log_likelihood(x, x_logits) -> (B,).
    Returns:
        (B,).
    Raises:
        ValueError: if k is no integer of 1 or more, or x does not fit the model or the likelihood.
    Source:
        Burda, Grosse & Salakhutdinov 2016, equation 8. notebooks/05, section 6.
    """
    check_count(1, k=k)
    check_matrix(x=x)
    mu, logvar = model.encode(x)
    log_weights = []
    for start in range(0, k, step := max(1, ROWS_AT_ONCE // max(1, len(x)))):
        copies = (min(step, k - start), *mu.shape)
        z = reparameterize(mu.expand(copies), logvar.expand(copies))
        prior = gaussian_log_likelihood(z, torch.zeros_like(z), 0.0)
        posterior = gaussian_log_likelihood(z, mu[None], logvar[None])
        log_weights.append(log_likelihood(x[None], model.decode(z)) + prior - posterior)
    return torch.cat(log_weights).logsumexp(dim=0) - math.log(k)


@torch.no_grad()
def exact_log_likelihood(
    model, x, points_per_axis=200, limit=5.0, log_likelihood=bernoulli_log_likelihood
) -> Tensor:
    """log p(x) = log ∫ p(x|z) p(z) dz of a model with two latents, by quadrature, in nats.

    The midpoint rule on a square grid over [−limit, limit]². The prior's mass outside is 1e-6 at
    limit 5. Double the points to see whether the grid is fine enough for the model at hand.

    Args:
        model: has latent_dim 2 and decode.
        x: (B, D), in the dtype of the model.
        points_per_axis, limit: the grid.
        log_likelihood: log_likelihood(x, x_logits) -> (B,).
    Returns:
        (B,).
    Raises:
        ValueError: if the latent is not two-dimensional, the grid is empty, or x does not fit the
            model or the likelihood.
    Source:
        notebooks/closer_looks/05a, section 1.
    """
    if model.latent_dim != 2:
        raise ValueError(f"expected a model with latent_dim 2; got {model.latent_dim}")
    check_count(2, points_per_axis=points_per_axis)
    if not 0 < limit < math.inf:
        raise ValueError(f"expected a positive, finite limit; got {limit}")
    check_matrix(x=x)
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

    Args:
        model: a VAE.
        x: (B, D) with B of 2 or more.
        threshold: in squared latent units.
    Returns:
        (latent_dim,) of bool.
    Raises:
        ValueError: if there are fewer than two images, or the threshold is not 0 or more.
    Source:
        Burda, Grosse & Salakhutdinov 2016, section 5.2. No notebook uses it:
        notebooks/closer_looks/05b, section 1, counts latents by their KL.
    """
    check_matrix(x=x)
    if len(x) < 2 or not threshold >= 0:
        got = f"{len(x)} and {threshold}"
        raise ValueError(f"expected at least 2 images and a threshold of 0 or more; got {got}")
    return model.encode(x)[0].var(dim=0) > threshold


def train_classifier(data, *, epochs: int = 10, seed: int = 0) -> tuple[nn.Sequential, float]:
    """A small network that tells the classes apart, to judge generated images by.

    `classifier[:-1](x)` are its 64 features of an image, for `precision_recall`. It knows the
    classes and nothing else: what all classes have in common, such as noise, it need not see.

    Args:
        data: ImageData, with classes 0, 1, …
        epochs: passes through the training images; ten take about a second on 4,000.
        seed: of the weights and of the order of the images.
    Returns:
        The classifier, x (B, D) -> class logits (B, C); and its accuracy on the held-out images.
    Raises:
        ValueError: if epochs or seed is out of range, or there are no images.
    Source:
        notebooks/02, section 5.
    """
    check_count(1, training_images=len(data.x_train), held_out_images=len(data.x_test))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = mlp((data.x_train.shape[1], 256, 64, int(data.y_train.max()) + 1))

    def loss(model, rows):
        return F.cross_entropy(model(rows[:, :-1]), rows[:, -1].long())

    rows = torch.cat([data.x_train, data.y_train[:, None]], dim=1)  # fit shuffles whole rows
    fit(classifier, loss, rows, epochs=epochs, lr=3e-3, seed=seed, progress=False)
    classifier.requires_grad_(False)
    right = classifier(data.x_test).argmax(dim=1) == data.y_test
    return classifier, right.float().mean().item()


@torch.no_grad()
def sure_share(classifier: nn.Module, images: Tensor) -> float:
    """The share of images to which a classifier gives one class with a probability of 0.9 or more.

    It misses variety: one good image, again and again, gets 1. And it trusts the classifier, which
    can be sure of what is far from all that it was trained on. Compare with real held-out images.

    Args:
        classifier: x (B, D) -> class logits (B, C).
        images: (B, D), B of 1 or more.
    Returns:
        In [0, 1].
    Raises:
        ValueError: if there are no images.
    Source:
        notebooks/02, section 5.
    """
    check_count(1, images=len(images))
    sure = classifier(images).softmax(dim=-1).amax(dim=-1) >= 0.9
    return sure.float().mean().item()


@torch.no_grad()
def precision_recall(real: Tensor, generated: Tensor, k: int = 3) -> tuple[float, float]:
    """How many generated images look real, and how much of the real variety is generated.

    An image counts as covered by a set if it is no farther from one member of the set than that
    member's k-th nearest neighbor in the set. Precision is the share of generated images that the
    real ones cover, recall the share of real ones that the generated cover.

    Precision alone is fooled by one good image, again and again, by blurred images, and by noise
    that the features place among the real images; recall alone by images that are strewn about
    widely. Neither sees copies of training images, nor what the features leave out. Both depend on
    k and on the numbers of images: compare only where these are equal, and with held-out images.

    Args:
        real, generated: (N, F) and (M, F), features, such as those of `train_classifier`; more than
            k rows each.
        k: which neighbor sets the radius.
    Returns:
        precision, recall: in [0, 1].
    Raises:
        ValueError: if the widths differ, or there are too few rows for k.
    Source:
        Kynkäänniemi, Karras, Laine, Lehtinen & Aila 2019. notebooks/02, section 5.
    """
    check_count(1, k=k)
    check_matrix(real=real, generated=generated)
    if real.shape[1] != generated.shape[1] or min(len(real), len(generated)) <= k:
        got = f"{tuple(real.shape)} and {tuple(generated.shape)}"
        raise ValueError(f"expected features of one width in more than {k} rows each; got {got}")
    return _covered(generated, real, k), _covered(real, generated, k)


def _covered(images: Tensor, members: Tensor, k: int) -> float:
    """The share of images that lie within the k-th neighbor's distance of at least one member."""
    exact = "donot_use_mm_for_euclid_dist"  # a matrix product misses the 0 between equal rows
    radii = torch.cdist(members, members, compute_mode=exact).kthvalue(k + 1).values  # itself: 0
    distances = torch.cdist(images, members, compute_mode=exact)
    return (distances <= radii).any(dim=1).float().mean().item()
