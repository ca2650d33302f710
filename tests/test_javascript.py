"""What the modules of the explorers compute, on a blank page, beside Python; and the loop."""

import re

import contourpy
import numpy as np
import pytest
import torch
from matplotlib.ticker import MaxNLocator
from torch import nn

from helpers.explorers import (
    BoundExplorer,
    FrozenNoise,
    LatentExplorer,
    PlaneExplorer,
    PosteriorExplorer,
)
from helpers.explorers.base import JS
from helpers.plots import CLASS_COLORS, apart
from tests.browser import drag, settle

MODULES = sorted(path.name for path in JS.glob("*.js") if path.name != "host.js")


def test_each_file_loads_alone(js):
    for name in MODULES:
        names = js.page.evaluate("async (n) => Object.keys(await import(`./${n}?alone`))", name)
        assert names, name


# Networks; layer by layer: test_network_browser.py

NETWORK = """
({ halves, network, run }, { layers, bytes, inputs, count }) => {
  const weights = halves(Uint8Array.from(bytes).buffer);
  return Array.from(run(network(layers, weights), new Float32Array(inputs), count));
}
"""


def run_in_browser(js, explorer, inputs):
    """The decoder of a LatentExplorer, from what the explorer hands to the browser."""
    argument = {"layers": explorer.spec["decoder"], "bytes": list(explorer.weights)}
    argument |= {"inputs": inputs.flatten().tolist(), "count": len(inputs)}
    return np.array(js("network.js", NETWORK, argument)).reshape(len(inputs), -1)


def rounded(network):
    """The network with float16 weights, in float64."""
    for parameter in network.parameters():
        parameter.data = parameter.data.half()
    return network.double()


def test_pixels_that_are_no_logits_are_cut_off_at_0_and_1(js):
    torch.manual_seed(1)
    decoder = nn.Linear(2, 9)
    explorer = LatentExplorer(decoder, output="pixels")
    z = 3 * torch.randn(20, 2)
    expected = rounded(decoder)(z.double()).clamp(0, 1).detach().numpy()
    assert (expected == 0).any()
    assert (expected == 1).any()
    assert np.abs(run_in_browser(js, explorer, z) - expected).max() < 1e-5


@pytest.mark.parametrize("with_array", [True, False], ids=["Float16Array", "by hand"])
def test_every_finite_float16_is_read_as_numpy_does(js, with_array):
    code = """
    ({ halves }, on) => {
      const kept = globalThis.Float16Array;
      if (on && !kept) return null;
      if (!on) globalThis.Float16Array = undefined;
      const values = halves(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
      globalThis.Float16Array = kept;
      return new Uint32Array(values.buffer).join();
    }
    """
    bits = js("network.js", code, with_array)
    if bits is None:
        pytest.skip("this browser has no Float16Array")
    expected = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
    finite = np.isfinite(expected)
    came = np.array(bits.split(","), dtype=np.uint32)
    assert np.array_equal(came[finite], expected.view(np.uint32)[finite])  # the sign of 0 too


# The playground's curves


def test_thinned_curves_keep_the_first_step_and_the_newest(js):
    code = """
    ({ createCurves }, count) => {
      const curves = createCurves();
      const told = [];
      for (let steps = 0; steps <= count; steps++) {
        curves.learn({ reconstruction: steps, kl: 2 * steps });
        curves.point(steps, "bernoulli", { reconstruction: 1, kl: 1 });
        const { points } = curves.all();
        told.push([points.length, points[0].steps, points.at(-1).steps]);
      }
      return { told, points: curves.all().points };
    }
    """
    told = np.array(js("curves.js", code, 1500)["told"])
    assert told[:, 0].max() <= 400
    assert (told[:, 0].min(), told[1000:, 0].min()) == (1, 201)  # thinned, not emptied
    assert (told[:, 1] == 0).all()
    assert np.array_equal(told[:, 2], np.arange(1501))


def test_a_point_of_the_curves_is_the_mean_since_the_last_one_and_a_change_begins_anew(js):
    code = """
    ({ createCurves }) => {
      const curves = createCurves();
      const AE = { variational: false, gradient: "blocked", likelihood: "sum", beta: 1 };
      const VAE = { ...AE, variational: true, beta: 2 };
      const held = { reconstruction: 9, kl: 9 };
      curves.train(0, AE);
      for (const v of [1, 2]) curves.learn({ reconstruction: v, kl: 10 * v });
      curves.point(2, "sum", held);
      curves.learn({ reconstruction: 100, kl: 100 });
      curves.train(3, VAE);
      curves.learn({ reconstruction: 7, kl: 8 });
      curves.point(4, "sum", held);
      const all = curves.all();
      curves.cut(3);
      const cut = curves.all();
      curves.cut(2);
      curves.train(2, { ...AE, beta: 5 });
      curves.train(2, AE);
      const same = curves.all().marks.slice();
      curves.train(2, { ...AE, beta: 5, likelihood: "mean" });
      return [all, cut, same, curves.all().marks];
    }
    """
    before, after, same, both = js("curves.js", code)
    trained = [point["training"] for point in before["points"]]
    assert [point["steps"] for point in before["points"]] == [2, 4]
    assert trained == [{"reconstruction": 1.5, "kl": 15}, {"reconstruction": 7, "kl": 8}]
    assert [(m["steps"], m["text"]) for m in before["marks"]] == [(3, "VAE, β 2.0")]
    assert same == []  # what was tried in between, and taken back before a step
    assert [(m["steps"], m["text"]) for m in both] == [(2, "mean of squares, β 5.0")]
    assert [point["steps"] for point in after["points"]] == [2]
    assert after["marks"] == before["marks"]


def test_the_last_point_of_a_curve_is_on_the_chart(js):
    code = """
    ({ scaleOf }, values) => {
      const points = values.map((v, i) => ({ steps: i, held: { kl: v, reconstruction: v } }));
      return ["kl", "reconstruction"].map((term) => {
        const { low, high } = scaleOf(points, points, term);
        return [low, high];
      });
    }
    """
    for values in ([0, 44], [9, 3, 2, 1, 5], [500, *np.linspace(200, 150, 40)]):
        for low, high in js("play_curves.js", code, [float(v) for v in values]):
            assert low <= values[-1] <= high
    assert high < 500  # the first step may leave it


def test_a_curve_is_cut_at_the_ends_of_the_axes(js):
    code = """
    ({ axis, chart }, curves) => {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const one = chart(svg, 0, "", axis("x", [0, 10], []), axis("y", [0, 1], []));
      const at = (x, y) => one.path([x, x + 1e-9], [y, y]).slice(1).split("L")[0];
      const [x0, y0] = at(0, 0).split(" ").map(Number);
      const [x1, y1] = at(9.999999, 1).split(" ").map(Number);
      const back = (pair) => {
        const [x, y] = pair.split(" ").map(Number);
        return [(10 * (x - x0)) / (x1 - x0), (y - y0) / (y1 - y0)];
      };
      return curves.map(([xs, ys]) =>
        one.path(xs, ys).split("M").slice(1).map((piece) => piece.split("L").map(back)));
    }
    """
    hill = [[0, 2, 4, 6], [0.5, 0.5, 2.5, 0.5]]  # its top is beyond the axis
    valley = [[0, 2, 4, 6, 12], [2, -1, 3, 0.5, 0.5]]
    pieces = js("chart.js", code, [hill, valley])
    assert [len(piece) for piece in pieces] == [2, 3]
    assert np.allclose(pieces[0][0], [[0, 0.5], [2, 0.5], [2.5, 1]], atol=0.01)
    assert np.allclose(pieces[0][1], [[5.5, 1], [6, 0.5]], atol=0.01)
    assert np.allclose(pieces[1][0], [[2 / 3, 1], [4 / 3, 0]], atol=0.01)


def test_where_the_kernels_answer_was_lost_the_newest_request_goes_all_the_same(js):
    code = """
    ({ remote }) => {
      const [later, sent] = [[], []];
      const [wait, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
      globalThis.setTimeout = (f) => later.push(f);
      globalThis.clearTimeout = () => later.pop();
      const model = { on() {}, off() {}, send: ({ values }) => sent.push(values[0]) };
      const { run, stop } = remote(model, "decode");
      for (const v of [1, 2, 3]) run(Float64Array.of(v), () => {});
      const before = sent.slice();
      later.pop()(); // five seconds
      stop();
      [globalThis.setTimeout, globalThis.clearTimeout] = [wait, clear];
      return [before, sent, later.length];
    }
    """
    assert js("kernel.js", code) == [[1], [1, 3], 0]


def test_an_answer_that_comes_after_the_pad_was_cleared_is_not_shown(js):
    code = """
    ({ padPart }, clear) => {
      const answers = [], decoded = [];
      const part = padPart({
        spec: { latent_dim: 2, typical: null }, schedule() {}, set() {}, release() {}, moveTo() {},
        encode: (values, then) => answers.push(then),
        decodeDrawing: (z) => decoded.push(Array.from(z)),
      });
      const drawing = new DataView(new Float32Array(784).fill(0.5).buffer);
      part.draw(() => drawing);
      if (clear) part.node.querySelector("button").click();
      for (const then of answers) then(Float32Array.of(1, 2));
      return [answers.length, decoded];
    }
    """
    assert js("pad.js", code, False) == [1, [[1, 2]]]
    assert js("pad.js", code, True) == [1, []]


@pytest.mark.parametrize("gradient", ["reparameterized", "blocked", "score"])
def test_the_light_speaks_of_the_kl_where_it_has_a_weight(js, gradient):
    spec = {"variational": True, "gradient": gradient, "likelihood": "bernoulli"}
    code = "({ sentenceOn }, specs) => specs.map((spec) => sentenceOn(spec, 1))"
    one, none = js("flow_light.js", code, [spec | {"beta": 1}, spec | {"beta": 0}])
    assert ("that of the KL begins" in one) or ("gradient of the KL does" in one)
    assert "that of the KL begins" not in none
    assert "gradient of the KL does" not in none


def test_the_code_of_x_names_where_it_comes_from(js):
    code = """({ lineOf }) => ["drawing", "images[index]"].map(
      (source) => lineOf("x", 0, {}, { x: [0, 1, 0.5], source }).code)"""
    drawn, chosen = js("flow_code.js", code)
    assert drawn.startswith("x = drawing  # (1, 3)")
    assert chosen.startswith("x = images[index]  # (1, 3)")


def test_a_second_look_at_a_step_keeps_its_means_unless_the_losses_are_of_another_kind(js):
    code = """
    ({ createCurves }) => {
      const curves = createCurves();
      const look = (steps, likelihood, v) =>
        curves.point(steps, likelihood, { reconstruction: v, kl: v });
      curves.learn({ reconstruction: 5, kl: 6 });
      look(1, "sum", 1);
      look(1, "sum", 2);
      const again = curves.all().points.slice();
      look(1, "mean", 3);
      return [again, curves.all().points];
    }
    """
    (again,), (other,) = js("curves.js", code)
    assert again["training"] == {"reconstruction": 5, "kl": 6}
    assert again["held"] == {"reconstruction": 2, "kl": 2}
    assert other["training"] == {"reconstruction": None, "kl": None}


def test_a_worker_is_lost_once_however_often_it_fails(js):
    code = """
    ({ createEngine }) => {
      const kept = globalThis.Worker;
      let worker;
      globalThis.Worker = class {
        constructor() { worker = this; }
        terminate() {}
      };
      let lost = 0;
      let engine = createEngine("", () => {}, () => { lost += 1; engine.end(); engine = null; });
      globalThis.Worker = kept;
      worker.onmessage({ data: {} });  // it was alive
      for (let i = 0; i < 3; i++) worker.onerror({ preventDefault() {} });
      return lost;
    }
    """
    assert js("play_engine.js", code) == 1


def test_a_request_whose_answer_was_lost_gives_way_after_some_seconds(js):
    code = """
    ({ remote }) => {
      const sent = [], answers = [];
      let receive;
      const model = { send: ({ id, values }) => sent.push([id, values[0]]), off() {},
                      on: (_, handler) => (receive = handler) };
      const network = remote(model, "decode");
      const ask = (value) => network.run([value], (values) => answers.push(values[0]));
      const answer = (i) => receive({ id: sent[i][0] }, [Float32Array.of(sent[i][1]).buffer]);
      const kept = performance.now.bind(performance);
      ask(1); ask(2);
      const early = sent.length;
      answer(0);  // the second is sent now, and its answer never comes
      performance.now = () => kept() + 60_000;
      ask(3); ask(4);
      answer(1);  // too late: another was asked for meanwhile
      answer(2);
      answer(3);
      performance.now = kept;
      return { early, sent: sent.map(([, value]) => value), answers };
    }
    """
    came = js("kernel.js", code)
    assert came == {"early": 1, "sent": [1, 2, 3, 4], "answers": [1, 3, 4]}


# Numbers and scales


def test_numbers_are_written_with_their_digits_and_a_real_minus(js):
    code = "({ number, plain }) => [number(-0.504), number(2, 3), plain(-1.5), plain(10)]"
    assert js("common.js", code) == ["−0.50", "2.000", "−1.5", "10"]


@pytest.mark.parametrize(
    ("low", "high"), [(-10, 10), (-3, 3), (-3.3, 3.3), (0, 1), (-0.05, 0.07), (2, 900), (-7, -6)]
)
def test_ticks_are_matplotlibs_round_numbers(js, low, high):
    ticks = js("common.js", "({ ticks }, ends) => ticks(...ends)", [low, high])
    expected = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
    inside = expected[(expected >= low - 1e-9) & (expected <= high + 1e-9)]
    assert np.allclose(ticks, inside, atol=1e-9)


def test_the_maps_scales_have_one_unit_and_invert(js):
    code = """
    ({ mapScale }, ranges) => {
      const { x, y } = mapScale(ranges, [2, 0]);
      const places = [x, y].map((f) => [f(f.low), f(0), f(1), f(f.high)]);
      return { places, ends: [[x.low, x.high], [y.low, y.high]],
               back: [x.invert(x(0.3)), y.invert(y(-0.7))] };
    }
    """
    scale = js("map_look.js", code, [[-1, 3], [-9, 9], [-6, 2]])
    assert scale["ends"] == [[-6, 2], [-3, 5]]  # the wider of the two, around both middles
    assert np.allclose(scale["back"], [0.3, -0.7])
    x, y = np.array(scale["places"])
    assert x[2] - x[1] == pytest.approx(y[1] - y[2])  # upwards is less
    assert x[3] - x[0] == pytest.approx(8 * (x[2] - x[1]))
    assert y[0] - y[3] == pytest.approx(8 * (y[1] - y[2]))


def test_a_sliders_step_is_the_next_lower_of_1_2_and_5(js):
    roughs = [0.03, 0.02, 0.0199, 0.7, 1, 5.5, 12]
    steps = js("sliders.js", "({ niceStep }, all) => all.map(niceStep)", roughs)
    assert steps == [0.02, 0.02, 0.01, 0.5, 1, 5, 10]


def test_the_places_of_an_svg_are_linear_in_its_numbers(js):
    """A chart's path goes where the labels of its axes are, and leaves out what is outside."""
    code = """
    ({ axis, chart, charts }) => {
      const svg = charts(document.body);
      const one = chart(svg, 0, "", axis("a", [0, 10], [0, 10]), axis("b", [-1, 1], [-1, 1]));
      const d = one.path([0, 5, 10, 11], [-1, 0, 1, 1]);
      const labels = [...svg.querySelectorAll("text")].slice(0, 4);
      const at = labels.map((text) => [text.x.baseVal[0].value, text.y.baseVal[0].value]);
      svg.remove();
      return [d, at];
    }
    """
    path, labels = js("chart.js", code)
    points = np.array([point.split() for point in path[1:].split("L")], dtype=float)
    assert len(points) == 3
    assert points[[0, 2], 0].tolist() == [labels[0][0], labels[1][0]]
    assert points[0, 1] - points[2, 1] == labels[2][1] - labels[3][1]  # the text is a bit lower
    assert np.allclose(points[1], (points[0] + points[2]) / 2)


# Contours


CONTOUR = """
({ contour, onGrid }, { code, cells, level }) =>
  contour(onGrid((0, eval)(code), [-2, 2], cells), cells, level)
"""


@pytest.mark.parametrize(
    ("code", "f", "level"),
    [
        ("([x, y]) => x * x + y * y", lambda x, y: x * x + y * y, 1.3),
        ("([x, y]) => 2 * x - y", lambda x, y: 2 * x - y, 0.31),
        ("([x, y]) => x * x - y * y", lambda x, y: x * x - y * y, -0.7),
    ],
    ids=["circle", "line", "two branches"],
)
def test_a_contour_is_contourpys(js, code, f, level):
    cells = 40
    pieces = np.array(js("contour.js", CONTOUR, {"code": code, "cells": cells, "level": level}))
    axis = np.linspace(-2, 2, cells + 1)
    lines = contourpy.contour_generator(axis, axis, f(*np.meshgrid(axis, axis))).lines(level)
    length = sum(np.hypot(*np.diff(line, axis=0).T).sum() for line in lines)
    places = pieces * 4 / cells - 2
    assert np.hypot(*(places[:, 1] - places[:, 0]).T).sum() == pytest.approx(length)
    ends = np.unique(np.round(places.reshape(-1, 2), 6), axis=0)
    assert np.allclose(ends, np.unique(np.round(np.concatenate(lines), 6), axis=0))


def test_no_contour_where_the_level_is_not_reached(js):
    argument = {"code": "([x, y]) => x * x + y * y", "cells": 10, "level": -1}
    assert js("contour.js", CONTOUR, argument) == []


# Drawings


def drawn(js, strokes):
    code = """
    ({ PAD, drawStrokes, center }, strokes) => {
      const images = [0, 1].map(() => new Float32Array(PAD * PAD));
      drawStrokes(strokes, 1, 0, 0, images[0]);
      center(strokes, images[1]);
      return images.map((image) => Array.from(image));
    }
    """
    return np.array(js("strokes.js", code, strokes)).reshape(2, 28, 28)


def distances(strokes):
    """From the middle of each pixel to the nearest of 2000 places on each segment."""
    y, x = np.indices((28, 28)) + 0.5
    least = np.full((28, 28), np.inf)
    for stroke in strokes:
        points = np.array(stroke).reshape(-1, 2)
        for a, b in zip(points[:-1], points[1:], strict=True):
            for t in np.linspace(0, 1, 2000):
                px, py = a + t * (b - a)
                least = np.minimum(least, np.hypot(x - px, y - py))
    return least


STROKES = [[3, 4, 12, 4, 12, 15.5, 5, 20], [2, 24, 9, 25]]


def test_a_stroke_is_1_on_the_line_and_fades_out_within_a_pixel(js):
    ink = drawn(js, STROKES)[0]
    assert np.abs(ink - np.clip(1.7 - distances(STROKES), 0, 1)).max() < 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_a_drawing_is_centered_as_in_mnist(js, seed):
    """20 pixels wide or high with its pen, and its center of mass in the middle of the image."""
    random = np.random.default_rng(seed)
    size = random.uniform(0.2, 1, 2)
    start = random.uniform(0, 28 * (1 - size))
    strokes = [(start + random.uniform(0, 28, (5, 2)) * size).ravel().tolist() for _ in range(2)]
    seen = drawn(js, strokes)[1]
    rows, columns = np.nonzero(seen > 0.5)
    assert 18 <= max(np.ptp(rows) + 1, np.ptp(columns) + 1) <= 21  # the pen's soft edge left out
    center = (np.indices((28, 28)) * seen).sum(axis=(1, 2)) / seen.sum()
    assert np.abs(center - 13.5).max() < 0.25


def test_where_and_how_large_it_is_drawn_does_not_matter(js):
    moved = [[0.8 * value + (5 if i % 2 else 3) for i, value in enumerate(s)] for s in STROKES]
    assert np.abs(drawn(js, moved)[1] - drawn(js, STROKES)[1]).max() < 1e-5


def test_a_dot_is_not_blown_up(js):
    dot = drawn(js, [[3, 3]])[1]
    assert dot.sum() == pytest.approx(drawn(js, [[14, 14]])[0].sum(), rel=1e-5)


# What each explorer shows


def test_the_planes_numbers_are_pythons(js):
    means, covariances = [[-2, 1], [3, 0]], [[[2, 0.5], [0.5, 1]], [[1, -0.3], [-0.3, 3]]]
    explorer = PlaneExplorer([[0, 0]], [0], means, covariances, [1.5, -0.7], 0.3)
    code = "({ numbers }, { spec, point, prior }) => numbers(spec, point, prior)"
    for point, prior in [([0.8, 0.3], 0.3), ([-9, 9], 0.9), ([2, -5], 0.01)]:
        explorer.point, explorer.prior = point, prior
        argument = {"spec": explorer.spec, "point": point, "prior": prior}
        expected = list(explorer.numbers.values())
        assert js("plane.js", code, argument) == pytest.approx(expected, rel=1e-12)


def test_the_bounds_numbers_are_pythons(js):
    z = np.linspace(-8, 8, 801)
    explorer = BoundExplorer(z, -0.5 * z**2 - 3 * (np.tanh(z) - 0.4) ** 2 - 700)
    code = """
    ({ integrate, logEvidence }, { z, logJoint, mean, std }) => {
      const evidence = logEvidence(z, logJoint);
      const { density, elbo, gap } = integrate({ z, logJoint, evidence }, mean, std);
      return [{ evidence, elbo, gap }, density];
    }
    """
    for mean, std in [(0, 0.5), (-2.5, 0.1), (1.3, 1)]:
        explorer.mean, explorer.std = mean, std
        argument = {"z": z.tolist(), "logJoint": explorer.spec["log_joint"]}
        numbers, q = js("bound.js", code, argument | {"mean": mean, "std": std})
        assert numbers == pytest.approx(explorer.numbers, rel=1e-9)
        assert q == pytest.approx(explorer.q.tolist(), rel=1e-9)


def test_the_posteriors_numbers_are_pythons(js):
    z = np.linspace(-5, 5, 501)
    explorer = PosteriorExplorer(z, np.sin(2 * z) + 0.5 * z, 0.3)
    curve = explorer.spec["curve"]
    for x in (-2.5, 0.2, 3):
        explorer.x = x
        argument = {"z": z.tolist(), "curve": curve, "noise": 0.3, "x": x}
        came = js("posterior.js", "({ infer }, { x, ...spec }) => infer(spec, x)", argument)
        assert came.pop("density") == pytest.approx(explorer.posterior.tolist(), rel=1e-9)
        assert came | {"draws": 0} == pytest.approx(explorer.numbers, rel=1e-9)


def test_names_move_apart_as_in_python(js):
    random = np.random.default_rng(0)
    for kept in (0, 1):
        middles, sizes = random.normal(0, 20, (11, 2)), random.uniform(12, 24, (11, 2))
        boxes = [
            {"at": at, "size": size, "kept": i < kept}
            for i, (at, size) in enumerate(zip(middles.tolist(), sizes.tolist(), strict=True))
        ]
        came = np.array(js("apart.js", "({ apart }, boxes) => apart(boxes)", boxes))
        moved = apart(middles, sizes, kept)
        assert np.abs(moved).max() > 5
        assert np.allclose(came - middles, moved)
        assert not moved[:kept].any()
        gaps = np.abs(came[:, None] - came) - (sizes[:, None] + sizes) / 2
        assert gaps.max(axis=-1)[~np.eye(11, dtype=bool)].min() > -1e-6


def test_the_posterior_is_a_density_where_p_of_x_is_0_in_the_computer(js):
    z = np.linspace(-5, 5, 501)
    explorer = PosteriorExplorer(z, np.sin(2 * z) + 0.5 * z, 0.01)
    argument = {"z": z.tolist(), "curve": explorer.spec["curve"], "noise": 0.01, "x": 25}
    came = js("posterior.js", "({ infer }, { x, ...spec }) => infer(spec, x)", argument)
    assert sum(came.pop("density")) * 0.02 == pytest.approx(1)
    assert came.pop("p_x") == 0
    # All of it lies where the curve comes nearest to x.
    nearest = z[np.argmax(explorer.spec["curve"])]
    assert came == pytest.approx({"mean": nearest, "std": 0}, abs=0.01)


def test_the_codes_of_the_grid_are_the_middles_of_its_cells(js):
    code = """
    async ({ codesOnMap }, z) => {
      const { mapScale } = await import("./map_look.js");
      const scale = mapScale([[-1, 3], [-9, 9], [-6, 2]], [2, 0]);
      return Array.from(codesOnMap(scale, [2, 0], z));
    }
    """
    codes = np.array(js("grid.js", code, [0.5, -0.25, 0.75])).reshape(20, 20, 3)
    axis = (np.arange(20) + 0.5) / 20
    assert np.allclose(codes[..., 1], -0.25)  # not on the map
    assert np.allclose(codes[..., 2], -6 + 8 * axis)  # across
    assert np.allclose(codes[..., 0], 5 - 8 * axis[:, None])  # from the top


def contrast(colors, paper):
    """As WCAG has it, of (N, 3) colors and a grey paper, all from 0 to 255."""
    linear = [
        np.where((c := np.array(v) / 255) <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        for v in (colors, [[paper] * 3])
    ]
    colors, paper = (part @ [0.2126, 0.7152, 0.0722] for part in linear)
    return (np.maximum(colors, paper) + 0.05) / (np.minimum(colors, paper) + 0.05)


def test_colors_of_classes_are_kept_on_white_and_can_be_seen_on_dark_paper(js):
    code = """
    ({ onPaper }, [colors, dark]) => colors.map((color) => onPaper(color, { dark }))
    """
    assert js("map_look.js", code, [CLASS_COLORS, False]) == CLASS_COLORS
    texts = js("map_look.js", code, [CLASS_COLORS, True])
    colors = [[int(v) for v in re.findall(r"\d+", text)] for text in texts]
    assert contrast(colors, 0x11).min() > 4.5
    bright = contrast([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in CLASS_COLORS], 0x11) > 7
    kept = [f"#{r:02X}{g:02X}{b:02X}" for r, g, b in colors]
    assert np.array(kept)[bright].tolist() == np.array(CLASS_COLORS)[bright].tolist()


@pytest.mark.parametrize("row", ["fresh", "shared"])
def test_the_pairs_of_a_finite_difference_share_their_noise_or_not(js, row):
    noise = np.random.default_rng(0).standard_normal(40)
    state = {"noise": noise.tolist(), "n": 15, "mu": 0.5, "sigma": 2, "f": "square"}
    code = "({ pairsOf }, [row, state, spec]) => pairsOf(row, state, spec)"
    spec = {"h": 0.1, "size": 20, "pairs": 13}
    pairs = np.array(js("estimator_pairs.js", code, [row, state, spec]))
    second = noise[20:33] if row == "fresh" else noise[:13]
    assert np.allclose(pairs, np.stack([0.6 + 2 * noise[:13], 0.4 + 2 * second], axis=1))
    assert len(js("estimator_pairs.js", code, [row, state | {"n": 4}, spec])) == 4


def test_the_frozen_noises_numbers_are_pythons(js):
    explorer = FrozenNoise(-1.2, 0.7, [-1.5, -0.5, 0.0, 1.0, 1.75])
    argument = {"mu": explorer.mu, "sigma": explorer.sigma, "eps": explorer.eps}
    came = js("frozen_noise.js", "({ numbers }, traits) => numbers(traits)", argument)
    assert came.pop("z") == pytest.approx(explorer.z.tolist())
    assert came == pytest.approx(explorer.numbers)


def test_fresh_noise_is_standard_normal(js):
    """Each assert fails by chance less than once in a million runs."""
    code = "({ normal }) => Array.from({ length: 20000 }, normal)"
    noise = np.array(js("common.js", code))
    assert abs(noise.mean()) < 5 / len(noise) ** 0.5
    assert abs(noise.var() - 1) < 5 * (2 / len(noise)) ** 0.5
    assert abs((noise**4).mean() - 3) < 6 * (96 / len(noise)) ** 0.5
    assert abs((noise[1:] * noise[:-1]).mean()) < 5 / len(noise) ** 0.5


# The state loop

# A model that, like JupyterLab's, tells of a change only where a value is another one.
FOLLOW = """
({ follow }) => {
  const state = { a: 0, b: 0 };
  const handlers = new Set();
  const log = { drawn: [], saved: [] };
  const model = {
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      for (const [event, handler] of [...handlers]) if (event === `change:${name}`) handler();
    },
    on: (event, handler) => handlers.add([event, handler]),
    off(event, handler) {
      for (const one of handlers) if (one[0] === event && one[1] === handler) handlers.delete(one);
    },
    save_changes: () => log.saved.push({ ...state, drawn: log.drawn.at(-1) }),
  };
  const view = follow(model, ["a", "b"], (get) => log.drawn.push([get("a"), get("b")]));
  Object.assign(globalThis, { log, model, view, handlers });
}
"""


@pytest.fixture
def loop(js):
    """A view of two numbers: run(code) runs it, and gives what was drawn and saved two frames on.

    The log starts anew each time, after the first drawing.
    """
    js("common.js", FOLLOW)
    assert js.page.evaluate("log.drawn") == [[0, 0]]  # at once

    def run(code: str) -> dict:
        js.page.evaluate(f"() => {{ log.drawn.length = log.saved.length = 0; {code} }}")
        settle(js.page)
        return js.page.evaluate("log")

    return run


def test_changes_are_drawn_once_a_frame(loop):
    assert loop("for (let i = 1; i < 9; i++) model.set('a', i); model.set('b', 1)") == {
        "drawn": [[8, 1]],
        "saved": [],
    }
    assert loop("view.schedule(); view.schedule()") == {"drawn": [[8, 1]], "saved": []}
    assert loop("") == {"drawn": [], "saved": []}


def test_what_is_held_is_drawn_and_not_sent(loop):
    assert loop("view.set('a', 1); view.set('a', 2)") == {"drawn": [[2, 0]], "saved": []}
    assert loop("model.set('a', -1); model.set('b', 5)") == {"drawn": [[2, 5]], "saved": []}


def test_a_held_value_that_the_model_has_already_is_drawn(loop):
    loop("view.set('a', 1); model.set('a', 2)")
    assert loop("view.set('a', 2)")["drawn"] == [[2, 0]]


def test_the_release_draws_at_once_and_saves_what_was_held(loop):
    loop("view.set('a', 1); model.set('a', -1)")  # the kernel echoes meanwhile
    result = loop("view.release(); log.drawn.push('end of the release')")
    assert result["drawn"] == [[1, 0], "end of the release"]  # and in no later frame
    assert result["saved"] == [{"a": 1, "b": 0, "drawn": [1, 0]}]
    assert loop("model.set('a', 7)")["drawn"] == [[7, 0]]  # from here on the kernel is heard


def test_a_view_says_whether_it_holds_something(loop, js):
    code = "() => [view.holds(), view.set('a', 1), view.holds(), view.release(), view.holds()]"
    assert js.page.evaluate(code)[::2] == [False, True, False]


def test_after_the_end_nothing_is_drawn_set_or_saved(loop, js):
    code = """
    model.set('a', 1);
    view.stop();
    model.set('a', 2);
    view.set('a', 3);
    view.schedule();
    view.release();
    """
    assert loop(code) == {"drawn": [], "saved": []}
    assert js.page.evaluate("[model.get('a'), handlers.size]") == [2, 0]


def test_a_kernel_that_is_gone_does_not_stop_a_release(loop):
    loop("model.save_changes = () => { throw new Error('gone'); }")
    assert loop("view.set('a', 1); view.release()")["drawn"] == [[1, 0]]


def test_a_key_that_is_down_holds_a_slider_until_it_is_up(js):
    code = """
    ({ slider }) => {
      globalThis.log = [];
      const move = (value) => log.push(value);
      const release = () => log.push("up");
      const made = slider(document.body, "", { min: 0, max: 9, step: 1 }, move, release);
      made.show(3);
      made.input.focus();
    }
    """
    js("common.js", code)
    for _ in range(3):
        js.page.keyboard.down("ArrowRight")  # as a key that is held repeats
    assert js.page.evaluate("log") == [4, 5, 6]
    js.page.keyboard.up("ArrowRight")
    js.page.keyboard.press("Tab")  # leaves the slider, and there is nothing to release
    assert js.page.evaluate("log") == [4, 5, 6, "up"]
    js.page.locator("label").evaluate("label => label.remove()")


# A network that only the kernel can run


def test_of_the_requests_to_the_kernel_the_newest_waits_and_is_answered(js):
    code = """
    ({ remote }) => {
      const [sent, came] = [[], []];
      let receive = null;
      const model = {
        send: (message) => sent.push(message),
        on: (_, handler) => (receive = handler),
        off: (_, handler) => (receive = receive === handler ? null : receive),
      };
      const answer = (message) =>
        receive({ id: message.id }, [new DataView(Float32Array.of(message.values[0]).buffer)]);
      const { run, stop } = remote(model, "decode");
      for (const value of [1, 2, 3]) run([value], (values) => came.push(values[0]));
      answer({ id: "of another view", values: [9] });
      const first = sent.length;
      answer(sent[0]);
      answer(sent[1]);
      stop();
      return { first, sent: sent.map(({ kind, values }) => [kind, values]), came, receive };
    }
    """
    assert js("kernel.js", code) == {
        "first": 1,
        "sent": [["decode", [1]], ["decode", [3]]],
        "came": [1, 3],
        "receive": None,
    }


class Odd(nn.Linear):
    """A layer that the browser does not know."""


def test_a_drawing_that_the_kernel_encodes_is_saved_with_its_answer(js):
    explorer = LatentExplorer((Odd(784, 2), nn.Linear(2, 784)))
    state = {name: explorer.get_state()[name] for name in ("spec", "z", "drawing", "points")}
    names = ("weights", "codes", "logvars", "images", "train_codes", "train_images")
    argument = {"state": state, "bytes": {name: list(getattr(explorer, name)) for name in names}}
    code = """
    (view, { state, bytes }) => {
      for (const [name, list] of Object.entries(bytes)) {
        state[name] = new DataView(Uint8Array.from(list).buffer);
      }
      const handlers = [];
      Object.assign(globalThis, { state, sent: [], saved: [] });
      const model = {
        get: (name) => state[name],
        set(name, value) { state[name] = value; },
        on: (event, handler) => handlers.push([event, handler]),
        off: () => {},
        send: (message) => sent.push(message),
        save_changes: () => saved.push([state.z, state.drawing?.byteLength]),
      };
      globalThis.answer = (z) => {
        const buffers = [new DataView(Float32Array.from(z).buffer)];
        const [, receive] = handlers.findLast(([event]) => event === "msg:custom");
        receive({ id: sent.at(-1).id }, buffers);
      };
      globalThis.end = view.default.render({ model, el: document.body });
    }
    """
    js("latent.js", code, argument)
    drag(js.page, js.page.locator("[data-role=pad]"), (0.3, 0.3), (0.6, 0.7))
    js.page.mouse.up()
    settle(js.page)
    assert js.page.evaluate("saved") == []
    js.page.evaluate("answer([0, 0])")  # to the first frame's; the whole drawing waited for it
    assert js.page.evaluate("sent.length") == 2
    js.page.evaluate("answer([0.5, -0.25])")
    assert js.page.evaluate("saved.at(-1)") == [[0.5, -0.25], 4 * 784]
    js.page.evaluate("end()")
