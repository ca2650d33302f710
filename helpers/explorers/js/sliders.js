// One slider for each dimension of z, and two buttons.

import { button, element, normal, slider } from "./common.js";
import { dimensionName } from "./pieces.js";

export function sliderRows(state) {
  const node = element("div", { className: "sliders" });
  const rows = state.spec.ranges.map(([low, high], d) => {
    const range = { min: low, max: high, step: niceStep((high - low) / 200) };
    const move = (value) => state.moveTo(state.get("z").map((old, i) => (i === d ? value : old)));
    const row = slider(node, dimensionName(d), range, move, () => state.release());
    row.output.dataset.value = `z${d + 1}`;
    return row;
  });
  function draw(z) {
    for (const [d, row] of rows.entries()) row.show(z[d]);
  }
  return { node, draw };
}

export function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [5, 2, 1].find((factor) => factor * power <= rough * 1.0001);
  return Number(step.toPrecision(3));
}

export function buttons(state) {
  const { spec } = state;
  const row = element("div", { className: "row" });
  const random = spec.prior
    ? () => state.moveTo(state.get("z").map(normal))
    : () => state.moveTo(state.get("z").map((_, d) => uniform(spec.ranges[d])));
  const title = spec.prior ? "Random z from the prior" : "Random z";
  for (const [text, act] of [
    ["Reset", () => state.moveTo(spec.start)],
    [title, random],
  ]) {
    button(row, text, () => {
      act();
      state.release();
    });
  }
  return row;
}

function uniform([low, high]) {
  return low + (high - low) * Math.random();
}
