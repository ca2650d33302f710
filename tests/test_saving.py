"""A saved notebook keeps the still picture of an explorer and no reference to a live widget."""

import json
import logging
from base64 import b64encode
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_core.paths import jupyter_config_path
from jupyter_server.extension.manager import ExtensionPackage
from jupyter_server.services.contents.largefilemanager import LargeFileManager

from helpers import saving
from helpers.explorers.base import Explorer

VIEW = "application/vnd.jupyter.widget-view+json"
PICTURE = b64encode(b"a picture").decode()


def output(**data):
    """One display output; the keys view, png and html stand for the long names."""
    names = {"view": VIEW, "png": "image/png", "html": "text/html", "text": "text/plain"}
    data = {names[key]: value for key, value in data.items()}
    return nbformat.v4.new_output("display_data", data, metadata={"image/png": {"alt": "a dot"}})


def notebook_with(*outputs):
    cells = [nbformat.v4.new_markdown_cell("# A title"), nbformat.v4.new_code_cell("explorer")]
    cells[1].outputs = list(outputs)
    return nbformat.v4.new_notebook(cells=cells)


def test_the_reference_is_dropped_where_a_still_picture_stands_beside_it():
    notebook = notebook_with(output(view={"model_id": "1"}, png=PICTURE, text="Dot"))
    kept = saving.keep_stills(notebook)["cells"][1]["outputs"][0]
    assert kept["data"] == {"image/png": PICTURE, "text/plain": "Dot"}
    assert kept["metadata"] == {"image/png": {"alt": "a dot"}}


def test_a_still_of_html_stands_for_the_view_as_a_picture_does():
    notebook = notebook_with(output(view={"model_id": "1"}, html="<p>Which?</p>", text="Dot"))
    kept = saving.keep_stills(notebook)["cells"][1]["outputs"][0]
    assert kept["data"] == {"text/html": "<p>Which?</p>", "text/plain": "Dot"}


def test_the_reference_stays_where_there_is_no_still_picture():
    notebook = notebook_with(output(view={"model_id": "1"}, text="Dot"))
    before = deepcopy(notebook)
    assert saving.keep_stills(notebook) == before


@pytest.mark.parametrize("kind", ["png", "html"])
def test_the_reference_stays_where_the_still_is_empty(kind):
    notebook = notebook_with(output(view={"model_id": "1"}, **{kind: ""}))
    assert VIEW in saving.keep_stills(notebook)["cells"][1]["outputs"][0]["data"]


def test_other_outputs_are_left_as_they_are():
    stream = nbformat.v4.new_output("stream", text="a line\n")
    error = nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])
    notebook = notebook_with(stream, error, output(png=PICTURE), output(text="Dot"))
    before = deepcopy(notebook)
    assert saving.keep_stills(notebook) == before


def test_every_output_of_a_cell_is_looked_at():
    both = {"view": {"model_id": "1"}, "png": PICTURE}
    kept = saving.keep_stills(notebook_with(output(**both), output(**both)))
    assert [list(o["data"]) for o in kept["cells"][1]["outputs"]] == [["image/png"]] * 2


# The explorers' side of it


class Dot(Explorer):
    _esm = "export default {}"
    still = b"a picture"
    alt = "a dot"


def test_an_explorer_shows_a_live_view_and_a_still_picture_with_alt_text():
    data, metadata = Dot()._repr_mimebundle_()
    assert VIEW in data
    assert data["image/png"] == PICTURE
    assert metadata["image/png"] == {"alt": "a dot"}


def test_an_explorer_has_a_short_repr_without_an_address():
    assert repr(Dot()) == "Dot: a dot"


# The extension of the Jupyter server


def test_the_extension_can_be_loaded_by_the_server():
    package = ExtensionPackage(name="helpers.saving", enabled=True)
    assert package.validate()
    assert [point["module"] for point in saving._jupyter_server_extension_points()] == [
        "helpers.saving"
    ]


def test_the_installed_configuration_enables_the_extension():
    folders = [Path(folder) / "jupyter_server_config.d" for folder in jupyter_config_path()]
    files = [f for folder in folders for f in folder.glob("autoencoder-to-vae.json")]
    assert files, f"expected autoencoder-to-vae.json in one of {folders}: pip install -e ."
    settings = json.loads(files[0].read_text())
    assert settings["ServerApp"]["jpserver_extensions"] == {"helpers.saving": True}


def manager_with_extension(folder):
    manager = LargeFileManager(root_dir=str(folder), log=logging.getLogger("test"))
    server = SimpleNamespace(contents_manager=manager, log=logging.getLogger("test"))
    saving._load_jupyter_server_extension(server)
    return manager


def test_the_server_saves_a_notebook_without_the_reference(tmp_path):
    content = notebook_with(output(view={"model_id": "1"}, png=PICTURE))
    model = {"type": "notebook", "format": "json", "content": content}
    manager_with_extension(tmp_path).save(model, "a.ipynb")
    saved = nbformat.read(tmp_path / "a.ipynb", as_version=4)
    assert saved.cells[1].outputs[0].data == {"image/png": PICTURE}


def test_the_server_saves_other_files_as_before(tmp_path, caplog):
    model = {"type": "file", "format": "text", "content": "a line\n"}
    manager_with_extension(tmp_path).save(model, "a.txt")
    assert (tmp_path / "a.txt").read_text() == "a line\n"
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []


# Properties

pictures = st.dictionaries(
    st.sampled_from(["image/png", "text/html", "text/plain", VIEW]), st.sampled_from(["", "abc"])
)
outputs = st.fixed_dictionaries({"output_type": st.just("x")}, optional={"data": pictures})
cells = st.fixed_dictionaries({"source": st.text()}, optional={"outputs": st.lists(outputs)})


@given(st.fixed_dictionaries({"cells": st.lists(cells)}))
def test_saving_drops_a_live_view_beside_a_still_picture_and_nothing_else(notebook):
    before = deepcopy(notebook)
    for cell in before["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if data.get("image/png") or data.get("text/html"):
                output["data"] = {k: v for k, v in data.items() if k != VIEW}
    assert saving.keep_stills(notebook) is notebook
    assert notebook == before
    assert saving.keep_stills(notebook) == before
