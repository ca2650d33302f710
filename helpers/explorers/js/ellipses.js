// q(z|x) of encoded images on the map: ellipses at one and two σ, whose axes are σ = √exp(logvar).

import { element, setText, shape } from "./common.js";
import { coordinates, picture } from "./pieces.js";

const MANY = 100;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

// A hundred of the images, or all, spread over them in steps of which no order of classes is a
// multiple; as in latent_still.py.
function someOf(count) {
  if (count <= MANY) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: MANY }, (_, k) => Math.floor(((k * GOLDEN) % 1) * count));
}

// Where the ellipse at one σ is on the map, in its pixels.
function ellipseOf(points, i, pair, scale) {
  const [across, up] = pair.map((d) => points.sigmas(i)[d]);
  const unit = scale.x(1) - scale.x(0);
  const [x, y] = [scale.x(points.at(i, pair[0])), scale.y(points.at(i, pair[1]))];
  return { x, y, across: across * unit, up: up * unit };
}

export function drawEllipses(context, points, pair, scale, colorOf) {
  context.lineWidth = 1;
  for (const i of someOf(points.count)) {
    const { x, y, across, up } = ellipseOf(points, i, pair, scale);
    context.strokeStyle = colorOf(i);
    for (const [sigmas, alpha] of [
      [1, 0.9],
      [2, 0.45],
    ]) {
      context.globalAlpha = alpha;
      context.beginPath();
      context.ellipse(x, y, sigmas * across, sigmas * up, 0, 0, 2 * Math.PI);
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}

// What is shown of one point, above the map: its ellipse, and its image where it is pointed at.
export function pointer(state, { left, top, extent, map }) {
  const { points, spec } = state;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `${left} ${top} ${extent} ${extent}`);
  svg.setAttribute("class", "posterior");
  svg.setAttribute("aria-hidden", "true");
  const rings = [1, 2].map(() => shape("ellipse", { stroke: spec.posterior_color }, svg));
  const peek = picture("peek", "Image of the point", spec.side, 60);
  peek.figure.classList.add("peek");
  const text = element("span");
  peek.figure.append(text);
  let last = "";

  // The point `shown`, -1 for none; its image only where it is not the one that was picked.
  function show(shown, pointed, pair, scale) {
    const now = [shown, pointed, ...pair].join();
    if (now === last) return;
    last = now;
    svg.style.display = shown >= 0 && points.uncertain ? "" : "none";
    peek.figure.hidden = !pointed;
    if (shown < 0) return;
    if (points.uncertain) placeRings(ellipseOf(points, shown, pair, scale));
    const [x, y] = [scale.x(points.at(shown, pair[0])), scale.y(points.at(shown, pair[1]))];
    if (pointed) placePeek(shown, x, y);
  }

  function placeRings({ x, y, across, up }) {
    for (const [k, ring] of rings.entries()) {
      const place = { cx: x, cy: y, rx: (k + 1) * across, ry: (k + 1) * up };
      for (const [name, value] of Object.entries(place)) ring.setAttribute(name, value);
    }
  }

  function placePeek(i, x, y) {
    peek.show(points.image(i));
    setText(text, words(points, i, "\n"));
    const [right, below] = [x < map / 2, y < map / 2];
    peek.figure.style.left = `${(100 * x) / map}%`;
    peek.figure.style.top = `${(100 * y) / map}%`;
    const move = (forward) => (forward ? "14px" : "calc(-100% - 14px)");
    peek.figure.style.transform = `translate(${move(right)}, ${move(below)})`;
  }

  return { rings: svg, peek: peek.figure, show };
}

export function words(points, i, between = ", ") {
  const name = points.className(i);
  const sigma = points.uncertain ? `σ ${coordinates(points.sigmas(i))}` : "";
  return [name && `class ${name}`, sigma].filter(Boolean).join(between);
}
