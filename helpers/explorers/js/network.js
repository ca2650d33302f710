// Dense networks, a batch at a time: pure functions on Float32Arrays, without a page and without a
// kernel. One image, a grid of 400 codes, the flow and the trainer all run on these.
//
// A batch (B, D) is one array, row after row. A network is a list of layers: { type: "Linear",
// weight, bias, inputs, outputs }, or an activation { type, value, slope } with its derivative.
// A weight stands by input, weight[input * outputs + output]: torch's, transposed. So the weights
// of an input that is zero, as most pixels of a digit are, need not be read.

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

// x (count, inputs) -> (count, outputs), two rows at a time: a weight that was read serves both, and
// inputs that are zero in both are passed over.
export function linear(layer, x, count) {
  const result = new Float32Array(count * layer.outputs);
  for (let row = 0; row < count; row += 2) {
    const rows = [row, Math.min(row + 1, count - 1)];
    addRows(layer, rows, nonzero(layer, x, rows), result);
  }
  return result;
}

// For each input that is not zero in both rows: where its weights begin, and its two values.
function nonzero({ inputs, outputs }, x, rows) {
  const [first, second] = rows.map((row) => row * inputs);
  const places = new Int32Array(inputs);
  const values = new Float64Array(2 * inputs);
  let count = 0;
  for (let i = 0; i < inputs; i++) {
    const a = x[first + i];
    const b = x[second + i];
    if (a === 0 && b === 0) continue;
    values[2 * count] = a;
    values[2 * count + 1] = b;
    places[count++] = i * outputs;
  }
  return { places, values, count };
}

// Eight sums, of two rows and four outputs, that stay in registers; then what is left, one by one.
function addRows({ weight, bias, outputs }, rows, { places, values, count }, result) {
  const [first, second] = rows.map((row) => row * outputs);
  const even = outputs - (outputs % 4);
  for (let o = 0; o < even; o += 4) {
    let a = bias[o];
    let b = bias[o + 1];
    let c = bias[o + 2];
    let d = bias[o + 3];
    let e = a;
    let f = b;
    let g = c;
    let h = d;
    for (let k = 0; k < count; k++) {
      const at = places[k] + o;
      const s = values[2 * k];
      const t = values[2 * k + 1];
      const p = weight[at];
      const q = weight[at + 1];
      const u = weight[at + 2];
      const v = weight[at + 3];
      a += s * p;
      b += s * q;
      c += s * u;
      d += s * v;
      e += t * p;
      f += t * q;
      g += t * u;
      h += t * v;
    }
    result[second + o] = e; // where the batch ends in a single row, both are this one
    result[second + o + 1] = f;
    result[second + o + 2] = g;
    result[second + o + 3] = h;
    result[first + o] = a;
    result[first + o + 1] = b;
    result[first + o + 2] = c;
    result[first + o + 3] = d;
  }
  for (let o = even; o < outputs; o++) {
    let a = bias[o];
    let e = a;
    for (let k = 0; k < count; k++) {
      a += values[2 * k] * weight[places[k] + o];
      e += values[2 * k + 1] * weight[places[k] + o];
    }
    result[second + o] = e;
    result[first + o] = a;
  }
}

// The gradient by x from that by the output (count, outputs).
export function linearBackward({ weight, inputs, outputs }, given, count) {
  const gradient = new Float64Array(given); // read often: converted once
  const result = new Float32Array(count * inputs);
  for (let row = 0; row < count; row += 2) {
    for (let i = 0; i < inputs; i += 4) {
      addProducts(gradient, row, count, weight, i, inputs, outputs, result);
    }
  }
  return result;
}

// Eight sums that stay in registers: two rows of the gradient times four of the weights. Where the
// rows or the inputs end sooner, some are the last one's again.
function addProducts(gradient, row, count, weight, i, inputs, length, result) {
  const second = Math.min(row + 1, count - 1);
  const [x, y] = [row * length, second * length];
  const last = inputs - 1;
  const at = i * length;
  const bt = Math.min(i + 1, last) * length;
  const ct = Math.min(i + 2, last) * length;
  const dt = Math.min(i + 3, last) * length;
  let p = 0;
  let q = 0;
  let r = 0;
  let s = 0;
  let t = 0;
  let u = 0;
  let v = 0;
  let w = 0;
  for (let k = 0; k < length; k++) {
    const g = gradient[x + k];
    const h = gradient[y + k];
    const a = weight[at + k];
    const b = weight[bt + k];
    const c = weight[ct + k];
    const d = weight[dt + k];
    p += g * a;
    q += g * b;
    r += g * c;
    s += g * d;
    t += h * a;
    u += h * b;
    v += h * c;
    w += h * d;
  }
  const left = Math.min(4, inputs - i);
  const one = row * inputs + i;
  const two = second * inputs + i;
  result[two] = t; // where the batch ends in a single row, both are this one
  result[one] = p;
  if (left > 1) result[two + 1] = u;
  if (left > 1) result[one + 1] = q;
  if (left > 2) result[two + 2] = v;
  if (left > 2) result[one + 2] = r;
  if (left > 3) result[two + 3] = w;
  if (left > 3) result[one + 3] = s;
}

export function mapped(f, x) {
  const result = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) result[i] = f(x[i]);
  return result;
}

export function activationBackward(slope, x, gradient) {
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
