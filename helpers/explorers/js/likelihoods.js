// The reconstruction losses, each with its derivative: for the playground's trainer, and for the one
// image of the flow explorer. Functions on Float32Arrays, without a page.

// Of each likelihood the reconstruction loss of each image, and the gradients of their mean by the
// logits l, with p = 1 / (1 + e⁻ˡ), and by the log-variance of the pixels where it is learned.
export const LIKELIHOODS = {
  bernoulli,
  sum: (x, logits, count) => squares(x, logits, count, 1),
  mean: (x, logits, count) => squares(x, logits, count, count / x.length),
  learned,
};

// −log p(x|z) = Σ log(1 + eˡ) − x l; the derivative is p − x. Eight pixels share a logarithm: that of
// the product of their 1 + e^−|l|, each between 1 and 2.
function bernoulli(x, logits, count) {
  const size = x.length / count;
  const losses = new Float64Array(count);
  const byLogits = new Float32Array(x.length);
  for (let row = 0, at = 0; row < count; row++) {
    let sum = 0;
    let product = 1;
    for (const end = at + size; at < end; at++) {
      const l = logits[at];
      const e = Math.exp(-Math.abs(l));
      sum += Math.max(l, 0) - x[at] * l;
      product *= 1 + e;
      if ((at & 7) === 7) {
        sum += Math.log(product);
        product = 1;
      }
      byLogits[at] = ((l > 0 ? 1 : e) / (1 + e) - x[at]) / count;
    }
    losses[row] = sum + Math.log(product);
  }
  return { losses, byLogits };
}

// weight · Σ (x − p)²; the derivative is 2 weight (p − x) p (1 − p), where p (1 − p) = e / (1 + e)².
function squares(x, logits, count, weight) {
  const size = x.length / count;
  const losses = new Float64Array(count);
  const byLogits = new Float32Array(x.length);
  for (let row = 0, at = 0; row < count; row++) {
    let sum = 0;
    for (const end = at + size; at < end; at++) {
      const e = Math.exp(-Math.abs(logits[at]));
      const difference = (logits[at] > 0 ? 1 : e) / (1 + e) - x[at];
      sum += difference * difference;
      byLogits[at] = (2 * weight * difference * e) / (1 + e) ** 2 / count;
    }
    losses[row] = weight * sum;
  }
  return { losses, byLogits };
}

// −log N(x; p, eˢ) = ½ e⁻ˢ Σ (x − p)² + ½ D (s + log 2π): squares of the weight ½ e⁻ˢ. The derivative
// by s is ½ D − ½ e⁻ˢ Σ (x − p)².
function learned(x, logits, count, s) {
  const { losses: errors, byLogits } = squares(x, logits, count, Math.exp(-s) / 2);
  const half = x.length / count / 2;
  const sum = errors.reduce((a, error) => a + error, 0);
  const losses = errors.map((error) => error + half * (s + Math.log(2 * Math.PI)));
  return { losses, byLogits, byPixelLogvar: half - sum / count };
}
