// Present: the page's title, pictures, explorers and questions, one at a time, for a projector.
//
// A slide is what stands in the page already. A picture is copied; an explorer is moved into the
// dialog and back, so that it goes on living. The address says which slide is shown, as an anchor
// in front of the explorers' states: #present-3&cell-2.mu=1. See host.js.

(() => {
  const article = document.querySelector("article");
  const title = article?.querySelector("h1");
  if (!title) return;

  const ANCHOR = /^present-(\d+)$/;
  const ITEMS = "h1, figure.explorer, img";
  // What has a use of its own for the arrow keys.
  const OWN_ARROWS =
    "input:not([type=checkbox]), select, textarea, [tabindex]:not([tabindex='-1'])";
  const LARGEST = 2.6; // how far an explorer grows
  // What is tried: a share of the slide's width, and how far the explorer must grow there. A narrower
  // chart is also lower. As in explorers/js/tools.js.
  const TRIES = [
    [1, 1.2],
    [0.9, 1.1],
    [0.8, 1.1],
    [0.7, 1],
    [0.6, 1],
    [1, 0.5],
  ];

  const PHONE = 640; // a stage less wide than this is read from near by: one scrolls

  function element(tag, properties = {}, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }

  function button(text, act, properties = {}) {
    const node = element("button", { type: "button", textContent: text, ...properties });
    node.addEventListener("click", act);
    return node;
  }

  // Which parts of the page are slides: nothing that is folded, such as a solution.
  function slidesOf(page) {
    const isShown = (node) => !node.closest("details, .headerlink, [hidden]");
    const isPart = (node) => node.matches("img") && node.closest("figure.explorer");
    return [...page.querySelectorAll(ITEMS)].filter((node) => isShown(node) && !isPart(node));
  }

  // The heading that the part stands under.
  function headingOf(node) {
    const heading = node.closest("section")?.querySelector(":scope > :is(h1, h2, h3, h4)");
    return heading ?? title;
  }

  function copyOf(heading) {
    const copy = heading.cloneNode(true);
    for (const link of copy.querySelectorAll(".headerlink")) link.remove();
    return [...copy.childNodes];
  }

  // The line in italics below a picture or an explorer, which says how to read it.
  function captionOf(node) {
    const block = node.closest("section > *");
    const next = block?.nextElementSibling;
    const isItalic = next?.matches("p") && next.querySelector(":scope > em:only-child");
    return isItalic && next.textContent.trim() === next.querySelector("em").textContent.trim()
      ? next.cloneNode(true)
      : "";
  }

  // The page's question, or its first words.
  function leadOf() {
    const all = [...title.parentElement.querySelectorAll(":scope > p, :scope > div > p")];
    const asks = (p) => p.querySelector("strong")?.textContent.startsWith("The question");
    return (all.find(asks) ?? all[0])?.cloneNode(true) ?? "";
  }

  let slides = [];
  let at = -1; // the slide that is shown
  // A verdict, or another of its texts, may make an explorer higher.
  const growth = new ResizeObserver(() => overflows() && fit());
  let takeBack = null; // puts what was moved back into the page

  const heading = element("h2", { className: "present-heading" });
  const stage = element("div", { className: "present-stage" });
  const slide = element("div", { className: "present-slide", tabIndex: -1 }, heading, stage);
  slide.setAttribute("role", "group");
  slide.setAttribute("aria-roledescription", "slide");
  const place = element("output", { className: "present-place" });
  const hint = element("span", { className: "present-hint" });
  const back = button("← Back", () => go(at - 1));
  const next = button("Next →", () => go(at + 1));
  const full = button("Full screen", toggleFull, { className: "present-full" });
  const bar = element(
    "div",
    { className: "present-bar" },
    back,
    place,
    next,
    hint,
    full,
    button("Leave (Esc)", leave),
  );
  if (!document.fullscreenEnabled) full.remove();
  const frame = element("div", { className: "present-frame" }, slide, bar);
  const dialog = element("dialog", { className: "present" }, frame);
  dialog.setAttribute("aria-label", "Presentation");
  const opener = button("Present", () => enter(0), { className: "present-open" });
  opener.title = "Show title, pictures, explorers and questions one at a time";

  function enter(number) {
    if (at < 0) {
      slides = slidesOf(article);
      dialog.showModal();
    }
    go(number);
  }

  function leave() {
    if (at < 0) return;
    if (document.fullscreenElement) document.exitFullscreen();
    clear();
    const shown = slides[at];
    at = -1;
    dialog.close();
    writeAddress("");
    shown.scrollIntoView({ block: "center" });
    opener.focus({ preventScroll: true });
  }

  function go(number) {
    const wanted = Math.min(Math.max(number, 0), slides.length - 1);
    if (wanted === at) return;
    const held = bar.contains(document.activeElement); // a button that keeps the focus
    clear();
    at = wanted;
    show(slides[at]);
    const words = `${at + 1} of ${slides.length}`;
    const about = `: ${heading.textContent.trim()}`;
    place.replaceChildren(words, element("span", { className: "visually-hidden" }, about));
    slide.setAttribute("aria-label", words + about);
    back.setAttribute("aria-disabled", at === 0);
    next.setAttribute("aria-disabled", at === slides.length - 1);
    if (!held) slide.focus({ preventScroll: true });
    showHint();
    writeAddress(`present-${at + 1}`);
  }

  function show(node) {
    const isTitle = node === title;
    heading.replaceChildren(...copyOf(isTitle ? title : headingOf(node)));
    slide.dataset.kind = isTitle ? "title" : node.localName;
    if (isTitle) stage.append(leadOf());
    else if (node.matches("img")) stage.append(pictureOf(node), captionOf(node));
    else borrow(node);
  }

  // Move an explorer into the slide, until it is taken back.
  function borrow(node) {
    const caption = captionOf(node);
    const gap = element("div");
    gap.style.height = `${node.offsetHeight}px`; // the page keeps its length meanwhile
    gap.style.margin = getComputedStyle(node).margin;
    node.replaceWith(gap);
    stage.append(node, caption);
    growth.observe(node);
    takeBack = () => {
      growth.disconnect();
      size(node, "", 0);
      gap.replaceWith(node);
    };
    fit();
  }

  function pictureOf(image) {
    const copy = image.cloneNode();
    copy.loading = "eager";
    copy.removeAttribute("id");
    return copy;
  }

  function clear() {
    takeBack?.();
    takeBack = null;
    stage.replaceChildren();
  }

  // By more than the one pixel that rounding may make.
  const overflows = () =>
    stage.scrollHeight > stage.clientHeight + 1 || stage.scrollWidth > stage.clientWidth + 1;

  function size(figure, zoom, share) {
    figure.style.zoom = zoom;
    figure.style.width = share ? `${100 * share}%` : "";
  }

  // An explorer as large as the slide has room for; where it has too little, one scrolls.
  function fit() {
    const figure = stage.querySelector("figure");
    if (!figure) return;
    const tries = stage.clientWidth < PHONE ? [[1, 0.9]] : TRIES;
    if (!tries.some(([share, least]) => grow(figure, share, least))) size(figure, "", 1);
  }

  // Whether the figure fits at all with this share of the width; then it is made as large as it may be.
  function grow(figure, share, least) {
    size(figure, least, share);
    if (overflows()) return false;
    let [fits, high] = [least, LARGEST];
    while (high - fits > 0.05) {
      const middle = (fits + high) / 2;
      size(figure, middle, share);
      if (overflows()) high = middle;
      else fits = middle;
    }
    size(figure, fits, share);
    return true;
  }

  function toggleFull() {
    if (document.fullscreenElement) return document.exitFullscreen();
    return frame.requestFullscreen().catch((error) => console.debug("present:", error));
  }

  function writeAddress(anchor) {
    const [first, ...rest] = location.hash.slice(1).split("&");
    const states = first.includes("=") ? [first, ...rest] : rest;
    const hash = [anchor, ...states].filter(Boolean).join("&");
    try {
      const address = hash ? `#${hash}` : location.pathname + location.search;
      history.replaceState(history.state, "", address);
    } catch (error) {
      console.debug("present: no address to write to", error); // as in a frame without one
    }
  }

  // Show what the address names.
  function follow() {
    const named = ANCHOR.exec(location.hash.slice(1).split("&")[0]);
    if (named) enter(Number(named[1]) - 1);
    else leave();
  }

  function ownsArrows() {
    const { activeElement: active } = document;
    return stage.contains(active) && active.matches(OWN_ARROWS);
  }

  function showHint() {
    hint.textContent = ownsArrows()
      ? "Arrow keys move this control; Page Down goes on."
      : "Arrow keys go forward and back.";
  }

  // Page keys go on from everywhere: a presenter's clicker sends them.
  function press(event) {
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const isArrow = event.key.startsWith("Arrow");
    const by = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[event.key];
    if (event.key === "Escape") leave();
    else if (by && !(isArrow && ownsArrows())) go(at + by);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  dialog.addEventListener("close", () => dialog.open || leave()); // by a gesture of the browser's own
  addEventListener("keydown", press, true);
  addEventListener("hashchange", follow);
  for (const name of ["focusin", "focusout"])
    dialog.addEventListener(name, () => setTimeout(showHint));
  document.addEventListener("fullscreenchange", () => {
    full.textContent = document.fullscreenElement === frame ? "Leave full screen" : "Full screen";
  });
  new ResizeObserver(fit).observe(stage);
  // An explorer that comes alive is of another height than its still picture.
  const alive = new MutationObserver(fit);
  alive.observe(stage, { subtree: true, attributeFilter: ["data-alive"] });

  const bars = document.querySelector(".content-icon-container");
  (bars ?? title.parentElement).prepend(opener);
  document.body.append(dialog);
  if (ANCHOR.test(location.hash.slice(1).split("&")[0])) follow();
})();
