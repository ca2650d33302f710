"""docs/glossary.md: every term that a notebook sets in bold has an entry, and it is in order.

In the notebooks' text bold marks a term where it is introduced. Besides, it leads a paragraph or an
item of a list ("**Move.**", "- **One layer of latents** is too little"), numbers an exercise, or
stresses a statement (then it ends in a mark or has more than three words). A few stressed words are
named here; a new one is better set in italics. Everything else in bold is a term, and is looked up:
by itself, or with the noun that follows it ("a **latent** variable").
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
WORDS = 3  # a term has at most so many
LEAD = re.compile(r"^ *(?:[-*] |\d+\. )? *\*\*[^*]+\*\*")
STRESSED = {"absolute", "averaged", "decode", "draw", "encode", "gets", "new images"}
STRESSED |= {"nothing said so", "pays", "place", "scale", "sum", "summed", "ten"}


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


def lines(text: str) -> list[str]:
    """A text without headings, formulas on their own, and code."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$", "", text, flags=re.DOTALL)
    return [line for line in text.splitlines() if not line.startswith("#")]


def is_term(text: str) -> bool:
    stressed = len(text.split()) > WORDS or text.lower() in STRESSED
    return not (stressed or text[-1] in ".:?!")


def terms(text: str) -> list[tuple[str, str]]:
    """Each term in bold, and the same with the word that follows."""
    found = [match for line in lines(text) for match in BOLD.finditer(LEAD.sub("", line))]
    return [(m["term"], m["term"] + (m["noun"] or "")) for m in found if is_term(m["term"])]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_term_in_bold_has_an_entry(path):
    known = headwords()
    missing = [
        term
        for term, with_noun in terms(markdown(path))
        if not {simple(term), simple(with_noun)} & known
    ]
    assert missing == [], "expected an entry in docs/glossary.md, or italics for a stressed word"


def test_the_notebooks_introduce_terms():
    """Were bold read wrongly, the test above would find nothing to look up."""
    counts = {path.stem: len(terms(markdown(path))) for path in NOTEBOOKS}
    assert all(counts[path.stem] >= 4 for path in NOTEBOOKS if path.parent.name == "notebooks")
    found = {term for term, _ in terms(markdown(NOTEBOOKS[0]))}
    assert {"covariance", "log density", "prior", "posterior"} <= found


@pytest.mark.parametrize(
    ("text", "expected"),
    [("An **entropy** is", ["entropy"]), ("a **latent** variable", ["latent"]),
     ("**Move.** A **nat** is", ["nat"]), ("**2.** *Pairs.* Two", []), ("- **E**: compute", []),
     ("| **prior** | $p(z)$ |", ["prior"]), ("so **a code can never become exact**", []),
     ("the **sum** over pixels", [])],
)  # fmt: skip
def test_what_counts_as_a_term(text, expected):
    assert [term for term, _ in terms(text)] == expected


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
