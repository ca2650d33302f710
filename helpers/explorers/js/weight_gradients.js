// The gradients by the weights of a network of network.js: what training needs besides `backward`.

import { transposed } from "./network.js";
import { product } from "./product.js";

// Those of each layer, null where it has no weights, from what `forward` kept and the gradient by
// the output of each layer, the first layer's first.
export function weightGradients(layers, kept, byOutputs, count) {
  return layers.map((layer, i) =>
    layer.type === "Linear" ? linearWeightGradients(layer, kept[i], byOutputs[i], count) : null,
  );
}

// From x (count, inputs) and the gradient by the output, g (count, outputs): xᵀ g, as that of a weight
// is the sum over the rows of its input times its output's; that of a bias the sum of its output's.
export function linearWeightGradients({ inputs, outputs }, x, gradient, count) {
  const weight = product(transposed(x, count, inputs), gradient, inputs, count, outputs);
  return { weight, bias: columnSums(gradient, count, outputs) };
}

function columnSums(matrix, rows, columns) {
  const sums = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) sums[column] += matrix[at++];
  }
  return Float32Array.from(sums);
}
