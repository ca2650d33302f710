// Where a function on the plane has a level: by its values at the corners of a grid of cells.

const CORNERS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
]; // of a cell, around it

// The function at the corners of cells × cells cells between the limits, row after row.
export function onGrid(f, [low, high], cells) {
  const values = new Float64Array((cells + 1) ** 2);
  const at = (i) => low + ((high - low) * i) / cells;
  for (let j = 0; j <= cells; j++) {
    for (let i = 0; i <= cells; i++) values[j * (cells + 1) + i] = f([at(i), at(j)]);
  }
  return values;
}

// The line at this level, as pieces [[x, y], [x, y]] in units of cells, in each cell that it crosses.
export function contour(values, cells, level) {
  const pieces = [];
  for (let j = 0; j < cells; j++) {
    for (let i = 0; i < cells; i++) {
      const v = CORNERS.map(([di, dj]) => values[(j + dj) * (cells + 1) + i + di] - level);
      const ends = crossings(v).map(([x, y]) => [i + x, j + y]);
      for (let k = 0; k + 1 < ends.length; k += 2) pieces.push([ends[k], ends[k + 1]]);
    }
  }
  return pieces;
}

// Where 0 is crossed on the sides of a cell that has these values at its corners.
function crossings(v) {
  const found = [];
  for (let k = 0; k < 4; k++) {
    const [a, b] = [v[k], v[(k + 1) % 4]];
    if (a < 0 === b < 0) continue;
    const [p, q] = [CORNERS[k], CORNERS[(k + 1) % 4]];
    const t = a / (a - b);
    found.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
  }
  return found;
}
