// What the parts of the latent explorer share: the networks, the encoded images, and the code z with
// the one loop that draws them all.

import { copied, follow, spoken } from "./common.js";
import { remote } from "./kernel.js";
import { halves, network, run, sizeOf } from "./network.js";
import { coordinates } from "./pieces.js";
import { readPoints } from "./points.js";

const TRAITS = ["z", "drawing", "grid", "points", "ellipses"];

export function createState(model) {
  const spec = model.get("spec");
  const points = readPoints(model, "", spec.classes);
  const live = spoken();
  let view = null; // from `start` on
  let picked = -1; // the point of the map that was clicked
  const state = {
    ...networks(model, spec),
    spec,
    live,
    points,
    training: readPoints(model, "train_", []),
    nearestName: "",
    get: (name) => (view ?? model).get(name), // nothing is held before `start`
    set: (name, value) => view.set(name, value),
    holds: () => view?.holds() ?? false,
    schedule: () => view?.schedule(),
    moveTo(z, point = -1) {
      picked = point;
      view.set("z", Array.from(z));
    },
    // The point that was clicked, until z moves on.
    picked(z) {
      const there = picked >= 0 && z.every((value, d) => value === points.at(picked, d));
      return there ? picked : -1;
    },
    release(text = "") {
      if (!view.holds()) return;
      view.release();
      const nearest = state.nearestName ? `, ${state.nearestName}` : "";
      live.textContent = text || `z = ${coordinates(view.get("z"))}${nearest}`;
    },
    start(parts) {
      view = follow(model, TRAITS, (get) => {
        for (const part of parts) part.draw(get);
      });
    },
    stop() {
      view.stop();
      state.forgetKernel();
    },
  };
  return state;
}

// Functions that hand what comes out of a network, for one row or many, to `then`: here at once,
// from the kernel later.
function networks(model, spec) {
  const weights = halves(copied(model.get("weights")));
  const asked = [];
  function local(layers, inputs) {
    return (values, then) => then(run(layers, values, values.length / inputs));
  }
  function distant(kind) {
    const { run: ask, stop } = remote(model, kind);
    asked.push(stop);
    return ask;
  }
  const decoder = spec.decoder && network(spec.decoder, weights);
  const encoder =
    spec.encoder && network(spec.encoder, weights, spec.decoder ? sizeOf(spec.decoder) : 0);
  // What waits for an answer of the kernel waits for no other.
  const decoding = () => (decoder ? local(decoder, spec.latent_dim) : distant("decode"));
  return {
    decoder,
    decode: decoding(),
    decodeDrawing: decoding(),
    decodeGrid: decoding(),
    encode: encoder ? local(encoder, spec.side ** 2) : distant("encode"),
    forgetKernel() {
      for (const stop of asked) stop();
    },
  };
}
