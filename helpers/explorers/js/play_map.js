// The latent map of the playground: the decoded grid, and the codes of held-out digits on it.

import { element, number } from "./common.js";
import { CELLS } from "./trainer.js";

const SIDE = 672; // pixels; shown at about half of it
const ELLIPSES = 40;
const INK = 0.45; // how dark the decoded images are

export function createMap(spec) {
  const node = element("section", { className: "panel map-panel" });
  node.setAttribute("aria-label", "Latent map");
  const title = element("p", { className: "title", textContent: "Latent map: held-out digits" });
  const canvas = element("canvas", { width: SIDE, height: SIDE });
  canvas.dataset.role = "map";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Latent map, not drawn yet");
  const context = canvas.getContext("2d");
  const under = element("canvas", { width: CELLS * spec.side, height: CELLS * spec.side });
  node.append(title, canvas, legend(spec));
  let drawn = null;

  function show(view) {
    if (view === drawn) return;
    drawn = view;
    paintGrid(under, view.grid, spec.side);
    context.imageSmoothingEnabled = false;
    context.drawImage(under, 0, 0, SIDE, SIDE);
    const toX = (v) => (SIDE / 2) * (1 + v / view.half);
    const toY = (v) => (SIDE / 2) * (1 - v / view.half);
    if (view.logvar) drawEllipses(context, spec, view, toX, toY);
    drawPoints(context, spec, view, toX, toY);
    drawPrior(context, spec, toX, toY); // an autoencoder's samples are drawn from it, too
    drawScale(context, view.half);
    canvas.setAttribute("aria-label", sayMap(spec, view));
  }
  return { node, show };
}

function legend({ class_colors: colors }) {
  const row = element("p", { className: "legend" });
  for (const [name, color] of Object.entries(colors)) {
    const one = element("span", { textContent: name });
    one.style.setProperty("--class", color);
    row.append(one);
  }
  return row;
}

function paintGrid(canvas, grid, side) {
  const wide = CELLS * side;
  const context = canvas.getContext("2d");
  const image = context.createImageData(wide, wide);
  image.data.fill(255);
  for (let i = 0, size = side * side; i < grid.length; i++) {
    const cell = Math.floor(i / size);
    const x = (cell % CELLS) * side + (i % side);
    const y = Math.floor(cell / CELLS) * side + Math.floor((i % size) / side);
    image.data.fill(255 - INK * grid[i], 4 * (y * wide + x), 4 * (y * wide + x) + 3);
  }
  context.putImageData(image, 0, 0);
}

function drawPrior(context, spec, toX, toY) {
  for (const [color, width, dash] of [
    ["#fff", 7, []],
    [spec.colors.prior, 3, [10, 8]],
  ]) {
    Object.assign(context, { strokeStyle: color, lineWidth: width });
    context.setLineDash(dash);
    for (const radius of [1, 2]) {
      context.beginPath();
      context.arc(toX(0), toY(0), toX(radius) - toX(0), 0, 2 * Math.PI);
      context.stroke();
    }
  }
  context.setLineDash([]);
}

function drawEllipses(context, spec, { codes, logvar, half }, toX, toY) {
  context.lineWidth = 2.5;
  for (let i = 0; i < Math.min(ELLIPSES, codes.length / 2); i++) {
    const [across, up] = [0, 1].map((k) => (SIDE / 2 / half) * Math.exp(logvar[2 * i + k] / 2));
    context.strokeStyle = colorOf(spec, i);
    context.beginPath();
    context.ellipse(toX(codes[2 * i]), toY(codes[2 * i + 1]), across, up, 0, 0, 2 * Math.PI);
    context.stroke();
  }
}

function drawPoints(context, spec, { codes }, toX, toY) {
  context.strokeStyle = "#fff";
  context.lineWidth = 1.5;
  for (let i = 0; i < codes.length / 2; i++) {
    context.fillStyle = colorOf(spec, i);
    context.beginPath();
    context.arc(toX(codes[2 * i]), toY(codes[2 * i + 1]), 6, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

function colorOf({ classes, class_colors: colors }, i) {
  return colors[classes[i]] ?? "#555";
}

// How far the map reaches, in its corners.
function drawScale(context, half) {
  context.font = "26px system-ui, sans-serif";
  context.fillStyle = "#222";
  context.strokeStyle = "#fff";
  context.lineWidth = 6;
  const write = (text, x, y, align) => {
    context.textAlign = align;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  write(number(-half, 0), 8, SIDE / 2 + 9, "left");
  write(number(half, 0), SIDE - 8, SIDE / 2 + 9, "right");
  write(number(half, 0), SIDE / 2, 30, "center");
  write(number(-half, 0), SIDE / 2, SIDE - 10, "center");
}

function sayMap({ classes }, { codes, half, logvar }) {
  const count = codes.length / 2;
  const spread = Math.sqrt(codes.reduce((sum, v) => sum + v * v, 0) / codes.length);
  const ellipses = logvar ? ", ellipses of q(z|x) for some" : "";
  const kinds = new Set(classes).size;
  return (
    `The codes of ${count} held-out digits${kinds ? ` of ${kinds} classes` : ""} from ` +
    `${number(-half, 0)} to ${number(half, 0)}, with a root mean square of ${number(spread)}` +
    `${ellipses}, the circles of N(0, I), above the images that codes on the map decode to`
  );
}
