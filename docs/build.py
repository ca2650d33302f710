"""Build the site: static pages of the notebooks, with living explorers.

    .venv/bin/python docs/build.py     (or `make site`)

Each notebook of the course is run, and so is each page of Markdown in docs/ with cells to run (one
whose first lines say `file_format: mystnb`). Closer looks are shown as they were saved. A copy of
each is prepared for Sphinx: pictures become files, explorers become figures with their states, and
the tags of a cell say what is folded. The notebooks themselves stay as they are.
"""

import os
import re
import shutil
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from PIL import Image
from sphinx.cmd.build import build_main

from helpers.explorers import pages
from helpers.runner import executed

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"
TOOLS = ("build.py", "handout.py", "release.py")  # of docs/, which are no pages
STAMP = ".built-from"  # in the site: the fingerprint of what it was built from
STATES = "from helpers.explorers.base import Explorer; Explorer.for_pages = True"
LISTED = "<!-- notebooks -->"  # in a page of Markdown: here stands the list of all notebooks
HEADER = re.compile(  # of a notebook: its title, its question, how long it takes
    r"# (?P<title>.+?)\n.*\*\*The question: (?P<question>.+?)\*\*.*"
    r"Reading: (?P<reading>\d+ minutes).*Running: (?:about )?(?P<running>\d+ seconds)",
    re.DOTALL,
)
KERNEL_LINE = "This explorer needs Python: run the notebook in JupyterLab to drag it."
FOLDS = {  # by tag: what MyST-NB does with the cell, and what a reader clicks to see it
    "solution": ("hide-cell", "solution"),
    "check": ("hide-input", "check"),
    "plot": ("hide-input", "code"),
    "setup": ("hide-input", "setup"),
    "question": ("remove-input", "question"),
}


def build(root: Path, site: Path, folder: Path) -> None:
    """Put what Sphinx reads of the repository `root` into the folder; build the pages there."""
    source, built, stamp = folder / "source", folder / "site", fingerprint(root)
    shutil.copytree(root / "docs", source, ignore=shutil.ignore_patterns("__*", *TOOLS))
    (source / "_static" / "explorers").mkdir()
    shutil.copy(pages.HOST, source / "_static")
    for name in ("img", "helpers"):  # what the notebooks link to
        shutil.copytree(root / name, source / name, ignore=shutil.ignore_patterns("__*"))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(partial(write_page, root, source), sources(root)))
    doctrees = folder / "doctrees"
    if build_main(["-q", "-W", "--keep-going", "-d", str(doctrees), str(source), str(built)]):
        raise SystemExit("Sphinx did not build the pages, or warned")
    put_in_place(built, site, stamp)


def put_in_place(built: Path, site: Path, stamp: str) -> None:
    """The stamp comes last: a copy that broke off is not up to date."""
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(built, site, dirs_exist_ok=True)  # into a folder that a link leads to, too
    (site / STAMP).write_text(stamp)


def fingerprint(root: Path) -> str:
    """A text that changes with every file that the site is made of, or with what makes it."""
    digest, paths = sha256(), sorted(root.glob("requirements*.txt"))
    for name in ("docs", "helpers", "img", "notebooks"):
        paths += sorted((root / name).rglob("*"))
    for path in paths:
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & {*path.parts}:
            digest.update(f"{path.relative_to(root)} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def up_to_date(root: Path, site: Path) -> bool:
    """Whether the site was built of the files as they are."""
    stamp = site / STAMP
    return stamp.is_file() and stamp.read_text() == fingerprint(root)


def sources(root: Path) -> list[Path]:
    """The notebooks, and the pages of Markdown with cells to run."""
    notebooks = [*root.glob("notebooks/*.ipynb"), *root.glob("notebooks/[!.]*/*.ipynb")]
    texts = root.glob("docs/**/*.md")
    texts = [path for path in texts if is_myst_markdown_notebook(path.read_text("utf-8"))]
    return sorted(notebooks, reverse=True) + sorted(texts)  # the last notebook takes longest


def write_page(root: Path, source: Path, path: Path) -> None:
    """Put what Sphinx reads of a notebook, or of a page of Markdown with cells, into its source."""
    markdown = path.suffix == ".md"
    target = source / path.relative_to(root / "docs" if markdown else root)
    notebook = read_markdown(root, path) if markdown else nbformat.read(path, as_version=4)
    if path.parent.parent != root / "notebooks":  # a closer look is shown as it was saved
        notebook.cells.insert(0, nbformat.v4.new_code_cell(STATES))
        executed(notebook, path.parent)
        del notebook.cells[0]
    target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    prepare(notebook, target.relative_to(source).with_suffix(""), source / "_static")
    nbformat.write(notebook, target.with_suffix(".ipynb"))


def read_markdown(root: Path, path: Path) -> dict:
    text = path.read_text("utf-8")
    if LISTED in text:
        text = text.replace(LISTED, listed(root))
    notebook = read_myst_markdown_notebook(text)
    del notebook.metadata["file_format"]
    for number, cell in enumerate(notebook.cells, 1):  # else another one with each build
        cell["id"] = f"cell-{number}"
    return notebook


def listed(root: Path) -> str:
    """The notebooks as a list, each with what its first lines say; closer looks below theirs."""
    paths = [p for p in sources(root) if p.suffix == ".ipynb"]
    return "\n".join(line(root, path) for path in sorted(paths, key=lambda path: path.name))


def line(root: Path, path: Path) -> str:
    header = HEADER.match(nbformat.read(path, as_version=4).cells[0].source)
    if header is None:
        raise ValueError(f"expected a title, a question and minutes on top of {path.name}")
    indent = "  " if path.parent.parent == root / "notebooks" else ""
    link = f"[{header['title']}]({path.relative_to(root)})"
    minutes = f"{header['reading']} to read, {header['running']} to run"
    return f"{indent}- **{link}** {begun(header['question'])} *{minutes}.*"


def begun(question: str) -> str:
    return question[0].upper() + question[1:]


def prepare(notebook: dict, page: Path, static: Path) -> None:
    """Make what Sphinx reads of a notebook: pictures as files, explorers as figures, folds."""
    number, up = 0, "../" * (len(page.parts) - 1)
    for cell in notebook.cells:
        fold(cell)
        shown = [output for output in cell.get("outputs", []) if is_figure(output)]
        for place, output in enumerate(shown):
            number += 1
            anchor = f"{cell.id}-{place + 1}" if place else cell.id
            html = figure(output, f"{page.name}-{number}", static, up, anchor)
            output["data"] = {"text/html": html}
    question = re.search(r"\*\*The question: (.+?)\*\*", notebook.cells[0].source)
    if question:
        notebook.metadata["myst"] = {"html_meta": {"description": begun(question[1])}}


def is_figure(output: dict) -> bool:
    return bool({"image/png", pages.MIME} & output.get("data", {}).keys())


def fold(cell: dict) -> None:
    """Tell MyST-NB what the cell's tag means."""
    tags = cell.metadata.get("tags", [])
    for tag in FOLDS.keys() & {*tags}:
        hide, what = FOLDS[tag]
        cell.metadata["tags"] = [*tags, hide]
        prompts = {"code_prompt_show": f"Show the {what}", "code_prompt_hide": f"Hide the {what}"}
        cell.metadata["mystnb"] = prompts


def figure(output: dict, name: str, static: Path, up: str, anchor: str) -> str:
    """Write the picture, and an explorer's module and state; return the markup that shows it.

    `up` leads from the page to the first page's folder; links to the explorer name the anchor.
    """
    data = output["data"]
    still = picture(output, name, static, up) if "image/png" in data else data["text/html"]
    parts = data.get(pages.MIME)
    if parts is None:
        return still
    if parts["state"] is None:
        line = f"<figcaption>{KERNEL_LINE}</figcaption>"
        return f'<figure class="explorer">{still}{line}</figure>'
    for key, value in ((parts["name"], parts["module"]), (name, parts["state"])):
        (static / "explorers" / f"{key}.js").write_text(pages.part(key, value), "utf-8")
    attributes = f'data-module="{parts["name"]}" data-state="{name}"'
    return f'<figure id="{anchor}" class="explorer" {attributes}>{still}</figure>'


def picture(output: dict, name: str, static: Path, up: str) -> str:
    """Write the picture into a file; return the markup that shows it."""
    path = static / "explorers" / f"{name}.png"
    path.write_bytes(b64decode(output["data"]["image/png"]))
    width, height = Image.open(path).size
    alt = escape(output["metadata"].get("image/png", {}).get("alt", ""))
    src = f"{up}_static/explorers/{path.name}"
    return f'<img src="{src}" alt="{alt}" width={width} height={height} loading="lazy">'


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two notebooks at once, on two cores
    if up_to_date(ROOT, SITE):
        print("The site is built of the files as they are.")
    else:
        with TemporaryDirectory() as folder:
            build(ROOT, SITE, Path(folder))
