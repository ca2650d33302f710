"""What all explorers share: a cell that is run again closes what it showed before."""

from types import SimpleNamespace

import pytest

from helpers.explorers import FrozenNoise, base


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
