// The map: a still layer of axes, images, circles and points, and a marker that moves above it.

import { element, listen, position } from "./common.js";
import { pointer, words } from "./ellipses.js";
import { createGrid } from "./grid.js";
import { drawMap, MAP, MARGIN, mapScale, PLOT, themeOf } from "./map_look.js";
import { arrow, coordinates, describe, dimensionName, panel, surface } from "./pieces.js";

const PICK = 10; // how near to a point of the map a pointer must be
const SWITCHES = {
  grid: "Decoded images",
  points: "Points",
  ellipses: "q(z|x)",
};

export function mapPart(state) {
  const { spec, points } = state;
  const pair = [0, 1];
  const frame = element("div", { className: "frame" });
  const canvas = surface("map", "Latent map");
  const marker = element("div", { className: "marker" });
  const place = { left: MARGIN.left, top: MARGIN.top, extent: PLOT, map: MAP };
  const shownPoint = pointer(state, place);
  frame.append(canvas, shownPoint.rings, marker, shownPoint.peek);
  const node = panel("panel-map", "Latent map", frame);
  const switches = switchRow(state);
  node.append(switches.node);
  if (spec.latent_dim > 2) node.append(pairChooser(state, pair, changePair));
  node.append(describe(canvas, hintFor(points)));
  const grid = createGrid(state, state.schedule);
  let scale = mapScale(spec.ranges, pair);
  let theme = null; // until it is asked for
  let drawn = ""; // what the still layer shows
  let hovered = -1; // the point under the pointer, or that the keyboard stepped to

  function changePair() {
    scale = mapScale(spec.ranges, pair);
    state.schedule();
  }

  function drawStill(get) {
    const shown = {};
    for (const name of Object.keys(SWITCHES)) shown[name] = get(name);
    if (shown.grid && !(state.holds() && grid.version())) grid.ask(scale, pair, get("z"));
    theme ??= themeOf(canvas);
    const version = shown.grid && grid.version();
    const now = JSON.stringify([shown, version, pair, canvas.width, theme.key]);
    if (now === drawn) return;
    drawn = now;
    drawMap(canvas.getContext("2d"), state, { pair, scale, shown, theme, grid });
  }

  function draw(get) {
    const z = get("z");
    drawStill(get);
    switches.show(get);
    const x = scale.x(clamp(z[pair[0]], scale.x)) / MAP;
    const y = scale.y(clamp(z[pair[1]], scale.y)) / MAP;
    marker.style.transform = `translate(${100 * x}%, ${100 * y}%)`;
    if (!get("points")) hovered = -1;
    const pointed = hovered >= 0;
    shownPoint.show(pointed ? hovered : state.picked(z), pointed, pair, scale);
  }

  function goTo(x, y) {
    hovered = -1;
    const z = [...state.get("z")];
    z[pair[0]] = clamp(scale.x.invert(x), scale.x);
    z[pair[1]] = clamp(scale.y.invert(y), scale.y);
    state.moveTo(z);
  }

  function near(x, y, reach) {
    let best = -1;
    let least = reach ** 2;
    for (let i = 0; state.get("points") && i < points.count; i++) {
      const dx = scale.x(points.at(i, pair[0])) - x;
      const dy = scale.y(points.at(i, pair[1])) - y;
      if (dx * dx + dy * dy < least) [best, least] = [i, dx * dx + dy * dy];
    }
    return best;
  }

  function pick(point) {
    if (point >= 0) state.moveTo(points.code(point), point);
  }

  function hover(point) {
    if (point === hovered) return;
    hovered = point;
    state.schedule();
  }

  function step(by) {
    if (!points.count || !state.get("points")) return;
    const from = hovered >= 0 ? hovered : state.picked(state.get("z"));
    hover(from < 0 ? (by > 0 ? 0 : points.count - 1) : (from + by + points.count) % points.count);
    const code = `code ${coordinates(points.code(hovered))}`;
    const parts = [`Point ${hovered + 1} of ${points.count}`, words(points, hovered), code];
    state.live.textContent = parts.filter(Boolean).join(", ");
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
    const [x, y] = position(event, canvas, MAP);
    if (!dragging) return hover(near(x, y, PICK));
    if (start && Math.hypot(x - start[0], y - start[1]) < 4) return undefined;
    start = null;
    return goTo(x, y);
  });
  listen(canvas, "pointerup pointercancel", () => {
    if (dragging && start) pick(near(...start, PICK));
    dragging = false;
    state.release();
  });
  listen(canvas, "pointerleave", () => hover(-1));
  listen(canvas, "keydown", (event) => {
    const [dx, dy] = arrow(event);
    const far = ((event.shiftKey ? 5 : 1) * PLOT) / 100;
    const z = state.get("z");
    const [x, y] = [scale.x(z[pair[0]]), scale.y(z[pair[1]])];
    if (dx || dy) goTo(x + dx * far, y + dy * far);
    else if (event.key === "[" || event.key === "]") step(event.key === "]" ? 1 : -1);
    else if (event.key === "Enter" && !event.shiftKey) {
      pick(hovered >= 0 ? hovered : near(x, y, Infinity));
      hover(-1);
    } else return;
    event.preventDefault();
  });
  listen(canvas, "keyup blur", () => dragging || state.release());
  listen(canvas, "blur", () => hover(-1));

  // As many pixels as the screen has here; JupyterLab may show the explorer at width 0 first.
  const resize = new ResizeObserver(() => {
    const wanted = Math.round(canvas.getBoundingClientRect().width * (devicePixelRatio || 1));
    const size = Math.max(wanted, 2 * MAP);
    if (wanted > 0 && size !== canvas.width) canvas.width = canvas.height = size; // which wipes it
    changeTheme();
  });
  resize.observe(canvas);
  // The colors of the canvas have a transition, so that a theme's change is heard of.
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  function changeTheme() {
    theme = null;
    state.schedule();
  }
  listen(canvas, "transitionend", changeTheme);
  scheme.addEventListener("change", changeTheme);
  function stop() {
    resize.disconnect();
    scheme.removeEventListener("change", changeTheme);
    grid.stop();
  }
  return { node, draw, stop };
}

function hintFor(points) {
  const drag = "Drag, or use the arrow keys (Shift: larger steps).";
  if (!points.count) return drag;
  const see =
    "Point at a dot, or step with [ and ], to see its image; click it, or press Enter, to pick it.";
  const ellipses = points.uncertain ? " The ellipses of q(z|x) are at 1σ and 2σ." : "";
  return `${drag} ${see}${ellipses}`;
}

function switchRow(state) {
  const { points } = state;
  const node = element("div", { className: "row switches" });
  const there = { grid: true, points: points.count > 0, ellipses: points.uncertain };
  const inputs = Object.entries(SWITCHES).flatMap(([name, title]) => {
    if (!there[name]) return [];
    const input = element("input", { type: "checkbox" });
    input.dataset.role = name;
    const label = element("label");
    label.append(input, title);
    node.append(label);
    listen(input, "change", () => {
      state.set(name, input.checked);
      state.release(`${title}: ${input.checked ? "shown" : "hidden"}`);
    });
    return [[name, input]];
  });
  function show(get) {
    for (const [name, input] of inputs) input.checked = get(name);
  }
  return { node, show };
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

function clamp(value, { low, high }) {
  return Math.min(high, Math.max(low, value));
}
