// The light of the flow explorer: the gradient of each part of the loss, coming back.

import { element, setText } from "./common.js";
import { betaOf, blocked, digits, inNats, reached } from "./flow_math.js";

const ARROWS = {
  "encoder-q": ["encoder", "q"],
  "q-z": ["q", "z"],
  "z-decoder": ["z", "decoder"],
  "decoder-x_hat": ["decoder", "x_hat"],
};

export function createLight(spec, line) {
  const node = element("section", { className: "light" });
  node.setAttribute("aria-label", "The gradient that comes back");
  const sentence = element("p");
  const table = createTable(spec);
  node.append(sentence, table.node);

  function show(on, noise, numbers) {
    const lights = on ? reached(spec, noise) : { reconstruction: [], kl: [] };
    line.node.classList.toggle("lit", on);
    const of = (name) => Object.keys(lights).filter((light) => lights[light].includes(name));
    for (const one of line.nodes) {
      one.node.dataset.lit = of(one.name === "kl_total" ? "kl" : one.name).join(" ");
    }
    for (const part of ["mu", "sigma"]) {
      for (const one of line.node.querySelectorAll(`.quantity.${part}`)) {
        one.dataset.lit = of(part).join(" ");
      }
    }
    for (const one of line.arrows) {
      const ends = ARROWS[one.name];
      const comes = (light) => ends !== undefined && way(lights[light], ends, spec);
      one.node.dataset.lit = Object.keys(lights).filter(comes).join(" ");
      const stops = on && one.name === "q-z" && spec.gradient !== "reparameterized";
      one.node.classList.toggle("blocked", stops);
    }
    node.hidden = !on;
    if (!on) return;
    setText(sentence, sentenceOn(spec, noise));
    table.show(numbers);
  }
  return { node, show, text: () => (node.hidden ? "" : sentence.textContent) };
}

// Whether the light comes along an arrow. Without μ and σ the encoder gives z itself.
function way(lit, ends, { variational }) {
  const [from, to] = variational ? ends : ends.map((name) => (name === "q" ? "z" : name));
  return lit.includes(from) && lit.includes(to);
}

const SCORE =
  "The gradient of the reconstruction loss reaches the decoder and ends at z. The score function " +
  "takes the loss itself instead, less the batch's mean: it weighs ∇ log q(z | x), which reaches μ, " +
  "σ and the encoder";

export function sentenceOn(spec, noise) {
  if (!spec.variational) {
    const term = inNats(spec) ? "reconstruction loss" : "squared error";
    return `The gradient of the ${term} reaches the decoder, z and the encoder.`;
  }
  const pulls = betaOf(spec) > 0;
  if (spec.gradient === "score")
    return `${SCORE}${pulls ? ", as the gradient of the KL does" : ""}.`;
  const stopped = "the decoder and ends at z, which is a draw and no formula";
  const open = `the decoder, z, μ${noise > 0 ? ", σ" : " (not σ: the noise is 0)"} and the encoder`;
  return (
    `The gradient of the reconstruction loss reaches ${blocked(spec) ? stopped : open}; ` +
    (pulls
      ? "that of the KL begins at μ and σ and reaches the encoder."
      : "at β = 0 none comes from the KL.") +
    (blocked(spec) ? "" : " None is needed into ε.")
  );
}

// The gradients by z, μ and σ of each latent.
function createTable(spec) {
  const node = element("table");
  const cells = new Map();
  const columns = spec.variational
    ? [
        "reconstruction_by_z",
        "reconstruction_by_mu",
        "reconstruction_by_sigma",
        "kl_by_mu",
        "kl_by_sigma",
      ]
    : ["reconstruction_by_z"];
  const term = inNats(spec) ? "Reconstruction loss" : "Squared error";
  const top = node.createTHead().insertRow();
  head(top, "Gradient of", "col");
  head(top, term, "colgroup", spec.variational ? 3 : 1).className = "reconstruction";
  if (spec.variational) head(top, "KL", "colgroup", 2).className = "kl";
  const names = node.tHead.insertRow();
  head(names, "by", "col");
  for (const column of columns)
    head(names, { z: "z", mu: "μ", sigma: "σ" }[column.split("_by_")[1]], "col");
  const rows = node.createTBody();
  for (let i = 0; i < spec.shown; i++) {
    const row = rows.insertRow();
    head(row, `latent\u00a0${i + 1}`, "row");
    for (const column of columns) {
      const cell = row.insertCell();
      cell.dataset.value = `${column}_${i + 1}`;
      cell.className = "value";
      cells.set(cell.dataset.value, cell);
    }
  }
  function show(numbers) {
    for (const [name, cell] of cells) setText(cell, digits(numbers[name]));
  }
  return { node, show };
}

function head(row, text, scope, span = 1) {
  const cell = element("th", { textContent: text, scope, colSpan: span });
  row.append(cell);
  return cell;
}
