"""The draggable pictures."""

from helpers.explorers.bound import BoundExplorer
from helpers.explorers.flipbook import Flipbook
from helpers.explorers.flow import FlowExplorer
from helpers.explorers.frozen_noise import FrozenNoise
from helpers.explorers.gradient import GradientExplorer
from helpers.explorers.latent import LatentExplorer
from helpers.explorers.plane import PlaneExplorer
from helpers.explorers.posterior import PosteriorExplorer

__all__ = [
    "BoundExplorer",
    "Flipbook",
    "FlowExplorer",
    "FrozenNoise",
    "GradientExplorer",
    "LatentExplorer",
    "PlaneExplorer",
    "PosteriorExplorer",
]
