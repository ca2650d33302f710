"""The latent explorer on a page of the site: pictures a second while it is dragged.

    .venv/bin/python benchmarks/site.py        (after `make site`)

The drags are those of benchmarks/explorer.py, on the last page of the site, served from here.
"""

import asyncio
import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from explorer import CHROMIUM_ARGS, DRAGS, WATCH, drag, find_chromium, spread
from playwright.async_api import async_playwright

SITE = Path(__file__).parents[1] / "site"
HANDLE = ".latent-explorer input[type=range]"


async def measure(url: str) -> list[dict]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=find_chromium(), args=CHROMIUM_ARGS
        )
        page = await chromium.new_page(viewport={"width": 1300, "height": 1500})
        await page.goto(url)
        await page.locator("figure[data-module=LatentExplorer]").scroll_into_view_if_needed()
        await page.locator(HANDLE).first.wait_for()
        await page.locator(HANDLE).first.scroll_into_view_if_needed()
        await page.evaluate(WATCH)
        drags = [await drag(page, HANDLE, []) for _ in range(DRAGS)]
        await chromium.close()
    return drags


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    name = sorted(SITE.glob("notebooks/*.html"))[-1].name
    drags = asyncio.run(measure(f"http://127.0.0.1:{server.server_port}/notebooks/{name}"))
    for row in drags[0]:
        print(f"{row:34}{spread([one[row] for one in drags])}")
    share = median(one["share of the frames drawn"] for one in drags)
    print("holds " if share >= 0.75 else "FAILS ", "three quarters of the frames")
