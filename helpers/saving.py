"""A notebook is saved with the still picture of an explorer, not with a reference to a live widget.

JupyterLab shows a saved widget whose kernel is gone as "model not found". The outputs of our
explorers carry a still beside the reference, a picture or a piece of HTML; when a notebook is
saved, the reference is dropped. pip installs this module as an extension of the Jupyter server, and
helpers.runner uses keep_stills too.
"""

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STILLS = ("image/png", "text/html")


def keep_stills(notebook: dict) -> dict:
    """Drop the widget reference, in place, from every output that has a still too."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if any(data.get(kind) for kind in STILLS):
                data.pop(WIDGET_VIEW, None)
    return notebook


def _before_save(model, **kwargs) -> None:
    if model["type"] == "notebook" and model.get("content"):
        keep_stills(model["content"])


def _load_jupyter_server_extension(server) -> None:
    server.contents_manager.register_pre_save_hook(_before_save)
    server.log.info("helpers.saving: explorers are saved as still pictures")


def _jupyter_server_extension_points() -> list[dict]:
    return [{"module": "helpers.saving"}]
