"""helpers.explorers.LatentExplorer: what Python prepares for the browser. No browser here."""

import base64
import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from helpers.explorers import LatentExplorer
from helpers.models import VAE, Autoencoder, ConditionalVAE
from helpers.plots import CLASS_COLORS

SMALL = {"hidden_dims": (16, 8), "input_dim": 784}


@pytest.fixture
def vae():
    torch.manual_seed(0)
    return VAE(**SMALL)


@pytest.fixture
def x():
    return torch.rand(20, 784, generator=torch.Generator().manual_seed(1))


def decoded_from_traits(explorer, z):
    """What the browser computes, in NumPy, from the traits alone (ReLU networks)."""
    weights = np.frombuffer(explorer.weights, np.float16).astype(np.float32)
    for layer in explorer.spec["decoder"]:
        if layer["type"] == "Linear":
            matrix, bias, weights = np.split(
                weights, np.cumsum([layer["inputs"] * layer["outputs"], layer["outputs"]])
            )
            z = z @ matrix.reshape(layer["outputs"], -1).T + bias
        elif layer["type"] == "ReLU":
            z = np.maximum(z, 0)
        else:
            assert layer["type"] == "Sigmoid"
            z = 1 / (1 + np.exp(-z))
    return z


@pytest.mark.parametrize("gain", [1, 3])  # 3: images of black and white, as after training
def test_float16_weights_decode_within_two_grey_levels(gain):
    torch.manual_seed(gain)
    model = VAE()
    for parameter in model.decoder.parameters():
        parameter.data *= gain
    z = 2 * torch.randn(200, 2)
    expected = torch.sigmoid(model.decoder(z)).detach().numpy()
    came = decoded_from_traits(LatentExplorer(model), z.numpy())
    assert np.ptp(expected) > 0.05
    assert np.abs(came - expected).max() <= 2 / 255


def test_weights_travel_once_in_two_bytes_each(vae):
    count = sum(p.numel() for p in [*vae.encoder.parameters(), *vae.decoder.parameters()])
    assert len(LatentExplorer(vae).weights) == 2 * count


def test_without_a_pad_only_the_decoders_weights_travel(vae, x):
    explorer = LatentExplorer(vae, x, pad=False)
    assert len(explorer.weights) == 2 * sum(p.numel() for p in vae.decoder.parameters())
    assert not explorer.spec["has_encoder"]
    assert explorer.spec["prior"]
    whole = LatentExplorer(vae, x)
    assert (explorer.codes, explorer.logvars) == (whole.codes, whole.logvars)


@pytest.mark.parametrize(
    ("model", "prior", "has_encoder"),
    [
        (VAE(**SMALL), True, True),
        (Autoencoder(**SMALL), False, True),
        ((nn.Linear(784, 4), nn.Linear(2, 784)), True, True),
        ((nn.Linear(784, 2), nn.Sequential(nn.Linear(2, 784))), False, True),
        ((None, nn.Sequential(nn.Linear(2, 784))), True, False),
        (nn.Linear(2, 784), True, False),
    ],
)
def test_models_that_are_taken(model, prior, has_encoder):
    spec = LatentExplorer(model).spec
    assert (spec["prior"], spec["has_encoder"], spec["side"]) == (prior, has_encoder, 28)
    assert (spec["note"], spec["latent_dim"]) == ("", 2)


@pytest.mark.parametrize(
    ("decoder", "output", "last"),
    [
        (nn.Sequential(nn.Linear(2, 784)), "logits", ["Linear", "Sigmoid"]),
        (nn.Sequential(nn.Linear(2, 784), nn.Sigmoid()), "logits", ["Linear", "Sigmoid"]),
        (nn.Sequential(nn.Linear(2, 784)), "pixels", ["Linear", "Hardtanh"]),
    ],
)
def test_the_sigmoid_is_applied_once_and_to_logits_only(decoder, output, last):
    explorer = LatentExplorer(decoder, output=output)
    assert [layer["type"] for layer in explorer.spec["decoder"]] == last
    explorer.z = [0.4, -0.3]
    values = decoder(torch.tensor([[0.4, -0.3]])).detach()
    if output == "pixels":
        values = values.clamp(0, 1)
    elif len(decoder) == 1:
        values = 1 / (1 + torch.exp(-values))
    assert np.allclose(explorer.image, values.numpy().reshape(28, 28), atol=1e-6)


def test_codes_are_the_means_of_a_vae(vae, x):
    codes = np.frombuffer(LatentExplorer(vae, x).codes, np.float32).reshape(20, 2)
    assert np.allclose(codes, vae.encode(x)[0].detach().numpy(), atol=1e-6)


def test_how_uncertain_the_codes_of_a_vae_are_travels_beside_them(vae, x):
    logvars = np.frombuffer(LatentExplorer(vae, x).logvars, np.float32).reshape(20, 2)
    assert np.allclose(logvars, vae.encode(x)[1].detach().numpy(), atol=1e-6)
    assert LatentExplorer(Autoencoder(**SMALL), x).logvars == LatentExplorer(vae).logvars == b""


def test_setting_z_decodes_it_and_can_be_observed(vae):
    explorer, seen = LatentExplorer(vae), []
    explorer.observe(lambda change: seen.append(change["new"]), "image")
    for z in ([0.5, -1.25], np.array([1.0, 2.0]), torch.tensor([[0.0, 1.0]])):
        explorer.z = z
        row = torch.as_tensor(np.asarray(z), dtype=torch.float32).reshape(1, 2)
        expected = vae.decode(row).sigmoid().detach().numpy().reshape(28, 28)
        assert np.allclose(explorer.image, expected, atol=1e-6)
        assert explorer.z == row[0].tolist()
    assert len(seen) == 3


@pytest.mark.parametrize("z", [[1.0], [1.0, 2.0, 3.0], [0.0, float("nan")], ["a", "b"], None])
def test_a_z_that_does_not_fit_is_refused(vae, z):
    explorer = LatentExplorer(vae)
    with pytest.raises(ValueError, match="expected .* z; got"):
        explorer.z = z
    assert explorer.z == [0.0, 0.0]


def test_the_drawing_comes_from_the_browser_as_float32(vae):
    explorer = LatentExplorer(vae)
    drawing = np.random.default_rng(0).random((28, 28), np.float32)
    explorer.set_state({"drawing": memoryview(drawing.tobytes()), "z": [1, 2]})
    assert np.array_equal(explorer.drawing, drawing)
    assert explorer.z == [1.0, 2.0]
    explorer.set_state({"drawing": None})
    assert explorer.drawing is None
    for wrong in (np.ones((27, 28)), 2 * drawing, "a"):
        with pytest.raises(ValueError, match="expected .*drawing.*; got"):
            explorer.drawing = wrong


def test_the_explorer_keeps_the_model_as_it_was(vae):
    explorer = LatentExplorer(vae)
    before = explorer.image
    vae.decoder[0].bias.data += 5
    explorer.z = [0.1, 0.1]
    explorer.z = [0.0, 0.0]
    assert np.array_equal(explorer.image, before)


def test_typical_errors_are_those_of_the_images(vae, x):
    typical = LatentExplorer(vae, x).spec["typical"]
    with torch.no_grad():
        rows = [vae.decode(vae.encode(row[None])[0]).sigmoid() - row for row in x]
    errors = [float((row**2).sum()) for row in rows]
    expected = np.quantile(errors, [0.05, 0.5, 0.95])
    assert np.allclose([typical["low"], typical["median"], typical["high"]], expected, rtol=1e-4)
    assert LatentExplorer(vae).spec["typical"] is None


def test_images_travel_as_grey_levels_and_training_images_apart(vae, x):
    explorer = LatentExplorer(vae, x, x_train=x[:5])
    grey = np.frombuffer(explorer.images, np.uint8).reshape(20, 784)
    assert np.abs(grey / 255 - x.numpy()).max() <= 0.5 / 255 + 1e-6
    assert explorer.train_images == explorer.images[: 5 * 784]
    codes, train_codes = (
        np.frombuffer(c, np.float32) for c in (explorer.codes, explorer.train_codes)
    )
    assert np.allclose(train_codes, codes[:10], rtol=1e-4)


def test_classes_keep_their_names_and_the_colors_of_the_figures(vae, x):
    spec = LatentExplorer(vae, x, torch.arange(20) % 10).spec
    assert spec["classes"][:11] == [*map(str, range(10)), "0"]
    assert spec["colors"] == {str(i): color for i, color in enumerate(CLASS_COLORS)}
    hostile = "<img src=x onerror=alert(1)>"
    spec = LatentExplorer(vae, x, [hostile, "coat"] * 10).spec
    assert set(spec["colors"]) == {hostile, "coat"}
    assert len(set(spec["colors"].values())) == 2


def test_ranges_cover_the_prior_and_the_codes(vae, x):
    assert LatentExplorer(vae).spec["ranges"] == [[-3, 3], [-3, 3]]
    model = Autoencoder(**SMALL)
    model.encoder[-1].weight.data *= 100
    explorer = LatentExplorer(model, x)
    codes = np.frombuffer(explorer.codes, np.float32).reshape(-1, 2)
    low, high = np.array(explorer.spec["ranges"]).T
    assert (low <= codes.min(axis=0)).all()
    assert (codes.max(axis=0) <= high).all()


def test_given_ranges_hold_for_all_dimensions_or_each(vae):
    assert LatentExplorer(vae, latent_ranges=(1, 2)).spec["ranges"] == [[1, 2], [1, 2]]
    assert LatentExplorer(vae, latent_ranges=(1, 2)).z == [1.0, 1.0]
    both = [(-1, 1), (-2, 5)]
    assert LatentExplorer(vae, latent_ranges=both).spec["ranges"] == [[-1, 1], [-2, 5]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": object()}, "expected an Autoencoder, a VAE.*; got object"),
        (
            {"model": ConditionalVAE(condition_dim=10)},
            "expected a model without a condition; got width 10",
        ),
        ({"model": nn.Linear(2, 10)}, "expected a decoder of square images; got 10"),
        ({"model": (nn.Linear(784, 3), nn.Linear(2, 784))}, "expected an encoder with 2 outputs"),
        ({"model": (nn.Linear(99, 2), nn.Linear(2, 784))}, "expected encoder inputs"),
        ({"model": nn.Sequential(nn.ReLU())}, "expected a decoder with weights; got"),
        ({"x": torch.rand(5, 100)}, r"expected x of shape \(N, 784\); got \(5, 100\)"),
        ({"x": torch.rand(0, 784)}, r"expected x of shape \(N, 784\); got \(0, 784\)"),
        ({"x": 255 * torch.rand(5, 784)}, r"expected x in \[0, 1\]; got"),
        ({"x": torch.full((5, 784), torch.nan)}, r"expected x in \[0, 1\]; got"),
        ({"model": nn.Linear(2, 784), "x": torch.rand(5, 784)}, "expected a model with an encoder"),
        ({"labels": [1, 2]}, "expected one label for each of the 5 images; got 2"),
        ({"latent_ranges": (1, -1)}, "expected latent_ranges"),
        ({"latent_ranges": [(0, 1)] * 3}, "expected latent_ranges"),
        ({"output": "grey"}, "expected output 'logits' or 'pixels'; got 'grey'"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(vae, change, message):
    arguments = {"model": vae, "x": torch.rand(5, 784)} | change
    if isinstance(arguments["model"], nn.Linear | nn.Sequential) and "x" not in change:
        arguments["x"] = None
    with pytest.raises(ValueError, match=message):
        LatentExplorer(**arguments)


def test_weights_that_are_not_finite_are_refused(vae):
    vae.decoder[0].weight.data[0, 0] = torch.inf
    with pytest.raises(ValueError, match="expected finite weights"):
        LatentExplorer(vae)


def convolutional():
    encoder = nn.Sequential(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 2, 28), nn.Flatten())
    return encoder, nn.Sequential(nn.Linear(2, 9), nn.Unflatten(1, (1, 3, 3)), nn.Upsample(28))


def test_other_layers_are_run_in_the_kernel_which_says_so(x, monkeypatch):
    torch.manual_seed(0)
    encoder, decoder = convolutional()
    explorer = LatentExplorer((encoder, decoder), x)
    assert explorer.spec["decoder"] is explorer.spec["encoder"] is None
    assert explorer.weights == b""
    for name in ("Conv2d", "Unflatten", "Upsample"):
        assert name in explorer.spec["note"]
    sent = []
    monkeypatch.setattr(explorer, "send", lambda content, buffers: sent.append((content, buffers)))
    explorer._handle_custom_msg({"kind": "decode", "id": 7, "values": [0.5, -0.5]}, [])
    explorer._handle_custom_msg({"kind": "encode", "id": 8, "values": x[0].tolist()}, [])
    explorer._handle_custom_msg({"kind": "decode", "id": 9, "values": [1, 2, 0.5, -0.5]}, [])
    assert [content for content, _ in sent] == [{"id": 7}, {"id": 8}, {"id": 9}]
    image, code, two = (np.frombuffer(buffers[0], np.float32) for _, buffers in sent)
    expected = decoder(torch.tensor([[0.5, -0.5]])).sigmoid().flatten().detach().numpy()
    assert np.allclose(image, expected, atol=1e-6)
    assert np.allclose(two[784:], expected, atol=1e-6)
    assert np.allclose(code, encoder(x[:1]).flatten().detach().numpy(), atol=1e-5)


def test_the_saved_output_is_a_small_picture_with_a_text(vae, x):
    explorer = LatentExplorer(vae, x, torch.arange(20) % 10)
    data, metadata = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    picture = base64.b64decode(data["image/png"])
    assert len(picture) < 60_000
    assert Image.open(io.BytesIO(picture)).size == (640, 320)
    assert "0.00, 0.00" in metadata["image/png"]["alt"]
    assert "20 encoded images" in metadata["image/png"]["alt"]
    assert repr(explorer) == f"LatentExplorer: {explorer.alt}"
    assert len(repr(explorer)) < 200


SWITCHED = {  # what the text says where the switch is on
    "grid": "20 × 20 decoded images",
    "points": "20 encoded images",
    "ellipses": "ellipses of q(z|x) at one and two σ",
}


@pytest.mark.parametrize("name", SWITCHED)
def test_the_still_and_its_text_show_what_a_switch_shows(vae, x, name):
    off = dict.fromkeys(SWITCHED, False)
    explorer = LatentExplorer(vae, x, torch.arange(20) % 10, **off | {name: True})
    on = explorer.still
    assert [words in explorer.alt for words in SWITCHED.values()] == [n == name for n in SWITCHED]
    setattr(explorer, name, False)
    assert not any(words in explorer.alt for words in SWITCHED.values())
    assert explorer.still != on


def test_the_stills_grid_has_the_images_of_its_places():
    """Upwards is more of the second latent; the third stays at that of z."""
    model = VAE(3, **SMALL)
    explorer, figure = LatentExplorer(model, grid=True, latent_ranges=(-4, 4)), Figure()
    explorer.z = [0, 0, 1.5]
    explorer.draw(figure)
    (picture,) = figure.axes[0].images
    assert picture.get_extent() == [-4, 4, -4, 4]
    cells = (
        np.asarray(picture.get_array())
        .reshape(20, 28, 20, 28)
        .transpose(0, 2, 1, 3)
        .reshape(20, 20, 784)
    )
    z = torch.tensor([-3.8 + 0.4 * 7, 3.8 - 0.4 * 2, 1.5])
    expected = model.decode(z[None]).sigmoid().detach().numpy()[0]
    share = cells[2, 7].ravel() / expected
    assert 0.3 < share.mean() < 1
    assert np.ptp(share) < 1e-4


@pytest.mark.parametrize("latent_dim", [1, 3, 20])
def test_other_numbers_of_dimensions_have_a_still_too(latent_dim, x):
    explorer = LatentExplorer(VAE(latent_dim, **SMALL), x)
    assert len(explorer.spec["ranges"]) == latent_dim
    assert explorer.still.startswith(b"\x89PNG")


def test_the_error_of_a_drawing_is_that_of_its_reconstruction(vae):
    explorer = LatentExplorer(vae)
    explorer.z = [0.5, -1.25]
    assert explorer.numbers == {"z1": 0.5, "z2": -1.25}
    x = torch.rand(1, 784, generator=torch.Generator().manual_seed(2))
    explorer.drawing = x.reshape(28, 28)
    with torch.no_grad():
        expected = (vae.decode(vae.encode(x)[0]).sigmoid() - x).square().sum()
    assert explorer.numbers["error"] == pytest.approx(expected.item(), rel=1e-5)
