"""Bounds and exact values on models whose log p(x) is known in closed form.

The statistical tests compare means of independent estimates. They allow 6 standard errors, and a
chance of less than 1e-8 of failing on correct code.
"""

import itertools
import math

import pytest
import torch
from torch import distributions as dist

from helpers.evaluation import active_units, exact_log_likelihood, importance_weighted_bound
from helpers.models import VAE

NOISE = 0.5  # standard deviation of the pixels in the linear model
WEIGHT = torch.tensor([[1.0, 0.0], [0.5, 0.8], [0.0, -1.2], [-0.4, 0.3]])
BIAS = torch.tensor([0.2, -0.5, 0.0, 0.7])
ORTHOGONAL = torch.tensor([[1.0, 0.0], [0.6, 0.0], [0.0, -1.2], [0.0, 0.3]])  # its columns are


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def normal_pixels(x, mean):
    """log N(x; mean, NOISE²) by torch.distributions."""
    return dist.Normal(mean, NOISE).log_prob(x).sum(dim=-1)


def linear_model(weight=WEIGHT, double=True):
    """A VAE whose decoder is z -> weight z + BIAS; its encoder is arbitrary."""
    model = VAE(2, (), 4)
    with torch.no_grad():
        model.decoder[0].weight.copy_(weight)
        model.decoder[0].bias.copy_(BIAS)
    return model.double() if double else model


def marginal(weight=WEIGHT):
    """x ~ N(BIAS, W Wᵀ + NOISE² I), the exact marginal of the linear model."""
    weight = weight.double()
    return dist.MultivariateNormal(BIAS.double(), weight @ weight.T + NOISE**2 * torch.eye(4))


def with_posterior(model, weight):
    """Give the linear model the encoder that computes its true posterior (diagonal here)."""
    weight = weight.double()
    precision = weight.T @ weight + NOISE**2 * torch.eye(2)
    project = torch.linalg.solve(precision, weight.T)
    with torch.no_grad():
        model.encoder[0].weight.copy_(torch.cat([project, torch.zeros(2, 4)]))
        logvar = (NOISE**2 / precision.diagonal()).log()
        model.encoder[0].bias.copy_(torch.cat([-project @ BIAS.double(), logvar]))
    return model


def assert_mean_near(values, exact):
    error = (values.mean() - exact).abs()
    assert error < 6 * values.std() / len(values) ** 0.5


def assert_not_above(low, high):
    """The mean of low is not above that of high, a tensor of independent estimates or a number."""
    errors = [v.std() / len(v) ** 0.5 for v in (low, high) if v.numel() > 1]
    assert low.mean() <= high.mean() + 6 * torch.stack(errors).norm()


# exact_log_likelihood


def test_exact_of_a_decoder_that_ignores_z_is_the_likelihood_of_its_bias():
    model = linear_model(torch.zeros(4, 2), double=False)
    x = torch.rand(5, 4).round()
    exact = dist.Bernoulli(logits=BIAS).log_prob(x).sum(dim=-1)
    assert torch.allclose(exact_log_likelihood(model, x), exact, atol=1e-4)


def test_exact_of_a_linear_decoder_is_its_gaussian_marginal():
    x = marginal().sample((20,))
    model = linear_model(double=False)
    found = exact_log_likelihood(model, x.float(), log_likelihood=normal_pixels)
    assert torch.allclose(found.double(), marginal().log_prob(x), atol=1e-4)


def test_exact_works_in_float64_and_is_then_closer():
    x = marginal().sample((20,))
    found = exact_log_likelihood(linear_model(), x, limit=8.0, log_likelihood=normal_pixels)
    assert torch.allclose(found, marginal().log_prob(x), atol=1e-9)


def test_exact_probabilities_of_all_binary_images_sum_to_one():
    model = VAE(2, (16,), 4)
    images = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))
    assert exact_log_likelihood(model, images).exp().sum().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("limit", [0.5, 1.0, 2.0])
def test_exact_integrates_over_the_square_up_to_the_limit(limit):
    model = linear_model(torch.zeros(4, 2), double=False)
    x = torch.rand(3, 4).round()
    mass = math.erf(limit / 2**0.5) ** 2
    exact = dist.Bernoulli(logits=BIAS).log_prob(x).sum(dim=-1) + math.log(mass)
    assert torch.allclose(exact_log_likelihood(model, x, limit=limit), exact, atol=1e-4)


def test_exact_uses_the_number_of_points_it_is_given():
    model = linear_model(torch.zeros(4, 2), double=False)
    x = torch.rand(3, 4).round()
    density = math.exp(-0.125) / math.sqrt(2 * math.pi)  # at the midpoints, z = ±½
    exact = dist.Bernoulli(logits=BIAS).log_prob(x).sum(dim=-1) + 2 * math.log(2 * density)
    found = exact_log_likelihood(model, x, points_per_axis=2, limit=1.0)
    assert torch.allclose(found, exact, atol=1e-5)


def test_exact_of_each_image_is_that_computed_alone():
    model, x = VAE(2, (16,), 6), torch.rand(4, 6).round()
    alone = torch.cat([exact_log_likelihood(model, image[None], 50) for image in x])
    assert torch.allclose(exact_log_likelihood(model, x, 50), alone, atol=1e-5)


def test_exact_needs_two_latents():
    with pytest.raises(ValueError, match="latent_dim 2; got 3"):
        exact_log_likelihood(VAE(3, (8,), 6), torch.zeros(1, 6))


@pytest.mark.parametrize(("points", "limit"), [(1, 5.0), (0, 5.0), (10, 0.0), (10, -1.0)])
def test_exact_refuses_an_empty_grid(points, limit):
    with pytest.raises(ValueError, match="expected .*(points_per_axis|limit)"):
        exact_log_likelihood(VAE(2, (8,), 6), torch.zeros(1, 6), points, limit)


@pytest.mark.parametrize("x", [torch.zeros(1, 5), torch.full((1, 6), 2.0)], ids=["width", "range"])
def test_exact_refuses_images_that_do_not_fit(x):
    with pytest.raises(ValueError, match="expected x"):
        exact_log_likelihood(VAE(2, (8,), 6), x, 10)


# importance_weighted_bound


@pytest.mark.parametrize("k", [1, 3, 5000])
def test_bound_with_the_true_posterior_is_exact_for_every_k(k):
    model = with_posterior(linear_model(ORTHOGONAL), ORTHOGONAL)
    x = marginal(ORTHOGONAL).sample((5,))
    found = importance_weighted_bound(model, x, k, log_likelihood=normal_pixels)
    assert torch.allclose(found, marginal(ORTHOGONAL).log_prob(x), atol=1e-9)


def test_bound_with_one_sample_is_the_elbo_in_expectation():
    model, x = linear_model(), marginal().sample()
    mu, logvar = model.encode(x[None])
    q = dist.Normal(mu, logvar.exp().sqrt())
    kl = dist.kl_divergence(q, dist.Normal(0.0, 1.0)).sum()
    spread = (WEIGHT.double().square() @ logvar.exp()[0]).sum()  # trace of W Σ Wᵀ
    elbo = normal_pixels(x, model.decode(mu)[0]) - spread / (2 * NOISE**2) - kl
    copies = x.expand(20_000, 4)
    bounds = importance_weighted_bound(model, copies, 1, log_likelihood=normal_pixels)
    assert_mean_near(bounds, elbo.detach())


@pytest.mark.parametrize("name", ["linear", "nonlinear"])
def test_bounds_stand_in_order_below_the_exact_value(name):
    if name == "linear":
        x = marginal().sample()
        model, options, exact = linear_model(), {"log_likelihood": normal_pixels}, marginal()
        exact = exact.log_prob(x)
    else:
        x, model, options = torch.rand(4).round(), VAE(2, (16,), 4), {}
        with torch.no_grad():
            model.decoder[-1].weight.mul_(10)
        exact = exact_log_likelihood(model, x[None])
    copies = x.expand(2000, 4)
    bounds = [importance_weighted_bound(model, copies, k, **options) for k in (1, 5, 50)]
    for low, high in itertools.pairwise([*bounds, exact]):
        assert_not_above(low, high)


def test_bound_grows_with_k_where_the_encoder_is_wrong():
    model, x = linear_model(), marginal().sample().expand(2000, 4)
    one, many = (
        importance_weighted_bound(model, x, k, log_likelihood=normal_pixels) for k in (1, 100)
    )
    assert many.mean() > one.mean() + 0.1


def test_bound_of_each_image_is_near_its_own_exact_value():
    model = linear_model()
    x = marginal().sample((6,))
    found = importance_weighted_bound(model, x, 100_000, log_likelihood=normal_pixels)
    assert torch.allclose(found, marginal().log_prob(x), atol=0.2)


def test_bound_carries_no_gradient():
    x = torch.zeros(2, 6)
    assert not importance_weighted_bound(VAE(2, (8,), 6), x, 3).requires_grad


@pytest.mark.parametrize("k", [0, -1])
def test_bound_refuses_fewer_than_one_sample(k):
    with pytest.raises(ValueError, match=f"expected k to be an integer of 1 or more; got k = {k}"):
        importance_weighted_bound(VAE(2, (8,), 6), torch.zeros(1, 6), k)


@pytest.mark.parametrize("x", [torch.zeros(1, 5), torch.full((1, 6), 2.0)], ids=["width", "range"])
def test_bound_refuses_images_that_do_not_fit(x):
    with pytest.raises(ValueError, match="expected x"):
        importance_weighted_bound(VAE(2, (8,), 6), x, 2)


# active_units


def encoder_that_scales(scales):
    """A VAE whose μ is x times scales, column by column."""
    n = len(scales)
    model = VAE(n, (), n)
    with torch.no_grad():
        model.encoder[0].weight.copy_(torch.cat([torch.diag(scales), torch.ones(n, n)]))
        model.encoder[0].bias.fill_(3.0)
    return model


def test_active_units_are_those_whose_mean_varies_over_the_images():
    x = torch.tensor([[-1.0], [1.0]]).repeat(500, 3)  # variance 1
    model = encoder_that_scales(torch.tensor([1.0, 0.0, 0.2]))
    active = active_units(model, x)
    assert active.dtype == torch.bool
    assert active.tolist() == [True, False, True]


def test_active_units_compare_the_variance_with_the_threshold():
    x = torch.tensor([[-1.0], [1.0]]).repeat(500, 2)
    model = encoder_that_scales(torch.tensor([0.07, 0.2]))  # variances 0.0049 and 0.04
    assert active_units(model, x).tolist() == [False, True]
    assert active_units(model, x, threshold=0.05).tolist() == [False, False]
    assert active_units(model, x, threshold=0.004).tolist() == [True, True]


def test_active_units_need_two_images():
    with pytest.raises(ValueError, match="expected at least 2 images; got 1"):
        active_units(VAE(2, (8,), 6), torch.zeros(1, 6))
