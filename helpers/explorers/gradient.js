// The view of helpers.explorers.GradientExplorer: see gradient.py.
//
// A slider sets the model's mu, sigma or n, one animation frame computes the estimates from the
// noise and draws, and the release tells the kernel.

export default { render };

const WIDTH = 660;
const HEIGHT = 262;
const BASE = 216; // both axes
const LEFT = { low: -8, high: 8, from: 16, to: 296 }; // histogram of z
const RIGHT = { low: -12, high: 12, from: 410, to: 650 }; // estimates of the slope
const TOP = 30;
const BINS = 64;
const SLIDERS = [
  { name: "mu", text: "μ", min: -3, max: 3, step: 0.01 },
  { name: "sigma", text: "σ", min: 0.1, max: 2, step: 0.01 },
  { name: "n", text: "samples", min: 1, max: 4, step: 0.01 }, // powers of ten
];

function render({ model, el }) {
  const { h, size, colors, rows } = model.get("spec");
  const root = element("div", { className: "gradient-explorer", role: "group" });
  root.setAttribute("aria-label", "Three estimates of a gradient");
  root.append(element("style", { textContent: CSS }));
  for (const [name, color] of Object.entries(colors)) root.style.setProperty(`--${name}`, color);

  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, root);
  drawAxis(picture, LEFT, 2, "z", "histogram of z");
  drawAxis(picture, RIGHT, 4, "estimate of the slope 2μ", "estimates, ± 2 standard errors");
  const bars = shape("path", { class: "bars" }, picture);
  const density = shape("path", { class: "density" }, picture);
  const truth = shape("path", { class: "truth" }, picture);
  const marks = rows.map((name, i) => estimateMark(picture, name, TOP + 32 + 58 * i));

  const controls = element("div", { className: "controls" });
  const sliders = SLIDERS.map((spec) => slider(spec, controls));
  const button = element("button", { type: "button", textContent: "Fresh noise" });
  controls.append(button);
  const list = element("dl");
  const texts = ["true slope 2μ", ...rows].map((name) => {
    const text = element("dd");
    list.append(element("dt", { textContent: name }), text);
    return text;
  });
  root.append(controls, list);
  el.append(root);

  let noise = floats(model.get("noise"));
  let frame = 0;
  const schedule = () => { frame ||= requestAnimationFrame(draw); };

  function draw() {
    frame = 0;
    const [mu, sigma, n] = ["mu", "sigma", "n"].map((name) => model.get(name));
    const [first, second] = [noise.subarray(0, n), noise.subarray(size, size + n)];
    bars.setAttribute("d", histogram(first, mu, sigma));
    density.setAttribute("d", bell(mu, sigma));
    truth.setAttribute("d", `M${toX(RIGHT, 2 * mu)} ${TOP + 8}V${BASE}`);
    const square = (mean, eps) => (mean + sigma * eps) ** 2;
    const one = [
      (i) => (square(mu + h, first[i]) - square(mu - h, second[i])) / (2 * h),
      (i) => (square(mu + h, first[i]) - square(mu - h, first[i])) / (2 * h),
      (i) => (square(mu, first[i]) * first[i]) / sigma,
    ];
    texts[0].textContent = number(2 * mu);
    one.forEach((estimate, row) => {
      const [mean, error] = average(estimate, n);
      marks[row](mean, error);
      texts[row + 1].textContent = `${number(mean)} ± ${number(2 * error)}`;
    });
    const values = [mu, sigma, Math.log10(n)];
    sliders.forEach(({ show }, i) => show(values[i], i === 2 ? String(n) : number(values[i])));
    const said = rows.map((name, i) => `${name} ${texts[i + 1].textContent}`).join("; ");
    picture.setAttribute("aria-label", `Histogram of ${n} samples z at μ = ${number(mu)}, σ = `
      + `${number(sigma)}; true slope ${number(2 * mu)}; ${said}.`);
  }

  function save() {
    try {
      model.save_changes();
    } catch (error) {
      console.debug("gradient explorer: no kernel to save to", error);
    }
  }

  sliders.forEach(({ input, name }) => {
    const value = () =>
      name === "n" ? Math.round(10 ** input.valueAsNumber) : input.valueAsNumber;
    input.addEventListener("input", () => model.set(name, value()));
    input.addEventListener("change", save);
  });
  button.addEventListener("click", () => {
    const fresh = Float32Array.from({ length: 2 * size }, normal);
    model.set("noise", new DataView(fresh.buffer));
    save();
  });
  const renew = () => {
    noise = floats(model.get("noise"));
    schedule();
  };
  root.addEventListener("keydown", leaveShortcuts);
  const names = ["mu", "sigma", "n"];
  for (const name of names) model.on(`change:${name}`, schedule);
  model.on("change:noise", renew);
  draw();
  return () => {
    cancelAnimationFrame(frame);
    for (const name of names) model.off(`change:${name}`, schedule);
    model.off("change:noise", renew);
    root.remove();
  };
}

// The mean of n estimates and its standard error.
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

// The highest bar or bell has the same height at every σ: a density of 0.5 / σ fills the panel.
function histogram(eps, mu, sigma) {
  const counts = new Float64Array(BINS);
  const width = (LEFT.high - LEFT.low) / BINS;
  for (const noise of eps) {
    const bin = Math.floor((mu + sigma * noise - LEFT.low) / width);
    if (bin >= 0 && bin < BINS) counts[bin]++;
  }
  let d = "";
  counts.forEach((count, i) => {
    const height = ((count / eps.length / width) * sigma * (BASE - TOP)) / 0.6;
    const [a, b] = [i, i + 1].map((edge) => toX(LEFT, LEFT.low + edge * width));
    if (count) d += `M${a} ${BASE}V${Math.max(TOP, BASE - height)}H${b}V${BASE}Z`;
  });
  return d;
}

function bell(mu, sigma) {
  const points = Array.from({ length: 121 }, (_, i) => mu + sigma * (i / 15 - 4));
  return points.filter((z) => z >= LEFT.low && z <= LEFT.high).map((z, i) => {
    const density = Math.exp(-(((z - mu) / sigma) ** 2) / 2) / Math.sqrt(2 * Math.PI);
    return `${i ? "L" : "M"}${toX(LEFT, z)} ${BASE - (density * (BASE - TOP)) / 0.6}`;
  }).join("");
}

// One row of the right panel: a dot with its error bar, cut off at the panel's ends.
function estimateMark(picture, name, y) {
  shape("text", { x: RIGHT.from - 12, y: y + 5, class: "name" }, picture).textContent = name;
  const bar = shape("path", { class: "error" }, picture);
  const dot = shape("circle", { class: "estimate", cy: y, r: 5 }, picture);
  return (mean, error) => {
    const [low, middle, high] = [-2, 0, 2].map((k) => toX(RIGHT, mean + k * error));
    dot.setAttribute("cx", middle);
    bar.setAttribute("d", `M${low} ${y}H${high}M${low} ${y - 6}V${y + 6}M${high} ${y - 6}V${y + 6}`);
  };
}

function drawAxis(picture, panel, every, label, title) {
  const middle = (panel.from + panel.to) / 2;
  shape("path", { class: "axis", d: `M${panel.from} ${BASE}H${panel.to}` }, picture);
  for (let value = panel.low; value <= panel.high; value += every) {
    const x = toX(panel, value);
    shape("path", { class: "axis", d: `M${x} ${BASE}V${BASE + 4}` }, picture);
    const tick = shape("text", { x, y: BASE + 18, class: "tick" }, picture);
    tick.textContent = String(value).replace("-", "−");
  }
  shape("text", { x: middle, y: BASE + 38, class: "tick" }, picture).textContent = label;
  shape("text", { x: middle, y: 16, class: "tick title" }, picture).textContent = title;
}

function slider({ name, text, min, max, step }, parent) {
  const label = element("label");
  const input = element("input", { type: "range", min, max, step });
  const output = element("output");
  label.append(element("span", { textContent: text }), input, output);
  parent.append(label);
  const show = (value, shown) => {
    if (Math.abs(input.valueAsNumber - value) > step / 2) input.value = value;
    output.value = shown;
    input.setAttribute("aria-valuetext", shown);
  };
  return { name, input, show };
}

function floats(view) {
  const { buffer, byteOffset, byteLength } = view;
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

// A draw from N(0, 1), by Box and Muller.
function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

function number(value) {
  return value.toFixed(2).replace("-", "−");
}

// JupyterLab's own keys stay off the arrows that move a slider, but Ctrl+S must still save.
function leaveShortcuts({ target, ctrlKey, metaKey }) {
  target.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
}

function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function shape(tag, attributes, parent) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent.append(node);
  return node;
}

const CSS = `
.gradient-explorer {
  --ink: var(--jp-ui-font-color1, CanvasText);
  --soft: var(--jp-ui-font-color2, color-mix(in srgb, CanvasText 70%, Canvas));
  --line: var(--jp-border-color1, color-mix(in srgb, CanvasText 30%, Canvas));
  box-sizing: border-box; max-width: 694px; padding: 14px 16px;
  border: 1px solid var(--line); border-radius: 6px;
  color: var(--ink); background: var(--jp-layout-color1, Canvas);
  font: 13px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
}
.gradient-explorer svg { display: block; width: 100%; max-width: ${WIDTH}px; }
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
.gradient-explorer .controls {
  display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: center; margin: 6px 0;
}
.gradient-explorer label {
  display: grid; grid-template-columns: auto 1fr 46px; gap: 6px; flex: 1 1 180px;
  align-items: center; min-height: 28px;
}
.gradient-explorer input { width: 100%; min-width: 0; height: 24px; margin: 0; }
.gradient-explorer output { text-align: right; font-variant-numeric: tabular-nums; }
.gradient-explorer dl {
  display: grid; grid-template-columns: repeat(4, 1fr); grid-auto-flow: column;
  grid-template-rows: auto auto; gap: 0 14px; margin: 6px 0 0;
}
.gradient-explorer dt { float: none; width: auto; color: var(--soft); font-weight: normal; white-space: nowrap; }
.gradient-explorer dd { margin: 0; font-variant-numeric: tabular-nums; }
.gradient-explorer button {
  min-height: 28px; padding: 3px 12px; border: 1px solid var(--line); border-radius: 4px;
  color: var(--ink); background: var(--jp-layout-color2, ButtonFace); font: inherit; cursor: pointer;
}
.gradient-explorer :is(input, button):focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1565c0); outline-offset: 1px;
}
`;
