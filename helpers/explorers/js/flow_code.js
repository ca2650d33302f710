// The line of code that computes a node, and the same with its numbers filled in.

import { betaOf, blocked, digits, sub, total } from "./flow_math.js";

// { code, filled } of a node; `i` is the latent, where a node has one.
export function lineOf(name, i, spec, result) {
  return LINES[name](spec, result, i);
}

const LINES = {
  x: (_, { x, source = "images[index]" }) => ({
    code: `x = ${source}  # (1, ${x.length}), from 0 (black) to 1 (white)`,
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
  z: (spec, { mu, sigma, eps, noise, z }, i) => {
    if (blocked(spec)) {
      const law = `N(${digits(mu[i])}, ${digits(sigma[i])}²)`;
      return {
        code: "z = Normal(mu, std).sample()",
        filled: `z${sub(i)} = ${digits(z[i])}, a draw from ${law}`,
      };
    }
    return spec.variational
      ? {
          code: noise === 1 ? "z = mu + std * eps" : `z = mu + ${noise} * std * eps  # less noise`,
          filled:
            `z${sub(i)} = ${digits(mu[i])} + ${noise === 1 ? "" : `${noise} × `}` +
            `${digits(sigma[i])} × ${bracket(eps[i])} = ${digits(z[i])}`,
        }
      : { code: "z = model.encode(x)", filled: `z${sub(i)} = ${digits(z[i])}` };
  },
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
  reconstruction: (spec, { reconstruction }) => {
    const [right, filled, unit] = RECONSTRUCTION[spec.likelihood](spec);
    return {
      code: `reconstruction_loss = ${right}`,
      filled: `${filled}: ${digits(reconstruction)}${unit}`,
    };
  },
  loss: (spec, { reconstruction, kl, loss }) => {
    const beta = betaOf(spec);
    if (!spec.variational) {
      return { code: `loss = ${RECONSTRUCTION[spec.likelihood](spec)[0]}`, filled: digits(loss) };
    }
    const elbo = spec.likelihood === "bernoulli" && beta === 1 ? "  # = -elbo" : "";
    const weight = beta === 1 ? "" : `${digits(beta)} × `;
    return {
      code: `loss = reconstruction_loss + ${beta === 1 ? "" : `${beta} * `}kl${elbo}`,
      filled: `${digits(reconstruction)} + ${weight}${digits(total(kl))} = ${digits(loss)}`,
    };
  },
};

// The right side in Python, what is summed, and the unit.
const RECONSTRUCTION = {
  bernoulli: ({ side }) => [
    "-bernoulli_log_likelihood(x, x_logits)",
    `−(x log x̂ + (1 − x) log(1 − x̂)), summed over ${side ** 2} pixels`,
    " nats",
  ],
  sum: ({ side }) => ["(x - x_hat).square().sum()", `summed over ${side ** 2} pixels`, ""],
  mean: ({ side }) => ["(x - x_hat).square().mean()", `the mean of ${side ** 2} pixels`, ""],
  learned: ({ side, pixel_logvar: s }) => [
    "-gaussian_log_likelihood(x, x_hat, pixel_logvar)",
    `−log N(x; x̂, exp(${digits(s)})), summed over ${side ** 2} pixels`,
    " nats",
  ],
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
