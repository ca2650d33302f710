// The images that the codes on the map decode to: 20 × 20, each in the middle of its cell. They are
// decoded a few at a time, so that nobody's drag waits for them, and kept until the pair of latents
// or the other latents change.

import { element } from "./common.js";
import { PATIENCE } from "./kernel.js";

const CELLS = 20;
const SLICE = 16; // milliseconds of decoding between two frames, about
const INK = 0.6; // how dark they are, so that points are seen above them

// The codes (CELLS · CELLS, latent_dim) of the cells, row after row from the top.
export function codesOnMap({ x, y }, pair, z) {
  const codes = new Float32Array(CELLS * CELLS * z.length);
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    const across = ((cell % CELLS) + 0.5) / CELLS;
    const down = (Math.floor(cell / CELLS) + 0.5) / CELLS;
    codes.set(z, cell * z.length);
    codes[cell * z.length + pair[0]] = x.low + (x.high - x.low) * across;
    codes[cell * z.length + pair[1]] = y.high - (y.high - y.low) * down;
  }
  return codes;
}

// `ready` is called when all images are there.
export function createGrid(state, ready) {
  const { side, latent_dim: dims } = state.spec;
  const size = side * side;
  const canvas = element("canvas", { width: CELLS * side, height: CELLS * side });
  const grey = new Uint8ClampedArray(CELLS * CELLS * size);
  let key = "";
  let due = Number.POSITIVE_INFINITY; // when the kernel's answer counts as lost
  let timer = 0;
  let place = ""; // the pair of latents that is asked for
  let finished = 0;
  let version = 0; // of the images that are there; 0: none yet, or only those of another pair
  let painted = "";

  function ask(scale, pair, z) {
    const wanted = [...pair, ...z.filter((_, d) => !pair.includes(d))].join();
    if (wanted === key && performance.now() < due) return;
    key = wanted;
    if (place !== pair.join()) version = 0;
    place = pair.join();
    clearTimeout(timer);
    const codes = codesOnMap(scale, pair, z);
    if (state.decoder) timer = setTimeout(decodeFrom, 0, codes, 0);
    else {
      due = performance.now() + PATIENCE;
      state.decodeGrid(codes, (values) => key === wanted && finish(values));
    }
  }

  function decodeFrom(codes, first) {
    const until = performance.now() + SLICE;
    let row = first;
    do {
      const at = row * CELLS;
      const some = codes.subarray(at * dims, (at + CELLS) * dims);
      state.decodeGrid(some, (values) => keep(values, at * size));
      row++;
    } while (row < CELLS && performance.now() < until);
    if (row < CELLS) timer = setTimeout(decodeFrom, 0, codes, row);
    else finish();
  }

  function keep(values, at) {
    for (let i = 0; i < values.length; i++) grey[at + i] = 255 * values[i];
  }

  function finish(values = []) {
    due = Number.POSITIVE_INFINITY;
    keep(values, 0);
    version = ++finished;
    ready();
  }

  // Ink on the paper that is there, so that they are of the theme.
  function paint([red, green, blue]) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let cell = 0, from = 0; cell < CELLS * CELLS; cell++) {
      const [left, top] = [(cell % CELLS) * side, Math.floor(cell / CELLS) * side];
      for (let p = 0; p < size; p++) {
        const to = 4 * ((top + Math.floor(p / side)) * canvas.width + left + (p % side));
        image.data[to] = red;
        image.data[to + 1] = green;
        image.data[to + 2] = blue;
        image.data[to + 3] = INK * grey[from++];
      }
    }
    context.putImageData(image, 0, 0);
  }

  function drawOn(context, ink, left, top, extent) {
    const wanted = `${version} ${ink}`;
    if (painted !== wanted) paint(ink);
    painted = wanted;
    context.imageSmoothingQuality = "high";
    context.drawImage(canvas, left, top, extent, extent);
  }

  return { ask, drawOn, version: () => version, stop: () => clearTimeout(timer) };
}
