// What every explorer has below it: full screen, and on the site a link to its state.

const LARGEST = 2.4; // how far type and controls grow
// What is tried: a share of the screen's width, and how far they must grow there. A narrower chart is
// also lower.
const TRIES = [
  [1, 1.2],
  [0.85, 1],
  [0.7, 1],
  [1, 0.8], // one whose type grows with its width
];

// `el.shareLink`, where the host gives it, is a function that gives the link.
export function addTools(root, el) {
  const tools = document.createElement("div");
  tools.className = "explorer-tools";
  if (el.shareLink) tools.append(linkButton(el.shareLink));
  if (document.fullscreenEnabled) tools.append(screenButton(root));
  if (tools.hasChildNodes()) root.append(tools);
}

function makeButton(text, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", act);
  return button;
}

function screenButton(root) {
  const isFull = () => document.fullscreenElement === root;
  const button = makeButton("Full screen", () => {
    if (isFull()) document.exitFullscreen();
    else root.requestFullscreen().catch((error) => console.debug("explorer:", error));
  });
  button.dataset.role = "fullscreen";
  let heard = new AbortController(); // what is listened to while it is full
  root.addEventListener("fullscreenchange", () => {
    button.textContent = isFull() ? "Leave full screen" : "Full screen";
    heard.abort();
    heard = new AbortController();
    const options = { capture: true, signal: heard.signal };
    if (isFull()) {
      document.addEventListener("keydown", leave, options);
      window.addEventListener("resize", () => fit(root), options);
    }
    fit(root);
  });
  function leave(event) {
    if (!isFull()) return heard.abort(); // the explorer was removed meanwhile
    if (event.key !== "Escape") return undefined;
    event.preventDefault(); // JupyterLab has uses of its own for it
    event.stopPropagation();
    return document.exitFullscreen();
  }
  return button;
}

// In full screen as large as it may be without scrolling.
function fit(root) {
  const set = (zoom, share) => {
    root.style.zoom = zoom;
    root.style.paddingInline = share < 1 ? `${50 * (1 - share)}%` : "";
  };
  set("", 1);
  if (document.fullscreenElement !== root) return;
  for (const [share, least] of TRIES) {
    for (let zoom = LARGEST; zoom > least - 0.05; zoom -= 0.1) {
      set(zoom.toFixed(1), share);
      if (root.scrollHeight <= root.clientHeight && root.scrollWidth <= root.clientWidth) return;
    }
  }
  set("", 1);
}

function linkButton(link) {
  const button = makeButton("Copy link", async () => {
    const copied = await copy(link());
    button.textContent = copied ? "Copied" : "The link stands in the address bar";
    setTimeout(() => (button.textContent = "Copy link"), 3000);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    console.debug("explorer: no clipboard", error); // not allowed here, or no secure page
    return false;
  }
}

export const TOOLS = `
.explorer-tools {
  display: flex; flex-wrap: wrap; gap: 4px 8px; justify-content: flex-end; align-items: center;
  flex-basis: 100%; grid-column: 1 / -1; margin-top: 8px; font-size: 12px;
}
:fullscreen:has(> .explorer-tools) { overflow: auto; border: 0; border-radius: 0; align-content: safe center; }
`;
