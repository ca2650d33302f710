"""What several modules ask of their arguments: the right answer, or an error in a sentence.

Tensors of any real dtype are welcome. Losses and evaluation compute in float32, or in float64 where
an argument has it; networks compute in the dtype of their weights.
"""

import math
from numbers import Integral

import numpy as np
import torch
from torch import Tensor


class NotFinite(ValueError, FloatingPointError):
    """NaN, infinity or an overflow: bad input, or training that diverged (fit then says where)."""


def whole(least: int, **values: int) -> None:
    """ValueError unless each of the named values is an integer of `least` or more."""
    for name, value in values.items():
        if not isinstance(value, Integral) or value < least:
            raise ValueError(
                f"expected {name} to be an integer of {least} or more; got {name} = {value!r}"
            )


def rows(**tensors: Tensor) -> None:
    """ValueError unless each of the named tensors has two dimensions."""
    for name, values in tensors.items():
        if values.ndim != 2:
            raise ValueError(f"expected {name} in rows, (B, D); got shape {tuple(values.shape)}")


def wide(*tensors: Tensor) -> list[Tensor]:
    """The tensors in the widest of their dtypes, float32 at least: sums need its digits."""
    dtype = torch.float32
    for values in tensors:
        dtype = torch.promote_types(dtype, values.dtype)
    return [v if v.dtype is dtype else v.to(dtype) for v in tensors]  # .to itself takes 1 µs


def array(values) -> np.ndarray:
    """The values as a NumPy array; a tensor may hold gradients, or be on another device."""
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        values = values.float() if values.dtype == torch.bfloat16 else values  # NumPy has none
    return np.asarray(values)


def finite(result: Tensor, **sources: Tensor) -> Tensor:
    """The result, or NotFinite with the range of the named tensors that it was computed from.

    The result's sum is looked at first: that takes a few microseconds, and it can only err on the
    side of a second look.
    """
    if not math.isfinite(result.detach().sum()) and not result.isfinite().all():
        ends = [(name, *values.detach().aminmax()) for name, values in sources.items()]
        got = ", ".join(f"{name} from {low:.4g} to {high:.4g}" for name, low, high in ends)
        raise NotFinite(f"expected finite {' and '.join(sources)}, not too large; got {got}")
    return result
