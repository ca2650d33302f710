// The map: a still layer of axes, circles and points, and a marker that moves above it.

import { element, listen, plain, position, ticks } from "./common.js";
import { arrow, describe, dimensionName, panel, surface } from "./pieces.js";

const MAP = 320; // side of the map, in CSS pixels, with its margins for the axes
const MARGIN = { left: 40, right: 8, top: 8, bottom: 40 };
const PLOT = MAP - MARGIN.left - MARGIN.right;
const PICK = 10; // how near to a point of the map a click must be, in CSS pixels

export function mapPart(state) {
  const { spec, points } = state;
  const pair = [0, 1];
  const frame = element("div", { className: "frame" });
  const canvas = surface("map", "Latent map", "hint-map");
  const ratio = Math.max(2, globalThis.devicePixelRatio || 1);
  canvas.width = canvas.height = MAP * ratio;
  const marker = element("div", { className: "marker" });
  frame.append(canvas, marker);
  const pick = points.count ? " Click a point, or press Enter, to pick the digit there." : "";
  const hint = `Drag, or use the arrow keys (Shift: larger steps).${pick}`;
  const node = panel("panel-map", "Latent map", frame);
  if (spec.latent_dim > 2) node.append(pairChooser(state, pair, changePair));
  node.append(describe(canvas, hint));
  let scale;

  function drawStill() {
    scale = mapScale(spec.ranges, pair);
    drawMap(canvas.getContext("2d"), ratio, state, pair, scale);
  }

  function changePair() {
    drawStill();
    state.schedule();
  }

  function goTo(x, y) {
    const z = [...state.get("z")];
    z[pair[0]] = clamp(scale.x.invert(x), scale.x);
    z[pair[1]] = clamp(scale.y.invert(y), scale.y);
    state.moveTo(z);
  }

  function pickNear(x, y, reach) {
    let best = -1;
    let least = reach ** 2;
    for (let i = 0; i < points.count; i++) {
      const dx = scale.x(points.at(i, pair[0])) - x;
      const dy = scale.y(points.at(i, pair[1])) - y;
      if (dx * dx + dy * dy < least) [best, least] = [i, dx * dx + dy * dy];
    }
    if (best >= 0) state.moveTo(points.code(best), best);
  }

  let start = null; // where the pointer went down, until it has moved away
  let dragging = false;
  listen(canvas, "pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    start = position(event, canvas, MAP);
    dragging = true;
    goTo(...start);
  });
  listen(canvas, "pointermove", (event) => {
    if (!dragging) return;
    const [x, y] = position(event, canvas, MAP);
    if (start && Math.hypot(x - start[0], y - start[1]) < 4) return;
    start = null;
    goTo(x, y);
  });
  listen(canvas, "pointerup pointercancel", () => {
    if (dragging && start) pickNear(...start, PICK);
    dragging = false;
    state.release();
  });
  listen(canvas, "keydown", (event) => {
    const [dx, dy] = arrow(event);
    const step = ((event.shiftKey ? 5 : 1) * PLOT) / 100;
    const z = state.get("z");
    const [x, y] = [scale.x(z[pair[0]]), scale.y(z[pair[1]])];
    if (dx || dy) goTo(x + dx * step, y + dy * step);
    else if (event.key === "Enter" && !event.shiftKey) pickNear(x, y, Infinity);
    else return;
    event.preventDefault();
  });
  listen(canvas, "keyup blur", () => dragging || state.release());

  drawStill();
  function draw(get) {
    const z = get("z");
    const x = scale.x(clamp(z[pair[0]], scale.x)) / MAP;
    const y = scale.y(clamp(z[pair[1]], scale.y)) / MAP;
    marker.style.transform = `translate(${100 * x}%, ${100 * y}%)`;
  }
  return { node, draw };
}

function pairChooser(state, pair, redraw) {
  const row = element("div", { className: "row" });
  const selects = ["Across", "Up"].map((title, axis) => {
    const select = element("select");
    for (let d = 0; d < state.spec.latent_dim; d++) {
      select.append(element("option", { value: d, textContent: dimensionName(d) }));
    }
    const label = element("label", { textContent: `${title} ` });
    label.append(select);
    row.append(label);
    listen(select, "change", () => {
      const chosen = Number(select.value);
      if (pair[1 - axis] === chosen) pair[1 - axis] = pair[axis];
      pair[axis] = chosen;
      show();
      redraw();
    });
    return select;
  });
  function show() {
    for (const [axis, select] of selects.entries()) select.value = pair[axis];
  }
  show();
  return row;
}

export function mapScale(ranges, pair) {
  const half = Math.max(...pair.map((d) => (ranges[d][1] - ranges[d][0]) / 2));
  const [low, right] = pair.map((d) => (ranges[d][0] + ranges[d][1]) / 2 - half);
  const axis = (start, at, length) => {
    const toPixel = (value) => at + (length * (value - start)) / (2 * half);
    toPixel.invert = (pixel) => start + ((pixel - at) / length) * 2 * half;
    toPixel.low = start;
    toPixel.high = start + 2 * half;
    return toPixel;
  };
  return { x: axis(low, MARGIN.left, PLOT), y: axis(right, MAP - MARGIN.bottom, -PLOT) };
}

function clamp(value, { low, high }) {
  return Math.min(high, Math.max(low, value));
}

function drawMap(context, ratio, state, pair, scale) {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, MAP, MAP);
  drawAxes(context, pair, scale);
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top, PLOT, PLOT);
  context.clip();
  drawPoints(context, state, pair, scale);
  if (state.spec.prior) drawPrior(context, state.spec.prior_color, scale);
  drawClassNames(context, state, pair, scale);
  context.restore();
}

function drawAxes(context, pair, scale) {
  const bottom = MAP - MARGIN.bottom;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const axis of ["x", "y"]) {
    for (const value of ticks(scale[axis].low, scale[axis].high)) {
      const at = scale[axis](value);
      context.fillStyle = value === 0 ? "#999" : "#e4e4e4";
      if (axis === "x") context.fillRect(at - 0.5, MARGIN.top, 1, PLOT);
      else context.fillRect(MARGIN.left, at - 0.5, PLOT, 1);
      context.fillStyle = "#444";
      context.textAlign = axis === "x" ? "center" : "right";
      if (axis === "x") context.fillText(plain(value), at, bottom + 10);
      else context.fillText(plain(value), MARGIN.left - 5, at);
    }
  }
  context.fillStyle = "#222";
  context.font = "14px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillText(dimensionName(pair[0]), MARGIN.left + PLOT / 2, bottom + 28);
  context.fillText(dimensionName(pair[1]), 9, MARGIN.top + PLOT / 2);
}

function drawPoints(context, { points, spec }, pair, scale) {
  context.globalAlpha = 0.65;
  for (let i = 0; i < points.count; i++) {
    const [x, y] = [scale.x(points.at(i, pair[0])), scale.y(points.at(i, pair[1]))];
    context.fillStyle = spec.colors[points.className(i)] ?? "#555";
    context.beginPath();
    context.arc(x, y, 2.2, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}

function drawPrior(context, color, scale) {
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 1.5;
  context.font = "11px system-ui, sans-serif";
  const unit = scale.x(1) - scale.x(0);
  for (const radius of [1, 2]) {
    context.beginPath();
    context.arc(scale.x(0), scale.y(0), radius * unit, 0, 2 * Math.PI);
    context.stroke();
    outlined(context, `${radius}σ`, scale.x(0), scale.y(0) - radius * unit);
  }
}

function outlined(context, text, x, y) {
  const { strokeStyle, lineWidth } = context;
  Object.assign(context, { strokeStyle: "#fff", lineWidth: 4, lineJoin: "round" });
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
  Object.assign(context, { strokeStyle, lineWidth });
}

function drawClassNames(context, { points, spec }, pair, scale) {
  context.font = "600 12px system-ui, sans-serif";
  for (const [name, color] of Object.entries(spec.colors)) {
    const rows = [];
    for (let i = 0; i < points.count; i++) if (points.className(i) === name) rows.push(i);
    const middle = (d) => rows.map((i) => points.at(i, d)).sort((a, b) => a - b)[rows.length >> 1];
    const text = name.length > 12 ? `${name.slice(0, 11)}…` : name;
    const width = Math.max(18, context.measureText(text).width + 8);
    const [x, y] = [scale.x(middle(pair[0])), scale.y(middle(pair[1]))];
    Object.assign(context, { fillStyle: "#fff", strokeStyle: color, lineWidth: 2 });
    context.beginPath();
    context.roundRect(x - width / 2, y - 9, width, 18, 9);
    context.fill();
    context.stroke();
    context.fillStyle = "#111";
    context.fillText(text, x, y + 0.5);
  }
}
