"""A notebook is saved with the still picture of an explorer, not with a reference to a live widget.

JupyterLab shows a saved widget whose kernel is gone as "model not found". The outputs of our
explorers carry a still picture beside the reference; when a notebook is saved, the reference is
dropped. pip installs this module as an extension of the Jupyter server, and `make notebooks` uses
keep_stills too.
"""

import sys
from pathlib import Path

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def keep_stills(notebook: dict) -> dict:
    """Drop the widget reference, in place, from every output that has a still picture too."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if output.get("data", {}).get("image/png"):
                output["data"].pop(WIDGET_VIEW, None)
    return notebook


def _before_save(model, **kwargs) -> None:
    if model["type"] == "notebook" and model.get("content"):
        keep_stills(model["content"])


def _load_jupyter_server_extension(server) -> None:
    server.contents_manager.register_pre_save_hook(_before_save)
    server.log.info("helpers.saving: explorers are saved as still pictures")


def _jupyter_server_extension_points() -> list[dict]:
    return [{"module": "helpers.saving"}]


def executed(path, *first) -> dict:
    """The notebook, run from top to bottom; the cells `first` run before its own and stay in it."""
    import nbformat  # imported here: the server needs only the hook
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    notebook.cells[:0] = first
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": Path(path).parent}},
        record_timing=False,
        store_widget_state=False,
    )
    client.execute()
    notebook.metadata.pop("widgets", None)
    return keep_stills(notebook)


def run_in_place(paths: list[str]) -> None:
    """Run notebooks from top to bottom and save them with their outputs, as `make notebooks`."""
    import nbformat

    for path in paths:
        nbformat.write(executed(path), path)
        print(path)


if __name__ == "__main__":
    run_in_place(sys.argv[1:])
