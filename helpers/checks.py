"""What several modules ask of their arguments: an error is a sentence, "expected …; got …"."""

import math
from numbers import Integral

import numpy as np
from torch import Tensor


def check_count(least: int, **values: int) -> None:
    """ValueError unless each of the named values is an integer of `least` or more."""
    for name, value in values.items():
        if not isinstance(value, Integral) or value < least:
            got = f"{name} = {value!r}"
            raise ValueError(f"expected {name} to be an integer of {least} or more; got {got}")


def check_matrix(**tensors: Tensor) -> None:
    """ValueError unless each of the named tensors has two dimensions."""
    for name, values in tensors.items():
        if values.ndim != 2:
            raise ValueError(f"expected {name} in rows, (B, D); got shape {tuple(values.shape)}")


def check_same_shape(**tensors: Tensor) -> None:
    """ValueError unless the named tensors have one shape: broadcasting would hide a mistake."""
    shapes = [str(tuple(values.shape)) for values in tensors.values()]
    if len(set(shapes)) > 1:
        raise ValueError(f"expected {', '.join(tensors)} of one shape; got {', '.join(shapes)}")


def require_finite(result: Tensor, **sources: Tensor) -> Tensor:
    """The result, or FloatingPointError with the range of the tensors that it was computed from.

    The result's sum is looked at first: that takes a few microseconds, and it can only err on the
    side of a second look.
    """
    if not math.isfinite(result.detach().sum()) and not result.isfinite().all():
        ends = [(name, *values.detach().aminmax()) for name, values in sources.items()]
        got = ", ".join(f"{name} from {low:.4g} to {high:.4g}" for name, low, high in ends)
        raise FloatingPointError(f"expected finite {', '.join(sources)}, not too large; got {got}")
    return result


def to_numpy(values) -> np.ndarray:
    """The values as a NumPy array; a tensor may hold gradients, or be on another device."""
    return np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)
