"""FrozenNoise and GradientExplorer in a real JupyterLab: dragged, and compared with Python."""

import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import execute

SETUP = "import json\nfrom helpers.explorers import FrozenNoise, GradientExplorer"
FROZEN = "frozen = FrozenNoise(1.0, 0.5, [-1.5, -0.5, 0.0, 1.0, 1.75]); frozen"
GRADIENT = "gradient = GradientExplorer(1.0, 0.5, 200); gradient"
IDLE = "jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
COUNT = """
svg => {
  globalThis.pictures = 0;
  new MutationObserver(() => { pictures += 1; }).observe(svg, { attributes: true });
}
"""


@pytest.fixture(scope="module")
def page(lab, chrome):
    lab.write("gradients.ipynb", [SETUP, FROZEN, GRADIENT])
    page = chrome.new_page(viewport={"width": 1200, "height": 1700})
    page.sent, page.errors = [], []
    page.on("websocket", lambda ws: ws.on("framesent", lambda m: page.sent.append(m)))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    lab.open(page, "gradients.ipynb")
    lab.run_all(page)
    page.wait_for_selector(".gradient-explorer")
    page.wait_for_function(IDLE)
    yield page
    page.close()


@pytest.fixture
def frozen(page):
    execute(page, "frozen.mu, frozen.sigma, frozen.eps = 1.0, 0.5, [-1.5, -0.5, 0.0, 1.0, 1.75]")
    settle(page)
    return page.locator(".frozen-noise")


@pytest.fixture
def gradient(page):
    execute(page, "gradient.mu, gradient.sigma, gradient.n = 1.0, 0.5, 200")
    settle(page)
    return page.locator(".gradient-explorer")


def settle(page):
    """What the kernel sent has come, and two frames later everything is drawn."""
    page.wait_for_timeout(100)
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def drag(page, locator, start, end, steps=25):
    """Press on the slider, and move; the caller lifts. Places are shares of its width."""
    box = locator.bounding_box()
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, height)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, height, steps=steps)
    settle(page)


def from_kernel(page, expression):
    return json.loads(execute(page, f"print(json.dumps({expression}))"))


def numbers(text):
    return [float(value) for value in re.findall(r"-?\d+\.\d+", text.replace("−", "-"))]


def dots(root, role):
    """The places of the dots (x, y), in units of z: ε and z share one axis from −5 to 5."""
    read = "all => all.map(c => [c.cx.baseVal.value, c.cy.baseVal.value])"
    places = np.array(root.locator(f"[data-role={role}]").evaluate_all(read))
    return (places[:, 0] - 46) / 584 * 10 - 5, (372 - places[:, 1]) / 186 * 16


def sliders(root):
    return root.locator("input[type=range]")


def check_frozen(page, root):
    """What is drawn and written is what Python computes from the same mu, sigma and eps."""
    mu, sigma = sliders(root).evaluate_all("all => all.map(s => s.valueAsNumber)")
    eps, z = dots(root, "eps")[0], dots(root, "z")[0]
    assert np.allclose(z, mu + sigma * eps, atol=1e-3)
    where, loss = dots(root, "loss")
    assert np.allclose(where, z, atol=1e-3)
    assert np.allclose(loss, z**2, atol=1e-2)
    shown = numbers(root.locator("p").inner_text())
    exact = [np.mean(z**2), np.mean(2 * z), 2 * mu, np.mean(2 * z * eps), 2 * sigma]
    assert np.allclose(shown, exact, atol=0.0051)
    return mu, sigma, eps


def check_gradient(page, root):
    """The kernel knows what the sliders show, and its estimates are those written."""
    estimates = from_kernel(page, "gradient.estimates")
    shown = root.locator("dd").all_inner_texts()
    expected = [[2 * from_kernel(page, "gradient.mu")]]
    expected += [[mean, 2 * error] for mean, error in estimates.values()]
    for text, values in zip(shown, expected, strict=True):
        assert np.allclose(numbers(text), values, atol=0.0051)


@pytest.mark.parametrize(("index", "name"), [(0, "mu"), (1, "sigma")])
def test_dragging_slides_the_points_and_tells_the_kernel_on_release(page, frozen, index, name):
    before, sent = from_kernel(page, "[frozen.mu, frozen.sigma]"), len(page.sent)
    frozen.locator("svg").evaluate(COUNT)
    drag(page, sliders(frozen).nth(index), 0.5, 0.85)
    assert len(page.sent) == sent
    assert page.evaluate("pictures") > 10
    moved = check_frozen(page, frozen)
    assert abs(moved[index] - before[index]) > 0.3
    page.mouse.up()
    settle(page)
    assert len(page.sent) > sent
    assert from_kernel(page, "[frozen.mu, frozen.sigma]") == list(moved[:2])
    assert np.allclose(moved[2], [-1.5, -0.5, 0.0, 1.0, 1.75])  # the noise stayed


def test_the_arrows_are_a_tenth_of_the_negative_gradient(page, frozen):
    pieces = frozen.locator(".arrows").get_attribute("d").split("M")[1::2]
    ends = np.array([[float(v) for v in re.findall(r"-?[\d.]+", piece)] for piece in pieces])
    start, end = ((ends[:, i] - 46) / 584 * 10 - 5 for i in (0, 2))
    z = 1.0 + 0.5 * np.array([-1.5, -0.5, 0.0, 1.0, 1.75])
    assert np.allclose(start, z, atol=1e-3)
    assert np.allclose(end - start, -0.1 * 2 * z, atol=1e-3)


def test_the_button_draws_fresh_noise_that_the_kernel_gets(page, frozen):
    frozen.get_by_role("button", name="Fresh ε").click()
    settle(page)
    eps = from_kernel(page, "frozen.eps")
    assert len(eps) == 5
    assert not np.isclose(eps, [-1.5, -0.5, 0.0, 1.0, 1.75]).any()
    shown = check_frozen(page, frozen)[2]
    assert np.allclose(shown, np.clip(eps, -5, 5), atol=1e-3)


def test_the_fresh_noise_of_both_is_standard_normal(page, frozen, gradient):
    """Each assert fails by chance less than once in a million runs."""
    execute(page, "frozen.eps = [0.0] * 2000")
    settle(page)
    frozen.get_by_role("button", name="Fresh ε").click()
    gradient.get_by_role("button", name="Fresh noise").click()
    settle(page)
    many = "import numpy as np; gradient_noise = np.frombuffer(gradient.noise, np.float32).tolist()"
    execute(page, many)
    for name in ("frozen.eps", "gradient_noise"):
        noise = np.array(from_kernel(page, name))
        assert abs(noise.mean()) < 5 / len(noise) ** 0.5
        assert abs(noise.var() - 1) < 5 * (2 / len(noise)) ** 0.5
        assert abs((noise**4).mean() - 3) < 6 * (96 / len(noise)) ** 0.5
        assert abs((noise[1:] * noise[:-1]).mean()) < 5 / len(noise) ** 0.5
    check_gradient(page, gradient)


@pytest.mark.parametrize(("index", "name"), [(0, "mu"), (1, "sigma"), (2, "n")])
def test_dragging_estimates_as_python_does(page, gradient, index, name):
    before, sent = from_kernel(page, f"gradient.{name}"), len(page.sent)
    shown = gradient.locator("dd").all_inner_texts()
    gradient.locator("svg").evaluate(COUNT)
    drag(page, sliders(gradient).nth(index), 0.6, 0.9)
    assert len(page.sent) == sent
    assert page.evaluate("pictures") > 10
    during = gradient.locator("dd").all_inner_texts()
    assert during[1:] != shown[1:]
    page.mouse.up()
    settle(page)
    assert from_kernel(page, f"gradient.{name}") != before
    assert gradient.locator("dd").all_inner_texts() == during
    check_gradient(page, gradient)


def test_the_estimates_are_drawn_where_they_are(page, gradient):
    centers = gradient.locator(".estimate").evaluate_all("all => all.map(c => c.cx.baseVal.value)")
    drawn = (np.array(centers) - 410) / 240 * 24 - 12
    estimates = from_kernel(page, "gradient.estimates")
    assert np.allclose(drawn, [mean for mean, _ in estimates.values()], atol=1e-3)
    bar = gradient.locator(".error").last.get_attribute("d")
    low, high = (float(v) for v in re.match(r"M([\d.]+) \d+H([\d.]+)", bar).groups())
    error = estimates["score function"][1]
    assert np.isclose((high - low) / 240 * 24, 4 * error, atol=1e-3)


def test_the_histogram_counts_the_samples(page, gradient):
    path = gradient.locator(".bars").get_attribute("d")
    bars = re.findall(r"M([\d.]+) 216V([\d.]+)H", path)
    z = np.array(from_kernel(page, "gradient.z.tolist()"))
    counts = np.histogram(z, bins=64, range=(-8, 8))[0]
    places = np.array([(float(x) - 16) / 280 * 64 for x, _ in bars])
    heights = np.array([216 - float(y) for _, y in bars])
    assert np.array_equal(np.round(places), np.flatnonzero(counts))
    expected = counts[counts > 0] / 200 / 0.25 * 0.5 * 186 / 0.6
    assert np.allclose(heights, np.minimum(expected, 186), atol=1e-6)


def test_the_keyboard_moves_both_and_not_the_notebook(page, frozen, gradient):
    cell = "() => jupyterapp.shell.currentWidget.content.activeCellIndex"
    active = page.evaluate(cell)
    for root, name in ((frozen, "frozen"), (gradient, "gradient")):
        sliders(root).first.focus()
        for key in ("ArrowDown", "ArrowLeft"):
            page.keyboard.press(key)
        settle(page)
        assert np.isclose(from_kernel(page, f"{name}.mu"), 0.98)
    assert page.evaluate(cell) == active


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_no_serious_violation(page, frozen, gradient, theme):
    switch = "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })"
    page.evaluate(switch, theme)
    page.wait_for_function(
        "dark => document.body.dataset.jpThemeLight === String(!dark)", arg="Dark" in theme
    )
    found = []
    for context in (".frozen-noise", ".gradient-explorer"):
        found += Axe().run(page, context=context).response["violations"]
    page.evaluate(switch, "JupyterLab Light")
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert not serious, json.dumps(serious, indent=1)


def test_without_a_kernel_both_move_on(lab, chrome):
    lab.write("no_kernel.ipynb", [SETUP, FROZEN, GRADIENT])
    page = chrome.new_page(viewport={"width": 1200, "height": 1700})
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    lab.open(page, "no_kernel.ipynb")
    lab.run_all(page)
    page.wait_for_selector(".gradient-explorer")
    page.wait_for_function(IDLE)
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    for name, text in ((".frozen-noise", "p"), (".gradient-explorer", "dl")):
        root = page.locator(name)
        before = root.locator(text).inner_text()
        drag(page, sliders(root).first, 0.5, 0.9)
        page.mouse.up()
        settle(page)
        moved = root.locator(text).inner_text()
        assert moved != before
        root.get_by_role("button").click()
        settle(page)
        assert root.locator(text).inner_text() != moved
    check_frozen(page, page.locator(".frozen-noise"))
    assert not page.errors
    page.close()
