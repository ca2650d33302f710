"""How long an explorer lives: as long as a cell shows it, or the reader holds it.

ipywidgets would hold every widget for good, and IPython every output: a cell with a latent explorer
of 5,000 images, run fifty times, then takes 510 MB. So ipywidgets holds an explorer weakly, and the
cell that shows it holds it, until it is run again and shows another (50 MB; so measured). Nobody
closes what stands in a variable, in a list or in another cell; what nobody holds closes itself.
"""

import re
import weakref

from IPython import get_ipython
from ipywidgets.widgets import widget as jupyter

_shown: dict[str | None, tuple[str, list]] = {}  # by cell: the run, and the explorers it shows


def loosen(explorer) -> None:
    """Let ipywidgets and the comm hold the explorer weakly."""
    jupyter._instances[explorer.model_id] = weakref.proxy(explorer)
    handle = weakref.WeakMethod(explorer._handle_msg)
    explorer.comm.on_msg(lambda message: handle()(message))


def hold(explorer) -> None:
    """Hold what the cell that runs now shows, and no longer what its earlier run did.

    Where no cell is named (a console, a test of notebooks) it is held for good, as by ipywidgets.
    """
    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)
    request = kernel.get_parent() if kernel else {}
    cell = request.get("metadata", {}).get("cellId")
    run = request.get("header", {}).get("msg_id")
    earlier_run, shown = _shown.get(cell, (run, []))
    if cell is not None and run != earlier_run:
        _forget(shell, shown)
        shown = []
    _shown[cell] = run, [*shown, explorer]


def _forget(shell, explorers: list) -> None:
    """Take earlier outputs out of Out and its copies _12; _, __ and ___ go by themselves."""
    old = {id(explorer) for explorer in explorers}
    for outputs in (shell.user_ns["_oh"], shell.user_ns, shell.user_ns_hidden):
        keys = [key for key, value in outputs.items() if id(value) in old]
        for key in filter(lambda key: re.fullmatch(r"_?\d+", str(key)), keys):
            del outputs[key]
