// What the traits say to the trainer, checked: an address may hold anything.

import { number } from "./common.js";

export const GRADIENTS = ["reparameterized", "score", "blocked"];
export const LIKELIHOODS = ["bernoulli", "sum", "mean", "learned"];
export const NAMES = {
  reparameterized: "reparameterized",
  score: "score function",
  blocked: "blocked",
  bernoulli: "Bernoulli",
  sum: "sum of squares",
  mean: "mean of squares",
  learned: "Gaussian, learned variance",
};

export function readSettings(spec, get) {
  const variational = get("variational");
  const likelihood = LIKELIHOODS[get("likelihood")] ?? LIKELIHOODS[0];
  const [low, high] = spec.limits.beta;
  const beta = Math.min(high, Math.max(low, get("beta")));
  const gradient = GRADIENTS[get("gradient")] ?? GRADIENTS[0];
  return { variational, gradient, likelihood, beta };
}

// What the weights begin from.
export function startOf(spec, get) {
  const width = spec.sizes[get("width")] ? get("width") : spec.width;
  return { width, seed: get("seed") };
}

// What is different, in words for a mark; empty where nothing is.
export function sayChange(before, after) {
  const texts = {
    variational: after.variational ? "VAE" : "autoencoder",
    gradient: NAMES[after.gradient],
    likelihood: NAMES[after.likelihood],
    beta: `β ${number(after.beta, 1)}`,
  };
  return Object.keys(texts)
    .filter((name) => before[name] !== after[name])
    .map((name) => texts[name])
    .join(", ");
}

export function unitOf(likelihood) {
  return { sum: "squared error", mean: "mean squared error" }[likelihood] ?? "nats";
}

// The loss with as many digits as its likelihood needs.
export function lossDigits(likelihood) {
  return likelihood === "mean" ? 4 : 1;
}

export function lossText({ steps, reconstruction, kl, likelihood }) {
  const loss = number(reconstruction, lossDigits(likelihood));
  const rest = kl === null ? "" : `, KL ${number(kl)} nats`;
  return `${steps} steps: held-out reconstruction loss ${loss} ${unitOf(likelihood)}${rest}.`;
}
