"""No link to a file of this repository, or to a heading in one, is dead.

In the notebooks, in docs/, and in the texts at the top. What stands on the built site is judged by
tests/test_site_browser.py; links to other hosts are not tried.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("notebooks/closer_looks/*.ipynb")]
TEXTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]
CODE = re.compile(
    r"^( {0,3})(`{3,}).*?^ {0,3}\2`*\s*?$|(?<!`)(`+)(?!`).+?(?<!`)\3(?!`)", re.M | re.S
)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)[^)]*\)|\b(?:href|src)=\"([^\"]+)\"")
ROLE = re.compile(r"\{doc\}`[^`<]*<([^>`]+)>`")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def markdown(path: Path) -> str:
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def links(text: str) -> list[str]:
    """The targets of a text's links and pictures, those in code left out."""
    roles = [f"{name}.md" for name in ROLE.findall(text)]
    return roles + [a or b for a, b in LINK.findall(CODE.sub("", text))]


def anchors(path: Path) -> set[str]:
    """The names of a page's headings, as GitHub and MyST make them."""
    found, text = [], re.sub(r"^```.*?^```", "", markdown(path), flags=re.M | re.S)
    for heading in HEADING.findall(text):
        plain = re.sub(r"[*`$\\]|\]\([^)]*\)", "", heading)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        again = sum(
            re.fullmatch(rf"{re.escape(name)}(-\d+)?", other) is not None for other in found
        )
        found.append(f"{name}-{again}" if again else name)
    return {*found, *re.findall(r"\b(?:id|name)=\"([^\"]+)\"", text)}


def dead(path: Path, text: str) -> list[str]:
    """The links of a text, as if it stood in the file, that lead nowhere in the repository."""
    wrong = []
    for link in links(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        file, place = map(unquote, urldefrag(link))
        target = (path.parent / file).resolve() if file else path
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (place and place not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize(
    "path", sorted(NOTEBOOKS + TEXTS), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_link_is_dead(path):
    assert dead(path, markdown(path)) == []


def test_links_are_found():
    """Were they not, the test above would have nothing to follow."""
    local = [
        link for path in NOTEBOOKS + TEXTS for link in links(markdown(path)) if ":" not in link
    ]
    assert len(local) > 100
    assert any("#" in link for link in local)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](docs/glossary.md#symbols) ![b](img/vae.svg)", []),
        ("[a](docs/glosary.md)", ["docs/glosary.md"]),
        ("[a](docs/glossary.md#no-such-heading)", ["docs/glossary.md#no-such-heading"]),
        ("[a](#which-make-when)", ["#which-make-when"]),
        ('<a href="img/none.svg">a</a>', ["img/none.svg"]),
        ("{doc}`a <nowhere>`", ["nowhere.md"]),
        ("`[a](in/code.md)` ``[b](`c`.md)``", []),
        ("[a](https://example.org/none) [b](mailto:a@example.org)", []),
        ("[a](../outside.md)", ["../outside.md"]),
        ("[a](notebooks/02_autoencoder.ipynb#2--how-it-is-made)", []),
        ("[a](notebooks/02_autoencoder.ipynb#2-how-it-is-made)",
         ["notebooks/02_autoencoder.ipynb#2-how-it-is-made"]),
    ],
)  # fmt: skip
def test_a_dead_link_is_named(text, expected):
    assert dead(ROOT / "README.md", text) == expected
