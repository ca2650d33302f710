// What the traits say to the trainer, checked: an address may hold anything.

import { number } from "./common.js";

export const GRADIENTS = ["reparameterized", "score", "blocked"];
export const LIKELIHOODS = ["bernoulli", "sum", "mean", "learned"];
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
