"""Notebook 01 in a real JupyterLab: its explorers are dragged, and what they show is compared.

The numbers of the PlaneExplorer must be Python's, its boundary must lie where Python's log-odds
vanish, and the posterior must be the one that Python computes.
"""

import inspect
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import execute

NAME = "01_discriminative_vs_generative.ipynb"
NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / NAME
SIDE, LEFT, TOP, PLOT = 340, 34, 8, 298  # of the plane, in CSS pixels: see plane.js
SHOWN = """
root => [...root.querySelectorAll(".value")].map(v => parseFloat(v.textContent.replace("−", "-")))
"""
# What the animation frames show while something is dragged.
RECORD = """
root => {
  const frames = [];
  let on = true;
  const read = () => [...root.querySelectorAll("output, .value")].map((v) => v.textContent).join();
  (function frame() {
    if (frames.at(-1) !== read()) frames.push(read());
    if (on) requestAnimationFrame(frame);
  })();
  globalThis.stopRecording = () => { on = false; return frames; };
}
"""
BLACK = """
canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const places = [];
  for (let i = 0; i < data.length; i += 4) {
    if (Math.max(data[i], data[i + 1], data[i + 2]) < 40) {
      places.push([(i / 4) % canvas.width, Math.floor(i / 4 / canvas.width)]);
    }
  }
  return places;
}
"""


PINK = "Math.hypot(data[i] - 204, data[i + 1] - 121, data[i + 2] - 167) < 12"  # COLORS["other"]


def settle(page):
    """Two frames later everything that was asked for is drawn."""
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def run(page, code):
    """What the kernel answers, once it has handled the messages of the explorers before."""
    return json.loads(execute(page, f"import json; print(json.dumps({code}))"))


@pytest.fixture(scope="module")
def page(lab, chrome):
    shutil.copy(NOTEBOOK, lab.folder / NAME)
    page = chrome.new_page(viewport={"width": 1300, "height": 1500})
    page.sent, page.errors = [], []
    page.on("websocket", lambda ws: ws.on("framesent", lambda m: page.sent.append(m)))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    lab.open(page, NAME)
    lab.run_all(page)
    idle = "jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    page.wait_for_timeout(2000)
    page.wait_for_function(idle, timeout=180_000)
    assert run(page, "'solution' in globals()")  # the last cell ran
    yield page
    assert page.errors == []
    page.close()


def find(page, selector, source):
    """The explorer below the cell with this source, scrolled into view."""
    index = page.evaluate(
        """source => {
          const notebook = jupyterapp.shell.currentWidget.content;
          const cells = notebook.widgets;
          const index = cells.findIndex((cell) => cell.model.sharedModel.source.includes(source));
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


@pytest.fixture
def plane(page):
    root = find(page, ".plane-explorer", "explorer = PlaneExplorer(")
    assert execute(page, "explorer.point = [1, 1]; explorer.prior = 0.5") == ""
    page.wait_for_timeout(300)
    return root


def drag(page, locator, start, end, steps=40):
    """Press at the start and move to the end, both in 0 … 1 of the element; the caller lifts."""
    box = locator.bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=steps)


def shown(root):
    """The four numbers as text shows them: two with two digits, two with four."""
    return np.array(root.evaluate(SHOWN))


def test_a_drag_shows_pythons_numbers_and_tells_the_kernel_on_release(page, plane):
    plane.evaluate(RECORD)
    before = len(page.sent)
    drag(page, plane.locator("canvas"), (0.5, 0.5), (0.2, 0.85))
    settle(page)
    while_dragged = shown(plane)
    assert len(page.sent) == before
    assert run(page, "explorer.point") == [1, 1]
    page.mouse.up()
    frames = page.evaluate("stopRecording()")
    assert len(frames) > 10
    x1, x2 = run(page, "explorer.point")
    assert x1 == pytest.approx(-10 + 20 * (0.2 * SIDE - LEFT) / PLOT, abs=0.05)
    assert x2 == pytest.approx(10 - 20 * (0.85 * SIDE - TOP) / PLOT, abs=0.05)
    expected = np.array(run(page, "explorer.numbers"))
    assert np.array_equal(shown(plane), while_dragged)
    assert np.abs(shown(plane) - expected)[:2].max() <= 0.005001
    assert np.abs(shown(plane) - expected)[2:].max() <= 0.000051


def test_the_bars_have_the_lengths_of_the_numbers(page, plane):
    execute(page, "explorer.point = [0.8, 0.3]; explorer.prior = 0.3")
    page.wait_for_timeout(300)
    numbers = run(page, "explorer.numbers")
    top = max(*run(page, "explorer.spec['peaks']"), 0)
    shares = [1 + (value - top) / 30 for value in numbers[:2]] + numbers[2:]
    widths = plane.locator(".track div").evaluate_all(
        "bars => bars.map(b => b.getBoundingClientRect().width / b.parentNode.clientWidth)"
    )
    assert np.abs(np.array(widths) - shares).max() < 0.01


def black_line(page, plane):
    """The places (x1, x2) of the black pixels inside the plot, the marker left out."""
    ratio = plane.locator("canvas").evaluate("c => c.width") / SIDE
    places = np.array(plane.locator("canvas").evaluate(BLACK)) / ratio + 0.5 / ratio
    inner = (places > (LEFT + 2, TOP + 2)) & (places < (LEFT + PLOT - 2, TOP + PLOT - 2))
    places = places[inner.all(axis=1)]
    x = np.stack([places[:, 0] - LEFT, PLOT - (places[:, 1] - TOP)], axis=1) * 20 / PLOT - 10
    return x[np.hypot(*(x - run(page, "explorer.point")).T) > 1]


def test_the_prior_slider_moves_the_generative_boundary_to_where_python_has_it(page, plane):
    execute(page, "explorer.point = [-9, 9]")
    page.wait_for_timeout(300)
    lines = []
    for place in (0.5, 0.95):
        drag(page, plane.locator("input").nth(2), (0.3, 0.5), (place, 0.5))
        settle(page)
        lines.append(black_line(page, plane))
        logistic = shown(plane)[3]
        page.mouse.up()
        code = f"""
            x_line = torch.tensor({lines[-1].tolist()}).double().requires_grad_()
            odds = log_odds(x_line, fit_a, fit_b, explorer.prior)
            slope = torch.autograd.grad(odds.sum(), x_line)[0].norm(dim=1)
            distances = (odds.abs() / slope).tolist()
        """
        assert execute(page, inspect.cleandoc(code)) == ""
        assert max(run(page, "distances")) < 0.15  # about two pixels
        assert len(lines[-1]) > 300
        assert logistic == shown(plane)[3]
    assert run(page, "explorer.prior") > 0.9
    wide, narrow = lines
    assert narrow[:, 0].min() > wide[:, 0].min() + 0.3  # into class B, which has become rarer


def test_the_logistic_boundary_is_a_dashed_line_where_python_has_it(page, plane):
    pink = BLACK.replace("Math.max(data[i], data[i + 1], data[i + 2]) < 40", PINK)
    places = np.array(plane.locator("canvas").evaluate(pink))
    rows = len(set(places[:, 1].tolist())) / PLOT
    assert 0.4 < rows < 0.85  # the gaps are a third
    x = np.stack([places[:, 0] + 0.5 - LEFT, PLOT - (places[:, 1] + 0.5 - TOP)], axis=1)
    x = x * 20 / PLOT - 10
    weight, bias = run(page, "[explorer.spec['weight'], explorer.spec['bias']]")
    assert np.abs((x @ weight + bias) / np.hypot(*weight)).max() < 0.15  # about two pixels


def test_the_keyboard_moves_every_slider_and_no_cell(page, plane):
    cell = "() => jupyterapp.shell.currentWidget.content.activeCellIndex"
    active = page.evaluate(cell)
    for i in range(3):
        before = shown(plane)
        plane.locator("input").nth(i).focus()
        for key in ("ArrowRight", "ArrowUp", "ArrowRight"):
            page.keyboard.press(key)
        settle(page)
        assert (shown(plane) != before).any()
        outline = "() => getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) == "solid"
    assert page.evaluate(cell) == active
    assert run(page, "explorer.point + [explorer.prior]") == pytest.approx([1.15, 1.15, 0.53])
    assert "log p(x|A)" in plane.locator("[aria-live=polite]").inner_text()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize("kind", ["plane", "posterior"])
def test_axe_finds_no_serious_violation(page, theme, kind):
    find(page, f".{kind}-explorer", f" = {kind.title()}Explorer(")
    switch = "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })"
    page.evaluate(switch, theme)
    page.wait_for_function(
        "dark => document.body.dataset.jpThemeLight === String(!dark)", arg="Dark" in theme
    )
    found = Axe().run(page, context=f".{kind}-explorer").response["violations"]
    page.evaluate(switch, "JupyterLab Light")
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert not serious, json.dumps(serious, indent=1)


def test_the_slider_for_x_moves_the_posterior_as_python_does(page):
    root = find(page, ".posterior-explorer", "observation = PosteriorExplorer(")
    root.evaluate(RECORD)
    before = len(page.sent)
    drag(page, root.locator("input"), (0.1, 0.5), (0.4, 0.5))
    settle(page)
    assert len(page.sent) == before
    page.mouse.up()
    assert len(page.evaluate("stopRecording()")) > 10
    x = run(page, "observation.x")
    assert -2.5 < x < -0.3
    shown = re.findall(r"[-\d.]+\d", root.locator(".value").inner_text().replace("−", "-"))
    expected = run(page, "observation.summary")
    assert np.abs(np.array(shown, dtype=float) - expected).max() <= 0.00051
    z, density = np.array(run(page, "[list(observation.spec['z']), list(observation.posterior)]"))
    path = root.locator("path[stroke='#E69F00']").nth(1).get_attribute("d")
    drawn = np.array([point.split() for point in path[1:].split("L")], dtype=float)
    shown_z = np.abs(z) <= 3.6
    assert np.abs(drawn[:, 0] - (42 + 288 * (z[shown_z] + 3.6) / 7.2)).max() < 0.02
    assert np.abs(drawn[:, 1] - (240 - 210 * density[shown_z] / 4)).max() < 0.02
    root.locator("input").press("ArrowUp")
    assert run(page, "observation.x") == pytest.approx(x + 0.01)


def test_setting_x_in_python_moves_the_slider(page):
    root = find(page, ".posterior-explorer", "observation = PosteriorExplorer(")
    assert execute(page, "observation.x = 2.5") == ""
    page.wait_for_timeout(300)
    assert root.locator("input").input_value() == "2.5"
    assert root.locator("output").inner_text() == "2.50"


def test_the_latent_map_generates_what_the_linear_model_does(page):
    root = find(page, ".latent-explorer", "latent = LatentExplorer(")
    drag(page, root.locator("[data-role=map]"), (0.5, 0.5), (0.65, 0.3))
    settle(page)
    page.mouse.up()
    expected = np.array(run(page, "(torch.tensor(latent.z).double() @ weight.T + mean).tolist()"))
    read = "c => Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data)"
    pixels = np.array(root.locator("[data-role=decoded]").evaluate(read))[::4] / 255
    assert np.ptp(expected) > 0.3
    assert np.abs(pixels - expected.clip(0, 1)).max() <= 2 / 255


def test_without_a_kernel_both_sliders_go_on(page, plane):
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    before = shown(plane)
    drag(page, plane.locator("canvas"), (0.5, 0.5), (0.8, 0.2))
    page.mouse.up()
    settle(page)
    assert (shown(plane) != before).any()
    root = find(page, ".posterior-explorer", "observation = PosteriorExplorer(")
    before = root.locator(".value").inner_text()
    drag(page, root.locator("input"), (0.1, 0.5), (0.3, 0.5))
    page.mouse.up()
    settle(page)
    assert root.locator(".value").inner_text() != before
