"""The two terms of the ELBO against torch.distributions and values computed by hand."""

import math

import pytest
import torch
from torch import distributions as dist

from helpers.losses import (
    ELBOTerms,
    bernoulli_log_likelihood,
    elbo_terms,
    gaussian_log_likelihood,
    kl_divergence,
)
from helpers.models import VAEOutput


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def doubles(*shape, scale=1.0):
    return scale * torch.randn(shape, dtype=torch.float64)


def example_batch(b=6, d=5, latent_dim=3):
    """Binary images and a VAE's output for them, no two rows alike."""
    x = torch.rand(b, d).double().round()
    mu, logvar = doubles(b, latent_dim), doubles(b, latent_dim)
    return x, VAEOutput(doubles(b, d), mu, logvar, mu)


# kl_divergence


@pytest.mark.parametrize(
    ("mu", "std", "exact"),
    [(1.0, 1.0, 0.5), (0.0, 2.0, 0.8068528), (0.0, 0.5, 0.3181472), (0.0, 1.0, 0.0)],
)
def test_kl_has_its_exact_values(mu, std, exact):
    kl = kl_divergence(torch.tensor([[mu]]).double(), torch.tensor([[2 * math.log(std)]]).double())
    assert kl.item() == pytest.approx(exact, abs=5e-8)


@pytest.mark.parametrize("scale", [0.01, 1.0, 5.0])
def test_kl_equals_torch_distributions(scale):
    mu, logvar = doubles(50, 4, scale=scale), doubles(50, 4, scale=scale)
    q = dist.Normal(mu, logvar.exp().sqrt())
    exact = dist.kl_divergence(q, dist.Normal(0.0, 1.0)).sum(dim=-1)
    assert torch.allclose(kl_divergence(mu, logvar), exact, rtol=1e-10, atol=1e-12)


def test_kl_is_summed_over_latents_and_not_over_examples():
    kl = kl_divergence(torch.ones(3, 4), torch.zeros(3, 4))
    assert torch.allclose(kl, torch.full((3,), 2.0))


def test_kl_gradients_are_mu_and_half_of_the_variance_minus_one():
    mu, logvar = doubles(5, 2).requires_grad_(), doubles(5, 2).requires_grad_()
    kl_divergence(mu, logvar).sum().backward()
    assert torch.allclose(mu.grad, mu)
    assert torch.allclose(logvar.grad, (logvar.exp() - 1) / 2)


def test_kl_is_never_negative_near_the_prior_in_float32():
    logvar = torch.linspace(-0.01, 0.01, 20_001)[:, None]
    assert kl_divergence(torch.zeros_like(logvar), logvar).min() >= 0


@pytest.mark.parametrize("shape", [(4, 2), (1, 3), (3,)])
def test_kl_refuses_shapes_that_differ(shape):
    with pytest.raises(ValueError, match=r"expected mu and logvar of one shape; got \(4, 3\)"):
        kl_divergence(torch.zeros(4, 3), torch.zeros(shape))


# bernoulli_log_likelihood


@pytest.mark.parametrize("scale", [0.1, 3.0, 100.0])
def test_bernoulli_equals_torch_distributions_on_binary_pixels(scale):
    x, logits = torch.rand(20, 30).double().round(), doubles(20, 30, scale=scale)
    exact = dist.Bernoulli(logits=logits).log_prob(x).sum(dim=-1)
    assert torch.allclose(bernoulli_log_likelihood(x, logits), exact, rtol=1e-10)


def test_bernoulli_on_grey_pixels_weighs_both_logarithms():
    x, logits = torch.rand(20, 30).double(), doubles(20, 30)
    p = 1 / (1 + (-logits).exp())
    exact = (x * p.log() + (1 - x) * (1 - p).log()).sum(dim=-1)
    assert torch.allclose(bernoulli_log_likelihood(x, logits), exact, rtol=1e-10)


def test_bernoulli_is_summed_over_pixels():
    value = bernoulli_log_likelihood(torch.rand(2, 784), torch.zeros(2, 784))
    assert value.tolist() == pytest.approx([-784 * math.log(2)] * 2, rel=1e-6)


def test_bernoulli_by_hand():
    x, p = torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([[0.9, 0.2, 0.5]])
    value = bernoulli_log_likelihood(x, p.logit())
    assert value.item() == pytest.approx(math.log(0.9 * 0.8 * 0.5), abs=1e-6)


def test_bernoulli_gradient_is_pixel_minus_probability():
    x, logits = torch.rand(4, 6).double(), doubles(4, 6).requires_grad_()
    bernoulli_log_likelihood(x, logits).sum().backward()
    assert torch.allclose(logits.grad, x - logits.sigmoid())


def test_bernoulli_stays_finite_at_extreme_logits():
    x = torch.tensor([[1.0, 0.0]])
    assert bernoulli_log_likelihood(x, torch.tensor([[-1e4, 1e4]])).item() == -2e4


def test_bernoulli_is_never_positive_for_confident_logits_in_float32():
    x = torch.rand(200, 784).round()
    logits = (2 * x - 1) * (50 + torch.rand(200, 784))
    assert bernoulli_log_likelihood(x, logits).max() <= 0


@pytest.mark.parametrize("likelihood", [bernoulli_log_likelihood, gaussian_log_likelihood])
def test_likelihoods_broadcast_examples_against_samples(likelihood):
    extra = (0.3,) if likelihood is gaussian_log_likelihood else ()
    x, others = torch.rand(4, 1, 5).double(), doubles(1, 7, 5)
    table = likelihood(x, others, *extra)
    assert table.shape == (4, 7)
    alone = [[likelihood(a, b[None], *extra).item() for b in others[0]] for a in x]
    assert torch.allclose(table, torch.tensor(alone).double())


@pytest.mark.parametrize("value", [-0.01, 1.01, 255.0, math.nan, math.inf])
def test_bernoulli_refuses_pixels_outside_zero_to_one(value):
    x = torch.full((3, 4), 0.5)
    x[1, 2] = value
    with pytest.raises(ValueError, match=r"expected x in \[0, 1\]"):
        bernoulli_log_likelihood(x, torch.zeros(3, 4))


@pytest.mark.parametrize("shape", [(3, 5), (2, 4), (4,), (3, 1), (1, 3, 4)])
@pytest.mark.parametrize("likelihood", [bernoulli_log_likelihood, gaussian_log_likelihood])
def test_likelihoods_refuse_shapes_that_differ(likelihood, shape):
    extra = (0.0,) if likelihood is gaussian_log_likelihood else ()
    with pytest.raises(ValueError, match=r"expected x .*got \(3, 4\) and"):
        likelihood(torch.zeros(3, 4), torch.zeros(shape), *extra)


# gaussian_log_likelihood


@pytest.mark.parametrize("shape", [(), (6,), (5, 1), (5, 6)])
def test_gaussian_equals_torch_distributions(shape):
    x, mean, logvar = doubles(5, 6), doubles(5, 6), doubles(*shape)
    exact = dist.Normal(mean, logvar.exp().sqrt()).log_prob(x).sum(dim=-1)
    assert torch.allclose(gaussian_log_likelihood(x, mean, logvar), exact, rtol=1e-10)


def test_gaussian_with_variance_one_half_is_minus_the_squared_error_and_a_constant():
    x, mean = doubles(5, 784), doubles(5, 784)
    value = gaussian_log_likelihood(x, mean, math.log(0.5))
    exact = -(x - mean).square().sum(dim=-1) - 784 / 2 * math.log(2 * math.pi * 0.5)
    assert torch.allclose(value, exact, rtol=1e-10)


def test_gaussian_by_hand():
    value = gaussian_log_likelihood(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]), math.log(4.0))
    exact = -25 / 8 - math.log(2 * math.pi * 4)
    assert value.item() == pytest.approx(exact, abs=1e-5)


def test_gaussian_noise_can_be_learned():
    x, logvar = doubles(10, 6), torch.zeros((), dtype=torch.float64, requires_grad=True)
    gaussian_log_likelihood(x, torch.zeros_like(x), logvar).sum().backward()
    assert logvar.grad.item() == pytest.approx((x.square().sum() - 60).item() / 2)


@pytest.mark.parametrize("shape", [(5,), (4, 6), (2, 5, 6)])
def test_gaussian_refuses_a_logvar_that_does_not_fit_the_pixels(shape):
    with pytest.raises(ValueError, match="expected logvar broadcastable"):
        gaussian_log_likelihood(torch.zeros(5, 6), torch.zeros(5, 6), torch.zeros(shape))


def test_gaussian_refuses_a_logvar_that_would_copy_a_single_pixel():
    with pytest.raises(ValueError, match="expected logvar broadcastable"):
        gaussian_log_likelihood(torch.zeros(5, 1), torch.zeros(5, 1), torch.zeros(7))


# elbo_terms


def test_elbo_terms_are_the_likelihood_and_the_kl_of_torch_distributions():
    x, output = example_batch()
    terms = elbo_terms(x, output)
    reconstruction = dist.Bernoulli(logits=output.x_logits).log_prob(x).sum(dim=-1)
    q = dist.Normal(output.mu, output.logvar.exp().sqrt())
    kl = dist.kl_divergence(q, dist.Normal(0.0, 1.0)).sum(dim=-1)
    assert torch.allclose(terms.reconstruction, reconstruction)
    assert torch.allclose(terms.kl, kl)


def test_elbo_terms_of_each_example_are_those_computed_alone():
    x, output = example_batch()
    terms = elbo_terms(x, output)
    for i in range(len(x)):
        alone = elbo_terms(x[i : i + 1], VAEOutput(*(part[i : i + 1] for part in output)))
        assert alone.reconstruction.item() == pytest.approx(terms.reconstruction[i].item())
        assert alone.kl.item() == pytest.approx(terms.kl[i].item())


def test_elbo_is_the_reconstruction_minus_the_kl():
    terms = ELBOTerms(torch.tensor([-10.0, -20.0]), torch.tensor([1.0, 2.0]))
    assert terms.elbo().tolist() == [-11.0, -22.0]


def test_beta_weighs_the_kl_alone():
    terms = ELBOTerms(torch.tensor([-10.0, -20.0]), torch.tensor([1.0, 2.0]))
    assert terms.elbo(beta=4.0).tolist() == [-14.0, -28.0]
    assert terms.elbo(0.0).tolist() == [-10.0, -20.0]


def test_elbo_terms_use_the_likelihood_given():
    x, output = example_batch()
    terms = elbo_terms(x, output, lambda x, mean: gaussian_log_likelihood(x, mean, 0.0))
    exact = dist.Normal(output.x_logits, 1.0).log_prob(x).sum(dim=-1)
    assert torch.allclose(terms.reconstruction, exact)


def test_elbo_terms_let_gradients_reach_logits_mu_and_logvar():
    x, output = example_batch()
    leaves = [part.clone().requires_grad_() for part in output[:3]]
    elbo_terms(x, VAEOutput(*leaves, output.z)).elbo().sum().backward()
    assert all(leaf.grad.abs().sum() > 0 for leaf in leaves)


@pytest.mark.parametrize("rows", [1, 4])
def test_elbo_terms_refuse_another_number_of_images(rows):
    x, output = example_batch()
    with pytest.raises(ValueError, match="6"):
        elbo_terms(x[:rows], output)


def test_elbo_terms_refuse_images_of_another_width():
    x, output = example_batch()
    with pytest.raises(ValueError, match="expected x and x_logits of one shape"):
        elbo_terms(x[:, :4], output)


def test_elbo_terms_refuse_pixels_outside_zero_to_one():
    x, output = example_batch()
    with pytest.raises(ValueError, match=r"expected x in \[0, 1\]"):
        elbo_terms(x + 1, output)
