"""FlowExplorer in a real browser, on a page without Jupyter: its numbers against torch's.

The formulas are written out here, and the networks are torch's with the float16 weights.
"""

import json
import re

import numpy as np
import pytest
import torch

from helpers.data import load_images
from helpers.explorers import FlowExplorer
from helpers.models import VAE, Autoencoder
from tests.browser import check_with_axe, drag, pixels, settle

DIGITS = load_images()
X, Y = DIGITS.x_test[:20], DIGITS.y_test[:20]
# Counts what the explorer saves: the page's host has no kernel, and its model lies in a closure.
SPY = """
globalThis.saved = [];
globalThis.drawing = () => Array.from(new Float32Array(kept.get("drawing").buffer));
globalThis.spied = (model) => {
  globalThis.kept = model;
  const save = model.save_changes;
  model.save_changes = () => { saved.push(model.get("eps").slice()); save(); };
  return model;
};
"""


def made(kind, latent_dim):
    torch.manual_seed(1)
    model = kind(latent_dim, (24,))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.5).copy_(parameter.half().float())
    return model


@pytest.fixture(scope="module")
def show(chrome, tmp_path_factory):
    """Open an explorer as a page from the disk."""
    folder = tmp_path_factory.mktemp("flow")
    errors, pages = [], []

    def open_page(explorer, width=700, scheme="light"):
        path = folder / f"{len(pages)}.html"
        explorer.to_html(path)
        text = path.read_text().replace("= standIn(state)", "= spied(standIn(state))")
        path.write_text(text.replace("<main>", f"<script>{SPY}</script><main>"))
        page = chrome.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        pages.append(page)
        root = page.locator(".flow-explorer")
        root.wait_for()
        settle(page)
        return page, root

    yield open_page
    assert errors == []


def shown(root) -> dict[str, float]:
    texts = root.locator("[data-value]").evaluate_all(
        "all => all.map(one => [one.dataset.value, one.textContent])"
    )
    assert len(texts) == len(dict(texts))
    return {name: float(text.replace("−", "-")) for name, text in texts if text}


def expected(model, x, eps, noise, likelihood="bernoulli", blocked=False):
    """By name, as the explorer shows them, with the gradients from autograd."""
    mu, logvar = (part.detach().double()[0] for part in model.encode(x[None]))
    mu, sigma = mu.requires_grad_(), (logvar / 2).exp().requires_grad_()
    z = mu + noise * sigma * torch.tensor(eps, dtype=torch.float64)
    start = z.detach().requires_grad_() if blocked else z
    p = model.double().decode(start[None])[0].sigmoid()
    x = x.double()
    if likelihood == "sum":
        error = (x - p).square().sum()
    else:
        error = -(x * p.log() + (1 - x) * (1 - p).log()).sum()
    kl = (mu**2 + sigma**2 - 1) / 2 - sigma.log()
    slopes = torch.autograd.grad(error, (start, mu, sigma), retain_graph=True, allow_unused=True)
    slopes = [torch.zeros(len(mu)) if slope is None else slope for slope in slopes]
    slopes += torch.autograd.grad(kl.sum(), (mu, sigma), retain_graph=True)
    names = ["reconstruction_by_z", "reconstruction_by_mu", "reconstruction_by_sigma"]
    names += ["kl_by_mu", "kl_by_sigma"]
    each = {"mu": mu, "sigma": sigma, "eps": torch.tensor(eps), "z": z, "kl": kl}
    each |= dict(zip(names, slopes, strict=True))
    model.float()
    total = {"kl": kl.sum(), "reconstruction": error, "loss": error + kl.sum()}
    values = {f"{k}_{i + 1}": v[i] for k, v in each.items() for i in range(min(4, len(v)))}
    return {name: value.item() for name, value in (values | total).items()}, p.detach()


def check(root, numbers, names=None):
    got = shown(root)
    assert set(got) == set(names or got)
    for name, value in got.items():
        assert value == pytest.approx(numbers[name], **near(name)), name


def near(name) -> dict[str, float]:
    """The line shows two decimals, the loss the sum of two such; gradients have four digits."""
    if "_by_" in name:
        return {"rel": 1e-3, "abs": 1e-5}
    return {"rel": 0, "abs": 0.0151 if name == "loss" else 0.0051}


def lit(root) -> dict[str, set[str]]:
    """The nodes that each of the two lights reaches."""
    pairs = root.locator("[data-node]").evaluate_all(
        "all => all.map(one => [one.dataset.node, one.dataset.lit])"
    )
    pairs += root.locator(".quantity:is(.mu, .sigma)").evaluate_all(
        "all => all.map(one => [one.classList.contains('mu') ? 'mu' : 'sigma', one.dataset.lit])"
    )
    return {
        light: {name for name, reached in pairs if light in (reached or "").split()}
        for light in ("reconstruction", "kl")
    }


BACK = {"loss", "reconstruction", "x_hat", "decoder", "z"}
KL = {"loss", "kl", "kl_total", "q", "mu", "sigma", "encoder"}


def test_every_number_is_torchs_whatever_is_moved(show):
    model = made(VAE, 2)
    explorer = FlowExplorer(model, X, Y)
    page, root = show(explorer)
    eps, dark = explorer.eps, [name for name in explorer.numbers if "_by_" not in name]
    numbers, x_hat = expected(model, X[0], eps, 1)
    check(root, numbers, dark)
    check(root, explorer.numbers, dark)
    now = shown(root)
    assert now["loss"] == round(now["reconstruction"] + now["kl"], 2)  # as they stand there
    assert np.abs(pixels(root, "x") - X[0].numpy()).max() < 0.003
    assert np.abs(pixels(root, "x_hat") - x_hat.numpy()).max() < 0.005

    root.locator("[data-role=previous]").click()
    settle(page)
    check(root, expected(model, X[19], eps, 1)[0])
    root.locator("[data-role=class]", has_text="7").click()
    at = int(np.flatnonzero(Y.numpy() == 7)[0])
    settle(page)
    check(root, expected(model, X[at], eps, 1)[0])
    assert "7" in root.locator(".which").inner_text()

    saved = page.evaluate("saved.length")
    dot = root.locator("[data-role=eps_2]")
    dot.scroll_into_view_if_needed()
    start = (eps[1] + 3.2) / 6.4
    drag(page, dot, (0.08 + 0.84 * start, 0.5), (0.2, 0.5), (0.8, 0.5))
    settle(page)
    numbers = shown(root)
    assert numbers["eps_2"] > 1
    moved = [eps[0], dot.evaluate("one => one.valueAsNumber")]
    check(root, expected(model, X[at], moved, 1)[0])
    assert page.evaluate("saved.length") == saved
    page.mouse.up()
    assert page.evaluate("saved.slice(-1)[0]") == moved
    assert page.evaluate("saved.length") == saved + 1

    root.locator("[data-role=noise]").evaluate("one => one.focus()")
    page.keyboard.press("Home")
    settle(page)
    numbers, x_hat = expected(model, X[at], moved, 0)
    check(root, numbers)
    assert shown(root)["z_1"] == shown(root)["mu_1"]
    assert "Noise × 0" in root.locator(".remark").inner_text()
    root.locator("[data-role=light]").focus()
    page.keyboard.press("Space")
    settle(page)
    check(root, numbers)
    assert lit(root) == {"reconstruction": BACK | {"q", "mu", "encoder"}, "kl": KL}
    root.locator("[data-role=noise]").evaluate("one => one.focus()")
    page.keyboard.press("End")
    root.locator("[data-role=draw]").click()
    settle(page)
    drawn = page.evaluate("saved.slice(-1)[0]")
    assert not set(drawn) & set(moved)
    check(root, expected(model, X[at], drawn, 1)[0])
    assert lit(root) == {"reconstruction": BACK | {"q", "mu", "sigma", "encoder"}, "kl": KL}
    spoken = root.locator(".spoken").text_content()
    assert "reaches the decoder, z, μ, σ and the encoder" in spoken


def test_all_of_the_pad_is_in_its_frame(show):
    _, root = show(FlowExplorer(made(VAE, 2), X))
    root.locator("[data-role=draw-image]").click()
    canvas = root.locator("[data-role=pad]").bounding_box()
    assert canvas == root.locator(".frame").bounding_box()


def test_a_digit_drawn_on_the_pad_flows_while_it_is_drawn(show):
    model = made(VAE, 2)
    explorer = FlowExplorer(model, X, Y)
    page, root = show(explorer)
    before, pad = shown(root), root.locator("[data-role=pad]")
    root.locator("[data-role=draw-image]").press("Enter")
    drag(page, pad, (0.3, 0.2), (0.3, 0.8), (0.7, 0.8))
    settle(page)
    assert page.evaluate("saved.length") == 0
    x = torch.tensor(page.evaluate("drawing()"))
    assert x.max() > 0.9
    check(root, expected(model, x, explorer.eps, 1)[0], before)
    assert np.abs(pixels(root, "x") - x.numpy()).max() < 0.003
    page.mouse.up()
    assert page.evaluate("saved.length") == 1
    pad.focus()
    for key in ("Space", *["ArrowRight"] * 5, "Space"):
        page.keyboard.press(key)
    settle(page)
    longer = torch.tensor(page.evaluate("drawing()"))
    assert not torch.equal(longer, x)
    check(root, expected(model, longer, explorer.eps, 1)[0])
    root.locator("[data-role=next]").click()
    root.locator("[data-role=previous]").click()
    settle(page)
    assert shown(root) == before


def test_blocked_the_light_of_the_reconstruction_ends_at_z(show):
    model = made(VAE, 10)
    explorer = FlowExplorer(model, X, Y, likelihood="sum", gradient="blocked")
    explorer.light = True
    page, root = show(explorer)
    check(root, expected(model, X[0], explorer.eps, 1, "sum", blocked=True)[0], explorer.numbers)
    assert lit(root) == {"reconstruction": BACK, "kl": KL}
    assert root.locator(".arrow.blocked .bar").count() > 0
    assert not {"eps_1", "eps_4"} & set(shown(root))
    assert root.locator("[data-node=eps], .eps, [data-role=noise]").count() == 0
    text = root.inner_text()
    assert "ε" not in text
    assert "μ + σ" not in text
    assert "z₄ ∼ N(μ₄, σ₄²)" in text
    assert "z = Normal(mu, std).sample()" in root.locator(".code").inner_text()
    assert shown(root)["reconstruction_by_mu_1"] == 0
    assert "6 more latents" in root.inner_text()
    root.locator("[data-role=draw]").click()
    settle(page)
    drawn = page.evaluate("saved.slice(-1)[0]")
    assert not set(drawn) & set(explorer.eps)
    check(root, expected(model, X[0], drawn, 1, "sum", blocked=True)[0])


def test_a_node_shows_its_line_of_code_with_its_numbers(show):
    page, root = show(FlowExplorer(made(VAE, 2), X, Y))
    code, numbers = root.locator(".code"), shown(root)
    count = root.locator("[data-node]").count()
    root.locator("[data-node=z]").nth(1).focus()
    page.keyboard.press("Enter")
    assert code.inner_text().startswith("z = mu + std * eps\n")
    found = [float(n.replace("−", "-")) for n in re.findall(r"[−\d][\d.]+", code.inner_text())]
    names = ("mu_2", "sigma_2", "eps_2", "z_2")
    assert found == pytest.approx([numbers[name] for name in names], rel=0, abs=0.0051)
    assert found[3] == pytest.approx(found[0] + found[1] * found[2], abs=2e-3)
    lines = set()
    for i in range(count):
        root.locator("[data-node]").nth(i).press("Enter")
        assert root.locator("[data-node][aria-pressed=true]").count() == 1
        assert "NaN" not in code.inner_text()
        lines.add(code.inner_text())
    assert len(lines) == count


@torch.no_grad()
def test_an_autoencoder_flows_too(show):
    model = made(Autoencoder, 3)
    explorer = FlowExplorer(model, X)
    explorer.light = True
    _, root = show(explorer, scheme="dark")
    z = model.encode(X[:1])
    numbers = {f"z_{i + 1}": value for i, value in enumerate(z[0].tolist())}
    error = (model.decode(z).sigmoid() - X[:1]).square().sum().item()
    got = shown(root)
    for name, value in (numbers | {"reconstruction": error, "loss": error}).items():
        assert got[name] == pytest.approx(value, **near(name)), name
    check(root, explorer.numbers, explorer.numbers)
    assert lit(root) == {"reconstruction": BACK | {"encoder"}, "kl": set()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 700])
def test_axe_and_the_width_of_the_page(show, scheme, width):
    explorer = FlowExplorer(made(VAE, 10), X, Y)
    explorer.light = True
    page, root = show(explorer, width, scheme)
    check_with_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    too_wide = root.evaluate(
        "root => [...root.querySelectorAll('.node, table, .eps, .code')]"
        ".filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML)"
    )
    assert too_wide == [], json.dumps(too_wide)[:500]
