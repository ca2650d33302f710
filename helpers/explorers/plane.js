// The view of helpers.explorers.PlaneExplorer. The host gives a model with get, set, on, off and
// save_changes. A move changes `point` or `prior`; one animation frame computes and draws.

export default { render };

const SIDE = 340; // of the map, in CSS pixels, with its margins
const MARGIN = { left: 34, right: 8, top: 8, bottom: 34 };
const PLOT = SIDE - MARGIN.left - MARGIN.right;
const CELLS = 100; // of the grid on which the boundaries are traced, a side
const NATS = 30; // the length of a bar of log p

function render({ model, el }) {
  const spec = model.get("spec");
  const [low, high] = spec.limits;
  const abort = new AbortController();
  const state = { point: [...model.get("point")], prior: model.get("prior") };
  const top = Math.max(...spec.peaks, 0);
  let request = 0;
  let unsaved = false;

  // The two models.

  function logDensity(k, x) {
    const [[a, b], [c, d]] = spec.precisions[k];
    const [u, v] = [x[0] - spec.means[k][0], x[1] - spec.means[k][1]];
    return spec.peaks[k] - 0.5 * (a * u * u + (b + c) * u * v + d * v * v);
  }
  const shift = () => Math.log(state.prior / (1 - state.prior));
  const ratio = (x) => logDensity(0, x) - logDensity(1, x);
  const logistic = (x) => -(spec.weight[0] * x[0] + spec.weight[1] * x[1] + spec.bias);
  const sigmoid = (odds) => 1 / (1 + Math.exp(-odds));

  function numbers() {
    const [a, b] = [logDensity(0, state.point), logDensity(1, state.point)];
    return [a, b, sigmoid(a - b + shift()), sigmoid(logistic(state.point))];
  }

  // The page.

  const root = element("div", { className: "plane-explorer", role: "group" });
  root.setAttribute("aria-label", "Plane explorer");
  const canvas = element("canvas");
  canvas.dataset.role = "plane";
  canvas.setAttribute("role", "img");
  const rows = ["log p(x|A)", "log p(x|B)", "p(A|x), generative", "p(A|x), logistic"].map(
    (name, i) => bar(name, [...spec.colors.slice(0, 2), "#000", spec.colors[2]][i]),
  );
  const sliders = [
    slider("x₁", low, high, (high - low) / 400, (value) => (state.point[0] = value)),
    slider("x₂", low, high, (high - low) / 400, (value) => (state.point[1] = value)),
    slider("p(A)", ...spec.priors, 0.01, (value) => (state.prior = value)),
  ];
  const live = element("p", { className: "spoken" });
  live.setAttribute("aria-live", "polite");
  const keys = element("p", { className: "hint" });
  keys.textContent =
    "Solid: the generative boundary. Dashed: the logistic regression's. " +
    `A bar of log p is full at ${top.toFixed(0)} nats and empty ${NATS} nats below.`;
  const side = element("div", { className: "side" });
  side.append(...rows.map((row) => row.node), ...sliders.map((one) => one.node), keys);
  root.append(element("style", { textContent: CSS }), canvas, side, live);
  el.append(root);

  function slider(name, min, max, step, change) {
    const node = element("label");
    const input = element("input", { type: "range", min, max, step });
    input.setAttribute("data-lm-suppress-shortcuts", "true");
    const output = element("output");
    node.append(element("span", { textContent: name }), input, output);
    listen(input, "input", () => {
      change(input.valueAsNumber);
      moved();
    });
    listen(input, "change", release);
    function show(value) {
      if (Number(input.value) !== value) input.value = value;
      setText(output, number(value, 2));
    }
    return { node, show };
  }

  // What moves it.

  function listen(target, name, handler) {
    target.addEventListener(name, handler, { signal: abort.signal });
  }

  function schedule() {
    request ||= requestAnimationFrame(frame);
  }

  function moved() {
    unsaved = true;
    schedule();
  }

  function release() {
    if (!unsaved) return;
    unsaved = false;
    tell();
    const [a, b, generative, discriminative] = numbers();
    live.textContent =
      `At (${state.point.map((v) => number(v, 2)).join(", ")}): log p(x|A) ${number(a, 2)}, ` +
      `log p(x|B) ${number(b, 2)}; p(A|x) generative ${number(generative, 4)}, ` +
      `logistic ${number(discriminative, 4)}`;
    try {
      model.save_changes();
    } catch (error) {
      console.debug("plane explorer: no kernel to save to", error);
    }
  }

  function tell() {
    model.set("point", [...state.point]);
    model.set("prior", state.prior);
  }

  // JupyterLab's own keys stay off the arrows, but Ctrl+S must still save.
  for (const name of ["keydown", "keyup"]) {
    listen(root, name, ({ target, ctrlKey, metaKey }) => {
      target.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
    });
  }

  let pointer = null;
  function follow(event) {
    const box = canvas.getBoundingClientRect();
    const scale = SIDE / box.width;
    const across = ((event.clientX - box.left) * scale - MARGIN.left) / PLOT;
    const up = 1 - ((event.clientY - box.top) * scale - MARGIN.top) / PLOT;
    state.point = [across, up].map((v) => low + (high - low) * Math.min(1, Math.max(0, v)));
    moved();
  }
  listen(canvas, "pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    follow(event);
  });
  listen(canvas, "pointermove", (event) => event.pointerId === pointer && follow(event));
  for (const name of ["pointerup", "pointercancel"]) {
    listen(canvas, name, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      release();
    });
  }

  function changed() {
    if (unsaved) return; // our own
    state.point = [...model.get("point")];
    state.prior = model.get("prior");
    schedule();
  }
  model.on("change:point", changed);
  model.on("change:prior", changed);

  // What is drawn. Only the boundary and the marker move: the rest is drawn once.

  const scale = Math.max(1, globalThis.devicePixelRatio || 1);
  canvas.width = canvas.height = Math.round(SIDE * scale);
  const context = canvas.getContext("2d");
  const place = (v, k) => {
    const share = (v - low) / (high - low);
    return k === 0 ? MARGIN.left + PLOT * share : MARGIN.top + PLOT * (1 - share);
  };
  const ratios = onGrid(ratio);
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
      ctx.fillStyle = spec.colors[label];
      ctx.beginPath();
      if (label) ctx.rect(x - 1.5, y - 1.5, 3, 3);
      else ctx.arc(x, y, 1.7, 0, 7);
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
    const far = 2 * (Math.abs(low) + Math.abs(high)) / Math.sqrt(square);
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
    const step = tickStep((high - low) / 5);
    Object.assign(ctx, { fillStyle: "#333", strokeStyle: "#999", font: "11px sans-serif" });
    ctx.strokeRect(MARGIN.left, MARGIN.top, PLOT, PLOT);
    for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) {
      const text = number(tick, step < 1 ? 1 : 0);
      ctx.textAlign = "center";
      ctx.fillText(text, place(tick, 0), SIDE - MARGIN.bottom + 14);
      ctx.textAlign = "right";
      ctx.fillText(text, MARGIN.left - 5, place(tick, 1) + 4);
    }
    ctx.textAlign = "center";
    ctx.fillText("x₁", MARGIN.left + PLOT / 2, SIDE - 4);
    ctx.fillText("x₂", 10, MARGIN.top + PLOT / 2);
  }

  // A function at the corners of the grid's cells.
  function onGrid(f) {
    const values = new Float64Array((CELLS + 1) ** 2);
    const at = (i) => low + ((high - low) * i) / CELLS;
    for (let j = 0; j <= CELLS; j++) {
      for (let i = 0; i <= CELLS; i++) values[j * (CELLS + 1) + i] = f([at(i), at(j)]);
    }
    return values;
  }

  // The line where the function has this level: one piece in each cell that it crosses.
  function trace(ctx, values, level) {
    ctx.strokeStyle = "#000";
    ctx.lineWidth = 2;
    ctx.beginPath();
    const corners = [[0, 0], [1, 0], [1, 1], [0, 1]];
    const pixel = (i, j) => [MARGIN.left + (PLOT * i) / CELLS, MARGIN.top + PLOT * (1 - j / CELLS)];
    for (let j = 0; j < CELLS; j++) {
      for (let i = 0; i < CELLS; i++) {
        const v = corners.map(([di, dj]) => values[(j + dj) * (CELLS + 1) + i + di] - level);
        const crossings = [];
        for (let k = 0; k < 4; k++) {
          const [a, b] = [v[k], v[(k + 1) % 4]];
          if (a < 0 === b < 0) continue;
          const [p, q] = [corners[k], corners[(k + 1) % 4]];
          const t = a / (a - b);
          crossings.push(pixel(i + p[0] + t * (q[0] - p[0]), j + p[1] + t * (q[1] - p[1])));
        }
        for (let k = 0; k + 1 < crossings.length; k += 2) {
          ctx.moveTo(...crossings[k]);
          ctx.lineTo(...crossings[k + 1]);
        }
      }
    }
    ctx.stroke();
  }

  function frame() {
    request = 0;
    if (unsaved) tell(); // other views of this model follow
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(fixed, 0, 0);
    context.scale(canvas.width / SIDE, canvas.width / SIDE);
    trace(context, ratios, -shift());
    context.beginPath();
    context.arc(place(state.point[0], 0), place(state.point[1], 1), 7, 0, 7);
    context.fillStyle = "#fff";
    context.fill();
    context.lineWidth = 3;
    context.stroke();
    const values = numbers();
    rows.forEach((row, i) => {
      const share = i < 2 ? 1 + (values[i] - top) / NATS : values[i];
      row.show(i < 2 ? `${number(values[i], 2)} nats` : number(values[i], 4), share);
    });
    [...state.point, state.prior].forEach((value, i) => sliders[i].show(value));
    canvas.setAttribute(
      "aria-label",
      "Points of class A (circles) and B (squares), the two boundaries, and the point at " +
        state.point.map((v) => number(v, 2)).join(", "),
    );
  }

  frame();
  return () => {
    abort.abort();
    cancelAnimationFrame(request);
    model.off("change:point", changed);
    model.off("change:prior", changed);
    root.remove();
  };
}

function bar(name, color) {
  const node = element("div", { className: "row" });
  const value = element("span", { className: "value" });
  const track = element("div", { className: "track" });
  const fill = element("div");
  fill.style.background = color;
  track.append(fill);
  track.setAttribute("aria-hidden", "true");
  node.append(element("span", { textContent: name }), value, track);
  function show(text, share) {
    setText(value, text);
    fill.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  }
  return { node, show };
}

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function tickStep(least) {
  const ten = 10 ** Math.floor(Math.log10(least));
  return ten * [1, 2, 5, 10].find((factor) => factor * ten >= least);
}

function number(value, digits) {
  return value.toFixed(digits).replace("-", "−");
}

function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const CSS = `
.plane-explorer {
  --ink: var(--jp-ui-font-color1, CanvasText);
  --soft: var(--jp-ui-font-color2, color-mix(in srgb, CanvasText 70%, Canvas));
  --line: var(--jp-border-color1, color-mix(in srgb, CanvasText 30%, Canvas));
  --accent: var(--jp-brand-color1, #1565c0);
  display: flex; flex-wrap: wrap; gap: 12px 28px; align-items: flex-start;
  box-sizing: border-box; max-width: 100%; padding: 14px 16px;
  border: 1px solid var(--line); border-radius: 6px;
  color: var(--ink); background: var(--jp-layout-color1, Canvas);
  font: 14px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
}
.plane-explorer canvas {
  width: ${SIDE}px; max-width: 100%; aspect-ratio: 1; border-radius: 3px; background: #fff;
  touch-action: none; cursor: crosshair; user-select: none;
}
.plane-explorer .side { flex: 1 1 260px; max-width: 340px; min-width: 0; }
.plane-explorer .row { display: flex; flex-wrap: wrap; justify-content: space-between; margin-bottom: 8px; }
.plane-explorer .value, .plane-explorer output { font-variant-numeric: tabular-nums; }
.plane-explorer .track {
  flex-basis: 100%; height: 10px; overflow: clip; border-radius: 3px;
  background: #e4e4e4; /* as on the plane: the colors of the classes are made for white */
}
.plane-explorer .track div { height: 100%; }
.plane-explorer label { display: grid; grid-template-columns: 40px 1fr 52px; align-items: center; min-height: 28px; }
.plane-explorer output { text-align: right; }
.plane-explorer input { width: 100%; min-width: 0; height: 24px; margin: 0; accent-color: var(--accent); }
.plane-explorer input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.plane-explorer .hint { margin: 8px 0 0; color: var(--soft); font-size: 12px; }
.plane-explorer .spoken {
  position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
`;
