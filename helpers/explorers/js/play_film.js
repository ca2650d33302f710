// The film: a slider over the snapshots of the run.

import { element, setText } from "./common.js";

export function createFilmPanel(act) {
  const node = element("section", { className: "panel film-panel" });
  node.setAttribute("aria-label", "Film of the run");
  const label = element("label", { className: "slider" });
  const input = element("input", { type: "range", min: 0, max: 0, step: 1, value: 0 });
  input.dataset.role = "film";
  const output = element("output");
  label.append(element("span", { textContent: "Film: go back to step" }), input, output);
  const hint = "Run or one step goes on from there, and forgets what came later.";
  node.append(label, element("span", { className: "hint", textContent: hint }));
  let frames = [];
  input.addEventListener("input", () => act.seek(frames[input.valueAsNumber]));

  function show(view) {
    if (document.activeElement !== input || frames.length !== view.frames.length || view.running) {
      frames = view.frames;
      const last = frames.findLastIndex((steps) => steps <= view.steps);
      input.max = Math.max(0, frames.length - 1);
      input.value = Math.max(0, last);
    }
    input.disabled = frames.length < 2;
    setText(output, String(view.steps));
    input.setAttribute("aria-valuetext", `step ${view.steps}`);
  }
  return { node, show };
}
