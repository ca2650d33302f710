// Six things to try, each with what to watch and the notebook that explains it.

import { button, element, setText } from "./common.js";

const VAE = { variational: true, gradient: 0, likelihood: 0, beta: 1 };
const LESSONS = [
  {
    name: "Autoencoder",
    traits: { ...VAE, variational: false },
    watch:
      "The codes go where they like, and no draw of N(0, I) need fall among them: some digits " +
      "come back, but many samples are none.",
    notebook: "02",
  },
  {
    name: "VAE",
    traits: VAE,
    watch:
      "The codes gather in one cloud in and around the circles, and the samples become digits.",
    notebook: "05",
  },
  {
    name: "Gradient blocked",
    traits: { ...VAE, gradient: 2 },
    watch:
      "Nothing of the reconstruction reaches the encoder: the KL falls to 0, all codes meet at 0, " +
      "and every digit comes back as the same blot.",
    notebook: "03",
  },
  {
    name: "β = 0",
    traits: { ...VAE, beta: 0 },
    watch:
      "Nothing draws q(z|x) to the prior: the KL grows, the ellipses shrink, and the codes leave " +
      "the circles.",
    notebook: "05",
  },
  {
    name: "β = 10",
    traits: { ...VAE, beta: 10 },
    watch:
      "Each nat of KL now costs ten: few are spent, the ellipses overlap, and different digits " +
      "come back alike.",
    notebook: "05",
  },
  {
    name: "Mean of squares",
    traits: { ...VAE, likelihood: 2 },
    watch:
      "A mean over the pixels makes the error hundreds of times smaller than their sum: the KL " +
      "outweighs it and falls to 0, and all digits come back as one.",
    notebook: "05",
  },
];

export function createLessons(act) {
  const node = element("section", { className: "panel lessons-panel" });
  node.setAttribute("aria-label", "Lessons");
  const row = element("div", { className: "controls" });
  row.append(element("span", { className: "title", textContent: "Try:" }));
  const text = element("p", { className: "watch" });
  text.setAttribute("aria-live", "polite");
  text.textContent = "Each begins anew and runs. Then change anything while it trains.";
  for (const [i, { name, traits, watch, notebook }] of LESSONS.entries()) {
    const teach = () => {
      setText(text, `${watch} Notebook ${notebook} explains it.`);
      act.teach(traits);
    };
    button(row, name, teach, `lesson-${i + 1}`);
  }
  node.append(row, text);
  return { node };
}
