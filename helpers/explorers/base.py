"""What all explorers share: a still picture beside the live view, and a short repr."""

import re
from base64 import b64encode
from html import escape
from pathlib import Path

import anywidget
import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib.figure import Figure

from helpers.checks import to_numpy
from helpers.explorers import holding, pages
from helpers.plots import STYLE, png

JS = Path(__file__).with_name("js")
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([^"/]+)";\n', re.M)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const|class) (\w+))", re.M)
DEFAULT = re.compile(r"^export default (\{[^}]*\});\n", re.M)


def module(name: str, folder: Path = JS) -> str:
    """One ES module of a view and all that it imports: JupyterLab and a page load one file.

    Each file stands in it once, after what it imports, in a scope of its own.

    Raises:
        ValueError: for an import or export of another form than `import { a } from "./b.js"`, one
            that cannot be resolved, and files that import each other in a circle.
    """
    return f"{script(name, folder)}export default {_scope_name(name)}.default;\n"


def script(name: str, folder: Path = JS) -> str:
    """The same as a classic script, for a worker that is made from a Blob."""
    scopes: dict[str, tuple[str, set[str]]] = {}
    _add_scope(name, folder, scopes, ())
    return "".join(text for text, _ in scopes.values())


def _add_scope(name: str, folder: Path, scopes: dict, importing: tuple[str, ...]) -> set[str]:
    """Put the file, behind what it imports, into scopes; give the names that it exports."""
    chain = " → ".join([*importing, name])
    if name in importing:
        raise ValueError(f"expected no circle of imports; got {chain}")
    if name in scopes:
        return scopes[name][1]
    if not (folder / name).is_file():
        raise ValueError(f"expected the files of {chain} in {folder}; got no {name}")
    text = (folder / name).read_text("utf-8")
    for names, source in IMPORT.findall(text):
        known = _add_scope(source, folder, scopes, (*importing, name))
        for asked in filter(None, map(str.strip, names.split(","))):
            if asked not in known:
                raise ValueError(f"{name} imports {asked}, which {source} does not export")
    exports = EXPORT.findall(text)
    body = IMPORT.sub(lambda found: f"const {{{found[1]}}} = {_scope_name(found[2])};\n", text)
    body = EXPORT.sub("", DEFAULT.sub("", body))
    if left := re.search(r"^(?:import|export)\b.*", body, re.M):
        raise ValueError(f"cannot resolve this line of {name}: {left[0]}")
    result = ", ".join([*exports, *(f"default: {value}" for value in DEFAULT.findall(text))])
    scope = f"const {_scope_name(name)} = (() => {{\n{body}return {{ {result} }};\n}})();\n"
    scopes[name] = scope, set(exports)
    return scopes[name][1]


def _scope_name(file: str) -> str:
    return "scope_" + re.sub(r"\W", "_", file.removesuffix(".js"))


def within(name: str, value, low: float, high: float):
    """The value, a number or an array, or ValueError where it leaves the limits."""
    values = to_numpy(value)
    if not np.all((low <= values) & (values <= high)):  # NaN is nowhere
        raise ValueError(f"expected {name} between {low:g} and {high:g}; got {value}")
    return value


class Slider(traitlets.CFloat):
    """A number between two limits, which a slider in the page sets.

    What holds is the explorer's `spec["limits"]`: these limits, unless an explorer has its own.
    """

    def __init__(self, low: float, high: float, default: float):
        super().__init__(default)
        self.low, self.high = low, high
        self.tag(sync=True)

    def validate(self, obj, value):
        return within(self.name, super().validate(obj, value), *obj.spec["limits"][self.name])


class Explorer(anywidget.AnyWidget):
    """A widget whose output carries a still picture too, which the saved notebook keeps.

    A subclass says how it looks and what it shows: `draw(figure)` fills the still picture,
    `describe()` is the text for who cannot see it, and `numbers` are the values that the reader
    sees, by the names that the view gives them (`data-value`). See helpers.saving.

    Args:
        spec: what the view needs and what stays as it is. The limits of the sliders join it as
            "limits", {name: [low, high]}; a spec may bring its own limits for this explorer, and
            some for other traits. "whole" names the traits that are integers. No link to a page
            sets a trait to anything else.
        traits: the values at the start.
    """

    figure_size = (7.4, 3.2)  # inches
    for_pages = False  # docs/build.py sets it: outputs then carry what a web page needs
    spec = traitlets.Dict().tag(sync=True)

    def draw(self, figure: Figure) -> None:
        """Draw the still picture."""
        raise NotImplementedError

    def describe(self) -> str:
        """What the still picture shows, in a sentence or two."""
        raise NotImplementedError

    @property
    def numbers(self) -> dict[str, float]:
        """The values that the reader sees, by name."""
        raise NotImplementedError

    @property
    def still(self) -> bytes:
        with plt.style.context(STYLE):
            figure = plt.figure(figsize=self.figure_size)
            self.draw(figure)
            return png(figure)

    @property
    def alt(self) -> str:
        return self.describe()

    @property
    def markup(self) -> str:
        """The still as HTML, for a page."""
        source = f"data:image/png;base64,{b64encode(self.still).decode()}"
        return f'<img src="{source}" alt="{escape(self.alt)}" style="max-width:100%">'

    @classmethod
    def limits(cls) -> dict[str, list[float]]:
        """(low, high) of each Slider, by name."""
        return {
            name: [t.low, t.high] for name, t in cls.class_traits().items() if isinstance(t, Slider)
        }

    @classmethod
    def whole(cls) -> list[str]:
        """The names of the traits that are integers in the page; so are the places of names."""
        traits, kinds = cls.class_traits(sync=True), (traitlets.Int, traitlets.Enum)
        return [name for name, t in traits.items() if isinstance(t, kinds) and name[0] != "_"]

    def __init__(self, spec: dict | None = None, **traits):
        spec = spec or {}
        own = {"limits": self.limits() | spec.get("limits", {}), "whole": self.whole()}
        super().__init__(spec=spec | own, **traits)  # the spec first: traits need it
        holding.loosen(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.alt}"

    def _repr_mimebundle_(self, **kwargs):
        holding.hold(self)
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data |= {"image/png": b64encode(self.still).decode()}
        if self.for_pages:
            data |= {pages.MIME: pages.parts(self)}
        return data, metadata | {"image/png": {"alt": self.alt}}

    def page_state(self) -> dict | None:
        """The state for a page without a kernel; None where the explorer needs one."""
        return pages.state(self)

    def to_html(self, path) -> None:
        """Write the explorer as one page, which needs no kernel and no network.

        Put it into another page with `<iframe src="…" title="…"></iframe>`, or open it as it is.

        Args:
            path: the file. It is as large as the explorer, compressed: some 100 kB, and 4 MB for a
                LatentExplorer of the default network with 5,000 images.
        Raises:
            ValueError: if the explorer needs a kernel.
        """
        Path(path).write_text(pages.page(self), "utf-8")


def on_grid(z, values, name: str) -> tuple[np.ndarray, np.ndarray]:
    """z (N,), which must increase in equal steps, and the finite values (N,) of this name at z."""
    z, values = to_numpy(z).astype(float), to_numpy(values).astype(float)
    if z.ndim != 1 or len(z) < 3 or z.shape != values.shape:
        raise ValueError(f"expected z (N,) and {name} (N,); got {z.shape} and {values.shape}")
    steps = np.diff(z)
    even = np.allclose(steps, steps[0], rtol=1e-3)  # as even as float32 can be
    if not (steps[0] > 0 and even and np.isfinite(values).all()):
        raise ValueError(f"expected z increasing in equal steps, and a finite {name}")
    return z, values
