// The view of helpers.explorers.PosteriorExplorer: see posterior.py, common.js and chart.js.
//
// The slider sets the model's x, one animation frame computes the posterior and draws, and the
// release tells the kernel.

import { axis, chart, chartLook, charts, DENSITY, WIDTH, Z } from "./chart.js";
import { element, follow, group, mount, number, slider, spoken } from "./common.js";

export default { render };

// The density of z given x, at each z; p(x); mean and standard deviation of z given x.
export function infer({ z, curve, noise }, x) {
  const dz = z[1] - z[0];
  const joint = z.map((v, i) => gaussian(x - curve[i], noise) * gaussian(v, 1));
  const sum = joint.reduce((a, b) => a + b);
  const mean = joint.reduce((a, p, i) => a + p * z[i], 0) / sum;
  const variance = joint.reduce((a, p, i) => a + p * (z[i] - mean) ** 2, 0) / sum;
  return { density: joint.map((p) => p / (sum * dz)), p: sum * dz, mean, std: variance ** 0.5 };
}

function render({ model, el }) {
  const { z, curve, noise, range, colors } = model.get("spec");
  const [low, high] = range;
  const [data, prior, posterior] = colors;

  const root = group(
    "posterior-explorer",
    "Posterior explorer",
    chartLook(".posterior-explorer", "20px"),
  );
  const svg = charts(root);
  const observations = axis("x", [1.2 * low, 1.2 * high], [low, 0, high]);
  const left = chart(svg, 0, "generation: x = f(z) + noise", Z, observations);
  left.line(data, "", left.path(z, curve));
  const observed = left.line(posterior);
  const right = chart(svg, WIDTH, "inference: z given x", Z, DENSITY);
  right.line(
    prior,
    "6 4",
    right.path(
      z,
      z.map((v) => gaussian(v, 1)),
    ),
  );
  const bump = right.line(posterior);
  right.legend(54, [
    ["prior p(z)", prior, "6 4"],
    ["posterior p(z|x)", posterior],
  ]);

  const move = (value) => view.set("x", value);
  const input = slider(root, "x", { min: low, max: high, step: 0.01 }, move, release);
  const text = element("p", { className: "value" });
  const live = spoken();
  root.append(text, live);
  mount(root, el);

  function draw(get) {
    const x = get("x");
    const { density, p, mean, std } = infer({ z, curve, noise }, x);
    observed.setAttribute("d", left.path(Z.range, [x, x]));
    bump.setAttribute("d", right.path(z, density));
    input.show(x);
    text.textContent =
      `p(x) = ${number(p, 4)}; posterior mean ${number(mean, 3)}, ` +
      `standard deviation ${number(std, 3)}`;
    svg.setAttribute("aria-label", `Prior and posterior of z given x = ${number(x)}`);
  }

  function release() {
    view.release();
    live.textContent = `x = ${number(model.get("x"))}: ${text.textContent}`;
  }

  const view = follow(model, ["x"], draw);
  return () => {
    view.stop();
    root.remove();
  };
}

function gaussian(value, std) {
  return Math.exp(-0.5 * (value / std) ** 2) / (std * Math.sqrt(2 * Math.PI));
}
