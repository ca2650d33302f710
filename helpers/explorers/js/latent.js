// The view of helpers.explorers.LatentExplorer: see latent.py and common.js. Its host is anything
// that gives it a model with get, set, on, off, save_changes and send: JupyterLab, or a plain web
// page without a kernel.
//
// A move changes `app.z`; one animation frame decodes it and draws; release() tells the kernel.

import {
  button,
  copied,
  element,
  floats,
  group,
  mount,
  normal,
  number,
  plain,
  position,
  save,
  setText,
  slider,
  spoken,
  ticks,
} from "./common.js";

export default { render };

const MAP = 320; // side of the map, in CSS pixels, with its margins for the axes
const MARGIN = { left: 40, right: 8, top: 8, bottom: 40 };
const PLOT = MAP - MARGIN.left - MARGIN.right;
const PAD = 28; // side of the pad, in pixels of the image
const PEN = 1.2; // radius of the pen, in pixels of the image
const PICK = 10; // how near to a point of the map a click must be, in CSS pixels
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

function render({ model, el }) {
  const app = createApp(model);
  const root = group("latent-explorer", "Latent explorer", CSS);
  root.append(...app.parts.map((part) => part.node));
  if (app.spec.note) root.append(element("p", { className: "note", textContent: app.spec.note }));
  root.append(app.live);
  mount(root, el);
  app.schedule();
  return () => {
    app.stop();
    root.remove();
  };
}

// The state that the parts share, and the loop that draws them.

function createApp(model) {
  const spec = model.get("spec");
  const abort = new AbortController();
  const subscriptions = [];
  let request = 0;
  let unsaved = false; // moved here, not yet told to the kernel
  const app = {
    model,
    spec,
    z: Float64Array.from(model.get("z")),
    picked: -1, // the point of the map that was clicked, until z moves on
    parts: [],
    live: spoken(),
    points: readPoints(model, "", spec.classes),
    training: readPoints(model, "train_", []),
    listen(target, names, handler) {
      for (const name of names.split(" ")) {
        target.addEventListener(name, handler, { signal: abort.signal });
      }
    },
    subscribe(name, handler) {
      model.on(name, handler);
      subscriptions.push([name, handler]);
    },
    schedule() {
      request ||= requestAnimationFrame(frame);
    },
    moveTo(values, picked = -1) {
      app.z.set(values);
      app.picked = picked;
      unsaved = true;
      app.schedule();
    },
    move(dimension, value) {
      app.z[dimension] = value;
      app.moveTo(app.z);
    },
    release(text = "") {
      if (!unsaved) return;
      unsaved = false;
      model.set("z", Array.from(app.z));
      save(model);
      const nearest = app.nearestName ? `, ${app.nearestName}` : "";
      app.live.textContent = text || `z = ${coordinates(app.z)}${nearest}`;
    },
    stop() {
      abort.abort();
      cancelAnimationFrame(request);
      for (const [name, handler] of subscriptions) model.off(name, handler);
    },
  };
  const weights = halves(model.get("weights"));
  const cursor = { at: 0 };
  app.decode = spec.decoder ? local(spec.decoder, weights, cursor) : remote(app, "decode");
  app.decodeDrawing = spec.decoder ? app.decode : remote(app, "decode");
  app.encode = spec.encoder ? local(spec.encoder, weights, cursor) : remote(app, "encode");

  function frame() {
    request = 0;
    for (const part of app.parts) part.before?.();
    if (unsaved) model.set("z", Array.from(app.z)); // other views of this model follow
    for (const part of app.parts) part.draw();
  }

  app.subscribe("change:z", () => {
    const z = model.get("z");
    if (unsaved || z.every((value, i) => value === app.z[i])) return;
    app.z.set(z);
    app.picked = -1;
    app.schedule();
  });
  if (spec.latent_dim > 1) app.parts.push(mapPart(app));
  app.parts.push(decodedPart(app));
  if (spec.has_encoder && spec.side === PAD) app.parts.push(padPart(app));
  return app;
}

// Networks: every layer writes into a buffer of its own, made once.

const ACTIVATIONS = {
  ReLU: () => (v) => (v > 0 ? v : 0),
  LeakyReLU: ({ slope }) => (v) => (v > 0 ? v : slope * v),
  GELU: ({ approximate }) => (approximate === "tanh" ? geluTanh : gelu),
  SiLU: () => (v) => v / (1 + Math.exp(-v)),
  Tanh: () => Math.tanh,
  Sigmoid: () => (v) => 1 / (1 + Math.exp(-v)),
  Softplus: ({ beta, threshold }) => (v) =>
    beta * v > threshold ? v : Math.log1p(Math.exp(beta * v)) / beta,
  Hardtanh: ({ low, high }) => (v) => Math.min(high, Math.max(low, v)),
};

function gelu(v) {
  return 0.5 * v * (1 + erf(v * Math.SQRT1_2));
}

function geluTanh(v) {
  return 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
}

function erf(v) {
  // Abramowitz and Stegun, 7.1.26: within 1.5e-7
  const t = 1 / (1 + 0.3275911 * Math.abs(v));
  const poly = 1.421413741 + t * (-1.453152027 + t * 1.061405429);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * poly)) * Math.exp(-v * v);
  return Math.sign(v) * (1 - tail);
}

function local(layers, weights, cursor) {
  const take = (count) => weights.subarray(cursor.at, (cursor.at += count));
  const steps = layers.map((layer) => {
    if (layer.type !== "Linear") return activate(ACTIVATIONS[layer.type](layer));
    return linear(take(layer.inputs * layer.outputs), take(layer.outputs), layer);
  });
  return (input, then) => {
    let values = input;
    for (const step of steps) values = step(values);
    then(values);
  };
}

function linear(weight, bias, { inputs, outputs }) {
  const result = new Float32Array(outputs);
  const even = inputs - (inputs % 4);
  return (x) => {
    for (let row = 0, w = 0; row < outputs; row++) {
      let a = bias[row];
      let b = 0;
      let c = 0;
      let d = 0;
      let i = 0;
      for (; i < even; i += 4, w += 4) {
        a += weight[w] * x[i];
        b += weight[w + 1] * x[i + 1];
        c += weight[w + 2] * x[i + 2];
        d += weight[w + 3] * x[i + 3];
      }
      for (; i < inputs; i++, w++) a += weight[w] * x[i];
      result[row] = a + b + (c + d);
    }
    return result;
  };
}

function activate(f) {
  let result = null;
  return (x) => {
    result ||= new Float32Array(x.length);
    for (let i = 0; i < x.length; i++) result[i] = f(x[i]);
    return result;
  };
}

// A network that only the kernel can run. One request is under way at a time; of those that come
// meanwhile the newest waits, so that the last one is always answered.
function remote(app, kind) {
  const name = `${kind}-${Math.random()}`;
  let count = 0;
  let sent = null;
  let waiting = null;
  function send() {
    [sent, waiting] = [waiting, null];
    sent.id = `${name}-${count++}`;
    try {
      app.model.send({ kind, id: sent.id, values: Array.from(sent.values) });
    } catch (error) {
      console.debug("latent explorer: no kernel to ask", error);
      sent = null;
    }
  }
  app.subscribe("msg:custom", (message, buffers) => {
    if (!sent || message.id !== sent.id) return;
    const { then } = sent;
    sent = null;
    if (waiting) send();
    then(floats(buffers[0]));
  });
  return (values, then) => {
    waiting = { values: values.slice(), then };
    if (!sent) send();
  };
}

function halves(view) {
  const buffer = copied(view);
  if (globalThis.Float16Array) return new Float32Array(new Float16Array(buffer));
  return Float32Array.from(new Uint16Array(buffer), half);
}

function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const size = exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14;
  return bits & 0x8000 ? -size : size;
}

// Encoded images.

function readPoints(model, prefix, classes) {
  const codes = floats(model.get(`${prefix}codes`));
  const pixels = new Uint8Array(copied(model.get(`${prefix}images`)));
  const dims = model.get("spec").latent_dim;
  const size = model.get("spec").side ** 2;
  const count = codes.length / dims;
  const image = new Float32Array(size);
  return {
    count,
    code: (i) => codes.subarray(i * dims, (i + 1) * dims),
    at: (i, dimension) => codes[i * dims + dimension],
    className: (i) => (classes.length ? classes[i] : ""),
    image(i) {
      for (let p = 0; p < size; p++) image[p] = pixels[i * size + p] / 255;
      return image;
    },
    nearest(z) {
      let best = -1;
      let least = Infinity;
      for (let i = 0, c = 0; i < count; i++) {
        let distance = 0;
        for (let d = 0; d < dims; d++, c++) distance += (codes[c] - z[d]) ** 2;
        if (distance < least) [best, least] = [i, distance];
      }
      return [best, Math.sqrt(least)];
    },
  };
}

// The map: a still layer of axes, circles and points, and a marker that moves above it.

function mapPart(app) {
  const { spec, points } = app;
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
  if (spec.latent_dim > 2) node.append(pairChooser(app, pair, redraw));
  node.append(describe(canvas, hint));
  let scale;

  function redraw() {
    scale = mapScale(spec.ranges, pair);
    drawMap(canvas.getContext("2d"), ratio, app, pair, scale);
    app.schedule();
  }

  function goTo(x, y) {
    app.z[pair[0]] = clamp(scale.x.invert(x), scale.x);
    app.z[pair[1]] = clamp(scale.y.invert(y), scale.y);
    app.moveTo(app.z);
  }

  function pickNear(x, y, reach) {
    let best = -1;
    let least = reach ** 2;
    for (let i = 0; i < points.count; i++) {
      const dx = scale.x(points.at(i, pair[0])) - x;
      const dy = scale.y(points.at(i, pair[1])) - y;
      if (dx * dx + dy * dy < least) [best, least] = [i, dx * dx + dy * dy];
    }
    if (best >= 0) app.moveTo(points.code(best), best);
  }

  let start = null; // where the pointer went down, until it has moved away
  let dragging = false;
  app.listen(canvas, "pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    start = position(event, canvas, MAP);
    dragging = true;
    goTo(...start);
  });
  app.listen(canvas, "pointermove", (event) => {
    if (!dragging) return;
    const [x, y] = position(event, canvas, MAP);
    if (start && Math.hypot(x - start[0], y - start[1]) < 4) return;
    start = null;
    goTo(x, y);
  });
  app.listen(canvas, "pointerup pointercancel", () => {
    if (dragging && start) pickNear(...start, PICK);
    dragging = false;
    app.release();
  });
  app.listen(canvas, "keydown", (event) => {
    const [dx, dy] = arrow(event);
    const step = ((event.shiftKey ? 5 : 1) * PLOT) / 100;
    const [x, y] = [scale.x(app.z[pair[0]]), scale.y(app.z[pair[1]])];
    if (dx || dy) goTo(x + dx * step, y + dy * step);
    else if (event.key === "Enter" && !event.shiftKey) pickNear(x, y, Infinity);
    else return;
    event.preventDefault();
  });
  app.listen(canvas, "keyup blur", () => dragging || app.release());

  redraw();
  function draw() {
    const x = scale.x(clamp(app.z[pair[0]], scale.x)) / MAP;
    const y = scale.y(clamp(app.z[pair[1]], scale.y)) / MAP;
    marker.style.transform = `translate(${100 * x}%, ${100 * y}%)`;
  }
  return { node, draw };
}

function pairChooser(app, pair, redraw) {
  const row = element("div", { className: "row" });
  const selects = ["Across", "Up"].map((title, axis) => {
    const select = element("select");
    for (let d = 0; d < app.spec.latent_dim; d++) {
      select.append(element("option", { value: d, textContent: dimensionName(d) }));
    }
    const label = element("label", { textContent: `${title} ` });
    label.append(select);
    row.append(label);
    app.listen(select, "change", () => {
      const chosen = Number(select.value);
      if (pair[1 - axis] === chosen) pair[1 - axis] = pair[axis];
      pair[axis] = chosen;
      show();
      redraw();
    });
    return select;
  });
  const show = () => selects.forEach((select, axis) => (select.value = pair[axis]));
  show();
  return row;
}

function mapScale(ranges, pair) {
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

function drawMap(context, ratio, app, pair, scale) {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, MAP, MAP);
  drawAxes(context, pair, scale);
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top, PLOT, PLOT);
  context.clip();
  drawPoints(context, app, pair, scale);
  if (app.spec.prior) drawPrior(context, app.spec.prior_color, scale);
  drawClassNames(context, app, pair, scale);
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

// The decoded image, the nearest digit, and the sliders.

function decodedPart(app) {
  const { spec, points, training } = app;
  const decoded = picture("decoded", "Decoded image", spec.side, 196);
  const pictures = element("div", { className: "pictures" });
  pictures.append(decoded.figure);
  const near = points.count || training.count ? nearestFigure(app) : null;
  if (near) pictures.append(near.figure);
  const sliders = sliderRows(app);
  const node = panel("panel-decoded", "Decoded image", pictures, sliders.node, buttons(app));
  function draw() {
    app.decode(app.z, (values) => {
      decoded.show(values);
      near?.draw(values);
    });
    sliders.draw();
  }
  return { node, draw };
}

function nearestFigure(app) {
  const { points, training, spec } = app;
  const pool = training.count ? training : points;
  const name = training.count ? "Nearest training digit" : "Nearest digit of the map";
  const shown = picture("nearest", name, spec.side, 96);
  const title = element("strong");
  const line = element("span");
  shown.figure.append(title, line);
  let last = "";
  function draw(decoded) {
    const picked = app.picked >= 0;
    const source = picked ? points : pool;
    const [i, distance] = picked ? [app.picked, 0] : pool.nearest(app.z);
    if (last !== `${picked} ${i}`) shown.show(source.image(i));
    last = `${picked} ${i}`;
    const className = source.className(i);
    app.nearestName = className && `${picked ? "picked" : "nearest"} digit: ${className}`;
    setText(title, picked ? "Picked digit" : name);
    shown.canvas.setAttribute("aria-label", `${title.textContent} ${className}`.trim());
    const detail = picked
      ? `code ${coordinates(app.z)}, squared error ${squaredError(source.image(i), decoded).toFixed(1)}`
      : `distance ${distance.toFixed(2)}`;
    setText(line, className ? `class ${className}: ${detail}` : detail);
  }
  return { figure: shown.figure, draw };
}

function squaredError(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

function sliderRows(app) {
  const node = element("div", { className: "sliders" });
  const rows = app.spec.ranges.map(([low, high], d) => {
    let keyHeld = false;
    const range = { min: low, max: high, step: niceStep((high - low) / 200) };
    const move = (value) => app.move(d, value);
    const row = slider(node, dimensionName(d), range, move, () => keyHeld || app.release());
    app.listen(row.input, "keydown", () => (keyHeld = true));
    app.listen(row.input, "keyup blur", () => {
      keyHeld = false;
      app.release();
    });
    return row;
  });
  return { node, draw: () => rows.forEach((row, d) => row.show(app.z[d])) };
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [5, 2, 1].find((factor) => factor * power <= rough * 1.0001);
  return Number(step.toPrecision(3));
}

function buttons(app) {
  const { spec } = app;
  const row = element("div", { className: "row" });
  const random = spec.prior
    ? () => app.moveTo(app.z.map(normal))
    : () => app.moveTo(app.z.map((_, d) => uniform(spec.ranges[d])));
  const title = spec.prior ? "Random z from the prior" : "Random z";
  for (const [text, act] of [["Reset", () => app.moveTo(spec.start)], [title, random]]) {
    button(row, text, () => {
      act();
      app.release();
    });
  }
  return row;
}

function uniform([low, high]) {
  return low + (high - low) * Math.random();
}

// The drawing pad. Strokes are kept as lines, so that scaling them keeps the pen's width.

function padPart(app) {
  const { model, spec } = app;
  const ink = new Float32Array(PAD * PAD); // what was drawn
  const input = new Float32Array(PAD * PAD); // centered and scaled: what the encoder sees
  const code = new Float64Array(spec.latent_dim);
  const strokes = []; // each a list x, y, x, y, … in pixels of the pad
  let stroke = null; // the one under way
  let moved = false;
  let unsaved = false;
  const frame = element("div", { className: "frame pad" });
  const pad = picture("pad", "", PAD, 196);
  makeSurface(pad.canvas, "Drawing pad");
  const pen = element("div", { className: "pen" });
  frame.append(pad.canvas, pen);
  const seen = picture("seen", "What the encoder sees", PAD, 84);
  seen.figure.append(element("span", { textContent: "Encoder sees" }));
  const reconstruction = picture("reconstruction", "Reconstruction", PAD, 84);
  reconstruction.figure.append(element("span", { textContent: "Reconstruction" }));
  const meter = errorMeter(spec.typical);
  const side = element("div", { className: "stack" });
  side.append(seen.figure, reconstruction.figure);
  const pictures = element("div", { className: "pictures" });
  pictures.append(frame, side);
  const row = element("div", { className: "row" });
  button(row, "Clear", () => {
    wipe();
    model.set("drawing", null);
    save(model);
    app.live.textContent = "Drawing cleared";
  });
  const hint = "Arrow keys move the pen, Space puts it down or lifts it.";
  const node = panel("panel-pad", "Draw a digit", pictures, meter.node, row);
  node.append(describe(pad.canvas, hint));

  function extend(x, y) {
    stroke.push(onPad(x), onPad(y));
    moved = unsaved = true;
    app.schedule();
  }

  function onPad(v) {
    return Math.min(PAD, Math.max(0, v));
  }

  function begin(x, y) {
    stroke = [];
    strokes.push(stroke);
    extend(x, y);
  }

  function showResult() {
    app.decodeDrawing(code, (values) => {
      reconstruction.show(values);
      meter.show(squaredError(input, values));
    });
  }

  function before() {
    if (!moved) return;
    moved = false;
    drawStrokes(strokes, 1, 0, 0, ink);
    center(strokes, input);
    seen.show(input);
    app.encode(input, (values) => {
      code.set(values.subarray(0, spec.latent_dim));
      app.moveTo(code);
      showResult();
      if (!stroke && !spec.encoder) saveDrawing(); // the kernel's answer came after the release
    });
  }

  function draw() {
    pad.show(ink);
    pen.style.transform = `translate(${(100 * at[0]) / PAD}%, ${(100 * at[1]) / PAD}%)`;
    pen.classList.toggle("down", stroke !== null);
  }

  function saveDrawing() {
    if (unsaved) model.set("drawing", new DataView(input.slice().buffer));
    unsaved = false;
    app.release(`Drawing encoded at z = ${coordinates(code)}. ${meter.text()}`);
  }

  function lift() {
    if (stroke === null) return;
    before();
    stroke = null;
    saveDrawing();
    app.schedule();
  }

  function wipe() {
    strokes.length = 0;
    stroke = null;
    moved = unsaved = false;
    for (const values of [ink, input]) values.fill(0);
    for (const shown of [seen, reconstruction]) shown.show(ink);
    meter.show(null);
    app.schedule();
  }

  let pointer = null;
  app.listen(pad.canvas, "pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null) return;
    pointer = event.pointerId;
    pad.canvas.setPointerCapture(pointer);
    begin(...position(event, pad.canvas, PAD));
  });
  app.listen(pad.canvas, "pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      extend(...position(each, pad.canvas, PAD));
    }
  });
  app.listen(pad.canvas, "pointerup pointercancel", (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    lift();
  });

  const at = [PAD / 2, PAD / 4]; // where the keyboard's pen is
  app.listen(pad.canvas, "keydown", (event) => {
    const [dx, dy] = arrow(event);
    if (event.key === " ") {
      if (event.repeat) return event.preventDefault();
      if (stroke) lift();
      else begin(...at);
    } else if (dx || dy) {
      at[0] = Math.min(PAD - 1, Math.max(1, at[0] + dx));
      at[1] = Math.min(PAD - 1, Math.max(1, at[1] + dy));
      if (stroke) extend(...at);
    } else return undefined;
    event.preventDefault();
    app.schedule();
    return undefined;
  });
  app.listen(pad.canvas, "blur", () => pointer === null && lift());
  app.subscribe("change:drawing", showDrawing);

  // A drawing that came from Python, or from another view.
  function showDrawing() {
    const drawing = model.get("drawing");
    if (!drawing) return wipe();
    const values = floats(drawing);
    if (values.every((value, i) => value === input[i])) return undefined;
    wipe();
    ink.set(values);
    input.set(values);
    seen.show(input);
    app.encode(input, (result) => {
      code.set(result.subarray(0, spec.latent_dim));
      showResult();
    });
    return undefined;
  }

  wipe();
  if (model.get("drawing")) showDrawing();
  return { node, before, draw };
}

// The strokes, scaled and moved, as grey values: 1 on the line, fading out at the pen's edge.
function drawStrokes(strokes, scale, dx, dy, out) {
  out.fill(0);
  for (const line of strokes) {
    for (let i = 0; i < line.length; i += 2) {
      const j = Math.max(0, i - 2);
      const ends = [line[j], line[j + 1], line[i], line[i + 1]];
      drawSegment(...ends.map((v, k) => scale * v + (k % 2 ? dy : dx)), out);
    }
  }
}

function drawSegment(x0, y0, x1, y1, out) {
  const reach = PEN + 0.5;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const limit = (v) => Math.min(PAD, Math.max(0, v));
  const right = limit(Math.ceil(Math.max(x0, x1) + reach));
  const bottom = limit(Math.ceil(Math.max(y0, y1) + reach));
  for (let y = limit(Math.floor(Math.min(y0, y1) - reach)); y < bottom; y++) {
    for (let x = limit(Math.floor(Math.min(x0, x1) - reach)); x < right; x++) {
      const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
      const t = length && Math.min(1, Math.max(0, (px * dx + py * dy) / length));
      const value = reach - Math.hypot(px - t * dx, py - t * dy);
      const at = y * PAD + x;
      if (value > out[at]) out[at] = Math.min(1, value);
    }
  }
}

// As MNIST was made: fitted into 20 × 20 with its proportions kept, and then moved so that the
// center of mass is the center of the image.
function center(strokes, out) {
  const [xs, ys] = [0, 1].map((k) => strokes.flatMap((line) => line.filter((_, i) => i % 2 === k)));
  const ends = [xs, ys].map((vs) => [Math.min(...vs), Math.max(...vs)]);
  const [width, height] = ends.map(([low, high]) => high - low);
  const extent = Math.max(width, height);
  const scale = extent < 1 ? 1 : (20 - 2 * PEN) / extent;
  const shift = ends.map(([low, high]) => PAD / 2 - (scale * (low + high)) / 2);
  drawStrokes(strokes, scale, ...shift, out);
  const mass = [0, 0, 0];
  out.forEach((value, i) => {
    mass[0] += value * ((i % PAD) + 0.5);
    mass[1] += value * (Math.floor(i / PAD) + 0.5);
    mass[2] += value;
  });
  const moved = shift.map((value, k) => value + PAD / 2 - mass[k] / mass[2]);
  drawStrokes(strokes, scale, ...moved, out);
}

// The squared error of the drawing beside that of typical digits.
function errorMeter(typical) {
  const node = element("div", { className: "meter" });
  const bar = element("div", { className: "bar" });
  const band = element("div", { className: "band" });
  const median = element("div", { className: "median" });
  const here = element("div", { className: "here", hidden: true });
  bar.append(band, median, here);
  bar.setAttribute("aria-hidden", "true");
  const text = element("p");
  const others = typical
    ? `The map's digits: median ${typical.median.toFixed(1)}, ` +
      `nine in ten from ${typical.low.toFixed(1)} to ${typical.high.toFixed(1)}.`
    : "";
  if (typical) node.append(bar);
  node.append(text, element("p", { textContent: others }));
  function show(error) {
    setText(text, error === null ? "Draw to see the squared error." : `Squared error ${error.toFixed(1)}`);
    here.hidden = error === null;
    if (!typical) return;
    const full = Math.max(1.6 * typical.high, 1.05 * (error ?? 0));
    const percent = (value) => `${(100 * value) / full}%`;
    band.style.left = percent(typical.low);
    band.style.width = percent(typical.high - typical.low);
    median.style.left = percent(typical.median);
    here.style.left = percent(error ?? 0);
  }
  return { node, show, text: () => text.textContent };
}

// Pieces of the page.

function panel(className, title, ...children) {
  const node = element("section", { className: `panel ${className}` });
  node.setAttribute("aria-label", title);
  node.append(element("div", { className: "title", textContent: title }), ...children);
  return node;
}

function surface(role, label) {
  const canvas = element("canvas");
  canvas.dataset.role = role;
  makeSurface(canvas, label);
  return canvas;
}

// A canvas that takes the focus and the arrow keys.
function makeSurface(canvas, label) {
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", label);
}

let hints = 0;
function describe(canvas, text) {
  const hint = element("p", { className: "hint", textContent: text });
  hint.id = `latent-explorer-hint-${Math.random().toString(36).slice(2)}-${hints++}`;
  canvas.setAttribute("aria-describedby", hint.id);
  return hint;
}

function picture(role, label, side, size) {
  const figure = element("div", { className: "figure" });
  const canvas = element("canvas", { width: side, height: side });
  canvas.dataset.role = role;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  canvas.style.width = `${size}px`;
  figure.append(canvas);
  const context = canvas.getContext("2d");
  const data = context.createImageData(side, side);
  data.data.fill(255);
  function show(values) {
    for (let i = 0, at = 0; i < values.length; i++, at += 4) {
      const grey = Math.round(255 * values[i]);
      data.data[at] = data.data[at + 1] = data.data[at + 2] = grey;
    }
    context.putImageData(data, 0, 0);
  }
  return { figure, canvas, show };
}

function arrow({ key }) {
  return [
    (key === "ArrowRight") - (key === "ArrowLeft"),
    (key === "ArrowDown") - (key === "ArrowUp"),
  ];
}

function dimensionName(d) {
  return "z" + [...String(d + 1)].map((digit) => SUBSCRIPTS[digit]).join("");
}

function coordinates(z) {
  const shown = Array.from(z.slice(0, 4), (value) => number(value));
  return `(${shown.join(", ")}${z.length > 4 ? ", …" : ""})`;
}

const CSS = `
.latent-explorer {
  display: flex; flex-wrap: wrap; gap: 16px 28px; align-items: flex-start;
}
.latent-explorer *, .latent-explorer *::before { box-sizing: border-box; }
.latent-explorer .panel { display: flex; flex-direction: column; gap: 8px; min-width: 0; }
.latent-explorer .panel-map { flex: 0 1 320px; }
.latent-explorer .panel-decoded, .latent-explorer .panel-pad { flex: 0 1 304px; }
.latent-explorer .title { font-size: 14px; font-weight: 600; }
.latent-explorer .hint { color: var(--soft); font-size: 12px; }
.latent-explorer .note {
  flex-basis: 100%; padding: 6px 10px; border-left: 3px solid var(--accent);
}
.latent-explorer canvas {
  display: block; max-width: 100%; aspect-ratio: 1; image-rendering: pixelated;
  border-radius: 3px; background: #000;
}
.latent-explorer .frame {
  position: relative; flex: none; overflow: clip; border-radius: 3px;
}
.latent-explorer .frame canvas { touch-action: none; cursor: crosshair; user-select: none; }
.latent-explorer canvas[data-role="map"] {
  width: 100%; image-rendering: auto; background: #fff; border: 1px solid var(--line);
}
.latent-explorer .frame canvas:focus-visible {
  outline: 3px solid var(--accent); outline-offset: -3px;
}
.latent-explorer .marker, .latent-explorer .pen {
  position: absolute; inset: 0; pointer-events: none;
}
.latent-explorer .marker::before {
  content: ""; position: absolute; left: -9px; top: -9px; width: 18px; height: 18px;
  border: 3px solid #fff; border-radius: 50%; background: #d55e00; outline: 1.5px solid #000;
}
.latent-explorer .pen { display: none; }
.latent-explorer canvas:focus-visible + .pen { display: block; }
.latent-explorer .pen::before {
  content: ""; position: absolute; left: -7px; top: -7px; width: 14px; height: 14px;
  border: 2px solid #e69f00; border-radius: 50%;
}
.latent-explorer .pen.down::before { background: #e69f00; }
.latent-explorer .pictures { display: flex; gap: 12px; align-items: flex-start; }
.latent-explorer .stack { display: flex; flex-direction: column; gap: 6px; width: 96px; }
.latent-explorer .figure {
  display: flex; flex-direction: column; gap: 3px; flex: none;
  font-size: 12px; line-height: 1.3; overflow-wrap: anywhere;
}
.latent-explorer .figure + .figure { width: 96px; }
.latent-explorer .stack .figure { width: auto; }
.latent-explorer .figure strong { font-weight: 600; }
.latent-explorer .figure span { color: var(--soft); }
.latent-explorer .sliders { display: flex; flex-direction: column; max-height: 260px; overflow-y: auto; }
.latent-explorer .slider { grid-template-columns: 28px 1fr 52px; }
.latent-explorer .row { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; }
.latent-explorer select { padding: 3px 6px; }
.latent-explorer button:hover { border-color: var(--accent); }
.latent-explorer .meter { font-size: 12px; }
.latent-explorer .bar {
  position: relative; height: 12px; margin-bottom: 5px; overflow: clip;
  border-radius: 3px; background: var(--jp-layout-color3, color-mix(in srgb, CanvasText 15%, Canvas));
}
.latent-explorer .bar div { position: absolute; top: 0; bottom: 0; }
.latent-explorer .band { background: #009e73; opacity: 0.55; }
.latent-explorer .median { width: 2px; background: var(--ink); }
.latent-explorer .here { width: 4px; margin-left: -2px; background: #d55e00; }
`;
