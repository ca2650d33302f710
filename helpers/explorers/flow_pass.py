"""One image through the networks, and the gradient back: what the flow explorer shows, by torch."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from helpers.explorers.networks import Networks, flat
from helpers.losses import bernoulli_log_likelihood, kl_divergence


class Flow(NamedTuple):
    """One image on its way: x (D,), the latents (latent_dim,) each, x_hat (D,), and the loss.

    mu, sigma, eps and kl are None where the model is an autoencoder.
    """

    x: Tensor
    mu: Tensor | None
    sigma: Tensor | None
    eps: Tensor | None
    z: Tensor
    x_hat: Tensor
    reconstruction: Tensor  # the loss's part, lower is better
    kl: Tensor | None  # of each latent, in nats
    slopes: dict[str, Tensor]  # the gradient of a part of the loss by z, mu or sigma


@torch.enable_grad()  # also where the reader has switched gradients off
def flow(networks: Networks, spec: dict, x: Tensor, eps: Tensor, noise: float) -> Flow:
    """x (D,) through the networks; noise scales eps, where the model is a VAE."""
    dim, kl, mu, sigma, noisy = networks.latent_dim, None, None, None, None
    with torch.no_grad():
        outputs = networks.encoder(x[None])[0]
    if spec["variational"]:
        mu = outputs[:dim].clone().requires_grad_()
        sigma = (outputs[dim:] / 2).exp().requires_grad_()
        kl = kl_divergence(mu[:, None], 2 * sigma.log()[:, None])
        noisy = mu + sigma * noise * eps
    z = (outputs if noisy is None else noisy).detach().clone().requires_grad_()
    logits = nn.Sequential(*flat(networks.decoder)[:-1])(z[None]).flatten(1)
    x_hat = logits.sigmoid()[0]
    if spec["likelihood"] == "sum":
        loss = (x - x_hat).square().sum()
    else:
        loss = -bernoulli_log_likelihood(x[None], logits)[0]
    slopes = _slopes(loss, kl, mu, sigma, z, noisy, spec["gradient"] == "blocked")
    values = (x, mu, sigma, None if kl is None else eps, z, x_hat, loss, kl)
    return Flow(*(None if value is None else value.detach() for value in values), slopes)


def _slopes(loss, kl, mu, sigma, z, noisy, blocked: bool) -> dict[str, Tensor]:
    """The gradient of each part of the loss; blocked: the reconstruction's ends at z."""
    by_z = torch.autograd.grad(loss, z)[0]
    if kl is None:
        return {"reconstruction_by_z": by_z}
    arriving = torch.zeros_like(by_z) if blocked else by_z
    back = torch.autograd.grad(noisy, (mu, sigma), grad_outputs=arriving)
    names = ("reconstruction_by_mu", "reconstruction_by_sigma", "kl_by_mu", "kl_by_sigma")
    both = (*back, *torch.autograd.grad(kl.sum(), (mu, sigma)))
    return {"reconstruction_by_z": by_z} | dict(zip(names, both, strict=True))
