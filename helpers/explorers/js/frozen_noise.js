// The view of helpers.explorers.FrozenNoise: see frozen_noise.py and common.js.
//
// A slider sets the model's mu or sigma, one animation frame draws, and the release tells the kernel.

import {
  button,
  element,
  follow,
  group,
  mount,
  normal,
  number,
  plain,
  sentence,
  shape,
  slider,
  spoken,
} from "./common.js";

export default { render };

const WIDTH = 640;
const HEIGHT = 420;
const PLOT = { left: 46, right: 630 }; // the axis that ε and z share
const EPS_ROW = 34;
const Z_ROW = 150;
const CURVE = { top: 186, bottom: 372 }; // the loss z², from its largest value shown to 0
const SLIDERS = [
  ["mu", "μ"],
  ["sigma", "σ"],
];

// The samples z = μ + σ ε, the mean of z², and its gradient by μ and σ: over these ε, and over all.
export function numbers({ mu, sigma, eps }) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const z = eps.map((noise) => mu + sigma * noise);
  return {
    z,
    loss: mean(z.map((v) => v * v)),
    by_mu: mean(z.map((v) => 2 * v)),
    by_sigma: mean(z.map((v, i) => 2 * v * eps[i])),
    true_by_mu: 2 * mu,
    true_by_sigma: 2 * sigma,
  };
}

function render({ model, el }) {
  const { limit, limits, top, step, colors } = model.get("spec");
  const toX = (value) => PLOT.left + ((value + limit) / (2 * limit)) * (PLOT.right - PLOT.left);
  const toY = (loss) => CURVE.bottom - (Math.min(loss, top) / top) * (CURVE.bottom - CURVE.top);
  const root = group("frozen-noise", "Frozen noise", CSS, colors);

  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, root);
  drawAxes(picture, limit, top, toX, toY);
  const lines = shape("path", { class: "lines" }, picture);
  const drops = shape("path", { class: "drops" }, picture);
  const arrows = shape("path", { class: "arrows" }, picture);
  const center = shape("g", { class: "center", "data-role": "center" }, picture);
  shape("path", { d: `M0 ${Z_ROW + 7}l-5 9h10z` }, center);
  shape("text", { x: 9, y: Z_ROW + 18 }, center).textContent = "μ";
  const dots = { eps: [], z: [], loss: [] };

  const controls = element("div", { className: "controls" });
  const sliders = SLIDERS.map(([name, title]) => {
    const [min, max] = limits[name];
    const move = (value) => view.set(name, value);
    return slider(controls, title, { min, max, step: 0.01 }, move, release);
  });
  button(controls, "Fresh ε", () => {
    view.set("eps", model.get("eps").map(normal));
    release();
  });
  const text = sentence`mean of z² ${"loss"} · gradient, averaged over ${"count"} points: of μ ${"by_mu"} (expected 2μ = ${"true_by_mu"}), of σ ${"by_sigma"} (expected 2σ = ${"true_by_sigma"})`;
  const live = spoken();
  root.append(controls, text.node, live);
  mount(root, el);

  function draw(get) {
    const [mu, sigma, eps] = ["mu", "sigma", "eps"].map(get);
    const { z, ...shown } = numbers({ mu, sigma, eps });
    const clip = (value) => Math.min(limit, Math.max(-limit, value));
    for (const kind of Object.keys(dots)) resize(dots[kind], eps.length, kind, picture);
    let [line, drop, arrow] = ["", "", ""];
    z.forEach((value, i) => {
      const [x, y] = [toX(clip(value)), toY(clip(value) ** 2)];
      place(dots.eps[i], toX(clip(eps[i])), EPS_ROW);
      place(dots.z[i], x, Z_ROW);
      place(dots.loss[i], x, y);
      line += `M${toX(clip(eps[i]))} ${EPS_ROW}L${x} ${Z_ROW}`;
      drop += `M${x} ${Z_ROW}V${y}`;
      arrow += arrowPath(x, y, toX(clip(value) - step * 2 * value));
    });
    lines.setAttribute("d", line);
    drops.setAttribute("d", drop);
    arrows.setAttribute("d", arrow);
    center.setAttribute("transform", `translate(${toX(clip(mu))} 0)`);
    for (const [i, value] of [mu, sigma].entries()) sliders[i].show(value);
    const texts = Object.entries(shown).map(([name, value]) => [name, number(value)]);
    text.show({ ...Object.fromEntries(texts), count: String(eps.length) });
    picture.setAttribute(
      "aria-label",
      `${eps.length} noise values ε in a row, a line from each to ` +
        `its z at μ = ${number(mu)}, σ = ${number(sigma)}, and the loss z² with an arrow downhill ` +
        "at each z.",
    );
  }

  function release() {
    view.release();
    live.textContent = text.node.textContent;
  }

  const view = follow(model, ["mu", "sigma", "eps"], draw);
  return () => {
    view.stop();
    root.remove();
  };
}

function drawAxes(picture, limit, top, toX, toY) {
  for (const [y, label] of [
    [EPS_ROW, "ε"],
    [Z_ROW, "z"],
    [CURVE.bottom, "z²"],
  ]) {
    shape("path", { class: "axis", d: `M${PLOT.left} ${y}H${PLOT.right}` }, picture);
    shape("text", { x: 14, y: y + 5 }, picture).textContent = label;
  }
  for (let value = -limit; value <= limit; value++) {
    const x = toX(value);
    for (const y of [EPS_ROW, Z_ROW, CURVE.bottom]) {
      shape("path", { class: "axis", d: `M${x} ${y - 3}V${y + 3}` }, picture);
    }
    const tick = shape("text", { x, y: CURVE.bottom + 20, class: "tick" }, picture);
    tick.textContent = plain(value);
  }
  const title = shape("text", { x: toX(0), y: CURVE.bottom + 40, class: "tick" }, picture);
  title.textContent = "value of ε and of z";
  const points = Array.from({ length: 101 }, (_, i) => Math.sqrt(top) * (i / 50 - 1));
  const d = points.map((z, i) => `${i ? "L" : "M"}${toX(z)} ${toY(z * z)}`).join("");
  shape("path", { class: "curve", d }, picture);
}

// A horizontal arrow with its head; nothing where it would be shorter than a pixel.
function arrowPath(x, y, end) {
  const way = Math.sign(end - x);
  if (Math.abs(end - x) < 1) return "";
  return `M${x} ${y}H${end}M${end - 5 * way} ${y - 4}L${end} ${y}L${end - 5 * way} ${y + 4}`;
}

function resize(circles, count, kind, parent) {
  while (circles.length > count) circles.pop().remove();
  while (circles.length < count) {
    const radius = kind === "loss" ? 3 : 5;
    circles.push(shape("circle", { class: kind, r: radius, "data-role": kind }, parent));
  }
}

function place(circle, x, y) {
  circle.setAttribute("cx", x);
  circle.setAttribute("cy", y);
}

const CSS = `
.frozen-noise { max-width: 674px; }
.frozen-noise svg { max-width: ${WIDTH}px; }
.frozen-noise svg text { fill: var(--ink); font-size: 15px; }
.frozen-noise svg .tick { font-size: 12px; text-anchor: middle; }
.frozen-noise path { fill: none; stroke: var(--soft); stroke-width: 1; }
.frozen-noise .axis { stroke: var(--line); }
.frozen-noise .drops { stroke-dasharray: 2 3; opacity: 0.8; }
.frozen-noise .center path { fill: var(--ink); stroke: none; }
.frozen-noise .curve { stroke-width: 2; }
.frozen-noise .arrows { stroke: var(--gradient); stroke-width: 2.5; }
.frozen-noise .eps { fill: var(--other); }
.frozen-noise .z, .frozen-noise .loss { fill: var(--posterior); stroke: #000; stroke-width: 0.7; }
.frozen-noise .slider { grid-template-columns: 18px 1fr 46px; flex: 1 1 200px; }
`;
