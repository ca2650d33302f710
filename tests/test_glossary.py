"""docs/glossary.md: every term that a notebook sets in bold has an entry, and it is in order.

In the notebooks' text bold marks a term where it is introduced. It also leads a paragraph (then it
ends in a mark: "**Move.**", "**In `helpers`:**"), numbers an exercise, or stresses a statement
(then it has more than four words). A single stressed word is in italics. So everything else in
bold is a term, and is looked up here: in itself, or with the noun that follows it ("a **latent**
variable").
"""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("notebooks/closer_looks/*.ipynb")])
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ENTRY = re.compile(r"^\*\*(?P<heads>[^*]+)\*\*(?P<rest>.*)$", re.MULTILINE)
BOLD = re.compile(r"\*\*(?P<term>.+?)\*\*(?P<noun>\s+\w+)?")
PLACE = re.compile(r"(?:notebook|closer look) (\d\w?), (section|exercise) (\d+)")
WORDS = 4  # a term has at most so many


def simple(text: str) -> str:
    """For comparison: lower case, no hyphens, no plural of the last word."""
    text = re.sub(r"[-–\s]+", " ", text.lower()).strip()
    return re.sub(r"(?<=[a-rt-z])s$|(?<=(?:ch|sh|ss))es$", "", text)


def entries() -> list[re.Match]:
    return list(ENTRY.finditer(GLOSSARY.split("## Symbols")[0]))


def headwords() -> set[str]:
    """Each entry's headwords, which commas and "and" part: "Precision and recall"."""
    heads = [entry["heads"] for entry in entries()]
    parts = [part for head in heads for part in re.split(r", | and ", head)]
    return {simple(head) for head in heads + parts}


def markdown(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def paragraphs(path: Path) -> list[str]:
    """The Markdown of a notebook, without headings, formulas on their own, and code."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$", "", markdown(path), flags=re.DOTALL)
    return [line for line in text.splitlines() if not line.startswith("#")]


def is_term(text: str) -> bool:
    stressed = len(text.split()) > WORDS
    return not (stressed or text[-1] in ".:?!" or re.fullmatch(r"\d+|\w", text))


def terms(path: Path) -> list[tuple[str, str]]:
    """Each term in bold, and the same with the word that follows."""
    found = [match for line in paragraphs(path) for match in BOLD.finditer(line)]
    return [(m["term"], m["term"] + (m["noun"] or "")) for m in found if is_term(m["term"])]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_term_in_bold_has_an_entry(path):
    known = headwords()
    missing = [
        term for term, with_noun in terms(path) if not {simple(term), simple(with_noun)} & known
    ]
    assert missing == [], "expected an entry in docs/glossary.md, or italics for a stressed word"


def test_the_notebooks_introduce_terms():
    """Were bold read wrongly, the test above would find nothing to look up."""
    counts = {path.stem: len(terms(path)) for path in NOTEBOOKS}
    assert all(counts[path.stem] >= 4 for path in NOTEBOOKS if path.parent.name == "notebooks")
    assert [t for t, _ in terms(NOTEBOOKS[0])][:3] == ["held-out", "entropy", "covariance"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("entropy", True), ("effective number of classes", True), ("Move.", False), ("2.", False),
     ("E", False), ("a code can never become exact", False)],
)  # fmt: skip
def test_what_counts_as_a_term(text, expected):
    assert is_term(text) == expected


def test_the_entries_are_in_order_and_each_has_a_place_and_a_sentence():
    heads = [simple(entry["heads"]) for entry in entries()]
    assert heads == sorted(heads)
    assert len(heads) == len(set(heads))
    for entry in entries():
        assert re.search(r"\((notebook|closer look) \d", entry["rest"]), entry["heads"]
        assert re.search(r"\)\. .{20,}\.$", entry["rest"]), entry["heads"]


def test_the_sections_and_exercises_that_entries_name_exist():
    places = {match.groups() for match in PLACE.finditer(GLOSSARY)}
    assert len(places) > 20
    for number, kind, which in sorted(places):
        (path,) = [path for path in NOTEBOOKS if path.name.startswith(f"0{number}_")]
        begin = f"## {which} · " if kind == "section" else f"**{which}.** "
        assert f"\n{begin}" in f"\n{markdown(path)}", f"{path.stem}: {kind} {which}"
