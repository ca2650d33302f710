"""What all explorers share: a still picture beside the live view, and a short repr."""

from base64 import b64encode
from io import BytesIO

import anywidget
import matplotlib.pyplot as plt
from matplotlib.figure import Figure


class Explorer(anywidget.AnyWidget):
    """A widget whose output carries a still picture too: `still` (PNG bytes) and `alt`.

    The notebook that is saved keeps only the still picture: see helpers.saving.
    """

    still: bytes = b""
    alt: str = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.alt}"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        picture = {"image/png": b64encode(self.still).decode()}
        return data | picture, metadata | {"image/png": {"alt": self.alt}}


def png(figure: Figure, dpi: int = 100) -> bytes:
    """The figure as PNG bytes; the figure is closed."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    plt.close(figure)
    return buffer.getvalue()
