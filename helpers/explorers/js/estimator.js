// The view of helpers.explorers.EstimatorExplorer: see estimator.py, panel.js and common.js.
//
// A control sets a trait of the model, one animation frame computes the estimates from the noise
// and draws, and the release tells the kernel.

import {
  button,
  element,
  floats,
  follow,
  group,
  mount,
  normal,
  setText,
  slider,
  spoken,
} from "./common.js";
import { numbers, others, place, valueAt } from "./estimator_numbers.js";
import { pairPanel } from "./estimator_pairs.js";
import { estimatePanel, numberTable, pushPanel, slopePanel } from "./estimator_panels.js";
import { named, panelLook } from "./panel.js";

export default { render };

const NAMES = ["mu", "sigma", "n", "f", "baseline", "dimension", "noise"];

function render({ model, el }) {
  const spec = model.get("spec");
  const rows = Object.keys(spec.rows);
  const root = group("estimator-explorer", "Estimators of a gradient", CSS, spec.colors);

  const panels = element("div", { className: "panels" });
  const shown = rows.filter((row) => row === "fresh" || row === "shared");
  const pairs = shown.map((row) => pairPanel(panels, row, spec));
  const single = rows.includes("p") || rows.includes("f");
  const pushes = rows.includes("p") ? pushPanel(panels) : undefined;
  const slopes = single ? slopePanel(panels, rows.includes("f")) : undefined;
  const marks = estimatePanel(panels, spec.rows);
  const table = numberTable(panels, spec.rows);
  const [choices, controls] = [0, 1].map(() => element("div", { className: "controls" }));
  const show = makeControls();
  const live = spoken();
  root.append(choices, controls, panels, live);
  mount(root, el);

  function makeControls() {
    const { limits } = spec;
    const label = element("label", { className: "choice", textContent: "f(z) = " });
    const select = element("select");
    for (const [value, { text }] of Object.entries(spec.choices)) {
      select.append(element("option", { value, textContent: text }));
    }
    label.append(select);
    choices.append(label);
    const now = (name, value) => {
      view.set(name, value);
      release();
    };
    select.addEventListener("change", () => now("f", select.value));
    const sliders = {};
    const add = (name, text, range, toValue = (v) => v) => {
      const one = slider(controls, text, range, (v) => view.set(name, toValue(v)), release);
      sliders[name] = { ...one, show: named(one, name), row: one.input.parentElement };
    };
    for (const [name, text] of [
      ["mu", "μ"],
      ["sigma", "σ"],
    ]) {
      add(name, text, { min: limits[name][0], max: limits[name][1], step: 0.01 });
    }
    const [low, high] = limits.n.map(Math.log10);
    add("n", "samples", { min: low, max: high, step: 0.01 }, (v) => Math.round(10 ** v));
    const [least, most] = limits.dimension;
    add("dimension", "D", { min: least, max: most, step: 1 });
    const checked = element("label", { className: "choice" });
    const box = element("input", { type: "checkbox" });
    checked.append(box, " baseline b = E f");
    checked.hidden = !rows.includes("p");
    box.addEventListener("change", () => now("baseline", box.checked));
    choices.append(checked);
    button(choices, "Fresh noise", () => {
      const fresh = Float32Array.from({ length: 2 * spec.size }, normal);
      now("noise", new DataView(fresh.buffer));
    });
    return (state) => {
      select.value = state.f;
      box.checked = state.baseline;
      const names = state.f === "norm" ? ["n", "dimension"] : ["mu", "sigma", "n"];
      if (controls.children.length !== names.length) {
        controls.replaceChildren(...names.map((name) => sliders[name].row));
      }
      sliders.mu.show(state.mu);
      sliders.sigma.show(state.sigma);
      sliders.dimension.show(state.dimension, String(state.dimension));
      sliders.n.show(Math.log10(state.n), String(state.n));
    };
  }

  let noise, bytes; // copied once, not for each picture
  function draw(get) {
    const state = Object.fromEntries(NAMES.map((name) => [name, get(name)]));
    if (bytes !== state.noise) noise = floats(state.noise);
    bytes = state.noise;
    state.noise = noise;
    const values = numbers(state, spec, rows);
    const [mu, sigma] = place(state);
    const count = Math.min(state.n, spec.arrows);
    const more = others({ ...state, n: count }, spec);
    const dots = Array.from({ length: count }, (_, i) => {
      const z = mu + sigma * noise[i];
      return { z, eps: noise[i], value: valueAt(state.f, z, more[i]) };
    });
    show(state);
    for (const drawPairs of pairs) drawPairs(state);
    pushes?.(state, dots);
    slopes?.(state, dots, spec.choices[state.f], values.truth);
    marks(values, spec.choices[state.f]);
    table(values, state.f);
  }

  function release() {
    view.release();
    setText(live, table.said());
  }

  const view = follow(model, NAMES, draw);
  return () => {
    view.stop();
    root.remove();
  };
}

const CSS = `${panelLook(".estimator-explorer")}
.estimator-explorer .controls { gap: 4px 18px; }
.estimator-explorer .choice { display: flex; align-items: center; gap: 6px; }
.estimator-explorer [hidden] { display: none; }
.estimator-explorer .choice input { width: 18px; height: 18px; }
.estimator-explorer .slider { flex: 1 1 180px; }
.estimator-explorer .panel .curve { stroke: var(--soft); stroke-width: 2; }
.estimator-explorer .panel .pairs { stroke: var(--soft); stroke-width: 1.2; }
.estimator-explorer .panel .arrows { stroke: var(--gradient); stroke-width: 2; }
.estimator-explorer .panel .dots {
  stroke: var(--posterior); stroke-width: 7; stroke-linecap: round;
}
.estimator-explorer .panel .base { stroke: var(--prior); stroke-width: 2.5; stroke-dasharray: 7 4; }
.estimator-explorer .panel .truth { stroke: var(--gradient); stroke-width: 3; }
.estimator-explorer .panel .error { stroke: var(--ink); stroke-width: 2; }
.estimator-explorer .panel .mean { stroke: var(--ink); stroke-width: 11; stroke-linecap: round; }
.estimator-explorer .panel .note { font-size: 16px; font-weight: 600; }
.estimator-explorer table { width: 100%; margin: 0; border-collapse: collapse; font-size: 14px; }
.estimator-explorer :is(th, td) { padding: 4px 6px; text-align: right; border: 0; background: none; }
.estimator-explorer th { font-weight: normal; color: var(--soft); }
.estimator-explorer th:first-child { min-width: 116px; padding-left: 0; text-align: left; }
.estimator-explorer td { font-variant-numeric: tabular-nums; white-space: nowrap; }
.estimator-explorer tbody tr { border-top: 1px solid var(--line); }
.estimator-explorer .formula { margin-top: 6px; color: var(--soft); }
`;
