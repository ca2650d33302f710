// The view of helpers.explorers.FlowExplorer: see flow.py, common.js and flow_math.js.
//
// One image goes through the network whenever something moves; what the reader holds is told to the
// kernel on release.

import { copied, element, floats, follow, group, mount, spoken } from "./common.js";
import { lineOf } from "./flow_code.js";
import { createControls } from "./flow_controls.js";
import { createLight } from "./flow_light.js";
import { createLine } from "./flow_line.js";
import { LOOK } from "./flow_look.js";
import { digits, flow, gradients, numbersOf, readNetworks } from "./flow_math.js";
import { halves } from "./network.js";

export default { render };

const TRAITS = ["index", "drawing", "eps", "noise", "light"];

function render({ model, el }) {
  const spec = model.get("spec");
  const networks = readNetworks(spec, halves(copied(model.get("weights"))));
  const images = readImages(model, spec.side ** 2);
  const root = group("flow-explorer", "Flow explorer", LOOK, spec.colors);
  const act = { select, hold, release, choose, index: () => view.get("index") };
  const live = spoken();
  const controls = createControls(spec, images.count, act);
  const line = createLine(spec, act);
  const light = createLight(spec, line);
  const code = element("pre", { className: "code" });
  const body = element("div", { className: "body" });
  body.append(controls.above);
  if (controls.pad) body.append(controls.pad.node);
  body.append(line.node, controls.below, light.node, code);
  root.append(body, live);
  mount(root, el);
  let chosen = ["z", 0]; // the node whose line of code is shown, and its latent
  let result = null;
  let numbers = {};

  function draw(get) {
    const drawing = get("drawing");
    const x = drawing ? floats(drawing) : images.at(get("index"));
    result = flow(networks, spec, x, get("eps"), get("noise"));
    if (drawing) result.source = "drawing";
    const slopes = get("light") ? gradients(networks, spec, result) : null;
    numbers = numbersOf(spec, result, slopes);
    controls.show(get);
    line.show(result, numbers);
    light.show(get("light"), get("noise"), numbers);
    showCode();
  }

  function showCode() {
    const { code: text, filled } = lineOf(...chosen, spec, result);
    code.textContent = `${text}\n${filled}`;
    line.choose(...chosen);
  }

  function select(name, i) {
    chosen = [name, i];
    showCode();
    live.textContent = code.textContent;
  }

  function hold(name, value) {
    view.set(name, value);
  }

  function choose(index) {
    hold("index", index);
    hold("drawing", null);
    release();
  }

  function release() {
    view.release();
    const { reconstruction, kl, loss } = numbers;
    const parts =
      kl === undefined ? "" : `reconstruction loss ${digits(reconstruction)}, KL ${digits(kl)}, `;
    live.textContent = `${controls.text()}: ${parts}loss ${digits(loss)}. ${light.text()}`;
  }

  const view = follow(model, TRAITS, draw);
  return () => {
    view.stop();
    root.remove();
  };
}

function readImages(model, size) {
  const grey = new Uint8Array(copied(model.get("images")));
  const at = (i) => Float32Array.from(grey.subarray(i * size, (i + 1) * size), (v) => v / 255);
  return { at, count: grey.length / size };
}
