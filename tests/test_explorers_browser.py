"""The explorers of numbers in one real JupyterLab: dragged, and compared with Python.

What they compute is tested in test_javascript.py, and LatentExplorer in test_latent_browser.py.
"""

import json

import numpy as np
import pytest

from tests.browser import (
    ACTIVE_CELL,
    RECORD_TEXTS,
    SHUT_DOWN,
    ask,
    check_with_axe,
    drag,
    execute,
    find,
    running_page,
    settle,
    slider_values,
    wait_until_run,
)

SETUP = """
import matplotlib.pyplot as plt
import numpy as np
from helpers.explorers import *
z = np.linspace(-8, 8, 801)
means, covariances = [[-2, 1], [3, 0]], [[[2, 0.5], [0.5, 1]], [[1, -0.3], [-0.3, 3]]]
rows = ("fresh", "shared", "p", "f")
def draw(value):
    figure, ax = plt.subplots(figsize=(2, 1))
    ax.plot([0, value])
    return ax
"""
# By variable: the call, the class of its root, and its sliders' traits with where they begin.
EXPLORERS = {
    "plane": (
        "PlaneExplorer([[0, 0], [1, 2]], [0, 1], means, covariances, [1.5, -0.7], 0.3)",
        "plane-explorer",
        {"point[0]": 1.0, "point[1]": 1.0, "prior": 0.5},
    ),
    "posterior": (
        "PosteriorExplorer(z, np.sin(2 * z) + 0.5 * z, 0.3)",
        "posterior-explorer",
        {"x": 0.5},
    ),
    "frozen": (
        "FrozenNoise(1.0, 0.5, [-1.5, -0.5, 0.0, 1.0, 1.75])",
        "frozen-noise",
        {"mu": 1.0, "sigma": 0.5},
    ),
    "estimator": (
        "EstimatorExplorer(1.0, 0.5, 200, rows=rows)",
        "estimator-explorer",
        {"mu": 1.0, "sigma": 0.5, "n": 200},
    ),
    "kl": ("KLExplorer(1.0, 0.5)", "kl-explorer", {"mu": 1.0, "sigma": 0.5}),
    "bound": (
        "BoundExplorer(z, -z**2 / 2 - 3 * (np.tanh(z) - 0.4) ** 2 - 2)",
        "bound-explorer",
        {"mean": -0.5, "std": 0.4},
    ),
    "book": (
        "Flipbook(draw, [0, 1, 2, 3, 4, 5], label='end', alt='A line.', start=2)",
        "flipbook",
        {"index": 2},
    ),
}
SLIDERS = [(name, i) for name, (_, _, traits) in EXPLORERS.items() for i in range(len(traits))]
OUTLINE = "() => getComputedStyle(document.activeElement).outlineStyle"
SHOWN = """
root => Object.fromEntries([...root.querySelectorAll("[data-value]")].map(
  (node) => [node.dataset.value, node.textContent.replace("−", "-").replace(" nats", "")]))
"""


@pytest.fixture(scope="module")
def page(lab, chrome):
    cells = [f"{name} = {call}; {name}" for name, (call, _, _) in EXPLORERS.items()]
    lab.write("explorers.ipynb", [SETUP, *cells])
    with running_page(lab, chrome, "explorers.ipynb") as page:
        wait_until_run(page)
        yield page


@pytest.fixture
def show(page):
    """A function that gives the root of an explorer, at its beginning."""

    def show(name):
        root = find(page, f".{EXPLORERS[name][1]}", f"{name} = ")
        put(page, root, name, EXPLORERS[name][2])
        return root

    return show


def put(page, root, name, traits):
    """Set the traits of the sliders in Python, and wait until they stand there."""
    if name == "plane":
        x1, x2, prior = traits.values()
        traits = {"point": [x1, x2], "prior": prior}
    lines = [f"{name}.{key} = {value}" for key, value in traits.items()]
    assert execute(page, "\n".join(lines)) == ""
    page.wait_for_timeout(100)
    settle(page)


def values(page, name):
    """The traits of the sliders, in Python."""
    return ask(page, f"[{', '.join(f'{name}.{trait}' for trait in EXPLORERS[name][2])}]")


def check_numbers(page, root, name):
    """Each number of Python's is shown, rounded to the digits that are shown of it."""
    shown, expected = root.evaluate(SHOWN), ask(page, f"{name}.numbers")
    if name == "book":  # the caption of the page
        assert float(root.locator("output").inner_text()) == expected["value"]
        return
    assert set(shown) >= set(expected)
    for key, value in expected.items():
        digits = len(shown[key].partition(".")[2])
        assert abs(float(shown[key]) - value) <= 0.5001 * 10**-digits, (key, shown[key], value)


def look(root):
    """What the reader sees of numbers, or of a page of the flipbook."""
    return root.evaluate("r => r.querySelector('output').textContent") + json.dumps(
        root.evaluate(SHOWN)
    )


@pytest.mark.parametrize(("name", "index"), SLIDERS)
def test_a_drag_draws_frames_sends_nothing_and_tells_the_kernel_on_release(page, show, name, index):
    root = show(name)
    before, sent = values(page, name), len(page.sent)
    slider = root.locator("input[type=range]").nth(index)
    root.evaluate(RECORD_TEXTS)
    drag(page, slider, (0.4, 0.5), (0.8, 0.5), steps=30)
    settle(page)
    assert len(page.sent) == sent
    during = look(root)
    page.mouse.up()
    frames = page.evaluate("stopRecording()")
    settle(page)
    assert name == "book" or len(frames) > 10
    assert look(root) == during
    after = values(page, name)
    assert [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b] == [index]
    position = slider_values(root)[index]
    assert after[index] == (round(10**position) if name == "estimator" and index == 2 else position)
    check_numbers(page, root, name)


@pytest.mark.parametrize("name", EXPLORERS)
def test_python_moves_the_view(page, show, name):
    root = show(name)
    before = look(root)
    other = {"n": 5000, "index": 4, "std": 0.9, "sigma": 1.25}
    traits = {key: other.get(key, 0.75) for key in EXPLORERS[name][2]}
    put(page, root, name, traits)
    assert look(root) != before
    check_numbers(page, root, name)
    for position, (key, value) in zip(slider_values(root), traits.items(), strict=True):
        assert position == pytest.approx(np.log10(value) if key == "n" else value, abs=0.026)


@pytest.mark.parametrize("name", EXPLORERS)
def test_the_keyboard_moves_every_slider_and_no_cell(page, show, name):
    root = show(name)
    active = page.evaluate(ACTIVE_CELL)
    for index in range(len(EXPLORERS[name][2])):
        before, seen = values(page, name), look(root)
        root.locator("input[type=range]").nth(index).focus()
        for key in ("ArrowRight", "ArrowUp"):
            page.keyboard.press(key)
        settle(page)
        assert page.evaluate(OUTLINE) == "solid"
        assert values(page, name)[index] > before[index]
        assert look(root) != seen
    check_numbers(page, root, name)
    assert page.evaluate(ACTIVE_CELL) == active


@pytest.mark.parametrize("name", EXPLORERS)
def test_axe_finds_no_serious_violation(page, show, theme, name):
    show(name)
    check_with_axe(page, f".{EXPLORERS[name][1]}")


@pytest.mark.parametrize(
    ("name", "text"), [("plane", "log p(x|A)"), ("posterior", "x = 0.5"), ("bound", "ELBO")]
)
def test_the_live_region_speaks_after_the_release(page, show, name, text):
    root = show(name)
    root.locator("input[type=range]").first.press("ArrowRight")
    assert text in root.locator("[aria-live=polite]").inner_text()


def test_a_slider_that_is_held_does_not_give_way_to_the_kernel(page, show):
    root = show("frozen")
    drag(page, root.locator("input[type=range]").first, (0.5, 0.5), (0.85, 0.5))
    settle(page)
    held = slider_values(root)[0]
    seen = look(root)
    execute(page, "frozen.mu = -1.0")
    page.wait_for_timeout(100)
    settle(page)
    assert look(root) == seen
    page.mouse.up()
    settle(page)
    assert look(root) == seen
    assert ask(page, "frozen.mu") == held


def test_the_plane_is_dragged_too(page, show):
    root = show("plane")
    sent = len(page.sent)
    drag(page, root.locator("canvas"), (0.5, 0.5), (0.2, 0.85), steps=30)
    settle(page)
    assert len(page.sent) == sent
    during = look(root)
    page.mouse.up()
    settle(page)
    x1, x2 = ask(page, "plane.point")
    assert -8 < x1 < -4
    assert -9 < x2 < -5
    assert look(root) == during
    check_numbers(page, root, "plane")


def test_the_bounds_parts_add_up_in_every_frame(page, show):
    root = show("bound")
    read = """
    root => {
      const number = (name) => parseFloat(
        root.querySelector(`[data-value=${name}]`).textContent.replace("−", "-"));
      globalThis.frames = [];
      new MutationObserver(() => frames.push(["elbo", "gap", "sum", "evidence"].map(number)))
        .observe(root.querySelector("svg"), { attributes: true });
    }
    """
    root.evaluate(read)
    drag(page, root.locator("input[type=range]").first, (0.3, 0.5), (0.7, 0.5), steps=30)
    page.mouse.up()
    settle(page)
    elbo, gap, total, evidence = np.array(page.evaluate("frames")).T
    assert len(elbo) > 10
    assert np.ptp(elbo) > 0.1
    assert (gap > 0).all()
    assert np.abs(elbo + gap - total).max() <= 0.000151
    assert np.abs(total - evidence).max() <= 0.000101


@pytest.mark.parametrize(("name", "text"), [("frozen", "Fresh ε"), ("estimator", "Fresh noise")])
def test_the_button_draws_fresh_noise_that_the_kernel_gets(page, show, name, text):
    root = show(name)
    read = "frozen.eps" if name == "frozen" else "np.frombuffer(estimator.noise, 'f4').tolist()"
    before, seen = ask(page, read), look(root)
    root.get_by_role("button", name=text).click()
    settle(page)
    after = ask(page, read)
    assert len(after) == len(before)
    assert not np.isclose(after, before).any() or len(after) > 100
    assert look(root) != seen
    check_numbers(page, root, name)


def test_without_a_kernel_all_move_on(page):
    page.evaluate(SHUT_DOWN)
    for name, (_, kind, _) in EXPLORERS.items():
        root = find(page, f".{kind}", f"{name} = ")
        before = look(root)
        drag(page, root.locator("input[type=range]").first, (0.3, 0.5), (0.9, 0.5))
        page.mouse.up()
        settle(page)
        assert look(root) != before, name
