"""The latent explorer against `interact` with an inline figure, on the same decoder.

    .venv/bin/python benchmarks/explorer.py

Both stand in one notebook in a real JupyterLab, driven by a real Chromium with key presses and
with mouse drags of three seconds at 60 events a second. Browser and server share the cores of one
machine, so read the ratios rather than the figures.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.async_api import async_playwright

from tests.browser import CHROMIUM_ARGS, READY, RUN_ALL, find_chromium, running_lab

DRAGS, SECONDS, RATE, KEYS = 5, 3, 60, 40
REACH = 60  # of a drag, in pixels to either side
SETUP = """
import torch
import matplotlib.pyplot as plt
from ipywidgets import FloatSlider, interact
from helpers.data import load_images
from helpers.explorers import LatentExplorer
from helpers.models import VAE
digits = load_images()
torch.manual_seed(0)
model = VAE()
for parameter in model.decoder.parameters():
    parameter.data *= 2
"""
EXPLORER = "LatentExplorer(model, digits.x_test, digits.y_test)"
INTERACT = """
@torch.no_grad()
def show(z1, z2):
    image = model.decode(torch.tensor([[z1, z2]])).sigmoid().reshape(28, 28)
    plt.figure(figsize=(2.5, 2.5))
    plt.imshow(image, cmap="gray", vmin=0, vmax=1)
    plt.axis("off")
    plt.show()

slider = dict(min=-3, max=3, step=0.02, value=0)
interact(show, z1=FloatSlider(**slider), z2=FloatSlider(**slider));
"""
WATCH = """
() => {
  const log = { keys: [], pictures: [], shown: [], set: [], grids: [], frames: 0, up: 0 };
  globalThis.log = log;
  const now = () => performance.now();
  const put = CanvasRenderingContext2D.prototype.putImageData;
  let last = 0;
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...at) {
    put.call(this, image, ...at);
    if (this.canvas.dataset.role !== "decoded") return;
    const sum = image.data.reduce((total, value, i) => total + value * (i + 1), 0);
    if (sum !== last) log.pictures.push(now());
    last = sum;
    log.shown.push(document.querySelector(".latent-explorer input[type=range]").value);
  };
  // The grid comes to the map from a canvas of its own, the largest of those that are copied.
  const copy = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (source, ...at) {
    copy.call(this, source, ...at);
    if (this.canvas.dataset.role === "map" && source.width >= 400) log.grids.push(now());
  };
  addEventListener("change", (event) => (log.switched = event.timeStamp), true);
  const arrived = (img) => img.decode().then(() => log.pictures.push(now()), () => {});
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") arrived(change.target);
      for (const node of change.addedNodes) node.querySelectorAll?.("img").forEach(arrived);
    }
  }).observe(document.body, { subtree: true, childList: true, attributeFilter: ["src"] });
  addEventListener("keydown", (event) => log.keys.push(event.timeStamp), true);
  addEventListener("pointerup", (event) => (log.up = event.timeStamp), true);
  (function frame() {
    log.frames++;
    const { value } = document.querySelector(".latent-explorer input[type=range]");
    if (value !== log.set.at(-1)) log.set.push(value);
    requestAnimationFrame(frame);
  })();
}
"""
CLEAR = "() => { for (const k in log) log[k] = Array.isArray(log[k]) ? [] : 0; }"
EXPLORER_HANDLE = ".latent-explorer input[type=range]"
INTERACT_HANDLE = ".widget-interact .noUi-handle"
ALL = "grid and ellipses"


async def press(page, handle: str) -> float:
    """Median milliseconds from a key press to changed pixels."""
    await page.locator(handle).first.focus()
    delays = []
    for key in range(KEYS):
        await page.evaluate(CLEAR)
        await page.wait_for_timeout(137 + 7 * key % 17)  # at no fixed phase of the screen
        await page.keyboard.press("ArrowRight" if key % 20 < 10 else "ArrowLeft")
        await page.wait_for_function("log.pictures.length > 0")
        log = await page.evaluate("log")
        delays.append(log["pictures"][0] - log["keys"][0])
    return median(delays)


async def drag(page, handle: str, sent: list) -> dict[str, float]:
    """One drag there and back, and what was shown of it.

    The events are sent on time, whether or not the page has dealt with those before.
    """
    box = await page.locator(handle).first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x - REACH, y)
    await page.wait_for_timeout(500)
    await page.evaluate(CLEAR)
    before, start, events, moves = len(sent), time.monotonic(), SECONDS * RATE, []
    for event in range(events):
        await asyncio.sleep(max(0, start + event / RATE - time.monotonic()))
        to = x + REACH * (1 - 2 * abs(1 - 2 * event / events))
        moves.append(asyncio.create_task(page.mouse.move(to, y)))
    await asyncio.gather(*moves)
    log, messages = await page.evaluate("log"), len(sent) - before
    await page.mouse.up()
    await page.wait_for_timeout(2500)  # interact is behind by then
    after = await page.evaluate("log")
    values, shown = {*log["set"][1:]}, {*log["shown"]}  # the first one stood there before
    return {
        "pictures a second": len(log["pictures"]) / SECONDS,
        "frames drawn a second": log["frames"] / SECONDS,
        "share of the frames drawn": len(log["pictures"]) / log["frames"],
        "... in which the slider had moved": len(log["pictures"]) / max(1, len(log["set"]) - 1),
        "share of the slider's values": len(values & shown) / max(1, len(values)),
        "last picture after release, ms": max(after["pictures"]) - after["up"],
        "messages to the kernel": messages,
    }


async def switch_on(page) -> float:
    """Milliseconds from the switch of the decoded grid until it is drawn; the ellipses as well."""
    await page.evaluate(CLEAR)
    await page.locator(".latent-explorer [data-role=grid]").check()
    await page.wait_for_function("log.grids.length > 0")
    log = await page.evaluate("log")
    await page.locator(".latent-explorer [data-role=ellipses]").check()
    await page.wait_for_timeout(1000)
    return log["grids"][0] - log["switched"]


async def measure(lab) -> tuple[dict[str, float], dict[str, list[dict]], float]:
    lab.write("bench.ipynb", [SETUP, EXPLORER, INTERACT])
    handles = {"explorer": EXPLORER_HANDLE, "interact": INTERACT_HANDLE}
    drags, sent = {name: [] for name in handles}, []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=find_chromium(), args=CHROMIUM_ARGS
        )
        page = await chromium.new_page(viewport={"width": 1300, "height": 1500})
        page.on("websocket", lambda ws: ws.on("framesent", lambda message: sent.append(message)))
        await page.goto(lab.address("bench.ipynb"))
        await page.wait_for_function(READY)
        await page.evaluate(RUN_ALL)
        for handle in handles.values():
            await page.locator(handle).first.wait_for()
        await page.wait_for_timeout(2000)
        await page.evaluate(WATCH)
        keys = {name: await press(page, handle) for name, handle in handles.items()}
        for _ in range(DRAGS):
            for name, handle in handles.items():
                drags[name].append(await drag(page, handle, sent))
        grid = await switch_on(page)
        drags[ALL] = [await drag(page, EXPLORER_HANDLE, sent) for _ in range(DRAGS)]
        await chromium.close()
    return keys, drags, grid


def spread(values: list[float]) -> str:
    return f"{median(values):8.2f}  ({min(values):.2f} to {max(values):.2f})"


def report(keys: dict[str, float], drags: dict[str, list[dict]], grid: float) -> None:
    """The table: medians, with the range over the drags, and what must hold."""
    print(f"{'':34}{'explorer':30}{ALL:30}interact")
    print(f"{'key press to pixels, ms':34}{keys['explorer']:8.2f}{'':52}{keys['interact']:8.2f}")
    for name in drags["explorer"][0]:
        shown = ["explorer", ALL] if "slider" in name else ["explorer", ALL, "interact"]
        columns = [f"{spread([one[name] for one in drags[who]]):30}" for who in shown]
        print(f"{name:34}{''.join(columns)}".rstrip())
    print(f"{'the grid appears after, ms':34}{grid:8.2f}")
    for text, holds in conditions(keys, drags, grid):
        print(f"{'holds ' if holds else 'FAILS '} {text}")


def conditions(keys, drags, grid) -> list[tuple[str, bool]]:
    def middle(who: str, name: str) -> float:
        return median(one[name] for one in drags[who])

    rates = [middle(who, "pictures a second") for who in ("explorer", "interact")]
    ours = drags["explorer"] + drags[ALL]
    worst = max(one["messages to the kernel"] for one in ours)
    late = max(one["last picture after release, ms"] for one in ours)
    return [
        ("a key press is shown within 17 ms", keys["explorer"] <= 17),
        ("... and within half of interact's time", 2 * keys["explorer"] <= keys["interact"]),
        (
            f"2.5 times interact's pictures (here {rates[0] / rates[1]:.1f})",
            rates[0] >= 2.5 * rates[1],
        ),
        ("three quarters of the frames", middle("explorer", "share of the frames drawn") >= 0.75),
        ("every value of the slider", middle("explorer", "share of the slider's values") == 1),
        ("nothing 50 ms after release", late <= 50),
        ("no message to the kernel", worst == 0),
        ("45 pictures with grid and ellipses", middle(ALL, "pictures a second") >= 45),
        ("... nine tenths of the frames", middle(ALL, "share of the frames drawn") >= 0.9),
        ("the grid appears within 200 ms", grid <= 200),
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab:
        report(*asyncio.run(measure(lab)))
