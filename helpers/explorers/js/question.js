// The view of helpers.explorers.Question: see question.py and common.js.
//
// The answer is unsealed when the reader commits, and only then stands in the page.

import { button, element, follow, group, mount } from "./common.js";

export default { render };

// What question.py sealed: { answer, whys }.
function unsealed(sealed) {
  return JSON.parse(
    new TextDecoder().decode(Uint8Array.from(atob(sealed), (c) => c.charCodeAt(0))),
  );
}

// Whether the reply, an option's place, is right; and why.
function verdict(sealed, reply) {
  const { answer, whys } = unsealed(sealed);
  return { right: reply === answer, why: whys[reply] };
}

// Text, and code where it stands between backticks; never markup.
function written(node, text) {
  const pieces = text.split(/`([^`]+)`/);
  node.append(
    ...pieces.map((piece, i) => (i % 2 ? element("code", { textContent: piece }) : piece)),
  );
  return node;
}

function render({ model, el }) {
  const spec = model.get("spec");
  const root = group("question", "Question", CSS);
  const field = element("fieldset");
  field.append(written(element("legend"), spec.text));
  const input = radios(field, spec.options, change);
  const actions = element("div", { className: "controls" });
  button(actions, "Check my answer", commit);
  const result = element("div", { className: "verdict" });
  result.setAttribute("role", "status");
  root.append(field, actions, result);
  mount(root, el);

  // A new choice takes the old verdict away: the reader commits again.
  function change() {
    result.replaceChildren();
    delete root.dataset.right;
  }

  function commit() {
    const reply = input.read();
    if (reply === undefined) {
      change();
      result.append(element("p", { textContent: input.missing }));
      return;
    }
    view.set("reply", reply);
    view.release();
    tell(reply);
  }

  function tell(reply) {
    const { right, why } = verdict(model.get("sealed"), reply);
    root.dataset.right = right;
    const word = element("strong", { textContent: right ? "✓ Right. " : "✗ Not right. " });
    const text = element("p");
    text.append(word);
    result.replaceChildren(written(text, why));
  }

  let shown; // a reply that came from another view of this question, or from Python
  function draw(get) {
    const reply = get("reply");
    if (reply === shown) return;
    shown = reply;
    if (reply === null) change();
    else tell(reply);
    input.show(reply);
  }

  const view = follow(model, ["reply"], draw);
  return () => {
    view.stop();
    root.remove();
  };
}

function radios(parent, options, change) {
  // The buttons of one question share a name, and no other question on the page has it.
  const name = `question-${Math.random().toString(36).slice(2)}`;
  const inputs = options.map((text, i) => {
    const label = element("label", { className: "option" });
    const radio = element("input", { type: "radio", name, value: i });
    radio.addEventListener("change", change);
    label.append(radio, written(element("span"), text));
    parent.append(label);
    return radio;
  });
  return {
    missing: "Choose one of them first.",
    read() {
      const place = inputs.findIndex(({ checked }) => checked);
      return place < 0 ? undefined : place;
    },
    show: (reply) =>
      inputs.forEach((radio, i) => {
        radio.checked = i === reply;
      }),
  };
}

const CSS = `
.question { max-width: 720px; font-size: 15px; border-left: 5px solid var(--accent); }
.question fieldset { min-width: 0; margin: 0; padding: 0; border: 0; }
.question legend { padding: 0; margin-bottom: 6px; color: var(--ink); font: inherit; font-weight: 600; }
.question .option {
  display: flex; gap: 10px; align-items: center; min-height: 32px; padding: 2px 0; cursor: pointer;
}
.question input { width: 18px; height: 18px; flex: none; }
.question code {
  padding: 0 3px; border-radius: 3px; color: inherit; background: var(--jp-layout-color2, ButtonFace);
  font-family: var(--jp-code-font-family, monospace);
}
.question .verdict { min-height: 1.5em; }
.question .verdict p { padding: 8px 12px; border: 1px solid var(--line); border-radius: 4px; }
.question[data-right] .verdict p { border-width: 2px; }
.question[data-right=true] .verdict p { border-color: #009e73; }
.question[data-right=false] .verdict p { border-color: #d55e00; }
`;
