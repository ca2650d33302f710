// What trains for the playground, told by messages: in a worker, or in slices where there is none.
//
// In: begin, reset, load, settings, run, step, film. Out: view (all that is drawn), weights (on a
// pause), step (what one step did), stopped (with a sentence).

import { createCurves } from "./curves.js";
import { createFilm } from "./film.js";
import { LATENTS } from "./nets.js";
import { createTrainer } from "./trainer.js";

const EVERY = 250; // milliseconds between two views, and longer where one takes long
const SHARE = 5; // a view takes at most about a fifth of the time

// `later` calls a function when messages have had their turn; `slice` is how long it trains before.
export function createSession(post, later, slice) {
  let trainer = null;
  let settings = null;
  let film = createFilm();
  let curves = createCurves();
  let running = false;
  let waiting = false; // for a slice
  let last = null; // the last step
  let seen = { at: 0, steps: 0, time: 0, cost: 0 }; // the last view
  let rate = 0;

  const TOLD = {
    begin(message) {
      trainer = createTrainer(message.data);
      settings = message.settings;
      TOLD.reset(message);
    },
    reset({ seed, width }) {
      trainer.reset(seed, width);
      anew();
    },
    load({ numbers, width, steps }) {
      trainer.load(numbers, width, steps);
      anew();
    },
    settings({ settings: wanted }) {
      [settings, last] = [wanted, null];
      if (!running) show();
    },
    run({ on }) {
      if (on === running) return;
      running = on;
      if (!on) return pause();
      goOnFromHere();
      seen = { ...seen, at: performance.now(), steps: trainer.steps() };
      wait();
    },
    step() {
      goOnFromHere();
      const weights = trainer.weights();
      if (!train()) return;
      const { places, eps, reconstruction } = last;
      const one = { image: places[0], eps: Array.from(eps.subarray(0, LATENTS)), settings };
      Object.assign(one, { baseline: reconstruction }); // the batch's mean
      post({ kind: "step", weights, ...one });
      pause();
    },
    film({ steps }) {
      running = false;
      film.keep(trainer.steps(), trainer.snapshot);
      trainer.restore(film.nearest(steps));
      last = null;
      show();
      post({ kind: "weights", numbers: trainer.weights(), steps: trainer.steps() });
    },
  };

  function anew() {
    [film, curves, last, rate] = [createFilm(), createCurves(), null, 0];
    film.offer(trainer.steps(), trainer.snapshot);
    seen = { at: performance.now(), steps: trainer.steps(), time: 0, cost: 0 };
    show();
  }

  // After a look at the film: what came later is forgotten.
  function goOnFromHere() {
    film.cut(trainer.steps());
    curves.cut(trainer.steps());
  }

  function pause() {
    rate = 0;
    film.keep(trainer.steps(), trainer.snapshot);
    show();
    post({ kind: "weights", numbers: trainer.weights(), steps: trainer.steps() });
  }

  // One step; false where the losses are no numbers any more.
  function train() {
    curves.train(trainer.steps(), settings);
    last = trainer.next(settings);
    const { reconstruction, kl } = last;
    if (!Number.isFinite(reconstruction + (kl ?? 0))) {
      running = false;
      rate = 0;
      const steps = trainer.steps();
      post({ kind: "stopped", steps });
      return false;
    }
    curves.learn(last);
    film.offer(trainer.steps(), trainer.snapshot);
    return true;
  }

  function wait() {
    if (waiting) return;
    waiting = true;
    later(() => {
      waiting = false;
      work();
    });
  }

  function work() {
    if (!running) return;
    const end = performance.now() + slice;
    do {
      if (!train()) return;
    } while (performance.now() < end);
    const since = performance.now() - seen.at;
    if (since > Math.max(EVERY, SHARE * seen.cost)) {
      const fresh = (1000 * (trainer.steps() - seen.steps)) / since;
      rate = rate ? (rate + fresh) / 2 : fresh;
      show();
    }
    wait();
  }

  function show() {
    const start = performance.now();
    const view = trainer.look(settings, last);
    const { reconstruction, kl } = view;
    const steps = trainer.steps();
    const all = curves.all().points;
    if (!(all.at(-1)?.steps > steps)) {
      curves.point(steps, settings.likelihood, { reconstruction, kl });
    }
    const { likelihood } = settings;
    const frames = film.steps();
    const shown = {
      ...view,
      ...curves.all(),
      frames,
      steps,
      rate,
      running,
      likelihood,
    };
    post({ kind: "view", ...shown });
    seen = { at: performance.now(), steps, cost: performance.now() - start };
  }

  return (message) => TOLD[message.kind](message);
}
