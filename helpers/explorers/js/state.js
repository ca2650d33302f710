// What the parts of the latent explorer share: the networks, the encoded images, and the code z with
// the one loop that draws them all.

import { copied, follow, spoken } from "./common.js";
import { remote } from "./kernel.js";
import { halves, network } from "./layers.js";
import { coordinates } from "./pieces.js";
import { readPoints } from "./points.js";

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
    schedule: () => view.schedule(),
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
      view = follow(model, ["z", "drawing"], (get) => {
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

// Functions that hand what comes out of a network to `then`: here at once, from the kernel later.
function networks(model, spec) {
  const weights = halves(copied(model.get("weights")));
  const asked = [];
  let at = 0;
  function take(count) {
    at += count;
    return weights.subarray(at - count, at);
  }
  function local(layers) {
    const run = network(layers, take);
    return (values, then) => then(run(values));
  }
  function distant(kind) {
    const { run, stop } = remote(model, kind);
    asked.push(stop);
    return run;
  }
  const decode = spec.decoder ? local(spec.decoder) : distant("decode");
  return {
    decode,
    decodeDrawing: spec.decoder ? decode : distant("decode"), // its requests wait for no slider
    encode: spec.encoder ? local(spec.encoder) : distant("encode"),
    forgetKernel() {
      for (const stop of asked) stop();
    },
  };
}
