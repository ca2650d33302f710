"""network.js against torch: every activation, odd sizes, one row and many, forward and backward."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import helpers.explorers
from helpers.explorers.networks import ACTIVATIONS, _layer, _weights
from tests.browser import serving

JS = Path(helpers.explorers.__file__).with_name("js")
# The network runs in the page: what each layer gives, and the gradient by the input of each layer.
RUN = """
async ({ layers, bits, x, gradient, count, native }) => {
  const m = await import("/network.js");
  const half = globalThis.Float16Array;
  if (!native) globalThis.Float16Array = undefined;
  const weights = m.halves(new Uint16Array([0, 0, 0, ...bits]).buffer);
  globalThis.Float16Array = half;
  const net = m.network(layers, weights, 3);
  const kept = m.forward(net, new Float32Array(x), count);
  const back = m.backward(net, kept, new Float32Array(gradient), count);
  const list = (arrays) => arrays.map((values) => Array.from(values));
  return { kept: list(kept), back: list(back), size: m.sizeOf(layers) };
}
"""
KINDS = [kind() for kind in ACTIVATIONS]
KINDS += [nn.GELU("tanh"), nn.LeakyReLU(0.2), nn.Softplus(3, 1), nn.Hardtanh(-0.3, 0.7)]


@pytest.fixture(scope="module")
def page(chrome):
    with serving(JS) as address:
        page = chrome.new_page()
        page.goto(address)
        yield page


def run_in_page(page, network, x, gradient, native=True):
    weights = [w for one in network for w in _weights(one)]
    bits = torch.cat([*weights, torch.zeros(0)]).half().numpy().view(np.uint16)
    arguments = {"layers": [_layer(one) for one in network], "bits": bits.tolist()}
    arguments |= {"x": x.flatten().tolist(), "gradient": gradient.flatten().tolist()}
    result = page.evaluate(RUN, arguments | {"count": len(x), "native": native})
    assert result["size"] == len(bits)
    return result["kept"], result["back"]


def run_in_torch(network, x, gradient):
    kept = [x.double().requires_grad_()]
    for layer in network.double():
        kept.append(layer(kept[-1]))
    return kept, torch.autograd.grad(kept[-1], kept, gradient.double())


@torch.no_grad()
def rounded(network):
    for parameter in network.parameters():
        parameter.copy_(parameter.half().float())
    return network


@pytest.mark.parametrize("count", [1, 5, 400])
@pytest.mark.parametrize("activation", KINDS, ids=str)
def test_each_layer_and_each_gradient_are_those_of_torch(page, activation, count):
    torch.manual_seed(count)
    network = rounded(nn.Sequential(nn.Linear(13, 6), activation, nn.Linear(6, 7)))
    x = 3 * torch.randn(count, 13) * (torch.rand(count, 13) < 0.6)  # with zeros, as pixels
    gradient = torch.randn(count, 7)
    got = run_in_page(page, network, x, gradient, native=count != 5)
    for ours, theirs in zip(got, run_in_torch(network, x, gradient), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert np.allclose(one, other.detach().flatten(), rtol=1e-4, atol=2e-5)


def test_the_values_are_those_of_torch_far_out(page):
    for activation in KINDS:
        x = torch.tensor([[-90.0, -20.0, -1e-6, 0.0, 1e-6, 20.0, 88.0]])
        kept, back = run_in_page(page, nn.Sequential(activation), x, torch.ones(1, 7))
        value, slopes = run_in_torch(nn.Sequential(activation), x, torch.ones(1, 7))
        assert np.allclose(kept[1], value[1].detach()[0], rtol=1e-5, atol=1e-5), activation
        smooth = x[0] != 0  # at a corner there is no derivative
        assert np.allclose(np.array(back[0])[smooth], slopes[0][0][smooth], atol=2e-5), activation
