"""On other images than digits, claims about digits stand aside."""

import pytest

from helpers.exercises import about_digits


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
