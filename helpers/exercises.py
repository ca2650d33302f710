"""Claims that are about one data set; and questions, packed so that nobody reads the answers."""

import base64
import traceback
import zlib
from collections.abc import Iterator
from contextlib import contextmanager


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
