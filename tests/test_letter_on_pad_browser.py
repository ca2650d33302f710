"""Notebook 02 asks for a letter on the pad, and measures it in a later cell: both are run here."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from helpers.data import load_images
from helpers.models import Autoencoder
from tests.browser import ask, drag, execute, running_page

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "02_autoencoder.ipynb"
SETUP = """
import torch
from helpers.data import load_images
from helpers.explorers import LatentExplorer
from helpers.models import Autoencoder
torch.manual_seed(0)
digits = load_images()
model = Autoencoder(latent_dim=2, hidden_dims=(32,))
plain = Autoencoder(latent_dim=10, hidden_dims=(32,))
"""


def cell(text):
    """The one code cell of the notebook that contains the text."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (source,) = [c.source for c in cells if c.cell_type == "code" and text in c.source]
    return source


@pytest.fixture
def page(lab, chrome):
    """The notebook's explorer in JupyterLab, on a network that needs no training here."""
    cells = [SETUP, cell("def errors("), cell("LatentExplorer(model")]
    lab.write("letter.ipynb", cells)
    with running_page(lab, chrome, "letter.ipynb") as page:
        page.wait_for_selector(".latent-explorer")
        yield page


def test_the_error_of_a_drawn_letter_is_that_of_pytorch(page):
    measure = cell("explorer.drawing is None")
    assert execute(page, measure) == "Nothing is drawn yet.\n"
    drag(page, page.locator("[data-role=pad]"), (0.3, 0.15), (0.3, 0.85), (0.75, 0.85))  # an L
    page.mouse.up()
    drawing = np.array(ask(page, "explorer.drawing.tolist()"), np.float32).reshape(1, 784)
    assert drawing.max() > 0.9
    torch.manual_seed(0)
    _, model = (Autoencoder(latent_dim=width, hidden_dims=(32,)) for width in (2, 10))
    digits = load_images()
    with torch.no_grad():
        x_hat = [model(x).sigmoid().numpy() for x in (torch.from_numpy(drawing), digits.x_test)]
    error = ((x_hat[0] - drawing) ** 2).sum()
    usual = ((x_hat[1] - digits.x_test.numpy()) ** 2).sum(axis=1)
    printed = execute(page, measure)
    assert (
        printed == f"error {error:.1f}: above {(usual < error).mean():.0%} of the held-out digits\n"
    )
