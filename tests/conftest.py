"""A real JupyterLab, a real browser and the site, for the tests that need them; who runs when."""

import pytest

from tests.browser import find_chromium, running_browser, running_lab
from tests.javascript import js  # noqa: F401  a fixture

SWITCH = "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })"
SHOWN = "light => document.body.dataset.jpThemeLight === String(light)"


def pytest_collection_modifyitems(items):
    """Mark what needs a browser or the site, and what counts frames; begin with what takes long."""
    for item in items:
        if {"chromium", "site"} & {*getattr(item, "fixturenames", ())}:
            item.add_marker("browser")
            if counts_frames(item):
                item.add_marker("serial")
    items.sort(key=place)


def counts_frames(item) -> bool:
    """Whether the test records what is shown frame by frame: it needs the machine for itself."""
    return any(name.startswith(("RECORD", "COUNT")) for name in item.function.__code__.co_names)


def place(item) -> int:
    """Notebooks, what needs a browser, unit tests: so two workers that share files end together."""
    if item.path.suffix == ".ipynb":
        return 0
    return 1 if item.get_closest_marker("browser") else 2


@pytest.fixture(scope="session")
def chromium() -> str:
    return find_chromium()


@pytest.fixture(scope="session")
def site():
    """The folder that `make site` built, of the files as they are now."""
    from docs.build import SITE, up_to_date  # which takes Sphinx in

    if not up_to_date(SITE.parent, SITE):
        pytest.fail("expected a site built of the files as they are; run `make site` first")
    return SITE


@pytest.fixture(scope="session")
def lab(chromium, tmp_path_factory):
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="module")  # while it is open, Playwright keeps an event loop running
def chrome(chromium):
    with running_browser(chromium) as chrome:
        yield chrome


@pytest.fixture(params=["JupyterLab Light", "JupyterLab Dark"])
def theme(page, request):
    """The test's page in this theme of JupyterLab; afterwards it is light again."""
    change_theme(page, request.param)
    yield
    change_theme(page, "JupyterLab Light")


def change_theme(page, name: str) -> None:
    page.evaluate(SWITCH, name)
    page.wait_for_function(SHOWN, arg="Light" in name)
