"""What stands in the pictures, read from the pixels where that is possible."""

from base64 import b64decode
from io import BytesIO

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colors
from nbclient import NotebookClient
from PIL import Image

from helpers import plots
from helpers.training import History
from tests.strategies import (
    answer_or_none,
    counts,
    dtypes,
    not_counts,
    not_finite,
    refused,
    spoiled,
    tensors,
)


@pytest.fixture(autouse=True)
def _style():
    """The course's style, and no figure left behind."""
    with plt.rc_context():
        plots.use_style()
        yield
    plt.close("all")


def color_in_tile(ax, column, row, columns, rows):
    """The color (red, green, blue) in the middle of a tile of the axes, counted from top left."""
    ax.figure.canvas.draw()
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())
    box = ax.get_window_extent()
    x = box.x0 + box.width * (column + 0.5) / columns
    y = box.y1 - box.height * (row + 0.5) / rows
    return tuple(pixels[pixels.shape[0] - 1 - int(y), int(x), :3].tolist())


# plot_images


def test_an_image_stands_upright_and_is_not_mirrored():
    image = np.zeros((1, 28, 28))
    image[0, :4, 20:] = 1  # a white block at the top right
    ax = plots.plot_images(image.reshape(1, 784))
    corners = {
        "top right": (6, 0),
        "top left": (0, 0),
        "bottom left": (0, 6),
        "bottom right": (6, 6),
    }
    drawn = {name: color_in_tile(ax, *corner, 7, 7)[0] for name, corner in corners.items()}
    assert drawn == {"top right": 255, "top left": 0, "bottom left": 0, "bottom right": 0}


@pytest.mark.parametrize("columns", [3, 10])
def test_the_titles_of_the_rows_are_not_cut_off(columns):
    titles = ["held out", "code noise, relative", ""]
    ax = plots.plot_images(np.ones((3 * columns, 784)), columns=columns, titles=titles)
    picture = np.asarray(Image.open(BytesIO(plots.png(ax.figure))).convert("L"))
    assert (picture[:, :2] == 255).all()
    assert (picture[:, :100] < 100).any()  # the titles are there


def test_images_fill_the_rows_from_left_to_right():
    levels = np.array([0.0, 0.2, 0.4, 0.6, 0.8])
    images = np.repeat(levels, 28 * 28).reshape(5, 784)
    ax = plots.plot_images(images, columns=3)
    drawn = [color_in_tile(ax, i % 3, i // 3, 3, 2)[0] for i in range(6)]
    assert drawn == pytest.approx([0, 51, 102, 153, 204, 255], abs=1)


def test_images_share_the_scale_from_zero_to_one():
    images = np.repeat([0.4, 0.6], 28 * 28).reshape(2, 784)
    ax = plots.plot_images(images)
    assert color_in_tile(ax, 0, 0, 2, 1) == pytest.approx((102, 102, 102), abs=1)
    assert color_in_tile(ax, 1, 0, 2, 1) == pytest.approx((153, 153, 153), abs=1)
    assert ax.images[0].get_clim() == (0, 1)


def test_images_are_grey_without_the_style_of_the_course():
    with plt.rc_context():
        plt.rcdefaults()
        ax = plots.plot_images(np.full((1, 784), 0.4))
        assert color_in_tile(ax, 0, 0, 1, 1) == pytest.approx((102, 102, 102), abs=1)


def test_images_may_be_given_as_squares_or_as_tensors():
    flat = torch.rand(3, 784, requires_grad=True)
    square = flat.detach().numpy().reshape(3, 28, 28)
    mosaics = [plots.plot_images(images).images[0].get_array() for images in (flat, square)]
    assert np.array_equal(*mosaics)


def test_titles_stand_at_the_left_of_their_rows():
    ax = plots.plot_images(np.zeros((4, 784)), columns=2, titles=["digits", "copies"])
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["digits", "copies"]
    top, bottom = ax.get_yticks()
    assert 0 < top < 28 < bottom < 57


def test_images_are_drawn_into_the_axes_given():
    ax = plt.figure().add_subplot()
    assert plots.plot_images(np.zeros((1, 784)), ax=ax) is ax
    assert len(ax.images) == 1


@pytest.mark.parametrize("shape", [(0, 784), (3, 783), (2, 28, 27), (784,)], ids=str)
def test_images_that_are_not_square_or_missing_are_refused(shape):
    with pytest.raises(ValueError, match="expected square images"):
        plots.plot_images(np.zeros(shape))


def test_a_mosaic_without_columns_is_refused():
    with pytest.raises(ValueError, match="expected"):
        plots.plot_images(np.zeros((3, 784)), columns=0)


# plot_latent


def test_every_code_stands_at_its_place_in_the_color_of_its_class():
    z = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]], requires_grad=True)
    ax = plots.plot_latent(z, torch.tensor([3, 8, 3, 8]))
    three, eight = ax.collections
    assert three.get_offsets().tolist() == [[0, 1], [4, 5]]
    assert eight.get_offsets().tolist() == [[2, 3], [6, 7]]
    assert not np.array_equal(three.get_facecolor(), eight.get_facecolor())


def test_every_class_is_named_at_the_median_of_its_codes():
    z = np.array([[0.0, 0.0], [1.0, 2.0], [50.0, 90.0], [-5.0, -6.0]])
    ax = plots.plot_latent(z, np.array([3, 3, 3, 8]))
    named = {text.get_text(): text.get_position() for text in ax.texts}
    assert named == {"3": (1.0, 2.0), "8": (-5.0, -6.0)}


def boxes(ax):
    """Where the names of the classes stand on the screen, with their boxes."""
    ax.figure.canvas.draw()
    return [text.get_bbox_patch().get_window_extent() for text in ax.texts]


def overlap(a, b):
    across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    return min(across, up)


@pytest.mark.parametrize("size", [(4.8, 4.5), (2.6, 3)], ids=["large", "small"])
def test_classes_at_one_place_have_names_that_can_all_be_read(size):
    y = np.arange(200) % 10
    z = np.random.default_rng(0).normal(size=(200, 2)) + 3 * (y == 7)[:, None]
    ax = plots.plot_latent(z, y, ax=plt.subplots(figsize=size)[1])
    seen = boxes(ax)
    pairs = [(a, b) for a in range(10) for b in range(a)]
    assert max(overlap(seen[a], seen[b]) for a, b in pairs) <= 1  # pixel
    middles = np.array([np.median(z[y == label], axis=0) for label in range(10)])
    named = {text.get_text(): text.get_position() for text in ax.texts}
    assert list(named) == [str(label) for label in range(10)]
    assert np.abs(np.array(list(named.values())) - middles).max() < 3  # not far away
    assert named["7"] == tuple(middles[7])  # alone


def test_names_keep_off_what_is_to_stay_free():
    ax = plt.subplots()[1]
    ax.set(xlim=(-4, 4), ylim=(-4, 4))
    plots.write_names(ax, ["a"], np.zeros((1, 2)), ["k"], keep_off=[(0, 0)])
    center = ax.transData.transform((0, 0))
    assert not boxes(ax)[0].contains(*center)


def test_boxes_move_only_as_far_as_they_overlap():
    middles = [[0, 0], [1, 5], [40, 0]]
    moved = plots.apart(np.array(middles), np.full((3, 2), 10))
    assert np.allclose(moved, [[0, -2.5], [0, 2.5], [0, 0]])
    moved = plots.apart(np.array(middles), np.full((3, 2), 10), kept=1)
    assert np.allclose(moved, [[0, 0], [0, 5], [0, 0]])


def test_circles_have_the_radii_of_one_and_two_standard_deviations():
    z, y = np.zeros((2, 2)), np.zeros(2)
    drawn = [(c.center, c.radius) for c in plots.plot_latent(z, y, circles=True).patches]
    assert drawn == [((0, 0), 1), ((0, 0), 2)]
    assert not plots.plot_latent(z, y).patches


def test_both_latent_axes_have_one_scale_and_a_name():
    ax = plots.plot_latent(np.zeros((2, 2)), np.zeros(2))
    assert ax.get_aspect() == 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_1$", "$z_2$")


def test_latents_are_drawn_into_the_axes_given():
    ax = plt.figure().add_subplot()
    assert plots.plot_latent(np.zeros((2, 2)), np.zeros(2), ax=ax) is ax
    assert len(ax.collections) == 1


@pytest.mark.parametrize(
    ("z", "y"), [((4, 3), 4), ((4,), 4), ((4, 2), 3)], ids=["three latents", "no plane", "classes"]
)
def test_latents_that_do_not_fit_are_refused(z, y):
    with pytest.raises(ValueError, match="expected z"):
        plots.plot_latent(np.zeros(z), np.zeros(y))


# plot_history


def history():
    return History({"loss": [3.0, 2.0], "kl": [0.1, 0.2]}, {"loss": [4.0, 3.5]})


def test_history_shows_training_half_an_epoch_before_held_out_values():
    lines = plots.plot_history(history()).lines
    assert [line.get_xdata().tolist() for line in lines] == [[0.5, 1.5], [1, 2]]
    assert [list(line.get_ydata()) for line in lines] == [[3.0, 2.0], [4.0, 3.5]]
    assert ["held out" in line.get_label() for line in lines] == [False, True]


def test_history_of_one_epoch_is_seen():
    one = History({"loss": [3.0]}, {"loss": [4.0]})
    assert [line.get_marker() for line in plots.plot_history(one).lines] == ["o", "o"]
    assert [line.get_marker() for line in plots.plot_history(history()).lines] == ["None", "None"]


def test_history_shows_the_name_asked_for():
    (line,) = plots.plot_history(history(), "kl").lines
    assert list(line.get_ydata()) == [0.1, 0.2]


def test_history_names_its_axes_with_the_unit():
    ax = plots.plot_history(history())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "nats per image")
    assert plots.plot_history(history(), unit="squared error").get_ylabel() == "squared error"


def test_history_is_drawn_into_the_axes_given():
    ax = plt.figure().add_subplot()
    assert plots.plot_history(history(), ax=ax) is ax
    assert len(ax.lines) == 2


def test_history_refuses_a_name_that_was_not_recorded():
    with pytest.raises(ValueError, match=r"'kl', 'loss'.*got 'beta'"):
        plots.plot_history(history(), "beta")


# Colors and show


def test_ten_classes_have_ten_colors():
    assert len({colors.to_rgb(c) for c in plots.CLASS_COLORS}) == 10


def test_every_meaning_has_its_own_color():
    meanings = {"prior", "posterior", "data", "reconstruction", "gradient"}
    assert meanings <= set(plots.COLORS)
    assert len({colors.to_rgb(c) for c in plots.COLORS.values()}) == len(plots.COLORS)


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_show_refuses_a_picture_without_alt_text(alt):
    with pytest.raises(ValueError, match="expected a text"):
        plots.show(plt.figure(), alt)


@pytest.mark.parametrize("give", ["figure", "axes"])
def test_show_closes_the_figure(give):
    figure = plt.figure()
    ax = figure.add_subplot()
    plots.show(figure if give == "figure" else ax, "an empty plot")
    assert not plt.fignum_exists(figure.number)


@pytest.mark.kernel
def test_a_shown_picture_is_saved_once_with_its_alt_text(tmp_path):
    source = (
        "import matplotlib.pyplot as plt\n"
        "from helpers import plots\n"
        "figure = plt.figure()\n"
        "plots.show(figure.add_subplot(), 'empty axes from zero to one')"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (output,) = notebook.cells[0].outputs
    assert "image/png" in output["data"]
    assert output["metadata"]["image/png"]["alt"] == "empty axes from zero to one"


# Properties


@given(st.data(), st.integers(1, 5), st.integers(1, 3), st.integers(1, 6), st.booleans(), dtypes)
def test_a_mosaic_holds_every_image_where_it_belongs(data, n, side, columns, flat, dtype):
    shape = (n, side * side) if flat else (n, side, side)
    images = data.draw(tensors(*shape, low=0.0, high=1.0, dtype=dtype))
    ax = plots.plot_images(images, columns=columns)
    mosaic = ax.images[0].get_array()
    wanted = images.double().reshape(n, side, side).numpy()
    for i in range(n):
        top, left = (i // columns) * (side + 1), (i % columns) * (side + 1)
        assert np.array_equal(mosaic[top : top + side, left : left + side], wanted[i])
    plt.close(ax.figure)


@given(st.data(), st.integers(1, 3), not_finite)
def test_a_mosaic_refuses_what_it_cannot_show(data, n, bad):
    images = torch.zeros(n, 4)
    for odd in (images[0], images.sum(), images[:0], images[:, :3], images.reshape(n, 1, 2, 2)):
        with refused():
            plots.plot_images(odd)
    with refused():
        plots.plot_images(spoiled(data.draw, images, bad))
    with refused():
        plots.plot_images(images, titles=["a"] * 2)


@given(st.data(), counts)
def test_a_map_of_codes_holds_every_code_in_its_class(data, n):
    z = data.draw(tensors(n, 2))
    y = data.draw(tensors(n, low=0.0, high=9.0, dtype=torch.int64))
    ax = plots.plot_latent(z, y)
    shown = {
        int(text.get_text()): np.asarray(points.get_offsets())
        for text, points in zip(ax.texts, ax.collections, strict=True)
    }
    assert sorted(shown) == sorted(set(y.tolist()))
    for label, points in shown.items():
        assert np.array_equal(points, z.double().numpy()[y.numpy() == label])
    plt.close(ax.figure)


@given(st.data(), st.integers(1, 4), not_finite)
def test_a_map_refuses_codes_and_classes_that_do_not_fit(data, n, bad):
    z, y = torch.zeros(n, 2), torch.zeros(n)
    for odd_z, odd_y in (
        (spoiled(data.draw, z, bad), y),
        (z, spoiled(data.draw, y, bad)),
        (z, y + 0.5),
        (z, ["a"] * n),
        (z, y[:, None]),
        (z, y[1:]),
        (z, y.sum()),
        (z[0], y),
        (z.sum(), y),
        (z[:, :1], y),
    ):
        with refused():
            plots.plot_latent(odd_z, odd_y)


@given(st.lists(st.floats(-1e6, 1e6), max_size=5), st.lists(st.floats(-1e6, 1e6), max_size=5))
def test_a_history_is_drawn_as_recorded_or_refused(train, held_out):
    history = History({"loss": train} if train else {}, {"loss": held_out} if held_out else {})
    ax = answer_or_none(plots.plot_history, history)
    if not train:
        assert ax is None
        return
    lines = [line.get_ydata().tolist() for line in ax.lines]
    assert lines == [values for values in (train, held_out) if values]
    plt.close(ax.figure)


@given(not_counts)
def test_a_number_of_columns_that_is_no_count_is_refused(n):
    with refused():
        plots.plot_images(torch.zeros(2, 4), columns=n)


def test_axes_of_a_part_of_a_figure_are_shown_with_all_of_it(monkeypatch):
    shown = []
    monkeypatch.setattr(plots, "display", lambda data, **_: shown.append(data))
    figure = plt.figure()
    plots.show(figure.subfigures(1, 2)[0].subplots(), "Half of a figure is empty.")
    assert b64decode(shown[0]["image/png"]).startswith(b"\x89PNG")
