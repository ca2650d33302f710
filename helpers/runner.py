"""Run notebooks from top to bottom: `make notebooks` saves them so, docs/build.py shows them."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from helpers.saving import keep_stills


def executed(notebook: dict, folder) -> dict:
    """The notebook, run from top to bottom in the folder; its explorers leave still pictures."""
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # printed in parts, by chance of timing, and yet one text
    )
    client.execute()
    notebook.metadata.pop("widgets", None)
    return keep_stills(notebook)


def run_in_place(paths: list[str]) -> None:
    """Run notebooks and save them with their outputs."""
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        nbformat.write(executed(notebook, Path(path).parent), path)
        print(path)


if __name__ == "__main__":
    run_in_place(sys.argv[1:])
