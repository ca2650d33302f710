"""FrozenNoise and GradientExplorer in a real JupyterLab: dragged, and compared with Python."""

import re

import browser
import numpy as np
import pytest
from browser import (
    ACTIVE_CELL,
    SHUT_DOWN,
    ask,
    check_with_axe,
    drag,
    execute,
    running_page,
    slider_values,
    wait_until_run,
)

SETUP = "from helpers.explorers import FrozenNoise, GradientExplorer"
FROZEN = "frozen = FrozenNoise(1.0, 0.5, [-1.5, -0.5, 0.0, 1.0, 1.75]); frozen"
GRADIENT = "gradient = GradientExplorer(1.0, 0.5, 200); gradient"
COUNT = """
svg => {
  globalThis.pictures = 0;
  new MutationObserver(() => { pictures += 1; }).observe(svg, { attributes: true });
}
"""


@pytest.fixture(scope="module")
def page(lab, chrome):
    lab.write("gradients.ipynb", [SETUP, FROZEN, GRADIENT])
    with running_page(lab, chrome, "gradients.ipynb") as page:
        page.wait_for_selector(".gradient-explorer")
        wait_until_run(page)
        yield page


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
    browser.settle(page)


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
    mu, sigma = slider_values(root)
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
    estimates = ask(page, "gradient.estimates")
    shown = root.locator("dd").all_inner_texts()
    expected = [[2 * ask(page, "gradient.mu")]]
    expected += [[mean, 2 * error] for mean, error in estimates.values()]
    for text, values in zip(shown, expected, strict=True):
        assert np.allclose(numbers(text), values, atol=0.0051)


@pytest.mark.parametrize(("index", "name"), [(0, "mu"), (1, "sigma")])
def test_dragging_slides_the_points_and_tells_the_kernel_on_release(page, frozen, index, name):
    before, sent = ask(page, "[frozen.mu, frozen.sigma]"), len(page.sent)
    frozen.locator("svg").evaluate(COUNT)
    drag(page, sliders(frozen).nth(index), (0.5, 0.5), (0.85, 0.5), steps=25)
    settle(page)
    assert len(page.sent) == sent
    assert page.evaluate("pictures") > 10
    moved = check_frozen(page, frozen)
    assert abs(moved[index] - before[index]) > 0.3
    page.mouse.up()
    settle(page)
    assert len(page.sent) > sent
    assert ask(page, "[frozen.mu, frozen.sigma]") == list(moved[:2])
    assert np.allclose(moved[2], [-1.5, -0.5, 0.0, 1.0, 1.75])  # the noise stayed


def test_a_slider_that_is_held_does_not_give_way_to_the_kernel(page, frozen):
    drag(page, sliders(frozen).first, (0.5, 0.5), (0.85, 0.5))
    settle(page)
    held = check_frozen(page, frozen)[0]
    execute(page, "frozen.mu = -1.0")
    settle(page)
    assert check_frozen(page, frozen)[0] == held
    page.mouse.up()
    settle(page)
    assert ask(page, "frozen.mu") == held


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
    eps = ask(page, "frozen.eps")
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
        noise = np.array(ask(page, name))
        assert abs(noise.mean()) < 5 / len(noise) ** 0.5
        assert abs(noise.var() - 1) < 5 * (2 / len(noise)) ** 0.5
        assert abs((noise**4).mean() - 3) < 6 * (96 / len(noise)) ** 0.5
        assert abs((noise[1:] * noise[:-1]).mean()) < 5 / len(noise) ** 0.5
    check_gradient(page, gradient)


@pytest.mark.parametrize(("index", "name"), [(0, "mu"), (1, "sigma"), (2, "n")])
def test_dragging_estimates_as_python_does(page, gradient, index, name):
    before, sent = ask(page, f"gradient.{name}"), len(page.sent)
    shown = gradient.locator("dd").all_inner_texts()
    gradient.locator("svg").evaluate(COUNT)
    drag(page, sliders(gradient).nth(index), (0.6, 0.5), (0.9, 0.5), steps=25)
    settle(page)
    assert len(page.sent) == sent
    assert page.evaluate("pictures") > 10
    during = gradient.locator("dd").all_inner_texts()
    assert during[1:] != shown[1:]
    page.mouse.up()
    settle(page)
    assert ask(page, f"gradient.{name}") != before
    assert gradient.locator("dd").all_inner_texts() == during
    check_gradient(page, gradient)


def test_the_estimates_are_drawn_where_they_are(page, gradient):
    centers = gradient.locator(".estimate").evaluate_all("all => all.map(c => c.cx.baseVal.value)")
    drawn = (np.array(centers) - 410) / 240 * 24 - 12
    estimates = ask(page, "gradient.estimates")
    assert np.allclose(drawn, [mean for mean, _ in estimates.values()], atol=1e-3)
    bar = gradient.locator(".error").last.get_attribute("d")
    low, high = (float(v) for v in re.match(r"M([\d.]+) \d+H([\d.]+)", bar).groups())
    error = estimates["score function"][1]
    assert np.isclose((high - low) / 240 * 24, 4 * error, atol=1e-3)


def test_the_histogram_counts_the_samples(page, gradient):
    path = gradient.locator(".bars").get_attribute("d")
    bars = re.findall(r"M([\d.]+) 216V([\d.]+)H", path)
    z = np.array(ask(page, "gradient.z.tolist()"))
    counts = np.histogram(z, bins=64, range=(-8, 8))[0]
    places = np.array([(float(x) - 16) / 280 * 64 for x, _ in bars])
    heights = np.array([216 - float(y) for _, y in bars])
    assert np.array_equal(np.round(places), np.flatnonzero(counts))
    expected = counts[counts > 0] / 200 / 0.25 * 0.5 * 186 / 0.6
    assert np.allclose(heights, np.minimum(expected, 186), atol=1e-6)


def test_the_keyboard_moves_both_and_not_the_notebook(page, frozen, gradient):
    active = page.evaluate(ACTIVE_CELL)
    for root, name in ((frozen, "frozen"), (gradient, "gradient")):
        sliders(root).first.focus()
        for key in ("ArrowDown", "ArrowLeft"):
            page.keyboard.press(key)
        settle(page)
        assert np.isclose(ask(page, f"{name}.mu"), 0.98)
    assert page.evaluate(ACTIVE_CELL) == active


def test_axe_finds_no_serious_violation(page, frozen, gradient, theme):
    for context in (".frozen-noise", ".gradient-explorer"):
        check_with_axe(page, context)


def test_without_a_kernel_both_move_on(lab, chrome):
    lab.write("no_kernel.ipynb", [SETUP, FROZEN, GRADIENT])
    with running_page(lab, chrome, "no_kernel.ipynb") as page:
        page.wait_for_selector(".gradient-explorer")
        wait_until_run(page)
        page.evaluate(SHUT_DOWN)
        for name, text in ((".frozen-noise", "p"), (".gradient-explorer", "dl")):
            root = page.locator(name)
            before = root.locator(text).inner_text()
            drag(page, sliders(root).first, (0.5, 0.5), (0.9, 0.5))
            page.mouse.up()
            settle(page)
            moved = root.locator(text).inner_text()
            assert moved != before
            root.get_by_role("button").click()
            settle(page)
            assert root.locator(text).inner_text() != moved
        check_frozen(page, page.locator(".frozen-noise"))
