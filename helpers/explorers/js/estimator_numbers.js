// The numbers of EstimatorExplorer: two estimators of one derivative, their truth and variances.
//
// `state` is { mu, sigma, n, f, baseline, dimension, noise } with noise as Float32Array;
// `spec` has h, size and shift.

export function density(z) {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

// The share of N(0, 1) below z: ½ + φ(z) (z + z³/3 + z⁵/(3·5) + …).
export function below(z) {
  if (Math.abs(z) > 8) return z > 0 ? 1 : 0;
  let [sum, term] = [0, z];
  for (let k = 3; sum + term !== sum; k += 2) {
    sum += term;
    term *= (z * z) / k;
  }
  return 0.5 + density(z) * sum;
}

export function place({ f, mu, sigma }) {
  return f === "norm" ? [0, 1] : [mu, sigma];
}

export function truth(state) {
  const [mu, sigma] = place(state);
  if (state.f === "step") return density(mu / sigma) / sigma;
  return state.f === "line" ? 1 : 2 * mu;
}

// E f(z), or 0 where no baseline is subtracted.
export function baselineOf(state) {
  const [mu, sigma] = place(state);
  if (!state.baseline) return 0;
  const means = { line: mu, step: below(mu / sigma), norm: state.dimension };
  return means[state.f] ?? mu ** 2 + sigma ** 2;
}

// The exact variance estimate by the derivative on the density and on f: derived in estimator.py.
export function variances(state) {
  const [[mu, sigma], b, d] = [place(state), baselineOf(state), state.dimension];
  if (state.f === "line") return { p: (mu - b) ** 2 / sigma ** 2 + 2, f: 0 };
  if (state.f === "step") {
    const a = mu / sigma;
    const above = below(a) - a * density(a);
    const second = (1 - b) ** 2 * above + b ** 2 * (1 - above);
    return { p: Math.max(0, second - density(a) ** 2) / sigma ** 2, f: 0 };
  }
  if (state.f === "norm") return { p: (d + 2) * (d + 4) - 2 * b * (d + 2) + b ** 2, f: 4 };
  const best = mu ** 2 + 3 * sigma ** 2;
  const p =
    mu ** 4 / sigma ** 2 + 14 * mu ** 2 + 15 * sigma ** 2 - (2 * b * best - b ** 2) / sigma ** 2;
  return { p, f: 4 * sigma ** 2 };
}

// What the other D − 1 coordinates of each sample add to ‖z‖².
export function others({ f, n, dimension, noise }, { size, shift }) {
  const sums = new Float64Array(n);
  if (f !== "norm") return sums;
  for (let d = 1; d < dimension; d++) {
    for (let i = 0; i < n; i++) sums[i] += noise[size + ((i + shift * d) % size)] ** 2;
  }
  return sums;
}

export function valueAt(f, z, other = 0) {
  if (f === "line") return z;
  if (f === "step") return z > 0 ? 1 : 0;
  return z * z + other;
}

export function slopeOf(f, z) {
  if (f === "line") return 1;
  return f === "step" ? 0 : 2 * z;
}

// By row, the mean of n estimates and its standard error: { p: [mean, error], … }.
export function estimates(state, spec, rows) {
  const [[mu, sigma], b, { f, n, noise }] = [place(state), baselineOf(state), state];
  const more = others(state, spec);
  const z = (i) => mu + sigma * noise[i];
  const rise = (up, down) => (valueAt(f, up) - valueAt(f, down)) / (2 * spec.h);
  const one = {
    fresh: (i) => rise(z(i) + spec.h, mu - spec.h + sigma * noise[spec.size + i]),
    shared: (i) => rise(z(i) + spec.h, z(i) - spec.h),
    p: (i) => ((valueAt(f, z(i), more[i]) - b) * noise[i]) / sigma,
    f: (i) => slopeOf(f, z(i)),
  };
  return Object.fromEntries(rows.map((row) => [row, average(one[row], n)]));
}

function average(estimate, n) {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) sum += estimate(i);
  for (let i = 0; i < n; i++) squares += (estimate(i) - sum / n) ** 2;
  return [sum / n, Math.sqrt(squares / (n - 1) / n)];
}

// What the reader sees, by name.
export function numbers(state, spec, rows) {
  const [mu, sigma] = place(state);
  const result = { mu, sigma, n: state.n, truth: truth(state) };
  if (state.f === "norm") result.dimension = state.dimension;
  for (const [row, [mean, error]] of Object.entries(estimates(state, spec, rows))) {
    Object.assign(result, { [row]: mean, [`${row}_margin`]: 2 * error });
  }
  for (const [row, value] of Object.entries(variances(state))) {
    if (rows.includes(row)) result[`${row}_variance`] = value;
  }
  return result;
}
