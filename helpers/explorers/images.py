"""Images, their classes and drawings, as the explorers take them and send them to the page."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from traitlets import Any

from helpers.plots import CLASS_COLORS


def checked_images(x, name: str, side: int) -> Tensor:
    """x as (N, side²) in [0, 1]."""
    images = as_tensor(x, name)
    fits = images.numel() > 0 and images.numel() % side**2 == 0
    if not fits or images.shape[-1:].numel() not in (side, side**2):
        raise ValueError(f"expected {name} of shape (N, {side**2}); got {tuple(images.shape)}")
    low, high = images.aminmax()
    if not (low >= 0 and high <= 1):  # NaN fails this test too
        raise ValueError(f"expected {name} in [0, 1]; got values from {low:.4g} to {high:.4g}")
    return images.reshape(-1, side**2)


def as_tensor(values, name: str) -> Tensor:
    """values as a float32 tensor on the CPU."""
    try:
        return torch.as_tensor(values).detach().cpu().float()
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"expected numbers for {name}; got {values!r}") from None


def grey_levels(x: Tensor) -> bytes:
    """x in [0, 1] as bytes from 0 to 255."""
    return (255 * x).round().to(torch.uint8).numpy().tobytes()


def class_names(labels: Sequence | None, count: int) -> list[str]:
    """The labels as texts, one an image; none where labels is None."""
    if labels is None:
        return []
    names = [str(label) for label in (labels.tolist() if hasattr(labels, "tolist") else labels)]
    if len(names) != count:
        raise ValueError(f"expected one label for each of the {count} images; got {len(names)}")
    return names


def class_colors(names: list[str]) -> dict[str, str]:
    """One color a class: that of its number as in plots.plot_latent, or of its place by name."""
    classes = sorted(set(names))
    places = [int(name) if name.isdecimal() else place for place, name in enumerate(classes)]
    colors = [CLASS_COLORS[place % len(CLASS_COLORS)] for place in places]
    return dict(zip(classes, colors, strict=True))


def drawing_trait() -> Any:
    """An image of the reader's own (side, side), as float32 bytes in the page; None where none."""
    return Any(None).tag(
        sync=True,
        echo_update=False,
        to_json=lambda values, _: None if values is None else values.tobytes(),
        from_json=lambda data, _: None if data is None else np.frombuffer(data, np.float32).copy(),
    )
