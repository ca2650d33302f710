// The view of helpers.explorers.EstimatorExplorer: see estimator.py, panel.js and common.js.
//
// A control sets a trait of the model, one animation frame computes the estimates from the noise
// and draws, and the release tells the kernel.

import {
  button,
  element,
  floats,
  follow,
  group,
  mount,
  normal,
  number,
  plain,
  setText,
  slider,
  spoken,
  valueNode,
} from "./common.js";
import { named, panel, panelLook } from "./panel.js";

export default { render };

const Z = { name: "z", range: [-5, 5], marks: [-4, -2, 0, 2, 4] };
const AXIS = Array.from({ length: 201 }, (_, i) => i / 20 - 5);
const NAMES = ["mu", "sigma", "n", "f", "baseline", "dimension", "noise"];

// Computing. `state` is { mu, sigma, n, f, baseline, dimension, noise } with noise as Float32Array;
// `spec` has h, size and shift.

export function density(z) {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

// The share of N(0, 1) below z: ½ + φ(z) (z + z³/3 + z⁵/(3·5) + …).
export function below(z) {
  if (Math.abs(z) > 8) return z > 0 ? 1 : 0;
  let [sum, term] = [0, z];
  for (let k = 3; sum + term !== sum; k += 2) {
    sum += term;
    term *= (z * z) / k;
  }
  return 0.5 + density(z) * sum;
}

export function place({ f, mu, sigma }) {
  return f === "norm" ? [0, 1] : [mu, sigma];
}

export function truth(state) {
  const [mu, sigma] = place(state);
  if (state.f === "step") return density(mu / sigma) / sigma;
  return state.f === "line" ? 1 : 2 * mu;
}

// E f(z), or 0 where no baseline is subtracted.
export function baselineOf(state) {
  const [mu, sigma] = place(state);
  if (!state.baseline) return 0;
  const means = { line: mu, step: below(mu / sigma), norm: state.dimension };
  return means[state.f] ?? mu ** 2 + sigma ** 2;
}

// The exact variance estimate by the derivative on p and on f: derived in estimator.py.
export function variances(state) {
  const [[mu, sigma], b, d] = [place(state), baselineOf(state), state.dimension];
  if (state.f === "line") return { p: (mu - b) ** 2 / sigma ** 2 + 2, f: 0 };
  if (state.f === "step") {
    const a = mu / sigma;
    const above = below(a) - a * density(a);
    const second = (1 - b) ** 2 * above + b ** 2 * (1 - above);
    return { p: Math.max(0, second - density(a) ** 2) / sigma ** 2, f: 0 };
  }
  if (state.f === "norm") return { p: (d + 2) * (d + 4) - 2 * b * (d + 2) + b ** 2, f: 4 };
  const best = mu ** 2 + 3 * sigma ** 2;
  const p =
    mu ** 4 / sigma ** 2 + 14 * mu ** 2 + 15 * sigma ** 2 - (2 * b * best - b ** 2) / sigma ** 2;
  return { p, f: 4 * sigma ** 2 };
}

// What the other D − 1 coordinates of each sample add to ‖z‖².
function others({ f, n, dimension, noise }, { size, shift }) {
  const sums = new Float64Array(n);
  if (f !== "norm") return sums;
  for (let d = 1; d < dimension; d++) {
    for (let i = 0; i < n; i++) sums[i] += noise[size + ((i + shift * d) % size)] ** 2;
  }
  return sums;
}

function valueAt(f, z, other = 0) {
  if (f === "line") return z;
  if (f === "step") return z > 0 ? 1 : 0;
  return z * z + other;
}

function slopeOf(f, z) {
  if (f === "line") return 1;
  return f === "step" ? 0 : 2 * z;
}

// By row, the mean of n estimates and its standard error: { p: [mean, error], … }.
export function estimates(state, spec, rows) {
  const [[mu, sigma], b, { f, n, noise }] = [place(state), baselineOf(state), state];
  const more = others(state, spec);
  const z = (i) => mu + sigma * noise[i];
  const rise = (up, down) => (valueAt(f, up) - valueAt(f, down)) / (2 * spec.h);
  const one = {
    fresh: (i) => rise(z(i) + spec.h, mu - spec.h + sigma * noise[spec.size + i]),
    shared: (i) => rise(z(i) + spec.h, z(i) - spec.h),
    p: (i) => ((valueAt(f, z(i), more[i]) - b) * noise[i]) / sigma,
    f: (i) => slopeOf(f, z(i)),
  };
  return Object.fromEntries(rows.map((row) => [row, average(one[row], n)]));
}

function average(estimate, n) {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) sum += estimate(i);
  for (let i = 0; i < n; i++) squares += (estimate(i) - sum / n) ** 2;
  return [sum / n, Math.sqrt(squares / (n - 1) / n)];
}

// What the reader sees, by name.
export function numbers(state, spec, rows) {
  const [mu, sigma] = place(state);
  const result = { mu, sigma, n: state.n, truth: truth(state) };
  if (state.f === "norm") result.dimension = state.dimension;
  for (const [row, [mean, error]] of Object.entries(estimates(state, spec, rows))) {
    Object.assign(result, { [row]: mean, [`${row}_margin`]: 2 * error });
  }
  for (const [row, value] of Object.entries(variances(state))) {
    if (rows.includes(row)) result[`${row}_variance`] = value;
  }
  return result;
}

// Drawing.

function render({ model, el }) {
  const spec = model.get("spec");
  const rows = Object.keys(spec.rows);
  const root = group("estimator-explorer", "Estimators of a gradient", CSS);
  for (const [name, color] of Object.entries(spec.colors))
    root.style.setProperty(`--${name}`, color);

  const panels = element("div", { className: "panels" });
  const pushes = rows.includes("p") ? pushPanel(panels) : undefined;
  const slopes = slopePanel(panels, rows.includes("f"));
  const marks = estimatePanel(panels, spec.rows);
  const table = numberTable(panels, spec.rows);
  const [choices, controls] = [0, 1].map(() => element("div", { className: "controls" }));
  const show = makeControls();
  const live = spoken();
  root.append(choices, controls, panels, live);
  mount(root, el);

  function makeControls() {
    const { limits } = spec;
    const label = element("label", { className: "choice", textContent: "f(z) = " });
    const select = element("select");
    for (const [value, { text }] of Object.entries(spec.choices)) {
      select.append(element("option", { value, textContent: text }));
    }
    label.append(select);
    choices.append(label);
    const now = (name, value) => {
      view.set(name, value);
      release();
    };
    select.addEventListener("change", () => now("f", select.value));
    const sliders = {};
    const add = (name, text, range, toValue = (v) => v) => {
      const one = slider(controls, text, range, (v) => view.set(name, toValue(v)), release);
      sliders[name] = { ...one, show: named(one, name), row: one.input.parentElement };
    };
    for (const [name, text] of [
      ["mu", "μ"],
      ["sigma", "σ"],
    ]) {
      add(name, text, { min: limits[name][0], max: limits[name][1], step: 0.01 });
    }
    const [low, high] = limits.n.map(Math.log10);
    add("n", "samples", { min: low, max: high, step: 0.01 }, (v) => Math.round(10 ** v));
    const [least, most] = limits.dimension;
    add("dimension", "D", { min: least, max: most, step: 1 });
    const checked = element("label", { className: "choice" });
    const box = element("input", { type: "checkbox" });
    checked.append(box, " baseline b = E f");
    checked.hidden = !rows.includes("p");
    box.addEventListener("change", () => now("baseline", box.checked));
    choices.append(checked);
    button(choices, "Fresh noise", () => {
      const fresh = Float32Array.from({ length: 2 * spec.size }, normal);
      now("noise", new DataView(fresh.buffer));
    });
    return (state) => {
      select.value = state.f;
      box.checked = state.baseline;
      const names = state.f === "norm" ? ["n", "dimension"] : ["mu", "sigma", "n"];
      if (controls.children.length !== names.length) {
        controls.replaceChildren(...names.map((name) => sliders[name].row));
      }
      sliders.mu.show(state.mu);
      sliders.sigma.show(state.sigma);
      sliders.dimension.show(state.dimension, String(state.dimension));
      sliders.n.show(Math.log10(state.n), String(state.n));
    };
  }

  let noise, bytes; // copied once, not for each picture
  function draw(get) {
    const state = Object.fromEntries(NAMES.map((name) => [name, get(name)]));
    if (bytes !== state.noise) noise = floats(state.noise);
    bytes = state.noise;
    state.noise = noise;
    const values = numbers(state, spec, rows);
    const [mu, sigma] = place(state);
    const count = Math.min(state.n, spec.arrows);
    const more = others({ ...state, n: count }, spec);
    const dots = Array.from({ length: count }, (_, i) => {
      const z = mu + sigma * noise[i];
      return { z, eps: noise[i], value: valueAt(state.f, z, more[i]) };
    });
    show(state);
    pushes?.(state, dots);
    slopes(state, dots, spec.choices[state.f], values.truth);
    marks(values, spec.choices[state.f]);
    table(values, state.f);
  }

  function release() {
    view.release();
    setText(live, table.said());
  }

  const view = follow(model, NAMES, draw);
  return () => {
    view.stop();
    root.remove();
  };
}

// The bell of p, and at each sample how it is pushed: up or down by f(z) times the score.
function pushPanel(parent) {
  const chart = panel(parent, { height: 300, title: "derivative on p: f(z) · score", across: Z });
  const scale = chart.frame.bottom - chart.frame.top; // the bell has 0.4 of it, the push of one spread 0.14
  const floor = chart.frame.top + 0.72 * scale;
  const [axis, bell, samples, arrows] = ["axis", "curve", "dots", "arrows"].map(chart.path);
  const ruler = chart.path("arrows");
  const length = chart.write("", chart.frame.left + 12, chart.frame.top + 30, "start");
  axis.setAttribute("d", `M${chart.frame.left} ${floor}H${chart.frame.right}`);
  return (state, dots) => {
    const [[mu, sigma], b] = [place(state), baselineOf(state)];
    const spread = Math.sqrt(variances({ ...state, baseline: false }).p) || 1;
    const unit = 0.14 * scale;
    const height = (z) => floor - (density((z - mu) / sigma) / density(0)) * 0.4 * scale;
    const zs = [...AXIS, ...AXIS.map((z) => mu + sigma * z)].sort((one, other) => one - other);
    bell.setAttribute(
      "d",
      `M${zs.map((z) => `${chart.toX(z).toFixed(2)} ${height(z).toFixed(2)}`).join("L")}`,
    );
    let d = "";
    for (const { z, eps, value } of dots) {
      const push = ((value - b) * eps) / sigma;
      d += arrow(chart.toX(z), height(z), chart.toX(z), height(z) - (unit * push) / spread);
    }
    arrows.setAttribute("d", d);
    samples.setAttribute("d", dots.map(({ z }) => dot(chart.toX(z), height(z))).join(""));
    const at = chart.frame.left + 5;
    ruler.setAttribute(
      "d",
      arrow(at, chart.frame.top + 26 + unit / 2, at, chart.frame.top + 26 - unit / 2),
    );
    setText(length, `= ${plain(Number(spread.toPrecision(3)))}`);
    chart.svg.setAttribute(
      "aria-label",
      `The bell of p with ${dots.length} samples, each with an ` +
        "arrow up or down: f(z) times the score. The dots lie on the bell.",
    );
  };
}

// f with the samples on it; each slides down its own slope where `sliding`.
function slopePanel(parent, sliding) {
  const title = sliding ? "derivative on f: its slope at each z" : "f(z) at the samples";
  const up = { name: "f(z)", range: [-1, 16] };
  const chart = panel(parent, { height: 300, title, across: Z, up });
  const [zero, base, curve, samples, arrows] = ["axis", "base", "curve", "dots", "arrows"].map(
    chart.path,
  );
  const notes = [0, 18, 36].map((y) => {
    const text = chart.write(
      "",
      (chart.frame.left + chart.frame.right) / 2,
      chart.frame.top + 18 + y,
    );
    text.setAttribute("class", "note");
    return text;
  });
  return (state, dots, choice, true_) => {
    const [low, high] = choice.top;
    const { f, dimension } = state;
    chart.setRange("y", [low, high + (f === "norm" ? 1.5 * dimension : 0)]);
    const other = f === "norm" ? dimension - 1 : 0;
    const zs = f === "step" ? [-5, 0, 1e-9, 5] : AXIS;
    curve.setAttribute(
      "d",
      chart.line(
        zs,
        zs.map((z) => valueAt(f, z, other)),
      ),
    );
    zero.setAttribute("d", chart.line(Z.range, [0, 0]));
    const b = baselineOf(state);
    base.setAttribute("d", state.baseline ? chart.line(Z.range, [b, b]) : "");
    const step = sliding ? choice.step : 0;
    arrows.setAttribute(
      "d",
      dots
        .map(({ z, value }) => {
          return arrow(
            chart.toX(z),
            chart.toY(value),
            chart.toX(z - step * slopeOf(f, z)),
            chart.toY(value),
          );
        })
        .join(""),
    );
    samples.setAttribute(
      "d",
      dots.map(({ z, value }) => dot(chart.toX(z), chart.toY(value))).join(""),
    );
    const wrong =
      sliding && f === "step"
        ? [
            "Flat at every sample: no arrow.",
            "This estimate is 0, and wrong:",
            `the true slope is ${number(true_)}.`,
          ]
        : [];
    for (const [i, note] of notes.entries()) setText(note, wrong[i] ?? "");
    chart.svg.setAttribute(
      "aria-label",
      wrong.length
        ? `A step. ${wrong.join(" ")}`
        : `${dots.length} samples on the curve of f${sliding ? ", each with an arrow down its slope" : ""}.`,
    );
  };
}

// A line for each row, two standard errors to each side; what lies beyond the axis is at its end.
function estimatePanel(parent, rows) {
  const names = Object.entries(rows);
  const title = "estimates, ± 2 standard errors";
  const across = { name: "line: the true slope", range: [-12, 12] };
  const chart = panel(parent, { height: 84 + 44 * names.length, title, across });
  const line = chart.path("truth");
  const marks = names.map(([row, text], i) => {
    const y = chart.frame.top + 20 + 44 * i;
    const [bar, mean] = [chart.path("error"), chart.path("mean")];
    chart.write(text, chart.frame.left, y, "start"); // over the line of the truth
    return { row, bar, mean, y: y + 14 };
  });
  return (values, { ends }) => {
    chart.setRange("x", ends);
    const at = (value) => chart.toX(Math.min(ends[1], Math.max(ends[0], value)));
    line.setAttribute("d", `M${at(values.truth)} ${chart.frame.top}V${chart.frame.bottom}`);
    for (const { row, bar, mean, y } of marks) {
      const [from, middle, to] = [-1, 0, 1].map((k) =>
        at(values[row] + k * values[`${row}_margin`]),
      );
      bar.setAttribute("d", `M${from} ${y}H${to}M${from} ${y - 6}v12M${to} ${y - 6}v12`);
      mean.setAttribute("d", dot(middle, y));
    }
    const said = names.map(([row, text]) => `${text} ${number(values[row])}`).join(", ");
    chart.svg.setAttribute("aria-label", `True slope ${number(values.truth)}; ${said}.`);
  };
}

function numberTable(parent, rows) {
  const exact = Object.keys(rows).filter((row) => row === "p" || row === "f");
  const table = element("table");
  const head = element("tr");
  const titles = ["", "estimate", "± 2 s.e.", ...(exact.length ? ["exact variance"] : [])];
  for (const text of titles) head.append(element("th", { scope: "col", textContent: text }));
  table.append(element("thead"), element("tbody"));
  table.tHead.append(head);
  const cells = {};
  for (const [row, text] of [["truth", "true slope"], ...Object.entries(rows)]) {
    const line = element("tr");
    line.append(element("th", { scope: "row", textContent: text }));
    const names = [row, `${row}_margin`, ...(exact.length ? [`${row}_variance`] : [])];
    for (const name of row === "truth" ? [row] : names) {
      const cell =
        name.endsWith("_variance") && !exact.includes(row) ? element("td") : valueNode("td", name);
      cell.className = "value";
      line.append(cell);
      cells[name] = cell;
    }
    if (row === "truth") line.append(element("td", { colSpan: titles.length - 2 }));
    table.tBodies[0].append(line);
  }
  const formula = element("p", { className: "formula" });
  const cell = element("div");
  cell.append(table, formula);
  parent.append(cell);
  function update(values, f) {
    for (const [name, node] of Object.entries(cells)) {
      if (!(name in values)) continue;
      setText(
        node,
        name.endsWith("_variance")
          ? plain(Number(values[name].toPrecision(5)))
          : number(values[name]),
      );
    }
    const exactly = "At μ = 0, σ = 1: (D + 2)(D + 4) on p, 2D + 8 with the baseline, 4 on f.";
    const what = exact.length ? "The variance is that of a single estimate. " : "";
    setText(formula, what + (f === "norm" ? exactly : ""));
  }
  update.said = () =>
    [...table.rows]
      .slice(1)
      .map((line) => {
        const [name, mean, margin] = [...line.cells].map((one) => one.textContent);
        return margin ? `${name} ${mean}, plus or minus ${margin}` : `${name} ${mean}`;
      })
      .join("; ");
  return update;
}

function dot(x, y) {
  return `M${x.toFixed(2)} ${y.toFixed(2)}h0`; // a round cap
}

// With a head; nothing where it would be shorter than a pixel.
function arrow(x, y, endX, endY) {
  const length = Math.hypot(endX - x, endY - y);
  if (length < 1) return "";
  const [right, down] = [(endX - x) / length, (endY - y) / length];
  const back = Math.min(7, length);
  const side = (way) =>
    `${(endX - back * right - way * 0.6 * back * down).toFixed(2)} ` +
    (endY - back * down + way * 0.6 * back * right).toFixed(2);
  const end = `${endX.toFixed(2)} ${endY.toFixed(2)}`;
  return `M${x.toFixed(2)} ${y.toFixed(2)}L${end}M${side(1)}L${end}L${side(-1)}`;
}

const CSS = `${panelLook(".estimator-explorer")}
.estimator-explorer .controls { gap: 4px 18px; }
.estimator-explorer .choice { display: flex; align-items: center; gap: 6px; }
.estimator-explorer [hidden] { display: none; }
.estimator-explorer .choice input { width: 18px; height: 18px; }
.estimator-explorer .slider { flex: 1 1 180px; }
.estimator-explorer .panel .curve { stroke: var(--soft); stroke-width: 2; }
.estimator-explorer .panel .arrows { stroke: var(--gradient); stroke-width: 2; }
.estimator-explorer .panel .dots {
  stroke: var(--posterior); stroke-width: 7; stroke-linecap: round;
}
.estimator-explorer .panel .base { stroke: var(--prior); stroke-width: 2.5; stroke-dasharray: 7 4; }
.estimator-explorer .panel .truth { stroke: var(--gradient); stroke-width: 3; }
.estimator-explorer .panel .error { stroke: var(--ink); stroke-width: 2; }
.estimator-explorer .panel .mean { stroke: var(--ink); stroke-width: 11; stroke-linecap: round; }
.estimator-explorer .panel .note { font-size: 16px; font-weight: 600; }
.estimator-explorer table { width: 100%; margin: 0; border-collapse: collapse; font-size: 14px; }
.estimator-explorer :is(th, td) { padding: 4px 6px; text-align: right; border: 0; background: none; }
.estimator-explorer th { font-weight: normal; color: var(--soft); }
.estimator-explorer th:first-child { min-width: 116px; padding-left: 0; text-align: left; }
.estimator-explorer td { font-variant-numeric: tabular-nums; white-space: nowrap; }
.estimator-explorer tbody tr { border-top: 1px solid var(--line); }
.estimator-explorer .formula { margin-top: 6px; color: var(--soft); }
`;
