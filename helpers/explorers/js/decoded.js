// The decoded image, and the digit nearest to it.

import { element, setText } from "./common.js";
import { linearPart } from "./linear.js";
import { coordinates, panel, picture } from "./pieces.js";
import { squaredError } from "./points.js";
import { buttons, sliderRows } from "./sliders.js";

export function decodedPart(state) {
  const { spec, points, training } = state;
  const decoded = picture("decoded", "Decoded image", spec.side);
  const pictures = element("div", { className: "pictures" });
  pictures.append(decoded.figure);
  const near = points.count || training.count ? nearestFigure(state) : null;
  if (near) pictures.append(near.figure);
  const sliders = sliderRows(state);
  const terms = linearPart(state);
  const node = panel("panel-decoded", "Decoded image", pictures);
  if (terms) node.append(terms.node);
  node.append(sliders.node, buttons(state));
  function draw(get) {
    state.decode(get("z"), (values) => {
      decoded.show(values);
      near?.draw(values);
    });
    terms?.draw(get("z"));
    sliders.draw(get("z"));
  }
  return { node, draw };
}

function nearestFigure(state) {
  const { points, training, spec } = state;
  const pool = training.count ? training : points;
  const name = training.count ? "Nearest training digit" : "Nearest digit of the map";
  const shown = picture("nearest", name, spec.side);
  const title = element("strong");
  const line = element("span");
  shown.figure.append(title, line);
  let last = "";
  function draw(decoded) {
    const z = state.get("z");
    const point = state.picked(z);
    const picked = point >= 0;
    const source = picked ? points : pool;
    const [i, distance] = picked ? [point, 0] : pool.nearest(z);
    if (last !== `${picked} ${i}`) shown.show(source.image(i));
    last = `${picked} ${i}`;
    const className = source.className(i);
    state.nearestName = className && `${picked ? "picked" : "nearest"} digit: ${className}`;
    setText(title, picked ? "Picked digit" : name);
    shown.canvas.setAttribute("aria-label", `${title.textContent} ${className}`.trim());
    const detail = picked
      ? `code ${coordinates(z)}, squared error ${squaredError(source.image(i), decoded).toFixed(1)}`
      : `distance ${distance.toFixed(2)}`;
    setText(line, className ? `class ${className}: ${detail}` : detail);
  }
  return { figure: shown.figure, draw };
}
