"""LatentExplorer in a real JupyterLab; on a page without Jupyter: test_pages_browser.py.

Every pixel is compared with what PyTorch decodes from the original float32 model.
"""

import base64
import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from helpers.data import load_images
from helpers.explorers import LatentExplorer
from helpers.models import VAE
from tests.browser import (
    ACTIVE_CELL,
    GREY,
    READY,
    RECORD_IMAGES,
    SHUT_DOWN,
    ask,
    check_with_axe,
    drag,
    execute,
    frames_in_order,
    pixels,
    running_page,
    settle,
    slider_values,
)

SETUP = """
import time, torch
from pathlib import Path
from torch import nn
from ipywidgets.widgets.widget import _instances
from helpers.explorers import LatentExplorer
model, x, labels = torch.load("model.pt", weights_only=False)
"""
VIEWS = "document.querySelectorAll('.latent-explorer').length === 3"
EXPLORER = "explorer = LatentExplorer(model, x, labels); explorer"
SLOW = """
class Slow(nn.Linear):
    def forward(self, z):
        while Path("hold").exists():
            time.sleep(0.01)
        return super().forward(z)

decoder = Slow(2, 784)
decoder.load_state_dict(torch.load("slow.pt"))
slow = LatentExplorer(decoder); slow
"""

# In JupyterLab


@pytest.fixture(scope="module")
def model():
    """A VAE whose images are black and white enough, without training it here."""
    torch.manual_seed(0)
    model = VAE()
    for parameter in [*model.encoder.parameters(), *model.decoder.parameters()]:
        parameter.data *= 2
    return model.eval()


@pytest.fixture(scope="module")
def digits():
    data = load_images()
    return data.x_test[:200], data.y_test[:200]


@pytest.fixture(scope="module")
def files(lab, model, digits):
    """The folder of the JupyterLab, with the models that the notebooks load."""
    torch.manual_seed(1)
    slow = nn.Linear(2, 784)
    torch.save((model, *digits), lab.folder / "model.pt")
    torch.save(slow.state_dict(), lab.folder / "slow.pt")
    return slow


@pytest.fixture(scope="module")
def page(lab, chrome, files):
    lab.write("explorer.ipynb", [SETUP, EXPLORER, "explorer", SLOW])
    with running_page(lab, chrome, "explorer.ipynb") as page:
        page.wait_for_function(VIEWS)
        page.wait_for_function(READY)
        yield page


@pytest.fixture
def root(page):
    """The explorer, at rest at z = 0 and with an empty pad."""
    root = page.locator(".latent-explorer").first
    root.get_by_role("button", name="Clear").click()
    root.get_by_role("button", name="Reset").click()
    root.evaluate("() => document.activeElement.blur()")
    root.scroll_into_view_if_needed()
    settle(page)
    return root


@torch.no_grad()
def decode(model, z):
    return model.decode(torch.as_tensor(z, dtype=torch.float32)).sigmoid().numpy()


def test_ten_codes_set_in_python_are_decoded_as_pytorch_does(page, root, model):
    for z in torch.randn(10, 2, generator=torch.Generator().manual_seed(2)).tolist():
        assert execute(page, f"explorer.z = {z}") == ""
        text = root.locator("output")
        page.wait_for_function(
            "([node, text]) => node.textContent.replace('−', '-') === text",
            arg=[text.first.element_handle(), f"{z[0]:.2f}"],
        )
        settle(page)
        expected = decode(model, [z])[0]
        assert np.ptp(expected) > 0.2
        assert np.abs(pixels(root) - expected).max() <= GREY


def test_dragging_a_slider_decodes_each_frame_and_tells_the_kernel_on_release(page, root, model):
    root.evaluate(RECORD_IMAGES)
    slider = root.locator("input[type=range]").first
    start = slider_values(root)
    before = len(page.sent)
    drag(page, slider, (0.5, 0.5), (0.9, 0.5), (0.2, 0.5), steps=25)
    settle(page)
    assert len(page.sent) == before
    page.mouse.up()
    settle(page)
    record = page.evaluate("stopRecording()")
    values = np.array([start, *record["set"]])
    assert len(record["frames"]) > 10
    assert len(np.unique(values[:, 0])) > 10
    decoded = decode(model, values)
    assert frames_in_order(record["frames"], decoded)
    assert np.abs(np.array(record["frames"][-1]) / 255 - decoded[-1]).max() <= GREY
    assert ask(page, "explorer.z") == values[-1].tolist()
    assert len(page.sent) > before


def test_dragging_on_the_map_decodes_each_frame_and_tells_the_kernel_on_release(page, root, model):
    canvas = root.locator("[data-role=map]")
    ends = []
    for place in [(0.75, 0.3), (0.3, 0.7)]:
        drag(page, canvas, (0.5, 0.5), place)
        page.mouse.up()
        ends.append(np.array(ask(page, "explorer.z")))
    root.evaluate(RECORD_IMAGES)
    before = len(page.sent)
    drag(page, canvas, (0.75, 0.3), (0.3, 0.7), steps=25)
    settle(page)
    assert len(page.sent) == before
    page.mouse.up()
    settle(page)
    frames = page.evaluate("stopRecording()")["frames"]
    assert np.allclose(ask(page, "explorer.z"), ends[1], atol=1e-6)
    line = ends[0] + np.linspace(0, 1, 1001)[:, None] * (ends[1] - ends[0])
    assert len(frames) > 10
    assert frames_in_order(frames, decode(model, line))
    assert np.abs(pixels(root) - decode(model, line[-1:])[0]).max() <= GREY


def test_a_click_on_a_point_picks_that_digit(page, root, model, digits):
    x, labels = digits
    canvas = root.locator("[data-role=map]")
    drag(page, canvas, (0.5, 0.5), (0.6, 0.6))
    page.mouse.up()
    canvas.press("Enter")  # the nearest point
    settle(page)
    with torch.no_grad():
        codes = model.encode(x)[0].numpy()
    z = ask(page, "explorer.z")
    index = np.abs(codes - z).sum(axis=1).argmin()
    assert np.allclose(codes[index], z, atol=1e-5)
    assert np.abs(pixels(root, "nearest") - x[index].numpy()).max() <= GREY
    assert np.abs(pixels(root) - decode(model, [z])[0]).max() <= GREY
    error = ((decode(model, [z])[0] - x[index].numpy()) ** 2).sum()
    text = root.locator(".panel-decoded").inner_text()
    assert f"class {labels[index]}: code" in text
    assert f"squared error {error:.1f}" in text


def test_a_stroke_is_centered_as_in_mnist_and_reconstructed_as_pytorch_does(page, root, model):
    path = [(0.1, 0.1), (0.3, 0.08), (0.35, 0.2), (0.2, 0.3), (0.35, 0.4), (0.1, 0.5)]
    before = len(page.sent)
    drag(page, root.locator("[data-role=pad]"), *path)
    settle(page)
    assert len(page.sent) == before
    page.mouse.up()
    settle(page)
    drawing = np.array(ask(page, "explorer.drawing.tolist()"), dtype=np.float32)
    assert np.array_equal(np.round(255 * drawing.ravel()), np.round(255 * pixels(root, "seen")))
    rows, columns = np.nonzero(drawing > 0.5)
    sides = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert 18 <= max(sides) <= 20  # the soft edge of the pen is left out
    center = (np.indices((28, 28)) * drawing).sum(axis=(1, 2)) / drawing.sum()
    assert np.abs(center - 13.5).max() < 0.25
    with torch.no_grad():
        z = model.encode(torch.from_numpy(drawing).reshape(1, 784))[0]
    assert np.allclose(ask(page, "explorer.z"), z.numpy(), atol=0.02)
    expected = decode(model, z)[0]
    assert np.abs(pixels(root, "reconstruction") - expected).max() <= GREY
    assert np.abs(pixels(root) - expected).max() <= GREY
    error = ((expected - drawing.ravel()) ** 2).sum()
    shown = root.locator(".meter").inner_text().split("Squared error ")[1].split()[0]
    assert abs(float(shown) - error) < 0.01 * error


def focusable(root):
    return root.evaluate(
        "r => [...r.querySelectorAll('button, input, select, [tabindex]')].map(e => e.outerHTML)"
    )


SHOWN = """
root => [...root.querySelectorAll("[data-role=decoded], [data-role=pad], [data-role=map]")]
  .map((canvas) => canvas.toDataURL()).join()
"""
CHANGED = f"([root, before]) => ({SHOWN})(root) !== before"


def test_the_keyboard_alone_reaches_and_moves_every_control(page, root):
    focused = "() => document.activeElement"
    root.locator("[data-role=map]").focus()
    page.keyboard.press("Tab")  # from here on the browser shows the focus
    page.keyboard.press("Shift+Tab")
    reached, active_cell = [], page.evaluate(ACTIVE_CELL)
    for _ in focusable(root)[:-1]:  # the last one, of all explorers: test_tools_browser.py
        control = page.evaluate_handle(focused).as_element()
        reached.append(control.evaluate("e => e.outerHTML"))
        outline = control.evaluate("e => getComputedStyle(e).outlineStyle")
        before = root.evaluate(SHOWN)
        is_switch = "checkbox" in reached[-1]
        page.keyboard.press("Space" if is_switch or "pad" in reached[-1] else "Enter")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown", delay=20)
        page.wait_for_function(CHANGED, arg=[root.element_handle(), before])
        if is_switch:
            page.keyboard.press("Space")
        assert outline == "solid", reached[-1]
        assert page.evaluate(ACTIVE_CELL) == active_cell
        page.keyboard.press("Tab")
    assert sorted(reached) == sorted(focusable(root)[:-1])
    assert page.evaluate("document.activeElement.dataset.role") == "fullscreen"
    page.keyboard.press("Tab")  # into the next cell's view
    assert not root.evaluate("root => root.contains(document.activeElement)")


def test_the_live_region_speaks_the_coordinates(page, root):
    root.locator("[data-role=map]").focus()
    page.keyboard.press("ArrowRight")
    spoken = root.locator("[aria-live=polite]").inner_text()
    assert "z = (0.0" in spoken
    assert "nearest digit: " in spoken


def test_axe_finds_no_serious_violation(page, root, chrome, model, digits, theme, tmp_path):
    names = sorted({*re.findall(r"--jp-[\w-]+", str(LatentExplorer._esm))})
    read = "names => names.map(n => [n, getComputedStyle(document.body).getPropertyValue(n)])"
    check_with_axe(page, ".latent-explorer")
    colors = page.evaluate(read, names)
    LatentExplorer(model, *digits).to_html(tmp_path / "plain.html")
    plain = chrome.new_page()  # in JupyterLab axe checks no contrast of text
    plain.goto((tmp_path / "plain.html").as_uri())
    plain.locator(".latent-explorer").wait_for()
    plain.evaluate("all => all.forEach(([n, v]) => document.body.style.setProperty(n, v))", colors)
    check_with_axe(plain, ".latent-explorer")
    plain.close()


def test_a_layer_for_the_kernel_gets_the_newest_request_and_always_the_last(lab, page, files):
    root = page.locator(".latent-explorer").last
    assert "Slow" in root.locator(".note").inner_text()
    root.scroll_into_view_if_needed()
    settle(page)
    root.evaluate(RECORD_IMAGES)
    hold = lab.folder / "hold"
    hold.touch()  # the kernel is busy with the first request for the whole of the drag
    drag(page, root.locator("input[type=range]").first, (0.5, 0.5), (0.9, 0.5), steps=60)
    page.mouse.up()
    hold.unlink()
    z = slider_values(root)
    expected = torch.sigmoid(files(torch.tensor([z]))).detach().numpy()[0]
    canvas = root.locator("[data-role=decoded]").element_handle()
    page.wait_for_function(
        """([canvas, last]) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
          return last.every((value, i) => Math.abs(255 * value - data[4 * i]) <= 2);
        }""",
        arg=[canvas, expected.tolist()],
    )
    record = page.evaluate("stopRecording()")
    assert len(record["set"]) > 10
    assert len(record["frames"]) == 2  # the first request's answer, and the newest's
    assert ask(page, "slow.z") == z


def test_views_of_one_explorer_follow_each_other_and_run_again_it_is_one(lab, page, root):
    roots = page.locator(".latent-explorer")
    drag(page, roots.first.locator("input[type=range]").first, (0.5, 0.5), (0.8, 0.5))
    settle(page)
    assert (pixels(roots.nth(0)) == pixels(roots.nth(1))).all()
    assert slider_values(roots.nth(1)) == slider_values(roots.nth(0)) != [0, 0]
    page.mouse.up()
    drag(page, roots.first.locator("[data-role=pad]"), (0.3, 0.2), (0.5, 0.8))
    page.mouse.up()
    settle(page)
    assert pixels(roots.nth(0), "seen").max() == 1
    assert (pixels(roots.nth(0), "seen") == pixels(roots.nth(1), "seen")).all()
    # The old one may wait for Python to look for what nobody holds.
    live = "sum(isinstance(w, LatentExplorer) for w in _instances.values())"
    count = f"[__import__('gc').collect(), {live}][1]"
    assert ask(page, count) == 2
    old = roots.nth(0).element_handle()
    lab.run_all(page)
    page.wait_for_function("old => !old.isConnected", arg=old)
    page.wait_for_function(VIEWS)
    page.wait_for_function(READY)
    assert ask(page, count) == 2


def test_without_a_kernel_it_moves_on_and_the_saved_notebook_shows_a_picture(
    lab, chrome, page, root, model
):
    page.evaluate(SHUT_DOWN)
    before = pixels(root)
    drag(page, root.locator("input[type=range]").first, (0.5, 0.5), (0.9, 0.5))
    page.mouse.up()
    settle(page)
    assert np.abs(pixels(root) - before).max() > 0.1
    assert np.abs(pixels(root) - decode(model, [slider_values(root)])[0]).max() <= GREY
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    saved = json.loads((lab.folder / "explorer.ipynb").read_text())["cells"][1]["outputs"][0]
    assert "application/vnd.jupyter.widget-view+json" not in saved["data"]
    assert base64.b64decode(saved["data"]["image/png"]).startswith(b"\x89PNG")
    page = chrome.new_page()
    lab.open(page, "explorer.ipynb")
    picture = page.locator(".jp-OutputArea-output img").first
    picture.wait_for()
    page.evaluate(SHUT_DOWN)
    assert picture.evaluate("img => img.naturalWidth") > 100
    assert page.locator(".latent-explorer").count() == 0
    assert page.get_by_text("model not found").count() == 0
    page.close()
