// The view of helpers.explorers.KLExplorer: see kl.py, panel.js and common.js.
//
// A slider, or a handle on the bell of q, sets the model's mu or sigma, one animation frame draws,
// and the release tells the kernel.

import {
  element,
  follow,
  group,
  mount,
  number,
  sentence,
  shape,
  slider,
  spoken,
} from "./common.js";
import { named, panel, panelLook } from "./panel.js";

export default { render };

const Z = { name: "z", range: [-6, 6], marks: [-6, -4, -2, 0, 2, 4, 6] };
const AXIS = Array.from({ length: 361 }, (_, i) => Z.range[0] + i / 30);
const TERMS = [
  // the bars, from the top
  ["mu_term", "½ μ²"],
  ["sigma_term", "½ (σ² − 1)"],
  ["log_term", "− log σ"],
  ["kl", "KL, their sum"],
];

function bell(z, mu, sigma) {
  return Math.exp(-(((z - mu) / sigma) ** 2) / 2) / (sigma * Math.sqrt(2 * Math.PI));
}

// q log(q / p) at z, for q = N(mu, sigma²) and p = N(0, 1).
function integrand(z, mu, sigma) {
  const logRatio = (z * z) / 2 - ((z - mu) / sigma) ** 2 / 2 - Math.log(sigma);
  return bell(z, mu, sigma) * logRatio;
}

// What the reader sees: the closed form and its terms, and the area of q log(q / p), in nats.
export function klNumbers(mu, sigma) {
  const [mu_term, sigma_term, log_term] = [mu ** 2 / 2, (sigma ** 2 - 1) / 2, -Math.log(sigma)];
  const step = sigma / 200;
  let [positive, negative] = [0, 0];
  for (let i = -2000; i <= 2000; i++) {
    const area = integrand(mu + i * step, mu, sigma) * step;
    if (area > 0) positive += area;
    else negative -= area;
  }
  return {
    mu,
    sigma,
    mu_term,
    sigma_term,
    log_term,
    kl: mu_term + sigma_term + log_term,
    positive,
    negative,
    area: positive - negative,
  };
}

function render({ model, el }) {
  const { limits, colors } = model.get("spec");
  const root = group("kl-explorer", "KL explorer", CSS, colors);
  const panels = element("div", { className: "panels" });
  const column = element("div");
  panels.append(column);
  const bells = bellPanel(column);
  const areas = areaPanel(column);
  const bars = barPanel(panels);

  const controls = element("div", { className: "controls" });
  const sliders = [
    ["mu", "μ"],
    ["sigma", "σ"],
  ].map(([name, text]) => {
    const [min, max] = limits[name];
    const move = (value) => view.set(name, value);
    return named(slider(controls, text, { min, max, step: 0.01 }, move, release), name);
  });
  const sum = sentence`Shaded: ${"positive"} above 0, less ${"negative"} below, is ${"area"} nats.`;
  const live = spoken();
  root.append(panels, controls, sum.node, live);
  bells.onDrag(
    {
      mu: (z) => view.set("mu", within(z, limits.mu)),
      sigma: (z) => view.set("sigma", within(Math.abs(z - view.get("mu")), limits.sigma)),
    },
    release,
  );
  mount(root, el);

  function draw(get) {
    const [mu, sigma] = [get("mu"), get("sigma")];
    const numbers = klNumbers(mu, sigma);
    bells.draw(mu, sigma);
    areas.draw(mu, sigma);
    bars.draw(numbers);
    for (const [i, value] of [mu, sigma].entries()) sliders[i](value);
    const areasOf = ["positive", "negative", "area"].map((name) => [
      name,
      number(numbers[name], 3),
    ]);
    sum.show(Object.fromEntries(areasOf));
  }

  function release() {
    view.release();
    const { mu, sigma, kl, mu_term, sigma_term, log_term } = klNumbers(
      view.get("mu"),
      view.get("sigma"),
    );
    const terms = [mu_term, sigma_term, log_term].map((value) => number(value, 3)).join(", ");
    live.textContent = `μ ${number(mu)}, σ ${number(sigma)}: KL ${number(kl, 3)} nats, of ${terms}`;
  }

  const view = follow(model, ["mu", "sigma"], draw);
  return () => {
    view.stop();
    root.remove();
  };
}

function within(value, [low, high]) {
  return Math.min(high, Math.max(low, Math.round(100 * value) / 100));
}

// q over the prior, with two handles: the top moves μ, the one beside it σ.
function bellPanel(parent) {
  const up = { name: "density", range: [0, 0.8] };
  const chart = panel(parent, { height: 220, title: "q over the prior", across: Z, up });
  const [prior, q] = [chart.path("prior"), chart.path("q")];
  const legend = shape("g", {}, chart.svg);
  const names = [
    ["prior p = N(0, 1)", "prior"],
    ["q", "q"],
  ].map(([text, kind], i) => {
    const y = chart.frame.top + 12 + 18 * i;
    shape("path", { class: kind, d: `M52 ${y - 4}h22` }, legend);
    return chart.write(text, 80, y, "start", legend);
  });
  const handles = { mu: handle("mu"), sigma: handle("sigma") };
  function handle(name) {
    const node = shape("g", { class: "handle", "data-handle": name }, chart.svg);
    shape("circle", { r: 20, class: "reach" }, node);
    shape("circle", { r: 7, class: "knob" }, node);
    chart.write(name === "mu" ? "μ" : "σ", 0, -12, "middle", node);
    return node;
  }
  return {
    draw(mu, sigma) {
      const top = bell(mu, mu, sigma);
      chart.setRange("y", [0, Math.max(0.8, 1.35 * top)]);
      prior.setAttribute(
        "d",
        chart.line(
          AXIS,
          AXIS.map((z) => bell(z, 0, 1)),
        ),
      );
      q.setAttribute("d", chart.line(...fine(mu, sigma, (z) => bell(z, mu, sigma))));
      const at = { mu: [mu, top], sigma: [mu + sigma, bell(mu + sigma, mu, sigma)] };
      for (const [name, [x, y]] of Object.entries(at)) {
        handles[name].setAttribute("transform", `translate(${chart.toX(x)} ${chart.toY(y)})`);
      }
      legend.setAttribute("transform", `translate(${mu < 0 ? 140 : 0} 0)`); // where q is not
      names[1].textContent = `q = N(${number(mu)}, ${number(sigma)}²)`;
      chart.svg.setAttribute(
        "aria-label",
        `The bell of q, at ${number(mu)} with width ${number(sigma)}, over the prior's.`,
      );
    },
    onDrag(moves, release) {
      let name;
      for (const [key, node] of Object.entries(handles)) {
        node.addEventListener("pointerdown", (event) => {
          if (event.button !== 0) return;
          name = key;
          node.setPointerCapture(event.pointerId);
          event.preventDefault();
        });
        // touch-action has no effect on a group within an SVG: a finger would scroll the page.
        node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
        node.addEventListener("pointermove", (event) => {
          if (name === key) moves[key](chart.valueAt(event));
        });
        for (const end of ["pointerup", "pointercancel"]) {
          node.addEventListener(end, () => {
            if (name === key) release();
            name = undefined;
          });
        }
      }
    },
  };
}

// The axis of z, finer where q is.
function fine(mu, sigma, f) {
  const zs = [...AXIS, ...AXIS.map((z) => mu + sigma * z)]
    .filter((z) => z >= Z.range[0] && z <= Z.range[1])
    .sort((a, b) => a - b);
  return [zs, zs.map(f)];
}

// q log(q / p), filled where it is positive, hatched where it is negative.
function areaPanel(parent) {
  const chart = panel(parent, {
    height: 200,
    title: "area above less area below: the KL",
    across: Z,
    up: { name: "q log (q / p)", range: [-0.3, 0.6] },
  });
  const [positive, negative] = [chart.path("positive"), chart.path("negative")];
  const [hatch, curve, zero] = [chart.path("hatch"), chart.path("curve"), chart.path("axis")];
  return {
    draw(mu, sigma) {
      const [zs, ys] = fine(mu, sigma, (z) => integrand(z, mu, sigma));
      chart.setRange("y", [
        Math.min(-0.3, 1.15 * Math.min(...ys)),
        Math.max(0.6, 1.15 * Math.max(...ys)),
      ]);
      const fill = (values) => `${chart.line([zs[0], ...zs, zs.at(-1)], [0, ...values, 0])}Z`;
      positive.setAttribute("d", fill(ys.map((y) => Math.max(0, y))));
      negative.setAttribute("d", fill(ys.map((y) => Math.min(0, y))));
      hatch.setAttribute("d", hatching(chart, mu, sigma));
      curve.setAttribute("d", chart.line(zs, ys));
      zero.setAttribute("d", chart.line(Z.range, [0, 0]));
      const { positive: above, negative: below } = klNumbers(mu, sigma);
      chart.svg.setAttribute(
        "aria-label",
        `q log (q / p) over z: an area of ${number(above, 3)} ` +
          `above zero, and of ${number(below, 3)} below, which is hatched.`,
      );
    },
  };
}

function hatching(chart, mu, sigma) {
  let d = "";
  for (let x = chart.frame.left; x < chart.frame.right; x += 4) {
    const z = Z.range[0] + ((x - chart.frame.left) / (chart.frame.right - chart.frame.left)) * 12;
    const y = integrand(z, mu, sigma);
    if (y < 0) d += `M${x} ${chart.toY(0)}V${chart.toY(y)}`;
  }
  return d;
}

// Each bar begins where the one above it ended; the last is their sum.
function barPanel(parent) {
  const across = { name: "nats", range: [-0.6, 1.2] };
  const chart = panel(parent, { height: 420, title: "the closed form: three bars add up", across });
  const zero = chart.path("axis");
  const rows = TERMS.map(([name, text], i) => {
    const y = 60 + 84 * i;
    const [bar, step] = [chart.path("bar"), chart.path("step")];
    chart.write(text, chart.frame.left, y, "start").setAttribute("class", "big");
    const value = chart.write("", chart.frame.right, y, "end");
    value.setAttribute("class", "big");
    value.dataset.value = name;
    return { bar, step, value, y: y + 10 };
  });
  return {
    draw(numbers) {
      const ends = [numbers.mu_term, numbers.mu_term + numbers.sigma_term, numbers.kl];
      chart.setRange("x", [Math.min(-0.6, ...ends), 1.05 * Math.max(1.2, ...ends)]);
      zero.setAttribute("d", `M${chart.toX(0)} ${chart.frame.top + 6}V${chart.frame.bottom}`);
      rows.forEach(({ bar, step, value, y }, i) => {
        const name = TERMS[i][0];
        const from = i === 3 ? 0 : (ends[i - 1] ?? 0);
        const to = ends[Math.min(i, 2)];
        bar.setAttribute("d", `M${chart.toX(from)} ${y}V${y + 34}H${chart.toX(to)}V${y}Z`);
        bar.setAttribute("class", `bar ${i === 3 ? "total" : to < from ? "less" : "more"}`);
        step.setAttribute("d", i < 3 ? `M${chart.toX(to)} ${y + 34}v50` : "");
        value.textContent = number(numbers[name], 3);
      });
      const said = TERMS.map(([name, text]) => `${text} ${number(numbers[name], 3)}`).join(", ");
      chart.svg.setAttribute("aria-label", `Bars in nats: ${said}.`);
    },
  };
}

const CSS = `${panelLook(".kl-explorer")}
.kl-explorer .panel .prior { stroke: var(--prior); stroke-width: 2.5; stroke-dasharray: 7 4; }
.kl-explorer .panel .q { stroke: var(--posterior); stroke-width: 3; }
.kl-explorer .panel .curve { stroke: var(--ink); stroke-width: 1.5; }
.kl-explorer .panel :is(.positive, .more) { fill: var(--prior); fill-opacity: 0.75; stroke: none; }
.kl-explorer .panel .negative { fill: var(--prior); fill-opacity: 0.25; stroke: none; }
.kl-explorer .panel .hatch { stroke: var(--ink); }
.kl-explorer .panel .less {
  fill: var(--prior); fill-opacity: 0.25; stroke: var(--ink); stroke-dasharray: 4 3;
}
.kl-explorer .panel .total { fill: var(--prior); stroke: var(--ink); stroke-width: 2; }
.kl-explorer .panel .step { stroke-dasharray: 2 3; }
.kl-explorer .panel .big { font-size: 17px; }
.kl-explorer .handle { cursor: ew-resize; touch-action: none; }
.kl-explorer .reach { fill: transparent; }
.kl-explorer .knob { fill: var(--posterior); stroke: var(--ink); stroke-width: 1.5; }
.kl-explorer p.value { font-size: 15px; }
`;
