"""Notebook 05 in a real JupyterLab: each of its explorers is dragged, and compared with Python.

Only the training is cut short, to one epoch on a few digits: what is tested is that the explorers
show the models at hand, not that these are good. The asserts of the notebook may therefore fail.
"""

import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import execute
from playwright.sync_api import expect

NAME = "05_variational_autoencoder.ipynb"
NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / NAME
SHORT = """
import helpers.training as training
if not hasattr(training, "whole_fit"):
    training.whole_fit = training.fit
def short_fit(model, loss_fn, x, **options):
    options = options | {"epochs": 1, "x_val": None, "progress": False}
    return training.whole_fit(model, loss_fn, x[:640], **options)
training.fit = short_fit
"""
RECORD = """
root => {
  const frames = [];
  let on = true;
  (function frame() {
    const text = root.querySelector(".value").textContent;
    if (frames.at(-1) !== text) frames.push(text);
    if (on) requestAnimationFrame(frame);
  })();
  globalThis.stopRecording = () => { on = false; return frames; };
}
"""
GREY = """
canvas => Array.from(canvas.getContext("2d").getImageData(0, 0, 28, 28).data)
  .filter((_, i) => i % 4 === 0)
"""
BARS = "all => all.map(r => [r.y.baseVal.value, r.height.baseVal.value])"
LATENT = {"plain_explorer": 2, "explorer": 2, "style_explorer": 2, "hand": 10}


def settle(page):
    """Two frames later everything that was asked for is drawn."""
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def run(page, code):
    """What the kernel answers, once it has handled the messages of the explorers before."""
    return json.loads(execute(page, f"import json; print(json.dumps({code}))"))


@pytest.fixture(scope="module")
def page(lab, chrome):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(SHORT))
    for cell in notebook.cells:
        cell.metadata["tags"] = ["raises-exception"]
    nbformat.write(notebook, lab.folder / NAME)
    page = chrome.new_page(viewport={"width": 1300, "height": 1500})
    page.sent, page.errors = [], []
    page.on("websocket", lambda ws: ws.on("framesent", lambda m: page.sent.append(m)))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    lab.open(page, NAME)
    lab.run_all(page)
    idle = "jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    page.wait_for_timeout(2000)
    page.wait_for_function(idle, timeout=300_000)
    assert run(page, "'candidates' in globals()")  # the last solution ran
    yield page
    assert page.errors == []
    page.close()


def find(page, selector, source):
    """The explorer below the cell with a line that begins so, scrolled into view."""
    index = page.evaluate(
        """source => {
          const notebook = jupyterapp.shell.currentWidget.content;
          const cells = notebook.widgets;
          const lines = cells.map((cell) => cell.model.sharedModel.source.split("\\n"));
          const index = lines.findIndex((all) => all.some((line) => line.startsWith(source)));
          notebook.activeCellIndex = index;
          notebook.scrollToItem(index, "start");
          return index;
        }""",
        source,
    )
    root = page.locator(f".jp-Cell[data-windowed-list-index='{index}'] {selector}")
    root.wait_for()
    root.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    return root


def drag(page, locator, start, end, steps=40):
    """Press at the start and move to the end, both in 0 … 1 of the element; the caller lifts."""
    box = locator.bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=steps)


def put(page, root, name, value):
    """Set a trait in Python, and wait until its slider shows it."""
    assert execute(page, f"bound.{name} = {value}") == ""
    slider = root.locator("input").nth(["mean", "std"].index(name))
    expect(slider).to_have_value(f"{value:g}")


@pytest.fixture
def bound(page):
    root = find(page, ".bound-explorer", "bound = BoundExplorer(")
    put(page, root, "mean", -0.5)
    put(page, root, "std", 0.4)
    return root


def shown(root):
    """ELBO, gap, their sum and log p(x), as the line of text has them."""
    text = root.locator(".value").inner_text().replace("−", "-")
    return np.array(re.findall(r"-?\d+\.\d+", text), dtype=float)


def check_bound(page, root):
    """Text, bars and the curve of q are those of Python's numbers."""
    evidence, elbo, gap = run(page, "bound.numbers")
    assert np.abs(shown(root) - [elbo, gap, evidence, evidence]).max() <= 0.000051
    bars = np.array(root.locator("rect").evaluate_all(BARS))
    tops = np.array([evidence, max(elbo, -10), evidence])
    feet = np.array([-10, -10, max(elbo, -10)])
    assert np.abs(bars[:, 0] - (240 - 210 * (tops + 10) / 11)).max() < 0.01
    assert np.abs(bars[:, 1] - 210 * (tops - feet) / 11).max() < 0.01
    z, q = np.array(run(page, "[bound.spec['z'], bound.q.tolist()]"))
    path = root.locator("path[stroke='#CC79A7']").first.get_attribute("d")
    drawn = np.array([point.split() for point in path[1:].split("L")], dtype=float)
    seen = np.abs(z) <= 3.6
    assert np.abs(drawn[:, 0] - (42 + 288 * (z[seen] + 3.6) / 7.2)).max() < 0.02
    assert np.abs(drawn[:, 1] - (240 - 210 * q[seen] / 4)).max() < 0.02


@pytest.mark.parametrize(("index", "name"), [(0, "mean"), (1, "std")])
def test_a_drag_moves_elbo_and_gap_and_never_their_sum(page, bound, index, name):
    bound.evaluate(RECORD)
    before, sent = run(page, f"bound.{name}"), len(page.sent)
    drag(page, bound.locator("input").nth(index), (0.4, 0.5), (0.8, 0.5))
    settle(page)
    assert len(page.sent) == sent
    page.mouse.up()
    frames = page.evaluate("stopRecording()")
    assert len(frames) > 10
    elbos, gaps, sums, evidences = np.array(
        [re.findall(r"-?\d+\.\d+", frame.replace("−", "-")) for frame in frames], dtype=float
    ).T
    assert np.ptp(elbos) > 0.1
    assert np.abs(elbos + gaps - sums).max() <= 0.000151
    assert np.abs(sums - evidences).max() <= 0.000101
    assert (gaps > 0).all()
    assert run(page, f"bound.{name}") != before
    check_bound(page, bound)


def test_setting_q_in_python_moves_the_view(page, bound):
    for name, value in (("mean", 2.0), ("std", 0.9)):
        put(page, bound, name, value)
        check_bound(page, bound)  # the ELBO's bar is cut off here


def test_the_keyboard_moves_both_sliders_and_no_cell(page, bound):
    cell = "() => jupyterapp.shell.currentWidget.content.activeCellIndex"
    active = page.evaluate(cell)
    for i in range(2):
        bound.locator("input").nth(i).focus()
        for key in ("ArrowRight", "ArrowUp", "ArrowRight"):
            page.keyboard.press(key)
        settle(page)
    assert run(page, "[bound.mean, bound.std]") == pytest.approx([-0.47, 0.43])
    assert page.evaluate(cell) == active
    assert "ELBO" in bound.locator("[aria-live=polite]").inner_text()
    check_bound(page, bound)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_no_serious_violation(page, bound, theme):
    switch = "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })"
    page.evaluate(switch, theme)
    page.wait_for_function(
        "dark => document.body.dataset.jpThemeLight === String(!dark)", arg="Dark" in theme
    )
    found = Axe().run(page, context=".bound-explorer").response["violations"]
    page.evaluate(switch, "JupyterLab Light")
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert not serious, json.dumps(serious, indent=1)


@pytest.mark.parametrize(("name", "dimensions"), LATENT.items())
def test_every_latent_explorer_decodes_as_its_model_does(page, name, dimensions):
    root = find(page, ".latent-explorer", f"{name} = LatentExplorer(")
    drag(page, root.locator("[data-role=map]"), (0.5, 0.5), (0.7, 0.35))
    settle(page)
    page.mouse.up()
    z = run(page, f"{name}.z")
    assert len(z) == dimensions
    assert np.abs(z).max() > 0.3
    models = {"plain_explorer": "autoencoder", "explorer": "vae", "hand": "vae10"}
    code = f"cvae.decode(torch.tensor([{z}]), one_hot[[digit]])"
    if name in models:
        code = f"{models[name]}.decode(torch.tensor([{z}]))"
    expected = np.array(run(page, f"{code}[0].sigmoid().tolist()"))
    pixels = np.array(root.locator("[data-role=decoded]").evaluate(GREY)) / 255
    assert np.ptp(expected) > 0.2
    assert np.abs(pixels - expected).max() <= 2 / 255


def test_a_drawing_on_the_pad_is_where_the_walk_starts(page):
    root = find(page, ".latent-explorer", "hand = LatentExplorer(")
    drag(page, root.locator("[data-role=pad]"), (0.5, 0.2), (0.5, 0.8))
    page.mouse.up()
    page.wait_for_timeout(300)
    assert run(page, "hand.drawing is not None and float(hand.drawing.max()) > 0.5")
    walk = run(page, "next(c for c in In if c.startswith('if hand.drawing is None'))")
    assert "Nothing is drawn" not in execute(page, walk)
    assert run(page, "bool((start == torch.as_tensor(hand.drawing).reshape(1, 784)).all())")


@pytest.mark.parametrize("name", ["beta_book", "step_book", "style_book"])
def test_every_flipbook_turns_while_it_is_dragged(page, name):
    root = find(page, ".flipbook", f"{name} = Flipbook(")
    picture = root.locator("canvas")
    drag(page, root.locator("input"), (0.02, 0.5), (0.98, 0.5))
    settle(page)
    page.mouse.up()
    pages = run(page, f"len({name}.values)")
    assert int(picture.get_attribute("data-shown")) == pages - 1
    assert run(page, f"{name}.index") == pages - 1
    last = picture.evaluate("c => c.toDataURL()")
    drag(page, root.locator("input"), (0.98, 0.5), (0.02, 0.5))
    settle(page)
    page.mouse.up()
    assert run(page, f"{name}.value == {name}.values[0]")
    assert picture.evaluate("c => c.toDataURL()") != last


def test_without_a_kernel_the_bars_go_on(page, bound):
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    before = shown(bound)
    drag(page, bound.locator("input").first, (0.4, 0.5), (0.7, 0.5))
    page.mouse.up()
    settle(page)
    assert (shown(bound)[:2] != before[:2]).all()
    assert shown(bound)[3] == before[3]
