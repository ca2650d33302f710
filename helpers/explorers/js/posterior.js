// The view of helpers.explorers.PosteriorExplorer: see posterior.py, common.js and chart.js.
//
// The slider sets the model's x, one animation frame computes the posterior and draws, and the
// release tells the kernel. A button draws z from the prior and then x, once or often.

import { axis, chart, chartLook, charts, DENSITY, WIDTH, Z } from "./chart.js";
import {
  button,
  element,
  follow,
  group,
  mount,
  normal,
  number,
  sentence,
  slider,
  spoken,
} from "./common.js";
import { drawPair, pairs, priorDraws } from "./prior_draws.js";

export default { render };

// The density of z given x, at each z; p(x); mean and standard deviation of z given x.
export function infer({ z, curve, noise }, x) {
  const dz = z[1] - z[0];
  const squares = z.map((v, i) => ((x - curve[i]) / noise) ** 2 + v * v);
  const least = Math.min(...squares); // taken out before exp: far from the curve all would be 0
  const joint = squares.map((square) => Math.exp((least - square) / 2));
  const total = joint.reduce((a, b) => a + b) * dz;
  const density = joint.map((p) => p / total);
  const mean = density.reduce((a, p, i) => a + p * z[i], 0) * dz;
  const variance = density.reduce((a, p, i) => a + p * (z[i] - mean) ** 2, 0) * dz;
  const p_x = (total * Math.exp(-least / 2)) / (2 * Math.PI * noise);
  return { density, p_x, mean, std: variance ** 0.5 };
}

function render({ model, el }) {
  const { z, curve, noise, limits, colors, most, inference } = model.get("spec");
  const [low, high] = limits.x;
  const [data, prior, posterior] = colors;

  const root = group(
    "posterior-explorer",
    "Posterior explorer",
    chartLook(".posterior-explorer", "20px", inference ? 2 : 1),
  );
  const svg = charts(root, inference ? 2 : 1);
  const observations = axis("x", [1.2 * low, 1.2 * high], [low, 0, high]);
  const left = chart(svg, 0, "generation: x = f(z) + noise", Z, observations);
  left.line(data, "", left.path(z, curve));
  const observed = inference && left.line(posterior);
  const showDraws = priorDraws(left, { z, curve, noise }, observations.range, colors);
  const right = inference && chart(svg, WIDTH, "inference: z given x", Z, DENSITY);
  const bump = inference && densities(right, z, prior, posterior);

  const move = (value) => view.set("x", value);
  const range = { min: low, max: high, step: 0.01 };
  const input = inference && slider(root, "x", range, move, release);
  const text = sentence`p(x) = ${"p_x"}; posterior mean ${"mean"}, standard deviation ${"std"}`;
  const actions = element("div", { className: "controls" });
  button(actions, "Draw z, then x", () => drawMore(1));
  button(actions, "Draw 100", () => drawMore(100));
  button(actions, "Clear", () => keep([]));
  const count = sentence`drawn: ${"draws"}; at the right edge their x pile up as p(x)`;
  actions.append(count.node);
  const live = spoken();
  if (inference) root.append(text.node);
  root.append(actions, live);
  mount(root, el);

  function draw(get) {
    const drawn = pairs(get("drawn"));
    showDraws(drawn);
    count.show({ draws: drawn.length });
    if (inference) drawInference(get("x"));
    else svg.setAttribute("aria-label", "The curve f(z), and pairs z, x that were drawn");
  }

  function drawInference(x) {
    const { density, p_x, mean, std } = infer({ z, curve, noise }, x);
    observed.setAttribute("d", left.path(Z.range, [x, x]));
    bump.setAttribute("d", right.path(z, density));
    input.show(x);
    text.show({ p_x: number(p_x, 4), mean: number(mean, 3), std: number(std, 3) });
    svg.setAttribute("aria-label", `Prior and posterior of z given x = ${number(x)}`);
  }

  function release() {
    view.release();
    live.textContent = `x = ${number(model.get("x"))}: ${text.node.textContent}`;
  }

  function keep(drawn) {
    view.set("drawn", new DataView(Float32Array.from(drawn.flat()).buffer));
    view.release();
    const [z, x] = drawn.at(-1) ?? [];
    live.textContent = drawn.length
      ? `${drawn.length} drawn; the last: z = ${number(z)} from the prior, then x = ${number(x)}`
      : "nothing drawn";
  }

  function drawMore(times) {
    const fresh = Array.from({ length: times }, () => drawPair({ z, curve, noise }, normal));
    keep([...pairs(view.get("drawn")), ...fresh].slice(-most));
  }

  const view = follow(model, ["x", "drawn"], draw);
  return () => {
    view.stop();
    root.remove();
  };
}

// The prior and a legend; gives the line of the posterior.
function densities(right, z, prior, posterior) {
  right.line(prior, "6 4", right.path(z, z.map(bell)));
  right.legend(54, [
    ["prior p(z)", prior, "6 4"],
    ["posterior p(z|x)", posterior],
  ]);
  return right.line(posterior);
}

function bell(value) {
  return Math.exp(-0.5 * value ** 2) / Math.sqrt(2 * Math.PI);
}
