// One training run of the playground: the networks, Adam's moments, and what is drawn at random.

import { begin, LATENTS, pack, unpack } from "./nets.js";
import { run, sigmoid } from "./network.js";
import { createRandom } from "./random.js";
import { encoderShares, mean, pass, restingAdam, step, tensors } from "./train.js";

export const BATCH = 64;
export const CELLS = 12; // of the grid, across and down
const RECONSTRUCTED = 10;
const HALVES = [3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024];

// data: { pixels (training, then held-out images, as bytes), training, size, heldNoise, priorNoise }
export function createTrainer(data) {
  const { pixels, training, size, heldNoise, priorNoise } = data;
  const heldCount = heldNoise.length / LATENTS;
  const held = images(Array.from({ length: heldCount }, (_, i) => training + i));
  let random = createRandom(0);
  let order = [];
  let now = {}; // { net, moments, steps }
  let half = HALVES[0];

  function images(places) {
    const x = new Float32Array(places.length * size);
    for (const [row, place] of places.entries()) {
      const start = place * size;
      for (let i = 0; i < size; i++) x[row * size + i] = pixels[start + i] / 255;
    }
    return x;
  }

  function reset(seed, width) {
    random = createRandom(seed);
    use(begin(random, size, width), 0);
  }

  // Networks from elsewhere: Adam begins anew.
  function load(numbers, width, steps) {
    use(unpack(numbers, size, width), steps);
  }

  function use(net, steps) {
    now = { net, moments: restingAdam(tensors(net)), steps };
    order = [];
    half = HALVES[0];
  }

  function draw() {
    if (order.length < BATCH) order = Array.from(random.order(training));
    const places = order.splice(0, BATCH);
    const eps = Float32Array.from({ length: places.length * LATENTS }, random.normal);
    return { places, eps, x: images(places) };
  }

  // A step on the next batch: which images, their noise, the batch's losses, and what `pass` gave.
  function next(settings) {
    const { places, eps, x } = draw();
    const passed = step(now.net, settings, now.moments, x, eps, places.length);
    now.steps += 1;
    return { places, eps, passed, ...lossesOf(passed) };
  }

  // What the held-out images and the prior give now; the noise is always the same.
  function look(settings, last) {
    const passed = pass(now.net, settings, held, heldNoise, heldCount);
    const { mu, logvar } = passed;
    half = settled(mu, half);
    return {
      ...lossesOf(passed),
      codes: mu,
      logvar,
      half,
      grid: decoded(gridCodes(half)),
      samples: decoded(priorNoise),
      reconstructed: grey(passed.decoder.at(-1).subarray(0, RECONSTRUCTED * size)),
      shares: last ? encoderShares(now.net, settings, last.passed) : null,
      pixelLogvar: now.net.pixelLogvar[0],
    };
  }

  function decoded(codes) {
    return grey(run(now.net.decoder, codes, codes.length / LATENTS));
  }

  function snapshot() {
    const copies = tensors(now.net).map((tensor) => tensor.slice());
    const moments = now.moments.map(({ first, second, steps }) => {
      return { first: first.slice(), second: second.slice(), steps };
    });
    return { copies, moments, steps: now.steps, random: random.state() };
  }

  function restore({ copies, moments, steps, random: state }) {
    for (const [k, tensor] of tensors(now.net).entries()) tensor.set(copies[k]);
    for (const [k, one] of now.moments.entries()) {
      one.first.set(moments[k].first);
      one.second.set(moments[k].second);
      one.steps = moments[k].steps;
    }
    now.steps = steps;
    random = createRandom(state);
    order = [];
  }

  const weights = () => pack(now.net);
  return { reset, load, next, look, snapshot, restore, weights, steps: () => now.steps };
}

function lossesOf({ losses, kl }) {
  return { reconstruction: mean(losses), kl: kl && mean(kl) };
}

function grey(logits) {
  const bytes = new Uint8Array(logits.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(255 * sigmoid(logits[i]));
  return bytes;
}

// Half the side of the map: 98 of 100 codes are on it. It shrinks only where it is far too large,
// so that the map stands still.
function settled(codes, half) {
  const sizes = Float32Array.from(codes, Math.abs).sort();
  const reach = 1.05 * sizes[Math.floor(0.99 * (sizes.length - 1))];
  if (reach <= half && reach >= 0.6 * half) return half;
  return HALVES.find((one) => one >= reach) ?? HALVES.at(-1);
}

// The codes in the middle of the grid's cells, row after row from the top.
function gridCodes(half) {
  const place = (k) => half * ((2 * k + 1) / CELLS - 1);
  const codes = new Float32Array(CELLS * CELLS * LATENTS);
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    codes[LATENTS * cell] = place(cell % CELLS);
    codes[LATENTS * cell + 1] = -place(Math.floor(cell / CELLS));
  }
  return codes;
}
