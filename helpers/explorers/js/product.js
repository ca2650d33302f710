// The product of two matrices, C = A · B, in float32: most of a network's time goes into it.
//
// `plain` says what it is. Where the browser lets us, the kernel of simd.js does the same several
// times faster.

import { moduleBytes } from "./simd.js";

// a (rows, inner) and b (inner, columns), row after row -> (rows, columns)
export function product(a, b, rows, inner, columns) {
  multiply ??= quick() ?? plain;
  return multiply(a, b, rows, inner, columns);
}

let multiply = null; // one of the two, from the first product on

function plain(a, b, rows, inner, columns) {
  const result = new Float32Array(rows * columns);
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let k = 0; k < inner; k++) {
      const factor = a[row * inner + k];
      if (factor === 0) continue; // as most pixels, and half of what a ReLU gives
      const at = k * columns;
      for (let column = 0; column < columns; column++) sums[column] += factor * b[at + column];
    }
    result.set(sums, row * columns);
  }
  return result;
}

// The same by tiles of C, two rows of sixteen columns, whose 32 sums stay in the processor's
// registers. Null where there is no WebAssembly, or none with SIMD, or where the page forbids it.
function quick() {
  let kernel;
  try {
    const compiled = new WebAssembly.Module(Uint8Array.from(moduleBytes()));
    kernel = new WebAssembly.Instance(compiled).exports;
  } catch (error) {
    console.debug("product: no SIMD here", error);
    return null;
  }
  // In the kernel's memory a, b and c lie one behind the other, with room for whole tiles: what the
  // last row and the last columns hold there besides reaches nothing that is read.
  return (a, b, rows, inner, columns) => {
    const height = 2 * Math.ceil(rows / 2);
    const width = 16 * Math.ceil(columns / 16);
    const atB = height * inner;
    const atC = atB + inner * width;
    const memory = numbers(kernel.memory, atC + height * width);
    memory.set(a);
    copyRows(b, columns, memory.subarray(atB), width, inner);
    for (let column = 0; column < width; column += 16) {
      for (let row = 0; row < height; row += 2) {
        const [from, to] = [row * inner, atC + row * width + column];
        kernel.tile(4 * from, 4 * (atB + column), 4 * to, 4 * inner, 4 * width); // in bytes
      }
    }
    const result = new Float32Array(rows * columns);
    copyRows(memory.subarray(atC), width, result, columns, rows);
    return result;
  };
}

// The memory, grown where it holds less than `count` numbers.
function numbers(memory, count) {
  const missing = 4 * count - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  return new Float32Array(memory.buffer);
}

// Rows that begin every `step` numbers, to where they begin every `stride`: as much as both hold.
function copyRows(from, step, to, stride, rows) {
  if (step === stride) return to.set(from.subarray(0, rows * step));
  for (let row = 0; row < rows; row++) {
    const start = row * step;
    to.set(from.subarray(start, start + Math.min(step, stride)), row * stride);
  }
}
