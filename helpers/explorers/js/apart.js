// How far boxes have to move so that none overlap: `apart` in helpers/plots.py, in JavaScript.

const ROUNDS = 300;

// Boxes are { at: [x, y], size: [width, height], kept }; those that are kept stay. Pairs part where
// they overlap least. Gives the new places.
export function apart(boxes) {
  const places = boxes.map(({ at }) => [...at]);
  for (let round = 0; round < ROUNDS; round++) {
    let done = true;
    for (let i = 0; i < boxes.length; i++) {
      for (let j = i + 1; j < boxes.length; j++) {
        if (boxes[j].kept) continue;
        const gap = [0, 1].map((k) => places[j][k] - places[i][k]);
        const over = [0, 1].map(
          (k) => (boxes[i].size[k] + boxes[j].size[k]) / 2 - Math.abs(gap[k]),
        );
        if (Math.min(...over) <= 1e-9) continue;
        done = false;
        const axis = over[1] <= over[0] ? 1 : 0;
        const step = gap[axis] >= 0 ? over[axis] : -over[axis];
        const share = boxes[i].kept ? 0 : 0.5;
        places[i][axis] -= share * step;
        places[j][axis] += (1 - share) * step;
      }
    }
    if (done) break;
  }
  return places;
}
