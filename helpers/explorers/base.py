"""What all explorers share: a still picture beside the live view, and a short repr."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import anywidget
import numpy as np
from IPython import get_ipython

from helpers.explorers import pages


def module(*names: str) -> str:
    """The ES module of an explorer: what all share, and then the files of these names."""
    folder = Path(__file__).parent
    return "\n".join((folder / name).read_text("utf-8") for name in ("common.js", *names))


class Explorer(anywidget.AnyWidget):
    """A widget whose output carries a still picture too: `still` (PNG bytes) and `alt`.

    The notebook that is saved keeps only the still picture: see helpers.saving.
    """

    still: bytes = b""
    alt: str = ""
    for_pages = False  # docs/build.py sets it: outputs then carry what a web page needs

    def __init__(self, **traits):
        super().__init__(**traits)
        _close_earlier(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.alt}"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data |= {"image/png": b64encode(self.still).decode()}
        if self.for_pages:
            data |= {pages.MIME: pages.parts(self)}
        return data, metadata | {"image/png": {"alt": self.alt}}

    def page_state(self) -> dict | None:
        """The state for a page without a kernel; None where the explorer needs one."""
        return pages.state(self)

    def to_html(self, path) -> None:
        """Write the explorer as one page of at most 1 MB, which needs no kernel and no network.

        Put it into another page with `<iframe src="…" title="…"></iframe>`, or open it as it is.
        What a LatentExplorer must leave out to be so small, the page says.

        Raises:  ValueError if the explorer needs a kernel, or is too large.
        """
        state = self.page_state()
        if state is None:
            raise ValueError("expected an explorer that needs no kernel; this one does")
        pages.write(path, self, self.smaller_states(state))

    def smaller_states(self, state: dict) -> Iterator[dict]:
        """The state, and others that take less room and show less."""
        yield state


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


def on_grid(z, values, name: str) -> tuple[np.ndarray, np.ndarray]:
    """z (N,), which must increase in equal steps, and the finite values (N,) of this name at z."""
    z, values = np.asarray(z, dtype=float), np.asarray(values, dtype=float)
    if z.ndim != 1 or len(z) < 3 or z.shape != values.shape:
        raise ValueError(f"expected z (N,) and {name} (N,); got {z.shape} and {values.shape}")
    steps = np.diff(z)
    even = np.allclose(steps, steps[0], rtol=1e-3)  # as even as float32 can be
    if not (steps[0] > 0 and even and np.isfinite(values).all()):
        raise ValueError(f"expected z increasing in equal steps, and a finite {name}")
    return z, values
