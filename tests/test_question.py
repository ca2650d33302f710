"""Question and NumberQuestion: what they accept, and that their output does not tell the answer."""

import json

import nbformat
import pytest

from helpers import saving
from helpers.explorers import NumberQuestion, Question, pages

TEXT = "What is the gradient of `z**2` by μ, if z < 1?"
OPTIONS = ["zero", "none at all", "2μ & more"]
WHYS = ["Zero would be a number.", "There is no record.", "That is the mean's."]
ASKED = [
    lambda: Question(TEXT, OPTIONS, 1, WHYS),
    lambda: NumberQuestion(TEXT, 0.8125, 0.0625, WHYS[1]),
]


@pytest.mark.parametrize("make", ASKED, ids=["options", "number"])
@pytest.mark.parametrize("for_pages", [False, True])
def test_the_output_shows_the_question_and_never_the_answer(make, for_pages, monkeypatch):
    question = make()
    monkeypatch.setattr(type(question), "for_pages", for_pages)
    data, metadata = question._repr_mimebundle_()
    assert saving.WIDGET_VIEW in data
    assert "image/png" not in data | metadata
    assert "<code>z**2</code> by μ, if z &lt; 1?" in data["text/html"]
    assert "z**2 by μ, if z < 1?" in data["text/plain"]
    everything = json.dumps([data, metadata], ensure_ascii=False)
    for secret in (*WHYS, "0.8125", '"answer"'):
        assert secret not in everything.split('"module"')[0]
        assert secret not in json.dumps(question.get_state(), ensure_ascii=False, default=str)
    if "options" in question.spec:
        for option in ("zero", "none at all", "2μ &amp; more"):
            assert f"<li>{option}</li>" in data["text/html"]
    assert (pages.MIME in data) == for_pages


def test_a_saved_notebook_keeps_the_question_as_html():
    data, metadata = ASKED[0]()._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("q", outputs=[output])])
    kept = saving.keep_stills(notebook)["cells"][0]["outputs"][0]["data"]
    assert sorted(kept) == ["text/html", "text/plain"]
    nbformat.validate(notebook)


def test_a_reply_is_kept_and_one_that_is_no_reply_is_refused():
    question, number = (make() for make in ASKED)
    question.reply, number.reply = 2, -0.5
    assert (question.reply, number.reply) == (2, -0.5)
    for one, wrong in ((question, 3), (number, float("nan")), (number, "a")):
        with pytest.raises(ValueError, match="expected reply"):
            one.reply = wrong


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


@pytest.mark.parametrize("given", [(float("nan"), 0, "x"), (1, -1, "x"), (1, 0.1, " ")])
def test_a_number_question_that_cannot_be_asked_is_refused(given):
    with pytest.raises(ValueError, match="expected"):
        NumberQuestion(TEXT, *given)
