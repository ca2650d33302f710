"""A page that can import the explorers' modules one by one, for tests of what they export."""

import pytest

from helpers.explorers.base import JS
from tests.browser import serving

CALL = """
async ([file, code, argument]) => {
  const module = await import(`./${file}`);
  return (0, eval)(code)(module, argument);
}
"""


@pytest.fixture(scope="module")
def js(chrome):
    """js(file, code, argument): what the JavaScript function `code` makes of module and argument.

    `js.page` is the page, which is blank.
    """
    page = chrome.new_page()

    def call(file: str, code: str, argument=None):
        return page.evaluate(CALL, [file, code, argument])

    call.page = page
    with serving(JS) as address:
        page.goto(address)
        page.set_content("<!doctype html>")  # which leaves the address as it is
        yield call
    page.close()
