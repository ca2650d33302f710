"""Every explorer refuses what is not finite or of another shape, and takes arrays of any layout."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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
)
from helpers.models import VAE, Autoencoder
from tests.strategies import LAYOUTS, answer_or_none, laid_out, not_finite

AXIS = np.linspace(-8, 8, 401)


def seeded(kind):
    torch.manual_seed(0)
    return kind(2, (3,), 4)


def data_of(x_train, x_test):
    """Images whose classes are of no concern here."""
    return ImageData(x_train, None, x_test, torch.arange(10))


EXPLORERS = {
    "BoundExplorer": (BoundExplorer, {"z": AXIS, "log_joint": -(AXIS**2), "mean": 0.5, "std": 0.5}),
    "PosteriorExplorer": (
        PosteriorExplorer,
        {"z": AXIS, "curve": AXIS, "noise": 0.5, "x": 1.0},
    ),
    "FrozenNoise": (FrozenNoise, {"mu": 1.0, "sigma": 0.5, "eps": [0.5, -1.0]}),
    "EstimatorExplorer": (EstimatorExplorer, {"mu": 1.0, "sigma": 2.0}),
    "KLExplorer": (KLExplorer, {"mu": 1.0, "sigma": 2.0}),
    "PlaneExplorer": (
        PlaneExplorer,
        {
            "x": np.zeros((4, 2)),
            "y": [0, 1, 0, 1],
            "means": np.zeros((2, 2)),
            "covariances": np.stack([np.eye(2)] * 2),
            "weight": [1.0, 0.5],
            "bias": 0.5,
            "limits": (-5.0, 5.0),
            "point": (1.0, 2.0),
        },
    ),
    "FlowExplorer": (
        lambda **options: FlowExplorer(seeded(VAE), **options),
        {"x": np.zeros((3, 4))},
    ),
    "Playground": (
        lambda x_train, x_test, **traits: Playground(data_of(x_train, x_test), **traits),
        {"x_train": np.zeros((64, 4)), "x_test": np.ones((10, 4)), "beta": 1.0},
    ),
    "LatentExplorer": (
        lambda **options: LatentExplorer(seeded(Autoencoder), **options),
        {"x": np.zeros((3, 4)), "x_train": np.ones((3, 4)), "latent_ranges": (-3.0, 3.0)},
    ),
}
ARGUMENTS = [(name, argument) for name, (_, given) in EXPLORERS.items() for argument in given]
ARRAYS = [(n, a) for n, a in ARGUMENTS if isinstance(EXPLORERS[n][1][a], np.ndarray)]


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@given(data=st.data(), bad=not_finite)
@settings(max_examples=10)
def test_explorers_refuse_what_is_not_finite(name, argument, data, bad):
    make, options = EXPLORERS[name]
    values = np.array(options[argument], dtype=float)
    values[tuple(data.draw(st.integers(0, size - 1)) for size in values.shape)] = bad
    with pytest.raises(ValueError, match="^expected .+"):
        make(**options | {argument: values.tolist()})


@pytest.mark.parametrize(("name", "argument"), ARRAYS)
def test_explorers_refuse_another_shape(name, argument):
    make, options = EXPLORERS[name]
    values = options[argument]
    for odd in (values[:0], values[..., :1], values.sum()):
        with pytest.raises(ValueError, match="^expected .+"):
            make(**options | {argument: odd})


@pytest.mark.parametrize("name", EXPLORERS)
@given(data=st.data())
@settings(max_examples=6)
def test_explorers_take_arrays_and_tensors_of_any_layout_and_precision(name, data):
    make, options = EXPLORERS[name]
    dtype, layout = (
        data.draw(st.sampled_from([torch.float32, torch.float64])),
        data.draw(st.sampled_from(LAYOUTS)),
    )
    converted = {
        key: laid_out(torch.tensor(value, dtype=dtype), layout).requires_grad_()
        for key, value in options.items()
        if isinstance(value, np.ndarray)
    }
    explorer, same = make(**options), make(**options | converted)
    assert same.alt == explorer.alt


@pytest.mark.parametrize(
    ("make", "trait"),
    [
        (lambda: LatentExplorer(VAE(2, (3,), 4)), "z"),
        (lambda: FlowExplorer(VAE(2, (3,), 4), torch.rand(2, 4)), "eps"),
        (lambda: FrozenNoise(0.0, 1.0, [0.0]), "eps"),
    ],
    ids=["latent", "flow", "frozen noise"],
)
def test_what_a_network_gave_can_be_set_with_its_gradient(make, trait):
    explorer = make()
    setattr(explorer, trait, torch.tensor([0.5, -1.25], requires_grad=True))
    assert getattr(explorer, trait) == [0.5, -1.25]


def page_of(value):
    """A picture that differs from those of other values, by its size."""
    return plt.figure(figsize=(0.1, 0.1 + value / 100))


@given(
    st.lists(st.integers(0, 9), max_size=4, unique=True),
    st.sampled_from([" ", "A line."]),
    st.integers(0, 9) | st.none() | not_finite,
)
def test_a_flipbook_has_a_page_a_value_or_refuses_its_arguments(values, alt, start):
    book = answer_or_none(lambda: Flipbook(page_of, values, label="v", alt=alt, start=start))
    if not values or not alt.strip() or start not in (None, *values):
        assert book is None
        return
    assert book.value == (values[len(values) // 2] if start is None else start)
    sizes = book.spec["sizes"]
    assert len(sizes) == len(values)
    assert len(book.frames) == sum(sizes)
    first = sum(sizes[: book.index])
    assert book.frames[first : first + sizes[book.index]] == book.still
