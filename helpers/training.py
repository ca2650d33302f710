"""One training loop for all models."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import joblib
import numpy as np
import psutil
import torch
from IPython import get_ipython
from IPython.display import display
from torch import Tensor, nn
from tqdm import tqdm

from helpers.checks import whole


def set_seed(seed: int) -> None:
    """Seed torch (on every device) and NumPy, so that a run can be repeated.

    Raises:  ValueError if the seed is no integer of 0 or more.
    Source:  the setup cell of every notebook calls it.
    """
    whole(0, seed=seed)
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  the legacy generator is what libraries use


def _clock() -> tuple[float, float, float]:
    """Seconds since some start: on the clock, of all cores idle, and of this process's work."""
    cores, own = psutil.cpu_times(), psutil.Process().cpu_times()
    return time.monotonic(), cores.idle + getattr(cores, "iowait", 0.0), own.user + own.system


_given = _chosen = torch.get_num_threads()  # all cores, or what OMP_NUM_THREADS says
_seen = _clock()


def share_cores() -> int:
    """Set torch's threads to the cores that are free for this process; fit calls it.

    Two threads that wait for each other on busy cores are many times slower than one. Free are the
    cores that stood idle since the last call, and those that this process kept busy itself; at most
    those that it may use (affinity, and the quota of a container). Threads that you set yourself
    are left alone.

    Returns: the number of threads.
    Source:  benchmarks/README.md, "A class on one machine".
    """
    global _chosen, _seen
    now = _clock()
    elapsed, idle, own = (new - old for new, old in zip(now, _seen, strict=True))
    if torch.get_num_threads() == _chosen and elapsed > 0.1:  # the counters tick 100 times a second
        free = round((idle + own) / elapsed)
        _chosen, _seen = max(1, min(_given, joblib.cpu_count(), free)), now
        torch.set_num_threads(_chosen)
    return torch.get_num_threads()


@dataclass
class History:
    """Means per epoch: train["loss"][e], and validation["loss"][e] where x_val was given.

    Each name that the loss function reported stands beside "loss". interrupted: Stop was pressed.
    """

    train: dict[str, list[float]] = field(default_factory=dict)
    validation: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False

    def __len__(self) -> int:
        return len(self.train.get("loss", []))

    def __str__(self) -> str:
        if not self.train:
            return "no epoch was finished"
        parts = [f"{name} {values[-1]:.4g}" for name, values in self.train.items()]
        if self.validation:
            parts.append(f"held-out loss {self.validation['loss'][-1]:.4g}")
        return ("1 epoch: " if len(self) == 1 else f"{len(self)} epochs: ") + ", ".join(parts)


LossFn = Callable[[nn.Module, Tensor], Tensor | tuple[Tensor, dict[str, Tensor]]]


def fit(
    model: nn.Module,
    loss_fn: LossFn,
    x: Tensor,
    *,
    epochs: int,
    batch_size: int = 128,
    lr: float = 8e-3,
    x_val: Tensor | None = None,
    seed: int = 0,
    progress: bool = True,
) -> History:
    """Train with Adam and a one-cycle learning rate, on the device that holds the model.

    Pressing Stop (KeyboardInterrupt) ends training: the history so far is returned and the model
    keeps its weights. The model is left in evaluation mode.

    Args:    loss_fn(model, batch) -> scalar, or (scalar, {name: value}): values to record;
             x, x_val: (N, …) training and held-out examples, finite floating-point numbers, which
             are converted to the dtype of the weights; lr: the highest rate (the defaults are
             those of benchmarks/README.md, "Time to quality");
             seed: of the shuffling and the noise (torch's CPU generator is restored afterwards);
             progress: show one line with epoch, losses and time left.
    Returns: History, with a mean for each epoch and name.
    Raises:  ValueError for an argument out of range, a model without parameters or in float16 (in
             which Adam divides by 0), and a loss that does not depend on the model;
             FloatingPointError as soon as a loss is NaN or infinite, naming the term or its source,
             the epoch and the step.
    Source:  notebooks/02, section 1.
    """
    _check_arguments(model, x, x_val, epochs, batch_size, lr, seed)
    share_cores()
    weight = next(model.parameters())
    x, x_val = x.to(weight), None if x_val is None else x_val.to(weight)  # its device and dtype
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    steps = math.ceil(len(x) / batch_size)
    total = max(2, epochs * steps)  # a cycle of a single step would begin and end at no rate
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=total)
    history, show = History(), _one_line() if progress else lambda line: None
    start = time.monotonic()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            for epoch in range(epochs):
                model.train()
                sums: dict[str, Tensor] = {}
                for step, index in enumerate(torch.randperm(len(x)).split(batch_size)):
                    batch = x.index_select(0, index.to(x.device))  # faster than x[index]
                    place = f"epoch {epoch + 1}, step {step + 1} of {steps}"
                    terms = _terms(loss_fn, model, batch, place, lr)
                    if not terms["loss"].requires_grad:
                        raise ValueError("expected a loss that depends on model; got a constant")
                    optimizer.zero_grad()
                    terms["loss"].backward()
                    optimizer.step()
                    schedule.step()
                    _add(sums, terms, len(batch))
                if x_val is not None:
                    held_out = _evaluate(model, loss_fn, x_val, f"x_val, epoch {epoch + 1}", lr)
                    _record(history.validation, held_out, len(x_val))
                _record(history.train, sums, len(x))
                seconds = time.monotonic() - start
                show(tqdm.format_meter(epoch + 1, epochs, seconds, postfix=str(history), ncols=100))
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            model.eval()
    show(("stopped after " if history.interrupted else "") + str(history))
    return history


def _check_arguments(model, x, x_val, epochs, batch_size, lr, seed) -> None:
    whole(1, epochs=epochs, batch_size=batch_size)
    whole(0, seed=seed)
    if not 0 < lr < math.inf:
        raise ValueError(f"expected a positive, finite lr; got lr = {lr}")
    dtype = getattr(next(model.parameters(), None), "dtype", "none")
    if dtype in ("none", torch.float16):
        raise ValueError(f"expected a model with parameters in float32, say; got {dtype}")
    for name, values in (("x", x), ("x_val", x_val)):
        if values is None:
            continue
        if values.ndim < 2 or len(values) == 0 or not values.is_floating_point():
            raise ValueError(
                f"expected {name} to hold floating-point examples in rows, at least one; "
                f"got shape {tuple(values.shape)}, {values.dtype}"
            )
        if not all(end.isfinite() for end in values.aminmax()):  # one pass; NaN is an end too
            bad = int((~values.isfinite()).sum())
            raise ValueError(f"expected finite values in {name}; got {bad} NaN or infinite ones")


def _terms(loss_fn: LossFn, model: nn.Module, batch: Tensor, place: str, lr: float) -> dict:
    """{"loss": the scalar with its graph, name: value, …}, or an error where one is not finite."""
    advice = (
        f"at {place}. Try a lower lr (now {lr:g}), bound logvar, and look for a logarithm of 0 or "
        "a division by 0 in the loss."
    )
    try:
        result = loss_fn(model, batch)
    except FloatingPointError as error:  # of helpers.checks, which saw the NaN first
        raise FloatingPointError(f"{error}, {advice}") from error
    loss, named = result if isinstance(result, tuple) else (result, {})
    if not isinstance(loss, Tensor) or loss.ndim:
        got = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise ValueError(f"expected loss_fn to return a scalar; got {got}")
    if "loss" in named:
        raise ValueError("expected other names than 'loss' for the values to record; got 'loss'")
    for name, value in [*named.items(), ("loss", loss)]:
        value = torch.as_tensor(value).detach()
        if value.ndim:
            raise ValueError(f"expected a number for {name!r}; got shape {tuple(value.shape)}")
        if not math.isfinite(value):
            raise FloatingPointError(f"{name!r} became {float(value)} {advice}")
    return {"loss": loss, **named}


@torch.no_grad()
def _evaluate(model: nn.Module, loss_fn: LossFn, x: Tensor, place: str, lr: float) -> dict:
    model.eval()
    sums: dict[str, Tensor] = {}
    for batch in x.split(1000):
        _add(sums, _terms(loss_fn, model, batch, place, lr), len(batch))
    return sums


def _add(sums: dict, terms: dict, weight: int) -> None:
    for name, value in terms.items():
        sums[name] = sums.get(name, 0.0) + weight * torch.as_tensor(value).detach()


def _record(means: dict[str, list[float]], sums: dict, count: int) -> None:
    for name, total in sums.items():
        means.setdefault(name, []).append(float(total) / count)


def _one_line() -> Callable[[str], None]:
    """A function that shows a line in place of the one before; a notebook saves only the last."""
    if getattr(get_ipython(), "kernel", None) is None:
        return lambda line: print(f"\r{line:<100}", end="", file=sys.stderr, flush=True)
    handle = display({"text/plain": ""}, raw=True, display_id=True)
    return lambda line: handle.update({"text/plain": line}, raw=True)
