"""Playground's Python face: the model that the page trained, and what it was given."""

import numpy as np
import pytest
import torch
from torch import nn
from traitlets import TraitError

from helpers.data import ImageData
from helpers.explorers import Playground
from helpers.losses import bernoulli_log_likelihood, gaussian_log_likelihood, kl_divergence
from helpers.models import VAE, Autoencoder, ConditionalVAE


@pytest.fixture(scope="module")
def digits():
    torch.manual_seed(0)
    y = torch.arange(80) % 10
    return ImageData(torch.rand(80, 16), y, torch.rand(30, 16), y[:30])


def test_the_model_comes_back_as_it_was_set(digits):
    playground = Playground(digits)
    for model in (VAE(2, (64,), 16), Autoencoder(2, (32,), 16)):
        playground.model = model
        assert playground.variational == isinstance(model, VAE)
        assert playground.width == model.encoder[0].out_features
        assert type(playground.model) is type(model)
        for name, parameter in playground.model.state_dict().items():
            assert torch.equal(parameter, model.state_dict()[name])


def test_the_numbers_are_those_of_the_held_out_images(digits):
    playground = Playground(digits, likelihood="learned")
    assert playground.numbers == {}
    model = VAE(2, (32,), 16)
    playground.model = model
    numbers = np.frombuffer(playground.weights, np.float32).copy()
    numbers[-2:] = 0.5, 40
    playground.weights = numbers.tobytes()
    assert playground.pixel_logvar == 0.5
    eps = torch.from_numpy(np.frombuffer(playground.held_noise, np.float32).copy()).reshape(30, 2)
    x = (255 * digits.x_test).round() / 255
    output = model(x, eps)
    loss = -gaussian_log_likelihood(x, output.x_logits.sigmoid(), 0.5).mean()
    kl = kl_divergence(output.mu, output.logvar).mean()
    wanted = {"steps": 40, "kl": kl.item(), "reconstruction": loss.item()}
    assert playground.numbers == pytest.approx(wanted, rel=1e-5)
    playground.likelihood = "bernoulli"
    loss = -bernoulli_log_likelihood(x, output.x_logits).mean().item()
    assert playground.numbers["reconstruction"] == pytest.approx(loss, rel=1e-5)
    for likelihood, way in (("sum", "sum"), ("mean", "mean")):
        playground.likelihood = likelihood
        squares = (x - output.x_logits.sigmoid()).square()
        loss = getattr(squares, way)(dim=1).mean().item()
        assert playground.numbers["reconstruction"] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize(
    "setting",
    [
        *({"width": 100}, {"width": "128"}, {"gradient": "none"}, {"likelihood": 0}),
        *({"seed": -1}, {"seed": 10_000}, {"seed": 0.5}),
    ],
    ids=str,
)
def test_a_setting_that_the_page_does_not_offer_is_refused(digits, setting):
    with pytest.raises(TraitError, match=next(iter(setting))):
        Playground(digits, **setting)


def test_settings_travel_as_places_so_that_an_address_can_hold_them(digits):
    playground = Playground(digits, gradient="blocked", likelihood="mean", beta=4)
    state = playground.page_state()
    assert (state["gradient"], state["likelihood"], state["beta"]) == (2, 2, 4)
    playground.set_state({"gradient": 1, "likelihood": 3})
    assert (playground.gradient, playground.likelihood) == ("score", "learned")


def test_the_still_shows_the_digits_and_then_the_map(digits):
    playground = Playground(digits)
    assert "Run" in playground.alt
    before = playground.still
    playground.model = VAE(2, (32,), 16)
    assert "KL" in playground.alt
    assert playground.still != before
    playground.model = Autoencoder(2, (32,), 16)
    assert "KL" not in playground.alt
    assert playground.still.startswith(b"\x89PNG")


def test_what_does_not_fit_is_refused(digits):
    few = ImageData(*(part[:9] for part in digits))
    with pytest.raises(ValueError, match="expected at least 64 training"):
        Playground(few)
    with pytest.raises(ValueError, match=r"expected x_train in \[0, 1\]"):
        Playground(digits._replace(x_train=2 + digits.x_train))
    playground = Playground(digits)
    with pytest.raises(ValueError, match="press Run, then Pause"):
        _ = playground.model
    for model in (VAE(3, (32,), 16), VAE(2, (32, 32), 16), VAE(2, (31,), 16), VAE(2, (32,), 25)):
        with pytest.raises(ValueError, match="expected a model with layers 16-W-2-W-16"):
            playground.model = model
    with pytest.raises(ValueError, match="expected beta between 0 and 20"):
        playground.beta = 21
    with pytest.raises(ValueError, match="expected weights of one of the sizes"):
        playground.weights = b"1234"


def test_weights_arrive_as_jupyter_hands_them_over(digits):
    playground, trained = Playground(digits), Playground(digits)
    trained.model = VAE(2, (128,), 16)
    playground.set_state({"weights": memoryview(trained.weights)})
    assert playground.numbers == trained.numbers


@pytest.mark.parametrize(
    "model",
    [
        Autoencoder(2, (32,), 16, activation=nn.Tanh),
        ConditionalVAE(2, (32,), 16, condition_dim=3),
        nn.Sequential(nn.Linear(16, 32), nn.Linear(32, 2), nn.Linear(2, 32), nn.Linear(32, 16)),
    ],
    ids=["Tanh", "conditional", "no ReLU"],
)
def test_a_model_that_the_page_cannot_run_is_refused(digits, model):
    with pytest.raises(ValueError, match="expected a model with layers 16-W-2-W-16.*ReLU"):
        Playground(digits).model = model
