"""The draggable pictures."""

from helpers.explorers.flipbook import Flipbook
from helpers.explorers.latent import LatentExplorer

__all__ = ["Flipbook", "LatentExplorer"]
