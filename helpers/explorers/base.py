"""What all explorers share: a still picture beside the live view, and a short repr."""

from base64 import b64encode
from io import BytesIO

import anywidget
import matplotlib.pyplot as plt
from IPython import get_ipython
from matplotlib.figure import Figure


class Explorer(anywidget.AnyWidget):
    """A widget whose output carries a still picture too: `still` (PNG bytes) and `alt`.

    The notebook that is saved keeps only the still picture: see helpers.saving.
    """

    still: bytes = b""
    alt: str = ""

    def __init__(self, **traits):
        super().__init__(**traits)
        _close_earlier(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.alt}"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        picture = {"image/png": b64encode(self.still).decode()}
        return data | picture, metadata | {"image/png": {"alt": self.alt}}


_made: dict[str, tuple[str, list[Explorer]]] = {}  # by cell: the run, and what it made


def _close_earlier(explorer: Explorer) -> None:
    """Close what the same cell made in an earlier run, which would be kept for good otherwise."""
    kernel = getattr(get_ipython(), "kernel", None)
    request = kernel.get_parent() if kernel else {}
    cell = request.get("metadata", {}).get("cellId")
    if cell is None:
        return
    run, made = _made.get(cell, ("", []))
    if run != request["header"]["msg_id"]:
        for earlier in made:
            earlier.close()
        made = []
    _made[cell] = request["header"]["msg_id"], [*made, explorer]


def png(figure: Figure, dpi: int = 100) -> bytes:
    """The figure as PNG bytes; the figure is closed."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    plt.close(figure)
    return buffer.getvalue()
