// Encoded images: their codes, how uncertain these are, pixels and classes.

import { copied, floats } from "./common.js";

export function readPoints(model, prefix, classes) {
  const codes = floats(model.get(`${prefix}codes`));
  const logvars = prefix ? new Float32Array() : floats(model.get("logvars"));
  const pixels = new Uint8Array(copied(model.get(`${prefix}images`)));
  const dims = model.get("spec").latent_dim;
  const size = model.get("spec").side ** 2;
  const count = codes.length / dims;
  const image = new Float32Array(size);
  return {
    count,
    uncertain: logvars.length > 0, // whether each has a distribution q(z|x)
    code: (i) => codes.subarray(i * dims, (i + 1) * dims),
    at: (i, dimension) => codes[i * dims + dimension],
    sigmas: (i) => Array.from(logvars.subarray(i * dims, (i + 1) * dims), (v) => Math.exp(v / 2)),
    className: (i) => (classes.length ? classes[i] : ""),
    image(i) {
      for (let p = 0; p < size; p++) image[p] = pixels[i * size + p] / 255;
      return image;
    },
    nearest(z) {
      let best = -1;
      let least = Infinity;
      for (let i = 0, c = 0; i < count; i++) {
        let distance = 0;
        for (let d = 0; d < dims; d++, c++) distance += (codes[c] - z[d]) ** 2;
        if (distance < least) [best, least] = [i, distance];
      }
      return [best, Math.sqrt(least)];
    },
  };
}

export function squaredError(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}
