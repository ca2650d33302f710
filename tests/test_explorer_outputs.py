"""What explorers share: one shape of all faces, and limits from Python."""

import re

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from torch import nn

from helpers.explorers import (
    BoundExplorer,
    Flipbook,
    FrozenNoise,
    GradientExplorer,
    LatentExplorer,
    PlaneExplorer,
    PosteriorExplorer,
)
from helpers.explorers.base import Slider

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


FACES = {
    "bound": lambda: ON_A_GRID["bound"](Z),
    "posterior": lambda: ON_A_GRID["posterior"](Z),
    "frozen noise": lambda: FrozenNoise(0.0, 1.0, [0.5]),
    "gradient": lambda: GradientExplorer(0.0, 1.0, 30),
    "plane": plane,
    "latent": latent,
    "flipbook": lambda: Flipbook(lambda v: plt.figure(), [1, 2], label="l", alt="A line."),
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
    wide = PosteriorExplorer(Z, Z, 0.3, x_range=(-9, 9), x=8)
    assert wide.spec["limits"] == {"x": [-9, 9]}
    with pytest.raises(ValueError, match="expected x between -3 and 3; got 8"):
        PosteriorExplorer(Z, Z, 0.3, x=8)


@pytest.mark.parametrize(
    ("face", "name", "words"),
    [
        ("bound", "mean", "mean 1.20"),
        ("posterior", "x", "x = 1.20"),
        ("frozen noise", "mu", "μ = 1.20"),
        ("gradient", "mu", "μ = 1.20"),
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
