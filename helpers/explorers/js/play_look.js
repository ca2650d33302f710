// The look of the playground: one column on a phone, two on a page, three where there is room.

export const LOOK = `
.playground { container-type: inline-size; max-width: 1500px; }
.playground *, .playground *::before { box-sizing: border-box; }
.playground .board {
  display: grid; gap: 12px 20px; align-items: start; grid-template-columns: minmax(0, 1fr);
}
.playground .panel { min-width: 0; }
.playground .panel:not([hidden]):not(.slow-panel) { display: flex; flex-direction: column; gap: 6px; }
.playground [hidden] { display: none !important; }
.playground .title { font-size: 13px; font-weight: 600; }
.playground .hint { color: var(--soft); font-size: 12px; }
.playground .controls { gap: 6px 14px; margin: 0; align-items: end; }
.playground .chooser { display: flex; flex-direction: column; gap: 2px; }
.playground .chooser span, .playground .controls .slider span { color: var(--soft); font-size: 12px; }
.playground .chooser input { width: 6em; height: 28px; padding: 3px 6px; font: inherit;
  border: 1px solid var(--line); border-radius: 4px; color: var(--ink); background: var(--jp-layout-color2, Field); }
.playground select { padding: 3px 6px; max-width: 100%; }
.playground :is(select, input):disabled { opacity: 0.5; }
.playground .controls .slider { grid-template-columns: auto minmax(90px, 150px) 3em; gap: 6px; }
.playground .slider > span { font-size: 13px; }
.playground button[data-role="run"] { min-width: 84px; font-weight: 600; }
.playground button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.playground .numbers { display: flex; flex-wrap: wrap; gap: 2px 18px; min-height: 1.5em; }
.playground .numbers [data-value] { font-weight: 600; }
.playground .warning { padding: 6px 10px; border-left: 4px solid #d55e00; }
.playground canvas { display: block; width: 100%; border-radius: 3px; background: #000; }
.playground .images-panel canvas { image-rendering: pixelated; }
.playground .map-panel canvas { aspect-ratio: 1; border: 1px solid var(--line); background: #fff; max-width: 560px; }
.playground .curves-panel canvas { border: 1px solid var(--line); background: #fff; max-width: 560px; }
.playground .legend { display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 12px; }
.playground .legend span::before {
  content: ""; display: inline-block; width: 10px; height: 10px; margin-right: 4px;
  border: 1px solid #fff; border-radius: 50%; background: var(--class);
}
.playground .bar { display: flex; height: 12px; overflow: clip; border-radius: 3px; background: color-mix(in srgb, var(--ink) 15%, transparent); }
.playground .bar .reconstruction { background: var(--reconstruction); }
.playground .bar .kl { background: var(--prior); }
.playground .shares { display: flex; flex-direction: column; gap: 3px; }
.playground .film-panel .slider { grid-template-columns: auto minmax(80px, 1fr) 4em; gap: 8px; }
.playground .film-panel .slider > :first-child { white-space: nowrap; }
.playground .watch { min-height: 2.8em; }
.playground .lessons-panel .controls { align-items: center; gap: 6px; }
.playground .slow-panel { padding-top: 10px; border-top: 1px solid var(--line); max-width: none; }

.playground .going .line > *, .playground .going .terms > * { animation: playground-appear 0.4s both; }
.playground .going .line > .end.x { animation-delay: 0s; }
.playground .going .line > :is(.x-encoder, .encoder) { animation-delay: 0.3s; }
.playground .going .line > :is(.encoder-q, .latents) { animation-delay: 0.7s; }
.playground .going .line > :is(.z-decoder, .decoder) { animation-delay: 1.2s; }
.playground .going .line > :is(.decoder-x_hat, .end.x_hat) { animation-delay: 1.5s; }
.playground .going .line > :is(.terms, .loss) { animation-delay: 1.9s; }
.playground .coming .node { transition: border-color 0.3s, box-shadow 0.3s, background-color 0.3s; }
.playground .coming [data-node="x_hat"] { transition-delay: 0.4s; }
.playground .coming [data-node="decoder"] { transition-delay: 0.8s; }
.playground .coming [data-node="z"] { transition-delay: 1.2s; }
.playground .coming [data-node="q"] { transition-delay: 1.6s; }
.playground .coming [data-node="encoder"] { transition-delay: 2s; }
@keyframes playground-appear { from { opacity: 0.1; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) {
  .playground .going *, .playground .coming * { animation: none !important; transition: none !important; }
}

@container (min-width: 620px) {
  .playground .board { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .playground :is(.controls-panel, .slow-panel) { grid-column: 1 / -1; }
  .playground .map-panel { grid-area: 2 / 1; }
  .playground .curves-panel { grid-area: 3 / 1 / span 3; }
  .playground .images-panel { grid-area: 2 / 2; }
  .playground :is(.film-panel, .lessons-panel) { grid-column: 2; }
  .playground .film-panel { flex-direction: row !important; flex-wrap: wrap; align-items: center; gap: 4px 16px !important; }
  .playground .film-panel .slider { flex: 1 0 20em; }
}
@container (min-width: 980px) {
  .playground .board { grid-template-columns: 410px repeat(2, minmax(0, 1fr)); }
  .playground .map-panel { grid-area: 2 / 1 / span 3; }
  .playground .curves-panel { grid-area: 2 / 3; }
  .playground .lessons-panel { grid-column: 2 / -1; }
  .playground .film-panel { grid-column: 2 / -1; }
  .playground .watch { min-height: 1.4em; }
}
`;
