// Networks as the browser runs them: every layer writes into a buffer of its own, made once.

export const ACTIVATIONS = {
  ReLU: () => (v) => Math.max(v, 0),
  LeakyReLU:
    ({ slope }) =>
    (v) =>
      v > 0 ? v : slope * v,
  GELU: ({ approximate }) => (approximate === "tanh" ? geluTanh : gelu),
  SiLU: () => (v) => v / (1 + Math.exp(-v)),
  Tanh: () => Math.tanh,
  Sigmoid: () => (v) => 1 / (1 + Math.exp(-v)),
  Softplus:
    ({ beta, threshold }) =>
    (v) =>
      beta * v > threshold ? v : Math.log1p(Math.exp(beta * v)) / beta,
  Hardtanh:
    ({ low, high }) =>
    (v) =>
      Math.min(high, Math.max(low, v)),
};

function gelu(v) {
  return 0.5 * v * (1 + erf(v * Math.SQRT1_2));
}

function geluTanh(v) {
  return 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
}

export function erf(v) {
  // Abramowitz and Stegun, 7.1.26: within 1.5e-7
  const t = 1 / (1 + 0.3275911 * Math.abs(v));
  const poly = 1.421413741 + t * (-1.453152027 + t * 1.061405429);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * poly)) * Math.exp(-v * v);
  return Math.sign(v) * (1 - tail);
}

// A function from input to output. `take(count)` gives the next of the weights.
export function network(layers, take) {
  const steps = layers.map((layer) => {
    if (layer.type !== "Linear") return activate(ACTIVATIONS[layer.type](layer));
    return linear(take(layer.inputs * layer.outputs), take(layer.outputs), layer);
  });
  return (input) => steps.reduce((values, step) => step(values), input);
}

function linear(weight, bias, { inputs, outputs }) {
  const result = new Float32Array(outputs);
  const even = inputs - (inputs % 4);
  return (x) => {
    for (let row = 0, w = 0; row < outputs; row++) {
      let a = bias[row];
      let b = 0;
      let c = 0;
      let d = 0;
      let i = 0;
      for (; i < even; i += 4, w += 4) {
        a += weight[w] * x[i];
        b += weight[w + 1] * x[i + 1];
        c += weight[w + 2] * x[i + 2];
        d += weight[w + 3] * x[i + 3];
      }
      for (; i < inputs; i++, w++) a += weight[w] * x[i];
      result[row] = a + b + (c + d);
    }
    return result;
  };
}

function activate(f) {
  let result = null;
  return (x) => {
    result ||= new Float32Array(x.length);
    for (let i = 0; i < x.length; i++) result[i] = f(x[i]);
    return result;
  };
}

// The numbers of float16 as float32.
export function halves(buffer) {
  if (globalThis.Float16Array) return new Float32Array(new globalThis.Float16Array(buffer));
  return Float32Array.from(new Uint16Array(buffer), half);
}

export function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const size = exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14;
  return bits & 0x8000 ? -size : size;
}
