// Strokes as images: each is a list x, y, x, y, … in pixels of the image.

export const PAD = 28; // side of the image
const PEN = 1.2; // radius of the pen

// The strokes, scaled and moved, as grey values: 1 on the line, fading out at the pen's edge.
export function drawStrokes(strokes, scale, dx, dy, out) {
  out.fill(0);
  for (const line of strokes) {
    for (let i = 0; i < line.length; i += 2) {
      const j = Math.max(0, i - 2);
      const ends = [line[j], line[j + 1], line[i], line[i + 1]];
      drawSegment(...ends.map((v, k) => scale * v + (k % 2 ? dy : dx)), out);
    }
  }
}

function drawSegment(x0, y0, x1, y1, out) {
  const reach = PEN + 0.5;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const limit = (v) => Math.min(PAD, Math.max(0, v));
  const right = limit(Math.ceil(Math.max(x0, x1) + reach));
  const bottom = limit(Math.ceil(Math.max(y0, y1) + reach));
  for (let y = limit(Math.floor(Math.min(y0, y1) - reach)); y < bottom; y++) {
    for (let x = limit(Math.floor(Math.min(x0, x1) - reach)); x < right; x++) {
      const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
      const t = length && Math.min(1, Math.max(0, (px * dx + py * dy) / length));
      const value = reach - Math.hypot(px - t * dx, py - t * dy);
      const at = y * PAD + x;
      if (value > out[at]) out[at] = Math.min(1, value);
    }
  }
}

// As MNIST was made: fitted into 20 × 20 with its proportions kept, and then moved so that the
// center of mass is the center of the image.
export function center(strokes, out) {
  const [xs, ys] = [0, 1].map((k) => strokes.flatMap((line) => line.filter((_, i) => i % 2 === k)));
  const ends = [xs, ys].map((vs) => [Math.min(...vs), Math.max(...vs)]);
  const [width, height] = ends.map(([low, high]) => high - low);
  const extent = Math.max(width, height);
  const scale = extent < 1 ? 1 : (20 - 2 * PEN) / extent;
  const shift = ends.map(([low, high]) => PAD / 2 - (scale * (low + high)) / 2);
  drawStrokes(strokes, scale, ...shift, out);
  const mass = [0, 0, 0];
  out.forEach((value, i) => {
    mass[0] += value * ((i % PAD) + 0.5);
    mass[1] += value * (Math.floor(i / PAD) + 0.5);
    mass[2] += value;
  });
  const moved = shift.map((value, k) => value + PAD / 2 - mass[k] / mass[2]);
  drawStrokes(strokes, scale, ...moved, out);
}
