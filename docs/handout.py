"""Make what students get: notebooks without solutions and outputs, answers out of plain sight.

    .venv/bin/python docs/handout.py     (or `make handout`)

Stubs, hints and checkers stay, so that every exercise still says whether an answer is right. The
source of a question is packed into one line that `helpers.exercises.unpacked` reads: nobody sees an
answer by accident; who wants to look it up can.
"""

import shutil
from pathlib import Path

import nbformat

from helpers.exercises import packed

ROOT = Path(__file__).resolve().parents[1]
HANDOUT = ROOT / "handout"
QUESTION = "from helpers.exercises import unpacked\n\neval(unpacked({}))"


def write_handout(root: Path, folder: Path) -> None:
    """Put the handout of each notebook of the repository `root` into the folder, emptied before."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in [*root.glob("notebooks/*.ipynb"), *root.glob("notebooks/[!.]*/*.ipynb")]:
        target = folder / path.relative_to(root / "notebooks")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(for_students(nbformat.read(path, as_version=4)), target)


def for_students(notebook: dict) -> dict:
    """The notebook without solutions and outputs, its questions packed."""
    notebook.cells = [cell for cell in notebook.cells if "solution" not in tags(cell)]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if "question" in tags(cell):
            cell.source = QUESTION.format(f'"{packed(cell.source)}"')
    return notebook


def tags(cell: dict) -> list[str]:
    return cell.metadata.get("tags", [])


if __name__ == "__main__":
    write_handout(ROOT, HANDOUT)
    print(f"{len([*HANDOUT.rglob('*.ipynb')])} notebooks for students in {HANDOUT.name}/")
