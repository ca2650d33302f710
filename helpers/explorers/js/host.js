// Explorers on a plain web page, without Jupyter and without Python: see pages.py.
//
// <figure class="explorer" data-module="…" data-state="…"> holds a still picture. When it comes
// near the window, the module (the very one that JupyterLab runs) and the state are loaded, and
// the living explorer takes the picture's place. Both come as classic scripts that call
// explorerPart(name, value), because a page that is opened from the disk may load nothing else.
//
// What the reader changed stands in the page's address, #ID.trait=value&…, with the figures' ids; an
// anchor of the page that was there stays in front. Such an address shows what its sender saw.

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

  const FIGURES = "figure.explorer[data-state]";
  const MANY = 32; // numbers of a list that is not too long for an address
  const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;
  const changes = new Map(); // by a figure's id: its changed traits, name -> text

  // A trait as it stands in an address; undefined where it does not. A text is one of a few that the
  // limits name.
  function textOf(value, limits) {
    if (typeof value === "string") return limits?.includes(value) ? value : undefined;
    const written = (v) => String(Number(v.toPrecision(5)));
    const isList = Array.isArray(value) && value.length <= MANY;
    if (isList && value.every(Number.isFinite)) return value.map(written).join();
    if (typeof value === "boolean") return String(value);
    return Number.isFinite(value) ? written(value) : undefined;
  }

  // The trait's value as an address has it: anybody can write one. Undefined where it is not of the
  // kind of the value that the explorer begins with, or leaves the limits that its spec gives.
  function valueFrom(text, first, limits, whole) {
    if (typeof first === "boolean") return [false, true].find((value) => String(value) === text);
    if (typeof first === "string") return limits.find((value) => value === text);
    const numbers = text.split(",").map((part) => (NUMBER.test(part) ? Number(part) : Number.NaN));
    const [low, high] = limits ?? [-Number.MAX_VALUE, Number.MAX_VALUE];
    if (!numbers.every((v) => low <= v && v <= high)) return undefined;
    if (Array.isArray(first)) return numbers.length === first.length ? numbers : undefined;
    if (numbers.length > 1 || (whole && !Number.isInteger(numbers[0]))) return undefined;
    return numbers[0];
  }

  // Take the figures' traits out of the address; the first figure that it names.
  function readAddress() {
    const named = new Map();
    for (const [key, text] of new URLSearchParams(location.hash.slice(1))) {
      const dot = key.lastIndexOf(".");
      const figure = document.getElementById(key.slice(0, Math.max(dot, 0)));
      if (!figure?.matches(FIGURES)) continue;
      if (!named.has(figure)) named.set(figure, new Map());
      named.get(figure).set(key.slice(dot + 1), text);
    }
    for (const [figure, texts] of named) changes.set(figure.id, texts);
    return [...named.keys()];
  }

  function partOfAddress(id) {
    return [...(changes.get(id) ?? [])].map(([name, text]) => `${id}.${name}=${text}`).join("&");
  }

  function writeAddress() {
    const anchor = location.hash.slice(1).split("&")[0];
    const parts = [anchor.includes("=") ? "" : anchor, ...[...changes.keys()].map(partOfAddress)];
    const hash = parts.filter(Boolean).join("&");
    try {
      history.replaceState(
        history.state,
        "",
        hash ? `#${hash}` : location.pathname + location.search,
      );
    } catch (error) {
      console.debug("explorer: no address to write to", error); // as in a frame without one
    }
  }

  // The explorer's traits that an address can hold, as texts, and how the address sets and gets them.
  function sharing(id, state) {
    const texts = (all) => new Map([...all].flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
    const { limits, whole } = state.spec;
    const now = (name) => textOf(state[name], limits[name]);
    const first = texts(Object.keys(state).map((name) => [name, now(name)]));
    const values = new Map([...first.keys()].map((name) => [name, state[name]]));
    function restore(set) {
      for (const [name, value] of values) {
        const text = changes.get(id)?.get(name) ?? first.get(name);
        const wanted = valueFrom(text, value, limits[name], whole.includes(name));
        if (wanted !== undefined && now(name) !== text) set(name, wanted);
      }
    }
    function save() {
      const all = [...first.keys()].map((name) => [name, now(name)]);
      changes.set(id, texts(all.filter(([name, text]) => text !== first.get(name))));
      writeAddress();
    }
    const link = () => `${location.href.split("#")[0]}#${partOfAddress(id) || id}`;
    return { restore, save, link };
  }

  // What an explorer asks of JupyterLab's model. There is no kernel to save to or to ask.
  function standIn(state) {
    const handlers = [];
    function tell(event) {
      for (const [one, handler] of [...handlers]) if (one === event) handler();
    }
    return {
      get: (name) => state[name],
      set(name, value) {
        state[name] = value;
        tell(`change:${name}`);
      },
      on: (event, handler) => handlers.push([event, handler]),
      off(event, handler) {
        const place = handlers.findIndex(([e, h]) => e === event && h === handler);
        if (place >= 0) handlers.splice(place, 1);
      },
      save_changes: () => tell("save"),
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
    const shared = sharing(figure.id, state);
    if (figure.id) shared.restore((name, value) => (state[name] = value));
    const model = standIn(state);
    if (figure.id) {
      model.on("save", shared.save);
      el.shareLink = shared.link;
    }
    const end = await view.render({ model, el });
    figure.explorer = { model, end, restore: () => shared.restore(model.set) }; // for other scripts
    for (const node of still) node.remove();
    figure.dataset.alive = "";
  }

  // Once, whoever asks first; where it fails the picture stays.
  function alive(figure) {
    watch.unobserve(figure);
    showing.set(
      figure,
      showing.get(figure) ?? show(figure).catch((error) => console.error("explorer:", error)),
    );
    return showing.get(figure);
  }
  const showing = new Map();
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) alive(target);
    },
    { rootMargin: "300px" },
  );
  // Show what the address names, as the explorer that comes alive may be of another height.
  async function follow() {
    const figures = readAddress();
    for (const figure of figures) figure.explorer?.restore();
    const anchor = location.hash.slice(1).split("&")[0];
    if (!figures.length) return;
    if (!anchor.includes("=")) return document.getElementById(anchor)?.scrollIntoView();
    const [first] = figures;
    first.scrollIntoView();
    await alive(first);
    first.scrollIntoView();
  }

  const start = () => {
    for (const figure of document.querySelectorAll(FIGURES)) watch.observe(figure);
    follow();
    addEventListener("hashchange", follow);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
