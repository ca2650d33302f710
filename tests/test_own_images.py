"""A reader's own images: a folder of shapes, drawn here, in the place of the digits."""

from itertools import takewhile
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from PIL import Image, ImageDraw

from helpers import training
from helpers.data import balanced, load_images
from helpers.explorers import FlowExplorer, LatentExplorer, Playground
from helpers.models import VAE

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
EMBEDDED = 'dataset = "mnist5k"'
PICTURES = 60  # a class
TRAINING, HELD_OUT = 4 * 48, 4 * 12
SHAPES = {
    "bar": lambda draw, box: draw.line(box, fill=255, width=9),
    "disk": lambda draw, box: draw.ellipse(box, fill=255),
    "ring": lambda draw, box: draw.ellipse(box, outline=255, width=8),
    "square": lambda draw, box: draw.rectangle(box, fill=255),
}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """Four classes of white shapes on black, 56 × 56, at random places and in random sizes."""
    folder = tmp_path_factory.mktemp("shapes")
    draws = np.random.default_rng(0)
    for name, draw in SHAPES.items():
        (folder / name).mkdir()
        for i in range(PICTURES):
            picture = Image.new("L", (56, 56))
            corner, size = draws.integers(4, 18, 2), draws.integers(18, 32, 2)
            draw(ImageDraw.Draw(picture), [*map(int, corner), *map(int, corner + size)])
            picture.save(folder / name / f"{i:02}.png")
    return folder


@pytest.fixture
def quick(monkeypatch):
    """Two epochs are enough to see that all cells run."""
    fit = training.fit
    monkeypatch.setattr(training, "fit", lambda *a, **k: fit(*a, **k | {"epochs": 2}))


def run(name, folder, wanted=lambda cell: True):
    """The names that the notebook's cells leave, up to the first that is not wanted."""
    cells = nbformat.read(NOTEBOOKS / name, as_version=4).cells
    assert sum(EMBEDDED in cell.source for cell in cells) == 1
    names = {"__name__": name}
    for cell in takewhile(wanted, cells):
        if cell.cell_type == "code":
            source = cell.source.replace(EMBEDDED, f"dataset = {str(folder)!r}")
            exec(compile(source, name, "exec"), names)
            plt.close("all")
    return names


def test_every_explorer_of_images_takes_a_folder(shapes):
    data = balanced(load_images(shapes))
    vae = VAE(latent_dim=2, hidden_dims=(16,))
    latent = LatentExplorer(vae, data.x_test, data.y_test, x_train=data.x_train)
    assert latent.alt.count(f"latent map with {HELD_OUT} encoded images") == 1
    assert FlowExplorer(vae, data.x_test, data.y_test).numbers["loss"] > 0
    assert Playground(data).spec["training"] == TRAINING


def test_the_first_screen_of_notebook_02_runs_on_a_folder(shapes, quick):
    first = run("02_autoencoder.ipynb", shapes, lambda cell: "## 2" not in cell.source)
    assert f"latent map with {HELD_OUT} encoded images" in first["explorer"].alt


def test_notebook_05_runs_on_a_folder_from_top_to_bottom(shapes, quick, capsys):
    names = run("05_variational_autoencoder.ipynb", shapes)
    assert len(names["digits"].x_train) == TRAINING
    assert names["drawn"].shape == (40, 784)
    assert names["one_hot"].shape == (4, 4)
    assert capsys.readouterr().out.count("Checked:") > 5
