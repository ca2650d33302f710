// The kernel of product.js, in WebAssembly: a tile of a matrix product, four numbers at a time. Its
// bytes are put together here, from the few instructions that it needs: no tool has to build them.

// The instructions take their values from a stack; those of SIMD begin with 0xfd. Their codes:
// https://webassembly.github.io/spec/core/appendix/index-instructions.html
const [VOID, I32, V128, FUNCTION] = [0x40, 0x7f, 0x7b, 0x60]; // types; V128: four float32
const [LOOP, END, BRANCH_IF, I32_ADD, I32_DIFFER] = [0x03, 0x0b, 0x0d, 0x6a, 0x47];
const [ADD, MULTIPLY] = [0xe4, 0xe6].map((code) => [0xfd, code, 0x01]);
const get = (local) => [0x20, local];
const set = (local) => [0x21, local];
const constant = (value) => [0x41, value];
const ALIGNED = 2; // to 2² bytes
const load = (address, offset) => [get(address), 0xfd, 0x00, ALIGNED, offset];
const loadFourTimes = (address) => [get(address), 0xfd, 0x09, ALIGNED, 0]; // one number
const store = (address, offset, value) => [get(address), get(value), 0xfd, 0x0b, ALIGNED, offset];

// tile(a, b, c, length, stride): two rows of a times sixteen columns of b, into c. A row of a has
// `length` bytes; those of b and c are `stride` bytes apart. The sums begin as zeros.
function tileCode() {
  const [a, b, c, length, stride, second, end, factor] = [0, 1, 2, 3, 4, 5, 6, 7];
  const four = [0, 1, 2, 3]; // times four columns
  const numbersOfB = (k) => 8 + k;
  const sum = (row, k) => 12 + 4 * row + k;
  const forward = (address, by) => [get(address), by, I32_ADD, set(address)];
  const addTo = (sum, k) => [get(sum), get(factor), get(numbersOfB(k)), MULTIPLY, ADD, set(sum)];
  const addRow = (address, row) => [
    [loadFourTimes(address), set(factor)],
    four.map((k) => addTo(sum(row, k), k)),
  ];
  const storeRow = (row) => four.map((k) => store(c, 16 * k, sum(row, k)));
  return [
    [get(a), get(length), I32_ADD, set(second)],
    [get(second), set(end)], // the first row ends where the second begins
    [LOOP, VOID],
    four.map((k) => [load(b, 16 * k), set(numbersOfB(k))]),
    [addRow(a, 0), addRow(second, 1)],
    [forward(a, constant(4)), forward(second, constant(4)), forward(b, get(stride))],
    [get(a), get(end), I32_DIFFER, BRANCH_IF, 0, END],
    [storeRow(0), forward(c, get(stride)), storeRow(1)],
  ];
}

// The whole: what JavaScript compiles.
export function moduleBytes() {
  const letters = (text) => [...new TextEncoder().encode(text)];
  const name = (text) => sized(letters(text));
  const locals = [2, [2, I32], [13, V128]]; // besides the five arguments
  const sections = [
    [1, [1, FUNCTION, [5, I32, I32, I32, I32, I32], 0]], // one type: five integers, no result
    [3, [1, 0]], // one function, of this type
    [5, [1, 0, 1]], // one memory, of a page or more
    [7, [2, name("memory"), 2, 0, name("tile"), 0, 0]], // what JavaScript sees
    [10, [1, sized([locals, tileCode(), END])]],
  ];
  const header = [letters("\0asm"), 1, 0, 0, 0]; // version 1
  return [header, sections.map(([id, part]) => [id, sized(part)])].flat(Infinity);
}

// The bytes behind their number, which is written in groups of seven bits, the lowest first.
function sized(part) {
  const bytes = part.flat(Infinity);
  const written = (n) => (n < 128 ? [n] : [(n & 127) | 128, written(n >> 7)]);
  return [written(bytes.length), bytes];
}
