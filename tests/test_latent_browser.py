"""LatentExplorer in a real browser, in JupyterLab and on a page without Jupyter.

Every pixel is compared with what PyTorch decodes from the original float32 model.
"""

import base64
import json
import re

import numpy as np
import pytest
import torch
from browser import (
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
from torch import nn

from helpers.data import load_images
from helpers.explorers import LatentExplorer
from helpers.models import VAE

HOSTILE = "<img src=x onerror='window.hacked = true'>"
SETUP = """
import time, torch
from pathlib import Path
from torch import nn
from ipywidgets.widgets.widget import _instances
from helpers.explorers import LatentExplorer
model, x, labels = torch.load("model.pt", weights_only=False)
"""
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
HOST = """
async ({ source, state }) => {
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  for (const [name, value] of Object.entries(state)) {
    if (value?.base64 !== undefined) state[name] = bytes(value.base64);
  }
  const handlers = [];
  globalThis.model = {
    state, handlers, saved: 0, sent: [],
    get: (name) => state[name],
    set(name, value) { state[name] = value; this.trigger(`change:${name}`); },
    trigger(name, ...args) { for (const [n, f] of [...handlers]) if (n === name) f(...args); },
    on: (name, handler) => handlers.push([name, handler]),
    off(name, handler) {
      handlers.splice(handlers.findIndex(([n, f]) => n === name && f === handler), 1);
    },
    save_changes() { this.saved += 1; },
    send(content) { this.sent.push(content); },
  };
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const view = (await import(url)).default;
  globalThis.cleanups = [view.render({ model, el: document.body })];
  globalThis.renderAgain = () => cleanups.push(view.render({ model, el: document.body }));
}
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
    lab.write("explorer.ipynb", [SETUP, EXPLORER])
    with running_page(lab, chrome, "explorer.ipynb") as page:
        page.wait_for_selector(".latent-explorer")
        yield page


@pytest.fixture
def root(page):
    """The explorer, at rest at z = 0 and with an empty pad."""
    root = page.locator(".latent-explorer").first
    root.get_by_role("button", name="Clear").click()
    root.get_by_role("button", name="Reset").click()
    root.evaluate("() => document.activeElement.blur()")
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


def test_the_keyboard_alone_reaches_and_moves_every_control(page, root):
    focused = "() => document.activeElement"
    root.locator("[data-role=map]").focus()
    page.keyboard.press("Tab")  # from here on the browser shows the focus
    page.keyboard.press("Shift+Tab")
    reached, active_cell = [], page.evaluate(ACTIVE_CELL)
    for _ in focusable(root):
        control = page.evaluate_handle(focused).as_element()
        reached.append(control.evaluate("e => e.outerHTML"))
        outline = control.evaluate("e => getComputedStyle(e).outlineStyle")
        before = pixels(root), pixels(root, "pad")
        if reached[-1].startswith(("<canvas", "<button")):
            page.keyboard.press("Space" if "pad" in reached[-1] else "Enter")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown", delay=20)
        settle(page)
        after = pixels(root), pixels(root, "pad")
        changed = any((a != b).any() for a, b in zip(before, after, strict=True))
        assert changed, reached[-1]
        assert outline == "solid", reached[-1]
        page.keyboard.press("Tab")
    assert sorted(reached) == sorted(focusable(root))
    assert not page.evaluate_handle(focused).evaluate("e => !!e.closest('.latent-explorer')")
    assert page.evaluate(ACTIVE_CELL) == active_cell


def test_the_live_region_speaks_the_coordinates(page, root):
    root.locator("[data-role=map]").focus()
    page.keyboard.press("ArrowRight")
    spoken = root.locator("[aria-live=polite]").inner_text()
    assert "z = (0.0" in spoken
    assert "nearest digit: " in spoken


def test_axe_finds_no_serious_violation(page, root, host, model, digits, theme):
    names = sorted({*re.findall(r"--jp-[\w-]+", str(LatentExplorer._esm))})
    read = "names => names.map(n => [n, getComputedStyle(document.body).getPropertyValue(n)])"
    check_with_axe(page, ".latent-explorer")
    colors = page.evaluate(read, names)
    plain = host(LatentExplorer(model, *digits))  # in JupyterLab axe checks no contrast of text
    plain.evaluate("all => all.forEach(([n, v]) => document.body.style.setProperty(n, v))", colors)
    check_with_axe(plain, ".latent-explorer")


def test_views_of_one_explorer_follow_each_other_and_run_again_it_is_one(lab, chrome, files, model):
    lab.write("twice.ipynb", [SETUP, EXPLORER, "explorer"])
    with running_page(lab, chrome, "twice.ipynb") as page:
        roots = page.locator(".latent-explorer")
        page.wait_for_function("document.querySelectorAll('.latent-explorer').length === 2")
        drag(page, roots.first.locator("input[type=range]").first, (0.5, 0.5), (0.8, 0.5))
        settle(page)
        assert (pixels(roots.nth(0)) == pixels(roots.nth(1))).all()
        assert slider_values(roots.nth(1)) == slider_values(roots.nth(0))
        page.mouse.up()
        count = "sum(isinstance(w, LatentExplorer) for w in _instances.values())"
        assert ask(page, count) == 1
        old = roots.nth(0).element_handle()
        lab.run_all(page)
        page.wait_for_function("old => !old.isConnected", arg=old)
        page.wait_for_function("document.querySelectorAll('.latent-explorer').length === 2")
        assert ask(page, count) == 1


def test_without_a_kernel_it_moves_on_and_the_saved_notebook_shows_a_picture(
    lab, chrome, files, model
):
    lab.write("gone.ipynb", [SETUP, EXPLORER])
    with running_page(lab, chrome, "gone.ipynb") as page:
        root = page.locator(".latent-explorer")
        root.wait_for()
        page.evaluate(SHUT_DOWN)
        before = pixels(root)
        drag(page, root.locator("input[type=range]").first, (0.5, 0.5), (0.9, 0.5))
        page.mouse.up()
        settle(page)
        assert np.abs(pixels(root) - before).max() > 0.1
        assert np.abs(pixels(root) - decode(model, [slider_values(root)])[0]).max() <= GREY
        page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    saved = json.loads((lab.folder / "gone.ipynb").read_text())["cells"][1]["outputs"][0]["data"]
    assert "application/vnd.jupyter.widget-view+json" not in saved
    assert base64.b64decode(saved["image/png"]).startswith(b"\x89PNG")
    page = chrome.new_page()
    lab.open(page, "gone.ipynb")
    picture = page.locator(".jp-OutputArea-output img")
    picture.wait_for()
    page.evaluate(SHUT_DOWN)
    assert picture.evaluate("img => img.naturalWidth") > 100
    assert page.locator(".latent-explorer").count() == 0
    assert page.get_by_text("model not found").count() == 0
    page.close()


def test_a_layer_for_the_kernel_gets_the_newest_request_and_always_the_last(lab, chrome, files):
    lab.write("slow.ipynb", [SETUP, SLOW])
    with running_page(lab, chrome, "slow.ipynb") as page:
        root = page.locator(".latent-explorer")
        root.wait_for()
        assert "Slow" in root.locator(".note").inner_text()
        page.wait_for_function(READY)
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


# On a page without Jupyter


@pytest.fixture
def host(chrome):
    """A function that shows an explorer on an empty page, with a stand-in for the model."""
    pages = []

    def show(explorer, before=None, **options):
        page = chrome.new_page(**options)
        pages.append(page)
        if before:
            page.evaluate(before)
        state = {name: explorer.get_state()[name] for name in explorer.keys if name[0] != "_"}
        state.pop("layout")
        for name, value in state.items():
            if isinstance(value, bytes):
                state[name] = {"base64": base64.b64encode(value).decode()}
        source = str(LatentExplorer._esm)
        page.evaluate(HOST, {"source": source, "state": state})
        settle(page)
        return page

    yield show
    for page in pages:
        page.close()


ACTIVATIONS = [
    *(nn.ReLU(), nn.LeakyReLU(0.2), nn.GELU(), nn.GELU(approximate="tanh"), nn.SiLU()),
    *(nn.Tanh(), nn.Sigmoid(), nn.Softplus(beta=2, threshold=3), nn.Identity(), nn.Dropout(0.5)),
]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_every_activation_decodes_as_pytorch_does(host, activation):
    torch.manual_seed(3)
    first, last = nn.Linear(2, 30), nn.Linear(30, 784, bias=False)
    first.weight.data *= 4
    last.weight.data *= 3
    decoder = nn.Sequential(first, activation, nn.Sequential(last)).eval()
    output = "pixels" if isinstance(activation, nn.Identity) else "logits"
    page = host(LatentExplorer(decoder, output=output))
    for z in ([0.7, -1.5], [-2.0, 2.5]):
        page.evaluate("z => model.set('z', z)", z)
        settle(page)
        values = decoder(torch.tensor([z])).detach()[0]
        expected = values.sigmoid() if output == "logits" else values.clamp(0, 1)
        assert np.ptp(expected.numpy()) > 0.1
        assert np.abs(pixels(page) - expected.numpy()).max() <= GREY


def test_a_browser_without_float16array_decodes_the_same(host, model):
    explorer = LatentExplorer(model)
    pages = [host(explorer), host(explorer, before="() => delete globalThis.Float16Array")]
    assert pages[1].evaluate("typeof Float16Array") == "undefined"
    assert (pixels(pages[0]) == pixels(pages[1])).all()


def test_hostile_labels_are_shown_as_text(host, model, digits):
    page = host(LatentExplorer(model, digits[0], [HOSTILE] * len(digits[0])))
    page.locator("[data-role=map]").press("Enter")
    settle(page)
    assert HOSTILE in page.locator(".panel-decoded").inner_text()
    assert page.locator(".latent-explorer img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_the_cleanup_leaves_nothing_behind(host, model, digits):
    page = host(LatentExplorer(model, *digits))
    map_ = page.locator("[data-role=map]").element_handle()
    page.evaluate("renderAgain(); model.set('z', [1, 1]); cleanups.forEach(end => end())")
    assert page.evaluate("model.handlers") == []
    assert page.locator(".latent-explorer").count() == 0
    map_.evaluate("map => map.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp' }))")
    map_.evaluate("map => map.dispatchEvent(new KeyboardEvent('keyup', { key: 'ArrowUp' }))")
    settle(page)
    assert page.evaluate("[model.state.z, model.saved]") == [[1, 1], 0]


def test_reset_and_random_z(host, model):
    page = host(LatentExplorer(model))
    seen = []
    for _ in range(30):
        page.get_by_role("button", name="Random z from the prior").click()
        seen.append(page.evaluate("model.state.z"))
    assert len({tuple(z) for z in seen}) == 30
    assert 0.6 < np.std(seen) < 1.5  # 60 draws of N(0, 1): five of its standard errors away
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate("[model.state.z, model.saved]") == [[0, 0], 31]


def test_more_than_two_dimensions_show_a_chosen_pair(host):
    torch.manual_seed(4)
    model = VAE(5, hidden_dims=(16,))
    page = host(LatentExplorer(model, torch.rand(10, 784)))
    assert page.locator("input[type=range]").count() == 5
    page.get_by_label("Across").select_option("3")
    page.get_by_label("Up").select_option("4")
    drag(page, page.locator("[data-role=map]"), (0.5, 0.5), (0.8, 0.3))
    page.mouse.up()
    z = page.evaluate("model.state.z")
    assert z[:3] == [0, 0, 0]
    assert z[3] > 0.5
    assert z[4] > 0.5
    page.get_by_label("Up").select_option("3")  # the pair changes places
    assert page.get_by_label("Across").input_value() == "4"


def test_a_decoder_alone_has_no_pad_and_one_dimension_no_map(host):
    page = host(LatentExplorer(nn.Linear(1, 784)))
    assert page.locator("[data-role=pad], [data-role=map], [data-role=nearest]").count() == 0
    assert page.locator("input[type=range]").count() == 1


def test_a_finger_drags_the_point_and_draws(host, model):
    page = host(LatentExplorer(model), has_touch=True, viewport={"width": 400, "height": 1300})
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
        assert page.evaluate("model.saved") == 1
        page.evaluate("model.saved = 0")
    z = page.evaluate("model.state.z")
    assert z != [0, 0]
    assert pixels(page, "pad").max() == 1
    assert page.evaluate("model.state.drawing.byteLength") == 4 * 784
