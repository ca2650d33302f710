"""Properties that every function of helpers keeps for whatever a reader hands in.

Tensors of any real dtype, in any layout, with any number of examples, none and one among them, get
the right answer; numbers that are not finite, and shapes and counts that do not fit, get a
ValueError in a sentence: "expected …; got …". Nothing returns NaN, and no error comes out of torch.

The right answers come from torch.distributions, closed forms and NumPy in float64, applied to the
values as they were rounded to their dtype. float32 and less must be right to 1e-5 of the largest
term of a sum, float64 to 1e-11. Hypothesis draws the examples from a fixed seed, so that every run
sees the same ones; there is no time limit for one. The file takes about half a minute.
"""

import copy
import math
import re
from contextlib import contextmanager
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import distributions as dist
from torch import nn

from helpers import exercises, plots, saving
from helpers.data import ImageData, balanced, gaussian_classes
from helpers.evaluation import (
    active_units,
    exact_log_likelihood,
    importance_weighted_bound,
    nearest_distance,
    reencoding_shift,
)
from helpers.explorers import (
    BoundExplorer,
    EstimatorExplorer,
    Flipbook,
    FrozenNoise,
    KLExplorer,
    LatentExplorer,
    PlaneExplorer,
    PosteriorExplorer,
)
from helpers.losses import (
    ELBOTerms,
    bernoulli_log_likelihood,
    elbo_terms,
    gaussian_log_likelihood,
    kl_divergence,
)
from helpers.models import VAE, Autoencoder, VAEOutput, mlp, reparameterize
from helpers.training import History, fit, set_seed

settings.register_profile("helpers", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("helpers")

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
DTYPES = [*FLOATS, torch.uint8, torch.int64, torch.bool]
SENTENCE = r"(?s)^expected .+; got .+"
LAYOUTS = ["contiguous", "transposed", "every second"]

counts = st.integers(0, 5)
widths = st.integers(1, 4)
not_finite = st.sampled_from([math.nan, math.inf, -math.inf])
not_counts = st.sampled_from([0, -1, 1.5, math.nan, math.inf, "2", None])
any_size = st.floats(allow_nan=False, allow_infinity=False, width=32)


@st.composite
def tensors(draw, *shape, low=-3.0, high=3.0, dtypes=DTYPES):
    """A tensor of the shape: between low and high, of one of the dtypes, in one of the layouts."""
    numbers = st.floats(low, high, width=16)
    values = torch.from_numpy(draw(arrays(np.float64, shape, elements=numbers)))
    dtype = draw(st.sampled_from(dtypes))
    values = (values.abs() if dtype == torch.uint8 else values).to(dtype)
    return laid_out(values, draw(st.sampled_from(LAYOUTS)))


def laid_out(values, layout):
    """The same values in other strides; what lies between them is NaN, where there is one."""
    if layout == "transposed" and values.ndim > 1:
        return values.mT.contiguous().mT
    if layout == "every second":
        between = torch.full_like(values, math.nan if values.is_floating_point() else 1)
        return torch.stack([values, between], dim=-1)[..., 0]
    return values


def exact(*values):
    """The values as float64."""
    return [value.detach().double() for value in values]


def assert_right(result, wanted, *arguments):
    """The result is as wanted (float64), in the widest dtype of the arguments, float32 at least."""
    double = torch.float64 in [values.dtype for values in arguments]
    assert result.dtype == (torch.float64 if double else torch.float32)
    assert result.shape == wanted.shape
    tolerance = 1e-11 if double else 1e-5
    scale = 1 + max((float(wanted.abs().max()) if wanted.numel() else 0.0), 0.0)
    assert torch.allclose(result.double(), wanted, rtol=tolerance, atol=tolerance * scale)


@contextmanager
def refused():
    """The block must end in a ValueError that is a sentence of ours."""
    with pytest.raises(ValueError, match=SENTENCE):
        yield


def answer_or_none(function, *arguments):
    """The function's answer, or None where it refuses in a sentence."""
    try:
        return function(*arguments)
    except ValueError as error:
        if not re.match(SENTENCE, str(error)):
            raise
        return None


def spoiled(draw, values, bad):
    """A floating-point copy with one number that is not finite."""
    values = values.float().clone()
    values[tuple(draw(st.integers(0, size - 1)) for size in values.shape)] = bad
    return values


# Losses


@given(st.data(), counts, widths)
def test_kl_is_that_of_torch_distributions(data, b, d):
    mu, logvar = data.draw(tensors(b, d)), data.draw(tensors(b, d))
    m, v = exact(mu, logvar)
    wanted = dist.kl_divergence(dist.Normal(m, (v / 2).exp()), dist.Normal(0.0, 1.0)).sum(dim=-1)
    kl = kl_divergence(mu, logvar)
    assert_right(kl, wanted, mu, logvar)
    assert (kl >= 0).all()


@given(st.data(), st.sampled_from([("b", "b"), ("b1", "1k"), ("b", "1")]), counts, counts, widths)
def test_bernoulli_is_the_sum_over_pixels_and_broadcasts(data, shapes, b, k, d):
    sizes = {"b": (b, d), "b1": (b, 1, d), "1k": (1, k, d), "1": (1, d)}
    x = data.draw(tensors(*sizes[shapes[0]], low=0.0, high=1.0))
    logits = data.draw(tensors(*sizes[shapes[1]], low=-50.0, high=50.0))
    pixels, logit = exact(x, logits)
    zero = torch.zeros(())
    logs = -pixels * torch.logaddexp(zero, -logit) - (1 - pixels) * torch.logaddexp(zero, logit)
    value = bernoulli_log_likelihood(x, logits)
    assert_right(value, logs.sum(dim=-1), x, logits)
    assert (value <= 0).all()


@given(st.data(), counts, widths)
def test_gaussian_is_that_of_torch_distributions(data, b, d):
    x, mean = data.draw(tensors(b, d)), data.draw(tensors(b, d))
    shape = data.draw(st.sampled_from([(), (d,), (b, 1), (b, d)]))
    logvar = data.draw(tensors(*shape))
    values, m, v = exact(x, mean, logvar)
    wanted = dist.Normal(m, (v / 2).exp()).log_prob(values).sum(dim=-1)
    assert_right(gaussian_log_likelihood(x, mean, logvar), wanted, x, mean)


@given(st.data(), st.integers(1, 5), widths)
def test_half_precision_does_not_overflow_where_float32_does_not(data, b, d):
    large = tensors(b, d, low=-6e4, high=6e4, dtypes=[torch.float16])
    mu, x = data.draw(large), data.draw(tensors(b, d, low=0.0, high=1.0, dtypes=[torch.float16]))
    zero = torch.zeros_like(mu)
    (m, pixels) = exact(mu, x)
    assert_right(kl_divergence(mu, zero), m.square().sum(dim=-1) / 2, mu)
    bernoulli = (pixels * m - torch.logaddexp(torch.zeros(()), m)).sum(dim=-1)
    assert_right(bernoulli_log_likelihood(x, mu), bernoulli, mu)
    gaussian = -((m.square() + math.log(2 * math.pi)) / 2).sum(dim=-1)
    assert_right(gaussian_log_likelihood(mu, zero, 0.0), gaussian, mu)


TENSOR_FUNCTIONS = [
    (kl_divergence, 2),
    (bernoulli_log_likelihood, 2),
    (gaussian_log_likelihood, 3),
    (reparameterize, 3),
]
for_each_function = pytest.mark.parametrize(
    ("function", "count"), TENSOR_FUNCTIONS, ids=lambda value: getattr(value, "__name__", None)
)


@for_each_function
@given(data=st.data(), b=st.integers(1, 4), d=widths, bad=not_finite)
def test_a_number_that_is_not_finite_is_refused(function, count, data, b, d, bad):
    arguments = [data.draw(tensors(b, d, low=0.0, high=1.0, dtypes=FLOATS)) for _ in range(count)]
    place = data.draw(st.integers(0, count - 1))
    arguments[place] = spoiled(data.draw, arguments[place], bad)
    if function is reparameterize and (place, bad) == (1, -math.inf):
        assert function(*arguments).isfinite().all()  # a standard deviation of 0
        return
    with refused():
        function(*arguments)


@for_each_function
@given(data=st.data(), b=counts, d=widths)
def test_finite_numbers_of_any_size_are_answered_by_finite_ones_or_refused(
    function, count, data, b, d
):
    draw = arrays(np.float32, (b, d), elements=any_size)
    arguments = [torch.from_numpy(data.draw(draw)) for _ in range(count)]
    if function is bernoulli_log_likelihood:
        arguments[0] = arguments[0].sigmoid()
    answer = answer_or_none(function, *arguments)
    assert answer is None or answer.isfinite().all()


@for_each_function
@given(data=st.data())
@settings(max_examples=200)
def test_shapes_fit_and_give_the_right_shape_or_are_refused(function, count, data):
    shapes = [data.draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))]
    shapes += [data.draw(st.just(shapes[0]) | near(shapes[0])) for _ in range(count - 1)]
    answer = answer_or_none(function, *(torch.zeros(shape) for shape in shapes))
    wanted = shape_of_answer(function, *shapes)
    assert (None if answer is None else tuple(answer.shape)) == wanted


def near(shape):
    """Other shapes, often with a size of 1 in place of another, or a dimension more or less."""
    ones = st.tuples(*(st.sampled_from([size, 1]) for size in shape))
    return ones | st.just(shape[1:]) | st.just((1, *shape)) | st.just(tuple(reversed(shape)))


def shape_of_answer(function, first, second, *others):
    """What the docstrings promise; None where they promise an error."""
    if function is reparameterize:
        return first if {first} == {second, *others} else None
    if function is kl_divergence:
        return first[:-1] if first == second and first else None
    if not first or len(first) != len(second) or first[-1] != second[-1]:
        return None
    try:
        for other in others:  # logvar must not enlarge the mean
            if np.broadcast_shapes(second, other) != second:
                return None
        return np.broadcast_shapes(first, second)[:-1]
    except ValueError:
        return None


@given(st.data(), counts, widths, widths)
def test_elbo_terms_are_one_pair_an_image(data, b, d, latent_dim):
    x = data.draw(tensors(b, d, low=0.0, high=1.0))
    logits, mu, logvar = (data.draw(tensors(b, w)) for w in (d, latent_dim, latent_dim))
    terms = elbo_terms(x, VAEOutput(logits, mu, logvar, mu))
    assert torch.equal(terms.reconstruction, bernoulli_log_likelihood(x, logits))
    assert torch.equal(terms.kl, kl_divergence(mu, logvar))


@given(st.tuples(counts, counts, counts), st.sampled_from([(), (2,)]))
def test_elbo_terms_refuse_counts_that_differ(sizes, rest):
    x, logits, mu = (torch.zeros(size, *rest) for size in sizes)
    if rest == (2,) and len(set(sizes)) == 1:
        return
    with refused():
        elbo_terms(x if rest else x.sum(), VAEOutput(logits, mu, mu, mu))


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


# Models


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


SIZES = (2, (5, 4), 6)


def model_of(kind, dtype=torch.float32, **options):
    torch.manual_seed(0)
    return kind(*SIZES, **options).to(dtype)


def forward(network, inputs):
    """A pass in float64, and a bound of what rounding each layer to `unit` may change."""
    values, error = inputs.detach().double(), torch.zeros(inputs.shape, dtype=torch.float64)
    unit = 4 * torch.finfo(network[0].weight.dtype).eps
    for layer in network:
        if isinstance(layer, nn.ReLU):
            values = values.clamp(min=0)
            continue
        weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
        size = values.abs() @ weight.abs().T + bias.abs()
        error = error @ weight.abs().T + unit * (size + error @ weight.abs().T)
        values = values @ weight.T + bias
    return values, error


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
@given(data=st.data(), b=counts, lead=st.sampled_from([(), (2,)]))
def test_networks_compute_what_numpy_computes(kind, data, b, lead):
    model = model_of(kind, data.draw(st.sampled_from([torch.float16, *FLOATS[2:]])))
    dtype = model.decoder[0].weight.dtype
    x, z = data.draw(tensors(*lead, b, 6)), data.draw(tensors(*lead, b, 2))
    codes, images = model.encode(x), model.decode(z)
    codes = torch.cat(codes, dim=-1) if kind is VAE else codes
    for inputs, network, outputs in ((x, model.encoder, codes), (z, model.decoder, images)):
        wanted, error = forward(network, inputs.to(dtype))
        assert outputs.dtype == dtype
        assert outputs.shape == wanted.shape
        assert ((outputs.double() - wanted).abs() <= error + 1e-12).all()


@given(st.data(), counts)
def test_a_pass_of_a_vae_is_encode_then_noise_then_decode(data, b):
    model = model_of(VAE, data.draw(st.sampled_from(FLOATS)), condition_dim=3)
    x, eps = data.draw(tensors(b, 6)), data.draw(tensors(b, 2))
    condition = nn.functional.one_hot(torch.arange(b) % 3, 3)  # integers, as a reader has them
    output = model(x, eps, condition)
    mu, logvar = model.encode(x, condition)
    assert torch.equal(output.mu, mu)
    assert torch.equal(output.logvar, logvar)
    assert torch.equal(output.x_logits, model.decode(output.z, condition))
    m, v, e = exact(mu, logvar, eps)
    assert_right(output.z, m + (v / 2).exp() * e, mu, logvar, eps)
    assert model(x, condition=condition).z.shape == (b, 2)


@given(st.data(), counts, widths)
def test_reparameterize_is_mean_plus_deviation_times_noise(data, b, d):
    mu, logvar, eps = (data.draw(tensors(b, d)) for _ in range(3))
    m, v, e = exact(mu, logvar, eps)
    assert_right(reparameterize(mu, logvar, eps), m + (v / 2).exp() * e, mu, logvar, eps)
    drawn = reparameterize(mu, logvar)
    assert drawn.shape == mu.shape
    assert drawn.isfinite().all()


CALLS = {
    "Autoencoder.encode": (Autoencoder, "encode", 6),
    "Autoencoder.decode": (Autoencoder, "decode", 2),
    "Autoencoder.forward": (Autoencoder, "forward", 6),
    "VAE.encode": (VAE, "encode", 6),
    "VAE.decode": (VAE, "decode", 2),
    "VAE.forward": (VAE, "forward", 6),
}


@pytest.mark.parametrize("call", CALLS)
@given(data=st.data(), shape=array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=7))
def test_networks_refuse_another_width(call, data, shape):
    kind, name, width = CALLS[call]
    if shape and shape[-1] == width:
        shape = shape[:-1]
        if shape and shape[-1] == width:
            return
    with refused():
        getattr(model_of(kind), name)(data.draw(tensors(*shape)))


@pytest.mark.parametrize("call", CALLS)
@given(data=st.data(), b=st.integers(1, 4), bad=not_finite)
def test_networks_refuse_what_is_not_finite(call, data, b, bad):
    kind, name, width = CALLS[call]
    inputs = spoiled(data.draw, data.draw(tensors(b, width)), bad)
    with refused():
        getattr(model_of(kind), name)(inputs)


@given(st.data(), counts, st.sampled_from([None, (3,), (1, 3), (2, 2), (0, 3), (4, 3, 1)]))
def test_a_vae_refuses_a_condition_that_does_not_fit(data, b, shape):
    x = torch.zeros(b, 6)
    if shape == (b, 3):
        return
    with refused():
        model_of(VAE, condition_dim=3)(x, None, None if shape is None else torch.zeros(shape))
    if b:
        condition = spoiled(data.draw, torch.zeros(b, 3), math.nan)
        with refused():
            model_of(VAE, condition_dim=3).encode(x, condition)


@given(st.integers(1, 5), st.sampled_from(FLOATS))
def test_samples_are_pixel_means(n, dtype):
    images = model_of(VAE, dtype).sample(n)
    assert images.shape == (n, 6)
    assert ((images >= 0) & (images <= 1)).all()


@given(not_counts)
def test_counts_that_are_no_counts_are_refused(n):
    vae, x = model_of(VAE), torch.zeros(3, 6)
    eye, options = torch.eye(2)[None], {"progress": False}
    for call in (
        lambda: vae.sample(n),
        lambda: gaussian_classes(n, torch.zeros(1, 2), eye),
        lambda: importance_weighted_bound(vae, x, n),
        lambda: exact_log_likelihood(vae, x, points_per_axis=n),
        lambda: fit(vae, vae_loss, x, epochs=n, **options),
        lambda: fit(vae, vae_loss, x, epochs=1, batch_size=n, **options),
        lambda: plots.plot_images(torch.zeros(2, 4), columns=n),
    ):
        with refused():
            call()


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
@given(size=not_counts, place=st.sampled_from(["latent_dim", "hidden_dims", "input_dim"]))
def test_models_refuse_sizes_that_are_no_counts(kind, size, place):
    with refused():
        kind(**{"hidden_dims": (3,), "input_dim": 4, place: (size,) if "dims" in place else size})


# Evaluation


def deaf_model(dtype=torch.float32):
    """A VAE whose images do not depend on z and whose codes do not depend on x: N(0, I)."""
    model = model_of(VAE, dtype)
    with torch.no_grad():
        for network in (model.encoder, model.decoder):
            for parameter in network[-1].parameters():
                parameter.zero_()
        model.decoder[-1].bias.copy_(torch.linspace(-2, 2, 6))
    return model


def bernoulli_of_biases(model, x):
    probabilities = model.decoder[-1].bias.detach().double().sigmoid()
    return dist.Bernoulli(probs=probabilities, validate_args=False).log_prob(x).sum(dim=-1)


@given(st.data(), counts, st.integers(1, 5), st.sampled_from(FLOATS))
def test_both_likelihoods_of_a_deaf_model_are_those_of_its_biases(data, b, k, dtype):
    model = deaf_model(dtype)
    x = data.draw(tensors(b, 6, low=0.0, high=1.0))
    wanted = bernoulli_of_biases(model, x.double())
    in_square = 2 * math.log(math.erf(4 / 2**0.5))  # the prior's mass within ±4
    bound = importance_weighted_bound(model, x, k)
    integral = exact_log_likelihood(model, x, points_per_axis=40, limit=4.0)
    for value, right in ((bound, wanted), (integral, wanted + in_square)):
        assert value.shape == (b,)
        assert value.dtype in (torch.float32, torch.float64)
        assert torch.allclose(value.double(), right, rtol=1e-5, atol=1e-5)


@given(st.data(), st.integers(2, 6), st.sampled_from([0.9, 1.1]), st.integers(0, 1))
def test_active_units_are_those_whose_mean_varies(data, b, factor, unit):
    model = model_of(VAE, torch.float64)
    x = data.draw(tensors(b, 6))
    variance = forward(model.encoder, x)[0][:, :2].numpy().var(axis=0, ddof=1)
    threshold = factor * variance[unit] + 1e-9  # variances of rounding are not active
    assert active_units(model, x, threshold).tolist() == (variance > threshold).tolist()


@given(st.data(), counts, st.integers(1, 5), st.integers(0, 4))
def test_nearest_distance_is_the_least_of_all(data, b, n, d):
    images, digits = data.draw(tensors(b, d)), data.draw(tensors(n, d))
    a, c = (values.numpy() for values in exact(images, digits))
    wanted = np.linalg.norm(a[:, None] - c[None], axis=-1).min(axis=1)
    assert_right(nearest_distance(images, digits), torch.from_numpy(wanted), images, digits)


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
@given(data=st.data(), b=counts, n=st.integers(2, 5))
def test_the_shift_is_that_of_numpy(kind, data, b, n):
    model = model_of(kind, torch.float64)
    z, codes = data.draw(tensors(b, 2)), data.draw(tensors(n, 2))
    (z64, codes64) = exact(z, codes)
    again = forward(model.encoder, forward(model.decoder, z64)[0].sigmoid())[0][:, :2]
    spread = codes64.numpy().var(axis=0).sum()
    if spread < 1e-3:
        return
    shift = reencoding_shift(model, z, codes).double()
    assert torch.allclose(shift, (again - z64).square().sum(dim=1) / spread, rtol=1e-4)


def test_codes_that_do_not_vary_are_refused():
    for codes in (torch.ones(5, 2), torch.ones(1, 2), torch.ones(0, 2)):
        with refused():
            reencoding_shift(model_of(VAE), torch.zeros(3, 2), codes)


EVALUATIONS = {
    "importance_weighted_bound": (lambda x: importance_weighted_bound(model_of(VAE), x, 2), 6),
    "exact_log_likelihood": (lambda x: exact_log_likelihood(model_of(VAE), x, 4), 6),
    "active_units": (lambda x: active_units(model_of(VAE), x), 6),
    "nearest_distance, images": (lambda x: nearest_distance(x, torch.rand(4, 6)), 6),
    "nearest_distance, digits": (lambda x: nearest_distance(torch.rand(4, 6), x), 6),
    "reencoding_shift, z": (lambda z: reencoding_shift(model_of(VAE), z, torch.rand(9, 2)), 2),
    "reencoding_shift, codes": (lambda c: reencoding_shift(model_of(VAE), torch.rand(4, 2), c), 2),
}


@pytest.mark.parametrize("name", EVALUATIONS)
@given(data=st.data(), b=st.integers(2, 4), bad=not_finite)
def test_evaluation_refuses_what_is_not_finite(name, data, b, bad):
    call, width = EVALUATIONS[name]
    values = data.draw(tensors(b, width, low=0.0, high=1.0, dtypes=[torch.float32]))
    with refused():
        call(spoiled(data.draw, values, bad))


@pytest.mark.parametrize("name", EVALUATIONS)
@given(shape=array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=7))
def test_evaluation_refuses_another_rank_or_width(name, shape):
    call, width = EVALUATIONS[name]
    if len(shape) == 2 and shape[1] == width:
        shape = shape[1:]
    with refused():
        call(torch.zeros(shape))


@given(not_finite | st.floats(-5, -1e-3))
def test_limits_and_thresholds_out_of_range_are_refused(value):
    with refused():
        exact_log_likelihood(model_of(VAE), torch.zeros(1, 6), 4, value)
    if not value > 0:
        with refused():
            active_units(model_of(VAE), torch.zeros(3, 6), value)


# Data


@given(st.integers(1, 3), st.permutations(range(10)), st.integers(0, 4), st.integers(0, 4))
def test_balanced_data_has_the_first_images_of_each_class_or_is_refused(rounds, more, train, test):
    y = torch.tensor([*more[:5], *more * rounds])
    x = torch.arange(len(y))[:, None].expand(-1, 784).float()
    data = answer_or_none(balanced, ImageData(x, y, x, y), train, test)
    if not 1 <= min(train, test) <= max(train, test) <= torch.bincount(y).min():
        assert data is None
        return
    for images, classes, n in (
        (data.x_train, data.y_train, train),
        (data.x_test, data.y_test, test),
    ):
        assert classes.tolist() == list(range(10)) * n
        for c in range(10):
            first = [i for i, label in enumerate(y.tolist()) if label == c][:n]
            assert images[c::10, 0].tolist() == first


@given(st.data(), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**40))
def test_classes_are_standard_noise_scaled_and_moved(data, n, c, seed):
    means, roots = data.draw(tensors(c, 2)), data.draw(tensors(c, 2, 2, dtypes=FLOATS[2:]))
    covariances = roots @ roots.mT + 0.5 * torch.eye(2)
    x, y = gaussian_classes(n, means, covariances, seed=seed)
    noise, _ = gaussian_classes(n, torch.zeros(c, 2), torch.eye(2).expand(c, 2, 2), seed=seed)
    factors = np.linalg.cholesky(covariances.double().numpy())
    moved = means.double().numpy() + np.einsum(
        "cij,ncj->nci", factors, noise.double().reshape(n, c, 2).numpy()
    )
    assert x.dtype == torch.float32
    assert y.tolist() == list(range(c)) * n
    assert np.allclose(x.numpy(), moved.reshape(-1, 2), rtol=1e-4, atol=1e-4)


@given(st.data(), st.integers(1, 3), not_finite)
def test_classes_of_odd_means_or_covariances_are_refused(data, c, bad):
    means, covariances = torch.zeros(c, 2), torch.eye(2).repeat(c, 1, 1)
    skew = torch.tensor([[1.0, 0.5], [0.0, 1.0]]).repeat(c, 1, 1)
    for odd_means, odd_covariances in (
        (spoiled(data.draw, means, bad), covariances),
        (means, spoiled(data.draw, covariances, bad)),
        (means[0], covariances),
        (means.sum(), covariances),
        (means[:, :1], covariances),
        (means[:0], covariances[:0]),
        (means, covariances[0]),
        (means, -covariances),
        (means, 0 * covariances),
        (means, skew),
    ):
        with refused():
            gaussian_classes(3, odd_means, odd_covariances)


# Training


class Scale(nn.Module):
    """w · x, with a single weight."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5, dtype=dtype))

    def forward(self, x):
        return self.w * x


def square_loss(model, batch):
    loss = (1 - model(batch)).square().sum(dim=-1).mean()
    return loss, {"twice": 2 * loss}


def vae_loss(model, batch):
    return -elbo_terms(batch, model(batch)).elbo().mean()


@given(st.data(), st.integers(1, 5), st.integers(1, 5), widths, st.integers(1, 6))
@settings(max_examples=25)
def test_at_a_rate_of_almost_zero_each_epoch_has_the_mean_loss_of_all_examples(
    data, n, n_val, d, batch_size
):
    x, x_val = (data.draw(tensors(count, d, dtypes=FLOATS)) for count in (n, n_val))
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
    epochs, seed = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 2**40))
    history = fit(
        Scale(dtype),
        square_loss,
        x,
        epochs=epochs,
        batch_size=batch_size,
        lr=1e-30,
        x_val=x_val,
        seed=seed,
        progress=False,
    )
    for values, record in ((x, history.train), (x_val, history.validation)):
        mean = (1 - 0.5 * values.double().numpy()) ** 2
        mean = mean.sum(axis=1).mean()
        assert record["loss"] == pytest.approx([mean] * epochs, rel=1e-5)
        assert record["twice"] == pytest.approx([2 * mean] * epochs, rel=1e-5)


@pytest.mark.parametrize("dtype", FLOATS[1:], ids=str)
def test_a_model_trains_in_its_own_dtype_and_stays_finite(dtype):
    torch.manual_seed(0)
    model, x = model_of(VAE, dtype), torch.rand(40, 6).round().double()
    history = fit(model, vae_loss, x, epochs=3, batch_size=8, lr=0.01, progress=False)
    assert history.train["loss"][-1] < history.train["loss"][0]
    assert all(p.dtype == dtype and p.isfinite().all() for p in model.parameters())


@given(
    st.sampled_from(
        [
            {"lr": math.inf},
            {"lr": math.nan},
            {"lr": 0.0},
            {"seed": -1},
            {"seed": 1.5},
            {"model": nn.ReLU()},
            {"model": Scale(torch.float16)},
            {"loss_fn": lambda model, batch: batch.mean()},
            {"loss_fn": lambda model, batch: model(batch).mean().item()},
            {"loss_fn": lambda model, batch: model(batch)},
            {"loss_fn": lambda model, batch: (model.w, {"values": model(batch)[:, 0]})},
            {"x": torch.zeros(())},
            {"x": torch.zeros(3)},
            {"x": torch.zeros(0, 3)},
            {"x": torch.zeros(3, 2, dtype=torch.bool)},
            {"x": torch.tensor([[math.inf]])},
            {"x_val": torch.tensor([[math.nan]]).half()},
        ]
    )
)
def test_training_refuses_arguments_that_cannot_be_used(change):
    options = {"model": Scale(), "loss_fn": square_loss, "x": torch.ones(4, 2), "epochs": 1}
    with refused():
        fit(**options | {"progress": False} | change)


@pytest.mark.parametrize("lr", [1e5, 1e20])
def test_training_that_diverges_says_where_whatever_saw_it_first(lr):
    x = torch.rand(40, 6, generator=torch.Generator().manual_seed(0))
    with pytest.raises(FloatingPointError, match=r"epoch \d+, step \d+ of 5\. Try a lower lr"):
        fit(model_of(VAE), vae_loss, x, epochs=20, batch_size=8, lr=lr, progress=False)


@given(st.integers(0, 2**63 - 1))
def test_a_seed_repeats_the_numbers(seed):
    drawn = []
    for _ in range(2):
        set_seed(seed)
        drawn.append((torch.rand(3).tolist(), np.random.rand(3).tolist()))  # noqa: NPY002
    assert drawn[0] == drawn[1]


@given(st.sampled_from([-1, 1.5, math.nan, None, "0"]))
def test_a_seed_that_is_no_count_is_refused(seed):
    with refused():
        set_seed(seed)


# Pictures


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@given(st.data(), st.integers(1, 5), st.integers(1, 3), st.integers(1, 6), st.booleans())
def test_a_mosaic_holds_every_image_where_it_belongs(data, n, side, columns, flat):
    shape = (n, side * side) if flat else (n, side, side)
    images = data.draw(tensors(*shape, low=0.0, high=1.0))
    ax = plots.plot_images(images, columns=columns)
    mosaic = ax.images[0].get_array()
    wanted = images.double().reshape(n, side, side).numpy()
    for i in range(n):
        top, left = (i // columns) * (side + 1), (i % columns) * (side + 1)
        assert np.array_equal(mosaic[top : top + side, left : left + side], wanted[i])
    plt.close(ax.figure)


@given(st.data(), st.integers(1, 3), not_finite)
def test_a_mosaic_refuses_what_it_cannot_show(data, n, bad):
    images = torch.zeros(n, 4)
    for odd in (images[0], images.sum(), images[:0], images[:, :3], images.reshape(n, 1, 2, 2)):
        with refused():
            plots.plot_images(odd)
    with refused():
        plots.plot_images(spoiled(data.draw, images, bad))
    with refused():
        plots.plot_images(images, titles=["a"] * 2)


@given(st.data(), counts)
def test_a_map_of_codes_holds_every_code_in_its_class(data, n):
    z = data.draw(tensors(n, 2))
    y = data.draw(tensors(n, low=0.0, high=9.0, dtypes=[torch.int64, torch.uint8]))
    ax = plots.plot_latent(z, y)
    shown = {
        int(text.get_text()): np.asarray(points.get_offsets())
        for text, points in zip(ax.texts, ax.collections, strict=True)
    }
    assert sorted(shown) == sorted(set(y.tolist()))
    for label, points in shown.items():
        assert np.array_equal(points, z.double().numpy()[y.numpy() == label])
    plt.close(ax.figure)


@given(st.data(), st.integers(1, 4), not_finite)
def test_a_map_refuses_codes_and_classes_that_do_not_fit(data, n, bad):
    z, y = torch.zeros(n, 2), torch.zeros(n)
    for odd_z, odd_y in (
        (spoiled(data.draw, z, bad), y),
        (z, spoiled(data.draw, y, bad)),
        (z, y + 0.5),
        (z, ["a"] * n),
        (z, y[:, None]),
        (z, y[1:]),
        (z, y.sum()),
        (z[0], y),
        (z.sum(), y),
        (z[:, :1], y),
    ):
        with refused():
            plots.plot_latent(odd_z, odd_y)


@given(st.lists(st.floats(-1e6, 1e6), max_size=5), st.lists(st.floats(-1e6, 1e6), max_size=5))
def test_a_history_is_drawn_as_recorded_or_refused(train, held_out):
    history = History({"loss": train} if train else {}, {"loss": held_out} if held_out else {})
    ax = answer_or_none(plots.plot_history, history)
    if not train:
        assert ax is None
        return
    lines = [line.get_ydata().tolist() for line in ax.lines]
    assert lines == [values for values in (train, held_out) if values]
    plt.close(ax.figure)


@given(st.text(alphabet=" \t\n", max_size=3))
def test_a_picture_without_a_text_is_refused(alt):
    with refused():
        plots.show(SimpleNamespace(), alt)


# Exercises


@given(st.data(), array_shapes(min_dims=0, max_dims=2, max_side=3))
def test_an_answer_is_right_where_every_number_is_near_enough(data, shape):
    expected = data.draw(tensors(*shape))
    wanted = expected.double().numpy()
    off = data.draw(arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.5, 0.99, 1.01, -3])))
    answer = wanted + 1e-4 * (1 + np.abs(wanted)) * off
    answer = torch.as_tensor(answer)
    answer = data.draw(st.sampled_from([answer, answer.numpy(), answer.tolist()]))
    assert exercises.check(answer, expected) is bool((np.abs(off) < 1).all())


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(anything, st.sampled_from([0.5, [1.0, 2.0], np.zeros((2, 2)), []]))
@settings(max_examples=150)
def test_no_answer_breaks_the_checker(answer, expected):
    assert exercises.check(answer, expected) in ((None,) if answer is None else (True, False))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_tensor_of_any_dtype_can_be_an_answer(dtype):
    assert exercises.check(torch.tensor([0, 1]).to(dtype), [0.0, 1.0]) is True
    assert exercises.check(torch.tensor([1, 1]).to(dtype), [0.0, 1.0]) is False


@pytest.mark.parametrize("expected", [None, "0.5", math.nan, [1.0, math.nan], [[1], [1, 2]]])
def test_an_exercise_without_a_number_to_check_by_is_refused(expected):
    for answer in (None, 0.5):
        with refused():
            exercises.check(answer, expected)


# Saved notebooks

pictures = st.dictionaries(
    st.sampled_from(["image/png", "text/plain", saving.WIDGET_VIEW]), st.sampled_from(["", "abc"])
)
outputs = st.fixed_dictionaries({"output_type": st.just("x")}, optional={"data": pictures})
cells = st.fixed_dictionaries({"source": st.text()}, optional={"outputs": st.lists(outputs)})


@given(st.fixed_dictionaries({"cells": st.lists(cells)}))
def test_saving_drops_a_live_view_beside_a_still_picture_and_nothing_else(notebook):
    before = copy.deepcopy(notebook)
    for cell in before["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if data.get("image/png"):
                output["data"] = {k: v for k, v in data.items() if k != saving.WIDGET_VIEW}
    assert saving.keep_stills(notebook) is notebook
    assert notebook == before
    assert saving.keep_stills(notebook) == before


# Explorers

AXIS = np.linspace(-8, 8, 401)
EXPLORERS = {
    "BoundExplorer": (BoundExplorer, {"z": AXIS, "log_joint": -(AXIS**2), "mean": 0.5, "std": 0.5}),
    "PosteriorExplorer": (
        PosteriorExplorer,
        {"z": AXIS, "curve": AXIS, "noise": 0.5, "x_range": (-3.0, 3.0), "x": 1.0},
    ),
    "FrozenNoise": (FrozenNoise, {"mu": 1.0, "sigma": 0.5, "eps": [0.5, -1.0]}),
    "EstimatorExplorer": (EstimatorExplorer, {"mu": 1.0, "sigma": 2.0}),
    "KLExplorer": (KLExplorer, {"mu": 1.0, "sigma": 2.0}),
    "PlaneExplorer": (
        PlaneExplorer,
        {
            "x": np.zeros((4, 2)),
            "y": [0, 1, 0, 1],
            "means": np.zeros((2, 2)),
            "covariances": np.stack([np.eye(2)] * 2),
            "weight": [1.0, 0.5],
            "bias": 0.5,
            "limits": (-5.0, 5.0),
            "point": (1.0, 2.0),
        },
    ),
    "LatentExplorer": (
        lambda **options: LatentExplorer(Autoencoder(2, (3,), 4), **options),
        {"x": np.zeros((3, 4)), "x_train": np.ones((3, 4)), "latent_ranges": (-3.0, 3.0)},
    ),
}
ARGUMENTS = [(name, argument) for name, (_, given) in EXPLORERS.items() for argument in given]
ARRAYS = [(n, a) for n, a in ARGUMENTS if isinstance(EXPLORERS[n][1][a], np.ndarray)]


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@given(data=st.data(), bad=not_finite)
@settings(max_examples=10)
def test_explorers_refuse_what_is_not_finite(name, argument, data, bad):
    make, options = EXPLORERS[name]
    values = np.array(options[argument], dtype=float)
    values[tuple(data.draw(st.integers(0, size - 1)) for size in values.shape)] = bad
    with pytest.raises(ValueError, match="^expected .+"):
        make(**options | {argument: values.tolist()})


@pytest.mark.parametrize(("name", "argument"), ARRAYS)
def test_explorers_refuse_another_shape(name, argument):
    make, options = EXPLORERS[name]
    values = options[argument]
    for odd in (values[:0], values[..., :1], values.sum()):
        with pytest.raises(ValueError, match="^expected .+"):
            make(**options | {argument: odd})


@pytest.mark.parametrize("name", EXPLORERS)
@given(data=st.data())
@settings(max_examples=6)
def test_explorers_take_arrays_and_tensors_of_any_layout_and_precision(name, data):
    make, options = EXPLORERS[name]
    dtype, layout = data.draw(st.sampled_from(FLOATS[2:])), data.draw(st.sampled_from(LAYOUTS))
    converted = {
        key: laid_out(torch.tensor(value, dtype=dtype), layout)
        for key, value in options.items()
        if isinstance(value, np.ndarray)
    }
    explorer, same = make(**options), make(**options | converted)
    assert same.alt == explorer.alt


def page_of(value):
    """A picture that differs from those of other values, by its size."""
    return plt.figure(figsize=(0.1, 0.1 + value / 100))


@given(
    st.lists(st.integers(0, 9), max_size=4, unique=True),
    st.sampled_from([" ", "A line."]),
    st.integers(0, 9) | st.none() | not_finite,
)
def test_a_flipbook_has_a_page_a_value_or_refuses_its_arguments(values, alt, start):
    book = answer_or_none(lambda: Flipbook(page_of, values, label="v", alt=alt, start=start))
    if not values or not alt.strip() or start not in (None, *values):
        assert book is None
        return
    assert book.value == (values[len(values) // 2] if start is None else start)
    assert len(book.sizes) == len(values)
    assert len(book.frames) == sum(book.sizes)
    first = sum(book.sizes[: book.index])
    assert book.frames[first : first + book.sizes[book.index]] == book.still
