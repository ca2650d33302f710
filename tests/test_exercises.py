"""What the checker says to a reader who is right, wrong, or has not begun."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from helpers.exercises import about_digits, check
from tests.strategies import refused, tensors


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (0.5, 0.5),
        (2, 2.0),
        ([1, 2], [1.0, 2.0]),
        (torch.tensor([1.0, 2.0], requires_grad=True), [1, 2]),
        (torch.tensor(3), 3),
        (np.eye(2), torch.eye(2)),
        ((torch.tensor(1.0, requires_grad=True), 2.0), [1.0, 2.0]),
        (True, 1),
    ],
)
def test_a_right_answer_is_called_right(capsys, answer, expected):
    assert check(answer, expected) is True
    assert capsys.readouterr().out.startswith("Right")


def test_a_wrong_answer_is_told_what_was_expected_and_what_came(capsys):
    assert check(0.25, 0.5) is False
    said = capsys.readouterr().out
    assert said.startswith("Wrong")
    assert said.index("expected 0.5") < said.index("got 0.25")


def test_one_wrong_number_makes_an_array_wrong(capsys):
    assert check([1.0, 2.0, 4.0], [1.0, 2.0, 3.0]) is False
    said = capsys.readouterr().out
    assert "expected [1., 2., 3.]" in said
    assert "got [1., 2., 4.]" in said


def test_an_exercise_not_attempted_is_neither_right_nor_wrong(capsys):
    assert check(None, 0.5) is None
    assert capsys.readouterr().out == "Not attempted yet.\n"


@pytest.mark.parametrize(
    ("answer", "expected", "shapes"),
    [
        ([1.0, 2.0], [1.0, 2.0, 3.0], ["(3,)", "(2,)"]),
        ([0.5], 0.5, ["()", "(1,)"]),
        (torch.ones(2, 1), torch.ones(2), ["(2,)", "(2, 1)"]),
    ],
)
def test_a_wrong_shape_is_told_both_shapes(capsys, answer, expected, shapes):
    assert check(answer, expected) is False
    said = capsys.readouterr().out
    assert said.startswith("Wrong")
    assert f"expected shape {shapes[0]}, got {shapes[1]}" in said


@pytest.mark.parametrize("answer", ["a half", "0.5", {}, print, ..., [[1.0], [1.0, 2.0]], 1j])
def test_an_answer_that_is_no_number_is_told_so(capsys, answer):
    assert check(answer, 0.5) is False
    said = capsys.readouterr().out
    assert "expected a number" in said
    assert type(answer).__name__ in said


def test_nan_is_wrong():
    assert check(float("nan"), 0.5) is False


def test_the_tolerance_is_absolute_for_small_numbers():
    assert check(0.00009, 0.0) is True
    assert check(0.0002, 0.0) is False


def test_the_tolerance_is_relative_for_large_numbers():
    assert check(1000.09, 1000.0) is True
    assert check(1000.2, 1000.0) is False


def test_another_tolerance_can_be_asked_for():
    assert check(0.52, 0.5, tolerance=0.05) is True
    assert check(0.50001, 0.5, tolerance=1e-6) is False


def test_a_wrong_answer_never_looks_like_the_expected_one(capsys):
    assert check(0.123459, 0.123456, tolerance=1e-6) is False
    said = capsys.readouterr().out
    expected, came = said.split("expected ")[1].rstrip(".\n").split(", got ")
    assert expected != came


@pytest.mark.parametrize("dataset", ["mnist5k", "mnist"])
def test_on_digits_a_false_claim_about_digits_is_an_error(dataset):
    with pytest.raises(AssertionError), about_digits(dataset):
        assert 1 > 2


@pytest.mark.parametrize("dataset", ["fashion-mnist", "kmnist"])
def test_on_other_images_a_false_claim_about_digits_is_reported(capsys, dataset):
    with about_digits(dataset):
        assert 1 > 2
    said = capsys.readouterr().out
    assert dataset in said
    assert "assert 1 > 2" in said


def test_a_claim_about_digits_that_holds_says_nothing(capsys):
    for dataset in ("mnist5k", "fashion-mnist"):
        with about_digits(dataset):
            assert 2 > 1
    assert capsys.readouterr().out == ""


def test_another_error_than_a_false_claim_is_never_swallowed():
    with pytest.raises(ZeroDivisionError), about_digits("kmnist"):
        assert 1 / 0


# Properties


@given(st.data(), array_shapes(min_dims=0, max_dims=2, max_side=3))
def test_an_answer_is_right_where_every_number_is_near_enough(data, shape):
    expected = data.draw(tensors(*shape))
    wanted = expected.double().numpy()
    off = data.draw(arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.5, 0.99, 1.01, -3])))
    answer = wanted + 1e-4 * (1 + np.abs(wanted)) * off
    answer = torch.as_tensor(answer)
    answer = data.draw(st.sampled_from([answer, answer.numpy(), answer.tolist()]))
    assert check(answer, expected) is bool((np.abs(off) < 1).all())


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(anything, st.sampled_from([0.5, [1.0, 2.0], np.zeros((2, 2)), []]))
@settings(max_examples=150)
def test_no_answer_breaks_the_checker(answer, expected):
    assert check(answer, expected) in ((None,) if answer is None else (True, False))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.bool], ids=str)
def test_a_tensor_of_any_dtype_can_be_an_answer(dtype):
    assert check(torch.tensor([0, 1]).to(dtype), [0.0, 1.0]) is True
    assert check(torch.tensor([1, 1]).to(dtype), [0.0, 1.0]) is False


@pytest.mark.parametrize("expected", [None, "0.5", math.nan, [1.0, math.nan], [[1], [1, 2]]])
def test_an_exercise_without_a_number_to_check_by_is_refused(expected):
    for answer in (None, 0.5):
        with refused():
            check(answer, expected)
