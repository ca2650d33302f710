"""The site in a real browser: from a file server, with nothing else to reach, and from the disk.

Whatever a page asks of another host is refused and fails the test. The pixels of a LatentExplorer
are compared with what PyTorch decodes with the weights that the site stores.
"""

import base64
import gzip
import inspect
import json
import re
from contextlib import ExitStack, contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import nbformat
import numpy as np
import pytest
import torch
from torch import nn

from helpers import explorers
from helpers.data import load_images
from helpers.explorers import LatentExplorer
from helpers.explorers.base import Explorer
from helpers.models import VAE
from tests.browser import (
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
from tests.presenting import FILLED, PROJECTOR, hash_of, place, ready, shown, start

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = {
    f"{path.relative_to(ROOT).with_suffix('')}.html": path
    for path in sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("notebooks/[!.]*/*.ipynb")])
}
FIVE = [name for name, path in NOTEBOOKS.items() if path.parent.name == "notebooks"]
FOLDED = {"solution": "solution", "check": "check", "plot": "code", "setup": "setup"}  # by tag
TEXTS = sorted(ROOT.glob("docs/**/*.md"))
PAGES = NOTEBOOKS | {f"{p.relative_to(ROOT / 'docs').with_suffix('')}.html": p for p in TEXTS}
MADE = "|".join(
    name for name, kind in inspect.getmembers(explorers, inspect.isclass)
    if issubclass(kind, Explorer)
)  # fmt: skip
SCHEMES = ["light", "dark"]
DESK, PHONE = {"width": 1300, "height": 900}, {"width": 390, "height": 800}
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
def address(site):
    with serving(site) as address:
        yield address


@contextmanager
def visiting(chrome, url, scheme="light"):
    """A page that can reach nothing but the place of its address; what goes wrong there fails."""
    wrong = []
    allowed = url.split("/", 3)[:3] if url.startswith("http") else ["file:"]
    allowed = ("/".join(allowed), "blob:", "data:")

    def answer(route):
        if route.request.url.startswith(allowed):
            return route.continue_()
        wrong.append(f"asked for {route.request.url}")
        return route.abort()

    context = chrome.new_context(color_scheme=scheme, viewport=DESK)
    context.route("**/*", answer)
    page = context.new_page()
    page.loaded = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: m.type in ("error", "warning") and wrong.append(m.text))
    page.on("websocket", lambda socket: wrong.append(f"socket {socket.url}"))
    page.on("requestfinished", lambda request: page.loaded.append(request))
    page.goto(url)
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def visit(chrome):
    """A function that opens an address in a page of the test's own."""
    with ExitStack() as pages:
        yield lambda url: pages.enter_context(visiting(chrome, url))


@pytest.fixture(scope="module", params=PAGES)
def page(chrome, address, request):
    """A page of the site, visited once for all tests of it; its explorers live."""
    with visiting(chrome, address + request.param) as page:
        page.name = request.param
        bring_to_life(page)
        yield page


@pytest.fixture(params=SCHEMES)
def scheme(page, request):
    page.emulate_media(color_scheme=request.param)
    settle(page)
    yield request.param
    page.emulate_media(color_scheme="light")


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


def latent_explorers(site, name) -> list[str]:
    """The states of the LatentExplorers on a page."""
    text = (site / name).read_text()
    return re.findall(r'data-module="LatentExplorer" data-state="([^"]+)"', text)


def code_of(path) -> list:
    """The cells of code of a notebook, or of a page of Markdown."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        return [cell.source for cell in cells if cell.cell_type == "code"]
    return re.findall(r"^```{code-cell}[^\n]*\n(.*?)^```", path.read_text(), re.M | re.S)


LIVELY = [  # pages with explorers
    name
    for name, path in PAGES.items()
    if re.search(rf"^(\w+ = )?({MADE})\(", "\n".join(code_of(path)), re.M)
]


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
    for page, path in PAGES.items():
        figures = re.findall(
            rf'class="explorer" data-module="(\w+)" data-state="({path.stem}-\d+)"',
            (site / page).read_text(),
        )
        code = "\n".join(code_of(path))
        assert {name for name, _ in figures} == {
            *re.findall(rf"^(?:\w+ = )?({MADE})\(", code, re.M)
        }
        assert figures or page not in FIVE
        for name, state in figures:
            module = part((folder / f"{name}.js").read_text())
            assert module == str(getattr(explorers, name)._esm)
            assert part((folder / f"{state}.js").read_text())


# From a file server


def test_a_page_is_whole(site, page):
    assert page.title()
    assert page.locator("h1").count() == 1
    assert len(Links((site / page.name).read_text()).description) > 30
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    images = "[...document.images].filter((i) => !i.naturalWidth || !i.alt).map((i) => i.src)"
    assert page.evaluate(images) == []
    sidebar = page.locator(".sidebar-tree a.reference")
    assert sidebar.count() == len(PAGES) - 1  # all but the first page


def test_a_page_is_accessible_on_light_and_on_dark(page, scheme):
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light == (scheme == "light")
    check_with_axe(page)


def test_every_explorer_moves_with_keys_and_pointer(page):
    for figure in page.locator(LIVING).all():
        assert figure.locator("> img").count() == 0
        figure.scroll_into_view_if_needed()
        if figure.locator(".question").count():
            check_question(figure)
            continue
        if not figure.locator("input[type=range]").count():
            check_draw(page, figure)
            continue
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
        assert len(set(looks)) == 3, figure.get_attribute("data-state")


def check_draw(page, figure) -> None:
    """Without a slider there is a button that draws, with the keyboard as with the pointer."""
    button, looks = figure.get_by_role("button", name=re.compile("^Draw z")), []
    for press in (lambda: None, lambda: button.press("Enter"), button.click):
        press()
        settle(page)
        looks.append(figure.evaluate(LOOK))
    assert len(set(looks)) == 3, figure.get_attribute("data-state")


def check_question(figure) -> None:
    """Whatever is answered, a verdict is given; a new answer takes it away."""
    options, verdict = figure.locator("input[type=radio]").all(), figure.locator(".verdict")
    assert len(options) > 1
    for option in options:
        option.check()
        assert verdict.inner_text() == ""
        figure.get_by_role("button", name="Check my answer").click()
        assert "ight" in verdict.inner_text()  # Right, or Not right


def test_a_phone_scrolls_no_page_sideways(page):
    page.set_viewport_size(PHONE)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    pictures = page.locator("article :is(img, figure, canvas, input):visible")
    ends = pictures.evaluate_all("all => all.map((e) => e.getBoundingClientRect().right)")
    assert max(ends, default=0) <= PHONE["width"]  # the page for teachers has no picture
    page.set_viewport_size(DESK)


def test_a_page_can_be_presented(page):
    page.set_viewport_size(PROJECTOR)
    start(page)
    explorers = page.locator(f"article {LIVING}:not(details *)").count()
    for number in range(1, int(place(page).split()[-1]) + 1):
        ready(page)
        assert hash_of(page).split("&")[0] == f"#present-{number}"  # then what was moved
        assert shown(page)[0]
        filled = page.evaluate(FILLED)
        assert filled["over"] <= 1, number
        assert filled["inside"], number
        explorers -= page.locator(".present-stage figure[data-alive]").count()
        page.keyboard.press("PageDown")
    assert explorers == 0
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    page.set_viewport_size(DESK)


# Last of the tests of a page: it opens all that is folded.
def test_a_pages_formulas_code_and_answers(page):
    path = PAGES[page.name]
    tags, text = [], path.read_text()
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "".join(cell.source for cell in cells if cell.cell_type == "markdown")
        tags = [c.metadata.get("tags", []) for c in cells if c.cell_type == "code"]
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    formulas = re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", text, re.DOTALL)
    assert page.locator("article math").count() == len(formulas)
    for details in page.locator("details").all():
        assert details.get_attribute("open") is None
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    sizes = "all => all.map((m) => m.getBoundingClientRect().width)"
    assert min(page.locator("article math").evaluate_all(sizes), default=4) > 3
    prose = page.locator("article :is(p, li, td)").all_inner_texts()
    assert [line for line in prose if re.search(r"\$|\\[a-z]{2}", line)] == []
    if path.suffix == ".ipynb":
        check_code(page, tags)
    answers = text.count("<details")
    assert page.locator("details:not(.hide) > summary").count() == answers


def check_code(page, tags: list[list[str]]) -> None:
    """Each cell of code is there, highlighted, as wide as its lines, and folded as its tags say."""
    over = "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length"
    assert page.locator("article pre").evaluate_all(over) == 0
    shown = [names for names in tags if "question" not in names]
    assert page.locator("article .cell_input").count() == len(shown)
    assert page.locator("article .cell_input .highlight span.k, span.kn").count() > 10
    summaries = page.locator("details.hide > summary").all_text_contents()
    for tag, what in FOLDED.items():
        count = sum(tag in names for names in tags)
        assert sum(f"Show the {what}" in text for text in summaries) == count, tag
    assert len(summaries) == sum(bool(FOLDED.keys() & {*names}) for names in tags)


@pytest.mark.serial
@pytest.mark.parametrize("name", FIVE)
def test_a_latent_explorer_decodes_each_frame_as_pytorch_does(site, address, visit, name):
    states = latent_explorers(site, name)
    page = visit(address + name) if states else None
    for state in states:
        model = Stored(part((site / "_static" / "explorers" / f"{state}.js").read_text()))
        root = page.locator(f"figure[data-state='{state}']")
        root.scroll_into_view_if_needed()
        root.locator(".latent-explorer").wait_for()
        drag_and_compare(page, root, model.decoded)


def test_at_least_three_notebooks_have_a_latent_explorer(site):
    assert sum(bool(latent_explorers(site, name)) for name in FIVE) >= 3


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
    name = FIVE[-1]
    state = latent_explorers(site, name)[-1]
    page = visit(address + name)
    page.wait_for_load_state("networkidle")
    asked = [request.url for request in page.loaded]
    assert not [url for url in asked if state in url and url.endswith(".js")]
    with page.expect_response(lambda response: f"{state}.js" in response.url):
        page.locator(f"figure[data-state='{state}']").scroll_into_view_if_needed()


def test_the_first_page_is_light_but_for_pictures_and_the_state_of_its_map(address, visit):
    page = visit(address)
    bring_to_life(page)
    page.wait_for_load_state("networkidle")
    sizes = {
        request.url.removeprefix(address): len(request.response().body())
        for request in page.loaded
        if request.resource_type != "image"
        and request.url.startswith(address)  # no blob: of its own
    }
    assert 100_000 < sizes.pop("_static/explorers/index-1.js") <= 400_000
    assert 10_000 < sum(sizes.values()) <= 300_000, sizes


@pytest.mark.parametrize("size", [(1366, 768), (1280, 720), (390, 800)])
def test_the_first_screen_holds_what_moves_and_four_doors(address, visit, size):
    page = visit(address)
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    page.locator(".latent-explorer").wait_for()
    settle(page)
    doors = page.locator(".doors a")
    assert doors.count() == 4
    shown = [*doors.all(), page.locator("h1"), *page.locator(".first-screen canvas:visible").all()]
    for one in shown:
        box = one.bounding_box()
        assert box["width"] >= 44
        assert box["x"] + box["width"] <= size[0]
        assert box["y"] + box["height"] <= size[1], one
    page.locator("[data-role=map]").hover()  # nothing lies above it
    before = pixels(page)
    drag(page, page.locator("[data-role=map]"), (0.6, 0.4), (0.9, 0.8))
    page.mouse.up()
    settle(page)
    assert np.abs(pixels(page) - before).max() > 0.3


def test_the_first_page_says_the_minutes_that_the_notebooks_say(site):
    text = re.sub(r"<[^>]*>", "", (site / "index.html").read_text())
    for path in NOTEBOOKS.values():
        head = nbformat.read(path, as_version=4).cells[0].source
        title = re.match(r"# (.*)", head)[1]
        minutes = re.search(r"Reading: (\d+) minutes", head)[1]
        seconds = re.search(r"Running: about (\d+) seconds", head)[1]
        said = rf"{re.escape(title)} .*\? {minutes} minutes to read, {seconds} seconds to run\."
        assert re.search(said, text), said


def test_the_theme_is_switched_by_hand_and_the_explorers_follow(address, visit):
    page = visit(address + FIVE[1])
    root = page.locator(".latent-explorer")
    page.locator(LIVING).first.scroll_into_view_if_needed()
    root.wait_for()
    colors = []
    for _ in range(3):
        page.locator(".theme-toggle:visible").first.click()
        colors.append(root.evaluate("e => getComputedStyle(e).backgroundColor"))
    assert len(set(colors)) == 2


def test_search_and_the_way_from_page_to_page(address, visit):
    page = visit(address)
    for name in FIVE:
        page.locator("a.next-page").click()
        page.wait_for_url(f"**/{name}")
    page.locator("a.prev-page").click()
    page.wait_for_url(f"**/{FIVE[-2]}")
    page.get_by_placeholder("Search").fill("reparameterization")
    page.keyboard.press("Enter")
    page.locator("ul.search li a").first.wait_for()
    assert "The reparameterization trick" in page.locator("ul.search").inner_text()


# From the disk


@pytest.mark.parametrize("name", LIVELY)
def test_the_explorers_live_on_a_page_opened_from_the_disk(site, visit, name):
    page = visit((site / name).as_uri())
    bring_to_life(page)
    assert page.locator("figure.explorer").count() > 0
    assert page.locator(f"{LIVING}[data-alive]").count() == page.locator("figure.explorer").count()


@pytest.fixture(scope="module")
def explorer():
    torch.manual_seed(0)
    model = VAE()
    for parameter in [*model.encoder.parameters(), *model.decoder.parameters()]:
        parameter.data *= 2
    data = load_images()
    return model, LatentExplorer(model, data.x_test, data.y_test, x_train=data.x_train)


@pytest.mark.serial
def test_the_self_contained_file_passes_the_same_drag(explorer, visit, tmp_path):
    model, explorer = explorer
    path = tmp_path / "explorer.html"
    explorer.to_html(path)
    page = visit(path.as_uri())
    page.locator(".latent-explorer").wait_for()

    @torch.no_grad()
    def decoded(z):
        return model.decode(torch.as_tensor(z, dtype=torch.float32)).sigmoid().numpy()

    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
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
