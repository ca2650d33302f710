// Training an autoencoder or a VAE: one step forward, backward, and Adam's, by hand. Functions on
// Float32Arrays, without a page. Beside each function stands its derivative; a loss is a mean over
// the batch, so each gradient carries 1 / count.
//
// The networks: { trunk, mu, logvar, decoder, pixelLogvar }. The encoder is the trunk with two last
// layers, mu and logvar: an autoencoder uses the first, the other rests. The settings:
// { variational, gradient, likelihood, beta }.

import { LIKELIHOODS } from "./likelihoods.js";
import { backward, forward, linear, linearBackward } from "./network.js";
import { linearWeightGradients, weightGradients } from "./weight_gradients.js";

export const ADAM = { rate: 3e-3, first: 0.9, second: 0.999, epsilon: 1e-8 };

// Images x (count, size) and noise eps (count, latents) go through: all that `gradients` needs.
export function pass(net, settings, x, eps, count) {
  const trunk = forward(net.trunk, x, count);
  const mu = linear(net.mu, trunk.at(-1), count);
  const logvar = settings.variational ? linear(net.logvar, trunk.at(-1), count) : null;
  const z = logvar ? sample(mu, logvar, eps) : mu;
  const decoder = forward(net.decoder, z, count);
  const likelihood = LIKELIHOODS[settings.likelihood];
  const kl = logvar ? klDivergence(mu, logvar, count) : null;
  const error = likelihood(x, decoder.at(-1), count, net.pixelLogvar[0]);
  return { trunk, mu, logvar, eps, z, decoder, kl, ...error };
}

// z = μ + σ ε
function sample(mu, logvar, eps) {
  return mu.map((m, i) => m + Math.exp(logvar[i] / 2) * eps[i]);
}

// ∂z/∂μ = 1 and ∂z/∂log σ² = σ ε / 2
function sampleBackward({ logvar, eps }, byZ) {
  return { mu: byZ, logvar: byZ.map((g, i) => (g * Math.exp(logvar[i] / 2) * eps[i]) / 2) };
}

// The score function: (loss − baseline) ∇ log q(z|x), where z is a given number and the baseline is
// the batch's mean. With z = μ + σ ε: ∂ log q/∂μ = ε / σ and ∂ log q/∂log σ² = (ε² − 1) / 2.
function scoreBackward({ logvar, eps, losses }) {
  const count = losses.length;
  const latents = eps.length / count;
  const baseline = mean(losses);
  const weight = (i) => (losses[Math.floor(i / latents)] - baseline) / count;
  return {
    mu: eps.map((e, i) => (weight(i) * e) / Math.exp(logvar[i] / 2)),
    logvar: eps.map((e, i) => (weight(i) * (e * e - 1)) / 2),
  };
}

// Sampling blocks the gradient: none reaches μ and σ.
function blockedBackward({ mu, logvar }) {
  return { mu: new Float32Array(mu.length), logvar: new Float32Array(logvar.length) };
}

const THROUGH_Z = {
  reparameterized: sampleBackward,
  score: scoreBackward,
  blocked: blockedBackward,
};

// KL(q(z|x) ‖ N(0, I)) of each image: ½ Σ (μ² + σ² − log σ² − 1)
function klDivergence(mu, logvar, count) {
  const latents = mu.length / count;
  const kl = new Float64Array(count);
  for (let i = 0; i < mu.length; i++) {
    kl[Math.floor(i / latents)] += (mu[i] ** 2 + Math.expm1(logvar[i]) - logvar[i]) / 2;
  }
  return kl;
}

// ∂KL/∂μ = μ and ∂KL/∂log σ² = (σ² − 1) / 2
function klBackward({ mu, logvar, losses }, beta) {
  const weight = beta / losses.length;
  return {
    mu: mu.map((m) => weight * m),
    logvar: logvar.map((v) => (weight * Math.expm1(v)) / 2),
  };
}

// The gradient of each tensor of `tensors`, null where it rests.
export function gradients(net, settings, now) {
  const count = now.losses.length;
  const byDecoder = backward(net.decoder, now.decoder, now.byLogits, count);
  const byCode = codeGradients(settings, now, byDecoder[0]);
  const decoder = weightGradients(net.decoder, now.decoder, byDecoder.slice(1), count);
  return [
    ...encoderGradients(net, now, byCode.kl ? sum(byCode) : byCode.reconstruction),
    ...flat(decoder),
    now.byPixelLogvar === undefined ? null : Float32Array.of(now.byPixelLogvar),
  ];
}

// How each part of the loss arrives at μ and log σ².
function codeGradients(settings, now, byZ) {
  if (!settings.variational) return { reconstruction: { mu: byZ, logvar: null } };
  const reconstruction = THROUGH_Z[settings.gradient](now, byZ);
  return { reconstruction, kl: klBackward(now, settings.beta) };
}

function sum({ reconstruction, kl }) {
  const add = (name) => reconstruction[name].map((g, i) => g + kl[name][i]);
  return { mu: add("mu"), logvar: add("logvar") };
}

// The gradients of the encoder's tensors, from those by mu and by logvar, null where it rests.
function encoderGradients(net, now, { mu, logvar }) {
  const { trunk } = now;
  const count = now.losses.length;
  const byHidden = linearBackward(net.mu, mu, count);
  const by = logvar ? linearBackward(net.logvar, logvar, count) : null;
  for (let i = 0; by && i < by.length; i++) byHidden[i] += by[i];
  // Nobody needs the gradient by the images: it ends at the first layer's output.
  const byTrunk = backward(net.trunk.slice(1), trunk.slice(1), byHidden, count);
  const last = (layer, by) => by && linearWeightGradients(layer, trunk.at(-1), by, count);
  const heads = [last(net.mu, mu), last(net.logvar, logvar) ?? { weight: null, bias: null }];
  return flat([...weightGradients(net.trunk, trunk, byTrunk, count), ...heads]);
}

// The size of the encoder's gradient that comes from each part of the loss.
export function encoderShares(net, settings, now) {
  const byZ = backward(net.decoder, now.decoder, now.byLogits, now.losses.length)[0];
  const byCode = codeGradients(settings, now, byZ);
  const size = (by) => (by ? norm(encoderGradients(net, now, by)) : 0);
  return { reconstruction: size(byCode.reconstruction), kl: size(byCode.kl) };
}

function norm(arrays) {
  const square = (array) => (array ?? []).reduce((sum, v) => sum + v * v, 0);
  return Math.sqrt(arrays.reduce((sum, array) => sum + square(array), 0));
}

// All that is trained: weight and bias of each layer, the encoder's first, and the pixels' logvar.
export function tensors(net) {
  return [...flat([...net.trunk, net.mu, net.logvar, ...net.decoder]), net.pixelLogvar];
}

function flat(layers) {
  return layers.flatMap((layer) => (layer?.weight === undefined ? [] : [layer.weight, layer.bias]));
}

export function mean(values) {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

// Adam's moments of each tensor, and how often it was moved.
export function restingAdam(all) {
  return all.map(({ length }) => ({
    first: new Float32Array(length),
    second: new Float32Array(length),
    steps: 0,
  }));
}

// Moves each tensor that has a gradient, in place: w ← w − rate · m̂ / (√v̂ + ε).
export function adam(all, slopes, moments, { rate, first, second, epsilon } = ADAM) {
  for (const [k, w] of all.entries()) {
    const g = slopes[k];
    if (g === null) continue;
    const { first: m, second: v } = moments[k];
    const steps = ++moments[k].steps;
    const size = rate / (1 - first ** steps);
    const scale = 1 / Math.sqrt(1 - second ** steps);
    for (let i = 0; i < w.length; i++) {
      const slope = g[i];
      const average = m[i] + (1 - first) * (slope - m[i]);
      const square = v[i] + (1 - second) * (slope * slope - v[i]);
      w[i] -= (size * average) / (Math.sqrt(square) * scale + epsilon);
      m[i] = average;
      v[i] = square;
    }
  }
}

// One step on a batch; gives what `pass` gave before it.
export function step(net, settings, moments, x, eps, count, options = ADAM) {
  const now = pass(net, settings, x, eps, count);
  adam(tensors(net), gradients(net, settings, now), moments, options);
  return now;
}
