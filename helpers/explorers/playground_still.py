"""The still picture of the playground: the latent map and samples, or the digits it begins from."""

import numpy as np
import torch

from helpers.plots import plot_images, plot_latent


def draw(figure, playground) -> None:
    """Fill the figure with what the playground shows."""
    if not playground.weights:
        size = playground.spec["side"] ** 2
        grey = np.frombuffer(playground.images, np.uint8).reshape(-1, size)[:20]
        ax = figure.subplots()
        plot_images(torch.from_numpy(grey.copy()).float() / 255, ax=ax)
        ax.set_title("Press Run: an autoencoder or a VAE learns to draw these in the page")
        return
    x, codes, _ = playground.held_out()
    left, right = figure.subplots(1, 2)
    names = playground.spec["classes"]
    places = {name: place for place, name in enumerate(sorted(set(names)))}
    labels = torch.tensor([int(n) if n.isdecimal() else places[n] for n in names])
    plot_latent(codes, labels, circles=playground.variational, ax=left)
    left.set_title("latent map, held out")
    z = np.frombuffer(playground.prior_noise, np.float32).reshape(-1, 2)
    with torch.no_grad():
        images = playground.model.decode(torch.from_numpy(z.copy())).sigmoid()
    plot_images(images, columns=5, ax=right)
    right.set_title("samples of the prior")
