// A slider over pictures that all came beforehand: see flipbook.py and common.js.

import { element, follow, group, mount, slider, spoken } from "./common.js";

export default { render };

async function unpack(model) {
  const view = model.get("frames");
  let start = 0;
  const pages = model.get("spec").sizes.map((size) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + start, size);
    start += size;
    return createImageBitmap(new Blob([bytes], { type: "image/png" }));
  });
  return Promise.all(pages);
}

async function render({ model, el }) {
  const pages = await unpack(model);
  const captions = model.get("captions");
  const label = model.get("label");
  const root = group("flipbook", `Pictures by ${label}`, CSS);
  const canvas = element("canvas", { width: pages[0].width, height: pages[0].height });
  canvas.dataset.role = "page";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", model.get("alt"));
  root.append(canvas);
  const range = { min: 0, max: captions.length - 1, step: 1 };
  const move = (page) => view.set("index", page);
  const { input, show } = slider(root, label, range, move, release);
  const live = spoken();
  root.append(live);
  mount(root, el);
  const context = canvas.getContext("2d");

  function draw(get) {
    const page = get("index");
    context.drawImage(pages[page], 0, 0);
    canvas.dataset.shown = page;
    show(page, captions[page]);
    input.setAttribute("aria-valuetext", captions[page]);
  }

  function release() {
    view.release();
    live.textContent = `${label} ${captions[view.get("index")]}`;
  }

  const view = follow(model, ["index"], draw);
  return () => {
    view.stop();
    root.remove();
    for (const page of pages) page.close();
  };
}

const CSS = `
.flipbook canvas { display: block; max-width: 100%; height: auto; background: white; }
.flipbook .slider {
  grid-template-columns: auto 1fr 4em; gap: .8em; margin: .4em 0; max-width: 640px; font-size: 14px;
}
`;
