// The charts of EstimatorExplorer: see estimator.js, which draws them anew at each frame.

import { element, number, plain, setText, valueNode } from "./common.js";
import { baselineOf, density, place, slopeOf, valueAt, variances } from "./estimator_numbers.js";
import { panel } from "./panel.js";

const Z = { name: "z", range: [-5, 5], marks: [-4, -2, 0, 2, 4] };
const AXIS = Array.from({ length: 201 }, (_, i) => i / 20 - 5);

// The bell, and at each sample how it is pushed: up or down by f(z) times the score.
export function pushPanel(parent) {
  const chart = panel(parent, { height: 300, title: "derivative on the density", across: Z });
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
    setText(length, `f(z) · score = ${plain(Number(spread.toPrecision(2)))}`);
    chart.svg.setAttribute(
      "aria-label",
      `The bell with ${dots.length} samples, each with an ` +
        "arrow up or down: f(z) times the score. The dots lie on the bell.",
    );
  };
}

// f with the samples on it; where `sliding`, an arrow to the side where f rises at each.
export function slopePanel(parent, sliding) {
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
            chart.toX(z + step * slopeOf(f, z)),
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
        : `${dots.length} samples on the curve of f${sliding ? ", each with an arrow to where f rises" : ""}.`,
    );
  };
}

// A line for each row, two standard errors to each side; what lies beyond the axis is at its end.
export function estimatePanel(parent, rows) {
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

export function numberTable(parent, rows) {
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
    const exactly =
      "At μ = 0, σ = 1: (D + 2)(D + 4) on the density, 2D + 8 with the baseline, 4 on f.";
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
