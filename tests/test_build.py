"""docs/build.py: what Sphinx reads of a notebook, and the pages of a small repository."""

import base64
import json
import re
import shutil
from io import BytesIO
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from torch import nn

from docs import build
from helpers.explorers import FrozenNoise, LatentExplorer
from helpers.explorers.base import Explorer

ROOT = Path(__file__).resolve().parents[1]
TAGS = ("setup", "plot", "check", "question", "solution")
MAKE = "from helpers.explorers import FrozenNoise\nFrozenNoise(0, 1, [0.0])"
PAGE = f"""---
file_format: mystnb
myst:
  html_meta:
    description: A page of Markdown with a cell to run.
---

# Moving words

Noise: $\\varepsilon$, as in [the notebook](../notebooks/01_first.ipynb) and
[a page with cells](moving.md#moving-words).

<!-- notebooks -->

```{{code-cell}} ipython3
:tags: [question]
{MAKE}
```
"""
INDEX = """# A small site

See [what moves](moving.md) and [what does not](still.md).

```{toctree}
:glob:

notebooks/**
moving
still
teachers/index
```
"""


def parts_of(path: Path) -> dict:
    """What the script hands to host.js."""
    lines = re.findall(r"^explorerPart\(\.\.\.(\[.*\])\)$", path.read_text(), re.MULTILINE)
    return dict(map(json.loads, lines))


def shown(explorer, monkeypatch, **metadata) -> dict:
    """The explorer as an output of a notebook that is run for the site."""
    monkeypatch.setattr(Explorer, "for_pages", True)
    data = json.loads(json.dumps(explorer._repr_mimebundle_()[0]))
    return {"data": data, "metadata": {"image/png": metadata}}


def dot() -> str:
    """A picture of one pixel."""
    file = BytesIO()
    Image.new("L", (1, 1)).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


class Odd(nn.Linear):
    """A layer that the browser does not know."""


# One output


@pytest.fixture
def static(tmp_path):
    (tmp_path / "explorers").mkdir()
    return tmp_path


def test_the_figure_names_the_module_and_the_state(monkeypatch, static):
    explorer = FrozenNoise(0, 1, [0.0])
    text = build.figure(shown(explorer, monkeypatch, alt='a "b"'), "n-1", static, "../", "cell")
    assert 'id="cell" class="explorer" data-module="FrozenNoise" data-state="n-1"' in text
    assert 'alt="a &quot;b&quot;"' in text
    assert 'src="../_static/explorers/n-1.png"' in text
    files = {path.name: path for path in (static / "explorers").iterdir()}
    assert sorted(files) == ["FrozenNoise.js", "n-1.js", "n-1.png"]
    assert parts_of(files["n-1.js"])["n-1"] == explorer.page_state()
    assert parts_of(files["FrozenNoise.js"])["FrozenNoise"] == str(FrozenNoise._esm)


def test_an_explorer_that_needs_python_stays_a_picture_and_says_so(monkeypatch, static):
    explorer = LatentExplorer(Odd(2, 784))
    text = build.figure(shown(explorer, monkeypatch), "n-1", static, "", "cell")
    assert "needs Python" in text
    assert "data-state" not in text
    assert [path.name for path in (static / "explorers").iterdir()] == ["n-1.png"]


def test_a_still_of_html_stands_where_a_picture_would(monkeypatch, static):
    output = shown(FrozenNoise(0, 1, [0.0]), monkeypatch)
    del output["data"]["image/png"]
    output["data"]["text/html"] = "<p>Which one?</p>"
    text = build.figure(output, "n-1", static, "", "cell")
    assert re.fullmatch(r"<figure [^>]*data-state=\"n-1\"><p>Which one\?</p></figure>", text)
    assert not list(static.rglob("*.png"))


# A whole site


def cell(source: str, *tags: str, outputs=()):
    metadata = {"tags": list(tags)} if tags else {}
    return nbformat.v4.new_code_cell(source, metadata=metadata, outputs=list(outputs))


def write(path: Path, *cells) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    title = f"# {path.stem}\n\n**The question: what is on this page of the small site?**\n\n"
    title += "Reading: 12 minutes, exercises apart. Running: about 3 seconds."
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(title), *cells])
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The text of each page of a site with a notebook, a closer look and a page of Markdown."""
    root, folder = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("folder")
    shutil.copytree(ROOT / "docs", root / "docs", ignore=shutil.ignore_patterns("__*", "*.md"))
    (root / "docs" / "index.md").write_text(INDEX)
    (root / "docs" / "still.md").write_text("# Words that stay\n")
    (root / "docs" / "moving.md").write_text(PAGE)
    below = PAGE.replace("](", "](../").replace(build.LISTED, "")
    (root / "docs" / "teachers").mkdir(exist_ok=True)
    (root / "docs" / "teachers" / "index.md").write_text(below)
    shutil.copytree(ROOT / "img", root / "img")
    (root / "helpers").mkdir()
    tagged = [cell(f"print('{tag} is {40 + i}')", tag) for i, tag in enumerate(TAGS)]
    write(root / "notebooks" / "01_first.ipynb", *tagged, cell(MAKE))
    link = nbformat.v4.new_markdown_cell(
        "[back](../01_first.ipynb) [words](../../docs/still.md) ![a path](../../img/overview.svg)"
    )
    text = nbformat.v4.new_output("stream", text="as it was saved\n")
    image = {"image/png": {"alt": "a dot"}}
    picture = nbformat.v4.new_output("display_data", {"image/png": dot()}, metadata=image)
    saved = cell("1 / 0  # never run here", outputs=[text, picture])
    write(root / "notebooks" / "closer_looks" / "01a_look.ipynb", link, saved)
    (root / "notebooks" / "closer_looks" / ".ipynb_checkpoints").mkdir()
    build.build(root, root / "site", folder)
    assert build.up_to_date(root, root / "site")
    return {str(p.relative_to(root / "site")): p.read_text() for p in root.glob("site/**/*.html")}


def folds(text: str) -> dict:
    """By its summary: what is folded."""
    found = re.findall(r"<details[^>]*>\s*<summary[^>]*>(.*?)</summary>(.*?)</details>", text, re.S)
    plain = [[re.sub(r"<[^>]*>", "", part) for part in pair] for pair in found]
    return {summary.strip().split("\n")[0]: body for summary, body in plain}


@pytest.mark.kernel
def test_the_tag_of_a_cell_says_what_is_folded(pages):
    text = pages["notebooks/01_first.html"]
    folded = folds(text)
    names = {"setup": "setup", "plot": "code", "check": "check", "solution": "solution"}
    assert sorted(folded) == sorted(f"Show the {name}" for name in names.values())
    whole = re.sub(r"<[^>]*>", "", text)
    for i, tag in enumerate(TAGS):
        printed = f"{tag} is {40 + i}"
        source = f"print('{printed}')"
        body = folded.get(f"Show the {names.get(tag)}", "")
        assert (source in body) == (tag != "question")
        assert (source in whole) == (tag != "question")
        assert (printed in body.replace(source, "")) == (tag == "solution")
        assert printed in whole.replace(source, "")


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("name", "up"),
    [("notebooks/01_first.html", "../"), ("moving.html", ""), ("teachers/index.html", "../")],
)
def test_a_notebook_and_a_page_of_markdown_hold_an_explorer(pages, name, up):
    stem = Path(name).stem
    state = re.search(
        r'data-module="FrozenNoise" data-state="([^"]*)"><img src="([^"]*)"', pages[name]
    )
    assert state.groups() == (f"{stem}-1", f"{up}_static/explorers/{stem}-1.png")


@pytest.mark.kernel
def test_a_link_that_is_right_in_the_repository_is_right_on_the_site(pages):
    assert 'href="notebooks/01_first.html"' in main_part(pages["moving.html"])
    below = main_part(pages["teachers/index.html"])
    assert 'href="../notebooks/01_first.html"' in below
    assert 'href="../moving.html#moving-words"' in below
    closer = main_part(pages["notebooks/closer_looks/01a_look.html"])
    assert 'href="../../still.html"' in closer


def main_part(text: str) -> str:
    return re.search(r"<article.*</article>", text, re.S)[0]


@pytest.mark.kernel
def test_a_closer_look_is_shown_as_it_was_saved(pages):
    text = pages["notebooks/closer_looks/01a_look.html"]
    assert "as it was saved" in text
    assert '<img src="../../_static/explorers/01a_look-1.png" alt="a dot" width=1' in text
    assert 'href="../01_first.html"' in text
    assert re.search(r'src="\.\./\.\./_images/overview[^"]*\.svg"', text)


@pytest.mark.kernel
def test_every_page_is_in_the_table_of_contents_and_says_what_it_is_about(pages):
    for name in ("notebooks/01_first.html", "notebooks/closer_looks/01a_look.html", "moving.html"):
        assert f'href="{name}"' in pages["index.html"]
        description = re.search(r'<meta content="([^"]*)" name="description"', pages[name])
        assert len(description[1]) > 30
    assert "file_format" not in pages["moving.html"]


@pytest.mark.kernel
def test_the_list_of_notebooks_says_what_each_asks_and_how_long_it_takes(pages):
    outer, inner = re.findall(r"<li><p>.*?</p>", pages["moving.html"], re.S)
    for text, name in ((outer, "01_first"), (inner, "closer_looks/01a_look")):
        assert f'href="notebooks/{name}.html"' in text
        assert "What is on this page of the small site?" in text
        assert "<em>12 minutes to read, 3 seconds to run.</em>" in text
    assert f"{outer}\n<ul>" in re.sub(r"\s*<ul[^>]*>", "\n<ul>", pages["moving.html"])


@pytest.mark.kernel
def test_a_page_links_to_pages_with_cells_and_without(pages):
    assert '<a class="reference internal" href="moving.html">' in pages["index.html"]
    assert '<a class="reference internal" href="still.html">' in pages["index.html"]


def test_a_notebook_without_minutes_is_not_listed_in_silence(tmp_path):
    path = tmp_path / "notebooks" / "01_first.ipynb"
    write(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = notebook.cells[0].source.replace("12 minutes", "a while")
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match=r"minutes on top of 01_first\.ipynb"):
        build.listed(tmp_path)


def test_the_fingerprint_changes_with_any_file(tmp_path):
    (tmp_path / "docs").mkdir()
    seen = {build.fingerprint(tmp_path)}
    names = ("docs/a.md", "docs/a.md", "docs/b.md", "docs/b.md", "requirements-dev.txt")
    for name, text in zip(names, ("a", "b", "b", "", "sphinx"), strict=True):
        (tmp_path / name).write_text(text)
        seen.add(build.fingerprint(tmp_path))
    assert len(seen) == 6
    (tmp_path / "docs" / "__pycache__").mkdir()
    (tmp_path / "docs" / "__pycache__" / "a.pyc").write_text("a")
    assert build.fingerprint(tmp_path) in seen


def test_a_site_is_up_to_date_only_while_the_files_stay(tmp_path):
    site, page = tmp_path / "site", tmp_path / "docs" / "a.md"
    assert not build.up_to_date(tmp_path, site)
    for folder in (site, page.parent):
        folder.mkdir()
    page.write_text("a")
    (site / build.STAMP).write_text(build.fingerprint(tmp_path))
    assert build.up_to_date(tmp_path, site)
    page.write_text("b")
    assert not build.up_to_date(tmp_path, site)


def test_a_site_that_broke_off_while_it_was_put_in_its_place_is_not_up_to_date(
    tmp_path, monkeypatch
):
    built, site = tmp_path / "built", tmp_path / "site"
    for folder in (built, site):
        folder.mkdir()
    (site / build.STAMP).write_text("old")
    (site / "old.html").write_text("old")
    (built / "index.html").write_text("new")

    def break_off(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build.shutil, "copytree", break_off)
        with pytest.raises(KeyboardInterrupt):
            build.put_in_place(built, site, "new")
    assert not (site / build.STAMP).exists()
    build.put_in_place(built, site, "new")
    assert sorted(path.name for path in site.iterdir()) == [build.STAMP, "index.html"]
    assert (site / build.STAMP).read_text() == "new"
