// The view of helpers.explorers.LatentExplorer: see latent.py and common.js. Its host is anything
// that gives it a model with get, set, on, off, save_changes and send: JupyterLab, or a plain web
// page without a kernel.
//
// A move sets the model's z; one animation frame decodes it and draws; the release tells the kernel.

import { element, group, mount } from "./common.js";
import { decodedPart } from "./decoded.js";
import { mapPart } from "./map.js";
import { padPart } from "./pad.js";
import { createState } from "./state.js";
import { PAD } from "./strokes.js";

export default { render };

function render({ model, el }) {
  const state = createState(model);
  const { latent_dim: dimensions, has_encoder: hasEncoder, side, note } = state.spec;
  const root = group("latent-explorer", "Latent explorer", CSS);
  const map = dimensions > 1 ? mapPart(state) : null;
  const decoded = decodedPart(state);
  const pad = hasEncoder && side === PAD ? padPart(state) : null;
  for (const part of [map, decoded, pad]) if (part) root.append(part.node);
  if (note) root.append(element("p", { className: "note", textContent: note }));
  root.append(state.live);
  mount(root, el);
  state.start([pad, map, decoded].filter(Boolean)); // the pad may move what the others draw
  return () => {
    state.stop();
    root.remove();
  };
}

const CSS = `
.latent-explorer {
  display: flex; flex-wrap: wrap; gap: 16px 28px; align-items: flex-start;
}
.latent-explorer *, .latent-explorer *::before { box-sizing: border-box; }
.latent-explorer .panel { display: flex; flex-direction: column; gap: 8px; min-width: 0; }
.latent-explorer .panel-map { flex: 0 1 320px; }
.latent-explorer .panel-decoded, .latent-explorer .panel-pad { flex: 0 1 304px; }
.latent-explorer .title { font-size: 14px; font-weight: 600; }
.latent-explorer .hint { color: var(--soft); font-size: 12px; }
.latent-explorer .note {
  flex-basis: 100%; padding: 6px 10px; border-left: 3px solid var(--accent);
}
.latent-explorer canvas {
  display: block; max-width: 100%; aspect-ratio: 1; image-rendering: pixelated;
  border-radius: 3px; background: #000;
}
.latent-explorer .frame {
  position: relative; flex: none; overflow: clip; border-radius: 3px;
}
.latent-explorer .frame canvas { touch-action: none; cursor: crosshair; user-select: none; }
.latent-explorer canvas[data-role="map"] {
  width: 100%; image-rendering: auto; background: #fff; border: 1px solid var(--line);
}
.latent-explorer .frame canvas:focus-visible {
  outline: 3px solid var(--accent); outline-offset: -3px;
}
.latent-explorer .marker, .latent-explorer .pen {
  position: absolute; inset: 0; pointer-events: none;
}
.latent-explorer .marker::before {
  content: ""; position: absolute; left: -9px; top: -9px; width: 18px; height: 18px;
  border: 3px solid #fff; border-radius: 50%; background: #d55e00; outline: 1.5px solid #000;
}
.latent-explorer .pen { display: none; }
.latent-explorer canvas:focus-visible + .pen { display: block; }
.latent-explorer .pen::before {
  content: ""; position: absolute; left: -7px; top: -7px; width: 14px; height: 14px;
  border: 2px solid #e69f00; border-radius: 50%;
}
.latent-explorer .pen.down::before { background: #e69f00; }
.latent-explorer .pictures { display: flex; gap: 12px; align-items: flex-start; }
.latent-explorer .stack { display: flex; flex-direction: column; gap: 6px; width: 96px; }
.latent-explorer .figure {
  display: flex; flex-direction: column; gap: 3px; flex: none;
  font-size: 12px; line-height: 1.3; overflow-wrap: anywhere;
}
.latent-explorer .figure + .figure { width: 96px; }
.latent-explorer .stack .figure { width: auto; }
.latent-explorer .figure strong { font-weight: 600; }
.latent-explorer .figure span { color: var(--soft); }
.latent-explorer .sliders { display: flex; flex-direction: column; max-height: 260px; overflow-y: auto; }
.latent-explorer .slider { grid-template-columns: 28px 1fr 52px; }
.latent-explorer .row { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; }
.latent-explorer select { padding: 3px 6px; }
.latent-explorer button:hover { border-color: var(--accent); }
.latent-explorer .meter { font-size: 12px; }
.latent-explorer .bar {
  position: relative; height: 12px; margin-bottom: 5px; overflow: clip;
  border-radius: 3px; background: var(--jp-layout-color3, color-mix(in srgb, CanvasText 15%, Canvas));
}
.latent-explorer .bar div { position: absolute; top: 0; bottom: 0; }
.latent-explorer .band { background: #009e73; opacity: 0.55; }
.latent-explorer .median { width: 2px; background: var(--ink); }
.latent-explorer .here { width: 4px; margin-left: -2px; background: #d55e00; }
`;
