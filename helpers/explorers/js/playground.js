// The view of helpers.explorers.Playground: see playground.py. Training runs in a worker
// (session.js); the kernel hears of it on a pause, when the weights go to the traits.

import { copied, element, floats, follow, group, mount, save, spoken } from "./common.js";
import { sayChange } from "./play_changes.js";
import { createControls } from "./play_controls.js";
import { createCurvesPanel } from "./play_curves.js";
import { createEngine } from "./play_engine.js";
import { createFilmPanel } from "./play_film.js";
import { createImages } from "./play_images.js";
import { createLessons } from "./play_lessons.js";
import { LOOK } from "./play_look.js";
import { createMap } from "./play_map.js";
import { lossText, readSettings, startOf } from "./play_settings.js";
import { createSlow } from "./play_slow.js";

export default { render };

const TRAITS = ["variational", "gradient", "likelihood", "beta", "width", "seed", "weights"];
const SILENT = 10_000; // milliseconds without a word from the worker while it trains

function render({ model, el }) {
  const spec = model.get("spec");
  const pixels = new Uint8Array(copied(model.get("images")));
  const root = group("playground", "Playground: train an autoencoder or a VAE", LOOK, spec.colors);
  const live = spoken();
  const act = { hold, release, run, step, reset, seek, teach };
  const controls = createControls(spec, act);
  const map = createMap(spec);
  const images = createImages(spec, pixels);
  const curves = createCurvesPanel(spec);
  const film = createFilmPanel(act);
  const lessons = createLessons(act);
  const slow = createSlow(spec, pixels);
  const parts = { map, images, curves, film, lessons, slow };
  const board = element("div", { className: "board" });
  board.append(
    controls.node,
    map.node,
    images.node,
    curves.node,
    film.node,
    lessons.node,
    slow.node,
  );
  root.append(board, live);
  mount(root, el);

  let engine = null; // from the first time that it is seen
  let shown = false; // in the window
  let pressed = false; // whether the reader wants it to run
  let running = false; // whether it does
  let told = {}; // what the engine was told last: settings, start, weights
  let latest = null; // the last view
  let heard = 0; // when the engine last said something

  function draw(get) {
    for (const [name, part] of Object.entries(parts)) {
      const off = get(`show_${name}`) === false || (name === "slow" && !slow.used());
      if (part.node.hidden !== off) part.node.hidden = off;
    }
    const settings = readSettings(spec, get);
    if (engine) tell(get, settings);
    controls.show(get, settings, pressed, latest);
    if (!latest) return;
    for (const part of [map, images, curves, film]) part.show(latest);
    root.dataset.steps = latest.steps;
  }

  function tell(get, settings) {
    const start = startOf(spec, get);
    const weights = get("weights");
    const from = JSON.stringify(start);
    if (from !== told.start) {
      engine.send({ kind: "reset", ...start });
      latest = null;
    }
    if (weights !== told.weights && weights?.byteLength) load(weights, start.width);
    if (sayChange(told.settings, settings)) engine.send({ kind: "settings", settings });
    told = { settings, start: from, weights };
  }

  // Weights that came from Python, or from another view.
  function load(weights, width) {
    const numbers = floats(weights);
    if (numbers.length === spec.sizes[width]) {
      const steps = numbers.at(-1);
      engine.send({ kind: "load", numbers: numbers.subarray(0, -1), width, steps });
    }
  }

  function begin() {
    const settings = readSettings(spec, view.get);
    const start = startOf(spec, view.get);
    const noise = (name) => floats(model.get(name));
    const { training, side } = spec;
    const data = { pixels, training, size: side * side };
    Object.assign(data, { heldNoise: noise("held_noise"), priorNoise: noise("prior_noise") });
    engine = createEngine(spec.worker, receive, lost);
    engine.send({ kind: "begin", data, settings, ...start });
    const weights = view.get("weights");
    if (weights?.byteLength) load(weights, start.width);
    told = { settings, start: JSON.stringify(start), weights };
  }

  const RECEIVED = {
    view(message) {
      latest = message;
      view.schedule();
    },
    // With the steps behind them: all that another view, or Python, needs.
    weights({ numbers, steps }) {
      const all = new Float32Array(numbers.length + 1);
      all.set(numbers);
      all[numbers.length] = steps;
      told.weights = new DataView(all.buffer);
      model.set("weights", told.weights);
      save(model);
      if (latest) say(`Paused after ${lossText(latest)}`);
    },
    step(message) {
      slow.tell(message);
      slow.node.hidden = !view.get("show_slow");
      slow.node.scrollIntoView({ block: "nearest" });
    },
    stopped({ steps }) {
      stopWith(
        `The loss is no number any more after step ${steps}, so the run stopped. ` +
          "Go back in the film, or start anew.",
      );
    },
  };

  function receive(message) {
    heard = performance.now();
    RECEIVED[message.kind](message);
  }

  function lost() {
    engine.end();
    engine = null;
    stopWith("The worker that trains was lost. Run begins anew, from the last pause.");
  }

  function stopWith(text) {
    pressed = running = false;
    controls.warn(text);
    say(text);
    view.schedule();
  }

  function say(text) {
    live.textContent = text;
  }

  // Run where the reader wants it, and sees it.
  function update() {
    if (!engine && shown) begin();
    const on = pressed && shown && !document.hidden;
    if (engine && on !== running) {
      running = on;
      heard = performance.now();
      engine.send({ kind: "run", on });
    }
    view.schedule();
  }

  function run(on) {
    controls.warn("");
    pressed = on;
    if (on) say("It trains.");
    update();
  }

  function step() {
    run(false);
    engine?.send({ kind: "step" });
  }

  function reset() {
    controls.warn("");
    update(); // which begins, where a worker was lost
    engine?.send({ kind: "reset", ...startOf(spec, view.get) });
  }

  function seek(steps) {
    run(false);
    engine?.send({ kind: "film", steps });
  }

  function teach(traits) {
    for (const [name, value] of Object.entries(traits)) hold(name, value);
    release();
    reset();
    run(true);
  }

  function hold(name, value) {
    view.set(name, value);
  }

  function release() {
    view.release();
  }

  const names = [...TRAITS, ...Object.keys(parts).map((name) => `show_${name}`)];
  const view = follow(model, names, draw);
  const watch = new IntersectionObserver((entries) => {
    shown = entries.at(-1).isIntersecting;
    update();
  });
  watch.observe(root);
  document.addEventListener("visibilitychange", update);
  const timer = setInterval(() => {
    if (running && performance.now() - heard > SILENT) lost();
  }, SILENT / 4);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", update);
    watch.disconnect();
    engine?.end();
    slow.stop();
    view.stop();
    root.remove();
  };
}
