"""A checker for the exercises."""

import numpy as np


def check(answer, expected, *, tolerance: float = 1e-4) -> bool | None:
    """Print whether an exercise is right, wrong (what was expected, what came), or still open.

    Args:    answer: a number, or an array or tensor of numbers, None while not attempted;
             expected: the exact value, of the same shape; tolerance: absolute and relative.
    Returns: True, False, or None where answer is None: `assert check(...)` in a solution.
    Source:  the exercises at the end of every notebook.
    """
    if answer is None:
        print("Not attempted yet.")
        return None
    came, wanted = _numbers(answer), _numbers(expected)
    if came is None:
        print(f"Wrong: expected a number or an array of numbers, got {type(answer).__name__}.")
        return False
    if came.shape != wanted.shape:
        print(f"Wrong: expected shape {wanted.shape}, got {came.shape}.")
        return False
    right = bool(np.allclose(came, wanted, rtol=tolerance, atol=tolerance))
    wrong = f"Wrong: expected {_text(wanted)}, got {_text(came)}"
    print(f"Right: {_text(came)}" if right else wrong)
    return right


def _numbers(values) -> np.ndarray | None:
    """values as float64, or None where they are no numbers."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def _text(values: np.ndarray) -> str:
    return np.array2string(values, precision=5, separator=", ", threshold=20, suppress_small=True)
