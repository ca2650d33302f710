"""Explorers on pages without Jupyter: what is stored of them, and what to_html writes."""

import base64
import gzip
import json
import re
import subprocess
import sys

import pytest
import torch
from torch import nn

from helpers.data import load_images
from helpers.explorers import FrozenNoise, LatentExplorer, pages
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


def test_the_state_holds_the_traits_and_nothing_of_jupyters():
    state = pages.state(FrozenNoise(0.5, 1, [0.1, -0.2]))
    assert state.pop("spec")["step"] == 0.1
    assert state == {"mu": 0.5, "sigma": 1.0, "eps": [0.1, -0.2]}


def test_bytes_are_compressed(digits):
    x = digits[0]
    state = json.loads(json.dumps(explorer_of(digits, 16).page_state()))
    images = gzip.decompress(base64.b64decode(state["images"]["gzip"]))
    assert images == (255 * x).round().byte().numpy().tobytes()


def test_a_page_is_written_where_files_are_not_utf_8_by_themselves(tmp_path):
    """As on Windows: Python says where it would take the machine's encoding."""
    code = f"FrozenNoise(0, 1, [0.0]).to_html({str(tmp_path / 'page.html')!r})"
    code = f"from helpers.explorers import FrozenNoise; {code}"
    command = [sys.executable, "-X", "warn_default_encoding", "-c", code]
    warned = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "EncodingWarning" in warned  # of other packages
    assert str(pages.HOST.parents[1]) not in warned
    assert (tmp_path / "page.html").is_file()


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


@pytest.mark.parametrize("hidden_dims", [(64,), (512, 256)])
def test_the_file_holds_the_whole_explorer(digits, tmp_path, hidden_dims):
    explorer = explorer_of(digits, *hidden_dims)
    explorer.to_html(tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text("utf-8")
    state = parts_of(text)["state"]
    assert state["spec"] == explorer.spec
    for name in ("weights", "codes", "images", "train_codes", "train_images"):
        assert gzip.decompress(base64.b64decode(state[name]["gzip"])) == getattr(explorer, name)
    assert f'alt="{explorer.alt}"' in text


def test_the_file_is_compressed(digits, tmp_path):
    explorer = explorer_of(digits, 64)
    explorer.to_html(tmp_path / "a.html")
    data = len(explorer.images) + len(explorer.train_images)
    assert (tmp_path / "a.html").stat().st_size < data / 2
