"""A slider over pictures that were all drawn beforehand."""

from collections.abc import Callable, Sequence

import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.explorers.base import Explorer, module, within
from helpers.plots import png


class Flipbook(Explorer):
    """One picture for each value of a slider, drawn once in Python and turned in the browser.

    Turning the pages asks nothing of the kernel, so it keeps up with the pointer and goes on when
    the kernel is busy or gone.

    Args:
        draw: value -> a figure or axes, of one size for all values.
        values: at least one number.
        label: what the slider stands for.
        alt: what the pictures show, in words.
        start: the value shown first (default: the middle one).
    Traits:
        value: the value that the slider was last released at.
    Raises:
        ValueError: if there are no values, alt is empty, or start is not one of the values.
    Source:
        first used in notebooks/05, section 9.
    """

    _esm = module("flipbook.js")
    frames = traitlets.Bytes().tag(sync=True)
    captions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    index = traitlets.Int().tag(sync=True)

    def __init__(
        self,
        draw: Callable[[float], Figure | Axes],
        values: Sequence[float],
        *,
        label: str,
        alt: str,
        start: float | None = None,
    ):
        values = [float(value) for value in values]
        if not values or not alt.strip():
            raise ValueError("expected at least one value, and an alt text; got none")
        start = values[len(values) // 2] if start is None else float(start)
        if start not in values:
            raise ValueError(f"expected start to be one of the values; got {start:g}")
        pages = [_page(draw(value)) for value in values]
        self.values = values
        super().__init__(
            {"limits": {"index": [0, len(values) - 1]}, "sizes": [len(page) for page in pages]},
            frames=b"".join(pages),
            captions=[f"{value:.4g}" for value in values],
            label=label,
            alt=alt,
            index=values.index(start),
        )

    @traitlets.validate("index")
    def _check_index(self, proposal):
        return within("index", proposal["value"], *self.spec["limits"]["index"])

    @property
    def value(self) -> float:
        return self.values[self.index]

    @property
    def numbers(self) -> dict[str, float]:
        return {"value": self.value}

    @property
    def still(self) -> bytes:
        """The page shown, as it was drawn: a page of pixels is not drawn a second time."""
        sizes = self.spec["sizes"]
        start = sum(sizes[: self.index])
        return self.frames[start : start + sizes[self.index]]

    def describe(self) -> str:
        return self.alt


def _page(drawn: Figure | Axes) -> bytes:
    return png(drawn.get_figure(root=True) if isinstance(drawn, Axes) else drawn)
