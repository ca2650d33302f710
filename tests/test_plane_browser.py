"""Notebook 01 in a real JupyterLab: its explorers are dragged, and what they show is compared.

The numbers of the PlaneExplorer must be Python's, its boundary must lie where Python's log-odds
vanish, and the posterior must be the one that Python computes.
"""

import inspect
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from browser import (
    ACTIVE_CELL,
    GREY,
    RECORD_TEXTS,
    SHUT_DOWN,
    ask,
    check_with_axe,
    drag,
    execute,
    find,
    pixels,
    running_page,
    settle,
    wait_until_run,
)

NAME = "01_discriminative_vs_generative.ipynb"
NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / NAME
SIDE, LEFT, TOP, PLOT = 340, 34, 8, 298  # of the plane, in CSS pixels: see plane.js
SHOWN = """
root => [...root.querySelectorAll(".value")].map(v => parseFloat(v.textContent.replace("−", "-")))
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


@pytest.fixture(scope="module")
def page(lab, chrome):
    shutil.copy(NOTEBOOK, lab.folder / NAME)
    with running_page(lab, chrome, NAME) as page:
        wait_until_run(page, minutes=3)
        assert ask(page, "'solution' in globals()")  # the last cell ran
        yield page


@pytest.fixture
def plane(page):
    root = find(page, ".plane-explorer", "explorer = PlaneExplorer(")
    assert execute(page, "explorer.point = [1, 1]; explorer.prior = 0.5") == ""
    page.wait_for_timeout(300)
    return root


def shown(root):
    """The four numbers as text shows them: two with two digits, two with four."""
    return np.array(root.evaluate(SHOWN))


def test_a_drag_shows_pythons_numbers_and_tells_the_kernel_on_release(page, plane):
    plane.evaluate(RECORD_TEXTS)
    before = len(page.sent)
    drag(page, plane.locator("canvas"), (0.5, 0.5), (0.2, 0.85), steps=40)
    settle(page)
    while_dragged = shown(plane)
    assert len(page.sent) == before
    assert ask(page, "explorer.point") == [1, 1]
    page.mouse.up()
    frames = page.evaluate("stopRecording()")
    assert len(frames) > 10
    x1, x2 = ask(page, "explorer.point")
    assert x1 == pytest.approx(-10 + 20 * (0.2 * SIDE - LEFT) / PLOT, abs=0.05)
    assert x2 == pytest.approx(10 - 20 * (0.85 * SIDE - TOP) / PLOT, abs=0.05)
    expected = np.array(ask(page, "explorer.numbers"))
    assert np.array_equal(shown(plane), while_dragged)
    assert np.abs(shown(plane) - expected)[:2].max() <= 0.005001
    assert np.abs(shown(plane) - expected)[2:].max() <= 0.000051


def test_the_bars_have_the_lengths_of_the_numbers(page, plane):
    execute(page, "explorer.point = [0.8, 0.3]; explorer.prior = 0.3")
    page.wait_for_timeout(300)
    numbers = ask(page, "explorer.numbers")
    top = max(*ask(page, "explorer.spec['peaks']"), 0)
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
    return x[np.hypot(*(x - ask(page, "explorer.point")).T) > 1]


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
        assert max(ask(page, "distances")) < 0.15  # about two pixels
        assert len(lines[-1]) > 300
        assert logistic == shown(plane)[3]
    assert ask(page, "explorer.prior") > 0.9
    wide, narrow = lines
    assert narrow[:, 0].min() > wide[:, 0].min() + 0.3  # into class B, which has become rarer


def test_the_logistic_boundary_is_a_dashed_line_where_python_has_it(page, plane):
    pink = BLACK.replace("Math.max(data[i], data[i + 1], data[i + 2]) < 40", PINK)
    places = np.array(plane.locator("canvas").evaluate(pink))
    rows = len(set(places[:, 1].tolist())) / PLOT
    assert 0.4 < rows < 0.85  # the gaps are a third
    x = np.stack([places[:, 0] + 0.5 - LEFT, PLOT - (places[:, 1] + 0.5 - TOP)], axis=1)
    x = x * 20 / PLOT - 10
    weight, bias = ask(page, "[explorer.spec['weight'], explorer.spec['bias']]")
    assert np.abs((x @ weight + bias) / np.hypot(*weight)).max() < 0.15  # about two pixels


def test_the_keyboard_moves_every_slider_and_no_cell(page, plane):
    active = page.evaluate(ACTIVE_CELL)
    for i in range(3):
        before = shown(plane)
        plane.locator("input").nth(i).focus()
        for key in ("ArrowRight", "ArrowUp", "ArrowRight"):
            page.keyboard.press(key)
        settle(page)
        assert (shown(plane) != before).any()
        outline = "() => getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) == "solid"
    assert page.evaluate(ACTIVE_CELL) == active
    assert ask(page, "explorer.point + [explorer.prior]") == pytest.approx([1.15, 1.15, 0.53])
    assert "log p(x|A)" in plane.locator("[aria-live=polite]").inner_text()


@pytest.mark.parametrize("kind", ["plane", "posterior"])
def test_axe_finds_no_serious_violation(page, theme, kind):
    name = {"plane": "explorer", "posterior": "observation"}[kind]
    find(page, f".{kind}-explorer", f"{name} = {kind.title()}Explorer(")
    check_with_axe(page, f".{kind}-explorer")


def test_the_slider_for_x_moves_the_posterior_as_python_does(page):
    root = find(page, ".posterior-explorer", "observation = PosteriorExplorer(")
    root.evaluate(RECORD_TEXTS)
    before = len(page.sent)
    drag(page, root.locator("input"), (0.1, 0.5), (0.4, 0.5), steps=40)
    settle(page)
    assert len(page.sent) == before
    page.mouse.up()
    assert len(page.evaluate("stopRecording()")) > 10
    x = ask(page, "observation.x")
    assert -2.5 < x < -0.3
    shown = re.findall(r"[-\d.]+\d", root.locator(".value").inner_text().replace("−", "-"))
    expected = ask(page, "observation.summary")
    assert np.abs(np.array(shown, dtype=float) - expected).max() <= 0.00051
    z, density = np.array(ask(page, "[list(observation.spec['z']), list(observation.posterior)]"))
    path = root.locator("path[stroke='#E69F00']").nth(1).get_attribute("d")
    drawn = np.array([point.split() for point in path[1:].split("L")], dtype=float)
    shown_z = np.abs(z) <= 3.6
    assert np.abs(drawn[:, 0] - (42 + 288 * (z[shown_z] + 3.6) / 7.2)).max() < 0.02
    assert np.abs(drawn[:, 1] - (240 - 210 * density[shown_z] / 4)).max() < 0.02
    root.locator("input").press("ArrowUp")
    assert ask(page, "observation.x") == pytest.approx(x + 0.01)


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
    expected = np.array(ask(page, "(torch.tensor(latent.z).double() @ weight.T + mean).tolist()"))
    assert np.ptp(expected) > 0.3
    assert np.abs(pixels(root) - expected.clip(0, 1)).max() <= GREY


def test_without_a_kernel_both_sliders_go_on(page, plane):
    page.evaluate(SHUT_DOWN)
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
