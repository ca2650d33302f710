"""The site in a real browser: from a file server, with nothing else to reach, and from the disk.

Whatever a page asks of another host is refused and fails the test. The pixels of a LatentExplorer
are compared with what PyTorch decodes with the weights that the site stores.
"""

import base64
import gzip
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import numpy as np
import pytest
import torch
from browser import (
    GREY,
    RECORD_IMAGES,
    check_with_axe,
    drag,
    frames_in_order,
    pixels,
    serving,
    settle,
    slider_values,
)
from torch import nn

from helpers import explorers
from helpers.data import load_images
from helpers.explorers import LatentExplorer
from helpers.models import VAE

ROOT = Path(__file__).resolve().parents[1]
STEMS = [path.stem for path in sorted(ROOT.glob("notebooks/*.ipynb"))]
PAGES = ["index.html", *(f"notebooks/{stem}.html" for stem in STEMS), "teachers.html"]
SCHEMES = ["light", "dark"]
LIVING = "figure.explorer[data-state]"
# Show one picture after the other, until it is loaded, or an explorer lives in its place.
SHOW_ALL = """
async (living) => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  for (const node of document.querySelectorAll(`${living}, img`)) {
    if (!node.isConnected || !node.checkVisibility()) continue;
    node.scrollIntoView();
    while (node.isConnected && !(node.complete || "alive" in node.dataset)) await frame();
  }
}
"""
# What an explorer shows: all of its pictures and numbers.
LOOK = """
figure => [...figure.querySelectorAll("canvas")].map((c) => c.toDataURL()).join()
  + figure.querySelector("div").innerHTML
"""
PART = re.compile(r"explorerPart\(\.\.\.(\[.*\])\)\n?")


@pytest.fixture(scope="session")
def site(chromium, tmp_path_factory):
    """The folder, built from the notebooks as `make site` does."""
    folder = tmp_path_factory.mktemp("site") / "site"
    subprocess.run([sys.executable, ROOT / "docs" / "build.py", folder], check=True)
    return folder


@pytest.fixture(scope="session")
def address(site):
    with serving(site) as address:
        yield address


@pytest.fixture
def visit(chrome):
    """A function that opens an address in a page which can reach nothing but that place."""
    contexts, wrong = [], []

    def open_page(url, scheme="light", **options):
        allowed = url.split("/", 3)[:3] if url.startswith("http") else ["file:"]
        allowed = ("/".join(allowed), "blob:", "data:")

        def answer(route):
            if route.request.url.startswith(allowed):
                return route.continue_()
            wrong.append(f"asked for {route.request.url}")
            return route.abort()

        context = chrome.new_context(color_scheme=scheme, **options)
        contexts.append(context)
        context.route("**/*", answer)
        page = context.new_page()
        page.loaded = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: m.type in ("error", "warning") and wrong.append(m.text))
        page.on("websocket", lambda socket: wrong.append(f"socket {socket.url}"))
        page.on("requestfinished", lambda request: page.loaded.append(request))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def bring_to_life(page):
    page.evaluate(SHOW_ALL, LIVING)
    assert page.locator(f"{LIVING}:not([data-alive])").count() == 0


def part(text: str) -> dict:
    """What a script of the site hands to host.js."""
    return json.loads(PART.fullmatch(text)[1])[1]


def stored_bytes(packed: dict) -> bytes:
    return gzip.decompress(base64.b64decode(packed["gzip"]))


class Stored(nn.Module):
    """The networks of a page, from what the page stores, in PyTorch."""

    def __init__(self, state: dict):
        super().__init__()
        weights = np.frombuffer(stored_bytes(state["weights"]), np.float16).astype(np.float32)
        self.weights, self.latent_dim = torch.tensor(weights), state["spec"]["latent_dim"]
        self.decoder = self.network(state["spec"]["decoder"])
        self.encoder = self.network(state["spec"]["encoder"])

    def network(self, layers):
        return nn.Sequential(*map(self.layer, layers))

    def layer(self, spec):
        options = {key: value for key, value in spec.items() if key != "type"}
        if spec["type"] == "Hardtanh":
            return nn.Hardtanh(options["low"], options["high"])
        if spec["type"] != "Linear":
            return getattr(nn, spec["type"])(**options)
        layer = nn.Linear(options["inputs"], options["outputs"])
        for parameter in layer.parameters():
            values, self.weights = self.weights.tensor_split([parameter.numel()])
            parameter.data = values.reshape(parameter.shape)
        return layer

    @torch.no_grad()
    def decoded(self, z):
        return self.decoder(torch.as_tensor(z, dtype=torch.float32)).numpy()


def latent_explorers(site):
    for stem in STEMS:
        text = (site / "notebooks" / f"{stem}.html").read_text()
        for state in re.findall(r'data-module="LatentExplorer" data-state="([^"]+)"', text):
            yield stem, state


# The folder


class Links(HTMLParser):
    """The addresses that a page names, its ids, and what is in its head."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.description = [], set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.links += [attributes[key] for key in ("href", "src") if attributes.get(key)]
        self.ids |= {attributes.get("id")}
        if attributes.get("name") == "description":
            self.description = attributes["content"]


def test_every_link_inside_the_folder_leads_somewhere(site):
    pages = {path: Links(path.read_text()) for path in site.rglob("*.html")}
    assert {str(path.relative_to(site)) for path in pages} >= {*PAGES, "search.html"}
    broken, checked = [], 0
    for path, page in pages.items():
        for link in page.links:
            target, place = urldefrag(urljoin(path.as_uri(), link))
            if urlsplit(target).scheme != "file":
                continue
            checked += 1
            file = Path(unquote(urlsplit(target).path))
            known = pages[file].ids if file in pages else set()
            if not file.is_file() or (place and unquote(place) not in known):
                broken.append((path.name, link))
    assert broken == []
    assert checked > 300


def test_nothing_in_the_folder_is_loaded_from_another_host(site):
    loads = re.compile(r"<(?:script|img|iframe|link)\b[^>]*(?:src|href)=\"(?:https?:)?//[^>]*>")
    for path in site.rglob("*.html"):
        assert loads.findall(path.read_text()) == []
    for path in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", path.read_text()) == []


def test_the_notebooks_explorers_are_on_the_pages_with_the_modules_of_jupyterlab(site):
    folder = site / "_static" / "explorers"
    shown = {
        stem: re.findall(
            rf'figure class="explorer" data-module="(\w+)" data-state="({stem}-\d+)"',
            (site / "notebooks" / f"{stem}.html").read_text(),
        )
        for stem in STEMS
    }
    assert all(shown.values())
    made = re.compile(r'"(?:\w+ = |)((?:\w*Explorer|Flipbook|FrozenNoise)\(.*)', re.MULTILINE)
    for stem, figures in shown.items():
        source = (ROOT / "notebooks" / f"{stem}.ipynb").read_text()
        names = {call.split("(")[0] for call in made.findall(source)}
        assert {name for name, _ in figures} == names
        for name, state in figures:
            module = part((folder / f"{name}.js").read_text())
            assert module == str(getattr(explorers, name)._esm)
            assert part((folder / f"{state}.js").read_text())


# From a file server


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_accessible(site, address, visit, name, scheme):
    page = visit(address + name, scheme, viewport={"width": 1300, "height": 900})
    bring_to_life(page)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light == (scheme == "light")
    assert page.title()
    assert page.locator("h1").count() == 1
    assert len(Links((site / name).read_text()).description) > 30
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    images = "[...document.images].filter((i) => !i.naturalWidth || !i.alt).map((i) => i.src)"
    assert page.evaluate(images) == []
    sidebar = page.locator(".sidebar-tree a.reference")
    assert sidebar.count() == len(PAGES) - 1  # all but the first page
    check_with_axe(page)


@pytest.mark.parametrize("stem", STEMS)
def test_a_notebooks_formulas_code_and_answers(address, visit, stem):
    page = visit(f"{address}notebooks/{stem}.html")
    source = json.loads((ROOT / "notebooks" / f"{stem}.ipynb").read_text())["cells"]
    text = "".join("".join(c["source"]) for c in source if c["cell_type"] == "markdown")
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    formulas = re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", text, re.DOTALL)
    assert page.locator("article math").count() == len(formulas)
    sizes = "all => all.map((m) => m.getBoundingClientRect().width)"
    for details in page.locator("details").all():
        assert details.get_attribute("open") is None
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert min(page.locator("article math").evaluate_all(sizes)) > 3
    prose = page.locator("article :is(p, li, td)").all_inner_texts()
    assert [line for line in prose if re.search(r"\$|\\[a-z]{2}", line)] == []
    code = [c for c in source if c["cell_type"] == "code"]
    assert page.locator("article .cell_input").count() == len(code)
    assert page.locator("article .cell_input .highlight span.k, span.kn").count() > 10
    solutions = sum("solution" in c["metadata"].get("tags", []) for c in code)
    assert page.locator("details.hide.above-input, details.hide").count() >= solutions > 0
    answers = text.count("<details")
    assert page.locator("details:not(.hide) > summary").count() == answers > 0


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("stem", STEMS)
def test_every_explorer_moves_with_keys_and_pointer(address, visit, stem, scheme):
    page = visit(f"{address}notebooks/{stem}.html", scheme)
    bring_to_life(page)
    figures = page.locator(LIVING)
    for i in range(figures.count()):
        figure = figures.nth(i)
        assert figure.locator("> img").count() == 0
        figure.scroll_into_view_if_needed()
        slider = figure.locator("input[type=range]").first
        looks = [figure.evaluate(LOOK)]
        slider.focus()
        for _ in range(2):
            page.keyboard.press("ArrowRight")
        settle(page)
        looks.append(figure.evaluate(LOOK))
        drag(page, slider, (0.5, 0.5), (0.15, 0.5))
        settle(page)
        looks.append(figure.evaluate(LOOK))
        page.mouse.up()
        assert len(set(looks)) == 3, (stem, i)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_latent_explorer_decodes_each_frame_as_pytorch_does(site, address, visit, scheme):
    tested = 0
    for stem, state in latent_explorers(site):
        page = visit(f"{address}notebooks/{stem}.html", scheme)
        model = Stored(part((site / "_static" / "explorers" / f"{state}.js").read_text()))
        root = page.locator(f"figure[data-state='{state}']")
        root.scroll_into_view_if_needed()
        root.locator(".latent-explorer").wait_for()
        drag_and_compare(page, root, model.decoded)
        tested += 1
    assert tested >= 3


def drag_and_compare(page, root, decoded):
    """Drag the first slider: each frame must show what `decoded` gives for one of its values."""
    root.scroll_into_view_if_needed()
    settle(page)
    root.evaluate(RECORD_IMAGES)
    start, slider = slider_values(root), root.locator("input[type=range]").first
    drag(page, slider, (0.5, 0.5), (0.9, 0.5), (0.2, 0.5), steps=25)
    page.mouse.up()
    settle(page)
    record = page.evaluate("stopRecording()")
    values = np.array([start, *record["set"]])
    assert len(np.unique(values[:, 0])) > 10
    assert len(record["frames"]) > 5
    expected = decoded(values)
    assert np.ptp(expected) > 0.5
    assert frames_in_order(record["frames"], expected)
    assert np.abs(pixels(root) - expected[-1]).max() <= GREY


def test_an_explorers_parts_are_loaded_when_it_comes_into_view(site, address, visit):
    stem, state = list(latent_explorers(site))[-1]
    page = visit(f"{address}notebooks/{stem}.html")
    page.wait_for_load_state("networkidle")
    asked = [request.url for request in page.loaded]
    assert not [url for url in asked if state in url and url.endswith(".js")]
    with page.expect_response(lambda response: f"{state}.js" in response.url):
        page.locator(f"figure[data-state='{state}']").scroll_into_view_if_needed()


def test_the_first_page_is_light(address, visit):
    page = visit(address)
    page.wait_for_load_state("networkidle")
    sizes = {
        request.url: len(request.response().body())
        for request in page.loaded
        if request.resource_type != "image"
    }
    assert 10_000 < sum(sizes.values()) <= 300_000, sizes


def test_the_theme_is_switched_by_hand_and_the_explorers_follow(address, visit):
    page = visit(f"{address}notebooks/{STEMS[1]}.html", viewport={"width": 1300, "height": 900})
    root = page.locator(".latent-explorer")
    page.locator(LIVING).first.scroll_into_view_if_needed()
    root.wait_for()
    colors = []
    for _ in range(3):
        page.locator(".theme-toggle:visible").first.click()
        colors.append(root.evaluate("e => getComputedStyle(e).backgroundColor"))
    assert len(set(colors)) == 2


def test_search_and_the_way_from_page_to_page(address, visit):
    page = visit(address, viewport={"width": 1300, "height": 900})
    for stem in STEMS:
        page.locator("a.next-page").click()
        page.wait_for_url(f"**/{stem}.html")
    page.locator("a.prev-page").click()
    page.wait_for_url(f"**/{STEMS[-2]}.html")
    page.get_by_placeholder("Search").fill("reparameterization")
    page.keyboard.press("Enter")
    page.locator("ul.search li a").first.wait_for()
    assert "The reparameterization trick" in page.locator("ul.search").inner_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_scrolls_no_page_sideways(address, visit, name):
    page = visit(address + name, viewport={"width": 390, "height": 800}, has_touch=True)
    bring_to_life(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    pictures = page.locator("article :is(img, figure, canvas, input):visible")
    ends = pictures.evaluate_all("all => all.map((e) => e.getBoundingClientRect().right)")
    assert max(ends, default=0) <= 390  # the page for teachers has no picture


# From the disk


@pytest.mark.parametrize("stem", STEMS)
def test_the_explorers_live_on_a_page_opened_from_the_disk(site, visit, stem):
    page = visit((site / "notebooks" / f"{stem}.html").as_uri())
    bring_to_life(page)
    assert page.locator(f"{LIVING}[data-alive]").count() == page.locator("figure.explorer").count()


@pytest.fixture(scope="module")
def explorer():
    torch.manual_seed(0)
    model = VAE()
    for parameter in [*model.encoder.parameters(), *model.decoder.parameters()]:
        parameter.data *= 2
    data = load_images()
    return model, LatentExplorer(model, data.x_test, data.y_test, x_train=data.x_train)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_self_contained_file_passes_the_same_drag(explorer, visit, tmp_path, scheme):
    model, explorer = explorer
    path = tmp_path / "explorer.html"
    explorer.to_html(path)
    page = visit(path.as_uri(), scheme)
    page.locator(".latent-explorer").wait_for()

    @torch.no_grad()
    def decoded(z):
        return model.decode(torch.as_tensor(z, dtype=torch.float32)).sigmoid().numpy()

    drag_and_compare(page, page.locator("figure"), decoded)
    check_with_axe(page)


def test_the_self_contained_file_lives_in_an_iframe(explorer, visit, tmp_path):
    explorer[1].to_html(tmp_path / "explorer.html")
    outer = tmp_path / "post.html"
    outer.write_text('<!doctype html><iframe src="explorer.html" width=900 height=600></iframe>')
    page = visit(outer.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator(".latent-explorer").wait_for()
    before = frame.locator("figure").evaluate(LOOK)
    frame.locator("input[type=range]").first.press("ArrowRight")
    settle(page)
    assert frame.locator("figure").evaluate(LOOK) != before
