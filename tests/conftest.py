"""A real JupyterLab and a real browser, shared by the tests that need them."""

import pytest
from browser import find_chromium, running_browser, running_lab

SWITCH = "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })"
SHOWN = "light => document.body.dataset.jpThemeLight === String(light)"


def pytest_collection_modifyitems(items):
    """Unit tests first, then the notebooks, and last what needs a browser."""

    def place(item):
        if "chromium" in getattr(item, "fixturenames", ()):
            return 2
        return 1 if item.path.suffix == ".ipynb" else 0

    items.sort(key=place)


@pytest.fixture(scope="session")
def chromium() -> str:
    return find_chromium()


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
