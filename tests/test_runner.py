"""Notebooks run from top to bottom, as `make notebooks` does."""

import nbformat
import pytest

from helpers import runner

pytestmark = pytest.mark.kernel
CODE = """
from helpers.explorers.base import Explorer

class Dot(Explorer):
    _esm = "export default {}"
    still = b"a picture"
    alt = "a dot"

Dot()
"""


def test_a_notebook_run_in_place_is_saved_with_the_still_picture_alone(tmp_path):
    path = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)]), path)
    runner.run_in_place([str(path)])
    notebook = nbformat.read(path, as_version=4)
    (cell,) = notebook.cells
    assert sorted(cell.outputs[0].data) == ["image/png", "text/plain"]
    assert cell.execution_count == 1
    assert "execution" not in cell.metadata
    assert "widgets" not in notebook.metadata


def test_a_notebook_runs_in_its_own_folder(tmp_path):
    path = tmp_path / "closer_looks" / "a.ipynb"
    path.parent.mkdir()
    cell = nbformat.v4.new_code_cell("import os; print(os.path.basename(os.getcwd()))")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    runner.run_in_place([str(path)])
    (cell,) = nbformat.read(path, as_version=4).cells
    assert cell.outputs[0].text == "closer_looks\n"


def test_what_a_cell_prints_in_parts_is_saved_as_one_text(tmp_path):
    path = tmp_path / "a.ipynb"
    code = "import time\nfor word in 'ab':\n    print(word, flush=True)\n    time.sleep(0.5)"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), path)
    runner.run_in_place([str(path)])
    (cell,) = nbformat.read(path, as_version=4).cells
    assert [output.text for output in cell.outputs] == ["a\nb\n"]
