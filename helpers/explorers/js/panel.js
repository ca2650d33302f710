// A chart with axes that may change while it is dragged: see kl.js and estimator.js.

import { plain, shape, ticks } from "./common.js";

const WIDTH = 360; // of a panel, in the units of its drawing

// `across` and `up` are { name, range }, `across` may have marks; without `up` there is no axis at the left.
export function panel(parent, { height, title, across, up, left = up ? 44 : 12 }) {
  const svg = shape(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", class: "panel" },
    parent,
  );
  const frame = { left, right: WIDTH - 12, top: 28, bottom: height - 42 };
  const [wide, tall] = [frame.right - frame.left, frame.bottom - frame.top];
  const ranges = { x: across.range, y: up ? up.range : [0, 1] };
  const share = (value, [low, high]) => (value - low) / (high - low);
  const toX = (value) => frame.left + wide * share(value, ranges.x);
  const toY = (value) => frame.bottom - tall * share(value, ranges.y);
  const write = (content, x, y, anchor = "middle", parent = svg) => {
    const text = shape("text", { x, y, "text-anchor": anchor }, parent);
    text.textContent = content;
    return text;
  };
  write(title, (frame.left + frame.right) / 2, 17).setAttribute("class", "title");
  write(across.name, (frame.left + frame.right) / 2, height - 6);
  if (up) {
    const place = `translate(12 ${(frame.top + frame.bottom) / 2}) rotate(-90)`;
    write(up.name, 0, 0).setAttribute("transform", place);
  }
  const marks = shape("g", {}, svg);
  // What lies beyond the axes is cut off.
  const id = `panel-${Math.random().toString(36).slice(2)}`;
  const corner = { x: frame.left, y: frame.top };
  shape("rect", { ...corner, width: wide, height: tall }, shape("clipPath", { id }, svg));
  const inner = shape("g", { "clip-path": `url(#${id})` }, svg);

  function drawMarks() {
    marks.replaceChildren();
    shape("path", { class: "axis", d: `M${frame.left} ${frame.bottom}H${frame.right}` }, marks);
    for (const value of across.marks ?? ticks(...ranges.x)) {
      write(plain(value), toX(value), frame.bottom + 17, "middle", marks);
    }
    if (!up) return;
    shape("path", { class: "axis", d: `M${frame.left} ${frame.top}V${frame.bottom}` }, marks);
    for (const value of ticks(...ranges.y)) {
      write(plain(value), frame.left - 6, toY(value) + 4, "end", marks);
    }
  }

  function setRange(axis, range) {
    if (String(ranges[axis]) === String(range)) return;
    ranges[axis] = range;
    drawMarks();
  }

  drawMarks();
  return {
    svg,
    frame,
    toX,
    toY,
    write,
    setRange,
    path: (kind) => shape("path", { class: kind }, inner),
    line: (xs, ys) => `M${xs.map((x, i) => `${fixed(toX(x))} ${fixed(toY(ys[i]))}`).join("L")}`,
    // Where a pointer is, in units of the axis.
    valueAt(event) {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * WIDTH;
      const [low, high] = ranges.x;
      return low + ((at - frame.left) / wide) * (high - low);
    },
  };
}

function fixed(value) {
  return value.toFixed(2);
}

// The value of a slider is a number of the face, too. Gives what shows it.
export function named(slider, name) {
  const output = slider.input.nextElementSibling;
  output.dataset.value = name;
  return (value, text) => {
    slider.show(value, text);
    slider.input.setAttribute("aria-valuetext", output.textContent);
  };
}

// Panels stand side by side where the explorer is wide enough, whatever the window is.
export function panelLook(root) {
  return `
${root} { max-width: 900px; font-size: 14px; }
${root} .panels {
  display: grid; gap: 8px 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr));
  align-items: start;
}
${root} .panels > * { min-width: 0; }
${root} .panel text { fill: var(--ink); font-size: 13.5px; font-variant-numeric: tabular-nums; }
${root} .panel text { paint-order: stroke; stroke: var(--jp-layout-color1, Canvas); stroke-width: 3; }
${root} .panel .title { font-size: 15px; font-weight: 600; }
${root} .panel path { fill: none; stroke: var(--soft); stroke-width: 1; }
${root} .panel .axis { stroke: var(--soft); }
${root} .slider { grid-template-columns: auto 1fr 52px; gap: 8px; flex: 1 1 240px; min-height: 32px; }
`;
}
