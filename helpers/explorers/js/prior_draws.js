// What generation gives: z from the prior, then x, piling up as p(x). See posterior.js.

import { Z } from "./chart.js";
import { floats } from "./common.js";

const BINS = 30;
const SHOWN = 300; // so many of the latest draws are dots
const WIDE = 1.6; // how far the largest p(x) reaches from the right edge, in units of z

// z from N(0, 1), and x = f(z) + noise; `normal` draws from N(0, 1).
export function drawPair({ z, curve, noise }, normal) {
  const drawn = normal();
  const last = z.length - 1;
  const place = Math.min(last, Math.max(0, (drawn - z[0]) / (z[1] - z[0])));
  const i = Math.min(last - 1, Math.floor(place));
  const f = curve[i] + (place - i) * (curve[i + 1] - curve[i]);
  return [drawn, f + noise * normal()];
}

// The pairs z, x of a trait of float32 bytes.
export function pairs(bytes) {
  const flat = floats(bytes);
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
}

// p(x) at each x, by adding up p(x|z) p(z) over the grid.
export function marginal({ z, curve, noise }, xs) {
  const dz = z[1] - z[0];
  const part = (x, i) => Math.exp(-(((x - curve[i]) / noise) ** 2 + z[i] ** 2) / 2);
  const scale = dz / (2 * Math.PI * noise);
  return xs.map((x) => scale * z.reduce((sum, _, i) => sum + part(x, i), 0));
}

// The share of x in each of the bins, by width: a density.
export function histogram(xs, [low, high]) {
  const counts = new Array(BINS).fill(0);
  const width = (high - low) / BINS;
  for (const x of xs) {
    const bin = Math.floor((x - low) / width);
    if (bin >= 0 && bin < BINS) counts[bin] += 1;
  }
  return counts.map((count) => count / xs.length / width);
}

// Gives what shows the draws in the left chart; without any there is nothing, and no p(x).
export function priorDraws(left, spec, range, [data, prior]) {
  const bars = left.line("none");
  bars.setAttribute("fill", data);
  bars.setAttribute("fill-opacity", 0.35);
  const outline = left.line(data);
  const dots = left.line(data);
  const path = left.line(prior, "3 3");
  const [start, end] = [left.line(prior), left.line(data)];
  for (const [node, size] of [
    [dots, 4],
    [start, 10],
    [end, 10],
  ]) {
    node.setAttribute("stroke-width", size);
    node.setAttribute("stroke-linecap", "round");
  }
  dots.setAttribute("stroke-opacity", 0.5);
  const xs = Array.from({ length: 121 }, (_, i) => range[0] + ((range[1] - range[0]) * i) / 120);
  const density = marginal(spec, xs);
  const unit = WIDE / Math.max(...density);
  const dot = ([z, x]) => {
    const d = left.path([z], [x]);
    return d === "M" ? "" : `${d}h0`;
  };
  const at = (p) => Z.range[1] - unit * p;
  const bar = (p, i) => {
    const [from, to] = [i, i + 1].map((edge) => range[0] + ((range[1] - range[0]) * edge) / BINS);
    const tip = Math.max(Z.range[0], at(p));
    return p ? left.path([at(0), tip, tip, at(0)], [from, from, to, to]) : "";
  };

  return (drawn) => {
    const last = drawn.at(-1);
    const put = (node, d) => node.setAttribute("d", last ? d() : "");
    put(bars, () =>
      histogram(
        drawn.map(([, x]) => x),
        range,
      )
        .map(bar)
        .join(""),
    );
    put(outline, () => left.path(density.map(at), xs));
    put(dots, () => drawn.slice(-SHOWN).map(dot).join(""));
    put(path, () => left.path([last[0], last[0]], [range[0], last[1]]));
    put(start, () => dot([last[0], range[0]]));
    put(end, () => dot(last));
  };
}
