"""One training loop for all models."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from IPython import get_ipython
from IPython.display import display
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from helpers.checks import check_count
from helpers.threads import share_cores

ADVICE = "Try a lower lr (now {:g}), bound logvar, and look for a log of 0 or a division by 0."


def set_seed(seed: int) -> None:
    """Seed torch (on every device) and NumPy, so that a run can be repeated.

    Args:
        seed: an integer of 0 or more.
    Raises:
        ValueError: if it is none.
    Source:
        The setup cell of every notebook calls it.
    """
    check_count(0, seed=seed)
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  the legacy generator is what libraries use


@dataclass
class History:
    """Means per epoch: train["loss"][e], and validation["loss"][e] where x_val was given.

    Each name that the loss function reported stands beside "loss". interrupted: Stop was pressed.
    A training mean is taken while the weights change: it belongs to the middle of its epoch, a
    held-out one to the end.
    """

    train: dict[str, list[float]] = field(default_factory=dict)
    validation: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False
    # Of the epoch under way.
    _sums: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    def add(self, part: str, terms: dict[str, float], count: int) -> None:
        """Note the means over a batch of `count` examples; part: "train" or "validation"."""
        for name, value in terms.items():
            total, examples = self._sums.get((part, name), (0.0, 0))
            self._sums[part, name] = total + count * value, examples + count

    def end_epoch(self) -> None:
        """Record the means over all examples that were noted since the last epoch ended."""
        for (part, name), (total, examples) in self._sums.items():
            getattr(self, part).setdefault(name, []).append(total / examples)
        self._sums = {}

    def __len__(self) -> int:
        return len(self.train.get("loss", []))

    def __str__(self) -> str:
        if not self.train:
            return "no epoch was finished"
        parts = [f"{name} {values[-1]:.4g}" for name, values in self.train.items()]
        if self.validation:
            parts.append(f"held-out loss {self.validation['loss'][-1]:.4g}")
        return ("1 epoch: " if len(self) == 1 else f"{len(self)} epochs: ") + ", ".join(parts)


def fit(
    model, loss_fn, x, *, epochs, batch_size=128, lr=8e-3, x_val=None, seed=0, progress=True
) -> History:
    """Train with Adam and a one-cycle learning rate, on the device that holds the model.

    Pressing Stop (KeyboardInterrupt) ends training: the history so far is returned and the model
    keeps its weights. The model is left in evaluation mode.

    Args:
        model: its parameters are trained.
        loss_fn: loss_fn(model, batch) -> scalar, or (scalar, {name: value}): values to record.
        x, x_val: (N, …) training and held-out examples, finite; converted to the weights' dtype.
        epochs, batch_size: integers of 1 or more.
        lr: the highest rate (the defaults: benchmarks/README.md, "Time to quality").
        seed: of the shuffling and the noise (torch's CPU generator is restored afterwards).
        progress: show one line with epoch, losses and time left.
    Returns:
        History, with a mean for each epoch and name.
    Raises:
        ValueError: for an argument out of range, and a loss that does not depend on the model.
        FloatingPointError: as soon as a loss is NaN or infinite, naming the term or its source,
            the epoch and the step.
    Source:
        notebooks/02, section 2.
    """
    _check_arguments(epochs, batch_size, lr, seed, x=x, x_val=x_val)
    share_cores()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    # To the device and the dtype of the weights.
    x, x_val = (v if v is None else v.to(next(model.parameters())) for v in (x, x_val))
    steps = math.ceil(len(x) / batch_size)
    # Two steps at least: a cycle of a single one would begin and end at no rate.
    schedule = OneCycleLR(optimizer, lr, total_steps=max(2, epochs * steps))
    history, show, start = History(), _one_line(progress), time.monotonic()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            for epoch in range(1, epochs + 1):
                model.train()
                for step, rows in enumerate(torch.randperm(len(x)).split(batch_size), start=1):
                    place = f"epoch {epoch}, step {step} of {steps}"
                    batch = x.index_select(0, rows.to(x.device))  # faster than x[rows]
                    loss, terms = _loss_and_terms(loss_fn, model, batch)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    history.add("train", terms, len(batch))
                place = f"x_val, epoch {epoch}"
                if x_val is not None:
                    _validate(model, loss_fn, x_val, history)
                history.end_epoch()
                left = (time.monotonic() - start) * (epochs / epoch - 1)
                show(f"{history} ({epoch}/{epochs}, {left:.0f} s left)")
        except KeyboardInterrupt:
            history.interrupted = True
        except FloatingPointError as error:
            raise FloatingPointError(f"{error}, at {place}. {ADVICE.format(lr)}") from error
        finally:
            model.eval()
    show(("stopped after " if history.interrupted else "") + str(history))
    return history


def _check_arguments(epochs, batch_size, lr, seed, **examples: Tensor | None) -> None:
    check_count(1, epochs=epochs, batch_size=batch_size)
    check_count(0, seed=seed)
    if not 0 < lr < math.inf:
        raise ValueError(f"expected a positive, finite lr; got lr = {lr}")
    for name, x in examples.items():
        if not isinstance(x, Tensor | None):
            raise ValueError(f"expected {name} to be a tensor; got {type(x).__name__}")
        # The ends tell: NaN is one, too, and x.isfinite() takes 25 times as long.
        if x is not None and (x.ndim < 2 or len(x) == 0 or not sum(x.aminmax()).isfinite()):
            got = f"shape {tuple(x.shape)} with {int((~x.isfinite()).sum())} NaN or infinite"
            raise ValueError(f"expected {name} in rows of finite numbers, at least one; got {got}")


def _loss_and_terms(loss_fn: Callable, model: nn.Module, batch: Tensor):
    """The loss with its graph, and {name: number, …, "loss": number}, all of them finite."""
    result = loss_fn(model, batch)
    loss, named = result if isinstance(result, tuple) else (result, {})
    if not isinstance(loss, Tensor) or loss.ndim:
        raise ValueError(f"expected loss_fn to return a scalar; got {loss!r}")
    if torch.is_grad_enabled() and not loss.requires_grad:
        raise ValueError("expected a loss that depends on model; got a constant")
    terms = {**named, "loss": loss}  # in this order: a term that spoils the loss is named first
    for name, value in terms.items():
        terms[name] = torch.as_tensor(value).item()
        if not math.isfinite(terms[name]):
            raise FloatingPointError(f"{name!r} became {terms[name]}")
    return loss, terms


@torch.no_grad()
def _validate(model: nn.Module, loss_fn: Callable, x_val: Tensor, history: History) -> None:
    model.eval()
    for batch in x_val.split(1000):
        history.add("validation", _loss_and_terms(loss_fn, model, batch)[1], len(batch))


def _one_line(progress: bool) -> Callable[[str], None]:
    """A function that shows a line in place of the one before; a notebook saves only the last."""
    if not progress:
        return lambda line: None
    if getattr(get_ipython(), "kernel", None) is None:
        return lambda line: print(f"\r{line:<100}", end="", file=sys.stderr, flush=True)
    handle = display({"text/plain": ""}, raw=True, display_id=True)
    return lambda line: handle.update({"text/plain": line}, raw=True)
