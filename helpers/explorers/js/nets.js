// The playground's networks: made anew from a seed, and as numbers in torch's order and back.

import { network, sizeOf, transposed } from "./network.js";

export const LATENTS = 2;

// As Python describes layers: those of helpers.models.VAE(2, (width,), size).
export function layersOf(size, width) {
  const linear = (inputs, outputs) => ({ type: "Linear", inputs, outputs });
  const relu = { type: "ReLU" };
  return {
    decoder: [linear(LATENTS, width), relu, linear(width, size)],
    encoder: [linear(size, width), relu, linear(width, 2 * LATENTS)],
  };
}

// The networks of these numbers: the decoder's weights, the encoder's, and the pixels' logvar.
export function unpack(numbers, size, width) {
  const { decoder, encoder } = layersOf(size, width);
  const trunk = encoder.slice(0, -1);
  const last = sizeOf(decoder) + sizeOf(trunk);
  const half = { ...encoder.at(-1), outputs: LATENTS };
  const bias = last + 2 * LATENTS * width;
  const head = (k) => ({
    ...half,
    weight: transposed(numbers.subarray(last + k * LATENTS * width), LATENTS, width),
    bias: numbers.slice(bias + k * LATENTS, bias + (k + 1) * LATENTS),
  });
  return {
    trunk: network(trunk, numbers, sizeOf(decoder)),
    mu: head(0),
    logvar: head(1),
    decoder: network(decoder, numbers),
    pixelLogvar: numbers.slice(bias + 2 * LATENTS, bias + 2 * LATENTS + 1),
  };
}

export function pack(net) {
  const rows = ({ weight, inputs, outputs }) => transposed(weight, inputs, outputs);
  const linear = (layers) => layers.filter(({ type }) => type === "Linear");
  const whole = (layers) => linear(layers).flatMap((layer) => [rows(layer), layer.bias]);
  const heads = [rows(net.mu), rows(net.logvar), net.mu.bias, net.logvar.bias];
  return joined([...whole(net.decoder), ...whole(net.trunk), ...heads, net.pixelLogvar]);
}

function joined(arrays) {
  const result = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    result.set(array, at);
    at += array.length;
  }
  return result;
}

// Torch's start: uniform between ± 1 / √inputs, weights and biases alike.
export function begin(random, size, width) {
  const { decoder, encoder } = layersOf(size, width);
  const start = ({ inputs, outputs }) =>
    Float32Array.from(
      { length: (inputs + 1) * outputs },
      () => (2 * random.uniform() - 1) / Math.sqrt(inputs),
    );
  const layers = [...decoder, ...encoder].filter(({ type }) => type === "Linear");
  return unpack(joined([...layers.map(start), new Float32Array(1)]), size, width);
}
