// The view of helpers.explorers.BoundExplorer: see bound.py, common.js and chart.js.
//
// A slider sets the model's mean or std, one animation frame sums over the grid and draws, and the
// release tells the kernel.

import { axis, chart, chartLook, charts, DENSITY, WIDTH, Z } from "./chart.js";
import { follow, group, mount, number, sentence, slider, spoken } from "./common.js";

export default { render };

const NATS = axis("nats", [-10, 1], [-10, -8, -6, -4, -2, 0]);
const BARS = axis(
  "",
  [-0.6, 2.6],
  [
    [0, "log p(x)"],
    [1, "ELBO"],
    [2, "gap"],
  ],
);
const FLOOR = NATS.range[0]; // bars stand on it, and are cut off at it
const TITLES = { mean: "mean of q", std: "width of q (σ)" };

// log p(x), from log p(x, z) on a grid of z.
export function logEvidence(z, logJoint) {
  const top = Math.max(...logJoint);
  return top + Math.log(logJoint.reduce((a, v) => a + Math.exp(v - top), 0) * (z[1] - z[0]));
}

// q at each z, the ELBO, and the gap KL(q ‖ p(z|x)), each by its own sum.
export function integrate({ z, logJoint, evidence }, mean, std) {
  const dz = z[1] - z[0];
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

function render({ model, el }) {
  const { z, log_joint: logJoint, limits, colors } = model.get("spec");
  const evidence = logEvidence(z, logJoint);
  const [posteriorColor, qColor, boundColor, dataColor] = colors;

  const root = group("bound-explorer", "Bound explorer", chartLook(".bound-explorer", "110px"));
  const svg = charts(root);
  const left = chart(svg, 0, "the proposal and the truth", Z, DENSITY);
  left.line(
    posteriorColor,
    "",
    left.path(
      z,
      logJoint.map((v) => Math.exp(v - evidence)),
    ),
  );
  const bump = left.line(qColor, "6 4");
  left.legend(190, [
    ["posterior p(z|x)", posteriorColor],
    ["q(z|x)", qColor, "6 4"],
  ]);
  const right = chart(svg, WIDTH, "ELBO + gap = log p(x)", BARS, NATS);
  const bars = [dataColor, boundColor, qColor].map((color, i) => right.bar(color, i));
  const level = right.line(dataColor, "2 3", right.path(BARS.range, [evidence, evidence]));
  level.setAttribute("stroke-width", 1);

  const sliders = Object.entries(TITLES).map(([name, title]) => {
    const [min, max] = limits[name];
    const move = (value) => view.set(name, value);
    return slider(root, title, { min, max, step: 0.01 }, move, release);
  });
  const text = sentence`ELBO ${"elbo"} + gap ${"gap"} = ${"sum"} nats; log p(x) = ${"evidence"}`;
  const live = spoken();
  root.append(text.node, live);
  mount(root, el);

  function draw(get) {
    const [mean, std] = [get("mean"), get("std")];
    const { density, elbo, gap } = integrate({ z, logJoint, evidence }, mean, std);
    bump.setAttribute("d", left.path(z, density));
    const height = Math.max(elbo, FLOOR);
    bars[0](FLOOR, evidence, number(evidence, 3), evidence);
    bars[1](FLOOR, height, number(elbo, 3), evidence);
    bars[2](height, evidence, number(gap, 3), evidence);
    for (const [i, value] of [mean, std].entries()) sliders[i].show(value);
    const [sum, log] = [elbo + gap, evidence].map((value) => number(value, 4));
    text.show({ elbo: number(elbo, 4), gap: number(gap, 4), sum, evidence: log });
    const said = text.node.textContent;
    svg.setAttribute("aria-label", `The posterior of z, q, and three bars. ${said}`);
  }

  function release() {
    view.release();
    live.textContent = text.node.textContent;
  }

  const view = follow(model, ["mean", "std"], draw);
  return () => {
    view.stop();
    root.remove();
  };
}
