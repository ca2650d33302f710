"""The notes for teachers agree with the notebooks: numbers, explorers, exercises, minutes."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTES = sorted(ROOT.glob("docs/teachers/notebook_*.md"))
PARTS = [
    "Show this first",
    "Stop and ask",
    "On the board",
    "What they get wrong",
    "Did they understand?",
]
DECIMAL = re.compile(r"(?<![\w.])\d[\d,]*\.\d+(?![\w.]*\d)")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def told(path: Path) -> str:
    """What the notebook of a page says: its text, its code, what cells printed, alt texts."""
    (notebook,) = ROOT.glob(f"notebooks/0{path.stem[-1]}_*.ipynb")
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    printed = [o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs]
    return "\n".join([*(cell.source for cell in cells), *printed])


def missing_numbers(page: str, notebook: str) -> list[str]:
    """The decimals of a page that no number of the notebook is, or can be rounded to."""
    known = [float(text.replace(",", "")) for text in DECIMAL.findall(notebook)]
    wrong = []
    for text in DECIMAL.findall(page):
        half = 0.5000001 * 10 ** -len(text.split(".")[1])
        if not any(abs(float(text.replace(",", "")) - number) <= half for number in known):
            wrong.append(text)
    return wrong


@pytest.fixture(params=NOTES, ids=lambda path: path.stem)
def notes(request):
    return request.param


def test_there_is_a_page_for_each_notebook():
    assert [path.stem for path in NOTES] == [f"notebook_{number}" for number in range(1, 6)]


def test_a_page_has_its_parts_in_order(notes):
    headings = re.findall(r"^## (.+)$", read(notes), re.MULTILINE)
    assert "minutes" in headings[0]
    assert headings[-5:] == PARTS


def test_a_schedule_rises_and_ends_within_fifty_minutes(notes):
    tables = re.findall(r"(?:^\| (?:0:\d\d).*\n)+", read(notes), re.MULTILINE)
    assert tables
    for table in tables:
        minutes = [int(m) for m in re.findall(r"^\| 0:(\d\d)", table, re.MULTILINE)]
        assert minutes[0] == 0
        assert minutes == sorted(set(minutes))
        assert minutes[-1] < 50


def test_the_numbers_are_the_notebooks(notes):
    assert missing_numbers(read(notes), told(notes)) == []


@pytest.mark.parametrize(
    ("page", "expected"),
    [("0.81 and 95.6 %", []), ("0.82", ["0.82"]), ("1,608.1", ["1,608.1"]), ("0:12, 3", [])],
)  # fmt: skip
def test_a_number_that_the_notebook_does_not_say_is_named(page, expected):
    assert missing_numbers(page, "KL 0.8069 nats, 95.6% right") == expected


def test_the_explorers_that_are_named_stand_in_the_notebook(notes):
    text = told(notes)
    rows = [row for row in read(notes).splitlines() if row.startswith("|")]
    for row in rows:
        for name in re.findall(r"`(\w*(?:Explorer|Noise|Playground))`(?! in \[)", row):
            assert f"{name}(" in text, row
