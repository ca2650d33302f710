// Explorers on a plain web page, without Jupyter and without Python: see pages.py.
//
// <figure class="explorer" data-module="…" data-state="…"> holds a still picture. When it comes
// near the window, the module (the very one that JupyterLab runs) and the state are loaded, and
// the living explorer takes the picture's place. Both come as classic scripts that call
// explorerPart(name, value), because a page that is opened from the disk may load nothing else.

(() => {
  const here = document.currentScript.src; // empty where this script stands in the page itself
  const parts = {}; // by name: { value, a promise; arrive, which fulfills it; asked }

  function part(name) {
    if (!parts[name]) {
      const one = { asked: false };
      parts[name] = one;
      one.value = new Promise((resolve) => {
        one.arrive = (value) => {
          one.asked = true;
          resolve(value);
        };
      });
    }
    return parts[name];
  }

  globalThis.explorerPart = (name, value) => part(name).arrive(value);

  function load(name) {
    const one = part(name);
    if (!one.asked) {
      one.asked = true;
      const src = new URL(`explorers/${name}.js`, here).href;
      document.head.append(Object.assign(document.createElement("script"), { src }));
    }
    return one.value;
  }

  // Compressed bytes become a DataView; all else stays as it is.
  async function unpacked(value) {
    if (value?.gzip === undefined) return value;
    const bytes = Uint8Array.from(atob(value.gzip), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new DataView(await new Response(stream).arrayBuffer());
  }

  // What an explorer asks of JupyterLab's model. There is no kernel to save to or to ask.
  function standIn(state) {
    const handlers = [];
    return {
      get: (name) => state[name],
      set(name, value) {
        state[name] = value;
        for (const [event, handler] of [...handlers]) if (event === `change:${name}`) handler();
      },
      on: (event, handler) => handlers.push([event, handler]),
      off(event, handler) {
        const place = handlers.findIndex(([e, h]) => e === event && h === handler);
        if (place >= 0) handlers.splice(place, 1);
      },
      save_changes() {},
      send() {},
    };
  }

  async function show(figure) {
    const [source, packed] = await Promise.all([
      load(figure.dataset.module),
      load(figure.dataset.state),
    ]);
    const pairs = Object.entries(packed).map(async ([k, v]) => [k, await unpacked(v)]);
    const state = Object.fromEntries(await Promise.all(pairs));
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const view = (await import(url)).default;
    URL.revokeObjectURL(url);
    const el = document.createElement("div");
    const still = [...figure.childNodes];
    figure.append(el);
    const model = standIn(state);
    const end = await view.render({ model, el });
    figure.explorer = { model, end }; // for other scripts of the page
    for (const node of still) node.remove();
    figure.dataset.alive = "";
  }

  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        show(target).catch((error) => console.error("explorer:", error)); // the picture stays
      }
    },
    { rootMargin: "300px" },
  );
  const start = () => {
    for (const figure of document.querySelectorAll("figure.explorer[data-state]")) {
      watch.observe(figure);
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
