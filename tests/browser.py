"""Start and drive a real JupyterLab in a real browser. Used by the tests and by benchmarks."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest
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
