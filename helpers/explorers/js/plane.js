// The view of helpers.explorers.PlaneExplorer: see plane.py and common.js.
//
// A move sets the model's point or prior, one animation frame computes and draws, and the release
// tells the kernel.

import {
  element,
  floats,
  follow,
  group,
  listen,
  mount,
  number,
  plain,
  position,
  setText,
  slider,
  spoken,
  ticks,
  valueNode,
} from "./common.js";
import { contour, onGrid } from "./contour.js";

export default { render };

const SIDE = 340; // of the map, in CSS pixels, with its margins
const MARGIN = { left: 34, right: 8, top: 8, bottom: 34 };
const PLOT = SIDE - MARGIN.left - MARGIN.right;
const SHARP = 2.6; // canvas pixels to one of CSS, at least: full screen makes it so large
const CELLS = 100; // of the grid on which the boundaries are traced, a side
const NATS = 30; // the length of a bar of log p
const ROWS = [
  ["log p(x|A)", "log_p_a"],
  ["log p(x|B)", "log_p_b"],
  ["p(A|x), generative", "generative"],
  ["p(A|x), logistic", "logistic"],
];

// The two models.

function logDensity({ means, precisions, peaks }, k, x) {
  const [[a, b], [c, d]] = precisions[k];
  const [u, v] = [x[0] - means[k][0], x[1] - means[k][1]];
  return peaks[k] - 0.5 * (a * u * u + (b + c) * u * v + d * v * v);
}

function logRatio(spec, x) {
  return logDensity(spec, 0, x) - logDensity(spec, 1, x);
}

const shift = (prior) => Math.log(prior / (1 - prior));
const sigmoid = (odds) => 1 / (1 + Math.exp(-odds));

// log p(x|A), log p(x|B), and p(A|x) of the generative and of the discriminative model.
export function numbers(spec, point, prior) {
  const [a, b] = [0, 1].map((k) => logDensity(spec, k, point));
  const odds = -(spec.weight[0] * point[0] + spec.weight[1] * point[1] + spec.bias);
  return [a, b, sigmoid(a - b + shift(prior)), sigmoid(odds)];
}

// The point of the plane at a place on the map, or the nearest one within the limits.
export function pointAt([x, y], [low, high]) {
  const shares = [(x - MARGIN.left) / PLOT, 1 - (y - MARGIN.top) / PLOT];
  return shares.map((v) => low + (high - low) * Math.min(1, Math.max(0, v)));
}

function render({ model, el }) {
  const spec = model.get("spec");
  const [low, high] = spec.limits.point;
  const top = Math.max(...spec.peaks, 0);

  // The page.

  const root = group("plane-explorer", "Plane explorer", CSS);
  const canvas = element("canvas");
  canvas.dataset.role = "plane";
  canvas.setAttribute("role", "img");
  const side = element("div", { className: "side" });
  const colors = [...spec.colors.slice(0, 2), "#000", spec.colors[2]];
  const rows = ROWS.map(([title, name], i) => bar(side, title, name, colors[i]));
  const range = { min: low, max: high, step: (high - low) / 400 };
  const [min, max] = spec.limits.prior;
  const sliders = [
    slider(side, "x₁", range, (value) => goTo(value, view.get("point")[1]), release),
    slider(side, "x₂", range, (value) => goTo(view.get("point")[0], value), release),
    slider(side, "p(A)", { min, max, step: 0.01 }, (value) => view.set("prior", value), release),
  ];
  const keys = element("p", { className: "hint" });
  keys.textContent =
    "Solid: the generative boundary. Dashed: the logistic regression's. " +
    `A bar of log p is full at ${top.toFixed(0)} nats and empty ${NATS} nats below.`;
  const live = spoken();
  side.append(keys);
  root.append(canvas, side, live);
  mount(root, el);

  // What moves it.

  function goTo(...point) {
    view.set("point", point);
  }

  function release() {
    view.release();
    const point = model.get("point");
    const [a, b, generative, discriminative] = numbers(spec, point, model.get("prior"));
    live.textContent =
      `At (${coordinates(point)}): log p(x|A) ${number(a)}, log p(x|B) ${number(b)}; ` +
      `p(A|x) generative ${number(generative)}, logistic ${number(discriminative)}`;
  }

  let pointer = null;
  function drag(event) {
    goTo(...pointAt(position(event, canvas, SIDE), [low, high]));
  }
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    drag(event);
  });
  canvas.addEventListener("pointermove", (event) => event.pointerId === pointer && drag(event));
  listen(canvas, "pointerup pointercancel", (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    release();
  });

  // What is drawn. Only the boundary and the marker move: the rest is drawn once.

  const scale = Math.max(SHARP, globalThis.devicePixelRatio || 1);
  canvas.width = canvas.height = Math.round(SIDE * scale);
  const context = canvas.getContext("2d");
  const place = (v, k) => {
    const share = (v - low) / (high - low);
    return k === 0 ? MARGIN.left + PLOT * share : MARGIN.top + PLOT * (1 - share);
  };
  const ratios = onGrid((x) => logRatio(spec, x), spec.limits.point, CELLS);
  const fixed = background();

  function background() {
    const back = element("canvas", { width: canvas.width, height: canvas.height });
    const ctx = back.getContext("2d");
    ctx.scale(canvas.width / SIDE, canvas.width / SIDE);
    ctx.fillStyle = "#fff";
    ctx.fillRect(0, 0, SIDE, SIDE);
    drawAxes(ctx);
    const points = floats(model.get("points"));
    const labels = model.get("labels");
    for (let i = 0; i < points.length / 2; i++) {
      const label = labels.getUint8(i);
      const [x, y] = [place(points[2 * i], 0), place(points[2 * i + 1], 1)];
      ctx.fillStyle = `${spec.colors[label]}b3`; // they overlap: 70 % opaque
      ctx.beginPath();
      if (label) ctx.rect(x - 2.2, y - 2.2, 4.4, 4.4);
      else ctx.arc(x, y, 2.5, 0, 7);
      ctx.fill();
    }
    drawLine(ctx);
    return back;
  }

  // The logistic regression's boundary: from its point nearest to 0, far both ways.
  function drawLine(ctx) {
    const [a, b] = spec.weight;
    const square = a * a + b * b;
    if (square === 0) return;
    const far = (2 * (Math.abs(low) + Math.abs(high))) / Math.sqrt(square);
    const end = (t) => [(-spec.bias * a) / square - t * b, (-spec.bias * b) / square + t * a];
    ctx.save();
    ctx.beginPath();
    ctx.rect(MARGIN.left, MARGIN.top, PLOT, PLOT);
    ctx.clip();
    Object.assign(ctx, { strokeStyle: spec.colors[2], lineWidth: 2 });
    ctx.setLineDash([7, 4]);
    ctx.beginPath();
    for (const t of [-far, far]) ctx.lineTo(...end(t).map(place));
    ctx.stroke();
    ctx.restore();
  }

  function drawAxes(ctx) {
    Object.assign(ctx, { fillStyle: "#333", strokeStyle: "#999", font: "11px sans-serif" });
    ctx.strokeRect(MARGIN.left, MARGIN.top, PLOT, PLOT);
    for (const tick of ticks(low, high)) {
      const text = plain(tick);
      ctx.textAlign = "center";
      ctx.fillText(text, place(tick, 0), SIDE - MARGIN.bottom + 14);
      ctx.textAlign = "right";
      ctx.fillText(text, MARGIN.left - 5, place(tick, 1) + 4);
    }
    ctx.textAlign = "center";
    ctx.fillText("x₁", MARGIN.left + PLOT / 2, SIDE - 4);
    ctx.fillText("x₂", 10, MARGIN.top + PLOT / 2);
  }

  function drawBoundary(ctx, level) {
    const pixel = ([i, j]) => [
      MARGIN.left + (PLOT * i) / CELLS,
      MARGIN.top + PLOT * (1 - j / CELLS),
    ];
    ctx.strokeStyle = "#000";
    ctx.lineWidth = 2;
    ctx.beginPath();
    for (const [from, to] of contour(ratios, CELLS, level)) {
      ctx.moveTo(...pixel(from));
      ctx.lineTo(...pixel(to));
    }
    ctx.stroke();
  }

  function draw(get) {
    const [point, prior] = [get("point"), get("prior")];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(fixed, 0, 0);
    context.scale(canvas.width / SIDE, canvas.width / SIDE);
    drawBoundary(context, -shift(prior));
    context.beginPath();
    context.arc(place(point[0], 0), place(point[1], 1), 7, 0, 7);
    context.fillStyle = "#fff";
    context.fill();
    context.lineWidth = 3;
    context.stroke();
    const values = numbers(spec, point, prior);
    rows.forEach((show, i) => {
      const share = i < 2 ? 1 + (values[i] - top) / NATS : values[i];
      show(i < 2 ? `${number(values[i])} nats` : number(values[i]), share);
    });
    for (const [i, value] of [...point, prior].entries()) sliders[i].show(value);
    canvas.setAttribute(
      "aria-label",
      "Points of class A (circles) and B (squares), the two boundaries, and the point at " +
        coordinates(point),
    );
  }

  const view = follow(model, ["point", "prior"], draw);
  return () => {
    view.stop();
    root.remove();
  };
}

function coordinates(point) {
  return point.map((value) => number(value)).join(", ");
}

function bar(parent, title, name, color) {
  const node = element("div", { className: "row" });
  const value = valueNode("span", name);
  value.className = "value";
  const track = element("div", { className: "track" });
  const fill = element("div");
  fill.style.background = color;
  track.append(fill);
  track.setAttribute("aria-hidden", "true");
  node.append(element("span", { textContent: title }), value, track);
  parent.append(node);
  return (text, share) => {
    setText(value, text);
    fill.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  };
}

const CSS = `
.plane-explorer {
  display: flex; flex-wrap: wrap; gap: 12px 28px; align-items: flex-start; font-size: 14px;
}
.plane-explorer canvas {
  width: ${SIDE}px; max-width: 100%; aspect-ratio: 1; border-radius: 3px; background: #fff;
  touch-action: none; cursor: crosshair; user-select: none;
}
.plane-explorer .side { flex: 1 1 260px; max-width: 340px; min-width: 0; }
.plane-explorer .row { display: flex; flex-wrap: wrap; justify-content: space-between; margin-bottom: 8px; }
.plane-explorer .track {
  flex-basis: 100%; height: 10px; overflow: clip; border-radius: 3px;
  background: #e4e4e4; /* as on the plane: the colors of the classes are made for white */
}
.plane-explorer .track div { height: 100%; }
.plane-explorer .slider { grid-template-columns: 40px 1fr 52px; }
.plane-explorer .hint { margin: 8px 0 0; color: var(--soft); font-size: 12px; }
`;
