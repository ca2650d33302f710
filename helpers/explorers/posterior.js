// The view of helpers.explorers.PosteriorExplorer. The host gives a model with get, set, on, off
// and save_changes. A move changes `x`; one animation frame computes the posterior and draws.

export default { render };

const [WIDTH, HEIGHT] = [340, 280]; // of a panel
const MARGIN = { left: 42, right: 10, top: 30, bottom: 40 };
const Z = [-3.6, 3.6]; // the part of z that is shown
const TOP = 4; // of the density axis

function render({ model, el }) {
  const { z, curve, noise, range, colors } = model.get("spec");
  const dz = z[1] - z[0];
  const abort = new AbortController();
  let x = model.get("x");
  let request = 0;
  let unsaved = false;

  const root = element("div", { className: "posterior-explorer", role: "group" });
  root.setAttribute("aria-label", "Posterior explorer");
  const svg = drawing("svg", { viewBox: `0 0 ${2 * WIDTH} ${HEIGHT}`, role: "img" }, null);
  const tall = [1.2 * range[0], 1.2 * range[1]];
  const left = panel(svg, 0, "generation: x = f(z) + noise", "x", tall, [range[0], 0, range[1]]);
  const right = panel(svg, WIDTH, "inference: z given x", "density", [0, TOP], [0, 1, 2, 3, 4]);
  const [data, prior, posterior] = colors;
  left.line(data).setAttribute("d", left.path(z, curve));
  const observed = left.line(posterior);
  right.line(prior, "6 4").setAttribute("d", right.path(z, z.map((v) => normal(v, 1))));
  const bump = right.line(posterior);
  right.legend("prior p(z)", prior, "6 4", 0);
  right.legend("posterior p(z|x)", posterior, "", 1);

  const label = element("label");
  const input = element("input", { type: "range", min: range[0], max: range[1], step: 0.01 });
  input.setAttribute("data-lm-suppress-shortcuts", "true");
  const output = element("output");
  label.append(element("span", { textContent: "x" }), input, output);
  const text = element("p", { className: "value" });
  const live = element("p", { className: "spoken" });
  live.setAttribute("aria-live", "polite");
  root.append(element("style", { textContent: CSS }), svg, label, text, live);
  el.append(root);

  function infer() {
    const joint = z.map((v, i) => normal(x - curve[i], noise) * normal(v, 1));
    const sum = joint.reduce((a, b) => a + b);
    const mean = joint.reduce((a, p, i) => a + p * z[i], 0) / sum;
    const variance = joint.reduce((a, p, i) => a + p * (z[i] - mean) ** 2, 0) / sum;
    return { density: joint.map((p) => p / (sum * dz)), p: sum * dz, mean, std: variance ** 0.5 };
  }

  function frame() {
    request = 0;
    if (unsaved) model.set("x", x); // other views of this model follow
    const { density, p, mean, std } = infer();
    observed.setAttribute("d", left.path(Z, [x, x]));
    bump.setAttribute("d", right.path(z, density));
    if (input.valueAsNumber !== x) input.value = x;
    output.textContent = number(x, 2);
    text.textContent =
      `p(x) = ${number(p, 4)}; posterior mean ${number(mean, 3)}, ` +
      `standard deviation ${number(std, 3)}`;
    svg.setAttribute("aria-label", `Prior and posterior of z given x = ${number(x, 2)}`);
  }

  function schedule() {
    request ||= requestAnimationFrame(frame);
  }

  function listen(target, name, handler) {
    target.addEventListener(name, handler, { signal: abort.signal });
  }

  listen(input, "input", () => {
    x = input.valueAsNumber;
    unsaved = true;
    schedule();
  });
  listen(input, "change", () => {
    if (!unsaved) return;
    model.set("x", x);
    unsaved = false;
    if (request) cancelAnimationFrame(request);
    frame();
    live.textContent = `x = ${number(x, 2)}: ${text.textContent}`;
    try {
      model.save_changes();
    } catch (error) {
      console.debug("posterior explorer: no kernel to save to", error);
    }
  });
  // JupyterLab's own keys stay off the arrows, but Ctrl+S must still save.
  for (const name of ["keydown", "keyup"]) {
    listen(input, name, ({ ctrlKey, metaKey }) => {
      input.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
    });
  }
  function changed() {
    if (unsaved) return; // our own
    x = model.get("x");
    schedule();
  }
  model.on("change:x", changed);

  frame();
  return () => {
    abort.abort();
    cancelAnimationFrame(request);
    model.off("change:x", changed);
    root.remove();
  };
}

// Axes over Z and `tall`, with ticks; gives what draws into them.
function panel(svg, shift, title, name, tall, ticks) {
  const node = drawing("g", { transform: `translate(${shift} 0)` }, svg);
  const [bottom, right] = [HEIGHT - MARGIN.bottom, WIDTH - MARGIN.right];
  const across = (v) => MARGIN.left + ((right - MARGIN.left) * (v - Z[0])) / (Z[1] - Z[0]);
  const up = (v) => bottom - ((bottom - MARGIN.top) * (v - tall[0])) / (tall[1] - tall[0]);
  const write = (content, x, y, anchor = "middle") => {
    drawing("text", { x, y, "text-anchor": anchor }, node).textContent = content;
  };
  const axes = `M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}`;
  drawing("path", { d: axes, fill: "none", stroke: "#333" }, node);
  for (let v = -3; v <= 3; v++) write(number(v, 0), across(v), bottom + 16);
  for (const v of ticks) write(number(v, Number.isInteger(v) ? 0 : 1), MARGIN.left - 6, up(v) + 4, "end");
  write("z", (MARGIN.left + right) / 2, HEIGHT - 6);
  const turned = `translate(13 ${(MARGIN.top + bottom) / 2}) rotate(-90)`;
  drawing("text", { transform: turned, "text-anchor": "middle" }, node).textContent = name;
  write(title, (MARGIN.left + right) / 2, 18);
  return {
    line: (stroke, dash = "") =>
      drawing("path", { fill: "none", stroke, "stroke-width": 2, "stroke-dasharray": dash }, node),
    path: (xs, ys) => {
      const points = [];
      xs.forEach((v, i) => {
        if (v < Z[0] || v > Z[1] || ys[i] < tall[0] || ys[i] > tall[1]) return;
        points.push(`${across(v).toFixed(2)} ${up(ys[i]).toFixed(2)}`);
      });
      return `M${points.join("L")}`;
    },
    legend: (content, stroke, dash, row) => {
      const [x, y] = [MARGIN.left + 12, MARGIN.top + 14 + 18 * row];
      const d = `M${x} ${y - 4}h26`;
      drawing("path", { d, stroke, "stroke-width": 2, "stroke-dasharray": dash }, node);
      write(content, x + 34, y, "start");
    },
  };
}

function normal(value, std) {
  return Math.exp(-0.5 * (value / std) ** 2) / (std * Math.sqrt(2 * Math.PI));
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
.posterior-explorer {
  --ink: var(--jp-ui-font-color1, CanvasText);
  --line: var(--jp-border-color1, color-mix(in srgb, CanvasText 30%, Canvas));
  --accent: var(--jp-brand-color1, #1565c0);
  box-sizing: border-box; max-width: 720px; padding: 14px 16px;
  border: 1px solid var(--line); border-radius: 6px;
  color: var(--ink); background: var(--jp-layout-color1, Canvas);
  font: 14px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
}
.posterior-explorer svg { display: block; width: 100%; background: #fff; border-radius: 3px; }
.posterior-explorer svg text { font-size: 12px; fill: #222; }
.posterior-explorer label {
  display: grid; grid-template-columns: 20px 1fr 52px; align-items: center; min-height: 32px; margin-top: 6px;
}
.posterior-explorer input { width: 100%; min-width: 0; height: 24px; margin: 0; accent-color: var(--accent); }
.posterior-explorer input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.posterior-explorer output { text-align: right; }
.posterior-explorer .value, .posterior-explorer output { font-variant-numeric: tabular-nums; }
.posterior-explorer p { margin: 0; }
.posterior-explorer .spoken {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
`;
