"""fit on models small enough to know what every step must do."""

import math
import random
import re
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient
from torch import nn

from helpers import training
from helpers.losses import elbo_terms
from helpers.models import VAE, Autoencoder
from helpers.training import History, fit, set_seed
from tests.strategies import dtypes, not_counts, refused, tensors, widths

X = torch.arange(20.0).reshape(10, 2)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """On a busy machine two threads that share so little work mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Line(nn.Module):
    """One weight, no bias: the loss `weight` has the gradient 1 everywhere."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.dropout = nn.Dropout(dropout)


def distance(model, batch):
    """Half the squared distance of the weight from the batch's mean."""
    return 0.5 * (model.weight - batch.mean()) ** 2


def noisy_vae_loss(model, batch):
    terms = elbo_terms(batch, model(batch))
    named = {"reconstruction": terms.reconstruction.mean(), "kl": terms.kl.mean()}
    return -terms.elbo().mean(), named


def small_vae(seed=0):
    torch.manual_seed(seed)
    return VAE(2, (16,), 6)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def quiet(model, loss_fn, x, **options):
    try:
        return fit(model, loss_fn, x, progress=False, **options)
    except KeyboardInterrupt:  # pytest would take it for the end of the whole run
        pytest.fail("fit let KeyboardInterrupt through")


class Calls:
    """A loss function that notes what it is called with and misbehaves at one call."""

    def __init__(self, at=None, action=None):
        self.at, self.action = at, action
        self.batches, self.weights, self.training = [], [], []

    def __call__(self, model, batch):
        self.batches.append(batch.clone())
        self.weights.append(model.weight.item())
        self.training.append(model.training)
        if len(self.batches) == self.at:
            return self.action(model, batch)
        return distance(model, batch)


def random_state():
    """The states of the global generators of torch, NumPy and Python."""
    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().tolist(), keys.tolist(), position, random.getstate()


def press_stop(model, batch):
    raise KeyboardInterrupt


# It trains


@pytest.mark.filterwarnings("error")
def test_one_batch_is_overfitted():
    torch.manual_seed(0)
    model, x = Autoencoder(4, (64,), 20), torch.rand(8, 20).round()
    loss = nn.functional.binary_cross_entropy_with_logits
    history = quiet(model, lambda m, b: 20 * loss(m(b), b), x, epochs=200, lr=1e-2)
    assert history.train["loss"][0] > 10  # 20 ln 2 = 13.9 nats at the start
    assert history.train["loss"][-1] < 0.5


def test_one_batch_raises_the_elbo_of_a_vae():
    torch.manual_seed(0)
    model, x = VAE(2, (64,), 20), torch.rand(4, 20).round()
    history = quiet(model, noisy_vae_loss, x, epochs=200, lr=1e-2)
    assert history.train["loss"][-1] < 0.6 * history.train["loss"][0]


def test_the_learning_rate_rises_to_lr_and_falls_to_nearly_nothing():
    calls, model = Calls(), Line()

    def loss(model, batch):
        calls(model, batch)
        return model.weight  # its gradient is 1: Adam moves by about the learning rate

    quiet(model, loss, X, epochs=50, batch_size=5, lr=0.1)
    moves = -np.diff([*calls.weights, model.weight.item()])
    assert len(moves) == 100
    assert moves[0] < 0.01
    assert 0.08 < max(moves) < 0.12
    assert moves[-1] < 0.001


def test_a_single_step_trains_too():
    model = Line()
    quiet(model, lambda m, b: m.weight * 1.0, X, epochs=1, batch_size=10, lr=0.1)
    assert model.weight.item() < -1e-4


def test_every_epoch_sees_every_example_once():
    calls = Calls()
    quiet(Line(), calls, X, epochs=2, batch_size=4)
    assert [len(b) for b in calls.batches] == [4, 4, 2] * 2
    for epoch in (calls.batches[:3], calls.batches[3:]):
        rows = torch.cat(epoch)
        assert torch.equal(rows[rows[:, 0].argsort()], X)


def test_epochs_are_shuffled_each_in_its_own_order():
    calls = Calls()
    quiet(Line(), calls, X, epochs=2, batch_size=10)
    first, second = calls.batches
    assert not torch.equal(first, X)
    assert not torch.equal(first, second)


def test_training_is_in_training_mode_and_validation_is_not():
    calls, model = Calls(), Line()
    quiet(model, calls, X, epochs=2, batch_size=5, x_val=X)
    assert calls.training == [True, True, False] * 2
    assert not model.training


def test_validation_does_not_change_the_weights():
    with_validation, without = Line(), Line()
    quiet(with_validation, distance, X, epochs=2, x_val=10 * X)
    quiet(without, distance, X, epochs=2)
    assert torch.equal(with_validation.weight, without.weight)


@pytest.mark.skipif(not torch.accelerator.is_available(), reason="torch reports no accelerator")
def test_a_model_on_the_accelerator_is_trained_there():
    device = torch.accelerator.current_accelerator()
    model = small_vae().to(device)
    history = quiet(model, noisy_vae_loss, torch.rand(10, 6), epochs=2, x_val=torch.rand(4, 6))
    assert len(history) == 2
    assert weights(model).device.type == device.type


# What it records


def test_named_terms_are_exact_means_over_the_examples():
    def loss(model, batch):
        return distance(model, batch), {"first": batch[:, 0].mean(), "two": 2}

    history = quiet(Line(), loss, X, epochs=2, batch_size=4)
    assert history.train["first"] == pytest.approx([9.0, 9.0], rel=1e-6)
    assert history.train["two"] == [2.0, 2.0]
    assert len(history.train["loss"]) == 2
    assert len(history) == 2


def test_the_loss_recorded_is_the_exact_mean_over_the_examples():
    history = quiet(Line(), lambda m, b: b[:, 0].mean() + 0 * m.weight, X, epochs=1, batch_size=4)
    assert history.train == {"loss": [pytest.approx(9.0, rel=1e-6)]}


def test_validation_is_the_exact_mean_over_the_held_out_examples():
    x_val = torch.arange(2500.0)[:, None]
    loss = lambda m, b: (b.mean() + 0 * m.weight, {"square": b.square().mean()})  # noqa: E731
    history = quiet(Line(), loss, X, epochs=1, x_val=x_val)
    assert history.validation["loss"] == [pytest.approx(2499 / 2, rel=1e-6)]
    assert history.validation["square"] == [pytest.approx(2499 * 4999 / 6, rel=1e-5)]


def test_the_history_holds_plain_numbers():
    history = quiet(small_vae(), noisy_vae_loss, torch.rand(10, 6), epochs=1)
    assert sorted(history.train) == ["kl", "loss", "reconstruction"]
    assert all(type(v[0]) is float for v in history.train.values())


def test_loss_and_terms_recorded_agree():
    train = quiet(small_vae(), noisy_vae_loss, torch.rand(10, 6), epochs=1, batch_size=4).train
    assert train["loss"][0] == pytest.approx(train["kl"][0] - train["reconstruction"][0], rel=1e-5)


def test_without_held_out_images_no_validation_is_recorded():
    assert quiet(Line(), distance, X, epochs=1).validation == {}


def test_a_history_reads_as_one_line():
    history = quiet(Line(), distance, X, epochs=3, x_val=X)
    assert re.fullmatch(r"3 epochs: loss [\d.e-]+, held-out loss [\d.e-]+", str(history))


# Seeds


def test_the_same_seed_gives_the_same_history_and_weights():
    runs = []
    for state in (1, 2):  # the global random numbers have no say
        model = small_vae()
        torch.manual_seed(state)
        history = quiet(model, noisy_vae_loss, torch.ones(10, 6), epochs=2, batch_size=4, seed=5)
        runs.append((history.train, weights(model)))
    assert runs[0][0] == runs[1][0]
    assert torch.equal(runs[0][1], runs[1][1])


def test_another_seed_gives_another_history_and_other_weights():
    runs = []
    for seed in (5, 6):
        model = small_vae()
        history = quiet(model, noisy_vae_loss, torch.ones(10, 6), epochs=2, batch_size=4, seed=seed)
        runs.append((history.train, weights(model)))
    assert runs[0][0] != runs[1][0]
    assert not torch.equal(runs[0][1], runs[1][1])


def test_the_global_random_numbers_are_left_alone():
    model = small_vae()
    before = random_state()
    quiet(model, noisy_vae_loss, torch.ones(10, 6), epochs=1)
    assert random_state() == before


def test_set_seed_repeats_torch_and_numpy():
    draws = []
    for seed in (3, 3, 4):
        set_seed(seed)
        draws.append((torch.rand(1).item(), np.random.rand()))  # noqa: NPY002
    assert draws[0] == draws[1]
    assert draws[0][0] != draws[2][0]
    assert draws[0][1] != draws[2][1]


# Stop


def test_stop_returns_the_history_of_the_finished_epochs():
    history = quiet(Line(), Calls(8, press_stop), X, epochs=5, batch_size=4)
    assert history.interrupted
    assert len(history) == 2
    assert len(history.train["loss"]) == 2


def test_stop_leaves_the_model_as_it_was_before_the_step():
    calls, model = Calls(8, press_stop), Line()
    quiet(model, calls, X, epochs=5, batch_size=4)
    assert model.weight.item() == calls.weights[-1]
    assert model.weight.item() != 0


def test_after_stop_the_model_can_be_used_and_trained_again():
    model = small_vae()
    x = torch.rand(10, 6)

    def loss(model, batch):
        loss.calls += 1
        return press_stop(model, batch) if loss.calls == 4 else noisy_vae_loss(model, batch)

    loss.calls = 0
    assert quiet(model, loss, x, epochs=5, batch_size=4).interrupted
    assert not model.training
    assert model.sample(3).isfinite().all()
    assert len(quiet(model, noisy_vae_loss, x, epochs=1)) == 1


def test_stop_in_the_first_epoch_returns_an_empty_history():
    history = quiet(Line(), Calls(1, press_stop), X, epochs=5)
    assert history.interrupted
    assert len(history) == 0
    assert str(history) == "no epoch was finished"


def test_stop_during_validation_ends_training_too():
    history = quiet(Line(), Calls(4, press_stop), X, epochs=5, batch_size=10, x_val=X)
    assert history.interrupted
    assert len(history.validation["loss"]) == 1


def test_stop_restores_the_global_random_numbers():
    before = torch.get_rng_state()
    quiet(Line(), Calls(2, press_stop), X, epochs=5)
    assert torch.equal(before, torch.get_rng_state())


def test_a_run_to_the_end_is_not_called_interrupted():
    assert not quiet(Line(), distance, X, epochs=1).interrupted
    assert History().interrupted is False


# NaN and infinity


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_with_term_epoch_and_step(value):
    calls = Calls(5, lambda m, b: m.weight * value)
    with pytest.raises(FloatingPointError, match=r"'loss'.*epoch 2, step 2 of 3"):
        quiet(Line(), calls, X, epochs=5, batch_size=4)
    assert len(calls.batches) == 5


@pytest.mark.parametrize("value", [math.nan, torch.tensor(math.inf)])
def test_a_named_term_that_is_not_finite_is_named(value):
    calls = Calls(4, lambda m, b: (distance(m, b), {"kl": value, "fine": 1.0}))
    with pytest.raises(FloatingPointError, match=r"'kl'.*epoch 2, step 1 of 3"):
        quiet(Line(), calls, X, epochs=5, batch_size=4)


def test_the_term_is_named_before_the_loss_that_it_spoils():
    def loss(model, batch):
        return model.weight * math.nan, {"fine": 1.0, "kl": torch.tensor(math.nan)}

    with pytest.raises(FloatingPointError, match="'kl'"):
        quiet(Line(), loss, X, epochs=1)


def test_a_loss_that_is_not_finite_on_held_out_images_stops_too():
    calls = Calls(4, lambda m, b: distance(m, b) * math.nan)
    with pytest.raises(FloatingPointError, match=r"x_val, epoch 1"):
        quiet(Line(), calls, X, epochs=5, batch_size=4, x_val=X)


def test_the_error_says_what_to_try():
    with pytest.raises(FloatingPointError, match=r"[Ll]ower lr \(now 0.02\)"):
        quiet(Line(), lambda m, b: m.weight * math.nan, X, epochs=1, lr=0.02)


@pytest.mark.filterwarnings("error")
def test_the_error_comes_without_a_warning():
    torch.set_warn_always(True)  # torch would warn once a process, and perhaps did before
    try:
        with pytest.raises(FloatingPointError):
            quiet(Line(), lambda m, b: m.weight * math.nan, X, epochs=1)
    finally:
        torch.set_warn_always(False)


def test_a_nan_does_not_reach_the_weights():
    calls, model = Calls(5, lambda m, b: m.weight * math.nan), Line()
    with pytest.raises(FloatingPointError):
        quiet(model, calls, X, epochs=5, batch_size=4)
    assert model.weight.item() == calls.weights[-1]


# Bad arguments


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"epochs": -1},
        {"epochs": 1, "batch_size": 0},
        {"epochs": 1, "lr": 0.0},
        {"epochs": 1, "lr": -1e-3},
        {"epochs": 1, "lr": math.nan},
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="expected .*(epochs|batch_size|lr)"):
        quiet(Line(), distance, X, **options)


@pytest.mark.parametrize(
    "x",
    [torch.zeros(0, 2), torch.zeros(5), torch.zeros(()), np.zeros((5, 2)), [[0.0]]],
    ids=["empty", "one-dimensional", "a number", "NumPy", "a list"],
)
@pytest.mark.parametrize("name", ["x", "x_val"])
def test_examples_that_cannot_be_used_are_refused(x, name):
    options = {"x": X, "x_val": None, name: x}
    with pytest.raises(ValueError, match=f"expected {name} "):
        quiet(Line(), distance, options["x"], epochs=1, x_val=options["x_val"])


@pytest.mark.parametrize("name", ["x", "x_val"])
def test_examples_with_a_nan_are_refused(name):
    bad = X.clone()
    bad[3, 1] = math.nan
    options = {"x": X, "x_val": None, name: bad}
    with pytest.raises(ValueError, match=rf"expected {name} .*; got .* with 1 NaN or infinite"):
        quiet(Line(), distance, options["x"], epochs=1, x_val=options["x_val"])


def test_a_loss_that_is_not_a_scalar_is_refused():
    with pytest.raises(ValueError, match=r"expected loss_fn to return a scalar; got tensor\(\["):
        quiet(Line(), lambda m, b: m.weight * b[:, 0], X, epochs=1)
    with pytest.raises(ValueError, match="expected loss_fn to return a scalar; got None"):
        quiet(Line(), lambda m, b: None, X, epochs=1)


# The line of progress

SETUP = """
import os, signal, time
import torch
from helpers.training import fit

model, x, calls = torch.nn.Linear(2, 1), torch.rand(10, 2), []

def loss(model, batch, stop_at=None):
    calls.append(1)
    if len(calls) == stop_at:
        os.kill(os.getpid(), signal.SIGINT)  # what the Stop button does
        time.sleep(60)
    return model(batch).square().mean()
"""
STOP = """
calls.clear()
history = fit(model, lambda m, b: loss(m, b, 4), x, epochs=5, batch_size=5)
print("interrupted:", history.interrupted, len(history))
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """The outputs of two cells of a notebook: fit to the end, and fit with Stop pressed."""
    sources = [SETUP, "history = fit(model, loss, x, epochs=3, x_val=x)", STOP]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell.outputs for cell in notebook.cells[1:]]


@pytest.mark.kernel
def test_progress_leaves_one_readable_line_in_a_notebook(outputs):
    assert len(outputs[0]) == 1
    line = outputs[0][0]["data"]["text/plain"]
    assert re.fullmatch(r"3 epochs: loss [\d.e-]+, held-out loss [\d.e-]+", line)


@pytest.mark.kernel
def test_progress_leaves_no_time_and_no_bar_in_a_notebook(outputs):
    for debris in ("\r", "it/s", "s/it", "00:", "|", "█", "%"):
        assert debris not in str(outputs)


@pytest.mark.kernel
def test_the_stop_button_ends_training_and_the_cell_goes_on(outputs):
    line, printed = outputs[1]
    assert line["data"]["text/plain"].startswith("stopped after 1 epoch")
    assert printed["text"] == "interrupted: True 1\n"


def test_in_a_terminal_progress_shows_epochs_and_losses(capsys):
    fit(Line(), distance, X, epochs=2, x_val=X)
    shown = capsys.readouterr().err.split("\r")
    assert "1/2" in shown[1]
    assert "2/2" in shown[2]
    assert "held-out loss" in shown[1]
    assert re.search(r"\d+ s left", shown[1])
    assert re.fullmatch(r"2 epochs: loss [\d.e-]+, held-out loss [\d.e-]+ *", shown[-1])


def test_without_progress_nothing_is_shown(capsys):
    quiet(Line(), distance, X, epochs=2)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_shows_one_output_that_ends_with_the_whole_history(monkeypatch):
    shown, lines = [], []
    handle = SimpleNamespace(update=lambda data, raw: lines.append(data["text/plain"]))
    monkeypatch.setattr(training, "get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr(training, "display", lambda *a, **k: shown.append(a) or handle)
    history = fit(Line(), distance, X, epochs=3)
    assert len(shown) == 1
    assert len(lines) == 4
    assert lines[-1] == str(history)


# History


def test_a_history_weighs_each_batch_by_its_examples():
    history = History()
    history.add("train", {"loss": 1.0}, 3)
    history.add("train", {"loss": 5.0, "rare": 2.0}, 1)
    history.add("validation", {"loss": 7.0}, 10)
    assert (history.train, history.validation) == ({}, {})
    history.end_epoch()
    assert history.train == {"loss": [2.0], "rare": [2.0]}
    assert history.validation == {"loss": [7.0]}
    history.add("train", {"loss": 8.0}, 4)
    history.end_epoch()
    assert history.train["loss"] == [2.0, 8.0]


# Properties


class Scale(nn.Module):
    """w · x, with a single weight."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5, dtype=dtype))

    def forward(self, x):
        return self.w * x


def square_loss(model, batch):
    loss = (1 - model(batch)).square().sum(dim=-1).mean()
    return loss, {"twice": 2 * loss}


@given(st.data(), st.integers(1, 5), st.integers(1, 5), widths, st.integers(1, 6), dtypes)
@settings(max_examples=25)
def test_at_a_rate_of_almost_zero_each_epoch_has_the_mean_loss_of_all_examples(
    data, n, n_val, d, batch_size, dtype
):
    x, x_val = (data.draw(tensors(count, d, dtype=dtype)) for count in (n, n_val))
    epochs, seed = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 2**40))
    history = fit(
        Scale(dtype),
        square_loss,
        x,
        epochs=epochs,
        batch_size=batch_size,
        lr=1e-30,
        x_val=x_val,
        seed=seed,
        progress=False,
    )
    for values, record in ((x, history.train), (x_val, history.validation)):
        mean = (1 - 0.5 * values.double().numpy()) ** 2
        mean = mean.sum(axis=1).mean()
        assert record["loss"] == pytest.approx([mean] * epochs, rel=1e-5)
        assert record["twice"] == pytest.approx([2 * mean] * epochs, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_model_trains_in_its_own_dtype(dtype):
    model, x = small_vae().to(dtype), torch.rand(40, 6).round().double()
    history = quiet(model, noisy_vae_loss, x, epochs=3, batch_size=8, lr=0.01)
    assert history.train["loss"][-1] < history.train["loss"][0]
    assert all(p.dtype == dtype and p.isfinite().all() for p in model.parameters())


REFUSED = [
    {"lr": math.inf},
    {"lr": math.nan},
    {"lr": 0.0},
    {"seed": -1},
    {"seed": 1.5},
    {"loss_fn": lambda model, batch: batch.mean()},
    {"loss_fn": lambda model, batch: model(batch).mean().item()},
    {"loss_fn": lambda model, batch: model(batch)},
    {"x": torch.tensor([[math.inf]])},
    {"x_val": torch.tensor([[math.nan]])},
]


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: next(iter(change)))
def test_arguments_that_cannot_be_used_are_refused(change):
    options = {"model": Scale(), "loss_fn": square_loss, "x": torch.ones(4, 2), "epochs": 1}
    with refused():
        fit(**options | {"progress": False} | change)


@given(not_counts, st.sampled_from(["epochs", "batch_size"]))
def test_counts_that_are_no_counts_are_refused(n, name):
    with refused():
        fit(Scale(), square_loss, torch.ones(4, 2), **{"epochs": 1, "progress": False, name: n})


def test_where_torch_has_clear_words_they_stand():
    with pytest.raises(ValueError, match="empty parameter list"):
        quiet(nn.ReLU(), square_loss, X, epochs=1)
    vector = lambda model, batch: (model.w, {"values": model(batch)[:, 0]})  # noqa: E731
    with pytest.raises(RuntimeError, match="10 elements cannot be converted to Scalar"):
        quiet(Scale(), vector, X, epochs=1)


@pytest.mark.parametrize("lr", [1e5, 1e20])
def test_training_that_diverges_says_where_whatever_saw_it_first(lr):
    x = torch.rand(40, 6, generator=torch.Generator().manual_seed(0))
    with pytest.raises(FloatingPointError, match=r"epoch \d+, step \d+ of 5\. Try a lower lr"):
        quiet(small_vae(), noisy_vae_loss, x, epochs=20, batch_size=8, lr=lr)


@given(st.integers(0, 2**63 - 1))
def test_a_seed_repeats_the_numbers(seed):
    drawn = []
    for _ in range(2):
        set_seed(seed)
        drawn.append((torch.rand(3).tolist(), np.random.rand(3).tolist()))  # noqa: NPY002
    assert drawn[0] == drawn[1]


@given(st.sampled_from([-1, 1.5, math.nan, None, "0"]))
def test_a_seed_that_is_no_count_is_refused(seed):
    with refused():
        set_seed(seed)
