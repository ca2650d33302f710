"""The latent explorer on a page of the site: pictures a second while it is dragged.

    .venv/bin/python benchmarks/site.py        (after `make site`)

The drags are those of benchmarks/explorer.py, on the last page of the site, served from here.
"""

import asyncio
from pathlib import Path
from statistics import median

from explorer import DRAGS, WATCH, drag, spread
from playwright.async_api import async_playwright

from tests.browser import CHROMIUM_ARGS, find_chromium, serving

SITE = Path(__file__).parents[1] / "site"
HANDLE = ".latent-explorer input[type=range]"


async def measure(url: str) -> list[dict]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=find_chromium(), args=CHROMIUM_ARGS
        )
        page = await chromium.new_page(viewport={"width": 1300, "height": 1500})
        await page.goto(url)
        await page.locator("figure[data-module=LatentExplorer]").first.scroll_into_view_if_needed()
        await page.locator(HANDLE).first.wait_for()
        await page.locator(HANDLE).first.scroll_into_view_if_needed()
        await page.evaluate(WATCH)
        drags = [await drag(page, HANDLE, []) for _ in range(DRAGS)]
        await chromium.close()
    return drags


if __name__ == "__main__":
    name = sorted(SITE.glob("notebooks/*.html"))[-1].name
    with serving(SITE) as address:
        drags = asyncio.run(measure(f"{address}notebooks/{name}"))
    for row in drags[0]:
        print(f"{row:34}{spread([one[row] for one in drags])}")
    share = median(one["share of the frames drawn"] for one in drags)
    print("holds " if share >= 0.75 else "FAILS ", "three quarters of the frames")
