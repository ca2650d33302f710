// A pen on a canvas, for the pointer and for the keyboard: arrow keys move it, Space puts it down or
// lifts it. `pad` says what becomes of it: begin(x, y), extend(x, y), lift(), isDown(), and moved(),
// which is called when the keyboard moved it. Places are in pixels of the image.

import { listen, position } from "./common.js";
import { arrow } from "./pieces.js";
import { PAD } from "./strokes.js";

// Gives the place of the keyboard's pen, [x, y].
export function penOn(canvas, pad) {
  const at = [PAD / 2, PAD / 4];
  let pointer = null;
  listen(canvas, "pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    pad.begin(...position(event, canvas, PAD));
  });
  listen(canvas, "pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      pad.extend(...position(each, canvas, PAD));
    }
  });
  listen(canvas, "pointerup pointercancel", (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    pad.lift();
  });
  listen(canvas, "keydown", (event) => {
    const [dx, dy] = arrow(event);
    if (event.key === " ") {
      event.preventDefault();
      if (event.repeat) return;
      if (pad.isDown()) pad.lift();
      else pad.begin(...at);
    } else if (dx || dy) {
      event.preventDefault();
      at[0] = Math.min(PAD - 1, Math.max(1, at[0] + dx));
      at[1] = Math.min(PAD - 1, Math.max(1, at[1] + dy));
      if (pad.isDown()) pad.extend(...at);
    } else return;
    pad.moved();
  });
  listen(canvas, "blur", () => pointer === null && pad.lift());
  return at;
}
