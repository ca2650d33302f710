"""The two terms of the ELBO against torch.distributions and values computed by hand."""

import contextlib
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import distributions as dist

from helpers.losses import (
    ELBOTerms,
    bernoulli_log_likelihood,
    elbo_terms,
    gaussian_log_likelihood,
    kl_divergence,
)
from helpers.models import VAEOutput
from tests.strategies import (
    answer_or_none,
    assert_right,
    counts,
    dtypes,
    exact,
    not_finite,
    refused,
    spoiled,
    tensors,
    widths,
)


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
    with pytest.raises(ValueError, match=r"expected mu, logvar of one shape; got \(4, 3\)"):
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
    with pytest.raises(RuntimeError, match="(?i)expand"):  # torch's own words
        gaussian_log_likelihood(torch.zeros(5, 6), torch.zeros(5, 6), torch.zeros(shape))


def test_gaussian_refuses_a_logvar_that_would_copy_a_single_pixel():
    with pytest.raises(RuntimeError, match="(?i)expand"):
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


# Properties


@given(st.data(), counts, widths, dtypes)
def test_kl_is_that_of_torch_distributions_in_any_layout(data, b, d, dtype):
    mu, logvar = (data.draw(tensors(b, d, dtype=dtype)) for _ in range(2))
    m, v = exact(mu, logvar)
    wanted = dist.kl_divergence(dist.Normal(m, (v / 2).exp()), dist.Normal(0.0, 1.0)).sum(dim=-1)
    kl = kl_divergence(mu, logvar)
    assert_right(kl, wanted, dtype)
    assert (kl >= 0).all()


shapes_of_pairs = st.sampled_from([("b", "b"), ("b1", "1k"), ("b", "1")])


@given(st.data(), shapes_of_pairs, counts, counts, widths, dtypes)
def test_bernoulli_is_the_sum_over_pixels_and_broadcasts(data, shapes, b, k, d, dtype):
    sizes = {"b": (b, d), "b1": (b, 1, d), "1k": (1, k, d), "1": (1, d)}
    x = data.draw(tensors(*sizes[shapes[0]], low=0.0, high=1.0, dtype=dtype))
    logits = data.draw(tensors(*sizes[shapes[1]], low=-50.0, high=50.0, dtype=dtype))
    pixels, logit = exact(x, logits)
    zero = torch.zeros(())
    logs = -pixels * torch.logaddexp(zero, -logit) - (1 - pixels) * torch.logaddexp(zero, logit)
    value = bernoulli_log_likelihood(x, logits)
    assert_right(value, logs.sum(dim=-1), dtype)
    assert (value <= 0).all()


@given(st.data(), counts, widths, dtypes)
def test_gaussian_is_that_of_torch_distributions_in_any_layout(data, b, d, dtype):
    shape = data.draw(st.sampled_from([(), (d,), (b, 1), (b, d)]))
    x, mean = (data.draw(tensors(b, d, dtype=dtype)) for _ in range(2))
    logvar = data.draw(tensors(*shape, dtype=dtype))
    values, m, v = exact(x, mean, logvar)
    wanted = dist.Normal(m, (v / 2).exp()).log_prob(values).sum(dim=-1)
    assert_right(gaussian_log_likelihood(x, mean, logvar), wanted, dtype)


for_each_function = pytest.mark.parametrize(
    ("function", "count"),
    [(kl_divergence, 2), (bernoulli_log_likelihood, 2), (gaussian_log_likelihood, 3)],
    ids=lambda value: getattr(value, "__name__", None),
)


@for_each_function
@given(data=st.data(), b=st.integers(1, 4), d=widths, bad=not_finite)
def test_a_number_that_is_not_finite_is_refused(function, count, data, b, d, bad):
    arguments = [data.draw(tensors(b, d, low=0.0, high=1.0)) for _ in range(count)]
    place = data.draw(st.integers(0, count - 1))
    arguments[place] = spoiled(data.draw, arguments[place], bad)
    outside = function is bernoulli_log_likelihood and place == 0  # no pixel between 0 and 1
    with refused(ValueError if outside else FloatingPointError):
        function(*arguments)


@for_each_function
@given(data=st.data(), b=counts, d=widths)
def test_finite_numbers_of_any_size_are_answered_by_finite_ones_or_refused(
    function, count, data, b, d
):
    any_size = st.floats(allow_nan=False, allow_infinity=False, width=32)
    draw = arrays(np.float32, (b, d), elements=any_size)
    arguments = [torch.from_numpy(data.draw(draw)) for _ in range(count)]
    if function is bernoulli_log_likelihood:
        arguments[0] = arguments[0].sigmoid()
    answer = answer_or_none(function, *arguments)
    assert answer is None or answer.isfinite().all()


@pytest.mark.parametrize("function", [bernoulli_log_likelihood, gaussian_log_likelihood])
@given(data=st.data())
@settings(max_examples=200)
def test_shapes_fit_and_give_the_right_shape_or_are_refused(function, data):
    first = data.draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    second = data.draw(st.just(first) | near(first))
    extra = (0.0,) if function is gaussian_log_likelihood else ()
    answer = answer_or_none(function, torch.zeros(first), torch.zeros(second), *extra)
    wanted = None
    if first and len(first) == len(second) and first[-1] == second[-1]:
        with contextlib.suppress(ValueError):
            wanted = np.broadcast_shapes(first, second)[:-1]
    assert (None if answer is None else tuple(answer.shape)) == wanted


def near(shape):
    """Other shapes, often with a size of 1 in place of another, or a dimension more or less."""
    ones = st.tuples(*(st.sampled_from([size, 1]) for size in shape))
    return ones | st.just(shape[1:]) | st.just((1, *shape)) | st.just(tuple(reversed(shape)))


@given(st.data(), counts, widths, widths)
def test_elbo_terms_are_one_pair_an_image(data, b, d, latent_dim):
    x = data.draw(tensors(b, d, low=0.0, high=1.0))
    logits, mu, logvar = (data.draw(tensors(b, w)) for w in (d, latent_dim, latent_dim))
    terms = elbo_terms(x, VAEOutput(logits, mu, logvar, mu))
    assert torch.equal(terms.reconstruction, bernoulli_log_likelihood(x, logits))
    assert torch.equal(terms.kl, kl_divergence(mu, logvar))


@given(st.tuples(counts, counts, counts))
def test_elbo_terms_refuse_counts_that_differ(sizes):
    x, logits, mu = (torch.zeros(size, 2) for size in sizes)
    if len(set(sizes)) == 1:
        return
    with refused():
        elbo_terms(x, VAEOutput(logits, mu, mu, mu))


@given(counts, st.sampled_from([(), (1,), (2, 3)]))
def test_elbo_terms_refuse_a_likelihood_that_is_not_one_number_an_image(b, shape):
    x = torch.zeros(b, 3)
    if shape == (b,):
        return
    with refused():
        elbo_terms(x, VAEOutput(x, x, x, x), lambda x, x_logits: torch.zeros(shape))


@given(not_finite | st.floats(-10, 10) | st.integers(-3, 3))
def test_beta_weighs_the_kl_or_is_refused(beta):
    terms = ELBOTerms(torch.tensor([-3.0, -2.0]).double(), torch.tensor([1.0, 0.5]).double())
    elbo = answer_or_none(terms.elbo, beta)
    if not (math.isfinite(beta) and beta >= 0):
        assert elbo is None
    else:
        assert elbo.tolist() == [-3.0 - beta * 1.0, -2.0 - beta * 0.5]


@pytest.mark.parametrize("kind", [torch.bool, torch.int64, torch.uint8])
def test_bernoulli_takes_binarized_images_of_any_kind(kind):
    x, logits = torch.rand(4, 6) > 0.5, torch.randn(4, 6)
    expected = bernoulli_log_likelihood(x.float(), logits)
    assert torch.equal(bernoulli_log_likelihood(x.to(kind), logits), expected)
    pairs = bernoulli_log_likelihood(x.to(kind)[:, None], logits[None])
    assert torch.allclose(pairs.diagonal(), expected, atol=1e-5)
