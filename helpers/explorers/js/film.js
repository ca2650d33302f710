// The film of a run: at most forty snapshots, thinned as the run grows.

const MOST = 40;
const FIRST = 25; // steps between two snapshots, at first

export function createFilm() {
  let every = FIRST;
  let frames = [];

  function add(snapshot) {
    frames.push(snapshot);
    if (frames.length <= MOST) return;
    every *= 2;
    frames = frames.filter((_, i) => i % 2 === 0 || i === frames.length - 1);
  }

  return {
    // Take a snapshot where it is time for one.
    offer(steps, take) {
      if (steps % every === 0 && frames.at(-1)?.steps !== steps) add(take());
    },
    // The present, to come back to.
    keep(steps, take) {
      if (!(frames.at(-1)?.steps >= steps)) add(take());
    },
    nearest(steps) {
      const far = (frame) => Math.abs(frame.steps - steps);
      return frames.reduce((best, frame) => (far(frame) < far(best) ? frame : best));
    },
    // Forget what came after this step.
    cut(steps) {
      frames = frames.filter((frame) => frame.steps <= steps);
    },
    steps: () => frames.map((frame) => frame.steps),
  };
}
