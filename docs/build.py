"""Build the site: static pages of the notebooks, with living explorers.

    .venv/bin/python docs/build.py [FOLDER]     (default: site)

Every notebook is run, and its copy is prepared for Sphinx: pictures become files, explorers become
figures with their states. The notebooks themselves stay as they are.
"""

import os
import re
import shutil
import sys
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from PIL import Image
from sphinx.cmd.build import build_main

from helpers.explorers import pages
from helpers.saving import executed

ROOT = Path(__file__).resolve().parents[1]
STATES = "from helpers.explorers.base import Explorer; Explorer.for_pages = True"
KERNEL_LINE = "This explorer needs Python: run the notebook in JupyterLab to drag it."


def build(site: Path, folder: Path) -> None:
    """Run the notebooks, put what Sphinx reads into the folder, and build the pages there."""
    source, built = folder / "source", folder / "site"
    static = source / "_static"
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("__*", "build.py"))
    (static / "explorers").mkdir()
    shutil.copy(pages.HOST, static)
    for name in ("img", "helpers"):  # what the notebooks link to
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__*"))
    (source / "notebooks").mkdir()

    def run(path: Path) -> None:
        notebook = executed(path, nbformat.v4.new_code_cell(STATES))
        del notebook.cells[0]
        prepare(notebook, path.stem, static)
        nbformat.write(notebook, source / "notebooks" / path.name)

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two notebooks at once, on two cores
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, sorted(ROOT.glob("notebooks/*.ipynb"))))
    doctrees = folder / "doctrees"
    if build_main(["-q", "-W", "--keep-going", "-d", str(doctrees), str(source), str(built)]):
        raise SystemExit("Sphinx did not build the pages, or warned")
    shutil.rmtree(site, ignore_errors=True)
    shutil.move(built, site)


def prepare(notebook: dict, name: str, static: Path) -> None:
    """Make what Sphinx reads of an executed notebook: pictures as files, explorers as figures."""
    number = 0
    for cell in notebook.cells:
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata.setdefault("tags", []).append("hide-cell")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                number += 1
                alt = output["metadata"].get("image/png", {}).get("alt", "")
                output["data"] = {"text/html": figure(data, alt, f"{name}-{number}", static)}
    question = re.search(r"\*\*The question: (.+?)\*\*", notebook.cells[0].source)
    if question:
        text = question[1][0].upper() + question[1][1:]
        meta = f"```{{eval-rst}}\n.. meta::\n   :description: {text}\n```"
        notebook.cells.append(nbformat.v4.new_markdown_cell(meta))


def figure(data: dict, alt: str, name: str, static: Path) -> str:
    """Write the picture, and an explorer's module and state; return the markup that shows it."""
    path = static / "explorers" / f"{name}.png"
    path.write_bytes(b64decode(data["image/png"]))
    width, height = Image.open(path).size
    src = f"../_static/explorers/{path.name}"
    picture = f'<img src="{src}" alt="{escape(alt)}" width={width} height={height} loading="lazy">'
    parts = data.get(pages.MIME)
    if parts is None:
        return picture
    if parts["state"] is None:
        line = f"<figcaption>{KERNEL_LINE}</figcaption>"
        return f'<figure class="explorer">{picture}{line}</figure>'
    for key, value in ((parts["name"], parts["module"]), (name, parts["state"])):
        (static / "explorers" / f"{key}.js").write_text(pages.part(key, value))
    attributes = f'data-module="{parts["name"]}" data-state="{name}"'
    return f'<figure class="explorer" {attributes}>{picture}</figure>'


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        build(Path(sys.argv[1] if sys.argv[1:] else ROOT / "site"), Path(folder))
