// What the explorers share. Texts are set as text, not as markup.

import { addTools, TOOLS } from "./tools.js";

const CONTROLS = "button, input, select, canvas[tabindex]";
const NO_SHORTCUTS = "data-lm-suppress-shortcuts";

// Draws traits of the model now, and at most once a frame after they change. What the reader holds,
// from set to release, does not give way to what the kernel sends meanwhile, and is not sent before
// the release. `schedule` asks for a frame where no trait tells of a change; after `stop` nothing of
// this does anything.
export function follow(model, names, draw) {
  const held = new Map();
  const get = (name) => (held.has(name) ? held.get(name) : model.get(name));
  let request = 0;
  let stopped = false;
  function frame() {
    request = 0;
    draw(get);
  }
  function schedule() {
    if (!stopped) request ||= requestAnimationFrame(frame);
  }
  function stop() {
    stopped = true;
    cancelAnimationFrame(request);
    for (const name of names) model.off(`change:${name}`, schedule);
  }
  function set(name, value) {
    if (stopped) return;
    held.set(name, value);
    model.set(name, value); // other views of this model follow
    schedule(); // where the model has this value already, it tells of no change
  }
  function release() {
    if (stopped) return;
    for (const [name, value] of held) model.set(name, value); // the kernel may have set another
    held.clear();
    cancelAnimationFrame(request);
    frame();
    save(model);
  }
  for (const name of names) model.on(`change:${name}`, schedule);
  frame();
  return { get, set, release, stop, schedule, holds: () => held.size > 0 };
}

export function save(model) {
  try {
    model.save_changes();
  } catch (error) {
    console.debug("explorer: no kernel to save to", error);
  }
}

// A trait of bytes as an ArrayBuffer of its own, which is aligned.
export function copied(view) {
  if (view instanceof ArrayBuffer) return view.slice(0);
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}

export function floats(view) {
  return new Float32Array(copied(view));
}

// A draw from N(0, 1), by Box and Muller.
export function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

export function number(value, digits = 2) {
  return plain(value.toFixed(digits));
}

// A number with as many digits as it has.
export function plain(value) {
  return String(value).replace("-", "−");
}

// About five round numbers between the two.
export function ticks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const values = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) {
    values.push(Number((k * step).toPrecision(9)));
  }
  return values;
}

export function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

export function shape(tag, attributes, parent) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent.append(node);
  return node;
}

export function listen(target, names, handler) {
  for (const name of names.split(" ")) target.addEventListener(name, handler);
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A line of text with numbers that change: sentence`p(x) = ${"p_x"}` is one for `show({ p_x })`. Its
// name is the number's data-value attribute, and its name in the Python face's `numbers`.
export function sentence(texts, ...names) {
  const node = element("p", { className: "value" });
  const spans = names.map((name) => valueNode("span", name));
  node.append(texts[0], ...spans.flatMap((span, i) => [span, texts[i + 1]]));
  function show(values) {
    for (const [i, name] of names.entries()) setText(spans[i], values[name]);
  }
  return { node, show };
}

export function valueNode(tag, name) {
  const node = element(tag);
  node.dataset.value = name;
  return node;
}

// Where the pointer is, in a square canvas whose side has this size.
export function position(event, canvas, size) {
  const box = canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.left) / box.width) * size,
    ((event.clientY - box.top) / box.height) * size,
  ];
}

// The root of an explorer, with what all of them look like; its colors are variables of CSS, --NAME.
export function group(className, label, css, colors = {}) {
  const root = element("div", { className, role: "group" });
  root.setAttribute("aria-label", label);
  for (const [name, color] of Object.entries(colors)) root.style.setProperty(`--${name}`, color);
  root.append(element("style", { textContent: look(`.${className}`) + TOOLS + css }));
  return root;
}

// Shows the explorer, with the tools that all have. On a control, JupyterLab's own keys (arrows,
// D D, …) are off; Ctrl+S still saves.
export function mount(root, el) {
  addTools(root, el);
  for (const control of root.querySelectorAll(CONTROLS))
    control.toggleAttribute(NO_SHORTCUTS, true);
  listen(root, "keydown keyup", ({ target, ctrlKey, metaKey }) => {
    if (target.matches(CONTROLS)) target.toggleAttribute(NO_SHORTCUTS, !ctrlKey && !metaKey);
  });
  el.append(root);
}

// A slider with its title and value: `move` gets each value, `release` is called on letting go, of
// the pointer or of a key, which may repeat while it is down.
export function slider(parent, title, { min, max, step }, move, release) {
  const label = element("label", { className: "slider" });
  const input = element("input", { type: "range", min, max, step });
  const output = element("output");
  label.append(element("span", { textContent: title }), input, output);
  parent.append(label);
  let moved = false;
  let keyHeld = false;
  function letGo() {
    if (!moved || keyHeld) return;
    moved = false;
    release();
  }
  input.addEventListener("input", () => {
    moved = true;
    move(input.valueAsNumber);
  });
  input.addEventListener("change", letGo);
  input.addEventListener("keydown", () => (keyHeld = true));
  listen(input, "keyup blur", () => {
    keyHeld = false;
    letGo();
  });
  function show(value, text = number(value)) {
    if (Math.abs(input.valueAsNumber - value) > step / 2) input.value = value;
    setText(output, text);
  }
  return { input, output, show };
}

export function button(parent, text, act, role) {
  const node = element("button", { type: "button", textContent: text });
  if (role) node.dataset.role = role;
  node.addEventListener("click", act);
  parent.append(node);
  return node;
}

// What is read to those who cannot see the picture.
export function spoken() {
  const node = element("p", { className: "spoken" });
  node.setAttribute("aria-live", "polite");
  return node;
}

function look(root) {
  return `
${root} {
  --ink: var(--jp-ui-font-color1, CanvasText);
  --soft: var(--jp-ui-font-color2, color-mix(in srgb, CanvasText 70%, Canvas));
  --line: var(--jp-border-color1, color-mix(in srgb, CanvasText 30%, Canvas));
  --accent: var(--jp-brand-color1, #1565c0);
  box-sizing: border-box; max-width: 100%; padding: 14px 16px;
  border: 1px solid var(--line); border-radius: 6px;
  color: var(--ink); background: var(--jp-layout-color1, Canvas);
  font: 13px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
}
${root} p { margin: 0; }
${root} svg { display: block; width: 100%; }
${root} .value, ${root} output { font-variant-numeric: tabular-nums; }
${root} output { text-align: right; }
${root} .slider { display: grid; align-items: center; min-height: 28px; }
${root} input {
  width: 100%; min-width: 0; height: 24px; margin: 0; accent-color: var(--accent);
}
${root} .controls {
  display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: center; margin: 6px 0;
}
${root} button, ${root} select {
  min-height: 28px; padding: 3px 12px; border: 1px solid var(--line); border-radius: 4px;
  color: var(--ink); background: var(--jp-layout-color2, ButtonFace); font: inherit;
}
${root} button { cursor: pointer; }
${root} :is(button, select, input):focus-visible {
  outline: 2px solid var(--accent); outline-offset: 1px;
}
${root} .spoken {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
`;
}
