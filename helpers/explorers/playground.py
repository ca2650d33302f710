"""The playground: an autoencoder or a VAE that trains in the page, and can be changed meanwhile."""

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn
from traitlets import Bool, Bytes, Enum, Int, validate

from helpers.explorers import playground_still
from helpers.explorers.base import Explorer, Slider, module, script
from helpers.explorers.images import (
    as_tensor,
    checked_images,
    class_colors,
    class_names,
    grey_levels,
)
from helpers.losses import bernoulli_log_likelihood, gaussian_log_likelihood, kl_divergence
from helpers.models import VAE, Autoencoder, reparameterize
from helpers.plots import COLORS

TRAINING, HELD_OUT, SAMPLES = 2000, 500, 20
LATENT_DIM = 2
WIDTHS = (32, 64, 128, 256)
GRADIENTS = ("reparameterized", "score", "blocked")
LIKELIHOODS = ("bernoulli", "sum", "mean", "learned")
LAST_SEED = 9999


def _choice(*options: str) -> Enum:
    """A name in Python, its place in the page: an address holds numbers."""
    places = {
        "to_json": lambda value, _: options.index(value),
        "from_json": lambda place, _: options[place],
    }
    return Enum(options, options[0]).tag(sync=True, **places)


class Playground(Explorer):
    """Train an autoencoder or a VAE in the page, and change it while it trains.

    784-128-2-128-784 at batch 64 with Adam (rate 3e-3), in a worker of the browser. Training sends
    the kernel nothing; on a pause the weights come to Python.

    Args:
        digits: ImageData of square images; the first 2,000 training and 500 held-out images.
    Traits:
        variational: a VAE, or else an autoencoder; gradient: "reparameterized", "score" (with the
            batch's mean as baseline) or "blocked"; likelihood: "bernoulli", "sum" or "mean" of
            squares, or "learned" (Gaussian, with one log-variance for all pixels); beta: the weight
            of the KL, from 0 to 20. They can be changed at any moment.
        width: of the hidden layers, 32 to 256; seed. Either begins anew.
        show_map, show_images, show_curves, show_film, show_lessons, show_slow: whether a part is
            shown.
    Raises:
        ValueError: for images, a beta or a model that do not fit.
        traitlets.TraitError: for another setting than those above.
    Source:
        notebooks/05, section 4; Kingma & Welling 2014.
    """

    _esm = module("playground.js")
    figure_size = (7.4, 3.6)
    images = Bytes().tag(sync=True)  # grey levels 0 … 255: training, then held out
    held_noise = Bytes().tag(sync=True)  # float32: the held-out images' ε, always the same
    prior_noise = Bytes().tag(sync=True)  # float32: the samples' z
    # float32: the decoder's and the encoder's, the pixels' log-variance, and the steps so far
    weights = Bytes().tag(  # Jupyter hands over a memoryview, which Bytes would refuse
        sync=True, echo_update=False, from_json=lambda data, _: bytes(data)
    )
    variational = Bool(True).tag(sync=True)
    gradient = _choice(*GRADIENTS)
    likelihood = _choice(*LIKELIHOODS)
    beta = Slider(0.0, 20.0, 1.0)
    width = Enum(WIDTHS, 128).tag(sync=True)
    seed = Int(0, min=0, max=LAST_SEED).tag(sync=True)
    show_map = Bool(True).tag(sync=True)
    show_images = Bool(True).tag(sync=True)
    show_curves = Bool(True).tag(sync=True)
    show_film = Bool(True).tag(sync=True)
    show_lessons = Bool(True).tag(sync=True)
    show_slow = Bool(True).tag(sync=True)

    def __init__(self, digits, **traits):
        x_train, y_train, x_test, y_test = digits
        side = round(as_tensor(x_train, "x_train").shape[-1:].numel() ** 0.5)
        x_train = checked_images(x_train, "x_train", side)[:TRAINING]
        x_test = checked_images(x_test, "x_test", side)[:HELD_OUT]
        if len(x_train) < 64 or len(x_test) < 10:
            counts = f"{len(x_train)} and {len(x_test)}"
            raise ValueError(f"expected at least 64 training and 10 held-out images; got {counts}")
        names = class_names(y_test[: len(x_test)], len(x_test))
        draw = np.random.default_rng(17).standard_normal
        spec = {
            "side": side,
            "training": len(x_train),
            "classes": names,
            "class_colors": class_colors(names),
            "colors": COLORS,
            "width": 128,
            "limits": {
                "gradient": [0, len(GRADIENTS) - 1],
                "likelihood": [0, len(LIKELIHOODS) - 1],
                "width": [WIDTHS[0], WIDTHS[-1]],
                "seed": [0, LAST_SEED],
            },
            "sizes": {width: _size(side * side, width) for width in WIDTHS},
            "worker": script("play_worker.js"),
        }
        super().__init__(
            spec,
            images=grey_levels(x_train) + grey_levels(x_test),
            held_noise=draw((len(x_test), LATENT_DIM)).astype(np.float32).tobytes(),
            prior_noise=draw((SAMPLES, LATENT_DIM)).astype(np.float32).tobytes(),
            **traits,
        )

    @validate("weights")
    def _check_weights(self, proposal):
        count = len(proposal["value"]) / 4
        if count and count not in self.spec["sizes"].values():
            sizes = sorted(self.spec["sizes"].values())
            raise ValueError(f"expected weights of one of the sizes {sizes}; got {count:g}")
        return proposal["value"]

    @property
    def model(self) -> VAE | Autoencoder:
        """The model that the page trained, as it was on the last pause, or the one set here.

        Set a VAE or an Autoencoder with two latents and one hidden layer: the page goes on from it.
        """
        numbers, side = self._numbers(), self.spec["side"]
        width = next(w for w, size in self.spec["sizes"].items() if size == len(numbers))
        kind = VAE if self.variational else Autoencoder
        model = kind(LATENT_DIM, (width,), side * side)
        _read(model, numbers)
        return model

    @model.setter
    def model(self, model: VAE | Autoencoder) -> None:
        sizes = [layer.out_features for layer in model.modules() if isinstance(layer, nn.Linear)]
        variational, pixels = isinstance(model, VAE), self.spec["side"] ** 2
        width = sizes[0]
        wanted = [width, LATENT_DIM * (1 + variational), width, pixels]
        layers = {type(m) for m in model.modules() if not [*m.children()]}
        plain = layers == {nn.Linear, nn.ReLU} and not getattr(model, "condition_dim", 0)
        if width not in WIDTHS or sizes != wanted or not plain:
            raise ValueError(
                f"expected a model with layers {pixels}-W-{LATENT_DIM}-W-{pixels}, W out of "
                f"{WIDTHS}, ReLU and no condition; got outputs of {sizes}, and of "
                f"{sorted(layer.__name__ for layer in layers)}"
            )
        with self.hold_sync():
            self.variational, self.width = variational, width
            self.weights = _written(deepcopy(model).cpu()).numpy().tobytes()

    @property
    def pixel_logvar(self) -> float:
        """log σ² of the pixels, as it was learned with the likelihood "learned"."""
        return float(self._numbers()[-2])

    def _numbers(self) -> Tensor:
        if not self.weights:
            raise ValueError("expected a model that was trained; got none: press Run, then Pause")
        return torch.from_numpy(np.frombuffer(self.weights, np.float32).copy())

    def held_out(self) -> tuple[Tensor, Tensor, Tensor]:
        """The held-out images (N, D), their codes (N, 2) and their noise (N, 2)."""
        noise = torch.from_numpy(np.frombuffer(self.held_noise, np.float32).copy())
        grey = np.frombuffer(self.images, np.uint8).reshape(-1, self.spec["side"] ** 2)
        x = torch.from_numpy(grey[self.spec["training"] :].copy()).float() / 255
        with torch.no_grad():
            code = self.model.encode(x)
        return x, code[0] if self.variational else code, noise.reshape(-1, LATENT_DIM)

    @property
    @torch.no_grad()
    def numbers(self) -> dict[str, float]:
        """steps, reconstruction and kl as on the last pause; none before the first."""
        if not self.weights:
            return {}
        x, z, eps = self.held_out()
        model, numbers = self.model, {"steps": float(self._numbers()[-1])}
        if self.variational:
            mu, logvar = model.encode(x)
            z = reparameterize(mu, logvar, eps)
            numbers["kl"] = kl_divergence(mu, logvar).mean().item()
        return numbers | {"reconstruction": self._loss(x, model.decode(z)).mean().item()}

    def _loss(self, x: Tensor, x_logits: Tensor) -> Tensor:
        """The reconstruction loss of each image."""
        if self.likelihood == "bernoulli":
            return -bernoulli_log_likelihood(x, x_logits)
        if self.likelihood == "learned":
            return -gaussian_log_likelihood(x, x_logits.sigmoid(), self.pixel_logvar)
        squares = (x - x_logits.sigmoid()).square()
        return squares.sum(dim=1) if self.likelihood == "sum" else squares.mean(dim=1)

    def draw(self, figure) -> None:
        playground_still.draw(figure, self)

    def describe(self) -> str:
        kind = "a VAE" if self.variational else "an autoencoder"
        if not self.weights:
            return f"Twenty of the digits on which the page trains {kind} when Run is pressed."
        numbers = self.numbers
        kl = f" and a KL of {numbers['kl']:.2f} nats" if "kl" in numbers else ""
        return (
            f"After {numbers['steps']:.0f} steps of {kind}: the latent map of held-out digits, and "
            f"samples of the prior; a held-out reconstruction loss of "
            f"{numbers['reconstruction']:.4g}{kl}."
        )


def _size(pixels: int, width: int) -> int:
    """Of the weights, the pixels' log-variance and the steps."""
    sizes = [(LATENT_DIM, width), (width, pixels), (pixels, width), (width, 2 * LATENT_DIM)]
    return sum((inputs + 1) * outputs for inputs, outputs in sizes) + 2


def _layers(model) -> list[nn.Linear]:
    """In the order of the weights: the decoder's, then the encoder's."""
    parts = [*model.decoder, *model.encoder]
    return [layer for layer in parts if isinstance(layer, nn.Linear)]


@torch.no_grad()
def _read(model: VAE | Autoencoder, numbers: Tensor) -> None:
    """Set the model's weights; an autoencoder's last layer of the encoder has the rows of μ."""
    *layers, last = _layers(model)
    for layer in layers:
        for parameter in (layer.weight, layer.bias):
            parameter.copy_(numbers[: parameter.numel()].reshape(parameter.shape))
            numbers = numbers[parameter.numel() :]
    rows, inputs = 2 * LATENT_DIM, last.in_features
    last.weight.copy_(numbers[: rows * inputs].reshape(rows, inputs)[: last.out_features])
    last.bias.copy_(numbers[rows * inputs :][: last.out_features])


@torch.no_grad()
def _written(model: VAE | Autoencoder) -> Tensor:
    """The weights, a log-variance of 0 and no steps; where there is no logvar, σ is 1."""
    *layers, last = _layers(model)
    rest = 2 * LATENT_DIM - last.out_features
    parts = [p.flatten() for layer in layers for p in (layer.weight, layer.bias)]
    parts += [last.weight.flatten(), torch.zeros(rest * last.in_features)]
    return torch.cat([*parts, last.bias, torch.zeros(rest), torch.zeros(2)]).float()
