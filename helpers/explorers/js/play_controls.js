// The playground's controls, and the numbers beside them.

import { button, element, number, sentence, setText, slider } from "./common.js";
import { NAMES } from "./play_changes.js";
import { GRADIENTS, LIKELIHOODS, lossDigits, startOf, unitOf } from "./play_settings.js";

export function createControls(spec, act) {
  const node = element("div", { className: "panel controls-panel" });
  const row = element("div", { className: "controls" });
  const toggle = () => act.run(run.getAttribute("aria-pressed") !== "true");
  const run = button(row, "Run", toggle, "run");
  button(row, "One step, slowly", act.step, "step");
  button(row, "Start anew", act.reset, "reset");
  const choose = (name, value) => {
    act.hold(name, value);
    act.release();
  };
  const options = (values) => values.map((value, i) => [value, NAMES[value], i]);
  const models = [
    ["vae", "VAE", true],
    ["autoencoder", "autoencoder", false],
  ];
  const model = chooser(row, "Model", "model", models, (v) => choose("variational", v));
  const gradient = chooser(row, "Gradient through z", "gradient", options(GRADIENTS), (v) =>
    choose("gradient", v),
  );
  const likelihood = chooser(row, "Likelihood", "likelihood", options(LIKELIHOODS), (v) =>
    choose("likelihood", v),
  );
  const [min, max] = spec.limits.beta;
  const beta = slider(row, "β", { min, max, step: 0.1 }, (v) => act.hold("beta", v), act.release);
  beta.input.dataset.role = "beta";
  const widths = Object.keys(spec.sizes).map((width) => [width, width, Number(width)]);
  const width = chooser(row, "Width", "width", widths, (v) => choose("width", v));
  const seed = seedInput(row, spec.limits.seed, (value) => choose("seed", value));
  const texts = numbersLine();
  const warning = element("p", { className: "warning", hidden: true });
  warning.setAttribute("role", "alert");
  node.append(row, texts.node, warning);

  function show(get, settings, on, latest) {
    run.setAttribute("aria-pressed", on);
    setText(run, on ? "Pause" : "Run");
    model.show(settings.variational);
    gradient.show(GRADIENTS.indexOf(settings.gradient));
    likelihood.show(LIKELIHOODS.indexOf(settings.likelihood));
    beta.show(settings.beta, number(settings.beta, 1));
    gradient.select.disabled = beta.input.disabled = !settings.variational;
    width.show(startOf(spec, get).width);
    if (document.activeElement !== seed) seed.value = get("seed");
    if (latest) texts.show(latest);
  }
  function warn(text) {
    warning.hidden = text === "";
    setText(warning, text);
  }
  return { node, show, warn };
}

// A select with (value, text, what the trait is set to) for each option.
function chooser(parent, title, role, options, act) {
  const label = element("label", { className: "chooser" });
  const select = element("select");
  select.dataset.role = role;
  for (const [value, text] of options)
    select.append(element("option", { value, textContent: text }));
  select.addEventListener("change", () => act(options[select.selectedIndex][2]));
  label.append(element("span", { textContent: title }), select);
  parent.append(label);
  function show(trait) {
    const index = options.findIndex(([, , set]) => set === trait);
    if (index >= 0 && select.selectedIndex !== index) select.selectedIndex = index;
  }
  return { select, show };
}

function seedInput(parent, [min, max], act) {
  const label = element("label", { className: "chooser" });
  const input = element("input", { type: "number", min, max, step: 1 });
  input.dataset.role = "seed";
  input.addEventListener("change", () => {
    if (input.checkValidity() && input.value) act(input.valueAsNumber);
  });
  label.append(element("span", { textContent: "Seed" }), input);
  parent.append(label);
  return input;
}

function numbersLine() {
  const node = element("div", { className: "numbers" });
  const steps = sentence`step ${"steps"}`;
  const rate = sentence`${"rate"} steps a second`;
  const reconstruction = sentence`held-out reconstruction loss ${"reconstruction"} `;
  const unit = element("span");
  reconstruction.node.append(unit);
  const kl = sentence`KL ${"kl"} nats`;
  const sigma = sentence`learned σ of a pixel ${"pixel_sigma"}`;
  node.append(...[steps, rate, reconstruction, kl, sigma].map((one) => one.node));
  function show(latest) {
    steps.show({ steps: String(latest.steps) });
    rate.show({ rate: number(latest.rate, 0) });
    const digits = lossDigits(latest.likelihood);
    reconstruction.show({ reconstruction: number(latest.reconstruction, digits) });
    setText(unit, unitOf(latest.likelihood));
    kl.node.hidden = latest.kl === null;
    kl.show({ kl: latest.kl === null ? "" : number(latest.kl, latest.kl < 0.1 ? 3 : 2) });
    sigma.node.hidden = latest.likelihood !== "learned";
    sigma.show({ pixel_sigma: number(Math.exp(latest.pixelLogvar / 2), 3) });
  }
  return { node, show };
}
