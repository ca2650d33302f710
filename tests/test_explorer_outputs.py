"""What explorers share: one shape of all faces, limits from Python, and how long they live."""

import gc
import re
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from matplotlib import pyplot as plt
from torch import nn
from traitlets.config import Config

from helpers.data import ImageData
from helpers.explorers import (
    BoundExplorer,
    EstimatorExplorer,
    Flipbook,
    FlowExplorer,
    FrozenNoise,
    KLExplorer,
    LatentExplorer,
    PlaneExplorer,
    Playground,
    PosteriorExplorer,
    holding,
)
from helpers.explorers.base import Slider
from helpers.models import VAE

Z = np.linspace(-10, 10, 1001)
ON_A_GRID = {
    "bound": lambda z: BoundExplorer(z, -(Z**2)),
    "posterior": lambda z: PosteriorExplorer(z, Z, 0.3),
}


def latent():
    torch.manual_seed(0)
    return LatentExplorer(
        (nn.Linear(784, 2), nn.Linear(2, 784)), torch.rand(9, 784), [*"aabbccdde"]
    )


def plane():
    x, covariances = [[0, 0], [1, 1]], [[[1, 0], [0, 1]]] * 2
    return PlaneExplorer(x, [0, 1], [[0, 0], [1, 2]], covariances, [1, -2], 0.5)


def playground():
    """One with a model, which has numbers."""
    y, rows = torch.arange(80) % 10, torch.rand(80, 16)
    explorer = Playground(ImageData(rows, y, rows[:30], y[:30]))
    explorer.model = VAE(2, (32,), 16)
    return explorer


FACES = {
    "bound": lambda: ON_A_GRID["bound"](Z),
    "posterior": lambda: ON_A_GRID["posterior"](Z),
    "frozen noise": lambda: FrozenNoise(0.0, 1.0, [0.5]),
    "estimator": lambda: EstimatorExplorer(0.0, 1.0, 30),
    "kl": lambda: KLExplorer(0.0, 1.0),
    "plane": plane,
    "latent": latent,
    "flipbook": lambda: Flipbook(lambda v: plt.figure(), [1, 2], label="l", alt="A line."),
    "flow": lambda: FlowExplorer(VAE(2, (8,), 16), torch.rand(5, 16)),
    "playground": playground,
}


@pytest.mark.parametrize("make", FACES.values(), ids=FACES)
def test_a_face_has_a_picture_a_text_and_numbers_that_can_name_places_in_a_page(make):
    explorer = make()
    assert explorer.still.startswith(b"\x89PNG")
    assert plt.get_fignums() == []
    assert explorer.alt == explorer.describe()
    assert len(explorer.alt) > 5
    assert explorer.numbers
    for name, value in explorer.numbers.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert type(value) is float


SLIDERS = [
    (make, name)
    for make in FACES.values()
    for name, trait in type(make()).class_traits().items()
    if isinstance(trait, Slider)
]


@pytest.mark.parametrize(("make", "name"), SLIDERS)
def test_a_slider_goes_as_far_as_the_limits_that_the_view_gets_and_no_farther(make, name):
    explorer = make()
    low, high = explorer.get_state()["spec"]["limits"][name]
    for value in (low, high):
        setattr(explorer, name, value)
    for value in (low - 1e-6, high + 1e-6, float("nan")):
        with pytest.raises(ValueError, match=f"expected {name} between .* and .*; got"):
            setattr(explorer, name, value)
    assert getattr(explorer, name) == high


def test_the_limits_of_one_explorer_are_its_own():
    few, many = (FlowExplorer(VAE(2, (8,), 16), torch.rand(n, 16)) for n in (2, 9))
    many.index = 8
    assert (few.spec["limits"]["index"], many.spec["limits"]["index"]) == ([0, 1], [0, 8])
    assert "index" not in FlowExplorer.limits()
    with pytest.raises(ValueError, match="expected index between 0 and 1; got 2"):
        few.index = 2


@pytest.mark.parametrize(
    ("face", "name", "words"),
    [
        ("bound", "mean", "mean 1.20"),
        ("posterior", "x", "x = 1.20"),
        ("frozen noise", "mu", "μ = 1.20"),
        ("estimator", "mu", "μ = 1.20"),
        ("kl", "mu", "μ = 1.20"),
    ],
)
def test_the_still_picture_and_its_text_follow_the_value(face, name, words):
    explorer = FACES[face]()
    before = explorer.still
    assert words not in explorer.alt
    setattr(explorer, name, 1.2)
    assert explorer.still != before
    assert words in explorer.alt


@pytest.mark.parametrize("make", ON_A_GRID.values(), ids=ON_A_GRID)
@pytest.mark.parametrize(
    ("z", "message"),
    [(Z[:5], "expected z"), (Z[::-1], "equal steps"), (Z**3, "equal steps")],
    ids=["another length", "falling", "uneven"],
)
def test_a_grid_that_does_not_fit_is_refused(make, z, message):
    make(Z)
    with pytest.raises(ValueError, match=message):
        make(z)


# How long an explorer lives. IPython itself runs the cells; only the kernel is a stand-in.


@pytest.fixture
def run_cell(monkeypatch, tmp_path):
    """run_cell(cell, code) runs the code as that cell of a notebook; gives the shell."""
    config = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell(config=config, ipython_dir=str(tmp_path))
    request, made = {}, []
    shell.kernel = SimpleNamespace(get_parent=lambda: request)
    monkeypatch.setattr(holding, "get_ipython", lambda: shell)
    monkeypatch.setattr(holding, "_shown", {})
    monkeypatch.setattr(FrozenNoise, "still", b"")  # quickly

    def make():
        explorer = FrozenNoise(0.0, 1.0, [0.5])
        made.append(weakref.ref(explorer))
        return explorer

    shell.user_ns |= {"make": make, "display": shell.display_formatter.format}

    def run(cell: str | None, code: str) -> list:
        """The explorers made so far that live."""
        metadata = {} if cell is None else {"cellId": cell}
        request.update(metadata=metadata, header={"msg_id": f"run {shell.execution_count}"})
        shell.run_cell(code, store_history=True).raise_error()
        return [number for number, one in enumerate(made) if one() is not None]

    return run


def living(run_cell):
    """The explorers, by number, that live once their outputs are not the last ones."""
    for code in ("1", "2", "3"):  # they push an earlier output out of _, __ and ___
        run_cell(f"cell {code}", code)
    return run_cell("cell 3", "3")


@pytest.mark.parametrize("make", FACES.values(), ids=FACES)
def test_what_nobody_holds_dies_at_once(make):
    gc.collect()
    gc.disable()
    try:
        explorer = weakref.ref(make())
        assert explorer() is None
    finally:
        gc.enable()


def test_a_cell_run_fifty_times_keeps_its_last_explorer_alone(run_cell):
    for _ in range(50):
        run_cell("a", "explorer = make(); explorer")
    assert living(run_cell) == [49]


def test_what_a_cell_shows_lives_without_a_name(run_cell):
    run_cell("a", "display(make()); display(make())")
    assert living(run_cell) == [0, 1]
    run_cell("a", "make()")
    assert living(run_cell) == [2]


@pytest.mark.parametrize("keep", ["kept = explorer", "kept = [explorer]", "kept = explorer.close"])
def test_what_the_reader_holds_lives(run_cell, keep):
    run_cell("a", "explorer = make(); explorer")
    run_cell("b", keep)
    run_cell("a", "explorer = make(); explorer")
    assert living(run_cell) == [0, 1]
    run_cell("b", "del kept")
    assert living(run_cell) == [1]


def test_what_another_cell_shows_lives(run_cell):
    run_cell("a", "explorer = make(); explorer")
    run_cell("b", "explorer")
    run_cell("a", "explorer = make(); explorer")
    assert living(run_cell) == [0, 1]
    run_cell("b", "explorer")
    assert living(run_cell) == [1]


def test_what_dies_tells_the_page_and_what_lives_still_hears_it(run_cell, monkeypatch):
    closed = []
    monkeypatch.setattr(FrozenNoise, "close", lambda self: closed.append(self.mu))
    explorer = FrozenNoise(1.0, 1.0, [0.5])
    data = {"method": "update", "state": {"mu": 1.25}, "buffer_paths": []}
    explorer.comm.handle_msg({"content": {"data": data}, "buffers": []})
    assert explorer.mu == 1.25
    del explorer
    assert closed == [1.25]


def test_where_no_cell_is_named_all_live(run_cell):
    run_cell(None, "make()")
    assert run_cell(None, "make()") == [0, 1]
