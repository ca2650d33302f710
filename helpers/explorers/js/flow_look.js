// The look of the flow explorer. Sizes are in em of the body, whose type grows with the width that
// the explorer has: on a narrow page the line wraps into rows, as text does.

export const LOOK = `
.flow-explorer { container-type: inline-size; max-width: 1240px; }
.flow-explorer *, .flow-explorer *::before { box-sizing: border-box; }
.flow-explorer .body { font-size: clamp(14px, 1.95cqw, 21px); line-height: 1.3; }
.flow-explorer .controls { gap: 0.4em 0.7em; margin: 0; font-size: max(13px, 0.8em); }
.flow-explorer .classes { display: flex; flex-wrap: wrap; gap: 3px; }
.flow-explorer .classes button { padding: 3px 0.6em; }
.flow-explorer .which { font-weight: 600; }
.flow-explorer .controls .slider {
  grid-template-columns: auto minmax(80px, 1fr) 3em; gap: 6px; flex: 1 1 190px; max-width: 300px;
}
.flow-explorer .switch { display: flex; gap: 6px; align-items: center; min-height: 28px; }
.flow-explorer .switch input { flex: none; width: 18px; height: 18px; }
.flow-explorer .remark { flex-basis: 100%; color: var(--soft); }

.flow-explorer .padding:not([hidden]) { display: flex; gap: 12px; margin-top: 8px; }
.flow-explorer .beside { display: flex; flex-direction: column; gap: 8px; align-items: start; font-size: 13px; }
.flow-explorer .frame { position: relative; flex: none; width: 168px; overflow: clip; }
.flow-explorer .frame canvas { touch-action: none; cursor: crosshair; background: #000; }
.flow-explorer .frame canvas:focus-visible { outline: 3px solid var(--accent); outline-offset: -3px; }
.flow-explorer .pen { display: none; position: absolute; inset: 0; pointer-events: none; }
.flow-explorer canvas:focus-visible + .pen { display: block; }
.flow-explorer .pen::before {
  content: ""; position: absolute; left: -7px; top: -7px; width: 14px; height: 14px;
  border: 2px solid #e69f00; border-radius: 50%;
}
.flow-explorer .pen.down::before { background: #e69f00; }

.flow-explorer .line {
  --paper: var(--jp-layout-color1, Canvas);
  --open: color-mix(in srgb, var(--ink) 85%, var(--paper));
  display: grid; align-items: center; row-gap: 0.5em; margin: 0.7em 0 0.5em;
  grid-template-columns: 4.4em 1.4em 4.5em 1.4em minmax(0, 1fr) 1.4em 4.5em 1.4em 4.4em;
}
.flow-explorer .math { font-family: "Times New Roman", "Liberation Serif", serif; font-size: 1.1em; }
.flow-explorer .node {
  --tone: var(--open);
  position: relative; min-width: 0; min-height: 0; padding: 0.25em 0.4em; text-align: center;
  border: 2px solid var(--tone); border-radius: 8px; color: var(--ink); font: inherit;
  background: color-mix(in srgb, var(--tone) 14%, var(--paper));
}
.flow-explorer .node:hover { border-style: dashed; }
.flow-explorer .node[aria-pressed="true"] { outline: 2px solid var(--ink); outline-offset: 1px; }
.flow-explorer .node:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.flow-explorer .q, .flow-explorer .z { --tone: var(--posterior); }
.flow-explorer .kl { --tone: var(--prior); }
.flow-explorer .noise, .flow-explorer .eps { --tone: var(--other); }
.flow-explorer .reconstruction, .flow-explorer .x_hat { --tone: var(--reconstruction); }
.flow-explorer .node.x { --tone: var(--data); }
.flow-explorer .quantity { display: block; white-space: nowrap; text-align: left; }
.flow-explorer .node.z .quantity { font-weight: 600; text-align: center; }
.flow-explorer .node.kl .quantity { text-align: center; }
.flow-explorer .end { display: flex; flex-direction: column; align-items: center; align-self: stretch; }
.flow-explorer .end::before, .flow-explorer .end::after { content: ""; flex: 1; }
.flow-explorer .end::after { border-left: 2.5px solid var(--open); margin-bottom: -0.5em; }
.flow-explorer .image { width: 100%; padding: 3px; }
.flow-explorer canvas {
  display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px;
}
.flow-explorer .network { height: 8.5em; padding: 0; border: 0; background: none; }
.flow-explorer .network span { position: relative; font-size: 0.88em; }
.flow-explorer .trapezoid { position: absolute; inset: 0; height: 100%; }
.flow-explorer .trapezoid path {
  fill: var(--paper); stroke: var(--open); stroke-width: 2.5; stroke-linejoin: round;
}

.flow-explorer .latents {
  display: grid; grid-template-columns: minmax(0, 1.1fr) 1.5em minmax(0, 1fr);
  align-items: stretch; row-gap: 0.5em;
  /* Brackets: all latents together come from the encoder, and go to the decoder. */
  padding: 0 3px; border-inline: 2px solid var(--open); border-radius: 10px;
}
.flow-explorer .plain {
  grid-template-columns: 4.4em 3em 4.5em 3em minmax(0, 11em) 3em 4.5em 3em 4.4em;
  justify-content: center;
}
.flow-explorer .plain .latents { grid-template-columns: minmax(0, 1fr); }
.flow-explorer .head { color: var(--soft); font-size: 0.85em; text-align: center; align-self: end; }
.flow-explorer .more { grid-column: 1 / -1; }
.flow-explorer .posterior, .flow-explorer .sampled { display: flex; flex-direction: column; min-width: 0; }
.flow-explorer .node.q {
  display: grid; grid-template-columns: auto minmax(2em, 1fr); gap: 0.3em; align-items: center;
  flex: 1; border-radius: 8px 8px 0 0; border-bottom-width: 1px;
}
.flow-explorer .posterior .kl { border-radius: 0 0 8px 8px; padding: 0.1em 0.4em; }
.flow-explorer .node.z { flex: 1; }
.flow-explorer .node.drawn { border-radius: 50% / 50%; padding: 0.25em 1em; }
.flow-explorer .law { font-weight: 400; white-space: nowrap; }
.flow-explorer .eps {
  display: grid; grid-template-columns: auto minmax(3em, 1fr); align-items: center; gap: 0.2em;
  padding: 2px 4px; border: 2px solid var(--tone); border-radius: 18px;
  background: color-mix(in srgb, var(--tone) 14%, var(--paper));
}
.flow-explorer .roomy :is(.node.q, .eps) { display: flex; flex-direction: column; align-items: stretch; }
.flow-explorer .roomy .lines { display: flex; flex-wrap: wrap; justify-content: center; gap: 0 1em; }
.flow-explorer .roomy .noise .quantity { text-align: center; }
.flow-explorer .node.noise {
  min-width: max-content; padding: 0.25em 0.1em 0.25em 0.4em; border: 0; background: none;
}
.flow-explorer .line:not(.roomy) :is(.q, .noise) { font-size: 0.93em; }
.flow-explorer .line:not(.roomy, .plain) .latents { grid-template-columns: minmax(0, 1fr) 1.5em minmax(0, 1.1fr); }
.flow-explorer .roomy .q .curve { margin-top: auto; }
.flow-explorer .bell { position: relative; min-width: 0; }
.flow-explorer .bell .curve { width: calc(100% - 16px); margin: 0 8px; }
.flow-explorer .bell .slider { display: block; min-height: 0; height: 20px; margin-top: -3px; }
.flow-explorer .bell .slider :is(span, output) { display: none; }
.flow-explorer .bell input {
  appearance: none; height: 20px; background: none; cursor: grab; touch-action: pan-y;
}
.flow-explorer .bell input::-webkit-slider-thumb {
  appearance: none; width: 16px; height: 16px; border: 2px solid #000; border-radius: 50%;
  background: var(--other);
}
.flow-explorer .bell input::-moz-range-thumb {
  width: 12px; height: 12px; border: 2px solid #000; border-radius: 50%; background: var(--other);
}
.flow-explorer .curve { height: 2.7em; overflow: visible; }
.flow-explorer .roomy .curve { height: 3.6em; margin-bottom: 8px; }
.flow-explorer .curve path { fill: none; vector-effect: non-scaling-stroke; }
.flow-explorer .curve .axis { stroke: var(--soft); stroke-width: 1; }
.flow-explorer .curve .prior { stroke: var(--prior); stroke-width: 1.5; stroke-dasharray: 4 3; }
.flow-explorer .curve .area {
  stroke: var(--tone); stroke-width: 2; fill: color-mix(in srgb, var(--tone) 45%, transparent);
}
.flow-explorer .curve :is(.rim, .dot) { stroke: #000; stroke-width: 13; stroke-linecap: round; }
.flow-explorer .curve .dot { stroke: var(--posterior); stroke-width: 9; }

.flow-explorer .arrow { display: flex; flex-direction: column; gap: 3px; justify-content: center; padding: 0 2px; }
.flow-explorer .arrow.down { align-self: center; width: 1.2em; transform: rotate(90deg); margin: 0.3em 0; }
.flow-explorer .latents > .arrow { align-self: end; height: 2.2em; }
.flow-explorer .latents > .arrow:has(+ .drawn) { align-self: center; }
.flow-explorer .arrow svg { overflow: visible; }
.flow-explorer .arrow .forward { color: var(--open); }
.flow-explorer .arrow .reconstruction { color: var(--reconstruction); }
.flow-explorer .arrow .kl { color: var(--prior); }
.flow-explorer .shaft { fill: none; stroke: currentColor; stroke-width: 2.5; }
.flow-explorer path.head { fill: currentColor; }
.flow-explorer .arrow :is(.reconstruction, .kl, .bar) { display: none; }

.flow-explorer .terms {
  display: flex; flex-direction: column; align-items: center; gap: 0.5em;
  grid-column: 1 / -1; margin: 0 calc(2.2em - 1.25px); padding: 0 1em; position: relative;
}
.flow-explorer .terms::before {
  content: ""; position: absolute; inset: 0 0 1.05em; border: 2.5px solid var(--open); border-top: 0;
  border-radius: 0 0 6px 6px;
}
.flow-explorer .terms .node { padding: 0.35em 0.8em; }
.flow-explorer .node.loss {
  grid-column: 1 / -1; justify-self: center; border-color: transparent; background: none; font-weight: 700;
  font-size: 1.15em;
}
.flow-explorer .node.loss .value { font-size: 1.15em; }

.flow-explorer .code {
  margin: 0.5em 0 0; padding: 0.5em 0.7em; border-left: 4px solid var(--accent); min-height: 3.6em;
  white-space: pre-wrap; overflow-wrap: anywhere; color: inherit;
  background: color-mix(in srgb, var(--ink) 6%, transparent);
  font: max(13px, 0.9em)/1.4 var(--jp-code-font-family, ui-monospace, "DejaVu Sans Mono", monospace);
}

.flow-explorer .light { margin-top: 0.5em; }
.flow-explorer .light table { margin-top: 0.3em; border-collapse: collapse; font-size: 0.9em; }
.flow-explorer .light :is(th, td) { padding: 0.1em 0.6em; text-align: right; font-weight: 400; }
.flow-explorer .light thead th { font-weight: 600; text-align: center; }
.flow-explorer .light th:is(.reconstruction, .kl) { border-bottom: 4px solid var(--tone); }
.flow-explorer .lit .node { --tone: var(--soft); background: var(--paper); }
.flow-explorer .lit .node:is(.network, .noise) { background: none; }
.flow-explorer .lit .eps { --tone: var(--soft); background: none; }
.flow-explorer .lit .node[data-lit="reconstruction"] { --one: var(--reconstruction); --two: var(--reconstruction); }
.flow-explorer .lit .node[data-lit="kl"] { --one: var(--prior); --two: var(--prior); }
.flow-explorer .lit .node[data-lit="reconstruction kl"] { --one: var(--reconstruction); --two: var(--prior); }
.flow-explorer .lit .node:not([data-lit=""]) {
  border-color: var(--one);
  box-shadow: 0 0 0 3px var(--two), 0 0 10px 4px color-mix(in srgb, var(--one) 60%, transparent);
}
.flow-explorer .lit .network:not([data-lit=""]) { box-shadow: none; }
.flow-explorer .lit .network:not([data-lit=""]) path { stroke: var(--one); stroke-width: 5; }
.flow-explorer .lit .network:not([data-lit=""]) .trapezoid {
  overflow: visible; filter: drop-shadow(0 0 3px var(--two)) drop-shadow(0 0 3px var(--two));
}
.flow-explorer .lit .quantity[data-lit]:not([data-lit=""]) { border-left: 4px solid var(--prior); padding-left: 3px; }
.flow-explorer .lit .quantity[data-lit="reconstruction kl"] { border-image: linear-gradient(var(--reconstruction) 50%, var(--prior) 50%) 1; }
.flow-explorer .lit .arrow[data-lit~="reconstruction"] .reconstruction,
.flow-explorer .lit .arrow[data-lit~="kl"] .kl,
.flow-explorer .lit .arrow.blocked .reconstruction { display: block; }
.flow-explorer .lit .arrow :is(.reconstruction, .kl) .shaft {
  stroke-width: 3.5; stroke-dasharray: 4 3; animation: flow-back 0.6s linear infinite;
}
.flow-explorer .lit .arrow.blocked .reconstruction :is(.shaft, .head) { display: none; }
.flow-explorer .lit .arrow.blocked .bar {
  display: block; fill: none; stroke: var(--gradient); stroke-width: 7;
}
@keyframes flow-back { to { stroke-dashoffset: -7; } }
@media (prefers-reduced-motion: reduce) {
  .flow-explorer .lit .arrow .shaft { animation: none !important; }
}

@container (min-width: 900px) {
  .flow-explorer .line:not(.plain) {
    grid-template-columns: 6.4em 1.8em 5em 1.8em minmax(0, 1fr) 1.8em 5em 1.8em 6.4em;
  }
  .flow-explorer .line:not(.plain) .terms { margin: 0 calc(3.2em - 1.25px); }
}
@container (min-width: 1100px) {
  .flow-explorer .roomy :is(.node.q, .eps) { display: grid; align-items: center; }
  .flow-explorer .roomy .q .curve { margin-top: 0; }
  .flow-explorer .roomy .lines { display: block; }
}
@container (max-width: 599px) {
  .flow-explorer .light :is(th, td) { padding: 0.1em 0.15em; }
  .flow-explorer .light table { width: 100%; font-size: 12px; }
  .flow-explorer .line:is(.line, .plain) { grid-template-columns: 4.4em 1.8em minmax(0, 1fr) 1.8em 4.4em; }
  .flow-explorer .latents { grid-column: 1 / -1; }
  .flow-explorer .arrow.z-decoder { grid-column: 2; }
  .flow-explorer .end::after { border: 0; }
  .flow-explorer .network { height: 5.2em; }
  .flow-explorer .terms { margin: 0; padding: 0; }
  .flow-explorer .terms::before { display: none; }
  .flow-explorer .node.q { grid-template-columns: auto minmax(1.5em, 1fr); padding: 0.25em; }
}
`;
