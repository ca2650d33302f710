// The line of the flow explorer, as in img/vae.svg: nodes that can be pressed, and arrows.

import { element, setText, shape, slider } from "./common.js";
import { betaOf, blocked, digits, inNats, short, shortSum, sub, total } from "./flow_math.js";

const BELL = { wide: 100, tall: 44 };
const ROOMY = 2; // latents that leave room for large bells

// `node` is the line; `nodes` and `arrows` list its parts, with their names and their latents.
export function createLine(spec, act) {
  const node = element("div", { className: "line" });
  node.classList.toggle("plain", !spec.variational);
  node.classList.toggle("roomy", spec.shown <= ROOMY);
  const nodes = [];
  const arrows = [];
  const texts = new Map(); // by the number's name
  const shows = [];

  function value(name) {
    const span = element("span", { className: "value" });
    span.dataset.value = name;
    texts.set(name, span);
    return span;
  }

  function add(parent, name, i, className, ...children) {
    const one = element("button", { type: "button", className: `node ${className}` });
    one.dataset.node = name;
    one.append(...children);
    one.addEventListener("click", () => act.select(name, i));
    parent.append(one);
    nodes.push({ name, i, node: one });
    return one;
  }

  function arrow(parent, name, way = "right") {
    const one = element("span", { className: `arrow ${way} ${name}` });
    one.setAttribute("aria-hidden", "true");
    one.append(arrowhead("forward"));
    for (const light of ["reconstruction", "kl"]) one.append(arrowhead(light));
    parent.append(one);
    arrows.push({ name, node: one });
  }

  image(add, node, "x", "x", spec, shows, ({ x }) => x);
  arrow(node, "x-encoder");
  add(node, "encoder", 0, "network encoder", trapezoid(false), text("encoder"));
  arrow(node, "encoder-q");
  const latents = element("div", { className: "latents" });
  node.append(latents);
  const build = spec.variational ? latent : codeOf;
  if (spec.variational) {
    const way = blocked(spec) ? "z drawn" : "z = μ + σ ε";
    latents.append(
      text("code distribution q(z\u00a0|\u00a0x)", "head"),
      text(""),
      text(way, "head"),
    );
  }
  for (let i = 0; i < spec.shown; i++) build({ spec, act, add, arrow, value, shows }, latents, i);
  const left = spec.latent_dim - spec.shown;
  if (left > 0)
    latents.append(text(`and ${left} more latents; the totals are over all`, "head more"));
  arrow(node, "z-decoder");
  add(node, "decoder", 0, "network decoder", trapezoid(true), text("decoder"));
  arrow(node, "decoder-x_hat");
  image(add, node, "x_hat", "x̂", spec, shows, ({ pixels }) => pixels);
  const write = spec.likelihood === "mean" ? digits : short; // means of pixels are small
  terms({ spec, add, value, shows, write }, node);

  function show(result, numbers) {
    for (const draw of shows) draw(result);
    for (const [name, span] of texts) setText(span, write(numbers[name]));
    if (spec.variational && write === short && betaOf(spec) === 1) {
      setText(texts.get("loss"), shortSum(numbers.reconstruction, numbers.kl)); // of what is shown
    }
  }
  function choose(name, latent) {
    for (const one of nodes) {
      one.node.setAttribute("aria-pressed", one.name === name && one.i === latent);
    }
  }
  return { node, nodes, arrows, show, choose };
}

// An image of the line, with its name below.
function image(add, parent, name, title, { side }, shows, of) {
  const canvas = element("canvas", { width: side, height: side });
  canvas.dataset.role = name;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", name === "x" ? "The image x" : "The reconstruction x̂");
  const end = element("div", { className: `end ${name}` }); // with a line down to the terms
  add(end, name, 0, `image ${name}`, canvas, text(title, "math"));
  parent.append(end);
  const context = canvas.getContext("2d");
  const data = context.createImageData(side, side);
  shows.push((result) => {
    for (const [i, v] of of(result).entries())
      data.data.fill(Math.round(255 * v), 4 * i, 4 * i + 3);
    for (let at = 3; at < data.data.length; at += 4) data.data[at] = 255;
    context.putImageData(data, 0, 0);
  });
}

// The row of one latent: q with its bell, ε with its own, and z.
function latent({ spec, act, add, arrow, value, shows }, parent, i) {
  const left = element("div", { className: "posterior" });
  const bell = createBell(spec.limit, true);
  const lines = element("span", { className: "lines" });
  lines.append(
    quantity("μ", i, value(`mu_${i + 1}`), "mu"),
    quantity("σ", i, value(`sigma_${i + 1}`), "sigma"),
  );
  add(left, "q", i, "q", lines, bell.node);
  add(left, "kl", i, "kl", quantity("KL", i, value(`kl_${i + 1}`)));
  parent.append(left);
  arrow(parent, "q-z");
  if (blocked(spec)) {
    const law = text(`z${sub(i)} ∼ N(μ${sub(i)}, σ${sub(i)}²)`, "math law");
    add(parent, "z", i, "z drawn", law, quantity("z", i, value(`z_${i + 1}`)));
    shows.push(({ mu, sigma, z }) => bell.show(mu[i], sigma[i], z[i]));
    return;
  }
  const right = element("div", { className: "sampled" });
  const cell = element("div", { className: "eps" });
  const place = element("div", { className: "bell" });
  const noise = createBell(spec.reach, false);
  let current = [];
  const move = (v) => act.hold("eps", current.with(i, v));
  add(cell, "eps", i, "noise", quantity("ε", i, value(`eps_${i + 1}`)));
  place.append(noise.node);
  const dot = slider(
    place,
    "",
    { min: -spec.reach, max: spec.reach, step: 0.01 },
    move,
    act.release,
  );
  dot.input.dataset.role = `eps_${i + 1}`;
  dot.input.setAttribute("aria-label", `ε${sub(i)}`);
  cell.append(place);
  right.append(cell);
  arrow(right, "eps-z", "down");
  add(right, "z", i, "z", quantity("z", i, value(`z_${i + 1}`)));
  parent.append(right);
  shows.push(({ mu, sigma, eps, z }) => {
    current = Array.from(eps);
    bell.show(mu[i], sigma[i], z[i]);
    noise.show(0, 1, null);
    dot.show(eps[i]);
  });
}

function codeOf({ add, value }, parent, i) {
  add(parent, "z", i, "z", quantity("z", i, value(`z_${i + 1}`)));
}

// Below the line: what compares x̂ with x, the KL, and the loss that they add up to.
function terms({ spec, add, value, shows, write }, parent) {
  const box = element("div", { className: "terms" });
  const nats = inNats(spec) ? " nats" : "";
  const beta = betaOf(spec);
  if (spec.variational) {
    add(box, "kl_total", 0, "kl", text("KL, all latents "), value("kl"), text(" nats"));
  }
  const names = { sum: "squared error, all pixels ", mean: "squared error, mean of the pixels " };
  const name = names[spec.likelihood] ?? "reconstruction loss −log p(x | z) ";
  add(box, "reconstruction", 0, "reconstruction", text(name), value("reconstruction"), text(nats));
  parent.append(box);
  const sum = text("", "sum");
  const parts = spec.variational
    ? [text("loss = "), sum, value("loss"), text(nats)]
    : [text("loss = "), value("loss")];
  if (nats && spec.variational && beta === 1) parts.push(text(" = −ELBO"));
  add(parent, "loss", 0, "loss", ...parts);
  shows.push(({ reconstruction, kl }) =>
    setText(
      sum,
      `${write(reconstruction)} + ${beta === 1 ? "" : `${digits(beta)} × `}${write(total(kl))} = `,
    ),
  );
}

function text(content, className = "") {
  return element("span", { className, textContent: content });
}

// A name with its latent's number, and its value.
function quantity(name, i, span, part = "") {
  const row = element("span", { className: `quantity ${part}` });
  row.append(text(`${name}${sub(i)} =\u00a0`, "math"), span);
  return row;
}

function trapezoid(turned) {
  const svg = picture("0 0 100 100", "trapezoid");
  svg.setAttribute("preserveAspectRatio", "none");
  const d = turned ? "M2 16L98 2V98L2 84Z" : "M2 2L98 16V84L2 98Z";
  shape("path", { d, "vector-effect": "non-scaling-stroke" }, svg);
  return svg;
}

function arrowhead(kind) {
  const svg = picture("0 0 24 12", kind);
  const back = kind !== "forward";
  shape("path", { class: "shaft", d: back ? "M24 6H7" : "M0 6H18" }, svg);
  shape("path", { class: "head", d: back ? "M9 1L1 6L9 11z" : "M15 1L23 6L15 11z" }, svg);
  if (back) shape("path", { class: "bar", d: "M12 -16V18" }, svg);
  return svg;
}

// A bell over −limit … limit; `prior`: with that of the prior, dashed. A dot marks z.
function createBell(limit, prior) {
  const { wide, tall } = BELL;
  const svg = picture(`0 0 ${wide} ${tall}`, "curve");
  svg.setAttribute("preserveAspectRatio", "none");
  const dashed = prior ? shape("path", { class: "prior" }, svg) : null;
  const area = shape("path", { class: "area" }, svg);
  shape("path", { class: "axis", d: `M0 ${tall}H${wide}` }, svg);
  const dots = prior ? ["rim", "dot"].map((kind) => shape("path", { class: kind }, svg)) : [];
  const toX = (v) => (wide * (v + limit)) / (2 * limit);
  function curve(mu, sigma, peak) {
    const points = Array.from({ length: 121 }, (_, k) => {
      const v = Math.max(-limit, Math.min(limit, mu + sigma * (k / 15 - 4)));
      const y = tall - (tall - 4) * (Math.exp(-0.5 * ((v - mu) / sigma) ** 2) / sigma / peak);
      return `${toX(v).toFixed(2)} ${y.toFixed(2)}`;
    });
    return `M${points.join("L")}`;
  }
  function show(mu, sigma, z) {
    const width = Math.max(sigma, 1e-3);
    const peak = Math.max(prior ? 1 : 0, 1 / width);
    area.setAttribute("d", curve(mu, width, peak));
    dashed?.setAttribute("d", curve(0, 1, peak));
    const at = Math.min(wide, Math.max(0, toX(z)));
    for (const dot of dots) dot.setAttribute("d", `M${at} ${tall}h0.01`);
  }
  return { node: svg, show };
}

function picture(viewBox, className) {
  const holder = element("span");
  const svg = shape("svg", { viewBox, class: className, "aria-hidden": "true" }, holder);
  svg.remove();
  return svg;
}
