"""train.js against torch's autograd in float64, on helpers.models and helpers.losses."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from helpers.losses import bernoulli_log_likelihood, gaussian_log_likelihood, kl_divergence
from helpers.models import VAE, Autoencoder
from tests.javascript import CALL

D, WIDTH, B, STEPS = 49, 12, 16, 50
GRADIENTS = ("reparameterized", "score", "blocked")
LIKELIHOODS = ("bernoulli", "sum", "mean", "learned")
CASES = [(True, g, like, beta) for g in GRADIENTS for like in LIKELIHOODS for beta in (0, 1, 4)]
CASES += [(False, "reparameterized", like, 1) for like in LIKELIHOODS]
PLAIN = [(True, "reparameterized", "bernoulli", 1), (True, "score", "learned", 4)]
PLAIN += [(True, "blocked", "sum", 1), (False, "reparameterized", "mean", 1)]
# The gradients on the first batch, the shares, and the weights after a step on each batch.
TRAIN = """
async (train, { numbers, size, width, settings, batches, count }) => {
  const nets = await import("./nets.js");
  const net = nets.unpack(Float32Array.from(numbers), size, width);
  const [first] = batches;
  const [x, eps] = first.map((values) => new Float32Array(values));
  const now = train.pass(net, settings, x, eps, count);
  const list = (all) => all.map((one) => one && Array.from(one));
  const gradients = list(train.gradients(net, settings, now));
  const shares = train.encoderShares(net, settings, now);
  const moments = train.restingAdam(train.tensors(net));
  for (const [x, eps] of batches) {
    train.step(net, settings, moments, new Float32Array(x), new Float32Array(eps), count);
  }
  const losses = [train.mean(now.losses), now.kl && train.mean(now.kl)];
  return { gradients, shares, losses, after: Array.from(nets.pack(net)), adam: train.ADAM };
}
"""


def linear(model) -> list[nn.Linear]:
    """The decoder's layers, then the encoder's."""
    return [one for one in (*model.decoder, *model.encoder) if isinstance(one, nn.Linear)]


def flat(model, logvar) -> list[float]:
    """The numbers that the page begins from; an autoencoder's last layer gets rows that rest."""
    parts = [p.flatten() for layer in linear(model) for p in (layer.weight, layer.bias)]
    if isinstance(model, Autoencoder):
        parts.insert(-1, torch.full((2 * WIDTH,), 0.25))
        parts.append(torch.full((2,), -0.5))
    return torch.cat([*parts, logvar.reshape(1)]).tolist()


def terms(model, logvar, settings, x, eps):
    """The loss whose gradient is meant, and the means of its two terms."""
    kl, density = torch.zeros(len(x)), None
    if settings["variational"]:
        mu, spread = model.encode(x)
        z, kl = mu + (spread / 2).exp() * eps, kl_divergence(mu, spread)
        if settings["gradient"] != "reparameterized":
            z = z.detach()
            density = Normal(mu, (spread / 2).exp()).log_prob(z).sum(dim=1)
    else:
        z = model.encode(x)
    logits = model.decode(z)
    p = logits.sigmoid()
    losses = {
        "bernoulli": lambda: -bernoulli_log_likelihood(x, logits),
        "sum": lambda: (x - p).square().sum(dim=1),
        "mean": lambda: (x - p).square().mean(dim=1),
        "learned": lambda: -gaussian_log_likelihood(x, p, logvar),
    }[settings["likelihood"]]()
    loss = losses.mean() + settings["beta"] * kl.mean()
    if settings["gradient"] == "score":
        loss = loss + ((losses - losses.mean()).detach() * density).mean()
    return loss, losses.mean().item(), kl.mean().item()


def start(variational: bool):
    """A model and the pixels' logvar in float64, with weights that float32 can hold."""
    torch.manual_seed(5)
    model = (VAE if variational else Autoencoder)(2, (WIDTH,), D).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2).copy_(parameter.float())
    return model, torch.tensor(0.25, dtype=torch.float64, requires_grad=True)


def batches():
    torch.manual_seed(6)
    pairs = [(torch.rand(B, D), torch.randn(B, 2)) for _ in range(STEPS)]
    return [((x * (x < 0.5)).double(), eps.double()) for x, eps in pairs]


def of_page(gradients) -> list[torch.Tensor | None]:
    """In the order of torch's parameters of encoder and decoder, and the logvar's."""

    def layer(k, inputs):
        if gradients[k] is None:
            return None, None
        weight = torch.tensor(gradients[k], dtype=torch.float64).reshape(inputs, -1).T
        return weight, torch.tensor(gradients[k + 1], dtype=torch.float64)

    mu, spread = layer(2, WIDTH), layer(4, WIDTH)
    last = mu if spread[0] is None else [torch.cat(pair) for pair in zip(mu, spread, strict=True)]
    logvar = gradients[10] and torch.tensor(gradients[10], dtype=torch.float64)[0]
    return [*layer(0, D), *last, *layer(6, 2), *layer(8, WIDTH), logvar]


def close(ours, theirs, bound: float) -> bool:
    theirs = torch.zeros_like(ours) if theirs is None else theirs
    return (ours - theirs).norm() <= bound * theirs.norm()


@pytest.fixture(scope="module")
def plain_js(js, chrome):
    """js in a browser without WebAssembly: the products are the plain ones."""
    page = chrome.new_page()
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(js.page.url)
    yield lambda *given: page.evaluate(CALL, [*given])
    page.close()


@pytest.mark.parametrize(("variational", "gradient", "likelihood", "beta"), CASES)
def test_gradients_and_steps_are_those_of_torch(js, variational, gradient, likelihood, beta):
    check_training(js, variational, gradient, likelihood, beta)


@pytest.mark.parametrize(("variational", "gradient", "likelihood", "beta"), PLAIN)
def test_they_are_so_without_simd(plain_js, variational, gradient, likelihood, beta):
    check_training(plain_js, variational, gradient, likelihood, beta)


def check_training(js, variational, gradient, likelihood, beta):
    """Gradients, losses, and the weights after fifty steps."""
    model, logvar = start(variational)
    data = batches()
    settings = {"variational": variational, "gradient": gradient}
    settings |= {"likelihood": likelihood, "beta": beta}
    lists = [[x.flatten().tolist(), eps.flatten().tolist()] for x, eps in data]
    given = {"numbers": flat(model, logvar.detach()), "size": D, "width": WIDTH}
    got = js("train.js", TRAIN, given | {"settings": settings, "batches": lists, "count": B})
    loss, reconstruction, kl = terms(model, logvar, settings, *data[0])
    loss.backward()
    assert got["losses"][0] == pytest.approx(reconstruction, rel=1e-5)
    assert got["losses"][1] == (pytest.approx(kl, rel=1e-5) if variational else None)
    parameters = [*model.encoder.parameters(), *model.decoder.parameters()]
    for ours, one in zip(of_page(got["gradients"])[:-1], parameters, strict=True):
        assert close(ours, one.grad, 1e-4)
    learned = of_page(got["gradients"])[-1]
    assert (learned is None) == (likelihood != "learned") == (logvar.grad is None)
    assert learned is None or close(learned, logvar.grad, 1e-4)
    if gradient == "blocked":
        assert got["shares"]["reconstruction"] == 0

    adam = torch.optim.Adam([*parameters, logvar], lr=got["adam"]["rate"])
    for x, eps in data:
        adam.zero_grad()
        terms(model, logvar, settings, x, eps)[0].backward()
        adam.step()
    after = torch.tensor(got["after"], dtype=torch.float64)
    wanted = torch.tensor(flat(model, logvar.detach()), dtype=torch.float64)
    assert after.shape == wanted.shape
    sizes = [s for one in linear(model) for s in (one.weight.numel(), one.bias.numel())]
    if not variational:  # the rows that rest belong to the last two
        sizes[-2:] = [2 * size for size in sizes[-2:]]
    for ours, theirs in zip(after.split([*sizes, 1]), wanted.split([*sizes, 1]), strict=True):
        assert close(ours, theirs, 1e-3)


def test_the_shares_are_the_norms_of_the_encoders_gradients(js):
    model, logvar = start(True)
    settings = {"variational": True, "gradient": "reparameterized"}
    settings |= {"likelihood": "bernoulli", "beta": 4}
    x, eps = batches()[0]
    given = {"numbers": flat(model, logvar.detach()), "size": D, "width": WIDTH}
    pair = [[x.flatten().tolist(), eps.flatten().tolist()]]
    got = js("train.js", TRAIN, given | {"settings": settings, "batches": pair, "count": B})
    mu, spread = model.encode(x)
    logits = model.decode(mu + (spread / 2).exp() * eps)
    parts = {
        "reconstruction": -bernoulli_log_likelihood(x, logits).mean(),
        "kl": 4 * kl_divergence(mu, spread).mean(),
    }
    for name, part in parts.items():
        slopes = torch.autograd.grad(part, [*model.encoder.parameters()], retain_graph=True)
        size = torch.cat([slope.flatten() for slope in slopes]).norm().item()
        assert got["shares"][name] == pytest.approx(size, rel=1e-5)


WEIGHTS = """
async (weights, { x, gradient, inputs, outputs, count }) => {
  const m = await import("./network.js");
  const [a, b] = [new Float32Array(x), new Float32Array(gradient)];
  const of = weights.linearWeightGradients({ inputs, outputs }, a, b, count);
  return [Array.from(of.weight), Array.from(of.bias)];
}
"""


@pytest.mark.parametrize("count", [1, 2, 5, 64])
def test_the_gradients_by_the_weights_add_up_whatever_is_zero(js, count):
    torch.manual_seed(count)
    x = torch.randn(count, 7) * (torch.rand(count, 7) < 0.5)
    gradient = torch.randn(count, 6)
    given = {"x": x.flatten().tolist(), "gradient": gradient.flatten().tolist()}
    given |= {"inputs": 7, "outputs": 6, "count": count}
    weight, bias = js("weight_gradients.js", WEIGHTS, given)
    assert torch.allclose(torch.tensor(weight), (x.T @ gradient).flatten(), atol=1e-5)
    assert torch.allclose(torch.tensor(bias), gradient.sum(dim=0), atol=1e-5)
