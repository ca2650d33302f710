"""What hypothesis draws for the tests of helpers, and how a refusal must read.

Examples come from a fixed seed, so that every run sees the same ones; there is no time limit for
one. Oracles are torch.distributions, closed forms and NumPy, in float64.
"""

import math
import re
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

settings.register_profile("helpers", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("helpers")

SENTENCE = r"(?s)^expected .+; got .+"
LAYOUTS = ["contiguous", "transposed", "every second"]

counts = st.integers(0, 5)
widths = st.integers(1, 4)
dtypes = st.sampled_from([torch.float32, torch.float64])
not_finite = st.sampled_from([math.nan, math.inf, -math.inf])
not_counts = st.sampled_from([0, -1, 1.5, math.nan, math.inf, "2"])


@st.composite
def tensors(draw, *shape, low=-3.0, high=3.0, dtype=torch.float32):
    """A tensor of the shape, of numbers between low and high, in one of the layouts."""
    numbers = st.floats(low, high, width=16)
    values = torch.from_numpy(draw(arrays(np.float64, shape, elements=numbers))).to(dtype)
    return laid_out(values, draw(st.sampled_from(LAYOUTS)))


def laid_out(values, layout):
    """The same values in other strides; what lies between them is NaN, where there is one."""
    if layout == "transposed" and values.ndim > 1:
        return values.mT.contiguous().mT
    if layout == "every second":
        between = torch.full_like(values, math.nan if values.is_floating_point() else 1)
        return torch.stack([values, between], dim=-1)[..., 0]
    return values


def exact(*values):
    """The values as float64."""
    return [value.detach().double() for value in values]


def assert_right(result, wanted, dtype):
    """The result is as wanted (float64): to 1e-5 of the largest number, in float64 to 1e-11."""
    assert result.dtype == dtype
    assert result.shape == wanted.shape
    tolerance = 1e-11 if dtype == torch.float64 else 1e-5
    scale = 1 + (float(wanted.abs().max()) if wanted.numel() else 0.0)
    assert torch.allclose(result.double(), wanted, rtol=tolerance, atol=tolerance * scale)


@contextmanager
def refused(kind=ValueError):
    """The block must end in an error of this kind, and that is a sentence of ours."""
    with pytest.raises(kind, match=SENTENCE):
        yield


def answer_or_none(function, *arguments):
    """The function's answer, or None where it refuses in a sentence."""
    try:
        return function(*arguments)
    except (ValueError, FloatingPointError) as error:
        if not re.match(SENTENCE, str(error)):
            raise
        return None


def spoiled(draw, values, bad):
    """A copy with one number that is not finite."""
    values = values.float().clone()
    values[tuple(draw(st.integers(0, size - 1)) for size in values.shape)] = bad
    return values
