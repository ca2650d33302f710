// The line of code that computes a node, and the same with its numbers filled in.

import { digits, sub, total } from "./flow_math.js";

// { code, filled } of a node; `i` is the latent, where a node has one.
export function lineOf(name, i, spec, result) {
  return LINES[name](spec, result, i);
}

const LINES = {
  x: (_, { x }) => ({
    code: "x = images[index]  # (1, 784), from 0 (black) to 1 (white)".replace("784", x.length),
    filled: `${x.filter((v) => v > 0).length} of ${x.length} pixels are not black; they add up to ${digits(total(x))}`,
  }),
  encoder: (spec, result) => ({
    code: spec.variational ? "mu, logvar = model.encode(x)" : "z = model.encode(x)",
    filled:
      `${widths(spec.encoder)} numbers, layer by layer: ` +
      (spec.variational
        ? `μ = ${list(result.mu, spec)}, log σ² = ${list(result.logvar, spec)}`
        : `z = ${list(result.z, spec)}`),
  }),
  q: (_, { mu, logvar, sigma }, i) => ({
    code: "mu, logvar = model.encode(x)\nstd = (0.5 * logvar).exp()",
    filled: `μ${sub(i)} = ${digits(mu[i])}, σ${sub(i)} = exp(0.5 × ${bracket(logvar[i])}) = ${digits(sigma[i])}`,
  }),
  eps: (_, { eps }, i) => ({
    code: "eps = torch.randn_like(mu)  # a draw from N(0, 1), for each latent",
    filled: `ε${sub(i)} = ${digits(eps[i])}`,
  }),
  z: (spec, { mu, sigma, eps, noise, z }, i) =>
    spec.variational
      ? {
          code: noise === 1 ? "z = mu + std * eps" : `z = mu + ${noise} * std * eps  # less noise`,
          filled:
            `z${sub(i)} = ${digits(mu[i])} + ${noise === 1 ? "" : `${noise} × `}` +
            `${digits(sigma[i])} × ${bracket(eps[i])} = ${digits(z[i])}`,
        }
      : { code: "z = model.encode(x)", filled: `z${sub(i)} = ${digits(z[i])}` },
  decoder: (spec, result) => ({
    code: "x_logits = model.decode(z)",
    filled: `${widths(spec.decoder)} numbers, layer by layer, from z = ${list(result.z, spec)}`,
  }),
  x_hat: (_, { logits, pixels }) => {
    const at = pixels.indexOf(Math.max(...pixels));
    return {
      code: "x_hat = x_logits.sigmoid()",
      filled: `the brightest pixel: 1 / (1 + exp(−${bracket(logits[at])})) = ${digits(pixels[at])}`,
    };
  },
  kl: (_, { mu, logvar, kl }, i) => ({
    code: "kl = 0.5 * (mu**2 + logvar.exp() - logvar - 1)  # .sum() over the latents",
    filled:
      `0.5 × (${digits(mu[i] ** 2)} + ${digits(Math.exp(logvar[i]))} − ${bracket(logvar[i])} − 1)` +
      ` = ${digits(kl[i])} nats`,
  }),
  kl_total: (spec, { kl }) => ({
    code: "kl = kl_divergence(mu, logvar)",
    filled: `${sumOf(kl, spec)} = ${digits(total(kl))} nats`,
  }),
  reconstruction: (spec, { reconstruction }) =>
    spec.likelihood === "sum"
      ? {
          code: "reconstruction_loss = (x - x_hat).square().sum()",
          filled: `summed over ${spec.side ** 2} pixels: ${digits(reconstruction)}`,
        }
      : {
          code: "reconstruction_loss = -bernoulli_log_likelihood(x, x_logits)",
          filled:
            `−(x log x̂ + (1 − x) log(1 − x̂)), summed over ${spec.side ** 2} pixels: ` +
            `${digits(reconstruction)} nats`,
        },
  loss: (spec, { reconstruction, kl, loss }) =>
    spec.variational
      ? {
          code: `loss = reconstruction_loss + kl${spec.likelihood === "sum" ? "" : "  # = -elbo"}`,
          filled: `${digits(reconstruction)} + ${digits(total(kl))} = ${digits(loss)}`,
        }
      : { code: "loss = (x - x_hat).square().sum()", filled: digits(loss) },
};

function widths(layers) {
  const linear = layers.filter(({ type }) => type === "Linear");
  return [linear[0].inputs, ...linear.map(({ outputs }) => outputs)].join(" → ");
}

function list(values, { shown }) {
  const texts = Array.from(values.slice(0, shown), digits);
  return `(${texts.join(", ")}${values.length > shown ? ", …" : ""})`;
}

function sumOf(values, { shown }) {
  const texts = values.slice(0, shown).map(digits);
  const rest = total(values.slice(shown));
  return [...texts, ...(values.length > shown ? [`${digits(rest)} (the others)`] : [])].join(" + ");
}

function bracket(value) {
  return value < 0 ? `(${digits(value)})` : digits(value);
}
