// Held-out digits and what comes back, and samples of the prior.

import { element } from "./common.js";

const PAIRS = 10; // digits and what comes back
const ACROSS = 5; // samples a row
const ROWS = 4;

export function createImages(spec, pixels) {
  const node = element("section", { className: "panel images-panel" });
  node.setAttribute("aria-label", "Images");
  const { side, training } = spec;
  const size = side * side;
  const sources = picture(
    node,
    "Held-out digits, and what comes back",
    "reconstructions",
    side,
    PAIRS,
    2,
  );
  sources.canvas.setAttribute("aria-label", "Ten held-out digits above their reconstructions");
  const samples = picture(
    node,
    "Samples: z drawn from N(0, I), always the same",
    "samples",
    side,
    ACROSS,
    ROWS,
  );
  samples.canvas.setAttribute("aria-label", "Twenty images decoded from draws of the prior");
  const first = pixels.subarray(training * size, (training + PAIRS) * size);
  let drawn = null;
  function show(view) {
    if (view === drawn) return;
    drawn = view;
    sources.show(first, 0);
    sources.show(view.reconstructed, 1);
    samples.show(view.samples, 0);
  }
  return { node, show };
}

// Rows of images; `show` puts some, from the beginning of a row on.
function picture(parent, title, role, side, across, rows) {
  const canvas = element("canvas", { width: across * side, height: rows * side });
  canvas.dataset.role = role;
  canvas.setAttribute("role", "img");
  parent.append(element("p", { className: "title", textContent: title }), canvas);
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  image.data.fill(255);
  function show(grey, row) {
    const size = side * side;
    for (let k = 0; k < grey.length / size; k++) {
      for (let i = 0; i < size; i++) {
        const value = grey[k * size + i];
        for (let c = 0; c < 3; c++) image.data[4 * i + c] = value;
      }
      const y = (row + Math.floor(k / across)) * side;
      context.putImageData(image, (k % across) * side, y);
    }
  }
  return { canvas, show };
}
