// The names of the settings, and what a change of them is called.

export const NAMES = {
  reparameterized: "reparameterized",
  score: "score function",
  blocked: "blocked",
  bernoulli: "Bernoulli",
  sum: "sum of squares",
  mean: "mean of squares",
  learned: "Gaussian, learned variance",
};

// What is different, in words for a mark; empty where nothing is.
export function sayChange(before, after) {
  const texts = {
    variational: after.variational ? "VAE" : "autoencoder",
    gradient: NAMES[after.gradient],
    likelihood: NAMES[after.likelihood],
    beta: `β ${after.beta.toFixed(1)}`,
  };
  return Object.keys(texts)
    .filter((name) => before[name] !== after[name])
    .map((name) => texts[name])
    .join(", ");
}
