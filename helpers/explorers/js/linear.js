// What a linear decoder adds up: the mean image, and an image for each latent with its factor.

import { element, number, setText, valueNode } from "./common.js";
import { dimensionName, picture } from "./pieces.js";

const ENDS = ["Sigmoid", "Hardtanh"];

// The bias and the rows w of a decoder x̂ = end(b + Σ z w), or null for another.
function termsOf(decoder) {
  if (decoder?.length !== 2 || decoder[0].type !== "Linear") return null;
  if (!ENDS.includes(decoder[1].type)) return null;
  const [{ weight, bias, inputs, outputs }, end] = decoder;
  const w = Array.from({ length: inputs }, (_, d) =>
    weight.subarray(d * outputs, (d + 1) * outputs),
  );
  return { mean: bias.map(end.value), w, squashed: end.type === "Sigmoid" };
}

export function linearPart(state) {
  const terms = termsOf(state.decoder);
  if (!terms) return null;
  const largest = terms.w.reduce(
    (most, w) => w.reduce((m, v) => Math.max(m, Math.abs(v)), most),
    0,
  );
  const node = element("div", { className: "terms" });
  const row = element("div", { className: "images" });
  const mean = picture("mean", "Mean image", state.spec.side);
  mean.show(terms.mean);
  mean.figure.append(element("span", { textContent: "mean" }));
  row.append(mean.figure);
  const factors = terms.w.map((w, d) => {
    const name = dimensionName(d).replace("z", "w");
    const label = `Image ${name}, which ${dimensionName(d)} multiplies`;
    const shown = picture(`w${d + 1}`, label, state.spec.side);
    shown.show(w.map((value) => 0.5 + (0.5 * value) / (largest || 1)));
    const text = element("span");
    const factor = valueNode("strong", `factor${d + 1}`);
    text.append(factor, ` · ${name}`);
    shown.figure.append(text);
    row.append(shown.figure);
    return factor;
  });
  const end = terms.squashed ? " The sum goes through the sigmoid, and so does the mean." : "";
  const hint = `This decoder is linear: it adds these images. Mid-grey is 0.${end}`;
  node.append(row, element("p", { className: "hint", textContent: hint }));
  function draw(z) {
    for (const [d, factor] of factors.entries()) {
      setText(factor, `${z[d] < 0 ? "" : "+"}${number(z[d])}`);
    }
  }
  return { node, draw };
}
