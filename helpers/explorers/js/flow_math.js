// What goes through the network for one image, and the gradient that comes back: pure functions.

import { LIKELIHOODS } from "./likelihoods.js";
import { backward, forward, network, run, sigmoid, sizeOf } from "./network.js";

// The decoder stands first in the weights, and ends in the sigmoid: here it ends in logits.
export function readNetworks(spec, weights) {
  return {
    decoder: network(spec.decoder.slice(0, -1), weights),
    encoder: network(spec.encoder, weights, sizeOf(spec.decoder)),
  };
}

// x -> (mu, logvar) -> z = mu + noise · sigma · eps -> logits -> pixels, and the loss in its parts.
// `noise` scales eps. Where spec.variational is false, z is what the encoder gives.
export function flow({ encoder, decoder }, spec, x, eps, noise) {
  const code = run(encoder, x);
  const mu = code.slice(0, spec.latent_dim);
  const logvar = code.slice(spec.latent_dim);
  const sigma = logvar.map((v) => Math.exp(v / 2));
  const z = mu.map((m, i) => (spec.variational ? m + noise * sigma[i] * eps[i] : m));
  const kept = forward(decoder, z, 1);
  const logits = kept.at(-1);
  const pixels = logits.map(sigmoid);
  const kl = Array.from(logvar, (v, i) => klOf(mu[i], v));
  const { losses, byLogits } = LIKELIHOODS[spec.likelihood](x, logits, 1, spec.pixel_logvar);
  const loss = losses[0] + betaOf(spec) * total(kl);
  const result = { x, mu, logvar, sigma, eps, noise, z, kept, logits, pixels, kl };
  return Object.assign(result, { reconstruction: losses[0], byLogits, loss });
}

// The weight of the KL, which only the playground changes.
export function betaOf({ beta = 1 }) {
  return beta;
}

// Whether z is a draw and no formula, so that the gradient ends there.
export function blocked({ gradient }) {
  return gradient === "blocked";
}

// Whether its loss is one of a probability, in nats.
export function inNats({ likelihood }) {
  return likelihood === "bernoulli" || likelihood === "learned";
}

// KL(N(mu, sigma²) ‖ N(0, 1)) in nats.
function klOf(mu, logvar) {
  return 0.5 * (mu * mu + Math.expm1(logvar) - logvar);
}

export function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

// The gradient of each part of the loss, by z, mu and sigma. Where it is blocked, that of the
// reconstruction ends at z; so it does under the score function, which weighs ∇ log q(z|x) with the
// loss itself, less a baseline. The gradient of the KL does not pass z: it begins at mu and sigma.
export function gradients({ decoder }, spec, result) {
  const { mu, sigma, eps, noise, kept, byLogits } = result;
  const byZ = backward(decoder, kept, byLogits, 1)[0];
  const open = blocked(spec) ? 0 : 1;
  const beta = betaOf(spec);
  const weight = result.reconstruction - spec.baseline;
  const through =
    spec.gradient === "score"
      ? {
          mu: sigma.map((s, i) => (weight * eps[i]) / s),
          sigma: sigma.map((s, i) => (weight * (eps[i] ** 2 - 1)) / s),
        }
      : {
          mu: byZ.map((g) => open * g),
          sigma: byZ.map((g, i) => open * g * noise * eps[i]),
        };
  const kl = { klMu: mu.map((m) => beta * m), klSigma: sigma.map((s) => beta * (s - 1 / s)) };
  return { z: byZ, ...through, ...kl };
}

// The nodes that each light reaches. Noise of 0 keeps the reconstruction's from sigma.
export function reached(spec, noise) {
  const open = !blocked(spec);
  const way = ["loss", "reconstruction", "x_hat", "decoder", "z"];
  if (!spec.variational) return { reconstruction: [...way, "encoder"], kl: [] };
  const on = open ? ["mu", ...(noise > 0 ? ["sigma"] : []), "q", "encoder"] : [];
  const kl = betaOf(spec) > 0 ? ["loss", "kl", "q", "mu", "sigma", "encoder"] : [];
  return { reconstruction: [...way, ...on], kl };
}

// What the reader sees, by the names of helpers.explorers.FlowExplorer.numbers.
export function numbersOf(spec, result, slopes = null) {
  const numbers = { reconstruction: result.reconstruction, loss: result.loss };
  const each = { z: result.z };
  if (spec.variational) {
    numbers.kl = total(result.kl);
    const { mu, sigma, eps, kl } = result;
    Object.assign(each, { mu, sigma, kl }, blocked(spec) ? {} : { eps });
  }
  if (slopes) {
    each.reconstruction_by_z = slopes.z;
    if (spec.variational) {
      each.reconstruction_by_mu = slopes.mu;
      each.reconstruction_by_sigma = slopes.sigma;
      each.kl_by_mu = slopes.klMu;
      each.kl_by_sigma = slopes.klSigma;
    }
  }
  for (const [name, values] of Object.entries(each)) {
    for (let i = 0; i < spec.shown; i++) numbers[`${name}_${i + 1}`] = values[i];
  }
  return numbers;
}

// Four digits that count, whatever the size.
export function digits(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-3) return value.toExponential(2).replaceAll("-", "−");
  return (size < 9999 ? value.toPrecision(4) : value.toFixed(0)).replace("-", "−");
}

// Two decimals, and no −0.00: for the line, where more would not fit.
export function short(value) {
  const text = value.toFixed(2);
  return text === "-0.00" ? "0.00" : text.replace("-", "−");
}

// The loss as the sum of its parts as they are shown.
export function shortSum(...parts) {
  return short(parts.reduce((sum, part) => sum + Number(part.toFixed(2)), 0));
}

export function sub(i) {
  return [...String(i + 1)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("");
}

// The next image of this class after this one, round about.
export function nextOf(classes, name, index) {
  const order = classes.map((_, k) => (index + 1 + k) % classes.length);
  return order.find((i) => classes[i] === name);
}
