// The flow explorer's controls: which image, how much noise, and the light.

import { button, element, normal, setText, slider } from "./common.js";
import { blocked, nextOf } from "./flow_math.js";
import { createPad } from "./flow_pad.js";
import { PAD } from "./strokes.js";

export function createControls(spec, count, act) {
  const above = element("div", { className: "controls" });
  const below = element("div", { className: "controls" });
  const title = element("span", { className: "which" });
  const step = (by) => () => act.choose((act.index() + by + count) % count);
  button(above, "◀ Previous", step(-1), "previous");
  button(above, "Next ▶", step(1), "next");
  if (spec.classes.length) above.append(classButtons(spec, act));
  const pad = spec.side === PAD ? createPad(act) : null;
  if (pad) padButton(above, pad);
  above.append(title);
  const showNoise = spec.variational ? noiseControls(below, spec, act) : () => {};
  const light = lightSwitch(below, act);
  const remark = element("p", { className: "remark" });
  if (spec.variational && !blocked(spec)) below.append(remark);
  function show(get) {
    const name = spec.classes.length ? `: ${spec.classes[get("index")]}` : "";
    const image = `image ${get("index") + 1} of ${count}${name}`;
    setText(title, get("drawing") ? "your drawing" : image);
    pad?.show(get("drawing"));
    showNoise(get("noise"));
    light.checked = get("light");
    setText(remark, remarkOn(get("noise")));
  }
  return { above, below, pad, show, text: () => title.textContent };
}

function padButton(parent, pad) {
  const open = () => {
    pad.node.hidden = !pad.node.hidden;
    toggle.setAttribute("aria-expanded", !pad.node.hidden);
  };
  const toggle = button(parent, "Draw one", open, "draw-image");
  toggle.setAttribute("aria-expanded", false);
}

// A press shows an image of the class, the next press the next one.
function classButtons(spec, act) {
  const row = element("span", { className: "classes", role: "group" });
  row.setAttribute("aria-label", "An image of the class");
  const names = [...new Set(spec.classes)].sort((a, b) =>
    a.localeCompare(b, "en", { numeric: true }),
  );
  for (const name of names) {
    const next = () => act.choose(nextOf(spec.classes, name, act.index()));
    button(row, name, next, "class").setAttribute("aria-label", `Next image of class ${name}`);
  }
  return row;
}

function noiseControls(parent, spec, act) {
  const draw = () => {
    act.hold("eps", Array.from({ length: spec.latent_dim }, normal));
    act.release();
  };
  button(parent, `Draw ${blocked(spec) ? "z" : "ε"} again`, draw, "draw");
  if (blocked(spec)) return () => {};
  const [min, max] = spec.limits.noise;
  const move = (value) => act.hold("noise", value);
  const noise = slider(parent, "Noise ×", { min, max, step: 0.01 }, move, act.release);
  noise.input.dataset.role = "noise";
  return noise.show;
}

function remarkOn(noise) {
  const rest = "the weights stay the VAE's, and the KL shown stays the encoder's.";
  if (noise === 0) return `Noise × 0: it decodes μ, as an autoencoder would; ${rest}`;
  return `At noise × 0 it decodes μ, as an autoencoder would; ${rest}`;
}

function lightSwitch(parent, act) {
  const label = element("label", { className: "switch" });
  const input = element("input", { type: "checkbox" });
  input.setAttribute("role", "switch");
  input.dataset.role = "light";
  input.addEventListener("change", () => {
    act.hold("light", input.checked);
    act.release();
  });
  label.append(input, element("span", { textContent: "Light: the gradient that comes back" }));
  parent.append(label);
  return input;
}
