"""The form of the notebooks as they are saved, and of the diagrams they show.

That their code runs and their claims hold is nbval's business: `pytest --nbval-lax notebooks`.
"""

import re
import statistics
from base64 import b64decode
from functools import cache
from io import BytesIO
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
FIVE = [
    "01_discriminative_vs_generative.ipynb",
    "02_autoencoder.ipynb",
    "03_why_sampling_blocks_gradients.ipynb",
    "04_reparameterization_trick.ipynb",
    "05_variational_autoencoder.ipynb",
]
CLOSER_LOOKS = [str(p.relative_to(FOLDER)) for p in sorted(FOLDER.glob("closer_looks/*.ipynb"))]
FOLDED = {"setup", "check", "plot", "question", "solution"}  # tags of cells: see CONTRIBUTING.md
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root|home|tmp)/")
MARKDOWN_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(\s*<?(?P<path>[^)\s>]*)")
HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)


@cache
def read(name):
    path = FOLDER / name
    if not path.is_file():
        pytest.fail(f"notebooks/{name} is missing")
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


@pytest.fixture(params=FIVE + CLOSER_LOOKS)
def name(request):
    return request.param


@pytest.fixture
def notebook(name):
    return read(name)


@pytest.fixture
def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def markdown(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


@pytest.fixture
def outputs(code):
    return [output for cell in code for output in cell.outputs]


def first_line(cell):
    return cell.source.strip().splitlines()[0]


def length(cell):
    """Lines of code that are not blank."""
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def tags(cell):
    return set(cell.metadata.get("tags", []))


def is_hidden(cell):
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def is_solution(cell):
    return is_hidden(cell) and re.search(r"\bassert check\w*\(", cell.source) is not None


def is_stub(cell):
    asks = re.search(r"\bcheck\w*\(", cell.source)
    return asks and "Not attempted yet." in output_text(cell.outputs)


def joined(value):
    return "".join(value) if isinstance(value, list) else str(value)


def output_text(outputs):
    """All text in the outputs; encoded pictures are left out."""
    parts = []
    for output in outputs:
        parts += [joined(output.get("text", "")), *map(str, output.get("traceback", []))]
        data = output.get("data", {}).items()
        encoded = ("image/png", "image/jpeg", "image/gif")
        parts += [joined(value) for kind, value in data if kind not in encoded]
    return "\n".join(parts)


def test_there_are_exactly_the_five_notebooks_and_closer_looks():
    found = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("[!.]*.ipynb"))
    found = [name for name in found if ".ipynb_checkpoints" not in name]
    assert found == sorted(FIVE + CLOSER_LOOKS), "expected the five and notebooks/closer_looks/"


def test_the_file_is_a_valid_notebook(notebook):
    nbformat.validate(notebook)
    assert notebook.nbformat == 4


def test_the_kernel_is_the_one_of_the_environment(notebook):
    assert notebook.metadata.kernelspec.name == "python3"


def test_it_begins_with_its_title(notebook):
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")


def test_every_code_cell_was_run_once_and_in_order(code):
    assert code
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


def test_no_cell_ended_in_an_error(outputs):
    assert [o.ename for o in outputs if o.output_type == "error"] == []


def test_nothing_was_written_to_stderr(outputs):
    assert [o.text for o in outputs if o.get("name") == "stderr"] == []


@pytest.mark.parametrize("debris", ["Warning", "model not found", "it/s]", "s/it]", "\r"])
def test_no_debris_is_left_in_the_outputs(outputs, debris):
    lines = output_text(outputs).split("\n")
    assert [line for line in lines if debris in line] == []


def test_no_output_refers_to_a_live_widget(outputs):
    assert [o for o in outputs if WIDGET_VIEW in o.get("data", {})] == []


def test_no_state_of_widgets_is_saved(notebook):
    assert "widgets" not in notebook.metadata


def test_no_cell_records_when_it_ran(code):
    assert [first_line(cell) for cell in code if "execution" in cell.metadata] == []


def test_no_path_of_the_machine_is_left(notebook, outputs):
    lines = [line for cell in notebook.cells for line in cell.source.splitlines()]
    lines += output_text(outputs).splitlines()
    assert [line for line in lines if MACHINE_PATH.search(line)] == []


def test_the_file_is_small(name):
    read(name)
    assert (FOLDER / name).stat().st_size < 1_500_000


def test_no_code_cell_is_long(code):
    assert {first_line(cell): length(cell) for cell in code if length(cell) > 25} == {}


def test_the_median_code_cell_is_short(code):
    assert statistics.median(length(cell) for cell in code) <= 8


def test_every_saved_picture_has_alt_text(code):
    missing = []
    for cell in code:
        for output in cell.outputs:
            for kind in output.get("data", {}):
                described = output.get("metadata", {}).get(kind, {})
                if kind.startswith("image/") and not described.get("alt", "").strip():
                    missing.append(first_line(cell))
    assert missing == []


def test_no_saved_picture_is_cut_off(code):
    """Ink in the outermost pixels means that there was more of it."""
    touching = []
    for cell in code:
        for output in cell.outputs:
            encoded = output.get("data", {}).get("image/png")
            if encoded:
                ink = np.asarray(Image.open(BytesIO(b64decode(encoded))).convert("L")) < 200
                if ink[[0, -1]].any() or ink[:, [0, -1]].any():
                    touching.append(first_line(cell))
    assert touching == []


def test_every_markdown_image_has_alt_text(markdown):
    text = "\n".join(cell.source for cell in markdown)
    missing = [m["path"] for m in MARKDOWN_IMAGE.finditer(text) if not m["alt"].strip()]
    missing += [tag for tag in HTML_IMAGE.findall(text) if not re.search(r"alt=\"[^\"]*\w", tag)]
    assert missing == []


def test_every_markdown_image_exists_in_this_repository(name, markdown):
    folder = (FOLDER / name).parent
    text = "\n".join(cell.source for cell in markdown)
    paths = [m["path"] for m in MARKDOWN_IMAGE.finditer(text)]
    paths += re.findall(r"<img\b[^>]*\bsrc=\"([^\"]*)\"", text, re.IGNORECASE)
    assert [path for path in paths if not (folder / path).is_file()] == []


def test_a_cell_is_hidden_if_it_is_tagged_as_what_may_be(code):
    wrong = [first_line(cell) for cell in code if is_hidden(cell) != bool(tags(cell) & FOLDED)]
    assert wrong == [], f"expected source_hidden exactly where a tag is one of {sorted(FOLDED)}"


def test_a_cell_is_folded_for_one_reason(code):
    assert [first_line(cell) for cell in code if len(tags(cell) & FOLDED) > 1] == []


def test_a_cell_with_an_outcome_to_see_does_not_hide_it(code):
    seen = [cell for cell in code if tags(cell) & FOLDED - {"solution"}]
    hidden = [c for c in seen if c.metadata.get("jupyter", {}).get("outputs_hidden")]
    assert list(map(first_line, hidden)) == []


def test_every_solution_is_tagged_as_one(code):
    assert [first_line(c) for c in code if is_solution(c) and "solution" not in tags(c)] == []


@pytest.mark.parametrize("name", FIVE)
def test_there_is_an_exercise_with_a_stub_and_a_checked_solution(code):
    stubs = [cell for cell in code if is_stub(cell)]
    solutions = [cell for cell in code if is_solution(cell)]
    assert stubs, "expected a cell that calls check(...) and prints 'Not attempted yet.'"
    assert len(solutions) >= len(stubs), "expected a solution, source hidden, for each exercise"


@pytest.mark.parametrize("name", FIVE)
def test_at_least_four_claims_are_asserted_outside_the_solutions(code):
    claims = [c for c in code if re.search(r"\bassert\b", c.source) and not is_solution(c)]
    assert len(claims) >= 4


def test_a_closer_look_holds_no_explorer():
    """The site shows it as it was saved, without the state that an explorer needs there."""
    cells = [cell for name in CLOSER_LOOKS for cell in read(name).cells]
    assert [c.source for c in cells if "helpers.explorers" in c.source] == []


def test_every_diagram_has_a_title_and_a_description():
    missing = []
    for path in sorted((ROOT / "img").glob("*.svg")):
        for tag in ("title", "desc"):
            if not re.search(rf"<{tag}\b[^>]*>[^<]*\w", path.read_text(encoding="utf-8")):
                missing.append(f"img/{path.name}: <{tag}>")
    assert missing == []
