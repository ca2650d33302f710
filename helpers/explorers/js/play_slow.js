// One step, slowly: one digit of the batch goes through the network (the flow explorer's line), and
// then the gradient comes back, part by part.

import { element } from "./common.js";
import { lineOf } from "./flow_code.js";
import { createLight } from "./flow_light.js";
import { createLine } from "./flow_line.js";
import { LOOK } from "./flow_look.js";
import { flow, gradients, numbersOf } from "./flow_math.js";
import { LATENTS, layersOf, unpack } from "./nets.js";
import { network, sizeOf } from "./network.js";

const GOING = 2400; // milliseconds for the way there: as long as the look's delays

export function createSlow(spec, pixels) {
  const node = element("section", { className: "panel slow-panel flow-explorer", hidden: true });
  node.setAttribute("aria-label", "One step, slowly");
  const style = element("style", { textContent: LOOK });
  let used = false;
  let timer = 0;

  // What one step did: the weights before it, which image with which noise, and the settings.
  function tell(message) {
    used = true;
    clearTimeout(timer);
    const told = explained(spec, message);
    const x = Float32Array.from(imageAt(message.image), (v) => v / 255);
    const body = element("div", { className: "body" });
    const act = { select, hold, release() {} };
    const line = createLine(told.spec, act);
    const light = createLight(told.spec, line);
    const code = element("pre", { className: "code" });
    const title = "One digit of the batch, with the weights before the step:";
    body.append(
      element("p", { className: "title", textContent: title }),
      line.node,
      light.node,
      code,
    );
    node.replaceChildren(style, body);
    let eps = message.eps;
    let chosen = ["z", 0];
    let back = false; // whether the gradient is on its way
    let result = null;
    function show() {
      result = flow(told.networks, told.spec, x, eps, 1);
      const numbers = numbersOf(told.spec, result, gradients(told.networks, told.spec, result));
      line.show(result, numbers);
      light.show(back, 1, numbers);
      select(...chosen);
    }
    function select(name, i) {
      chosen = [name, i];
      const { code: text, filled } = lineOf(name, i, told.spec, result);
      code.textContent = `${text}\n${filled}`;
      line.choose(name, i);
    }
    function hold(_, value) {
      eps = value;
      show();
    }
    show();
    body.classList.add("going");
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    timer = setTimeout(
      () => {
        body.classList.replace("going", "coming");
        back = true;
        show();
      },
      still ? 0 : GOING,
    );
  }

  function imageAt(i) {
    const size = spec.side ** 2;
    return pixels.subarray(i * size, (i + 1) * size);
  }

  return { node, tell, used: () => used, stop: () => clearTimeout(timer) };
}

// The flow's networks and spec.
function explained(spec, { weights, eps, settings, baseline }) {
  const size = spec.side ** 2;
  const width = Object.keys(spec.sizes).find((one) => spec.sizes[one] === weights.length + 1);
  const layers = layersOf(size, Number(width));
  const net = unpack(weights, size, Number(width));
  const encoder = settings.variational
    ? network(layers.encoder, weights, sizeOf(layers.decoder))
    : [...net.trunk, net.mu];
  const told = {
    ...settings,
    ...layers,
    latent_dim: LATENTS,
    shown: LATENTS,
    side: spec.side,
    reach: Math.max(3.2, ...eps.map(Math.abs)),
    limit: 4,
    pixel_logvar: net.pixelLogvar[0],
    baseline,
    encoder: encoder.map(({ type, inputs, outputs }) => ({ type, inputs, outputs })),
  };
  return { spec: told, networks: { decoder: net.decoder, encoder } };
}
