// The drawing pad. Strokes are kept as lines, so that scaling them keeps the pen's width.

import { button, element, floats } from "./common.js";
import { errorMeter } from "./meter.js";
import { penOn } from "./pen.js";
import { coordinates, describe, makeSurface, panel, picture } from "./pieces.js";
import { squaredError } from "./points.js";
import { center, drawStrokes, PAD } from "./strokes.js";

export function padPart(state) {
  const { spec } = state;
  const ink = new Float32Array(PAD * PAD); // what was drawn
  const input = new Float32Array(PAD * PAD); // centered and scaled: what the encoder sees
  const code = new Float64Array(spec.latent_dim);
  const strokes = [];
  let stroke = null; // the one under way
  let moved = false; // since the last frame
  let unsaved = false;
  let wiped = 0; // how often: an answer to a question from before comes too late
  let known = null; // the model's drawing, as it was last seen or set here
  const frame = element("div", { className: "frame pad" });
  const pad = picture("pad", "", PAD);
  makeSurface(pad.canvas, "Drawing pad");
  const pen = element("div", { className: "pen" });
  frame.append(pad.canvas, pen);
  const seen = picture("seen", "What the encoder sees", PAD);
  seen.figure.append(element("span", { textContent: "Encoder sees" }));
  const reconstruction = picture("reconstruction", "Reconstruction", PAD);
  reconstruction.figure.append(element("span", { textContent: "Reconstruction" }));
  const meter = errorMeter(spec.typical);
  const side = element("div", { className: "stack" });
  side.append(seen.figure, reconstruction.figure);
  const pictures = element("div", { className: "pictures" });
  pictures.append(frame, side);
  const row = element("div", { className: "row" });
  button(row, "Clear", () => {
    wipe();
    setDrawing(null);
    state.release("Drawing cleared");
  });
  const hint = "Arrow keys move the pen, Space puts it down or lifts it.";
  const node = panel("panel-pad", "Draw a digit", pictures, meter.node, row);
  node.append(describe(pad.canvas, hint));

  function extend(x, y) {
    stroke.push(onPad(x), onPad(y));
    moved = unsaved = true;
    state.schedule();
  }

  function onPad(v) {
    return Math.min(PAD, Math.max(0, v));
  }

  function begin(x, y) {
    stroke = [];
    strokes.push(stroke);
    extend(x, y);
  }

  function showResult() {
    const asked = wiped;
    state.decodeDrawing(code, (values) => {
      if (asked !== wiped) return;
      reconstruction.show(values);
      meter.show(squaredError(input, values));
    });
  }

  function encodeStrokes() {
    moved = false;
    drawStrokes(strokes, 1, 0, 0, ink);
    center(strokes, input);
    seen.show(input);
    const asked = wiped;
    state.encode(input, (values) => {
      if (asked !== wiped) return;
      code.set(values.subarray(0, spec.latent_dim));
      state.moveTo(code);
      showResult();
      if (!stroke && !spec.encoder) saveDrawing(); // the kernel's answer came after the release
    });
  }

  function draw(get) {
    if (moved) encodeStrokes();
    else if (!stroke) showDrawing(get("drawing"));
    pad.show(ink);
    pen.style.transform = `translate(${(100 * at[0]) / PAD}%, ${(100 * at[1]) / PAD}%)`;
    pen.classList.toggle("down", stroke !== null);
  }

  // A drawing that came from Python, or from another view.
  function showDrawing(drawing) {
    if (drawing === known) return;
    known = drawing;
    const values = drawing ? floats(drawing) : null;
    if (values?.every((value, i) => value === input[i])) return;
    wipe();
    if (!values) return;
    ink.set(values);
    input.set(values);
    seen.show(input);
    const asked = wiped;
    state.encode(input, (result) => {
      if (asked !== wiped) return;
      code.set(result.subarray(0, spec.latent_dim));
      showResult();
    });
  }

  function setDrawing(drawing) {
    known = drawing;
    state.set("drawing", drawing);
  }

  function saveDrawing() {
    if (unsaved) setDrawing(new DataView(input.slice().buffer));
    unsaved = false;
    state.release(`Drawing encoded at z = ${coordinates(code)}. ${meter.text()}`);
  }

  function lift() {
    if (stroke === null) return;
    if (moved) encodeStrokes();
    stroke = null;
    if (spec.encoder)
      saveDrawing(); // else when the kernel has answered
    else state.schedule();
  }

  function wipe() {
    wiped += 1;
    strokes.length = 0;
    stroke = null;
    moved = unsaved = false;
    for (const values of [ink, input]) values.fill(0);
    for (const shown of [seen, reconstruction]) shown.show(ink);
    meter.show(null);
  }

  const at = penOn(pad.canvas, {
    begin,
    extend,
    lift,
    isDown: () => stroke !== null,
    moved: state.schedule,
  });

  wipe();
  return { node, draw };
}
