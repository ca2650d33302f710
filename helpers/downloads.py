"""Full data sets, downloaded once: whole or not at all, and every failure says what to do next."""

import gzip
import hashlib
import os
import tempfile
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import platformdirs

IMAGE_SETS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}
PARTS = ("x_train", "y_train", "x_test", "y_test")  # in the order of torchvision's files
CACHE_VARIABLE = "AUTOENCODER_TO_VAE_CACHE"
PATIENCE = 20  # seconds that a server may be silent


def downloaded(name: str, root: str | Path | None = None) -> list[np.ndarray]:
    """The arrays of a set, as bytes, from the folder that keeps them, or else from the network.

    Args:
        name: one of IMAGE_SETS.
        root: the folder, see load_images.
    Returns:
        x_train, y_train, x_test, y_test: (N, 28, 28) and (N,).
    Raises:
        ConnectionError: if no address delivered a sound copy.
        OSError: if the folder cannot be written, or the file in it is damaged.
    """
    default = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("autoencoder-to-vae")
    path = Path(root or default).expanduser() / f"{name}.npz"
    if not path.exists():  # no lock for who only reads: the folder may be read-only
        _provide(name, path)
    return _read_cached(path)


def _read_cached(path: Path) -> list[np.ndarray]:
    """The arrays of a file that _store wrote; the zip format checks them (CRC-32) as it reads."""
    try:
        with np.load(path) as arrays:
            return [arrays[part] for part in PARTS]
    except (PermissionError, MemoryError):
        raise
    except Exception:  # reading a damaged header may end in any error, and none names the file
        raise OSError(f"{path} is damaged. Delete this file, then load the set again.") from None


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
        _store(dict(zip(PARTS, files, strict=True)), path)
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
