"""Shapes, gradients and distributions of the networks, against hand values.

Moments are tested at 6 standard errors: a comparison fails by chance with a probability of about
2e-9 (1e-8 for a variance), and a test makes at most 10 of them: below 1e-6 together.
"""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from torch import distributions as dist
from torch import nn

from helpers.losses import elbo_terms
from helpers.models import VAE, Autoencoder, ConditionalVAE, VAEOutput, mlp, reparameterize
from tests.strategies import (
    answer_or_none,
    assert_right,
    counts,
    dtypes,
    exact,
    not_counts,
    refused,
    tensors,
    widths,
)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def assert_standard_normal(values):
    """Mean 0 and variance 1 of each column, to within 6 standard errors."""
    n = len(values)
    assert (values.mean(dim=0).abs() < 6 / n**0.5).all()
    assert ((values.var(dim=0) - 1).abs() < 6 * (2 / n) ** 0.5).all()


# mlp


def test_mlp_alternates_linear_layers_and_activations():
    kinds = [type(layer) for layer in mlp((5, 4, 3, 2), nn.Tanh)]
    assert kinds == [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]


def test_mlp_computes_what_its_matrices_say():
    net = mlp((3, 4, 2))
    x = torch.randn(6, 3)
    hidden = (x @ net[0].weight.T + net[0].bias).clamp(min=0)
    assert torch.allclose(net(x), hidden @ net[2].weight.T + net[2].bias, atol=1e-6)


@pytest.mark.parametrize("sizes", [(), (3,), (3, 0), (3, -1, 2), (3, 2.0), (3, "2")])
def test_mlp_refuses_bad_sizes(sizes):
    with pytest.raises(ValueError, match="expected"):
        mlp(sizes)


# Autoencoder


@pytest.mark.parametrize(
    ("latent_dim", "hidden_dims", "input_dim"),
    [(2, (512, 256), 784), (1, (8,), 5), (7, (), 3), (3, (6, 5, 4), 10)],
)
def test_autoencoder_shapes(latent_dim, hidden_dims, input_dim):
    model = Autoencoder(latent_dim, hidden_dims, input_dim)
    x = torch.rand(4, input_dim)
    assert model.encode(x).shape == (4, latent_dim)
    assert model.decode(torch.randn(4, latent_dim)).shape == (4, input_dim)
    assert model(x).shape == (4, input_dim)


def test_autoencoder_forward_is_decode_after_encode():
    model = Autoencoder(2, (8,), 5)
    x = torch.rand(4, 5)
    assert torch.equal(model(x), model.decoder(model.encoder(x)))


def test_autoencoder_decoder_mirrors_the_encoder():
    model = Autoencoder(2, (7, 6), 5)
    widths = [m.out_features for m in model.decoder if isinstance(m, nn.Linear)]
    assert widths == [6, 7, 5]


def test_autoencoder_uses_the_activation_given_in_both_halves():
    model = Autoencoder(2, (8,), 5, activation=nn.Identity)
    x = torch.rand(3, 5)
    middle = model((x[:1] + x[1:2]) / 2)
    assert torch.allclose(middle, (model(x[:1]) + model(x[1:2])) / 2, atol=1e-6)
    assert not any(isinstance(m, nn.ReLU) for m in model.modules())


@pytest.mark.parametrize("model", [Autoencoder(2, (8,), 5), VAE(2, (8,), 5)])
def test_decoder_ends_in_logits(model):
    logits = model.decode(100 * torch.randn(50, 2))
    assert logits.min() < 0
    assert logits.max() > 1


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
@pytest.mark.parametrize(
    "sizes",
    [
        {"latent_dim": 0},
        {"latent_dim": -2},
        {"latent_dim": 1.5},
        {"latent_dim": 0.5},
        {"hidden_dims": (8, 0)},
        {"input_dim": 0},
    ],
    ids=str,
)
def test_sizes_out_of_range_are_refused(kind, sizes):
    with pytest.raises(ValueError, match="expected"):
        kind(**sizes)


@pytest.mark.parametrize("model", [Autoencoder(2, (8,), 5), VAE(2, (8,), 5)])
def test_inputs_of_another_width_are_refused(model):
    with pytest.raises(ValueError, match=r"5.*\(3, 4\)"):
        model.encode(torch.rand(3, 4))
    with pytest.raises(ValueError, match=r"2.*\(3, 4\)"):
        model.decode(torch.rand(3, 4))


# VAE


@pytest.mark.parametrize(
    ("latent_dim", "hidden_dims", "input_dim"),
    [(2, (512, 256), 784), (1, (8,), 5), (7, (), 3), (3, (6, 5, 4), 10)],
)
def test_vae_shapes(latent_dim, hidden_dims, input_dim):
    output = VAE(latent_dim, hidden_dims, input_dim)(torch.rand(4, input_dim))
    assert isinstance(output, VAEOutput)
    assert output.x_logits.shape == (4, input_dim)
    for part in (output.mu, output.logvar, output.z):
        assert part.shape == (4, latent_dim)


def test_vae_output_fields_stand_in_the_order_of_the_design():
    assert VAEOutput._fields == ("x_logits", "mu", "logvar", "z")


def test_vae_forward_uses_the_noise_it_is_given():
    model = VAE(3, (8,), 5)
    x, eps = torch.rand(4, 5), torch.randn(4, 3)
    output = model(x, eps)
    mu, logvar = model.encoder(x)[:, :3], model.encoder(x)[:, 3:]
    assert torch.equal(output.mu, mu)
    assert torch.equal(output.logvar, logvar)
    assert torch.allclose(output.z, mu + eps * logvar.exp().sqrt(), atol=1e-6)
    assert torch.allclose(output.x_logits, model.decoder(output.z), atol=1e-6)


def test_vae_forward_draws_new_noise_each_time():
    model, x = VAE(2, (8,), 5), torch.rand(4, 5)
    assert not torch.equal(model(x).z, model(x).z)


def test_reconstruction_alone_gives_gradients_to_mu_and_to_logvar():
    model = VAE(2, (8,), 5)
    x = torch.rand(16, 5)
    nn.functional.binary_cross_entropy_with_logits(model(x).x_logits, x).backward()
    to_mu, to_logvar = model.encoder[-1].weight.grad.split(2)
    assert to_mu.abs().sum() > 0
    assert to_logvar.abs().sum() > 0
    assert model.encoder[0].weight.grad.abs().sum() > 0


def test_the_gradient_at_mu_is_the_gradient_at_z():
    model = VAE(2, (8,), 5)
    output = model(torch.rand(16, 5))
    grads = torch.autograd.grad(output.x_logits.square().sum(), (output.mu, output.z))
    assert torch.allclose(*grads)
    assert grads[0].abs().sum() > 0


@pytest.mark.parametrize("n", [1, 7])
def test_samples_are_images_of_pixels_between_zero_and_one(n):
    images = VAE(2, (8,), 5).sample(n)
    assert images.shape == (n, 5)
    assert images.min() >= 0
    assert images.max() <= 1


def test_samples_are_the_sigmoid_of_decoded_standard_normal_latents():
    model = VAE(2, (), 2)
    with torch.no_grad():
        model.decoder[0].weight.copy_(torch.eye(2))
        model.decoder[0].bias.zero_()
    assert_standard_normal(model.sample(100_000).double().logit())


def test_samples_carry_no_gradient():
    assert not VAE(2, (8,), 5).sample(3).requires_grad


def test_sampling_no_image_is_refused():
    with pytest.raises(ValueError, match="got n = 0"):
        VAE(2, (8,), 5).sample(0)


# ConditionalVAE


def conditional():
    return ConditionalVAE(2, (8,), 5, condition_dim=3)


def test_conditional_vae_shapes():
    condition = torch.eye(3)[[0, 1, 2, 0]]
    output = conditional()(torch.rand(4, 5), condition)
    assert isinstance(output, VAEOutput)
    assert [tuple(part.shape) for part in output] == [(4, 5), (4, 2), (4, 2), (4, 2)]


def test_the_condition_reaches_encoder_and_decoder():
    model, x, z = conditional(), torch.rand(4, 5), torch.randn(4, 2)
    one, two = (torch.eye(3)[c].expand(4, 3) for c in (0, 1))
    assert not torch.equal(model.encode(x, one)[0], model.encode(x, two)[0])
    assert not torch.equal(model.decode(z, one), model.decode(z, two))


def test_a_conditional_pass_is_encode_then_noise_then_decode():
    model, x, condition, eps = conditional(), torch.rand(4, 5), torch.eye(4, 3), torch.randn(4, 2)
    output = model(x, condition, eps)
    mu, logvar = model.encoder(torch.cat([x, condition], dim=1)).split(2, dim=1)
    assert torch.equal(output.mu, mu)
    assert torch.equal(output.logvar, logvar)
    assert torch.allclose(output.z, mu + eps * logvar.exp().sqrt(), atol=1e-6)
    assert torch.equal(output.x_logits, model.decoder(torch.cat([output.z, condition], dim=1)))


@pytest.mark.parametrize("c", [0, 1, 2])
def test_the_elbo_given_the_class_bounds_the_likelihood_given_the_class(c):
    """On average over the noise, for each of the 32 images; and log p(x|c) sums to one."""
    model = conditional().double()
    with torch.no_grad():
        model.decoder[-1].weight *= 5
    images = torch.tensor(list(itertools.product([0.0, 1.0], repeat=5))).double()
    condition = torch.eye(3)[c].double()
    z = torch.cartesian_prod(*[torch.linspace(-6, 6, 121).double()] * 2)
    with torch.no_grad():
        logits = model.decode(z, condition.expand(len(z), 3))
        pixels = dist.Bernoulli(logits=logits).log_prob(images[:, None]).sum(dim=-1)
        weights = dist.Normal(0.0, 1.0).log_prob(z).sum(dim=-1) + 2 * math.log(0.1)
        exact_value = (pixels + weights).logsumexp(dim=1)
        many = images.repeat_interleave(2000, dim=0)
        terms = elbo_terms(many, model(many, condition.expand(len(many), 3)))
    assert exact_value.exp().sum().item() == pytest.approx(1, abs=1e-6)
    elbo = terms.elbo().view(32, 2000)
    assert (elbo.mean(dim=1) <= exact_value + 6 * elbo.std(dim=1) / 2000**0.5).all()
    assert (elbo.mean(dim=1) > exact_value - 3).all()


def test_samples_take_a_condition_each_or_one_for_all():
    model, conditions = conditional(), torch.eye(3)
    assert model.sample(3, conditions).shape == (3, 5)
    torch.manual_seed(1)
    all_alike = model.sample(4, conditions[1])
    torch.manual_seed(1)
    assert torch.equal(model.sample(4, conditions[1].expand(4, 3)), all_alike)
    torch.manual_seed(1)
    assert not torch.equal(model.sample(4, conditions[2]), all_alike)
    assert all_alike.min() >= 0
    assert all_alike.max() <= 1
    assert not all_alike.requires_grad


def test_a_condition_that_does_not_fit_is_refused():
    model, x = conditional(), torch.rand(4, 5)
    with pytest.raises(TypeError, match="condition"):
        model.encode(x)
    with pytest.raises(ValueError, match=r"expected an input of shape \(B, 8\); got \(4, 7\)"):
        model.encode(x, torch.zeros(4, 2))
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):  # torch's own words
        model.encode(x, torch.zeros(5, 3))
    with pytest.raises(ValueError, match="got n = 0"):
        model.sample(0, torch.zeros(3))
    with pytest.raises(ValueError, match="expected"):
        ConditionalVAE(2, (8,), 5, condition_dim=-1)


# reparameterize


def test_reparameterize_without_noise_gives_mu():
    mu, logvar = torch.randn(4, 3), torch.randn(4, 3)
    assert torch.equal(reparameterize(mu, logvar, torch.zeros(4, 3)), mu)


def test_reparameterize_adds_the_noise_scaled_by_the_standard_deviation():
    mu, std = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]])
    z = reparameterize(mu, 2 * std.log(), torch.tensor([[2.0, -1.0]]))
    assert torch.allclose(z, torch.tensor([[2.0, -5.0]]))


def test_the_derivative_of_z_by_mu_is_one():
    mu, logvar = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3)
    reparameterize(mu, logvar).sum().backward()
    assert torch.equal(mu.grad, torch.ones(4, 3))


def test_the_derivative_of_z_by_logvar_is_half_of_eps_sigma():
    mu, eps = torch.randn(4, 3), torch.randn(4, 3)
    logvar = torch.randn(4, 3, requires_grad=True)
    reparameterize(mu, logvar, eps).sum().backward()
    assert torch.allclose(logvar.grad, eps * logvar.detach().exp().sqrt() / 2)


def test_reparameterize_samples_the_normal_distribution():
    n = 100_000
    mu, std = torch.tensor([1.5, -3.0]).double(), torch.tensor([0.7, 2.0]).double()
    z = reparameterize(mu.expand(n, 2), (2 * std.log()).expand(n, 2))
    standard = (z - mu) / std
    assert_standard_normal(standard)
    assert standard.prod(dim=1).mean().abs() < 6 / n**0.5  # the two latents are independent


@pytest.mark.parametrize(
    ("logvar", "eps"), [((4, 2), (4, 3)), ((4, 3), (4, 1)), ((3,), (4, 3)), ((1, 3), None)]
)
def test_reparameterize_refuses_shapes_that_differ(logvar, eps):
    with pytest.raises(ValueError, match="expected mu, logvar, eps of one shape"):
        reparameterize(
            torch.zeros(4, 3), torch.zeros(logvar), None if eps is None else torch.zeros(eps)
        )


# Properties


@given(st.lists(st.integers(-1, 5) | st.sampled_from([1.5, math.nan, "3", None]), max_size=4))
def test_mlp_has_the_sizes_given_or_refuses_them(sizes):
    network = answer_or_none(mlp, sizes)
    if len(sizes) < 2 or not all(isinstance(size, int) and size > 0 for size in sizes):
        assert network is None
    else:
        linear = [layer for layer in network if isinstance(layer, nn.Linear)]
        assert [layer.in_features for layer in linear] == sizes[:-1]
        assert [layer.out_features for layer in linear] == sizes[1:]
        assert network(torch.zeros(3, sizes[0])).shape == (3, sizes[-1])


def forward(network, inputs):
    """A pass in float64."""
    values = inputs.detach().double()
    for layer in network:
        if isinstance(layer, nn.ReLU):
            values = values.clamp(min=0)
        else:
            values = values @ layer.weight.detach().double().T + layer.bias.detach().double()
    return values


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
@given(data=st.data(), b=counts, lead=st.sampled_from([(), (2,)]), dtype=dtypes)
def test_networks_compute_what_their_matrices_say(kind, data, b, lead, dtype):
    torch.manual_seed(0)
    model = kind(2, (5, 4), 6).to(dtype)
    x, z = (data.draw(tensors(*lead, b, width, dtype=dtype)) for width in (6, 2))
    codes = model.encode(x)
    codes = torch.cat(codes, dim=-1) if kind is VAE else codes
    assert_right(codes, forward(model.encoder, x), dtype)
    assert_right(model.decode(z), forward(model.decoder, z), dtype)


@given(st.data(), counts, widths, dtypes)
def test_reparameterize_is_mean_plus_deviation_times_noise(data, b, d, dtype):
    mu, logvar, eps = (data.draw(tensors(b, d, dtype=dtype)) for _ in range(3))
    m, v, e = exact(mu, logvar, eps)
    assert_right(reparameterize(mu, logvar, eps), m + (v / 2).exp() * e, dtype)
    drawn = reparameterize(mu, logvar)
    assert drawn.shape == mu.shape
    assert drawn.isfinite().all()


CALLS = {"encode": 6, "decode": 2, "forward": 6}


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
@pytest.mark.parametrize("name", CALLS)
@given(shape=array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=7))
def test_networks_refuse_another_width(kind, name, shape):
    if shape and shape[-1] == CALLS[name]:
        return
    with refused():
        getattr(kind(2, (5, 4), 6), name)(torch.zeros(shape))


@given(st.integers(1, 5), dtypes)
def test_samples_are_pixel_means(n, dtype):
    images = VAE(2, (5, 4), 6).to(dtype).sample(n)
    assert images.shape == (n, 6)
    assert images.dtype == dtype
    assert ((images >= 0) & (images <= 1)).all()


@given(not_counts)
def test_a_number_of_samples_that_is_no_count_is_refused(n):
    with refused():
        VAE(2, (5, 4), 6).sample(n)


@pytest.mark.parametrize("kind", [Autoencoder, VAE, ConditionalVAE])
@given(size=not_counts, place=st.sampled_from(["latent_dim", "hidden_dims", "input_dim"]))
def test_models_refuse_sizes_that_are_no_counts(kind, size, place):
    with refused():
        kind(**{"hidden_dims": (3,), "input_dim": 4, place: (size,) if "dims" in place else size})
