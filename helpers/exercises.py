"""Checkers: of an exercise's answer, and of claims that are about one data set."""

import base64
import traceback
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from helpers.checks import to_numpy


def check(answer, expected, *, tolerance: float = 1e-4) -> bool | None:
    """Print whether an exercise is right, wrong (what was expected, what came), or still open.

    Args:
        answer: a number, or an array, tensor or list of numbers, None while not attempted.
        expected: the exact value, of the same shape.
        tolerance: absolute and relative.
    Returns:
        True, False, or None where answer is None: `assert check(...)` in a solution.
    Raises:
        ValueError: if expected is not a number or an array of numbers, or is NaN.
    Source:
        The exercises at the end of every notebook.
    """
    came, wanted = _numbers(answer), _numbers(expected)
    if wanted is None or np.isnan(wanted).any():
        raise ValueError(f"expected a number or an array of numbers to check by; got {expected!r}")
    if answer is None:
        print("Not attempted yet.")
        return None
    if came is None:
        print(f"Wrong: expected a number or an array of numbers, got {type(answer).__name__}")
        return False
    if came.shape != wanted.shape:
        print(f"Wrong: expected shape {wanted.shape}, got {came.shape}")
        return False
    if np.allclose(came, wanted, rtol=tolerance, atol=tolerance):
        print(f"Right: {_text(came)}")
        return True
    print(f"Wrong: expected {_text(wanted)}, got {_text(came)}")
    return False


@contextmanager
def about_digits(dataset: str) -> Iterator[None]:
    """A block of asserts about handwritten digits: on other images they stand aside.

    Args:
        dataset: the name that load_images was given.
    Raises:
        AssertionError: as usual on digits, "mnist5k" and "mnist"; elsewhere a line tells which
            claim does not hold, and the asserts after it in the block are left out.
    Source:
        notebooks/01, section 2.
    """
    try:
        yield
    except AssertionError as error:
        if dataset in ("mnist5k", "mnist"):
            raise
        claim = traceback.extract_tb(error.__traceback__)[-1].line
        print(f"A claim about handwritten digits, which does not hold on {dataset}: {claim}")


def packed(source: str) -> str:
    """A question's source as one line of letters, which nobody reads by accident.

    Args:
        source: any text.
    Returns:
        what `unpacked` gives the text back from.
    Source:
        docs/handout.py, which makes the notebooks that students get.
    """
    return base64.b64encode(zlib.compress(source.encode(), 9)).decode()


def unpacked(text: str) -> str:
    """What `packed` was given.

    Args:
        text: a line from `packed`.
    Returns:
        the text that it stands for.
    Raises:
        ValueError: if the line was not made by `packed`, or was cut.
    Source:
        docs/handout.py, which makes the notebooks that students get.
    """
    try:
        return zlib.decompress(base64.b64decode(text, validate=True)).decode()
    except (ValueError, zlib.error) as error:
        raise ValueError(f"expected a line that `packed` made; got {text[:20]!r}…") from error


def _numbers(values) -> np.ndarray | None:
    """values as float64, or None where they are no numbers."""
    if isinstance(values, (list, tuple)):
        values = [_numbers(value) for value in values]
    try:
        values = to_numpy(values)
        return values.astype(np.float64) if values.dtype.kind in "biuf" else None
    except ValueError:  # rows of different lengths
        return None


def _text(values: np.ndarray) -> str:
    return np.array2string(values, precision=7, separator=", ", threshold=20, suppress_small=True)
