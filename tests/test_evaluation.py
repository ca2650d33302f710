"""Bounds and exact values on models whose log p(x) is known in closed form.

The statistical tests compare means of independent estimates. They allow 6 standard errors, and a
chance of less than 1e-8 of failing on correct code.
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

from helpers.data import ImageData, load_images
from helpers.evaluation import (
    active_units,
    exact_log_likelihood,
    importance_weighted_bound,
    precision_recall,
    sure_share,
    train_classifier,
)
from helpers.models import VAE, mlp
from tests.strategies import counts, dtypes, not_counts, not_finite, refused, tensors

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
    with pytest.raises(ValueError, match="expected (x|an input)"):
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


def test_active_units_need_two_images():
    with pytest.raises(ValueError, match="expected at least 2 images .*; got 1"):
        active_units(VAE(2, (8,), 6), torch.zeros(1, 6))


# precision_recall


def brute_force(real, generated, k):
    """The definition of Kynkäänniemi et al., one pair of images at a time."""

    def distance(a, b):
        return math.sqrt(sum((p - q) ** 2 for p, q in zip(a, b, strict=True)))

    def covered(images, members):
        radii = []
        for i, member in enumerate(members):
            others = [distance(member, other) for j, other in enumerate(members) if j != i]
            radii.append(sorted(others)[k - 1])
        hits = [
            any(distance(image, m) <= r for m, r in zip(members, radii, strict=True))
            for image in images
        ]
        return sum(hits) / len(images)

    real, generated = real.tolist(), generated.tolist()
    return covered(generated, real), covered(real, generated)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_precision_and_recall_are_those_of_the_definition(k):
    for shift, scale in ((0.0, 1.0), (0.7, 0.5), (-1.0, 2.0)):
        real = torch.randn(40, 3).double()
        generated = shift + scale * torch.randn(30, 3).double()
        assert precision_recall(real, generated, k) == pytest.approx(
            brute_force(real, generated, k), abs=1e-6
        )


@given(st.data(), st.integers(2, 6), st.integers(2, 6), st.integers(1, 2))
def test_ties_and_repeated_rows_count_as_in_the_definition(data, n, m, k):
    """Small whole numbers: their distances are exact, and often equal."""
    rows = st.lists(st.integers(0, 3), min_size=2, max_size=2)
    real, generated = (
        torch.tensor(data.draw(st.lists(rows, min_size=count, max_size=count))).float()
        for count in (max(n, k + 1), max(m, k + 1))
    )
    assert precision_recall(real, generated, k) == pytest.approx(
        brute_force(real, generated, k), abs=1e-6
    )


def test_a_set_covers_itself_and_one_far_away_covers_nothing():
    x = torch.randn(50, 64)
    assert precision_recall(x, x) == (1.0, 1.0)
    assert precision_recall(x, x + 1000) == (0.0, 0.0)


def test_one_image_again_and_again_has_precision_without_recall():
    x = torch.randn(300, 64)
    assert precision_recall(x, x[:1].expand(100, 64)) == (1.0, pytest.approx(1 / 300))


@pytest.mark.parametrize(
    ("real", "generated", "k"),
    [((5, 3), (5, 4), 3), ((3, 2), (5, 2), 3), ((5, 2), (3, 2), 3), ((5,), (5, 2), 3)],
    ids=str,
)
def test_precision_recall_refuses_what_does_not_fit(real, generated, k):
    with refused():
        precision_recall(torch.zeros(real), torch.zeros(generated), k)


# The classifier, and what the measures make of good and bad images


@pytest.fixture(scope="module")
def digits():
    return load_images()


def blurred(x):
    """Each pixel the mean of the 5 × 5 around it."""
    square = x.reshape(-1, 1, 28, 28)
    return nn.functional.avg_pool2d(square, 5, stride=1, padding=2).flatten(1)


def sets_of_images(digits, seed, n=500):
    """Six sets of n images, from real ones to none."""
    generator = torch.Generator().manual_seed(seed)
    chosen, other = (digits.x_test[torch.randperm(1000, generator=generator)[:n]] for _ in "ab")
    return {
        "held out": chosen,
        "blurred": blurred(chosen),
        "halfway": (chosen + other) / 2,
        "mean": digits.x_train.mean(dim=0).expand(n, 784),
        "noise": torch.rand(n, 784, generator=generator),
        "black": torch.zeros(n, 784),
    }


@pytest.fixture(scope="module")
def measured(digits):
    """For seeds 0 to 9, each set's precision, recall, and share of sure images."""
    runs = []
    for seed in range(10):
        classifier, accuracy = train_classifier(digits, epochs=4, seed=seed)
        assert accuracy > 0.9
        features = classifier[:-1]
        real = features(digits.x_train[:500])
        runs.append(
            {
                name: (*precision_recall(real, features(x)), sure_share(classifier, x))
                for name, x in sets_of_images(digits, seed).items()
            }
        )
    return runs


def test_recall_orders_images_from_real_to_none(measured):
    for run in measured:
        recall = {name: values[1] for name, values in run.items()}
        assert recall["held out"] > recall["halfway"] + 0.05
        assert recall["halfway"] > recall["blurred"] + 0.05
        assert recall["blurred"] > 0.1
        assert max(recall["mean"], recall["noise"], recall["black"]) < 0.02


def test_precision_alone_is_fooled_and_with_recall_it_is_not(measured):
    """To precision blurred digits look better than real ones, and noise lies among the digits by
    some classifiers, the mean image wholly or not at all. The smaller of the two is not fooled."""
    for run in measured:
        precision = {name: values[0] for name, values in run.items()}
        assert min(precision["held out"], precision["blurred"], precision["halfway"]) > 0.7
        assert precision["blurred"] > precision["held out"]
        assert precision["mean"] in (0, 1)
        both = {name: min(values[:2]) for name, values in run.items()}
        assert both["held out"] > both["halfway"] > both["blurred"]
        assert both["blurred"] > max(both["mean"], both["noise"], both["black"]) + 0.1
    assert max(run["noise"][0] for run in measured) > 0.8


def test_the_classifier_is_sure_of_real_digits_most_often(measured):
    for run in measured:
        sure = {name: values[2] for name, values in run.items()}
        assert sure["held out"] > sure["blurred"] + 0.1
        assert sure["blurred"] > sure["halfway"] > sure["mean"]
        assert sure["held out"] > sure["noise"]


def test_the_classifier_depends_on_the_seed_alone(digits):
    few = ImageData(digits.x_train[:200], digits.y_train[:200], *digits[2:])
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, accuracy = train_classifier(few, epochs=2, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, same = train_classifier(few, epochs=2, seed=3)
    other, _ = train_classifier(few, epochs=2, seed=4)
    assert accuracy == same
    assert torch.equal(first(few.x_test), again(few.x_test))
    assert not torch.equal(first(few.x_test), other(few.x_test))


def test_the_accuracy_is_the_share_of_held_out_images_that_are_named_right():
    """Three classes that are told apart by one pixel; held out, one of four has another name."""
    y = torch.arange(3).repeat(40)
    x = torch.eye(3)[y]
    y_test = torch.tensor([0, 1, 2, 0])
    data = ImageData(x, y, torch.eye(3)[[0, 1, 2, 1]], y_test)
    classifier, accuracy = train_classifier(data, epochs=50)
    assert accuracy == 0.75
    assert classifier(data.x_test).shape == (4, 3)
    assert not classifier(data.x_test).requires_grad
    assert classifier[:-1](data.x_test).shape == (4, 64)


def test_sure_is_a_probability_of_at_least_that_much():
    classifier = mlp((3, 3))
    with torch.no_grad():
        classifier[0].weight.copy_(torch.eye(3))
        classifier[0].bias.zero_()
    odds = torch.tensor([[0.5, 0.3, 0.2], [0.89, 0.1, 0.01], [0.05, 0.04, 0.91]])
    assert sure_share(classifier, odds.log()) == pytest.approx(1 / 3)
    assert sure_share(classifier, odds[2:].log()) == 1
    with refused():
        sure_share(classifier, odds[:0])


# Properties


def deaf_model(dtype=torch.float32):
    """A VAE whose images do not depend on z and whose codes do not depend on x: N(0, I)."""
    model = VAE(2, (5, 4), 6).to(dtype)
    with torch.no_grad():
        for network in (model.encoder, model.decoder):
            for parameter in network[-1].parameters():
                parameter.zero_()
        model.decoder[-1].bias.copy_(torch.linspace(-2, 2, 6))
    return model


@given(st.data(), counts, st.integers(1, 5), dtypes)
def test_both_likelihoods_of_a_deaf_model_are_those_of_its_biases(data, b, k, dtype):
    model = deaf_model(dtype)
    x = data.draw(tensors(b, 6, low=0.0, high=1.0, dtype=dtype))
    probabilities = model.decoder[-1].bias.detach().double().sigmoid()
    pixels = dist.Bernoulli(probs=probabilities, validate_args=False).log_prob(x.double())
    wanted = pixels.sum(dim=-1)
    in_square = 2 * math.log(math.erf(4 / 2**0.5))  # the prior's mass within ±4
    bound = importance_weighted_bound(model, x, k)
    integral = exact_log_likelihood(model, x, points_per_axis=40, limit=4.0)
    for value, right in ((bound, wanted), (integral, wanted + in_square)):
        assert value.shape == (b,)
        assert value.dtype == dtype
        assert torch.allclose(value.double(), right, rtol=1e-5, atol=1e-5)


@given(st.data(), st.integers(2, 6), st.sampled_from([0.9, 1.1]), st.integers(0, 1))
def test_active_units_are_those_whose_variance_is_above_the_threshold(data, b, factor, unit):
    model = VAE(2, (), 6).double()
    x = data.draw(tensors(b, 6, dtype=torch.float64))
    layer = model.encoder[0]
    mu = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    variance = mu[:, :2].var(axis=0, ddof=1)
    threshold = factor * variance[unit] + 1e-9  # variances of rounding are not active
    assert active_units(model, x, threshold).tolist() == (variance > threshold).tolist()


EVALUATIONS = {
    "importance_weighted_bound": lambda x: importance_weighted_bound(VAE(2, (5,), 6), x, 2),
    "exact_log_likelihood": lambda x: exact_log_likelihood(VAE(2, (5,), 6), x, 4),
    "active_units": lambda x: active_units(VAE(2, (5,), 6), x),
}


@pytest.mark.parametrize("name", EVALUATIONS)
@given(shape=array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=7))
def test_evaluation_refuses_another_rank_or_width(name, shape):
    if len(shape) == 2 and shape[1] == 6:
        shape = shape[1:]
    with refused():
        EVALUATIONS[name](torch.zeros(shape))


@given(not_finite | st.floats(-5, -1e-3))
def test_limits_and_thresholds_out_of_range_are_refused(value):
    with refused():
        exact_log_likelihood(VAE(2, (5,), 6), torch.zeros(1, 6), 4, value)
    if not value > 0:
        with refused():
            active_units(VAE(2, (5,), 6), torch.zeros(3, 6), value)


@given(not_counts)
def test_counts_that_are_no_counts_are_refused(n):
    model, x = VAE(2, (5,), 6), torch.zeros(3, 6)
    with refused():
        importance_weighted_bound(model, x, n)
    with refused():
        exact_log_likelihood(model, x, points_per_axis=n)
    with refused():
        precision_recall(x, x, n)


@pytest.mark.parametrize(("parts", "name"), [((0, 1), "training"), ((2, 3), "held_out")])
def test_a_classifier_without_images_is_refused(digits, parts, name):
    empty = ImageData(*(part[:0] if i in parts else part for i, part in enumerate(digits)))
    with pytest.raises(ValueError, match=f"expected {name}_images"):
        train_classifier(empty)
