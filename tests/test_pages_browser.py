"""Explorers on the pages that to_html writes, with the host of the site: no Jupyter, no kernel."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.data import ImageData
from helpers.explorers import (
    BoundExplorer,
    EstimatorExplorer,
    Flipbook,
    FlowExplorer,
    FrozenNoise,
    KLExplorer,
    LatentExplorer,
    PlaneExplorer,
    Playground,
    PosteriorExplorer,
)
from helpers.models import VAE
from helpers.plots import plot_images
from tests.browser import GREY, drag, pixels, settle

PHONE = {"width": 390, "height": 800}
HOSTILE = "<img src=x onerror='window.hacked = true'>"
Z = np.linspace(-8, 8, 801)
MEANS, COVARIANCES = [[-2, 1], [3, 0]], [[[2, 0.5], [0.5, 1]], [[1, -0.3], [-0.3, 3]]]
EPS = [-1.5, -0.5, 0.0, 1.0, 1.75]
# Make the model count what is saved, and what was shown then; and count the frames that are asked
# for from now on.
WATCH = """
() => {
  globalThis.model = document.querySelector("figure").explorer.model;
  globalThis.end = document.querySelector("figure").explorer.end;
  const root = document.querySelector("figure > div > div");
  globalThis.look = () => [...root.querySelectorAll("output, [data-value]")]
    .map((node) => node.textContent).join();
  globalThis.saved = [];
  model.save_changes = () => saved.push(look());
  const ask = globalThis.requestAnimationFrame;
  globalThis.asked = 0;
  globalThis.requestAnimationFrame = (f) => { asked += 1; return ask(f); };
}
"""


def latent(**options):
    torch.manual_seed(0)
    model = VAE(options.pop("latent_dim", 2), hidden_dims=(16,))
    return LatentExplorer(model, torch.rand(10, 784), **options)


def playground():
    y = torch.arange(80) % 10
    return Playground(ImageData(torch.rand(80, 16), y, torch.rand(30, 16), y[:30]))


EXPLORERS = {
    "bound": lambda: BoundExplorer(Z, -(Z**2) / 2 - 3 * (np.tanh(Z) - 0.4) ** 2 - 2, mean=-0.5),
    "flipbook": lambda: Flipbook(
        lambda v: plot_images(torch.full((1, 4), v / 9)), range(9), label="v", alt="Grey."
    ),
    "estimator": lambda: EstimatorExplorer(1.0, 0.5, 200),
    "flow": lambda: FlowExplorer(VAE(2, (8,), 16), torch.rand(5, 16)),
    "frozen": lambda: FrozenNoise(1.0, 0.5, EPS),
    "kl": lambda: KLExplorer(0.5, 0.5),
    "latent": latent,
    "plane": lambda: PlaneExplorer([[0, 0]], [0], MEANS, COVARIANCES, [1.5, -0.7], 0.3),
    "playground": playground,
    "posterior": lambda: PosteriorExplorer(Z, np.sin(2 * Z) + 0.5 * Z, 0.3, x=0.5),
}


@pytest.fixture(scope="module")
def visit(chrome, tmp_path_factory):
    """A function that shows an explorer on a page of its own, and watches it."""
    path = tmp_path_factory.mktemp("page") / "page.html"

    def visit(explorer, **options):
        explorer.to_html(path)
        page = chrome.new_page(**options)
        page.goto(path.as_uri())
        page.locator("figure[data-alive]").wait_for()
        page.evaluate(WATCH)
        return page

    return visit


@pytest.fixture
def show(visit):
    pages = []

    def show(explorer, **options):
        pages.append(visit(explorer, **options))
        return pages[-1]

    yield show
    for page in pages:
        page.close()


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_drag_saves_on_release_what_is_shown_then_and_the_end_leaves_nothing(show, name):
    page = show(EXPLORERS[name]())
    slider = page.locator("input[type=range]").first
    before = page.evaluate("look()")
    drag(page, slider, (0.4, 0.5), (0.8, 0.5))
    settle(page)
    assert page.evaluate("saved") == []
    during = page.evaluate("look()")
    assert during != before
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.value = document.activeElement.min")  # one more move,
    page.evaluate("document.activeElement.dispatchEvent(new Event('input'))")
    page.evaluate("document.activeElement.dispatchEvent(new Event('change'))")  # and the release
    (saved,) = page.evaluate("saved")
    assert saved not in (before, during)
    page.mouse.up()
    settle(page)
    assert page.evaluate("look()") == saved  # nothing came a frame later
    root, input_ = page.locator("figure > div > div").element_handle(), slider.element_handle()
    page.evaluate("() => { end(); asked = saved.length = 0; }")
    assert not root.evaluate("root => root.isConnected")
    traits = ["mean", "x", "mu", "z", "point", "index", "prior", "sigma", "n", "eps", "drawing"]
    page.evaluate("names => names.forEach(name => model.set(name, model.get(name)))", traits)
    input_.evaluate(
        "input => { input.value = input.max; input.dispatchEvent(new Event('input')); }"
    )
    input_.evaluate("input => input.dispatchEvent(new Event('change'))")
    assert page.evaluate("[asked, saved.length]") == [0, 0]


@pytest.mark.parametrize("name", EXPLORERS)
def test_each_is_a_group_with_a_label_that_says_on_release_what_is_shown(show, name):
    page = show(EXPLORERS[name]())
    root = page.locator("figure > div > div")
    assert root.get_attribute("role") == "group"
    assert root.get_attribute("aria-label")
    tools = page.locator(".explorer-tools")
    assert tools.evaluate("node => getComputedStyle(node).display") == "flex"
    live = root.locator(".spoken[aria-live=polite]")
    assert live.evaluate("node => getComputedStyle(node).position") == "absolute"  # not seen
    if name == "playground":  # it speaks of its run
        return
    page.locator("input[type=range]").first.focus()
    page.keyboard.down("ArrowLeft")
    settle(page)
    before = live.inner_text()
    page.keyboard.up("ArrowLeft")
    assert live.inner_text() not in ("", before)


# One test an explorer of where things are drawn


def curve(page, selector):
    """The heights of a chart's curve above the axis."""
    left = page.locator("svg g").first
    bottom = float(left.locator("path").first.get_attribute("d").split("V")[1].split("H")[0])
    d = page.locator(selector).get_attribute("d")
    return bottom - np.array([point.split()[1] for point in d[1:].split("L")], dtype=float)


def test_the_bars_and_the_curve_of_the_bound_stand_for_its_numbers(show):
    explorer = EXPLORERS["bound"]()
    page = show(explorer)
    for name, value in [("std", 0.3), ("mean", 0.2), ("mean", 1.5)]:
        setattr(explorer, name, value)
        page.evaluate("([name, value]) => model.set(name, value)", [name, value])
        settle(page)
        evidence, elbo, gap = explorer.numbers.values()
        read = "all => all.map(r => [r.y.baseVal.value, r.height.baseVal.value])"
        bars = np.array(page.locator("rect").evaluate_all(read))
        per_nat = bars[0, 1] / (evidence + 10)
        elbo, gap = max(elbo, -10), min(gap, evidence + 10)  # cut off at −10
        assert np.allclose(bars[:, 1], per_nat * np.array([evidence + 10, elbo + 10, gap]))
        assert np.allclose(bars[[0, 2], 0], bars[0, 0])  # ELBO and gap reach up to log p(x)
        heights = curve(page, "g >> nth=0 >> path[stroke-dasharray='6 4'] >> nth=0")
        density = explorer.q[np.abs(Z) <= 3.6]
        assert np.allclose(heights, heights.max() / density.max() * density, atol=0.02)


def test_the_curve_of_the_posterior_has_its_density_beside_the_prior(show):
    explorer = EXPLORERS["posterior"]()
    page = show(explorer)
    page.evaluate("model.set('x', -0.8)")
    settle(page)
    explorer.x = -0.8
    z = Z[np.abs(Z) <= 3.6]
    prior = curve(page, "g >> nth=1 >> path[stroke-dasharray='6 4'] >> nth=0")
    unit = prior.max() * np.sqrt(2 * np.pi)
    assert np.allclose(prior, unit * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), atol=0.02)
    heights = curve(page, "g >> nth=1 >> path >> nth=-1")
    density = explorer.posterior[np.abs(Z) <= 3.6]
    assert np.allclose(heights, unit * density, rtol=1e-3, atol=0.02)  # written with 2 digits


def dots(page, kind):
    read = "all => all.map(c => [c.cx.baseVal.value, c.cy.baseVal.value])"
    return np.array(page.locator(f"circle.{kind}").evaluate_all(read)).T


def test_the_dots_and_arrows_of_the_frozen_noise_are_where_they_belong(show):
    page = show(EXPLORERS["frozen"]())
    page.evaluate("() => { model.set('mu', -0.4); model.set('sigma', 1.2); }")
    settle(page)
    per_unit, zero = np.polyfit(EPS, dots(page, "eps")[0], 1)  # one axis for ε and z
    z = -0.4 + 1.2 * np.array(EPS)
    assert np.allclose(dots(page, "z")[0], zero + per_unit * z)
    x, y = dots(page, "loss")
    assert np.allclose(x, zero + per_unit * z)
    slope, _ = np.polyfit(z**2, y, 1)
    assert slope < 0
    assert np.allclose(np.diff(y), slope * np.diff(z**2))
    ends = page.locator(".arrows").get_attribute("d").split("M")[1::2]
    ends = np.array([[float(v) for v in end.replace("H", " ").split()] for end in ends])
    assert np.allclose(ends[:, 0], x)
    assert np.allclose(ends[:, 2], x - 0.1 * 2 * z * per_unit)  # a tenth of the negative gradient


BLACK = """
canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const places = [];
  for (let i = 0; i < data.length; i += 4) {
    if (Math.max(data[i], data[i + 1], data[i + 2]) < 40) {
      const [x, y] = [(i / 4) % canvas.width, Math.floor(i / 4 / canvas.width)];
      places.push([x, y].map((v) => ((v + 0.5) * canvas.offsetWidth) / canvas.width));
    }
  }
  return places;
}
"""


def test_the_boundary_on_the_plane_is_where_python_has_it(show, js):
    explorer = EXPLORERS["plane"]()
    page = show(explorer)
    lines = []
    for explorer.prior in (0.5, 0.95):
        page.evaluate("p => model.set('prior', p)", explorer.prior)
        page.evaluate("model.set('point', [-9, 9])")
        settle(page)
        places = page.locator("canvas").evaluate(BLACK)
        code = "({ pointAt }, places) => places.map((place) => pointAt(place, [-10, 10]))"
        x = np.array(js("plane.js", code, places))
        x = x[(np.abs(x) < 9.9).all(axis=1) & (np.hypot(*(x - [-9, 9]).T) > 1)]
        assert len(x) > 300
        at = torch.tensor(x, requires_grad=True)
        logs = [
            torch.distributions.MultivariateNormal(
                torch.tensor(m).double(), torch.tensor(c).double()
            )
            for m, c in zip(MEANS, COVARIANCES, strict=True)
        ]
        odds = logs[0].log_prob(at) - logs[1].log_prob(at)
        odds = odds + np.log(explorer.prior / (1 - explorer.prior))
        slope = torch.autograd.grad(odds.sum(), at)[0].norm(dim=1)
        assert (odds.abs() / slope).max() < 0.15  # about two pixels
        lines.append(x)
    assert not np.isclose(lines[0].mean(axis=0), lines[1].mean(axis=0), atol=0.1).all()


# LatentExplorer


def z_of(page):
    return page.evaluate("model.get('z')")


def test_hostile_labels_are_shown_as_text(show):
    page = show(latent(labels=[HOSTILE] * 10))
    page.locator("[data-role=map]").press("Enter")
    settle(page)
    assert HOSTILE in page.locator(".panel-decoded").inner_text()
    assert page.locator(".latent-explorer img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_reset_and_random_z(show):
    page = show(latent())
    button = page.get_by_role("button", name="Random z from the prior")
    click = "node => Array.from({ length: 30 }, () => { node.click(); return model.get('z'); })"
    seen = button.evaluate(click)
    assert len({tuple(z) for z in seen}) == 30
    assert 0.6 < np.std(seen) < 1.5  # 60 draws of N(0, 1): five of its standard errors away
    page.get_by_role("button", name="Reset").click()
    assert z_of(page) == [0, 0]
    assert page.evaluate("saved.length") == 31


def test_more_than_two_dimensions_show_a_chosen_pair(show):
    page = show(latent(latent_dim=5))
    assert page.locator("input[type=range]").count() == 5
    page.get_by_label("Across").select_option("3")
    page.get_by_label("Up").select_option("4")
    drag(page, page.locator("[data-role=map]"), (0.5, 0.5), (0.8, 0.3))
    page.mouse.up()
    z = z_of(page)
    assert z[:3] == [0, 0, 0]
    assert z[3] > 0.5
    assert z[4] > 0.5
    page.get_by_label("Up").select_option("3")  # the pair changes places
    assert page.get_by_label("Across").input_value() == "4"


def test_a_decoder_alone_has_no_pad_and_one_dimension_no_map(show):
    torch.manual_seed(2)
    decoder = nn.Linear(1, 784)
    page = show(LatentExplorer(decoder))
    assert page.locator("[data-role=pad], [data-role=map], [data-role=nearest]").count() == 0
    assert page.locator("input[type=range]").count() == 1
    page.evaluate("model.set('z', [1.5])")
    settle(page)
    expected = decoder(torch.tensor([[1.5]])).sigmoid().detach().numpy()[0]
    assert np.ptp(expected) > 0.5
    assert np.abs(pixels(page) - expected).max() <= GREY


def test_a_finger_drags_the_point_and_draws(show):
    page = show(latent(), has_touch=True, viewport={"width": 400, "height": 1300})
    client = page.context.new_cdp_session(page)
    for role in ("map", "pad"):
        box = page.locator(f"[data-role={role}]").bounding_box()
        assert box["x"] + box["width"] <= 400
        for kind, place in [("Start", 0.4), ("Move", 0.5), ("Move", 0.7), ("End", None)]:
            points = (
                []
                if place is None
                else [{"x": box["x"] + place * box["width"], "y": box["y"] + place * box["height"]}]
            )
            client.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        settle(page)
        assert page.evaluate("saved.length") == 1
        page.evaluate("saved.length = 0")
    assert z_of(page) != [0, 0]
    assert pixels(page, "pad").max() == 1
    assert page.evaluate("model.get('drawing').byteLength") == 4 * 784


def test_a_finger_drags_the_bell_of_the_kl(show):
    page = show(EXPLORERS["kl"](), has_touch=True, is_mobile=True, viewport=PHONE)
    client = page.context.new_cdp_session(page)
    knob = page.locator("[data-handle=mu] .knob")
    knob.scroll_into_view_if_needed()
    box = knob.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = page.evaluate("model.get('mu')")
    for kind, across in [("Start", 0), *[("Move", 8 * k) for k in range(1, 11)], ("End", None)]:
        points = [] if across is None else [{"x": x + across, "y": y}]
        client.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    settle(page)
    assert page.evaluate("model.get('mu')") > before + 1.5  # 80 pixels, and not the first 20
    assert page.evaluate("saved.length") == 1


def test_a_drawing_is_heard_of_from_outside_and_cleared(show):
    page = show(latent())
    set_drawing = """
    () => {
      const image = Float32Array.from({ length: 784 }, (_, i) => i % 2);
      model.set("drawing", new DataView(image.buffer));
    }
    """
    page.evaluate(set_drawing)
    settle(page)
    assert np.array_equal(pixels(page, "seen"), np.arange(784) % 2)
    assert "Squared error" in page.locator(".meter").inner_text()
    page.get_by_role("button", name="Clear").click()
    assert page.evaluate("model.get('drawing')") is None
    assert page.evaluate("saved.length") == 1
    assert pixels(page, "seen").max() == 0


@pytest.mark.parametrize("name", ["bound", "posterior"])
def test_on_a_phone_the_charts_stand_below_each_other(show, name):
    page = show(EXPLORERS[name]())
    places = "() => [...document.querySelectorAll('svg > g')].map(g => g.getBoundingClientRect().y)"
    width = page.viewport_size["width"]
    for viewport, apart in ((390, True), (width, False)):
        page.set_viewport_size({"width": viewport, "height": 900})
        settle(page)
        first, second = page.evaluate(places)
        assert (second - first > 200) == apart
