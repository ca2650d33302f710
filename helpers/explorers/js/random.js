// Random numbers from a seed: mulberry32, whose state is one integer that can be kept.

export function createRandom(seed) {
  let state = seed >>> 0;
  function uniform() {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  // A draw from N(0, 1), by Box and Muller.
  function normal() {
    return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }
  // The integers below `count` in a random order (Fisher and Yates).
  function order(count) {
    const all = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const k = Math.floor(uniform() * (i + 1));
      [all[i], all[k]] = [all[k], all[i]];
    }
    return all;
  }
  return { uniform, normal, order, state: () => state };
}
