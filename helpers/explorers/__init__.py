"""The draggable pictures."""

from helpers.explorers.bound import BoundExplorer
from helpers.explorers.estimator import EstimatorExplorer
from helpers.explorers.flipbook import Flipbook
from helpers.explorers.flow import FlowExplorer
from helpers.explorers.frozen_noise import FrozenNoise
from helpers.explorers.kl import KLExplorer
from helpers.explorers.latent import LatentExplorer
from helpers.explorers.plane import PlaneExplorer
from helpers.explorers.playground import Playground
from helpers.explorers.posterior import PosteriorExplorer
from helpers.explorers.question import Question

__all__ = [
    "BoundExplorer",
    "EstimatorExplorer",
    "Flipbook",
    "FlowExplorer",
    "FrozenNoise",
    "KLExplorer",
    "LatentExplorer",
    "PlaneExplorer",
    "Playground",
    "PosteriorExplorer",
    "Question",
]
