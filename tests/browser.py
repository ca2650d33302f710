"""Start and drive a real JupyterLab in a real browser. Used by the tests and by benchmarks."""

import functools
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_NEWS = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
KERNEL = "jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
READY = f"globalThis.{KERNEL}?.status === 'idle'"
RUN_ALL = "jupyterapp.commands.execute('notebook:run-all-cells')"
EXECUTE = """
async (code) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code });
  let text = "";
  future.onIOPub = (message) => {
    text += message.content.text ?? message.content.traceback?.join("\\n") ?? "";
  };
  await future.done;
  return text;
}
"""
SHUT_DOWN = "jupyterapp.shell.currentWidget.sessionContext.shutdown()"
ACTIVE_CELL = "jupyterapp.shell.currentWidget.content.activeCellIndex"
TWO_FRAMES = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
# Scroll to the first cell with a line that begins so, and say which one it is.
GO_TO = """
start => {
  const notebook = jupyterapp.shell.currentWidget.content;
  const lines = notebook.widgets.map((cell) => cell.model.sharedModel.source.split("\\n"));
  const index = lines.findIndex((all) => all.some((line) => line.startsWith(start)));
  notebook.activeCellIndex = index;
  notebook.scrollToItem(index, "start");
  return index;
}
"""
# Of the colored words of code that are seen, the first of each kind stays (axe judges no single
# character); the others become text.
ONE_OF_EACH = """
() => {
  const blocks = [...document.querySelectorAll(".highlight pre")];
  const before = blocks.map((block) => block.innerHTML);
  const seen = new Set();
  for (const span of document.querySelectorAll(".highlight pre span[class]")) {
    const judged = span.textContent.trim().length > 1 && span.checkVisibility();
    if (judged && !seen.has(span.className)) seen.add(span.className);
    else span.replaceWith(...span.childNodes);
  }
  for (const block of blocks) block.normalize();
  globalThis.putBack = () => blocks.forEach((block, i) => { block.innerHTML = before[i]; });
}
"""
GREY = 2 / 255  # the largest difference from PyTorch that a pixel of an image may have
# A copy is read: a browser complains of a canvas that is read twice.
READ = """
canvas => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  return Array.from(data).filter((_, i) => i % 4 === 0);
}
"""
# What a LatentExplorer's sliders are set to, and which images it draws.
RECORD_IMAGES = """
root => {
  const canvas = root.querySelector("[data-role=decoded]");
  const put = CanvasRenderingContext2D.prototype.putImageData;
  const grey = ({ data }) => Array.from(data).filter((_, i) => i % 4 === 0);
  const record = { set: [], frames: [] };
  root.addEventListener("input", () => record.set.push(
    [...root.querySelectorAll("input[type=range]")].map((slider) => slider.valueAsNumber)));
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...at) {
    if (this.canvas === canvas) record.frames.push(grey(image));
    return put.call(this, image, ...at);
  };
  globalThis.record = record;
  globalThis.stopRecording = () => {
    CanvasRenderingContext2D.prototype.putImageData = put;
    return record;
  };
}
"""
# The texts that an explorer shows, frame by frame.
RECORD_TEXTS = """
root => {
  const frames = [];
  let on = true;
  const read = () => [...root.querySelectorAll(".value")].map((v) => v.textContent).join();
  (function frame() {
    if (frames.at(-1) !== read()) frames.push(read());
    if (on) requestAnimationFrame(frame);
  })();
  globalThis.stopRecording = () => { on = false; return frames; };
}
"""


class Lab(NamedTuple):
    """A running JupyterLab: where it is, and the folder that it serves."""

    url: str
    token: str
    folder: Path

    def write(self, name: str, cells: list[str]) -> Path:
        """Write a notebook with these code cells into the folder."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        path = self.folder / name
        nbformat.write(notebook, path)
        return path

    def address(self, name: str) -> str:
        return f"{self.url}/doc/tree/{name}?reset&token={self.token}"

    def open(self, page, name: str) -> None:
        """Show the notebook in the page, and wait until its kernel is ready."""
        page.goto(self.address(name))
        page.wait_for_function(READY)

    def run_all(self, page) -> None:
        page.wait_for_function(READY)
        page.evaluate(RUN_ALL)


def execute(page, code: str) -> str:
    """What the notebook's kernel prints for the code, as a cell would."""
    return page.evaluate(EXECUTE, code)


def ask(page, code: str):
    """The value of the code in the kernel, after it dealt with the explorers' messages before.

    ipywidgets holds a change back until the kernel has dealt with the one before: an empty request
    lets it go.
    """
    execute(page, "")
    return json.loads(execute(page, f"import json; print(json.dumps({code}))"))


SPLASH = re.compile(r"'removeChild' on 'Node'.*\n +at \S+/jlab_core\.\S+$")


@contextmanager
def running_page(lab: Lab, chrome, name: str):
    """A page whose notebook is being run; page.sent lists what it tells the kernel.

    An error in the page fails the test that ends here; only JupyterLab's own one with its splash
    screen, which it sometimes removes twice, from a timer, does not.
    """
    page = chrome.new_page(viewport={"width": 1300, "height": 1500})
    page.sent, errors = [], []
    page.on("websocket", lambda ws: ws.on("framesent", lambda message: page.sent.append(message)))
    page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
    lab.open(page, name)
    lab.run_all(page)
    yield page
    seen = [error for error in errors if not SPLASH.search(error)]
    page.close()  # which may cause errors of its own
    assert seen == [], seen


def wait_until_run(page, minutes: float = 0.5) -> None:
    """Wait until the kernel has run all cells."""
    page.wait_for_timeout(2000)
    page.wait_for_function(READY, timeout=60_000 * minutes)


def find(page, selector: str, start: str):
    """What the selector finds below the cell with a line that begins so, scrolled into view."""
    index = page.evaluate(GO_TO, start)
    root = page.locator(f".jp-Cell[data-windowed-list-index='{index}'] {selector}")
    root.wait_for()
    root.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    return root


def settle(page) -> None:
    """Two frames later everything that was asked for is drawn."""
    page.evaluate(TWO_FRAMES)


def drag(page, locator, *path, steps: int = 10) -> None:
    """Press at the first point and move through the others, in 0 … 1; the caller lifts."""
    box = locator.bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in path]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=steps)


def pixels(root, role: str = "decoded") -> np.ndarray:
    """The grey values, in 0 … 1, of an image of a LatentExplorer."""
    return np.array(root.locator(f"[data-role={role}]").evaluate(READ)) / 255


def slider_values(root) -> list[float]:
    return root.locator("input[type=range]").evaluate_all("all => all.map(s => s.valueAsNumber)")


def frames_in_order(frames, decoded) -> bool:
    """Whether each frame shows one of the decoded images, and they come in this order."""
    at = 0
    for frame in np.array(frames) / 255:
        fits = np.flatnonzero(np.abs(decoded[at:] - frame).max(axis=1) <= GREY)
        if not len(fits):
            return False
        at += fits[0]
    return True


def check_with_axe(page, context: str | None = None) -> None:
    """Axe finds no serious violation of accessibility.

    Of the colors of code it sees one example of each: a page has thousands of words of code.
    """
    options = {"resultTypes": ["violations"]}  # to describe what passed takes twice as long
    page.evaluate(ONE_OF_EACH)
    found = Axe().run(page, context=context, options=options).response["violations"]
    page.evaluate("() => putBack()")
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert not serious, json.dumps(serious, indent=1)[:3000]


@contextmanager
def serving(folder: Path):
    """The address at which the files of the folder are served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def find_chromium() -> str:
    """The path of a Chromium. Without one the test is skipped, or fails where CI is "true"."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        message = "no Chromium found: install it, for instance with `apt-get install chromium`"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    return path


@contextmanager
def running_browser(path: str):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@contextmanager
def running_lab(folder: Path):
    """A JupyterLab on a free port of this machine, with settings of its own below the folder."""
    port, token, process = _free_port(), secrets.token_hex(16), None
    lab = Lab(f"http://127.0.0.1:{port}", token, folder / "notebooks")
    lab.folder.mkdir()
    with open(folder / "log.txt", "w") as log:
        process = subprocess.Popen(
            _command(lab, port), env=_environment(folder), stdout=log, stderr=log, cwd=folder
        )
        try:
            _wait_until_up(lab, process, folder / "log.txt")
            yield lab
        finally:
            process.terminate()  # the server ends its kernels first
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(lab: Lab, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={lab.token}", f"--ServerApp.root_dir={lab.folder}"),
        "--LabApp.expose_app_in_browser=True",
    ]


def _environment(folder: Path) -> dict[str, str]:
    """Settings, workspaces and running kernels of its own, and no question about news."""
    names = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data"}
    names |= {"JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython"}
    labconfig = folder / "config" / "labconfig"
    labconfig.mkdir(parents=True)
    (labconfig / "page_config.json").write_text(json.dumps(NO_NEWS))
    return os.environ | {name: str(folder / part) for name, part in names.items()}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_until_up(lab: Lab, process: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        try:
            urlopen(f"{lab.url}/api?token={lab.token}").close()
            return
        except (URLError, ConnectionError):
            time.sleep(0.1)
        if process.poll() is not None:
            break
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")
