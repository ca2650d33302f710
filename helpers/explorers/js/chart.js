// One or two charts, for the explorers of one latent z: see bound.js and posterior.js.

import { plain, shape } from "./common.js";

export const WIDTH = 340; // of a chart
const HEIGHT = 280;
const MARGIN = { left: 42, right: 10, top: 30, bottom: 40 };
export const Z = axis("z", [-3.6, 3.6], [-3, -2, -1, 0, 1, 2, 3]); // the part of z that is shown
export const DENSITY = axis("density", [0, 4], [0, 1, 2, 3, 4]);

// Marks are numbers, or pairs of a number and its text.
export function axis(name, range, marks) {
  return { name, range, marks: marks.map((mark) => (mark.length ? mark : [mark, plain(mark)])) };
}

// Charts beside each other; where there is no room, on a phone, below each other.
export function charts(root, count = 2) {
  const svg = shape("svg", { role: "img" }, root);
  function lay() {
    const narrow = root.clientWidth > 0 && root.clientWidth < 480;
    const [across, down] = narrow ? [1, count] : [count, 1];
    svg.setAttribute("viewBox", `0 0 ${across * WIDTH} ${down * HEIGHT}`);
    for (const [k, node] of svg.querySelectorAll(":scope > g").entries()) {
      const [x, y] = narrow ? [0, k * HEIGHT] : [k * WIDTH, 0];
      node.setAttribute("transform", `translate(${x} ${y})`);
    }
  }
  lay();
  new ResizeObserver(lay).observe(root);
  return svg;
}

// The axes of one chart, at `shift` from the left; gives what draws into them.
export function chart(svg, shift, title, across, up) {
  const node = shape("g", { transform: `translate(${shift} 0)` }, svg);
  const [bottom, right] = [HEIGHT - MARGIN.bottom, WIDTH - MARGIN.right];
  const middle = (MARGIN.left + right) / 2;
  const share = (v, [low, high]) => (v - low) / (high - low);
  const toX = (v) => MARGIN.left + (right - MARGIN.left) * share(v, across.range);
  const toY = (v) => bottom - (bottom - MARGIN.top) * share(v, up.range);
  const inside = (v, [low, high]) => v >= low && v <= high;
  const write = (content, x, y, anchor = "middle") => {
    const text = shape("text", { x, y, "text-anchor": anchor }, node);
    text.textContent = content;
    return text;
  };
  const line = (stroke, dash = "", d = "") =>
    shape("path", { d, fill: "none", stroke, "stroke-width": 2, "stroke-dasharray": dash }, node);
  line("#333", "", `M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}`).setAttribute(
    "stroke-width",
    1,
  );
  for (const [v, content] of across.marks) write(content, toX(v), bottom + 16);
  for (const [v, content] of up.marks) write(content, MARGIN.left - 6, toY(v) + 4, "end");
  write(across.name, middle, HEIGHT - 6);
  write(up.name, 0, 0).setAttribute(
    "transform",
    `translate(13 ${(MARGIN.top + bottom) / 2}) rotate(-90)`,
  );
  write(title, middle, 18);
  return {
    line,
    // What lies between the axes' ends; a piece of the curve that crosses an end is cut there.
    path(xs, ys) {
      const [low, high] = up.range;
      const text = ([x, y]) => `${toX(x).toFixed(2)} ${toY(y).toFixed(2)}`;
      const cut = ([x, y], [x2, y2]) => {
        const end = Math.min(high, Math.max(low, y));
        return text([end === y ? x : x + ((x2 - x) * (end - y)) / (y2 - y), end]);
      };
      const seen = xs.map((x, i) => [x, ys[i]]).filter(([x]) => inside(x, across.range));
      let [d, last] = ["", ""];
      for (let i = 1; i < seen.length; i++) {
        const [from, to] = [seen[i - 1], seen[i]];
        if (Math.max(from[1], to[1]) < low || Math.min(from[1], to[1]) > high) continue;
        const start = cut(from, to);
        d += start === last ? "" : `M${start}`;
        last = cut(to, from);
        d += `L${last}`;
      }
      return d || "M";
    },
    bar(fill, at) {
      const rect = shape("rect", { fill, x: toX(at - 0.3), width: toX(0.6) - toX(0) }, node);
      const value = write("", toX(at), 0);
      return (low, high, content, above) => {
        rect.setAttribute("y", toY(high));
        rect.setAttribute("height", Math.max(0, toY(low) - toY(high)));
        value.setAttribute("y", toY(above) - 6);
        value.textContent = content;
      };
    },
    legend(x, rows) {
      rows.forEach(([content, stroke, dash], i) => {
        const y = MARGIN.top + 14 + 18 * i;
        line(stroke, dash, `M${x} ${y - 4}h26`);
        write(content, x + 34, y, "start");
      });
    },
  };
}

// `title` is the width of a slider's title.
export function chartLook(root, title, count = 2) {
  return `
${root} { max-width: ${count > 1 ? 720 : 460}px; font-size: 14px; }
${root} svg { background: #fff; border-radius: 3px; }
${root} svg text { font-size: 12px; fill: #222; }
${root} .slider { grid-template-columns: ${title} 1fr 52px; min-height: 32px; margin-top: 6px; }
`;
}
