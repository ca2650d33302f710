"""Present, docs/_static/present.js: a small page of its own, and every page of the site."""

import base64
import re
import shutil
from pathlib import Path

import pytest
import torch

from helpers.explorers import FrozenNoise, LatentExplorer, Question, pages
from helpers.models import VAE
from tests.browser import check_with_axe, serving, settle
from tests.presenting import FILLED, PROJECTOR, hash_of, place, ready, shown, start
from tests.test_site_browser import LIVING, PAGES, SCHEMES, visiting

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "docs" / "_static"
PIXEL = "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{}'/>"
SMALL = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>A small page</title>
<link rel="stylesheet" href="_static/present.css">
<style>
body {{ color: CanvasText; background: Canvas; }}
.cell {{ padding-bottom: 900px; }}
</style>
<script defer src="_static/host.js"></script>
<script defer src="_static/present.js"></script>
<div class="content-icon-container"></div>
<article role="main"><section>
<h1>A small page<a class="headerlink" href="#a" title="Link">¶</a></h1>
<p>Before, and after.</p>
<p><strong>The question: what is shown?</strong></p>
<p>{wide}</p>
<p><em>How to read the picture.</em></p>
<p>More words.</p>
<section><h2>1 · Noise</h2>
<div class="cell">{noise}</div>
<p><em>A</em> word in italics.</p>
<div class="cell">{question}</div>
<details><summary>Solution</summary>{folded}{noise_again}</details>
</section>
<section><h2>2 · A map</h2>
<div class="cell">{latent}</div>
<p>{high}</p>
</section>
</section></article>
</html>
"""
TITLES = [
    ("A small page", "The question: what is shown?"),
    ("A small page", "How to read the picture."),
    ("1 · Noise", ""),
    ("1 · Noise", ""),
    ("2 · A map", ""),
    ("2 · A map", ""),
]
NOISE, QUESTION, MAP = 3, 4, 5  # the explorers' places among the slides


def figure(folder: Path, name: str, explorer) -> str:
    """Put the explorer's parts where host.js looks for them; its figure."""
    parts = pages.parts(explorer)
    for key, value in ((parts["name"], parts["module"]), (name, parts["state"])):
        (folder / f"{key}.js").write_text(pages.part(key, value))
    attributes = f'data-module="{parts["name"]}" data-state="{name}"'
    still = '<p style="height: 900px">A still, higher than what takes its place.</p>'
    return f'<figure id="{name}" class="explorer" {attributes}>{still}</figure>'


def picture(alt: str, width: int, height: int) -> str:
    source = base64.b64encode(PIXEL.format(width, height).encode()).decode()
    return f'<img alt="{alt}" src="data:image/svg+xml;base64,{source}">'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a page of six slides."""
    folder = tmp_path_factory.mktemp("present")
    explorers = folder / "_static" / "explorers"
    explorers.mkdir(parents=True)
    for path in (pages.HOST, STATIC / "present.js", STATIC / "present.css"):
        shutil.copy(path, folder / "_static")
    torch.manual_seed(0)
    latent = LatentExplorer(VAE(2, hidden_dims=(8,)), torch.rand(5, 784))
    options = ["The one is in the other, and none of the two stands alone.", "Option a", "Option b"]
    question = Question("Which of these is true?", options, 0, "A long reason. " * 40)
    text = SMALL.format(
        wide=picture("wide", 300, 50),
        high=picture("high", 50, 300),
        folded=picture("folded", 9, 9),
        noise=figure(explorers, "noise", FrozenNoise(0.5, 1.0, [-1.0, 0.2, 0.9])),
        noise_again=figure(explorers, "again", FrozenNoise(0.5, 1.0, [0.0])),
        latent=figure(explorers, "latent", latent),
        question=figure(explorers, "question", question),
    )
    (folder / "page.html").write_text(text)
    return folder


@pytest.fixture
def small(folder):
    """The page's address on the disk."""
    return (folder / "page.html").as_uri()


@pytest.fixture
def page(chrome, small):
    with visiting(chrome, small) as page:
        page.set_viewport_size(PROJECTOR)
        yield page


def test_the_keys_lead_through_title_pictures_explorers_and_questions_and_back(page):
    start(page)
    count, seen, kinds = len(TITLES), [], []
    for number in range(1, count + 1):
        assert place(page) == f"{number} of {count}"
        seen.append(shown(page))
        kinds.append(
            page.locator(".present-stage > :not(p)").evaluate_all(
                "all => all.map(n => n.alt ?? n.id)"
            )
        )
        page.keyboard.press("ArrowRight")
    assert seen == TITLES
    assert kinds == [[], ["wide"], ["noise"], ["question"], ["latent"], ["high"]]
    assert place(page) == f"{count} of {count}"  # the last stays
    for number in range(count - 1, 0, -1):
        page.keyboard.press("ArrowLeft")
        assert place(page) == f"{number} of {count}"
    page.keyboard.press("ArrowLeft")
    assert place(page) == f"1 of {count}"


def test_two_buttons_do_what_the_keys_do_and_keep_the_focus(page):
    start(page)
    names = ["Next", "Next", "Back"]
    for name, number in zip(names, (2, 3, 2), strict=True):
        button = page.locator("dialog").get_by_role("button", name=name)
        button.click()
        assert place(page) == f"{number} of 6"
        assert button.evaluate("node => node === document.activeElement")
    page.keyboard.press("ArrowRight")
    assert place(page) == "3 of 6"
    assert page.locator("dialog [aria-disabled=true]").count() == 0
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("dialog [aria-disabled=true]").inner_text() == "← Back"


def test_escape_leaves_the_page_as_it_was_and_gives_the_focus_back(page):
    order = "[...document.querySelectorAll('article *')].map((n) => n.id || n.localName).join()"
    for one in page.locator(LIVING).all():
        one.scroll_into_view_if_needed()
    page.locator("#latent[data-alive]").wait_for()
    before, length = page.evaluate(order), page.evaluate("document.body.scrollHeight")
    start(page, MAP)
    assert page.evaluate("document.body.scrollHeight") == pytest.approx(length, abs=2)
    assert page.evaluate(order) != before
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert page.evaluate(order) == before
    assert page.locator("figure[style*=zoom]").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Present"
    box = page.locator("#latent").bounding_box()  # the page stands where the last slide was
    assert 0 <= box["y"] < PROJECTOR["height"]
    assert hash_of(page) == ""
    start(page, 2)
    assert place(page) == "2 of 6"


def test_arrow_keys_in_a_slider_a_pad_and_a_list_of_options_are_theirs(page):
    start(page, NOISE)
    figure = page.locator(".present-stage figure")
    figure.locator("input[type=range]").first.focus()
    value = figure.locator("input[type=range]").first.input_value()
    page.keyboard.press("ArrowRight")
    assert place(page) == f"{NOISE} of 6"
    assert figure.locator("input[type=range]").first.input_value() != value
    assert "Page Down" in page.locator(".present-hint").inner_text()
    page.keyboard.press("PageDown")  # a clicker's key goes on from everywhere
    ready(page)
    assert place(page) == f"{QUESTION} of 6"
    assert page.locator(".present-slide").evaluate("node => node === document.activeElement")
    options = figure.locator("input[type=radio]")
    options.first.focus()
    options.first.check()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert options.nth(2).is_checked()
    figure.get_by_role("button", name="Check").focus()  # which has no use for them
    page.keyboard.press("ArrowRight")
    ready(page)
    assert place(page) == f"{MAP} of 6"
    z = figure.evaluate("figure => figure.explorer.model.get('z')")
    for role in ("map", "pad"):
        figure.locator(f"[data-role={role}]").focus()
        page.keyboard.press("ArrowLeft")
        assert place(page) == f"{MAP} of 6"
    settle(page)
    moved = figure.evaluate("figure => figure.explorer.model.get('z')")
    assert moved[0] < z[0]
    page.keyboard.press("PageUp")
    assert place(page) == f"{QUESTION} of 6"


def test_the_address_says_where_one_is_and_keeps_what_the_explorers_say(page):
    start(page, NOISE)
    assert hash_of(page) == f"#present-{NOISE}"
    page.locator(".present-stage input").first.focus()
    page.keyboard.press("ArrowRight")
    state = re.fullmatch(rf"#present-{NOISE}&(noise\.mu=[\d.]+)", hash_of(page))[1]
    page.keyboard.press("PageDown")
    assert hash_of(page) == f"#present-{QUESTION}&{state}"
    page.keyboard.press("Escape")
    assert hash_of(page) == f"#{state}"
    value = page.locator("#noise input").first.input_value()
    assert float(value) == float(state.split("=")[1])
    start(page)
    assert hash_of(page) == f"#present-1&{state}"


def test_an_address_leads_to_a_slide_and_its_state(chrome, small):
    with visiting(chrome, f"{small}#present-{NOISE}&noise.mu=-1.25") as page:
        page.set_viewport_size(PROJECTOR)
        ready(page)
        assert place(page) == f"{NOISE} of 6"
        assert page.locator(".present-stage input").first.input_value() == "-1.25"
        page.evaluate("location.hash = '#present-2'")
        page.locator(".present-stage img").wait_for()
        assert place(page) == "2 of 6"
        page.evaluate("location.hash = '#present-99'")  # anybody can write one
        page.wait_for_function(
            "document.querySelector('.present-place').textContent.startsWith('6')"
        )
        page.evaluate("location.hash = '#noise.mu=1'")
        page.locator("dialog").wait_for(state="hidden")
        assert page.locator("#noise input").first.input_value() == "1"
        assert page.evaluate("document.activeElement.textContent") == "Present"


def test_a_slide_fills_a_projector_and_nothing_is_left_outside(page):
    start(page)
    box = page.locator("dialog").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1280, 720)
    zoom = "document.querySelector('.present-stage figure')?.style.zoom"
    zooms = {}
    for number in [*range(2, 7), *range(5, 1, -1)]:  # on the way back the explorers live already
        page.keyboard.press("ArrowRight" if place(page) < f"{number} of 6" else "ArrowLeft")
        ready(page)
        filled = page.evaluate(FILLED)
        assert filled["share"] > 0.85, number
        assert page.evaluate(zoom) == zooms.setdefault(number, page.evaluate(zoom)), number
        assert filled["over"] <= 1, number
        assert filled["inside"], number


def test_a_long_verdict_still_fits(page):
    start(page, QUESTION)
    page.locator(".present-stage input[type=radio]").nth(1).check()
    before = page.locator(".present-stage figure").evaluate("figure => Number(figure.style.zoom)")
    page.get_by_role("button", name="Check my answer").click()
    settle(page)
    assert page.evaluate(FILLED)["over"] <= 1
    assert (
        page.locator(".present-stage figure").evaluate("figure => Number(figure.style.zoom)")
        < before
    )


def test_the_page_behind_is_out_of_reach(page):
    start(page, 2)
    inside = "document.querySelector('dialog').contains(document.activeElement)"
    for _ in range(12):
        page.keyboard.press("Tab")
        active = page.evaluate("document.activeElement.localName")
        assert active == "body" or page.evaluate(inside)
    assert page.locator("dialog").get_attribute("aria-label") == "Presentation"
    assert page.locator(".present-slide").get_attribute("aria-label") == "2 of 6: A small page"


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_nothing_moves_for_those_who_asked_for_less(page, wish):
    page.emulate_media(reduced_motion=wish)
    start(page)
    name = page.locator("dialog").evaluate("node => getComputedStyle(node).animationName")
    assert (name == "none") == (wish == "reduce")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_kind_of_slide_is_accessible(chrome, folder, scheme):
    with serving(folder) as address, visiting(chrome, f"{address}page.html", scheme) as page:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        start(page)
        for _ in TITLES:
            ready(page)
            check_with_axe(page, "dialog")
            page.keyboard.press("PageDown")


# On the site


def test_a_slide_of_the_site_is_accessible(site, chrome):
    name = next(name for name in PAGES if "02_" in name)
    with serving(site) as address, visiting(chrome, f"{address}{name}#present-2") as page:
        page.set_viewport_size(PROJECTOR)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            ready(page)
            check_with_axe(page, "dialog")
