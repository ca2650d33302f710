// Samples at μ + h and at μ − h, as a finite difference takes them: a line joins each pair.

import { place } from "./estimator_numbers.js";
import { panel } from "./panel.js";

const ROWS = { up: 50, down: 120 };

// The two places of each pair; with fresh noise the second has noise of its own.
export function pairsOf(row, state, { h, size, pairs }) {
  const [mu, sigma] = place(state);
  const { noise, n } = state;
  return Array.from({ length: Math.min(n, pairs) }, (_, i) => [
    mu + h + sigma * noise[i],
    mu - h + sigma * noise[row === "fresh" ? size + i : i],
  ]);
}

export function pairPanel(parent, row, spec) {
  const across = { name: "z", range: [-5, 5], marks: [-4, -2, 0, 2, 4] };
  const chart = panel(parent, { height: 190, title: `${row} noise`, across, left: 62 });
  chart.write("at μ + h", 4, ROWS.up + 5, "start");
  chart.write("at μ − h", 4, ROWS.down + 5, "start");
  const [lines, dots] = ["pairs", "dots"].map(chart.path);
  return (state) => {
    const pairs = pairsOf(row, state, spec).map((pair) => pair.map((z) => chart.toX(z).toFixed(2)));
    const { up, down } = ROWS;
    lines.setAttribute("d", pairs.map(([x, y]) => `M${x} ${up}L${y} ${down}`).join(""));
    dots.setAttribute("d", pairs.map(([x, y]) => `M${x} ${up}h0M${y} ${down}h0`).join(""));
    chart.svg.setAttribute(
      "aria-label",
      `${pairs.length} pairs of samples at μ + h and at μ − h with ${row} noise, each pair joined ` +
        `by a line: the lines ${row === "fresh" ? "cross" : "run side by side"}.`,
    );
  };
}
