// What stands still on the map: axes, decoded images, points, ellipses, the prior and names.

import { apart } from "./apart.js";
import { element, plain, ticks } from "./common.js";
import { drawEllipses } from "./ellipses.js";
import { dimensionName } from "./pieces.js";

export const MAP = 320; // side of the map with its margins for the axes, in units of its own
export const MARGIN = { left: 40, right: 8, top: 8, bottom: 40 };
export const PLOT = MAP - MARGIN.left - MARGIN.right;
const FONT = "system-ui, sans-serif";

export function mapScale(ranges, pair) {
  const half = Math.max(...pair.map((d) => (ranges[d][1] - ranges[d][0]) / 2));
  const [left, bottom] = pair.map((d) => (ranges[d][0] + ranges[d][1]) / 2 - half);
  const axis = (start, at, length) => {
    const toPixel = (value) => at + (length * (value - start)) / (2 * half);
    toPixel.invert = (pixel) => start + ((pixel - at) / length) * 2 * half;
    toPixel.low = start;
    toPixel.high = start + 2 * half;
    return toPixel;
  };
  return { x: axis(left, MARGIN.left, PLOT), y: axis(bottom, MAP - MARGIN.bottom, -PLOT) };
}

// The theme's ink and paper, as the page computes them for this node.
export function themeOf(node) {
  const { color, backgroundColor } = getComputedStyle(node);
  const [ink, paper] = [color, backgroundColor].map(rgb);
  const dark = luminance(paper) < luminance(ink);
  return { ink, paper, dark, key: `${ink} ${paper}` };
}

function rgb(color) {
  const context = element("canvas", { width: 1, height: 1 }).getContext("2d");
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
}

function luminance([red, green, blue]) {
  const linear = (v) => (v / 255 <= 0.04 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

// A color of the figures, which are on white, on this paper: as light as it must be to be seen.
export function onPaper(hex, { dark }) {
  if (!dark) return hex;
  const color = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const mixed = (share) => color.map((v) => Math.round(v + share * (255 - v)));
  let share = 0;
  while (luminance(mixed(share)) < 0.22) share += 0.05;
  return `rgb(${mixed(share)})`;
}

export function drawMap(context, state, { pair, scale, shown, theme, grid }) {
  const { spec, points } = state;
  const colors = {};
  for (const [name, color] of Object.entries(spec.colors)) colors[name] = onPaper(color, theme);
  const colorOf = (i) => colors[points.className(i)];
  const { ink, paper } = theme;
  const look = { pair, scale, theme, colors, ink: `rgb(${ink})`, paper: `rgb(${paper})` };
  const unit = context.canvas.width / MAP;
  context.setTransform(unit, 0, 0, unit, 0, 0);
  context.clearRect(0, 0, MAP, MAP);
  context.textBaseline = "middle";
  drawAxes(context, look);
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top, PLOT, PLOT);
  context.clip();
  if (shown.grid) drawGrid(context, grid, look);
  if (shown.points) drawPoints(context, points, look, colorOf, shown.grid);
  if (shown.ellipses && points.uncertain) {
    const only = onPaper(spec.posterior_color, theme);
    drawEllipses(context, points, pair, scale, (i) => colorOf(i) ?? only);
  }
  if (spec.prior) drawPrior(context, onPaper(spec.prior_color, theme), look);
  if (shown.points) drawClassNames(context, state, look);
  context.restore();
}

function drawGrid(context, grid, { theme, paper }) {
  if (!grid.version()) return;
  context.fillStyle = paper; // the axes' lines end here
  context.fillRect(MARGIN.left, MARGIN.top, PLOT, PLOT);
  grid.drawOn(context, theme.ink, MARGIN.left, MARGIN.top, PLOT);
}

function drawAxes(context, { pair, scale, ink }) {
  const bottom = MAP - MARGIN.bottom;
  context.fillStyle = ink;
  context.font = `13px ${FONT}`;
  for (const axis of ["x", "y"]) {
    for (const value of ticks(scale[axis].low, scale[axis].high)) {
      const at = scale[axis](value);
      context.globalAlpha = value === 0 ? 0.45 : 0.14;
      if (axis === "x") context.fillRect(at - 0.5, MARGIN.top, 1, PLOT);
      else context.fillRect(MARGIN.left, at - 0.5, PLOT, 1);
      context.globalAlpha = 0.9;
      context.textAlign = axis === "x" ? "center" : "right";
      if (axis === "x") context.fillText(plain(value), at, bottom + 11);
      else context.fillText(plain(value), MARGIN.left - 5, at);
    }
  }
  context.globalAlpha = 1;
  context.font = `15px ${FONT}`;
  context.textAlign = "center";
  context.fillText(dimensionName(pair[0]), MARGIN.left + PLOT / 2, bottom + 29);
  context.fillText(dimensionName(pair[1]), 9, MARGIN.top + PLOT / 2);
}

// Over decoded images each point has a rim of paper.
function drawPoints(context, points, { pair, scale, ink, paper }, colorOf, rim) {
  for (const [radius, alpha, only] of rim
    ? [
        [3.6, 0.9, paper],
        [2.6, 1],
      ]
    : [[2.6, 0.65]]) {
    context.globalAlpha = alpha;
    for (let i = 0; i < points.count; i++) {
      context.fillStyle = only ?? colorOf(i) ?? ink;
      context.beginPath();
      const [x, y] = [scale.x(points.at(i, pair[0])), scale.y(points.at(i, pair[1]))];
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

function drawPrior(context, color, { scale, paper }) {
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 1.5;
  context.font = `12px ${FONT}`;
  context.textAlign = "center";
  const unit = scale.x(1) - scale.x(0);
  for (const radius of [1, 2]) {
    context.beginPath();
    context.arc(scale.x(0), scale.y(0), radius * unit, 0, 2 * Math.PI);
    context.stroke();
    outlined(context, `${radius}σ`, ...topOf(radius, scale), paper);
  }
}

// Where a circle of the prior says how large it is.
const topOf = (radius, { x, y }) => [x(0), y(0) - radius * (x(1) - x(0))];

function outlined(context, text, x, y, paper) {
  const { strokeStyle, lineWidth } = context;
  Object.assign(context, { strokeStyle: paper, lineWidth: 4, lineJoin: "round" });
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
  Object.assign(context, { strokeStyle, lineWidth });
}

// The names of the classes at the middles of their points; where these are too near, the names move
// apart, clear of where z begins and of what the circles say, and a line leads back.
function drawClassNames(context, { spec, points }, { pair, scale, colors, ink, paper }) {
  context.font = `600 13px ${FONT}`;
  context.textAlign = "center";
  const names = Object.keys(colors).map((name) => {
    const middle = middleOf(points, name, pair);
    const text = name.length > 12 ? `${name.slice(0, 11)}…` : name;
    const width = Math.max(18, context.measureText(text).width + 8);
    const at = [scale.x(middle[0]), scale.y(middle[1])];
    return { text, color: colors[name], at, size: [width + 2, 20], width };
  });
  const start = [scale.x(spec.start[pair[0]]), scale.y(spec.start[pair[1]])];
  const kept = [{ at: start, size: [20, 20], kept: true }];
  for (const radius of spec.prior ? [1, 2] : []) {
    kept.push({ at: topOf(radius, scale), size: [24, 18], kept: true });
  }
  const places = apart([...kept, ...names]).slice(kept.length);
  for (const [i, { at, color }] of names.entries()) {
    Object.assign(context, { strokeStyle: color, lineWidth: 1.5 });
    context.beginPath();
    context.moveTo(...at);
    context.lineTo(...places[i]);
    context.stroke();
  }
  for (const [i, { text, color, width }] of names.entries()) {
    const [x, y] = places[i];
    Object.assign(context, { fillStyle: paper, strokeStyle: color, lineWidth: 2 });
    context.beginPath();
    context.roundRect(x - width / 2, y - 9, width, 18, 9);
    context.fill();
    context.stroke();
    context.fillStyle = ink;
    context.fillText(text, x, y + 0.5);
  }
}

function middleOf(points, name, pair) {
  const rows = [];
  for (let i = 0; i < points.count; i++) if (points.className(i) === name) rows.push(i);
  return pair.map((d) => {
    const values = rows.map((i) => points.at(i, d)).sort((a, b) => a - b);
    return values[rows.length >> 1];
  });
}
