// The view of helpers.explorers.GradientExplorer: see gradient.py and common.js.
//
// A slider sets the model's mu, sigma or n, one animation frame computes the estimates from the
// noise and draws, and the release tells the kernel.

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
  sentence,
  shape,
  slider,
} from "./common.js";

export default { render };

const WIDTH = 660;
const HEIGHT = 262;
const BASE = 216; // both axes
const LEFT = { low: -8, high: 8, from: 16, to: 296 }; // histogram of z
const RIGHT = { low: -12, high: 12, from: 410, to: 650 }; // estimates of the slope
const TOP = 30;
const BINS = 64;
const SLIDERS = [
  ["mu", "μ"],
  ["sigma", "σ"],
  ["n", "samples"], // on a scale of powers of ten
];

function render({ model, el }) {
  const { h, size, colors, rows, limits } = model.get("spec");
  const root = group("gradient-explorer", "Three estimates of a gradient", CSS);
  for (const [name, color] of Object.entries(colors)) root.style.setProperty(`--${name}`, color);

  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, root);
  drawAxis(picture, LEFT, 2, "z", "histogram of z");
  drawAxis(picture, RIGHT, 4, "estimate of the slope 2μ", "estimates, ± 2 standard errors");
  const bars = shape("path", { class: "bars" }, picture);
  const density = shape("path", { class: "density" }, picture);
  const truth = shape("path", { class: "truth" }, picture);
  const marks = rows.map((name, i) => estimateMark(picture, name, TOP + 32 + 58 * i));

  const controls = element("div", { className: "controls" });
  const sliders = SLIDERS.map(([name, title]) => {
    const [min, max] = name === "n" ? limits.n.map(Math.log10) : limits[name];
    const move = (value) => view.set(name, name === "n" ? Math.round(10 ** value) : value);
    return slider(controls, title, { min, max, step: 0.01 }, move, () => view.release());
  });
  button(controls, "Fresh noise", () => {
    const fresh = Float32Array.from({ length: 2 * size }, normal);
    view.set("noise", new DataView(fresh.buffer));
    view.release();
  });
  const list = element("dl");
  function row(title, text) {
    const cell = element("dd");
    cell.append(text.node);
    list.append(element("dt", { textContent: title }), cell);
    return text;
  }
  const slope = row("true slope 2μ", sentence`${"true_slope"}`);
  const texts = rows.map((name) => {
    const key = name.replace(" ", "_");
    return { key, ...row(name, sentence`${key} ± ${`${key}_error`}`) };
  });
  root.append(controls, list);
  mount(root, el);

  function draw(get) {
    const [mu, sigma, n] = ["mu", "sigma", "n"].map(get);
    const noise = floats(get("noise"));
    const [first, second] = [noise.subarray(0, n), noise.subarray(size, size + n)];
    bars.setAttribute("d", histogram(first, mu, sigma));
    density.setAttribute("d", bell(mu, sigma));
    truth.setAttribute("d", `M${toX(RIGHT, 2 * mu)} ${TOP + 8}V${BASE}`);
    slope.show({ true_slope: number(2 * mu) });
    estimates({ mu, sigma, first, second, h }).forEach(([mean, error], i) => {
      marks[i](mean, error);
      const { key, show } = texts[i];
      show({ [key]: number(mean), [`${key}_error`]: number(2 * error) });
    });
    const values = [mu, sigma, Math.log10(n)];
    sliders.forEach(({ input, show }, i) => {
      const shown = i === 2 ? String(n) : number(values[i]);
      show(values[i], shown);
      input.setAttribute("aria-valuetext", shown);
    });
    const said = rows.map((name, i) => `${name} ${texts[i].node.textContent}`).join("; ");
    picture.setAttribute(
      "aria-label",
      `Histogram of ${n} samples z at μ = ${number(mu)}, σ = ` +
        `${number(sigma)}; true slope ${number(2 * mu)}; ${said}.`,
    );
  }

  const view = follow(model, ["mu", "sigma", "n", "noise"], draw);
  return () => {
    view.stop();
    root.remove();
  };
}

// By fresh noise, by shared noise and by the score function: the mean and its standard error.
export function estimates({ mu, sigma, first, second, h }) {
  const square = (mean, eps) => (mean + sigma * eps) ** 2;
  const one = [
    (i) => (square(mu + h, first[i]) - square(mu - h, second[i])) / (2 * h),
    (i) => (square(mu + h, first[i]) - square(mu - h, first[i])) / (2 * h),
    (i) => (square(mu, first[i]) * first[i]) / sigma,
  ];
  return one.map((estimate) => average(estimate, first.length));
}

function average(estimate, n) {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) sum += estimate(i);
  for (let i = 0; i < n; i++) squares += (estimate(i) - sum / n) ** 2;
  return [sum / n, Math.sqrt(squares / (n - 1) / n)];
}

function toX({ low, high, from, to }, value) {
  const share = (value - low) / (high - low);
  return from + Math.min(1, Math.max(0, share)) * (to - from);
}

// How many of the samples μ + σ ε lie in each bin between low and high.
export function counts(eps, mu, sigma, { low, high }) {
  const found = new Array(BINS).fill(0);
  const width = (high - low) / BINS;
  for (const noise of eps) {
    const bin = Math.floor((mu + sigma * noise - low) / width);
    if (bin >= 0 && bin < BINS) found[bin]++;
  }
  return found;
}

// The highest bar or bell has the same height at every σ: a density of 0.5 / σ fills the panel.
function histogram(eps, mu, sigma) {
  const width = (LEFT.high - LEFT.low) / BINS;
  let d = "";
  counts(eps, mu, sigma, LEFT).forEach((count, i) => {
    const height = ((count / eps.length / width) * sigma * (BASE - TOP)) / 0.6;
    const [a, b] = [i, i + 1].map((edge) => toX(LEFT, LEFT.low + edge * width));
    if (count) d += `M${a} ${BASE}V${Math.max(TOP, BASE - height)}H${b}V${BASE}Z`;
  });
  return d;
}

function bell(mu, sigma) {
  const points = Array.from({ length: 121 }, (_, i) => mu + sigma * (i / 15 - 4));
  return points
    .filter((z) => z >= LEFT.low && z <= LEFT.high)
    .map((z, i) => {
      const density = Math.exp(-(((z - mu) / sigma) ** 2) / 2) / Math.sqrt(2 * Math.PI);
      return `${i ? "L" : "M"}${toX(LEFT, z)} ${BASE - (density * (BASE - TOP)) / 0.6}`;
    })
    .join("");
}

// One row of the right panel: a dot with its error bar, cut off at the panel's ends.
function estimateMark(picture, name, y) {
  shape("text", { x: RIGHT.from - 12, y: y + 5, class: "name" }, picture).textContent = name;
  const bar = shape("path", { class: "error" }, picture);
  const dot = shape("circle", { class: "estimate", cy: y, r: 5 }, picture);
  return (mean, error) => {
    const [low, middle, high] = [-2, 0, 2].map((k) => toX(RIGHT, mean + k * error));
    dot.setAttribute("cx", middle);
    bar.setAttribute(
      "d",
      `M${low} ${y}H${high}M${low} ${y - 6}V${y + 6}M${high} ${y - 6}V${y + 6}`,
    );
  };
}

function drawAxis(picture, panel, every, label, title) {
  const middle = (panel.from + panel.to) / 2;
  shape("path", { class: "axis", d: `M${panel.from} ${BASE}H${panel.to}` }, picture);
  for (let value = panel.low; value <= panel.high; value += every) {
    const x = toX(panel, value);
    shape("path", { class: "axis", d: `M${x} ${BASE}V${BASE + 4}` }, picture);
    const tick = shape("text", { x, y: BASE + 18, class: "tick" }, picture);
    tick.textContent = plain(value);
  }
  shape("text", { x: middle, y: BASE + 38, class: "tick" }, picture).textContent = label;
  shape("text", { x: middle, y: 16, class: "tick title" }, picture).textContent = title;
}

const CSS = `
.gradient-explorer { max-width: 694px; }
.gradient-explorer svg { max-width: ${WIDTH}px; }
.gradient-explorer svg text { fill: var(--ink); font-size: 13px; }
.gradient-explorer svg .tick { font-size: 12px; text-anchor: middle; }
.gradient-explorer svg .title { font-size: 13px; }
.gradient-explorer svg .name { text-anchor: end; }
.gradient-explorer path { fill: none; stroke: var(--soft); stroke-width: 1; }
.gradient-explorer .bars { fill: var(--posterior); stroke: none; opacity: 0.75; }
.gradient-explorer .density { stroke: var(--ink); stroke-width: 1.5; }
.gradient-explorer .truth { stroke: var(--gradient); stroke-width: 2.5; }
.gradient-explorer .error { stroke: var(--ink); stroke-width: 2; }
.gradient-explorer .estimate { fill: var(--ink); }
.gradient-explorer .slider { grid-template-columns: auto 1fr 46px; gap: 6px; flex: 1 1 180px; }
.gradient-explorer dl {
  display: grid; grid-template-columns: repeat(4, 1fr); grid-auto-flow: column;
  grid-template-rows: auto auto; gap: 0 14px; margin: 6px 0 0;
}
.gradient-explorer dt { float: none; width: auto; color: var(--soft); font-weight: normal; white-space: nowrap; }
.gradient-explorer dd { margin: 0; }
`;
