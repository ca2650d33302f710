// Dense networks, a batch at a time: pure functions on Float32Arrays, without a page and without a
// kernel. One image, a grid of 400 codes, the flow and the trainer all run on these.
//
// A batch (B, D) is one array, row after row. A network is a list of layers: { type: "Linear",
// weight, bias, inputs, outputs }, or an activation { type, value, slope } with its derivative.
// A weight stands by input, weight[input * outputs + output]: torch's, transposed.

import { product } from "./product.js";

// Each makes, of the layer's settings, the function and its derivative.
const ACTIVATIONS = {
  ReLU: () => [(v) => Math.max(v, 0), (v) => (v > 0 ? 1 : 0)],
  LeakyReLU: ({ slope }) => [(v) => (v > 0 ? v : slope * v), (v) => (v > 0 ? 1 : slope)],
  GELU: ({ approximate }) =>
    approximate === "tanh" ? [geluTanh, geluTanhSlope] : [gelu, geluSlope],
  SiLU: () => [(v) => v * sigmoid(v), (v) => sigmoid(v) * (1 + v * sigmoid(-v))],
  Tanh: () => [Math.tanh, (v) => 1 - Math.tanh(v) ** 2],
  Sigmoid: () => [sigmoid, (v) => sigmoid(v) * sigmoid(-v)],
  Softplus: ({ beta, threshold }) => [
    (v) => (beta * v > threshold ? v : Math.log1p(Math.exp(beta * v)) / beta),
    (v) => (beta * v > threshold ? 1 : sigmoid(beta * v)),
  ],
  Hardtanh: ({ low, high }) => [
    (v) => Math.min(high, Math.max(low, v)),
    (v) => (v > low && v < high ? 1 : 0),
  ],
};

export function sigmoid(v) {
  return 1 / (1 + Math.exp(-v));
}

function gelu(v) {
  return 0.5 * v * (1 + erf(v * Math.SQRT1_2));
}

function geluSlope(v) {
  return 0.5 * (1 + erf(v * Math.SQRT1_2)) + (v * Math.exp(-0.5 * v * v)) / Math.sqrt(2 * Math.PI);
}

function geluTanh(v) {
  return 0.5 * v * (1 + Math.tanh(bend(v)));
}

function geluTanhSlope(v) {
  const t = Math.tanh(bend(v));
  const inner = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * v * v);
  return 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * inner;
}

function bend(v) {
  return Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3);
}

function erf(v) {
  // Abramowitz and Stegun, 7.1.26: within 1.5e-7
  const t = 1 / (1 + 0.3275911 * Math.abs(v));
  const poly = 1.421413741 + t * (-1.453152027 + t * 1.061405429);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * poly)) * Math.exp(-v * v);
  return Math.sign(v) * (1 - tail);
}

// The network of these layers, as Python describes them, whose weights (torch's: row after row,
// then the bias) begin at this place; `sizeOf` says where those of the next one begin.
export function network(layers, weights, at = 0) {
  let place = at;
  function take(count) {
    place += count;
    return weights.subarray(place - count, place);
  }
  return layers.map((layer) => {
    const { type, inputs, outputs } = layer;
    if (type !== "Linear") {
      const [value, slope] = ACTIVATIONS[type](layer);
      return { type, value, slope };
    }
    const weight = transposed(take(inputs * outputs), outputs, inputs);
    return { type, inputs, outputs, weight, bias: take(outputs).slice() };
  });
}

// How many weights these layers have.
export function sizeOf(layers) {
  const size = ({ inputs, outputs }) => (inputs === undefined ? 0 : (inputs + 1) * outputs);
  return layers.reduce((sum, layer) => sum + size(layer), 0);
}

export function transposed(matrix, rows, columns) {
  const result = new Float32Array(rows * columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[at++];
  }
  return result;
}

// x (count, inputs) -> what each layer gives, the input first and the output last: a backward
// pass needs them all.
export function forward(layers, x, count) {
  const kept = [x];
  for (const layer of layers) {
    const input = kept.at(-1);
    kept.push(layer.type === "Linear" ? linear(layer, input, count) : mapped(layer.value, input));
  }
  return kept;
}

// The output alone.
export function run(layers, x, count = 1) {
  return forward(layers, x, count).at(-1);
}

// The gradient by the input of each layer, the network's input first, from that by the output and
// what `forward` kept.
export function backward(layers, kept, gradient, count) {
  const result = [gradient];
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i];
    result.unshift(
      layer.type === "Linear"
        ? linearBackward(layer, result[0], count)
        : activationBackward(layer.slope, kept[i], result[0]),
    );
  }
  return result;
}

// x W + b: x (count, inputs) -> (count, outputs)
export function linear({ weight, bias, inputs, outputs }, x, count) {
  const result = product(x, weight, count, inputs, outputs);
  for (let row = 0, at = 0; row < count; row++) {
    for (let output = 0; output < outputs; output++) result[at++] += bias[output];
  }
  return result;
}

// The gradient by x from that by the output, g (count, outputs): g Wᵀ, computed as (W gᵀ)ᵀ, as g has
// fewer numbers to transpose than W.
export function linearBackward({ weight, inputs, outputs }, gradient, count) {
  const columns = transposed(gradient, count, outputs);
  return transposed(product(weight, columns, inputs, outputs, count), inputs, count);
}

function mapped(f, x) {
  const result = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) result[i] = f(x[i]);
  return result;
}

function activationBackward(slope, x, gradient) {
  const result = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) result[i] = slope(x[i]) * gradient[i];
  return result;
}

// float16 numbers, as they travelled, in float32.
export function halves(buffer) {
  if (globalThis.Float16Array) return new Float32Array(new globalThis.Float16Array(buffer));
  return Float32Array.from(new Uint16Array(buffer), half);
}

function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const size = exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14;
  return bits & 0x8000 ? -size : size;
}
