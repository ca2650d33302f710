"""Playground in a real browser, on a page from the disk: what trains, what answers, what stops.

How long a step takes depends on the machine: waits are for steps, not for seconds.
"""

import numpy as np
import pytest
import torch

from helpers.data import load_images
from helpers.explorers import Playground
from helpers.models import VAE
from tests.browser import check_with_axe, settle

# Counts the workers that live.
WATCH = """
globalThis.workers = 0;
globalThis.Worker = class extends globalThis.Worker {
  constructor(...all) { super(...all); workers += 1; this.alive = true; globalThis.last = this; }
  terminate() { if (this.alive) workers -= 1; this.alive = false; super.terminate(); }
};
"""
NO_WORKER = "globalThis.Worker = class { constructor() { throw new Error('not here'); } };"
SET = "([name, value]) => document.querySelector('figure').explorer.model.set(name, value)"
WEIGHTS = """
() => {
  const { buffer } = document.querySelector("figure").explorer.model.get("weights");
  return Array.from(new Float32Array(buffer));
}
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("playground") / "page.html"
    Playground(load_images()).to_html(path)
    assert path.stat().st_size < 1.2e6
    return path


@pytest.fixture
def show(chrome, path):
    """Open the playground; no error may occur in the page meanwhile."""
    pages, errors = [], []

    def show(script=WATCH, **options):
        page = chrome.new_page(**({"viewport": {"width": 1366, "height": 768}} | options))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(script)
        page.goto(path.as_uri())
        page.locator(".playground[data-steps]").wait_for()
        pages.append(page)
        return page

    yield show
    for page in pages:
        page.close()
    assert errors == []


def value(page, name: str) -> float:
    text = page.locator(f"[data-value={name}]").text_content()
    return float(text.replace("−", "-")) if text else float("nan")


def press(page, role: str) -> None:
    page.locator(f"[data-role={role}]").click()


def train(page, until: str, minutes: float = 2) -> None:
    """Run until the JavaScript condition of the numbers holds, and pause."""
    run = page.locator("[data-role=run]")
    if run.get_attribute("aria-pressed") == "false":
        run.click()
    condition = """
    (condition) => {
      const texts = [...document.querySelectorAll("[data-value]")];
      const numbers = texts.map((one) => [one.dataset.value, parseFloat(one.textContent)]);
      return new Function("v", `return ${condition}`)(Object.fromEntries(numbers));
    }
    """
    page.wait_for_function(condition, arg=until, timeout=60_000 * minutes)
    run.click()
    page.locator(".playground .spoken", has_text="Paused").wait_for(state="attached")
    settle(page)


def test_it_trains_and_python_has_the_model_and_its_numbers(show):
    page = show()
    train(page, "v.steps > 60")
    steps = value(page, "steps")
    playground = Playground(load_images())
    playground.weights = np.array(page.evaluate(WEIGHTS), np.float32).tobytes()
    numbers = playground.numbers
    assert numbers["steps"] == steps
    assert numbers["reconstruction"] == pytest.approx(value(page, "reconstruction"), abs=0.06)
    assert numbers["kl"] == pytest.approx(value(page, "kl"), abs=0.006)
    assert numbers["reconstruction"] < 230


def test_a_model_of_python_goes_on_in_the_page(show):
    page = show()
    playground = Playground(load_images())
    torch.manual_seed(3)
    playground.model = VAE(2, (64,))
    state = list(playground.weights)
    page.evaluate(SET, ["width", 64])
    page.evaluate(
        "bytes => document.querySelector('figure').explorer.model.set('weights', "
        "new DataView(Uint8Array.from(bytes).buffer))",
        state,
    )
    wanted = playground.numbers
    text = "document.querySelector('[data-value=kl]').textContent"
    page.wait_for_function(f"Math.abs(parseFloat({text}) - {wanted['kl']}) < 0.01")
    assert value(page, "reconstruction") == pytest.approx(wanted["reconstruction"], abs=0.06)


def test_blocked_loses_the_code_and_open_again_it_recovers(show):
    page = show()
    page.locator("[data-role=lesson-3]").click()
    train(page, "v.steps > 20 && v.kl < 0.05")
    assert value(page, "share_reconstruction") == 0
    page.locator("[data-role=gradient]").select_option("reparameterized")
    train(page, "v.kl > 2")


def test_a_mean_of_squares_collapses_and_without_kl_it_grows(show):
    page = show()
    page.locator("[data-role=lesson-6]").click()
    train(page, "v.steps > 20 && v.kl < 0.05")
    page.locator("[data-role=lesson-4]").click()
    train(page, "v.kl > 20")


def test_an_autoencoder_has_no_kl_and_rests_beta(show):
    page = show()
    page.locator("[data-role=model]").select_option("autoencoder")
    train(page, "v.steps > 5")
    assert np.isnan(value(page, "kl"))
    assert page.locator("[data-role=beta]").is_disabled()
    assert page.locator("[data-role=gradient]").is_disabled()


def test_a_step_is_one_and_shows_where_the_gradient_comes(show):
    page = show(reduced_motion="reduce")
    page.locator("[data-role=gradient]").select_option("blocked")
    press(page, "step")
    page.locator(".playground[data-steps='1']").wait_for()  # the numbers come after the line
    page.locator(".slow-panel .lit").wait_for()
    assert value(page, "steps") == 1
    lit = page.locator(".slow-panel [data-node]").evaluate_all(
        "all => all.map(one => [one.dataset.node, one.dataset.lit])"
    )
    assert dict(lit)["decoder"] == "reconstruction"
    assert dict(lit)["encoder"] == dict(lit)["q"] == "kl"
    assert "eps" not in dict(lit)  # z is a draw there, and no formula with ε
    page.locator("[data-role=gradient]").select_option("reparameterized")
    press(page, "step")
    page.locator(".playground[data-steps='2']").wait_for()  # the numbers come after the line
    page.locator("[data-node=encoder][data-lit='reconstruction kl']").wait_for()
    assert value(page, "steps") == 2
    assert page.locator(".slow-panel [data-node=eps]").first.get_attribute("data-lit") == ""


def test_the_film_goes_back_and_the_run_goes_on_from_there(show):
    page = show()
    train(page, "v.steps > 60")
    film, last = page.locator("[data-role=film]"), value(page, "steps")
    film.focus()
    page.keyboard.press("Home")
    page.locator(".playground[data-steps='0']").wait_for()
    page.keyboard.press("End")
    page.locator(f".playground[data-steps='{last:.0f}']").wait_for()
    page.keyboard.press("Home")
    page.locator(".playground[data-steps='0']").wait_for()
    press(page, "step")
    page.locator(".playground[data-steps='1']").wait_for()
    assert int(film.get_attribute("max")) == 1


def test_changes_a_hundred_times_a_second_break_nothing(show):
    page = show()
    press(page, "run")
    page.evaluate("""
    async () => {
      const model = document.querySelector("figure").explorer.model;
      for (let k = 0; k < 200; k++) {
        model.set("beta", (k % 40) / 2);
        model.set("likelihood", k % 4);
        model.set("gradient", k % 3);
        model.set("variational", k % 5 > 0);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      model.set("variational", true);
      model.set("likelihood", 0);
    }
    """)
    before = value(page, "steps")
    train(page, f"v.steps > {before}")
    assert np.isfinite(value(page, "reconstruction"))


def test_losses_that_are_no_numbers_stop_the_run_with_a_sentence(show):
    page = show()
    train(page, "v.steps > 1")
    page.evaluate("""
    () => {
      const model = document.querySelector("figure").explorer.model;
      const numbers = new Float32Array(model.get("weights").buffer.slice(0)).fill(NaN, 0, 100);
      model.set("weights", new DataView(numbers.buffer));
    }
    """)
    press(page, "run")
    page.locator(".warning", has_text="no number any more").wait_for()
    assert page.locator("[data-role=run]").get_attribute("aria-pressed") == "false"
    press(page, "reset")
    train(page, "v.steps > 1 && v.reconstruction < 600")


def test_it_trains_without_a_worker_and_after_one_was_lost(show):
    page = show(NO_WORKER)
    train(page, "v.steps > 3")
    page = show()
    train(page, "v.steps > 3")
    page.evaluate("last.onerror(new Event('error'))")
    page.locator(".warning", has_text="was lost").wait_for()
    train(page, "v.steps > 10")
    assert page.evaluate("workers") == 1


def test_out_of_sight_it_rests(show):
    page = show()
    press(page, "run")
    page.wait_for_function(
        "parseFloat(document.querySelector('[data-value=steps]').textContent) > 2"
    )
    page.evaluate("document.querySelector('main').style.marginTop = '5000px'")
    page.locator(".playground .spoken", has_text="Paused").wait_for(state="attached")
    steps = value(page, "steps")
    page.wait_for_timeout(800)
    assert value(page, "steps") == steps
    page.evaluate("document.querySelector('main').style.marginTop = ''")
    page.wait_for_function(
        "steps => parseFloat(document.querySelector('[data-value=steps]').textContent) > steps",
        arg=steps,
    )


def test_the_end_leaves_no_worker(show):
    page = show()
    press(page, "run")
    page.evaluate("document.querySelector('figure').explorer.end()")
    assert page.evaluate("workers") == 0
    assert page.locator(".playground").count() == 0


def test_a_part_can_be_hidden(show):
    page = show()
    for name in ("map", "images", "curves", "film", "lessons"):
        panel = page.locator(f".{name}-panel")
        assert panel.is_visible()
        page.evaluate(SET, [f"show_{name}", False])
        panel.wait_for(state="hidden")


def test_it_fits_and_axe_finds_nothing(show):
    page = show(reduced_motion="reduce")  # so the light is back at once
    press(page, "step")
    page.locator(".slow-panel .coming .line").wait_for()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 720})
            settle(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            check_with_axe(page)
