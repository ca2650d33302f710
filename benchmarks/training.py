"""`fit` against the loop that most tutorials use, and against the bare matrix products.

    make bench

One run, everything in turn, so that what else the machine does falls on all alike; every figure is
the median of repeated runs with its range. Read the ratios rather than the seconds.
"""

import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

import torch
from PIL import Image
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import ToTensor

from helpers.data import load_images
from helpers.losses import elbo_terms
from helpers.models import VAE
from helpers.training import fit, set_seed

BATCH, LR, EPOCHS = 128, 1e-3, 10
MODELS = {"small": {"latent_dim": 20, "hidden_dims": (400,)}, "default": {}}
RECIPES = [(32, 5e-3), (64, 3e-3), (64, 5e-3), (64, 8e-3), (128, 5e-3), (128, 8e-3)]
START_UP = """
import time; start = time.perf_counter()
import torch, matplotlib.pyplot
from helpers.training import fit
from helpers.losses import elbo_terms
from helpers.models import VAE
from helpers.data import load_images
imported = time.perf_counter()
digits = load_images()
loaded = time.perf_counter()
torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # imports what torch needs for it
optimizer = time.perf_counter()
loss = lambda model, x: -elbo_terms(x, model(x)).elbo().mean()
fit(VAE(), loss, digits.x_train, epochs=10, progress=False)
print(imported - start, loaded - imported, optimizer - loaded, time.perf_counter() - optimizer)
"""


class Images(Dataset):
    """A data set as torchvision's: bytes in memory, a picture and a transform for each item."""

    def __init__(self, x: torch.Tensor):
        self.bytes, self.transform = (255 * x).byte().reshape(-1, 28, 28).numpy(), ToTensor()

    def __len__(self) -> int:
        return len(self.bytes)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.transform(Image.fromarray(self.bytes[i]))


def negative_elbo(model: VAE, x: torch.Tensor) -> torch.Tensor:
    return -elbo_terms(x, model(x)).elbo().mean()


def conventional(model: VAE, x: torch.Tensor, epochs: int, one_cycle: bool = False) -> float:
    """Train as most tutorials do. Returns the last epoch's mean loss."""
    loader = DataLoader(Images(x), batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    if one_cycle:
        steps = epochs * len(loader)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=steps)
    for _ in range(epochs):
        total = 0.0
        for images in loader:
            images = images.view(-1, 784)
            optimizer.zero_grad()
            output = model(images)
            bce = binary_cross_entropy_with_logits(output.x_logits, images, reduction="sum")
            kl = -0.5 * torch.sum(1 + output.logvar - output.mu.pow(2) - output.logvar.exp())
            loss = (bce + kl) / len(images)
            loss.backward()
            optimizer.step()
            if one_cycle:
                schedule.step()
            total += loss.item()
    return total / len(loader)


def ours(model: VAE, x: torch.Tensor, epochs: int, batch_size: int = BATCH, lr: float = LR):
    fit(model, negative_elbo, x, epochs=epochs, batch_size=batch_size, lr=lr, progress=False)


def products(model: VAE, x: torch.Tensor, epochs: int) -> None:
    """The matrix products of training, forward and backward, and nothing else."""
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    for size, count in ((BATCH, len(x) // BATCH), (len(x) % BATCH, 1)):
        if size == 0:
            continue
        layers = []
        for layer in linear:
            weight, into = layer.weight.detach(), torch.randn(size, layer.in_features)
            gradient = torch.randn(size, layer.out_features)
            results = [torch.empty_like(t) for t in (gradient, weight, into)]
            layers.append((weight, into, gradient, *results))
        for _ in range(epochs * count):
            for i, (weight, into, gradient, out, by_weight, by_input) in enumerate(layers):
                torch.mm(into, weight.T, out=out)
                torch.mm(gradient.T, into, out=by_weight)
                if i:  # nobody asks for the gradient of the pixels
                    torch.mm(gradient, weight, out=by_input)


def bare(model: VAE, x: torch.Tensor, epochs: int) -> None:
    """Loss, gradient and Adam's step on one batch again and again: no data, checks, or records."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=True)
    for _ in range(epochs * math.ceil(len(x) / BATCH)):
        optimizer.zero_grad()
        negative_elbo(model, x[:BATCH]).backward()
        optimizer.step()


def seconds(train: Callable, *args) -> float:
    start = time.perf_counter()
    train(*args)
    return time.perf_counter() - start


def shown(values: list[float]) -> str:
    return f"{median(values):6.2f} ({min(values):.2f} to {max(values):.2f})"


WAYS = {"products": products, "bare": bare, "fit": ours, "conventional": conventional}


def epoch_times(x: torch.Tensor, repeats: int) -> None:
    for name, sizes in MODELS.items():
        times = {way: [] for way in WAYS}
        for _ in range(repeats):
            for way, train in WAYS.items():
                times[way].append(seconds(train, VAE(**sizes), x, 1))
        middle = {way: median(values) for way, values in times.items()}
        row = "".join(f"{shown(values):23}" for values in times.values())
        row += f"{middle['fit'] / middle['products']:13.2f}{middle['fit'] / middle['bare']:9.2f}"
        row += f"{middle['conventional'] / middle['fit']:9.2f}"
        print(f"{len(x):7,} {name:9}{row}", flush=True)


@torch.no_grad()
def held_out(model: VAE, x: torch.Tensor) -> float:
    """The held-out loss in nats per image, over 20 draws of the noise, the same for all models."""
    set_seed(0)
    return sum(negative_elbo(model, x).item() for _ in range(20)) / 20


def trained(train: Callable, sizes: dict, x: torch.Tensor, x_test: torch.Tensor, seeds: int, *args):
    """Seconds and held-out losses of models that differ in the seed."""
    took, losses = [], []
    for seed in range(seeds):
        set_seed(seed)
        model = VAE(**sizes)
        took.append(seconds(train, model, x, *args))
        losses.append(held_out(model, x_test))
    return took, losses


def to_quality(x: torch.Tensor, x_test: torch.Tensor, sizes: dict, seeds: int) -> None:
    """Seconds to the held-out loss that the conventional loop has after EPOCHS epochs."""
    data = sizes, x, x_test, seeds
    took, losses = trained(conventional, *data, EPOCHS)
    slow, goal = median(took), median(losses)
    print(f"  conventional, {EPOCHS} epochs: {shown(took)} s to {goal:.2f} nats", flush=True)
    same, alike = (median(trained(way, *data, EPOCHS, *rest)[1])
                   for way, rest in ((conventional, [True]), (ours, [])))  # fmt: skip
    print(
        f"  same settings and schedule: conventional {same:.2f}, fit {alike:.2f}, "
        f"apart by {abs(alike / same - 1):.2%}",
        flush=True,
    )
    for batch_size, lr in RECIPES:
        for epochs in range(1, EPOCHS):
            took, losses = trained(ours, *data, epochs, batch_size, lr)
            if max(losses) <= goal:
                break
        print(
            f"  fit, batch {batch_size:3}, lr {lr:g}, {epochs} epochs: {shown(took)} s to "
            f"{median(losses):.2f} nats, {slow / median(took):.1f} times faster",
            flush=True,
        )


def start_up(repeats: int = 3) -> None:
    runs = []
    for _ in range(repeats):
        done = subprocess.run([sys.executable, "-c", START_UP], capture_output=True, check=True)
        runs.append([float(part) for part in done.stdout.split()])
    names = ("imports", "data", "first optimizer (torch's own imports)", "ten epochs")
    for name, values in zip(names, zip(*runs, strict=True), strict=True):
        print(f"  {name:40}{shown(list(values))}")
    print(f"  {'all':40}{shown([sum(run) for run in runs])}")


if __name__ == "__main__":
    digits = load_images()
    five = torch.cat([digits.x_train, digits.x_test])
    moves = [(down, right) for down in (-2, 0, 2) for right in (-2, -1, 1, 2)]
    square = five.reshape(-1, 28, 28)
    sixty = torch.cat([square.roll(move, dims=(1, 2)) for move in moves]).flatten(1)
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"Python {platform.python_version()}"
    )
    for model in MODELS.values():  # the first steps of a process are slow
        for train in (products, ours, conventional):
            train(VAE(**model), five[:1000], 1)
    print("\nSeconds an epoch, batch 128: median (range); ratios of the medians")
    heads = "".join(f"{way:23}" for way in WAYS)
    print(f"{'images':>7} {'VAE':9}{heads}{'fit/products':>13}{'fit/bare':>9}{'conv/fit':>9}")
    epoch_times(five, repeats=7)
    epoch_times(sixty, repeats=3)
    # The copies of a held-out digit must stay out of training.
    shifted = digits.x_train.reshape(-1, 28, 28)
    shifted = torch.cat([shifted.roll(move, dims=(1, 2)) for move in moves]).flatten(1)
    for x, seeds in ((digits.x_train, 3), (shifted, 1)):
        for name, sizes in MODELS.items():
            print(f"\nSeconds to quality, {len(x):,} images, {name} VAE")
            to_quality(x, digits.x_test, sizes, seeds)
    print("\nSeconds from the start of a kernel to the first trained model")
    start_up()
