"""Questions in the page: the reader commits, then sees right or wrong, and why."""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape

from traitlets import Any, Unicode, validate

from helpers.explorers.base import Explorer, module


class Question(Explorer):
    """A question with options: radio buttons, and a reply once the reader has committed.

    Texts are set as text; what stands between `backticks` is set as code. The saved output is HTML:
    the text and the options, never the answer.

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

    _esm = module("question.js")
    sealed = Unicode().tag(sync=True)  # not to be read by accident in a page's state
    reply = Any(None, allow_none=True).tag(sync=True)

    def __init__(self, text: str, options: Sequence[str], answer: int, why: str | Sequence[str]):
        options, whys = list(options), [why] * len(options) if isinstance(why, str) else list(why)
        if len(set(options)) != len(options) or len(options) < 2:
            raise ValueError(f"expected two options or more, all different; got {options}")
        if isinstance(answer, bool) or answer not in range(len(options)):
            raise ValueError(f"expected answer from 0 to {len(options) - 1}; got {answer!r}")
        if len(whys) != len(options):
            raise ValueError(f"expected one why, or {len(options)}; got {len(whys)}")
        _require_text(text, *options, *whys)
        secret = json.dumps({"answer": int(answer), "whys": whys})
        sealed = b64encode(secret.encode()).decode()
        super().__init__({"text": text, "options": options}, sealed=sealed)

    @validate("reply")
    def _check_reply(self, proposal):
        reply = proposal["value"]
        if reply is not None and reply not in range(len(self.spec["options"])):
            raise ValueError(f"expected reply to be the place of an option; got {reply!r}")
        return reply

    @property
    def numbers(self) -> dict[str, float]:
        """None: what the reader replied is no result."""
        return {}

    def describe(self) -> str:
        return " · ".join(map(_plain, [self.spec["text"], *self.spec["options"]]))

    still = b""  # it has no picture

    @property
    def markup(self) -> str:
        """What stands where the question is not alive."""
        options = "".join(f"<li>{_html(option)}</li>" for option in self.spec["options"])
        return f"<p><strong>{_html(self.spec['text'])}</strong></p><ul>{options}</ul>"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        del data["image/png"], metadata["image/png"]
        return data | {"text/html": self.markup, "text/plain": repr(self)}, metadata


def _require_text(*texts: str) -> None:
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"expected a text that is not empty; got {text!r}")


def _html(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _plain(text: str) -> str:
    return text.replace("`", "")
