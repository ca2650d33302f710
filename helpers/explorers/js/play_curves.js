// Both terms of the loss against the step, and the shares of the encoder's gradient.

import { element, number, setText, ticks, valueNode } from "./common.js";
import { lossDigits, unitOf } from "./play_settings.js";

const SIZE = { wide: 720, tall: 300 }; // pixels; shown at half of it
const EDGE = { left: 84, right: 16, top: 34, bottom: 44 };

export function createCurvesPanel(spec) {
  const node = element("section", { className: "panel curves-panel" });
  node.setAttribute("aria-label", "Losses");
  const reconstruction = plot(
    node,
    "reconstruction",
    "reconstruction loss",
    spec.colors.reconstruction,
  );
  const kl = plot(node, "kl", "KL", spec.colors.prior);
  const marks = element("p", { className: "hint" });
  const shares = createShares();
  node.append(marks, shares.node);
  let drawn = null;
  function show(view) {
    if (view === drawn) return;
    drawn = view;
    reconstruction.show(view, `reconstruction loss, ${unitOf(view.likelihood)}`);
    kl.show(view, "KL, nats");
    const last = view.marks.slice(-3).map(({ steps, text }) => `${steps}: ${text}`);
    setText(
      marks,
      last.length ? `Changed at step ${last.join("; ")}` : "Thick: held out. Thin: training.",
    );
    shares.show(view.shares);
  }
  return { node, show };
}

function plot(parent, term, name, color) {
  const canvas = element("canvas", { width: SIZE.wide, height: SIZE.tall });
  canvas.dataset.role = `curve-${term}`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Losses, not drawn yet");
  parent.append(canvas);
  const context = canvas.getContext("2d");
  function show(view, title) {
    // Losses of different likelihoods have no common unit: the curve is that of the present one.
    const fits = ({ likelihood, held }) =>
      term === "kl" || likelihood === view.likelihood ? held[term] !== null : false;
    const points = view.points.filter(fits);
    canvas.hidden = points.length === 0; // as the KL of an autoencoder
    const scale = scaleOf(view.points, points, term);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIZE.wide, SIZE.tall);
    axes(context, scale, title);
    for (const { steps } of view.marks) mark(context, scale.x(steps));
    if (view.steps < view.points.at(-1).steps) mark(context, scale.x(view.steps), "#000");
    curve(
      context,
      points.map((one) => [scale.x(one.steps), one.training[term], scale]),
      "#888",
      2,
    );
    curve(
      context,
      points.map((one) => [scale.x(one.steps), one.held[term], scale]),
      color,
      5,
    );
    canvas.setAttribute("aria-label", say(name, points, term));
  }
  return { show };
}

// The first steps, which are far above the rest, may leave the chart; the last point may not.
export function scaleOf(all, points, term) {
  const values = points
    .map(({ held }) => held[term])
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const at = (share) => values[Math.floor(share * (values.length - 1))] ?? 0;
  const now = points.at(-1)?.held[term];
  const [least, most] = [at(0), Math.max(at(0.94), Number.isFinite(now) ? now : at(0.94))];
  const margin = 0.08 * (most - least) || 0.05 * Math.abs(most) || 1;
  const low = term === "kl" ? 0 : least - margin;
  const high = term === "kl" ? Math.max(0.1, most + margin) : most + margin;
  const right = Math.max(50, all.at(-1)?.steps ?? 0);
  const { wide, tall } = SIZE;
  const x = (v) => EDGE.left + ((wide - EDGE.left - EDGE.right) * v) / right;
  const y = (v) =>
    tall - EDGE.bottom - ((tall - EDGE.top - EDGE.bottom) * (v - low)) / (high - low);
  return { x, y, low, high, right };
}

function axes(context, { x, y, low, high, right }, title) {
  context.font = "22px system-ui, sans-serif";
  context.strokeStyle = "#ddd";
  context.lineWidth = 1;
  context.textBaseline = "middle";
  for (const v of ticks(low, high).filter((_, i) => i % 2 === 0)) {
    context.fillStyle = "#ddd";
    context.fillRect(EDGE.left, y(v), SIZE.wide - EDGE.left - EDGE.right, 1);
    context.fillStyle = "#333";
    context.textAlign = "right";
    context.fillText(String(v), EDGE.left - 8, y(v));
  }
  context.textAlign = "center";
  for (const v of ticks(0, right))
    context.fillText(String(v), Math.min(x(v), SIZE.wide - 34), SIZE.tall - 20);
  context.textAlign = "left";
  context.font = "600 24px system-ui, sans-serif";
  context.fillText(title, EDGE.left, 17);
}

function mark(context, x, color = "#d55e00") {
  context.fillStyle = color;
  context.fillRect(x - 1, EDGE.top, 2, SIZE.tall - EDGE.top - EDGE.bottom);
}

function curve(context, points, color, width) {
  context.save();
  context.beginPath();
  context.rect(EDGE.left, EDGE.top, SIZE.wide, SIZE.tall - EDGE.top - EDGE.bottom);
  context.clip();
  context.strokeStyle = color;
  context.lineWidth = width;
  context.lineJoin = "round";
  context.beginPath();
  let on = false;
  for (const [x, value, { y }] of points) {
    if (!Number.isFinite(value)) on = false;
    else if (on) context.lineTo(x, y(value));
    else context.moveTo(x, y(value));
    on = Number.isFinite(value);
  }
  context.stroke();
  context.restore();
}

function say(name, points, term) {
  const [first, last] = [points[0], points.at(-1)];
  if (!last || first === last) return `${name} against the step, not yet a curve`;
  const value = (one) => number(one.held[term], term === "kl" ? 2 : lossDigits(one.likelihood));
  return (
    `${name} on held-out digits: ${value(first)} at step ${first.steps}, ` +
    `${value(last)} at step ${last.steps}`
  );
}

// How much of the encoder's gradient comes from each term: a bar of two parts.
function createShares() {
  const node = element("div", { className: "shares" });
  const text = element("p", {
    className: "title",
    textContent: "The encoder's gradient comes from",
  });
  const bar = element("div", { className: "bar" });
  bar.setAttribute("aria-hidden", "true");
  const parts = ["reconstruction", "kl"].map((name) => {
    const part = element("div", { className: name });
    bar.append(part);
    return part;
  });
  const line = element("p", { className: "value" });
  const numbers = ["reconstruction", "kl"].map((name) => valueNode("span", `share_${name}`));
  line.append("reconstruction ", numbers[0], " %, KL ", numbers[1], " %");
  node.append(text, bar, line);
  function show(shares) {
    node.hidden = !shares;
    if (!shares) return;
    const total = shares.reconstruction + shares.kl || 1;
    for (const [k, name] of ["reconstruction", "kl"].entries()) {
      const share = (100 * shares[name]) / total;
      parts[k].style.width = `${share}%`;
      setText(numbers[k], number(share, 1));
    }
  }
  return { node, show };
}
