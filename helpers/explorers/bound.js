// The view of helpers.explorers.BoundExplorer. The host gives a model with get, set, on, off and
// save_changes. A move changes `mean` or `std`; one animation frame sums over the grid and draws.

export default { render };

const [WIDTH, HEIGHT] = [340, 280]; // of a panel
const MARGIN = { left: 42, right: 10, top: 30, bottom: 40 };
const Z = [-3.6, 3.6]; // the part of z that is shown
const DENSITY = [0, 4];
const NATS = [-10, 1];
const FLOOR = NATS[0]; // bars stand on it, and are cut off at it

function render({ model, el }) {
  const { z, log_joint: logJoint, ranges, colors } = model.get("spec");
  const dz = z[1] - z[0];
  const top = Math.max(...logJoint);
  const evidence = top + Math.log(logJoint.reduce((a, v) => a + Math.exp(v - top), 0) * dz);
  const [posteriorColor, qColor, boundColor, dataColor] = colors;
  const abort = new AbortController();
  const state = { mean: model.get("mean"), std: model.get("std") };
  let request = 0;
  let unsaved = false;

  const root = element("div", { className: "bound-explorer", role: "group" });
  root.setAttribute("aria-label", "Bound explorer");
  const svg = drawing("svg", { viewBox: `0 0 ${2 * WIDTH} ${HEIGHT}`, role: "img" }, null);
  const left = panel(svg, 0, "the proposal and the truth", "density", DENSITY, [0, 1, 2, 3, 4]);
  left.across("z", [-3, -2, -1, 0, 1, 2, 3].map((v) => [v, number(v, 0)]), Z);
  left.line(posteriorColor).setAttribute(
    "d", left.path(z, logJoint.map((v) => Math.exp(v - evidence))));
  const bump = left.line(qColor, "6 4");
  left.legend("posterior p(z|x)", posteriorColor, "", 0);
  left.legend("q(z)", qColor, "6 4", 1);
  const right = panel(svg, WIDTH, "ELBO + gap = log p(x)", "nats", NATS, [-10, -8, -6, -4, -2, 0]);
  right.across("", [[0, "log p(x)"], [1, "ELBO"], [2, "gap"]], [-0.6, 2.6]);
  const bars = [dataColor, boundColor, qColor].map((color, i) => right.bar(color, i));
  const level = right.line(dataColor, "2 3");
  level.setAttribute("stroke-width", 1);
  level.setAttribute("d", right.path([-0.6, 2.6], [evidence, evidence]));

  const inputs = {};
  const outputs = {};
  root.append(element("style", { textContent: CSS }), svg);
  for (const [name, title] of [["mean", "mean of q"], ["std", "width of q (σ)"]]) {
    const [min, max] = ranges[name];
    const label = element("label");
    inputs[name] = element("input", { type: "range", min, max, step: 0.01 });
    inputs[name].setAttribute("data-lm-suppress-shortcuts", "true");
    outputs[name] = element("output");
    label.append(element("span", { textContent: title }), inputs[name], outputs[name]);
    root.append(label);
  }
  const text = element("p", { className: "value" });
  const live = element("p", { className: "spoken" });
  live.setAttribute("aria-live", "polite");
  root.append(text, live);
  el.append(root);

  function integrate() {
    const { mean, std } = state;
    const constant = Math.log(std * Math.sqrt(2 * Math.PI));
    let [elbo, gap] = [0, 0];
    const density = z.map((v, i) => {
      const logQ = -0.5 * ((v - mean) / std) ** 2 - constant;
      const q = Math.exp(logQ);
      elbo += q * (logJoint[i] - logQ) * dz;
      gap += q * (logQ - (logJoint[i] - evidence)) * dz;
      return q;
    });
    return { density, elbo, gap };
  }

  function frame() {
    request = 0;
    if (unsaved) set(); // other views of this model follow
    const { density, elbo, gap } = integrate();
    bump.setAttribute("d", left.path(z, density));
    const height = Math.max(elbo, FLOOR);
    bars[0](FLOOR, evidence, number(evidence, 3), evidence);
    bars[1](FLOOR, height, number(elbo, 3), evidence);
    bars[2](height, evidence, number(gap, 3), evidence);
    for (const name of ["mean", "std"]) {
      if (inputs[name].valueAsNumber !== state[name]) inputs[name].value = state[name];
      outputs[name].textContent = number(state[name], 2);
    }
    text.textContent =
      `ELBO ${number(elbo, 4)} + gap ${number(gap, 4)} = ${number(elbo + gap, 4)} nats; ` +
      `log p(x) = ${number(evidence, 4)}`;
    svg.setAttribute("aria-label", `The posterior of z, q, and three bars. ${text.textContent}`);
  }

  function set() {
    for (const name of ["mean", "std"]) model.set(name, state[name]);
  }

  function schedule() {
    request ||= requestAnimationFrame(frame);
  }

  function listen(target, name, handler) {
    target.addEventListener(name, handler, { signal: abort.signal });
  }

  for (const [name, input] of Object.entries(inputs)) {
    listen(input, "input", () => {
      state[name] = input.valueAsNumber;
      unsaved = true;
      schedule();
    });
    listen(input, "change", () => {
      if (!unsaved) return;
      set();
      unsaved = false;
      if (request) cancelAnimationFrame(request);
      frame();
      live.textContent = text.textContent;
      try {
        model.save_changes();
      } catch (error) {
        console.debug("bound explorer: no kernel to save to", error);
      }
    });
    // JupyterLab's own keys stay off the arrows, but Ctrl+S must still save.
    for (const key of ["keydown", "keyup"]) {
      listen(input, key, ({ ctrlKey, metaKey }) => {
        input.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
      });
    }
  }
  function changed() {
    if (unsaved) return; // our own
    for (const name of ["mean", "std"]) state[name] = model.get(name);
    schedule();
  }
  model.on("change:mean", changed);
  model.on("change:std", changed);

  frame();
  return () => {
    abort.abort();
    cancelAnimationFrame(request);
    model.off("change:mean", changed);
    model.off("change:std", changed);
    root.remove();
  };
}

// A panel whose upward axis spans `tall`; gives what draws into it.
function panel(svg, shift, title, name, tall, ticks) {
  const node = drawing("g", { transform: `translate(${shift} 0)` }, svg);
  const [bottom, right] = [HEIGHT - MARGIN.bottom, WIDTH - MARGIN.right];
  let span = [0, 1];
  const place = (v) => MARGIN.left + ((right - MARGIN.left) * (v - span[0])) / (span[1] - span[0]);
  const up = (v) => bottom - ((bottom - MARGIN.top) * (v - tall[0])) / (tall[1] - tall[0]);
  const write = (content, x, y, anchor = "middle") => {
    const text = drawing("text", { x, y, "text-anchor": anchor }, node);
    text.textContent = content;
    return text;
  };
  const axes = `M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}`;
  drawing("path", { d: axes, fill: "none", stroke: "#333" }, node);
  for (const v of ticks) write(number(v, 0), MARGIN.left - 6, up(v) + 4, "end");
  const turned = `translate(13 ${(MARGIN.top + bottom) / 2}) rotate(-90)`;
  drawing("text", { transform: turned, "text-anchor": "middle" }, node).textContent = name;
  write(title, (MARGIN.left + right) / 2, 18);
  return {
    across: (label, marks, range) => {
      span = range;
      for (const [v, content] of marks) write(content, place(v), bottom + 16);
      write(label, (MARGIN.left + right) / 2, HEIGHT - 6);
    },
    line: (stroke, dash = "") =>
      drawing("path", { fill: "none", stroke, "stroke-width": 2, "stroke-dasharray": dash }, node),
    path: (xs, ys) => {
      const points = [];
      xs.forEach((v, i) => {
        if (v < span[0] || v > span[1] || ys[i] < tall[0] || ys[i] > tall[1]) return;
        points.push(`${place(v).toFixed(2)} ${up(ys[i]).toFixed(2)}`);
      });
      return `M${points.join("L")}`;
    },
    bar: (fill, at) => {
      const rect = drawing("rect", { fill, x: place(at - 0.3), width: place(0.6) - place(0) }, node);
      const value = write("", place(at), 0);
      return (low, high, content, above) => {
        rect.setAttribute("y", up(high));
        rect.setAttribute("height", Math.max(0, up(low) - up(high)));
        value.setAttribute("y", up(above) - 6);
        value.textContent = content;
      };
    },
    legend: (content, stroke, dash, row) => {
      const [x, y] = [right - 140, MARGIN.top + 14 + 18 * row];
      const d = `M${x} ${y - 4}h26`;
      drawing("path", { d, stroke, "stroke-width": 2, "stroke-dasharray": dash }, node);
      write(content, x + 34, y, "start");
    },
  };
}

function number(value, digits) {
  return value.toFixed(digits).replace("-", "−");
}

function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function drawing(tag, attributes, parent) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent?.append(node);
  return node;
}

const CSS = `
.bound-explorer {
  --ink: var(--jp-ui-font-color1, CanvasText);
  --line: var(--jp-border-color1, color-mix(in srgb, CanvasText 30%, Canvas));
  --accent: var(--jp-brand-color1, #1565c0);
  box-sizing: border-box; max-width: 720px; padding: 14px 16px;
  border: 1px solid var(--line); border-radius: 6px;
  color: var(--ink); background: var(--jp-layout-color1, Canvas);
  font: 14px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
}
.bound-explorer svg { display: block; width: 100%; background: #fff; border-radius: 3px; }
.bound-explorer svg text { font-size: 12px; fill: #222; }
.bound-explorer label {
  display: grid; grid-template-columns: 110px 1fr 52px; align-items: center; min-height: 32px; margin-top: 6px;
}
.bound-explorer input { width: 100%; min-width: 0; height: 24px; margin: 0; accent-color: var(--accent); }
.bound-explorer input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.bound-explorer output { text-align: right; }
.bound-explorer .value, .bound-explorer output { font-variant-numeric: tabular-nums; }
.bound-explorer p { margin: 0; }
.bound-explorer .spoken {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
`;
