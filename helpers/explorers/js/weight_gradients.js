// The gradients by the weights of a network of network.js: what training needs besides `backward`.

// Those of each layer, null where it has no weights, from what `forward` kept and the gradient by
// the output of each layer, the first layer's first.
export function weightGradients(layers, kept, byOutputs, count) {
  return layers.map((layer, i) =>
    layer.type === "Linear" ? linearWeightGradients(layer, kept[i], byOutputs[i], count) : null,
  );
}

// From x (count, inputs) and the gradient by the output (count, outputs): that of a weight is the
// sum over the rows of its input times its output's; that of a bias the sum of its output's.
export function linearWeightGradients({ inputs, outputs }, x, given, count) {
  const gradient = new Float64Array(given); // read often: converted once
  const weight = new Float32Array(inputs * outputs);
  const places = new Int32Array(count + 7);
  const values = new Float64Array(count + 7); // 0 behind the last: rows are added in eights
  for (let i = 0; i < inputs; i++) {
    let used = 0;
    for (let row = 0; row < count; row++) {
      const value = x[row * inputs + i];
      if (value === 0) continue; // as most pixels, and half of what a ReLU gives
      places[used] = row * outputs;
      values[used++] = value;
    }
    values.fill(0, used);
    for (let k = 0; k < used; k += 8) {
      addEight(weight, i * outputs, outputs, gradient, places, values, k);
    }
  }
  return { weight, bias: columnSums(gradient, count, outputs) };
}

function addEight(sum, at, length, gradient, places, values, k) {
  const a = places[k + 0];
  const p = values[k + 0];
  const b = places[k + 1];
  const q = values[k + 1];
  const c = places[k + 2];
  const r = values[k + 2];
  const d = places[k + 3];
  const s = values[k + 3];
  const e = places[k + 4];
  const t = values[k + 4];
  const f = places[k + 5];
  const u = values[k + 5];
  const g = places[k + 6];
  const v = values[k + 6];
  const h = places[k + 7];
  const w = values[k + 7];
  for (let o = 0; o < length; o++) {
    sum[at + o] +=
      p * gradient[a + o] +
      q * gradient[b + o] +
      r * gradient[c + o] +
      s * gradient[d + o] +
      t * gradient[e + o] +
      u * gradient[f + o] +
      v * gradient[g + o] +
      w * gradient[h + o];
  }
}

function columnSums(matrix, rows, columns) {
  const sums = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) sums[column] += matrix[at++];
  }
  return Float32Array.from(sums);
}
