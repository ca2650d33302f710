"""Drive a presentation, docs/_static/present.js: forward, where it is, and whether it fits."""

import re

from tests.browser import settle

PROJECTOR = {"width": 1280, "height": 720}
# How much of the stage is filled, across or down, and whether anything is left outside.
FILLED = """
() => {
  const stage = document.querySelector(".present-stage");
  const node = stage.querySelector("img, figure > div > div") ?? stage;
  const [outer, inner] = [stage, node].map((one) => one.getBoundingClientRect());
  return {
    share: Math.max(inner.width / outer.width, inner.height / outer.height),
    over: Math.max(stage.scrollHeight - stage.clientHeight, stage.scrollWidth - stage.clientWidth),
    inside: inner.left >= 0 && inner.top >= 0 && inner.right <= innerWidth,
  };
}
"""


def start(page, number: int = 1) -> None:
    page.get_by_role("button", name="Present", exact=True).click()
    for _ in range(number - 1):
        page.keyboard.press("ArrowRight")
    ready(page)


def ready(page) -> None:
    """What the slide shows is loaded, and as large as it will be."""
    page.wait_for_function(
        """() => [...document.querySelectorAll(".present-stage > :is(img, figure[data-state])")]
          .every((node) => node.complete || "alive" in node.dataset)"""
    )
    settle(page)


def place(page) -> str:
    """Which slide is shown, as the live region says it."""
    live = page.locator("dialog > div > div:last-child").get_by_role("status")
    return re.match(r"\d+ of \d+", live.inner_text())[0]


def shown(page) -> tuple[str, str]:
    """The slide's heading, and the text below."""
    heading = page.locator(".present-heading").inner_text()
    return heading, " ".join(page.locator(".present-stage > p").all_inner_texts())


def hash_of(page) -> str:
    return page.evaluate("location.hash")
