"""Explorers on pages without Jupyter: what is stored of them, and what to_html writes."""

import base64
import gzip
import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from helpers.data import load_images
from helpers.explorers import Flipbook, FrozenNoise, LatentExplorer, pages
from helpers.explorers.base import Explorer
from helpers.models import VAE


@pytest.fixture(scope="module")
def digits():
    data = load_images()
    return data.x_test, data.y_test, data.x_train


def explorer_of(digits, *hidden_dims, count=1000):
    torch.manual_seed(0)
    x, labels, x_train = digits
    model = VAE(hidden_dims=hidden_dims)
    return LatentExplorer(model, x[:count], labels[:count], x_train=x_train[: 4 * count])


def parts_of(text: str) -> dict:
    """What the scripts hand to host.js."""
    lines = re.findall(r"^explorerPart\(\.\.\.(\[.*\])\)$", text, re.MULTILINE)
    return dict(map(json.loads, lines))


def unpacked(packed: dict) -> np.ndarray:
    """The bytes, or the matrix, as pages.packed and pages.packed_grid store them."""
    data = gzip.decompress(base64.b64decode(packed["gzip"]))
    if "grid" not in packed:
        return np.frombuffer(data, np.float16).astype(np.float32)
    low, high = np.frombuffer(data, np.uint8).reshape(2, -1).astype(int)
    steps = np.where(high > 127, high - 256, high) * 256 + low - 128
    return (steps.reshape(len(packed["grid"]), -1).T / 2.0 ** np.array(packed["grid"])).ravel()


def test_the_state_holds_the_traits_and_nothing_of_jupyters():
    state = pages.state(FrozenNoise(0.5, 1, [0.1, -0.2]))
    assert state.pop("spec")["step"] == 0.1
    assert state == {"mu": 0.5, "sigma": 1.0, "eps": [0.1, -0.2]}


def test_bytes_are_compressed(digits):
    x = digits[0]
    state = json.loads(json.dumps(explorer_of(digits, 16).page_state()))
    images = gzip.decompress(base64.b64decode(state["images"]["gzip"]))
    assert images == (255 * x).round().byte().numpy().tobytes()


def test_no_text_ends_the_script():
    text = pages.part("a", {"b": "</script><!--"})
    assert "<" not in text
    assert parts_of(text) == {"a": {"b": "</script><!--"}}


def test_an_output_carries_the_parts_only_where_they_are_asked_for(monkeypatch):
    explorer = FrozenNoise(0, 1, [0.0])
    assert pages.MIME not in explorer._repr_mimebundle_()[0]
    monkeypatch.setattr(Explorer, "for_pages", True)
    parts = explorer._repr_mimebundle_()[0][pages.MIME]
    assert parts["name"] == "FrozenNoise"
    assert parts["module"] == str(FrozenNoise._esm)
    assert parts["state"] == explorer.page_state()


class Odd(nn.Linear):
    """A layer that the browser does not know."""


def test_a_decoder_that_needs_the_kernel_has_no_page(tmp_path):
    explorer = LatentExplorer(Odd(2, 784))
    assert explorer.page_state() is None
    with pytest.raises(ValueError, match="needs no kernel"):
        explorer.to_html(tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_needs_the_kernel_costs_only_the_pad(digits):
    explorer = LatentExplorer((Odd(784, 2), nn.Linear(2, 784)), digits[0][:5])
    spec = explorer.page_state()["spec"]
    assert not spec["has_encoder"]
    assert "pad for drawing needs Python" in spec["note"]
    assert explorer.spec["has_encoder"]


def test_a_small_model_keeps_everything(digits, tmp_path):
    explorer = explorer_of(digits, 64, count=300)
    explorer.to_html(tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    state = parts_of(text)["state"]
    assert state["spec"] == explorer.spec
    assert gzip.decompress(base64.b64decode(state["train_images"]["gzip"])) == explorer.train_images
    assert f'alt="{explorer.alt}"' in text


@pytest.mark.parametrize("hidden_dims", [(256,), (512, 256)])
def test_a_larger_one_says_what_it_leaves_out(digits, tmp_path, hidden_dims):
    explorer = explorer_of(digits, *hidden_dims)
    explorer.to_html(tmp_path / "a.html")
    assert (tmp_path / "a.html").stat().st_size <= 1_000_000
    state = parts_of((tmp_path / "a.html").read_text())["state"]
    spec = state["spec"]
    assert "training images" in spec["note"]
    assert ("pad for drawing" in spec["note"]) == (not spec["has_encoder"])
    images = gzip.decompress(base64.b64decode(state["images"]["gzip"]))
    left_out = re.search(r"(\d+) of the images", spec["note"])
    assert len(images) == 784 * (1000 - int(left_out[1] if left_out else 0))
    assert len(spec["classes"]) == len(images) // 784


def test_the_stored_weights_decode_to_the_models_pixels(digits, tmp_path):
    torch.manual_seed(0)
    model = VAE()
    for parameter in model.decoder.parameters():
        parameter.data *= 2
    explorer = LatentExplorer(model, digits[0])
    explorer.to_html(tmp_path / "a.html")
    state = parts_of((tmp_path / "a.html").read_text())["state"]
    assert any("grid" in packed for packed in state["weights"])
    stored = VAE()
    parameters = list(stored.decoder.parameters())
    for parameter, packed in zip(parameters, state["weights"], strict=True):
        parameter.data = torch.tensor(unpacked(packed), dtype=torch.float32).reshape(
            parameter.shape
        )
    z = torch.randn(500, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        pixels, expected = stored.decode(z).sigmoid(), model.decode(z).sigmoid()
    assert np.ptp(expected.numpy()) > 0.5
    assert (pixels - expected).abs().max() <= 2.5 / 255


def test_what_cannot_be_made_small_is_an_error_and_writes_nothing(tmp_path):
    def draw(value):
        figure = Flipbook.__init__.__globals__["Figure"](figsize=(6, 6))
        noise = np.random.default_rng(0).random((600, 600, 3))
        figure.figimage(noise)
        return figure

    explorer = Flipbook(draw, [0, 1, 2], label="a", alt="noise")
    with pytest.raises(ValueError, match="at most 1,000,000 bytes; the smallest has"):
        explorer.to_html(tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []
