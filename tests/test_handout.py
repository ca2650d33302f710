"""docs/handout.py and docs/release.py: what students get, and what a teacher takes away."""

import ast
import re
from pathlib import Path
from zipfile import ZipFile

import nbformat
import pytest

from docs.handout import for_students, write_handout
from docs.release import release
from helpers.exercises import packed, unpacked
from helpers.runner import executed

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("notebooks/[!.]*/*.ipynb")])
NAMES = [path.stem for path in NOTEBOOKS]


def tagged(notebook, tag: str) -> list[dict]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def code(cells: list[dict]) -> ast.Module:
    return ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))


def names(tree: ast.Module, context: type) -> set[str]:
    """The names that are read, or bound, anywhere in the code."""
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}
    if context is ast.Store:
        kinds = (ast.FunctionDef, ast.ClassDef)
        found |= {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
        found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        imports = (ast.Import, ast.ImportFrom)
        aliases = [a for node in ast.walk(tree) if isinstance(node, imports) for a in node.names]
        found |= {(alias.asname or alias.name).split(".")[0] for alias in aliases}
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_handout_shows_no_solution_no_output_and_no_answer(path):
    given = nbformat.read(path, as_version=4)
    questions = [cell.source for cell in tagged(given, "question")]
    kept = [cell.source for cell in given.cells if cell not in tagged(given, "solution")]
    handout = for_students(given)
    nbformat.validate(handout)
    assert tagged(handout, "solution") == []
    assert not any(cell.get("outputs") for cell in handout.cells)
    assert len(handout.cells) == len(kept)  # stubs, hints, checkers and prose are all there
    shown = [cell.source for cell in handout.cells if cell not in tagged(handout, "question")]
    assert shown == [source for source in kept if source not in questions]
    for cell, source in zip(tagged(handout, "question"), questions, strict=True):
        assert not re.search(r"answer|why|option", cell.source)
        assert unpacked(re.search(r'"(.+)"', cell.source)[1]) == source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_nothing_in_a_handout_needs_what_a_solution_made(path):
    given = nbformat.read(path, as_version=4)
    solutions = names(code(tagged(given, "solution")), ast.Store)
    left = code([cell for cell in given.cells if cell not in tagged(given, "solution")])
    assert names(left, ast.Load) & solutions <= names(left, ast.Store)


@pytest.mark.kernel
def test_a_handout_runs_and_its_checkers_judge_what_a_student_writes():
    path = ROOT / "notebooks" / "03_why_sampling_blocks_gradients.ipynb"
    given = nbformat.read(path, as_version=4)
    call = re.compile(r"^assert (check_\w+)\((\w+)\)$", re.M)
    solution, name = next(
        (cell.source, call.search(cell.source))
        for cell in tagged(given, "solution")
        if call.search(cell.source)
    )
    answer = solution[: solution.index("assert")] + f"{name[1]}({name[2]})"
    handout = for_students(given)
    handout.cells.append(nbformat.v4.new_code_cell(answer))
    run = executed(handout, path.parent)
    printed = "".join(o.get("text", "") for c in run.cells for o in c.get("outputs", []))
    assert "Not attempted yet." in printed
    assert "Right" in run.cells[-1].outputs[0].text
    assert all(cell.outputs for cell in tagged(run, "question"))


def test_the_handout_has_a_copy_of_each_notebook_and_nothing_from_before(tmp_path):
    (tmp_path / "old.ipynb").touch()
    write_handout(ROOT, tmp_path)
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert made == {path.relative_to(ROOT / "notebooks") for path in NOTEBOOKS}


def test_what_is_packed_comes_back_and_what_is_not_is_refused():
    source = "Question('μ or σ?', ['μ', 'σ'], answer=1)\n"
    assert unpacked(packed(source)) == source
    assert "answer" not in packed(source)
    for line in ("σ", "abc", packed(source)[:-8]):
        with pytest.raises(ValueError, match="expected a line that `packed` made"):
            unpacked(line)


def test_the_course_has_the_students_notebooks_and_the_pages_lie_in_one_folder(tmp_path):
    for name in ("site/index.html", "handout/01.ipynb", "notebooks/01.ipynb", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    site, course = release(tmp_path, ["notebooks/01.ipynb", "README.md", "gone.md"])
    with ZipFile(site) as file:
        assert file.namelist() == ["autoencoder-to-vae-site/index.html"]
    with ZipFile(course) as file:
        inside = {name.split("/", 1)[1]: file.read(name).decode() for name in file.namelist()}
    assert inside == {"README.md": "README.md", "notebooks/01.ipynb": "handout/01.ipynb"}


def test_a_release_without_pages_says_what_to_make(tmp_path):
    with pytest.raises(SystemExit, match="make site"):
        release(tmp_path, [])
