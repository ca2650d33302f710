"""Fixtures that several test files share: a real JupyterLab, and a real browser."""

import pytest
from browser import find_chromium, running_lab


@pytest.fixture(scope="session")
def chromium() -> str:
    return find_chromium()


@pytest.fixture(scope="session")
def lab(chromium, tmp_path_factory):
    """A running JupyterLab, ended after the last test."""
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="module")
def browser(chromium):
    """A headless Chromium with a fresh profile."""
    from browser import running_browser

    with running_browser(chromium) as browser:
        yield browser
