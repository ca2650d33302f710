"""What explorers share: one picture a cell, a still that follows, a grid in equal steps."""

from types import SimpleNamespace

import numpy as np
import pytest

from helpers.explorers import BoundExplorer, FrozenNoise, GradientExplorer, PosteriorExplorer, base

Z = np.linspace(-10, 10, 1001)
ON_A_GRID = {
    "bound": lambda z: BoundExplorer(z, -(Z**2)),
    "posterior": lambda z: PosteriorExplorer(z, Z, 0.3),
}


@pytest.fixture
def run_cell(monkeypatch):
    """run_cell(cell, run) makes an explorer as if in that run of that notebook cell."""
    request = {}
    kernel = SimpleNamespace(get_parent=lambda: request)
    monkeypatch.setattr(base, "get_ipython", lambda: SimpleNamespace(kernel=kernel))
    monkeypatch.setattr(base, "_made", {})

    def make(cell: str | None, run: str) -> FrozenNoise:
        metadata = {} if cell is None else {"cellId": cell}
        request.update(metadata=metadata, header={"msg_id": run})
        return FrozenNoise(0.0, 1.0, [0.5])

    return make


def is_open(explorer) -> bool:
    return explorer.comm is not None


def test_a_cell_run_again_closes_all_that_it_made_before(run_cell):
    first, second = run_cell("a", "1"), run_cell("a", "1")
    assert is_open(first)
    assert is_open(second)
    third = run_cell("a", "2")
    assert [is_open(explorer) for explorer in (first, second, third)] == [False, False, True]


def test_a_cell_leaves_the_explorers_of_other_cells_open(run_cell):
    other = run_cell("a", "1")
    run_cell("b", "2")
    assert is_open(other)


def test_where_no_cell_is_named_nothing_is_closed(run_cell):
    first = run_cell(None, "1")
    run_cell(None, "2")
    assert is_open(first)


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (ON_A_GRID["bound"], "mean", "mean 1.20"),
        (ON_A_GRID["posterior"], "x", "x = 1.20"),
        (lambda z: FrozenNoise(0.0, 1.0, [0.5]), "mu", "μ = 1.20"),
        (lambda z: GradientExplorer(0.0, 1.0, 30), "mu", "μ = 1.20"),
    ],
    ids=["bound", "posterior", "frozen noise", "gradient"],
)
def test_the_still_picture_and_its_text_follow_the_value(make, name, words):
    explorer = make(Z)
    before = explorer.still
    assert words not in explorer.alt
    setattr(explorer, name, 1.2)
    assert explorer.still != before
    assert explorer.still.startswith(b"\x89PNG")
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
