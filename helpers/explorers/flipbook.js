// A slider over pictures that all came beforehand: see flipbook.py.

async function unpack(model) {
  const view = model.get("frames");
  let start = 0;
  const pages = model.get("sizes").map((size) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + start, size);
    start += size;
    return createImageBitmap(new Blob([bytes], { type: "image/png" }));
  });
  return Promise.all(pages);
}

function element(tag, properties, parent) {
  const node = Object.assign(document.createElement(tag), properties);
  parent.append(node);
  return node;
}

async function render({ model, el }) {
  const root = element("div", { className: "flipbook" }, el);
  const canvas = element("canvas", {}, root);
  canvas.dataset.role = "page";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", model.get("alt"));
  canvas.style.cssText = "display:block;max-width:100%;height:auto;background:white";
  const line = element("label", {}, root);
  line.style.cssText = "display:flex;gap:.8em;align-items:center;margin:.4em 0;max-width:640px;"
    + "font-size:14px;color:var(--jp-content-font-color1,inherit)";
  element("span", { textContent: model.get("label") }, line);
  const captions = model.get("captions");
  const slider = element("input", { type: "range", min: 0, max: captions.length - 1, step: 1 }, line);
  slider.style.cssText = "flex:1;min-height:24px";
  const output = element("output", {}, line);
  output.style.cssText = "min-width:4em;font-variant-numeric:tabular-nums";

  const pages = await unpack(model);
  canvas.width = pages[0].width;
  canvas.height = pages[0].height;
  const context = canvas.getContext("2d");
  let frame = 0;
  const draw = () => {
    frame = 0;
    const page = Number(slider.value);
    context.drawImage(pages[page], 0, 0);
    canvas.dataset.shown = page;
    output.value = captions[page];
    slider.setAttribute("aria-valuetext", captions[page]);
  };
  const request = () => { frame ||= requestAnimationFrame(draw); };
  const follow = () => { slider.value = model.get("index"); request(); };
  const release = () => {
    model.set("index", Number(slider.value));
    model.save_changes();
  };
  slider.addEventListener("input", request);
  slider.addEventListener("change", release);
  // JupyterLab's own keys stay off the arrows, but Ctrl+S must still save.
  slider.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const name of ["keydown", "keyup"]) {
    slider.addEventListener(name, ({ ctrlKey, metaKey }) => {
      slider.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
    });
  }
  model.on("change:index", follow);
  slider.value = model.get("index");
  draw();
  return () => {
    cancelAnimationFrame(frame);
    model.off("change:index", follow);
    pages.forEach((page) => page.close());
  };
}

export default { render };
