"""What every explorer has: full screen, its state in a page's address, and a link to it."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from helpers.data import ImageData
from helpers.explorers import (
    EstimatorExplorer,
    Flipbook,
    FlowExplorer,
    FrozenNoise,
    LatentExplorer,
    Playground,
)
from helpers.models import VAE
from tests.browser import drag, serving, settle

FULL = "document.fullscreenElement !== null"
STATE = "id => { const { model } = document.getElementById(id).explorer; return TRAITS; }".replace(
    "TRAITS", "['mu', 'sigma', 'eps'].map((name) => model.get(name))"
)
START = [0.5, 1, [0.25, -1.5]]
ESCAPE = "new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A folder with a page of two explorers, "explorer" and "second", and a heading between."""
    folder = tmp_path_factory.mktemp("pages")
    FrozenNoise(*START).to_html(folder / "two.html")
    text = (folder / "two.html").read_text()
    start, rest = text.split("<figure", 1)
    figure, end = rest.split("</figure>", 1)
    second = figure.replace('id="explorer"', 'id="second"')
    between = '<h2 id="part" style="margin: 2500px 0">Part</h2>'
    text = f"{start}<figure{figure}</figure>{between}<figure{second}</figure>{end}"
    (folder / "two.html").write_text(text)
    torch.manual_seed(0)
    explorer = LatentExplorer(VAE(hidden_dims=(16,)), torch.rand(50, 784), latent_ranges=(-4, 4))
    explorer.to_html(folder / "latent.html")
    FlowExplorer(VAE(2, (8,)), torch.rand(5, 784)).to_html(folder / "flow.html")
    EstimatorExplorer(1.0, 0.5, 200).to_html(folder / "estimator.html")
    page = plt.figure(figsize=(1, 1))
    Flipbook(lambda v: page, range(4), label="v", alt="A").to_html(folder / "flipbook.html")
    y = torch.arange(80) % 10
    data = ImageData(torch.rand(80, 16), y, torch.rand(30, 16), y[:30])
    Playground(data).to_html(folder / "playground.html")
    with serving(folder) as address:
        yield address


@pytest.fixture(scope="module")
def context(chrome):
    context = chrome.new_context(viewport={"width": 1280, "height": 720})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def visit(context, address):
    shown, errors = [], []

    def visit(name, *alive, script=None):
        page = context.new_page()
        shown.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if script:
            page.add_init_script(script)
        page.goto(address + name)
        for figure in alive:
            page.locator(f"#{figure}[data-alive]").wait_for(state="attached")
        settle(page)
        return page

    yield visit
    for page in shown:
        page.close()
    assert errors == []


def pull(page, figure, slider, place):
    """Drag the figure's slider there, and not yet let go."""
    page.locator(f"#{figure}").scroll_into_view_if_needed()
    page.locator(f"#{figure}[data-alive]").wait_for()
    input_ = page.locator(f"#{figure} input[type=range]").nth(slider)
    input_.scroll_into_view_if_needed()  # the living explorer is higher than its picture
    settle(page)
    drag(page, input_, (0.4, 0.5), (place, 0.5))


def address_of(page):
    return page.evaluate("location.hash")


# Full screen


def test_full_screen_is_larger_fits_and_ends_with_escape(visit):
    page = visit("latent.html", "explorer")
    root, button = page.locator(".latent-explorer"), page.locator("[data-role=fullscreen]")
    small = button.bounding_box()["height"], root.locator(".title").first.bounding_box()["height"]
    button.press("Enter")
    page.wait_for_function(f"{FULL} && document.fullscreenElement.style.zoom > 1")
    page.wait_for_timeout(200)
    large = button.bounding_box()["height"], root.locator(".title").first.bounding_box()["height"]
    assert np.all(np.array(large) >= 1.25 * np.array(small))
    assert button.inner_text() == "Leave full screen"
    sizes = "r => [r.scrollHeight - r.clientHeight, r.scrollWidth - r.clientWidth]"
    assert root.evaluate(sizes) == [0, 0]
    canvas = root.locator("[data-role=map]")
    unit = canvas.bounding_box()["width"] / 320
    assert unit > 1.1
    drag(page, canvas, (0.5, 0.5), ((40 + 272 * 0.75) / 320, (8 + 272 * 0.25) / 320))
    page.mouse.up()
    z = page.evaluate("document.querySelector('figure').explorer.model.get('z')")
    assert np.allclose(z, [2, 2], atol=0.05)
    canvas.evaluate(f"canvas => canvas.dispatchEvent({ESCAPE})")  # no key: the browser's own
    page.wait_for_function(f"!({FULL})")
    assert button.inner_text() == "Full screen"
    assert root.evaluate("r => [r.style.zoom, r.style.paddingInline]") == ["", ""]


def test_where_there_is_no_full_screen_there_is_no_button(visit):
    script = "Object.defineProperty(document, 'fullscreenEnabled', { get: () => false })"
    page = visit("two.html", "explorer", script=script)
    assert page.get_by_role("button", name="Copy link").count() == 1
    assert page.get_by_role("button", name="Full screen").count() == 0


# The address


def test_what_was_changed_stands_in_the_address_after_release_and_is_restored(visit):
    page = visit("two.html#part")
    pull(page, "explorer", 0, 0.7)
    assert address_of(page) == "#part"
    page.mouse.up()
    settle(page)
    mu = page.evaluate(STATE, "explorer")[0]
    assert address_of(page) == f"#part&explorer.mu={mu}"
    pull(page, "second", 1, 0.6)
    page.mouse.up()
    settle(page)
    sigma = page.evaluate(STATE, "second")[1]
    assert sigma != 1
    assert address_of(page) == f"#part&explorer.mu={mu}&second.sigma={sigma}"
    entries = page.evaluate("history.length")
    page.reload()
    for figure in ("explorer", "second"):
        page.locator(f"#{figure}").scroll_into_view_if_needed()
        page.locator(f"#{figure}[data-alive]").wait_for()
    assert page.evaluate(STATE, "explorer") == [mu, *START[1:]]
    assert page.evaluate(STATE, "second") == [START[0], sigma, START[2]]
    assert page.evaluate("history.length") == entries


def test_a_link_leads_to_its_explorer_as_it_was(visit):
    page = visit("two.html")
    pull(page, "explorer", 0, 0.8)
    page.mouse.up()
    pull(page, "second", 0, 0.7)
    page.mouse.up()
    page.locator("#second").get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    mu = page.evaluate(STATE, "second")[0]
    assert link.endswith(f"two.html#second.mu={mu}")
    other = visit(f"two.html#{link.split('#')[1]}", "second")
    assert other.evaluate(STATE, "second") == [mu, *START[1:]]
    other.wait_for_function("document.getElementById('second').getBoundingClientRect().top < 400")
    assert other.evaluate("scrollY") > 1000
    other.evaluate("location.hash = 'second.sigma=0.5&explorer.mu=-1'")  # pasted over the address
    other.wait_for_function("document.getElementById('second').explorer.model.get('sigma') === 0.5")
    assert other.evaluate(STATE, "second") == [START[0], 0.5, START[2]]
    other.evaluate("scrollTo(0, 0)")
    other.locator("#explorer[data-alive]").wait_for()
    assert other.evaluate(STATE, "explorer") == [-1, *START[1:]]


@pytest.mark.parametrize(
    "hostile",
    [
        *("mu=1e9", "mu=NaN", "mu=", "mu=1,2", "mu=true", "mu=0x1", "mu=<img src=x>", "mu=1e999"),
        *("eps=1", "eps=1,2,3", "eps=1,a", "spec=1", "spec=", "none=1", "__proto__=1", "get=1"),
        *("constructor=1", "=1", "mu=%E0%A4%A"),
    ],
)
def test_an_address_sets_only_what_a_reader_could_have_set(visit, hostile):
    page = visit(f"two.html#explorer.{hostile}&nobody.mu=1&.mu=2&explorer.sigma=0.75", "explorer")
    assert page.evaluate(STATE, "explorer") == [START[0], 0.75, START[2]]
    assert page.evaluate("({}).mu") is None
    assert page.locator("figure img[src=x]").count() == 0


@pytest.mark.parametrize(
    ("name", "trait", "first", "refused", "taken"),
    [
        ("flow", "index", 0, ["5", "99", "-1", "1.5"], 4),
        ("flow", "light", False, ["constructor", "toString", "1", "True"], True),
        ("flipbook", "index", 2, ["4", "-1", "0.5"], 3),
        ("estimator", "n", 200, ["50.5", "9", "10001"], 50),
        ("estimator", "f", "square", ["evil", "constructor", "square,norm"], "norm"),
        ("estimator", "dimension", 1, ["0", "101", "2.5"], 100),
        ("playground", "gradient", 0, ["3", "-1", "0.5"], 2),
        ("playground", "likelihood", 0, ["4", "1e3"], 3),
        ("playground", "seed", 0, ["-1", "10000", "0.5"], 9999),
        ("playground", "width", 128, ["31", "257", "64.5"], 64),
    ],
)
def test_an_address_leaves_no_limit_and_halves_no_whole_number(
    visit, name, trait, first, refused, taken
):
    page = visit(f"{name}.html#explorer.{trait}={refused[0]}", "explorer")
    value = f"document.getElementById('explorer').explorer.model.get('{trait}')"
    assert page.evaluate(value) == first
    for text in refused[1:]:
        page.evaluate(f"location.hash = 'explorer.{trait}={text}'")
        settle(page)
        assert page.evaluate(value) == first
    page.evaluate(f"location.hash = 'explorer.{trait}={str(taken).lower()}'")
    settle(page)
    assert page.evaluate(value) == taken
