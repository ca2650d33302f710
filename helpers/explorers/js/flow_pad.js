// The flow explorer's pad: a digit of the reader's own goes through the network while it is drawn.

import { button, element, floats } from "./common.js";
import { penOn } from "./pen.js";
import { describe, makeSurface, picture } from "./pieces.js";
import { center, drawStrokes, PAD } from "./strokes.js";

// `hold` and `release` of act set the trait drawing: what the encoder sees, centered as MNIST is.
export function createPad(act) {
  const node = element("section", { className: "padding", hidden: true });
  node.setAttribute("aria-label", "Draw a digit");
  const ink = new Float32Array(PAD * PAD);
  const input = new Float32Array(PAD * PAD);
  const frame = element("div", { className: "frame" });
  const { canvas, show: showInk } = picture("pad", "", PAD);
  makeSurface(canvas, "Drawing pad");
  const pen = element("div", { className: "pen" });
  frame.append(canvas, pen);
  const beside = element("div", { className: "beside" });
  const hint = "Draw here. Arrow keys move the pen, Space puts it down or lifts it.";
  beside.append(describe(canvas, hint));
  button(beside, "Clear", clear);
  node.append(frame, beside);
  let strokes = [];
  let stroke = null; // the one under way
  let known = null; // the model's drawing, as it was last seen or set here

  function extend(x, y) {
    stroke.push(...[x, y].map((v) => Math.min(PAD, Math.max(0, v))));
    drawStrokes(strokes, 1, 0, 0, ink);
    center(strokes, input);
    known = new DataView(input.slice().buffer);
    act.hold("drawing", known);
    paint();
  }

  function begin(x, y) {
    stroke = [];
    strokes.push(stroke);
    extend(x, y);
  }

  function lift() {
    if (stroke === null) return;
    stroke = null;
    act.release();
    paint();
  }

  function clear() {
    act.hold("drawing", null);
    act.release();
  }

  function paint() {
    showInk(ink);
    pen.style.transform = `translate(${(100 * at[0]) / PAD}%, ${(100 * at[1]) / PAD}%)`;
    pen.classList.toggle("down", stroke !== null);
  }

  // A drawing that did not come from here, or none.
  function show(drawing) {
    if (drawing === known) return;
    known = drawing;
    strokes = [];
    stroke = null;
    ink.fill(0);
    if (drawing) ink.set(floats(drawing));
    paint();
  }

  const at = penOn(canvas, { begin, extend, lift, isDown: () => stroke !== null, moved: paint });
  paint();
  return { node, show };
}
