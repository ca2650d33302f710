"""KLExplorer, EstimatorExplorer and the questions on pages of their own: no kernel, no Jupyter."""

import re

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, norm
from torch.distributions import Normal, kl_divergence

from helpers.explorers import EstimatorExplorer, KLExplorer, PosteriorExplorer, Question
from tests.browser import check_with_axe, drag, settle

QUESTION = Question(
    "What does `sample()` leave in the record?",
    ["a zero", "nothing", "2μ"],
    1,
    ["Zero is a number.", "`sample()` draws a number.", "<b>That</b> is the mean's."],
)


@pytest.fixture
def show(chrome, tmp_path):
    """show(explorer, width) opens it from the disk and gives its page; errors fail the test."""
    shown, errors = [], []

    def show(explorer, width: int = 700, scheme: str = "light"):
        path = tmp_path / f"{len(shown)}.html"
        explorer.to_html(path)
        size = {"width": width, "height": 900}
        page = chrome.new_page(viewport=size, color_scheme=scheme)
        shown.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector("figure[data-alive]")
        settle(page)
        return page

    yield show
    for page in shown:
        page.close()
    assert errors == []


def shown_numbers(page) -> dict[str, float]:
    read = "all => all.map(one => [one.dataset.value, one.textContent])"
    pairs = page.locator("[data-value]:visible").evaluate_all(read)
    assert len(dict(pairs)) == len(pairs)
    return {name: float(text.replace("−", "-")) for name, text in pairs if text}


def check_numbers(page, explorer, digits: float) -> None:
    """Each number in the page is that of the Python face."""
    shown = shown_numbers(page)
    assert set(explorer.numbers) - set(shown) <= {"mu", "sigma"}  # fixed at 0 and 1 in D dimensions
    for name, value in shown.items():
        bound = digits if not name.endswith("_variance") else 1e-4 * max(1, explorer.numbers[name])
        assert value == pytest.approx(explorer.numbers[name], abs=bound), name


def check_look(show, explorer) -> None:
    """On a phone nothing scrolls sideways; axe finds nothing serious, light and dark."""
    for scheme in ("light", "dark"):
        page = show(explorer, 390, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        check_with_axe(page)


def test_the_kl_of_the_page_is_that_of_torch(js):
    rng = np.random.default_rng(0)
    cases = np.column_stack([rng.uniform(-3, 3, 40), rng.uniform(0.2, 2.5, 40)]).tolist()
    code = "(module, cases) => cases.map(([mu, sigma]) => module.klNumbers(mu, sigma))"
    for (mu, sigma), numbers in zip(cases, js("kl.js", code, cases), strict=True):
        exact = kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).item()
        assert abs(numbers["kl"] - exact) < 1e-5
        assert abs(numbers["area"] - exact) < 1e-5
        assert numbers == pytest.approx(KLExplorer(mu, sigma).numbers, abs=1e-9)


def test_the_kl_explorer_moves_with_handles_and_keys(show):
    explorer = KLExplorer(1.0, 0.5)
    page = show(explorer)
    check_numbers(page, explorer, 6e-4)
    unit = page.locator(".panel").first.bounding_box()["width"] / 360 * 304 / 12
    for name, way, end in (("mu", -2, -1), ("sigma", 1, 1.5)):
        knob = page.locator(f"[data-handle={name}] .knob")
        across = way * unit / knob.bounding_box()["width"]
        drag(page, knob, (0.5, 0.5), (0.5 + across, 0.5), steps=5)
        settle(page)
        assert shown_numbers(page)[name] == pytest.approx(end, abs=0.02)
        page.mouse.up()
    before = shown_numbers(page)
    page.locator("[data-handle=mu] .knob").hover()
    page.mouse.down(button="right")
    page.mouse.move(5, 5)
    page.mouse.up(button="right")
    settle(page)
    assert shown_numbers(page) == before
    page.get_by_role("slider", name="μ").focus()
    page.keyboard.press("End")
    page.get_by_role("slider", name="σ").focus()
    page.keyboard.press("Home")
    settle(page)
    check_numbers(page, KLExplorer(3, 0.2), 6e-4)
    assert "5.629 nats" in page.locator("[aria-live]").inner_text()
    check_look(show, explorer)


Z = np.linspace(-6, 6, 601)
CURVE = np.sin(2 * Z) + 0.5 * Z


def test_what_is_drawn_is_z_from_the_prior_and_x_by_the_curve(js):
    spec = {"z": Z.tolist(), "curve": CURVE.tolist(), "noise": 0.3}
    xs = [-2.0, 0.1, 1.5]
    came = js("prior_draws.js", "({ marginal }, [spec, xs]) => marginal(spec, xs)", [spec, xs])
    for x, p in zip(xs, came, strict=True):
        exact = quad(lambda z, x=x: norm.pdf(z) * norm.pdf(x, np.sin(2 * z) + z / 2, 0.3), -6, 6)[0]
        assert p == pytest.approx(exact, abs=1e-6)
    code = """
    async ({ drawPair }, spec) => {
      const { normal } = await import("./common.js");
      return Array.from({ length: 4000 }, () => drawPair(spec, normal));
    }
    """
    z, x = np.array(js("prior_draws.js", code, spec)).T
    assert kstest(z, "norm").pvalue > 1e-6
    assert kstest((x - np.sin(2 * z) - z / 2) / 0.3, "norm").pvalue > 1e-6
    code = "({ histogram }, [x, range]) => histogram(x, range)"
    expected = np.histogram(x, 30, (-3.6, 3.6))[0] / len(x) / 0.24
    assert np.allclose(js("prior_draws.js", code, [x.tolist(), [-3.6, 3.6]]), expected)


def test_without_inference_the_posterior_explorer_shows_generation_alone(show):
    z = np.linspace(-6, 6, 601)
    explorer = PosteriorExplorer(z, 2 * z, 0.3, draws=50, inference=False)
    page = show(explorer)
    check_numbers(page, explorer, 0)
    root = page.locator(".posterior-explorer")
    assert root.locator("input").count() == 0
    assert "posterior" not in root.inner_text().lower()
    page.get_by_role("button", name="Draw 100").click()
    settle(page)
    assert shown_numbers(page) == {"draws": 150}


def test_the_posterior_explorer_draws_one_many_and_none(show):
    page = show(PosteriorExplorer(Z, CURVE, 0.3))
    for name, total in (("Draw z, then x", 1), ("Draw 100", 101), ("Clear", 0)):
        page.get_by_role("button", name=name).focus()
        page.keyboard.press("Enter")
        settle(page)
        assert shown_numbers(page)["draws"] == total
        assert ("from the prior" in page.locator("[aria-live]").inner_text()) == bool(total)
    check_look(show, PosteriorExplorer(Z, CURVE, 0.3))


STATES = [
    {"f": f, "mu": mu, "sigma": sigma, "n": n, "baseline": baseline, "dimension": dimension}
    for f, dimension in (("square", 1), ("line", 1), ("step", 1), ("norm", 1), ("norm", 100))
    for baseline in (False, True)
    for mu, sigma, n in ((1.5, 0.8, 100), (-3.0, 0.1, 10), (0.0, 2.0, 10_000))
]


def test_the_estimates_of_the_page_are_those_of_python(js):
    code = """
    (module, [bytes, states, spec, rows]) => {
      const noise = new Float32Array(Uint8Array.from(bytes).buffer);
      return states.map((state) => module.numbers({ ...state, noise }, spec, rows));
    }
    """
    for rows in (("p", "f"), ("fresh", "shared", "p", "f")):
        first = EstimatorExplorer(rows=rows, seed=2)
        states = [s for s in STATES if s["f"] in first.spec["choices"]]
        argument = [list(first.noise), states, first.spec, list(rows)]
        for state, numbers in zip(states, js("estimator_numbers.js", code, argument), strict=True):
            expected = EstimatorExplorer(**state, rows=rows, seed=2).numbers
            assert numbers == pytest.approx(expected, rel=1e-7, abs=1e-7), state


def test_with_shared_noise_pairs_are_joined_by_lines_that_do_not_cross(show):
    explorer = EstimatorExplorer(1.5, 0.8, 100, rows=("fresh", "shared"), seed=2)
    page = show(explorer)
    crossings = {}
    for i, row in enumerate(("fresh", "shared")):
        panel = page.locator(".panel").nth(i)
        assert panel.locator(".title").text_content() == f"{row} noise"
        lines = re.findall(r"M([\d.]+) \d+L([\d.]+)", panel.locator(".pairs").get_attribute("d"))
        ends = np.array(lines, dtype=float)
        first, second = np.frombuffer(explorer.noise, np.float32).reshape(2, -1)[:, : len(ends)]
        below = 1.4 + 0.8 * (second if row == "fresh" else first)
        z = np.stack([1.6 + 0.8 * first, below], axis=1)
        assert np.allclose(ends, 62 + (z + 5) / 10 * (360 - 12 - 62), atol=0.01)
        order = np.argsort(ends[:, 0])
        crossings[row] = (np.diff(ends[order, 1]) < 0).sum()
    assert crossings["shared"] == 0
    assert crossings["fresh"] > 2
    page.get_by_role("slider", name="μ").focus()
    page.keyboard.press("End")
    settle(page)
    check_numbers(page, EstimatorExplorer(3, 0.8, 100, rows=("fresh", "shared"), seed=2), 0.0051)
    check_look(show, explorer)


def test_the_estimator_explorer_moves_and_says_where_it_is_wrong(show):
    explorer = EstimatorExplorer(1.5, 0.8, 100)
    page = show(explorer)
    check_numbers(page, explorer, 0.0051)
    arrows = page.locator(".panel .arrows").last.get_attribute("d")
    found = re.findall(r"M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)M", arrows)
    assert len(found) > 20
    for x, y, end, end_y in found:  # f rises to the right of 0, to the left on the other side
        assert y == end_y
        assert (float(end) > float(x)) == (float(x) > 44 + 304 / 2)
    page.get_by_label("f(z) =").select_option("step")
    page.get_by_role("slider", name="μ").focus()
    page.keyboard.press("Home")
    page.get_by_label("baseline").check()
    settle(page)
    check_numbers(page, EstimatorExplorer(-3, 0.8, 100, f="step", baseline=True), 0.0051)
    assert "and wrong" in page.locator(".note").nth(1).text_content()
    page.get_by_label("f(z) =").select_option("norm")
    page.get_by_role("slider", name=re.compile("^D")).focus()
    page.keyboard.press("End")
    settle(page)
    state = {"f": "norm", "dimension": 100, "baseline": True}
    check_numbers(page, EstimatorExplorer(**state), 0.0051)
    assert shown_numbers(page)["p_variance"] == 208
    drag(page, page.get_by_role("slider", name="samples"), (0.5, 0.5), (0.99, 0.5))
    page.mouse.up()
    settle(page)
    assert shown_numbers(page)["n"] > 5000
    before = shown_numbers(page)
    page.get_by_role("button", name="Fresh noise").click()
    settle(page)
    assert shown_numbers(page) != before
    check_look(show, explorer)


def test_a_question_is_answered_with_keys_alone_and_tells_nothing_before(show):
    page = show(QUESTION)
    root = page.locator(".question")
    html = root.inner_html()
    assert not any(text in html for text in ("Zero is", "draws a number", "the mean's", "Right"))
    assert page.get_by_role("group", name="What does sample() leave in the record?").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # to the button: nothing is chosen yet
    page.keyboard.press("Enter")
    assert "Choose one" in page.get_by_role("status").inner_text()
    page.get_by_label("a zero").focus()
    page.keyboard.press("ArrowUp")  # the last one
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    told = page.get_by_role("status").inner_text()
    assert "Not right." in told
    assert "<b>That</b> is the mean's." in told
    assert "draws a number" not in root.inner_html()
    page.get_by_label("nothing").check()
    assert page.get_by_role("status").inner_text().strip() == ""
    page.get_by_role("button", name="Check my answer").click()
    assert "✓ Right. sample() draws a number." in page.get_by_role("status").inner_text()
    assert page.locator(".verdict code").inner_text() == "sample()"
    check_look(show, QUESTION)
