"""nearest_distance and reencoding_shift against loops in NumPy and models known in closed form."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from torch.distributions import Normal

from helpers.evaluation import nearest_distance, reencoding_shift
from helpers.models import VAE, Autoencoder


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


# nearest_distance


def test_distance_is_that_of_a_search_tree():
    images, digits = torch.rand(50, 12), torch.rand(300, 12)
    expected, _ = cKDTree(digits.double().numpy()).query(images.double().numpy())
    assert np.allclose(nearest_distance(images, digits), expected, atol=1e-6)


def test_distance_of_points_worked_out_by_hand():
    digits = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    images = torch.tensor([[0.0, 0.0], [0.0, 2.0], [3.0, 5.0], [6.0, 8.0]])
    assert nearest_distance(images, digits).tolist() == [0.0, 2.0, 1.0, 5.0]


def test_distance_of_a_digit_from_its_own_set_is_exactly_zero():
    digits = torch.rand(200, 784)  # at this size cdist itself rounds to about 0.005
    assert (nearest_distance(digits[:50], digits) == 0).all()


def test_distance_is_one_per_image_however_many_there_are(monkeypatch):
    monkeypatch.setattr("helpers.evaluation.ROWS_AT_ONCE", 7)
    images, digits = torch.rand(20, 5), torch.rand(30, 5)
    expected = np.linalg.norm(images[:, None].numpy() - digits[None].numpy(), axis=2).min(axis=1)
    assert np.allclose(nearest_distance(images, digits), expected, atol=1e-6)


def test_distance_carries_no_gradient():
    assert not nearest_distance(
        torch.rand(2, 4, requires_grad=True), torch.rand(3, 4)
    ).requires_grad


@pytest.mark.parametrize(
    ("images", "digits", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(0, 3), "at least one digit"),
        (torch.zeros(3), torch.zeros(2, 3), r"expected images \(B, D\)"),
        (torch.zeros(2, 4), torch.zeros(2, 3), "expected images of width 3; got 4"),
    ],
)
def test_distance_refuses_what_does_not_fit(images, digits, message):
    with pytest.raises(ValueError, match=message):
        nearest_distance(images, digits)


# reencoding_shift


class Affine:
    """decode: z -> the logits of pixels ½ + z/10; encode: pixels -> gain · z + bias, exactly."""

    def __init__(self, gain=1.0, bias=0.0, with_logvar=False):
        self.gain, self.bias, self.with_logvar = gain, bias, with_logvar

    def decode(self, z):
        return (0.5 + z / 10).logit()

    def encode(self, x):
        code = self.gain * 10 * (x - 0.5) + self.bias
        return (code, torch.full_like(code, 7.0)) if self.with_logvar else code


def points(n, width=3):
    return 4 * torch.rand(n, width) - 2


@pytest.mark.parametrize("with_logvar", [False, True], ids=["autoencoder", "vae"])
def test_shift_is_zero_where_the_code_comes_back(with_logvar):
    shift = reencoding_shift(Affine(with_logvar=with_logvar), points(20), points(50))
    assert shift.shape == (20,)
    assert shift.max() < 1e-8


@pytest.mark.parametrize("with_logvar", [False, True], ids=["autoencoder", "vae"])
def test_shift_of_an_affine_model_is_its_closed_form(with_logvar):
    z, codes = points(20), points(50)
    model = Affine(gain=0.4, bias=0.3, with_logvar=with_logvar)
    moved = 0.3 - 0.6 * z.double().numpy()
    expected = (moved**2).sum(axis=1) / codes.double().numpy().var(axis=0).sum()
    assert np.allclose(reencoding_shift(model, z, codes), expected, rtol=1e-4)


def test_shift_does_not_depend_on_the_unit_of_the_codes():
    class Stretched(Affine):
        def decode(self, z):
            return super().decode(z / 50)

        def encode(self, x):
            return 50 * super().encode(x)

    z, codes = points(20), points(50)
    alone = reencoding_shift(Affine(gain=0.4), z, codes)
    assert torch.allclose(reencoding_shift(Stretched(gain=0.4), 50 * z, 50 * codes), alone)


def test_shift_onto_an_unrelated_code_of_the_same_spread_is_two_on_average():
    z, codes = Normal(1.0, 3.0).sample((2, 20_000, 2))

    class Unrelated:
        def decode(self, z):
            return z

        def encode(self, x):
            return codes

    shift = reencoding_shift(Unrelated(), z, codes)
    # its standard deviation is 2 (an exponential's), so the mean's standard error is 0.014
    assert shift.mean().item() == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("make", [Autoencoder, VAE])
def test_shift_of_a_network_is_that_of_its_layers_run_by_hand(make):
    model = make(2, (8,), 6)
    z, codes = torch.randn(5, 2), torch.randn(9, 2)
    parts = {name: value.detach().double().numpy() for name, value in model.state_dict().items()}

    def run(name, values):
        hidden = values @ parts[f"{name}.0.weight"].T + parts[f"{name}.0.bias"]
        return np.maximum(hidden, 0) @ parts[f"{name}.2.weight"].T + parts[f"{name}.2.bias"]

    pixels = 1 / (1 + np.exp(-run("decoder", z.double().numpy())))
    code = run("encoder", pixels)[:, :2]
    spread = codes.double().numpy().var(axis=0).sum()
    expected = ((code - z.double().numpy()) ** 2).sum(axis=1) / spread
    assert np.allclose(reencoding_shift(model, z, codes), expected, rtol=1e-4)


def test_shift_carries_no_gradient():
    model = Autoencoder(2, (8,), 6)
    assert not reencoding_shift(model, torch.randn(5, 2), torch.randn(9, 2)).requires_grad


@pytest.mark.parametrize(
    ("z", "codes", "message"),
    [
        (torch.zeros(2, 3), torch.rand(5, 2), "z and codes of one width"),
        (torch.zeros(2), torch.rand(5, 2), "z and codes of one width"),
        (torch.zeros(2, 2), torch.ones(5, 2), "at least two codes that differ"),
        (torch.zeros(2, 2), torch.rand(1, 2), "at least two codes that differ"),
        (torch.zeros(2, 2), torch.zeros(0, 2), "at least two codes that differ"),
    ],
)
def test_shift_refuses_what_does_not_fit(z, codes, message):
    with pytest.raises(ValueError, match=message):
        reencoding_shift(Affine(), z, codes)
