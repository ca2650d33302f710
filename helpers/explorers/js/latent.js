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
  const parts = [map, decoded, pad].filter(Boolean);
  const body = element("div", { className: `body parts-${parts.length}` });
  body.append(...parts.map(({ node }) => node));
  root.append(body);
  if (note) root.append(element("p", { className: "note", textContent: note }));
  root.append(state.live);
  mount(root, el);
  state.start([pad, map, decoded].filter(Boolean)); // the pad may move what the others draw
  return () => {
    state.stop();
    map?.stop();
    root.remove();
  };
}

// The parts stand side by side as far as the explorer itself has room: the column of a page, or a
// cell of JupyterLab, is narrower than the window.
const CSS = `
.latent-explorer { container-type: inline-size; contain-intrinsic-inline-size: 660px; }
.latent-explorer *, .latent-explorer *::before { box-sizing: border-box; }
.latent-explorer .body { display: grid; gap: 16px 24px; align-items: start; }
.latent-explorer .panel {
  display: flex; flex-direction: column; gap: 8px; min-width: 0; max-width: 420px;
}
.latent-explorer .title { font-size: 15px; font-weight: 600; }
.latent-explorer .hint { color: var(--soft); font-size: 12px; }
.latent-explorer .note {
  margin-top: 12px; padding: 6px 10px; border-left: 3px solid var(--accent);
}
@container (min-width: 600px) and (max-width: 859.9px) {
  .latent-explorer .parts-3 { grid-template-columns: 1fr 1fr; }
  .latent-explorer .parts-3 .panel-pad {
    grid-column: 1 / -1; max-width: none; display: grid; grid-template-columns: subgrid;
    grid-template-rows: auto auto auto auto 1fr; gap: 8px 24px; align-items: start;
  }
  .latent-explorer .parts-3 .panel-pad > .title { grid-column: 1 / -1; }
  .latent-explorer .parts-3 .panel-pad .pictures { display: contents; }
  .latent-explorer .parts-3 .panel-pad .frame { grid-row: 2 / 6; max-width: 300px; width: 100%; }
  .latent-explorer .parts-3 .panel-pad .stack { flex-direction: row; gap: 12px; max-width: 300px; }
  .latent-explorer .parts-3 .panel-pad > :not(.title, .pictures) { grid-column: 2; }
}
@container (min-width: 600px) {
  .latent-explorer .parts-2 { grid-template-columns: repeat(2, minmax(0, 420px)); }
}
@container (min-width: 860px) {
  .latent-explorer .parts-3 { grid-template-columns: 1fr 1fr 1fr; }
}
.latent-explorer canvas {
  display: block; max-width: 100%; aspect-ratio: 1; image-rendering: pixelated;
  border-radius: 3px; background: #000;
}
.latent-explorer .frame {
  position: relative; flex: none; overflow: clip; border-radius: 3px;
}
.latent-explorer .frame > canvas { touch-action: none; cursor: crosshair; user-select: none; }
.latent-explorer canvas[data-role="map"] {
  width: 100%; image-rendering: auto; border: 1px solid var(--line);
  color: var(--ink); background: var(--jp-layout-color1, Canvas);
  transition: color 1ms, background-color 1ms;
}
.latent-explorer .frame > canvas:focus-visible {
  outline: 3px solid var(--accent); outline-offset: -3px;
}
.latent-explorer .posterior {
  position: absolute; left: 12.5%; top: 2.5%; width: 85%; height: 85%; pointer-events: none;
}
.latent-explorer .posterior ellipse { fill: none; stroke-width: 2.2; }
.latent-explorer .posterior ellipse + ellipse { stroke-width: 1.5; }
.latent-explorer .figure.peek {
  position: absolute; width: max-content; padding: 4px; white-space: pre; pointer-events: none;
  border: 1px solid var(--line); border-radius: 4px; background: var(--jp-layout-color1, Canvas);
}
.latent-explorer .figure.peek[hidden] { display: none; }
.latent-explorer .figure.peek span { color: var(--ink); }
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
.latent-explorer .pictures {
  display: grid; grid-template-columns: minmax(0, 2fr) minmax(94px, 1fr); gap: 12px; align-items: start;
}
.latent-explorer .stack { display: flex; flex-direction: column; gap: 6px; }
.latent-explorer .stack .figure { flex: 1; min-width: 0; }
.latent-explorer .figure {
  display: flex; flex-direction: column; gap: 3px; min-width: 0;
  font-size: 12px; line-height: 1.3; overflow-wrap: anywhere;
}
.latent-explorer :is(.pictures, .images) canvas { width: 100%; }
.latent-explorer .terms { display: flex; flex-direction: column; gap: 4px; }
.latent-explorer .images {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(64px, 1fr)); gap: 8px;
  max-width: 300px; max-height: 190px; overflow-y: auto;
}
.latent-explorer .images span { font-variant-numeric: tabular-nums; }
.latent-explorer .figure strong { font-weight: 600; }
.latent-explorer .figure span { color: var(--soft); }
.latent-explorer .sliders { display: flex; flex-direction: column; max-height: 260px; overflow-y: auto; }
.latent-explorer .slider { grid-template-columns: 28px 1fr 52px; }
.latent-explorer .row { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; }
.latent-explorer .switches { gap: 4px 10px; }
.latent-explorer .switches label {
  display: flex; gap: 6px; align-items: center; min-height: 24px; cursor: pointer;
}
.latent-explorer .switches input { width: 18px; height: 18px; }
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
