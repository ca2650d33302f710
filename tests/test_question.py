"""Question: what it accepts, and that its output does not tell the answer."""

import json

import nbformat
import numpy as np
import pytest

from helpers import saving
from helpers.explorers import Question, pages

TEXT = "What is the gradient of `z**2` by μ, if z < 1?"
OPTIONS = ["zero", "none at all", "2μ & more"]
WHYS = ["Zero would be a number.", "There is no record.", "That is the mean's."]


@pytest.fixture
def question():
    return Question(TEXT, OPTIONS, np.int64(1), WHYS)


@pytest.mark.parametrize("for_pages", [False, True])
def test_the_output_shows_the_question_and_never_the_answer(question, for_pages, monkeypatch):
    monkeypatch.setattr(type(question), "for_pages", for_pages)
    data, metadata = question._repr_mimebundle_()
    assert saving.WIDGET_VIEW in data
    assert "image/png" not in data | metadata
    assert "<code>z**2</code> by μ, if z &lt; 1?" in data["text/html"]
    assert "z**2 by μ, if z < 1?" in data["text/plain"]
    everything = json.dumps([data, metadata], ensure_ascii=False)
    for secret in (*WHYS, '"answer"'):
        assert secret not in everything.split('"module"')[0]
        assert secret not in json.dumps(question.get_state(), ensure_ascii=False, default=str)
    for option in ("zero", "none at all", "2μ &amp; more"):
        assert f"<li>{option}</li>" in data["text/html"]
    assert (pages.MIME in data) == for_pages


def test_a_saved_notebook_keeps_the_question_as_html(question):
    data, metadata = question._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("q", outputs=[output])])
    kept = saving.keep_stills(notebook)["cells"][0]["outputs"][0]["data"]
    assert sorted(kept) == ["text/html", "text/plain"]
    nbformat.validate(notebook)


def test_a_reply_is_kept_and_one_that_is_no_reply_is_refused(question):
    question.reply = 2
    assert question.reply == 2
    with pytest.raises(ValueError, match="expected reply"):
        question.reply = 3


@pytest.mark.parametrize(
    "given",
    [
        ("", OPTIONS, 0, "x"),
        (TEXT, ["one"], 0, "x"),
        (TEXT, ["same", "same"], 0, "x"),
        (TEXT, OPTIONS, 3, "x"),
        (TEXT, OPTIONS, True, "x"),
        (TEXT, OPTIONS, "zero", "x"),
        (TEXT, OPTIONS, 0, WHYS[:2]),
        (TEXT, OPTIONS, 0, ""),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(given):
    with pytest.raises(ValueError, match="expected"):
        Question(*given)
