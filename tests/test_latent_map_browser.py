"""The map of a LatentExplorer on a page: decoded images, distributions, points, layout, theme."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from helpers.explorers import LatentExplorer
from helpers.models import VAE
from tests.browser import GREY, check_with_axe, drag, pixels, settle

MAP, LEFT, TOP, PLOT = 320, 40, 8, 272  # the map in its own units: js/map_look.js
# Keep what is drawn from another canvas, as its alpha: the grid's ink.
RECORD_GRID = """
() => {
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  globalThis.grids = [];
  CanvasRenderingContext2D.prototype.drawImage = function (source, ...at) {
    const { data } = source.getContext("2d").getImageData(0, 0, source.width, source.height);
    grids.push({ ink: Array.from(data).filter((_, i) => i % 4 === 3), at });
    return draw.call(this, source, ...at);
  };
}
"""
RECORD_NAMES = """
() => {
  const draw = CanvasRenderingContext2D.prototype.roundRect;
  globalThis.boxes = [];
  CanvasRenderingContext2D.prototype.roundRect = function (x, y, width, height, radius) {
    boxes.push([x, y, x + width, y + height]);
    return draw.call(this, x, y, width, height, radius);
  };
}
"""
COLUMNS = """
root => [...root.querySelectorAll(".panel")].map((panel) => {
  const box = panel.getBoundingClientRect();
  return [Math.round(box.left), Math.round(box.top), box.width, box.height];
})
"""
PAPER = """
canvas => Array.from(canvas.getContext("2d").getImageData(0, 0, 1, 1).data)
  .concat([getComputedStyle(canvas).backgroundColor])
"""


def vae(latent_dim=2):
    torch.manual_seed(0)
    model = VAE(latent_dim, hidden_dims=(16,))
    for parameter in model.parameters():
        parameter.data = (3 * parameter.data).half().float()  # the weights that travel
    return model.eval()


X = torch.rand(150, 784, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(150) % 10


@pytest.fixture(scope="module")
def visit(chrome, tmp_path_factory):
    folder, errors = tmp_path_factory.mktemp("pages"), []

    def visit(explorer, name="page", **options):
        explorer.to_html(folder / f"{name}.html")
        page = chrome.new_page(**{"viewport": {"width": 732, "height": 900}} | options)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((folder / f"{name}.html").as_uri())
        page.locator("figure[data-alive]").wait_for()
        page.evaluate("globalThis.model = document.querySelector('figure').explorer.model")
        page.evaluate("() => { globalThis.saved = []; model.save_changes = () => saved.push(1); }")
        settle(page)
        return page

    yield visit
    assert errors == []


@pytest.fixture(scope="module")
def shown(visit):
    page = visit(LatentExplorer(vae(), X, LABELS, latent_ranges=(-4, 4)))
    yield page
    page.close()


@pytest.fixture
def page(shown):
    """The page, at rest at z = 0 with its switches as at the start."""
    start = {"z": [0, 0], "grid": False, "points": True, "ellipses": False}
    shown.evaluate("all => Object.entries(all).forEach(([k, v]) => model.set(k, v))", start)
    shown.mouse.move(0, 0)
    shown.evaluate("() => { document.activeElement.blur(); saved.length = 0; scrollTo(0, 0); }")
    settle(shown)
    return shown


def place_of(page, z):
    """Where the code is on the screen, with ranges from −4 to 4."""
    box = page.locator("[data-role=map]").bounding_box()
    unit = box["width"] / MAP
    x, y = LEFT + PLOT * (z[0] + 4) / 8, TOP + PLOT * (4 - z[1]) / 8
    return float(box["x"] + unit * x), float(box["y"] + unit * y)


def grids_of(page, count):
    page.wait_for_function("count => grids.length === count", arg=count)
    grid = page.evaluate("grids.at(-1)")
    assert grid["at"] == [LEFT, TOP, PLOT, PLOT]
    ink = np.array(grid["ink"]).reshape(20, 28, 20, 28).transpose(0, 2, 1, 3)
    return ink.reshape(400, 784)


def decoded(model, z):
    with torch.no_grad():
        return model.decode(torch.tensor(z, dtype=torch.float32)).sigmoid().numpy()


MIDDLES = -3.8 + 0.4 * np.arange(20)


def test_the_grid_shows_what_pytorch_decodes_there_and_stays_while_others_move(visit):
    model = vae(3)
    page = visit(LatentExplorer(model, X, LABELS, latent_ranges=(-4, 4)), "three")
    page.evaluate(RECORD_GRID)
    page.locator("[data-role=grid]").check()
    z = np.array([[x, y, 0] for y in MIDDLES[::-1] for x in MIDDLES])
    ink = grids_of(page, 1)
    assert np.abs(ink / (0.6 * 255) - decoded(model, z)).max() <= 1.5 / (0.6 * 255)
    assert page.evaluate("[model.get('grid'), saved.length]") == [True, 1]
    drag(page, page.locator("input[type=range]").nth(2), (0.5, 0.5), (0.9, 0.5))
    page.wait_for_timeout(100)
    assert page.evaluate("grids.length") == 1  # not while it is dragged
    page.mouse.up()
    third = page.evaluate("model.get('z')")[2]
    assert third > 2
    z[:, 2] = third
    assert np.abs(grids_of(page, 2) / (0.6 * 255) - decoded(model, z)).max() <= 1.5 / (0.6 * 255)
    page.get_by_label("Up").select_option("2")  # z3 upwards, z2 at 0
    z = np.array([[x, 0, y] for y in MIDDLES[::-1] for x in MIDDLES])
    assert np.abs(grids_of(page, 3) / (0.6 * 255) - decoded(model, z)).max() <= 1.5 / (0.6 * 255)
    page.close()


def test_names_of_classes_at_one_place_stand_apart_and_clear_of_the_marker(page):
    page.evaluate(RECORD_NAMES)
    page.locator("[data-role=points]").uncheck()
    page.locator("[data-role=points]").check()
    page.wait_for_function("boxes.length >= 10")
    boxes = np.array(page.evaluate("boxes"))[:10]
    corner, opposite = boxes[:, :2], boxes[:, 2:]
    gaps = np.maximum(corner[:, None] - opposite, corner - opposite[:, None]).max(axis=-1)
    assert gaps[~np.eye(10, dtype=bool)].min() >= 1  # a unit of the map between any two
    start = np.array([LEFT + PLOT / 2, TOP + PLOT / 2])  # z = 0
    assert (
        np.maximum(corner - start, start - opposite).max(axis=-1).min() >= 9
    )  # the marker's radius
    assert np.abs((corner + opposite) / 2 - start).max() < 150  # and not far away


def test_the_name_of_a_class_does_not_cover_what_a_circle_says(visit):
    encoder = nn.Linear(784, 4)
    encoder.weight.data.zero_()
    encoder.bias.data = torch.tensor([0.0, 2.0, -4.0, -4.0])  # all codes lie where "2σ" stands
    explorer = LatentExplorer((encoder, nn.Linear(2, 784)), X, [7] * 150, latent_ranges=(-4, 4))
    page = visit(explorer, "circle")
    page.evaluate(RECORD_NAMES)
    page.locator("[data-role=points]").uncheck()
    page.locator("[data-role=points]").check()
    page.wait_for_function("boxes.length >= 1")
    corner, opposite = np.array(page.evaluate("boxes"))[0].reshape(2, 2)
    at = np.array([LEFT + PLOT / 2, TOP + PLOT / 2 - 2 * PLOT / 8])
    assert np.maximum(corner - at, at - opposite).max() >= 9
    page.close()


def test_the_ellipse_of_a_point_has_the_axes_of_its_distribution(page):
    with torch.no_grad():
        mu, logvar = (t.numpy() for t in vae().encode(X))
    page.mouse.move(*place_of(page, mu[7]))
    settle(page)
    shown = page.locator(".peek")
    assert shown.is_visible()
    (near,) = np.flatnonzero(np.abs(X.numpy() - pixels(page, "peek")).max(axis=1) <= GREY)
    assert np.hypot(*(mu[near] - mu[7])) < 0.2  # it, or one that lies as near to the pointer
    sigma = np.exp(logvar[near] / 2)
    told = shown.inner_text().replace("−", "-")
    assert f"class {LABELS[near]}" in told
    assert f"σ ({sigma[0]:.2f}, {sigma[1]:.2f})" in told
    read = "all => all.map(e => ['cx', 'cy', 'rx', 'ry'].map(name => e[name].baseVal.value))"
    rings = np.array(page.locator(".posterior ellipse").evaluate_all(read))
    unit = PLOT / 8
    middle = LEFT + unit * (mu[near, 0] + 4), TOP + unit * (4 - mu[near, 1])
    assert np.allclose(rings[:, :2], middle, atol=1e-3)
    assert np.allclose(rings[:, 2:], unit * np.array([sigma, 2 * sigma]), rtol=1e-4)
    page.mouse.move(0, 0)
    settle(page)
    assert not shown.is_visible()
    assert not page.locator(".posterior").is_visible()
    assert page.evaluate("[model.get('z'), saved.length]") == [[0, 0], 0]


def test_the_keyboard_steps_through_the_points_and_picks_one(page):
    with torch.no_grad():
        mu = vae().encode(X)[0].numpy()
    canvas = page.locator("[data-role=map]")
    for _ in range(3):
        canvas.press("]")
    canvas.press("[")
    settle(page)
    assert np.abs(pixels(page, "peek") - X[1].numpy()).max() <= GREY
    assert "Point 2 of 150, class 1, σ" in page.locator("[aria-live=polite].spoken").inner_text()
    assert page.evaluate("[model.get('z'), saved.length]") == [[0, 0], 0]
    canvas.press("Enter")
    settle(page)
    assert np.allclose(page.evaluate("model.get('z')"), mu[1], atol=1e-5)
    assert not page.locator(".peek").is_visible()
    assert page.locator(".posterior").is_visible()  # that of the picked one
    canvas.press("ArrowLeft")
    settle(page)
    assert not page.locator(".posterior").is_visible()


LOOK = "canvas => canvas.toDataURL()"


def test_without_points_none_is_pointed_at_or_picked(page):
    canvas = page.locator("[data-role=map]")
    page.locator("[data-role=points]").uncheck()
    canvas.press("Enter")
    canvas.press("]")
    settle(page)
    assert page.evaluate("model.get('z')") == [0, 0]
    assert not page.locator(".peek").is_visible()


@pytest.mark.parametrize("name", ["grid", "points", "ellipses"])
def test_a_switch_changes_the_map_and_python_can_set_it(page, name):
    canvas = page.locator("[data-role=map]")
    box, start = page.locator(f"[data-role={name}]"), page.evaluate(f"model.get('{name}')")
    before = canvas.evaluate(LOOK)
    page.evaluate(f"model.set('{name}', {'false' if start else 'true'})")
    page.wait_for_function(
        "([canvas, before]) => canvas.toDataURL() !== before",
        arg=[canvas.element_handle(), before],
    )
    assert box.is_checked() != start
    box.click()
    settle(page)
    assert box.is_checked() == start == page.evaluate(f"model.get('{name}')")
    assert canvas.evaluate(LOOK) == before
    assert page.evaluate("saved.length") == 1


@pytest.mark.parametrize(("width", "columns"), [(390, 1), (700, 2), (860, 2), (940, 3), (1366, 3)])
def test_the_parts_stand_side_by_side_as_far_as_the_explorer_has_room(page, width, columns):
    page.set_viewport_size({"width": width, "height": 900})
    settle(page)
    boxes = np.array(page.locator(".latent-explorer").evaluate(COLUMNS))
    tops = boxes[:, 1]
    assert len(set(boxes[:, 0])) == columns
    assert len(set(tops)) == {1: 3, 2: 2, 3: 1}[columns]
    if columns == 2:  # the pad has the whole of its row
        assert boxes[2, 2] == pytest.approx(boxes[1, 0] + boxes[1, 2] - boxes[0, 0], abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 732, "height": 900})


def test_the_map_follows_the_theme(page):
    page.evaluate("() => { model.set('grid', true); model.set('ellipses', true); }")
    canvas = page.locator("[data-role=map]")
    page.wait_for_timeout(300)
    light = canvas.evaluate(LOOK)
    check_with_axe(page, ".latent-explorer")
    page.emulate_media(color_scheme="dark")
    changed = "([canvas, light]) => canvas.toDataURL() !== light"
    page.wait_for_function(changed, arg=[canvas.element_handle(), light])
    *_, paper = canvas.evaluate(PAPER)
    assert max(map(int, re.findall(r"\d+", paper)[:3])) < 60
    check_with_axe(page, ".latent-explorer")
    page.emulate_media(color_scheme="light")
    page.wait_for_function(
        "([canvas, light]) => canvas.toDataURL() === light", arg=[canvas.element_handle(), light]
    )


@pytest.mark.parametrize("output", ["logits", "pixels"])
def test_a_linear_decoder_shows_what_it_adds(visit, output):
    torch.manual_seed(3)
    decoder = nn.Linear(2, 784)
    page = visit(LatentExplorer(nn.Sequential(decoder), output=output), "linear")
    page.evaluate("model.set('z', [-1.25, 0.5])")
    settle(page)
    b, w = decoder.bias.detach().numpy(), decoder.weight.detach().numpy().T
    mean = 1 / (1 + np.exp(-b)) if output == "logits" else np.clip(b, 0, 1)
    assert np.abs(pixels(page, "mean") - mean).max() <= GREY
    for d in (0, 1):
        expected = 0.5 + 0.5 * w[d] / np.abs(w).max()
        assert np.abs(pixels(page, f"w{d + 1}") - expected).max() <= GREY
    factors = page.locator("[data-value^=factor]").all_inner_texts()
    assert factors == ["−1.25", "+0.50"]
    page.close()
