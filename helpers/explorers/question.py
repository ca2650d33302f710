"""Questions in the page: the reader commits, then sees right or wrong, and why."""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from math import isfinite

from traitlets import Any, Unicode, validate

from helpers.explorers.base import Explorer, module


class _Asked(Explorer):
    """A question. Its saved output is HTML: the text and the options, never the answer."""

    _esm = module("question.js")
    sealed = Unicode().tag(sync=True)  # not to be read by accident in a page's state
    reply = Any(None, allow_none=True).tag(sync=True)

    def __init__(self, spec: dict, secret: dict):
        super().__init__(spec, sealed=b64encode(json.dumps(secret).encode()).decode())

    @property
    def numbers(self) -> dict[str, float]:
        """None: what the reader replied is no result."""
        return {}

    def describe(self) -> str:
        return " · ".join(map(_plain, [self.spec["text"], *self.spec.get("options", [])]))

    still = b""  # it has no picture

    @property
    def markup(self) -> str:
        """What stands where the question is not alive."""
        options = "".join(f"<li>{_html(option)}</li>" for option in self.spec.get("options", []))
        return f"<p><strong>{_html(self.spec['text'])}</strong></p>" + (
            f"<ul>{options}</ul>" if options else ""
        )

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        del data["image/png"], metadata["image/png"]
        return data | {"text/html": self.markup, "text/plain": repr(self)}, metadata


class Question(_Asked):
    """A question with options: radio buttons, and a reply once the reader has committed.

    Texts are set as text; what stands between `backticks` is set as code.

    Args:
        text: the question.
        options: at least two texts.
        answer: which of them is right, counted from 0.
        why: one text for all, or one for each option: what speaks for the right one, and which
            misconception, by its name, each of the others is.
    Traits:
        reply: the option that the reader committed to; None before.
    Raises:
        ValueError: for an empty text, fewer than two options, equal ones, an answer that is none
            of them, or another number of whys.
    Source:
        notebooks/01, section 1.
    """

    def __init__(self, text: str, options: Sequence[str], answer: int, why: str | Sequence[str]):
        options, whys = list(options), [why] * len(options) if isinstance(why, str) else list(why)
        if len(set(options)) != len(options) or len(options) < 2:
            raise ValueError(f"expected two options or more, all different; got {options}")
        if isinstance(answer, bool) or answer not in range(len(options)):
            raise ValueError(f"expected answer from 0 to {len(options) - 1}; got {answer!r}")
        if len(whys) != len(options):
            raise ValueError(f"expected one why, or {len(options)}; got {len(whys)}")
        _require_text(text, *options, *whys)
        super().__init__({"text": text, "options": options}, {"answer": answer, "whys": whys})

    @validate("reply")
    def _check_reply(self, proposal):
        reply = proposal["value"]
        if reply is not None and reply not in range(len(self.spec["options"])):
            raise ValueError(f"expected reply to be the place of an option; got {reply!r}")
        return reply


class NumberQuestion(_Asked):
    """A question whose answer is a number: a field, and a reply once the reader has committed.

    Args:
        text: the question.
        answer: the number.
        tolerance: how far a right reply may lie from it, 0 or more.
        why: what the reader sees once committed.
        unit: stands behind the field.
    Traits:
        reply: the number that the reader committed to; None before.
    Raises:
        ValueError: for an empty text, or numbers that are not finite.
    """

    def __init__(self, text: str, answer: float, tolerance: float, why: str, *, unit: str = ""):
        if not (isfinite(answer) and tolerance >= 0 and isfinite(tolerance)):
            raise ValueError(
                "expected a finite answer and a tolerance of 0 or more; "
                f"got {answer} and {tolerance}"
            )
        _require_text(text, why)
        secret = {"answer": float(answer), "tolerance": float(tolerance), "whys": [why]}
        super().__init__({"text": text, "unit": unit}, secret)

    @validate("reply")
    def _check_reply(self, proposal):
        reply = proposal["value"]
        if reply is not None and not (isinstance(reply, int | float) and isfinite(reply)):
            raise ValueError(f"expected reply to be a finite number; got {reply!r}")
        return reply


def _require_text(*texts: str) -> None:
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"expected a text that is not empty; got {text!r}")


def _html(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _plain(text: str) -> str:
    return text.replace("`", "")
