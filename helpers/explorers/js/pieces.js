// Pieces of the latent explorer's page.

import { element, number } from "./common.js";

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

export function panel(className, title, ...children) {
  const node = element("section", { className: `panel ${className}` });
  node.setAttribute("aria-label", title);
  node.append(element("div", { className: "title", textContent: title }), ...children);
  return node;
}

export function surface(role, label) {
  const canvas = element("canvas");
  canvas.dataset.role = role;
  makeSurface(canvas, label);
  return canvas;
}

// A canvas that takes the focus and the arrow keys.
export function makeSurface(canvas, label) {
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", label);
}

let hints = 0;
export function describe(canvas, text) {
  const hint = element("p", { className: "hint", textContent: text });
  hint.id = `latent-explorer-hint-${Math.random().toString(36).slice(2)}-${hints++}`;
  canvas.setAttribute("aria-describedby", hint.id);
  return hint;
}

// As wide as its place, or `size` CSS pixels.
export function picture(role, label, side, size) {
  const figure = element("div", { className: "figure" });
  const canvas = element("canvas", { width: side, height: side });
  canvas.dataset.role = role;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  if (size) canvas.style.width = `${size}px`;
  figure.append(canvas);
  const context = canvas.getContext("2d");
  const data = context.createImageData(side, side);
  data.data.fill(255);
  function show(values) {
    for (let i = 0, at = 0; i < values.length; i++, at += 4) {
      const grey = Math.round(255 * values[i]);
      data.data[at] = data.data[at + 1] = data.data[at + 2] = grey;
    }
    context.putImageData(data, 0, 0);
  }
  return { figure, canvas, show };
}

export function arrow({ key }) {
  return [
    (key === "ArrowRight") - (key === "ArrowLeft"),
    (key === "ArrowDown") - (key === "ArrowUp"),
  ];
}

export function dimensionName(d) {
  return `z${[...String(d + 1)].map((digit) => SUBSCRIPTS[digit]).join("")}`;
}

export function coordinates(z) {
  const shown = Array.from(z.slice(0, 4), (value) => number(value));
  return `(${shown.join(", ")}${z.length > 4 ? ", …" : ""})`;
}
