// The squared error of the drawing beside that of typical digits.

import { element, setText, valueNode } from "./common.js";

export function errorMeter(typical) {
  const node = element("div", { className: "meter" });
  const bar = element("div", { className: "bar" });
  const band = element("div", { className: "band" });
  const median = element("div", { className: "median" });
  const here = element("div", { className: "here", hidden: true });
  bar.append(band, median, here);
  bar.setAttribute("aria-hidden", "true");
  const text = element("p");
  const words = element("span");
  const shown = valueNode("span", "error");
  text.append(words, shown);
  const others = typical
    ? `The map's digits: median ${typical.median.toFixed(1)}, ` +
      `nine in ten from ${typical.low.toFixed(1)} to ${typical.high.toFixed(1)}.`
    : "";
  if (typical) node.append(bar);
  node.append(text, element("p", { textContent: others }));
  function show(error) {
    setText(words, error === null ? "Draw to see the squared error." : "Squared error ");
    setText(shown, error === null ? "" : error.toFixed(1));
    here.hidden = error === null;
    if (!typical) return;
    const full = Math.max(1.6 * typical.high, 1.05 * (error ?? 0));
    const percent = (value) => `${(100 * value) / full}%`;
    band.style.left = percent(typical.low);
    band.style.width = percent(typical.high - typical.low);
    median.style.left = percent(typical.median);
    here.style.left = percent(error ?? 0);
  }
  return { node, show, text: () => text.textContent };
}
