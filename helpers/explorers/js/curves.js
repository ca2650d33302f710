// The losses of a run against the step, with marks where something was changed; thinned as it grows.

import { sayChange } from "./play_changes.js";

const MOST = 400;
const MARKS = 30;

export function createCurves() {
  let points = []; // { steps, likelihood, training: { reconstruction, kl }, held: the same }
  let marks = []; // { steps, text, settings }
  let begun = null; // the settings of the first step
  let sums = { count: 0, reconstruction: 0, kl: 0 };

  function learn({ reconstruction, kl }) {
    sums.count += 1;
    sums.reconstruction += reconstruction;
    sums.kl += kl ?? 0;
  }

  // A point of the curves: the training losses' means since the last one. A second look at the same
  // step takes its place, and keeps its means.
  function point(steps, likelihood, held) {
    const before = points.at(-1)?.steps === steps ? points.pop() : null;
    const kept = before?.likelihood === likelihood ? before?.training : null;
    const of = (name) => (sums.count ? sums[name] / sums.count : (kept?.[name] ?? null));
    const training = { reconstruction: of("reconstruction"), kl: of("kl") };
    points.push({ steps, likelihood, training, held });
    forget();
    if (points.length > MOST) points = points.filter((_, i) => i % 2 === (points.length - 1) % 2);
  }

  // Losses of another kind are not added to those before.
  function forget() {
    sums = { count: 0, reconstruction: 0, kl: 0 };
  }

  // A step is taken with these settings: where others held before, that is marked, whatever was tried
  // in between.
  function train(steps, settings) {
    begun ??= settings;
    if (!sayChange(marks.at(-1)?.settings ?? begun, settings)) return;
    forget();
    if (marks.at(-1)?.steps === steps) marks.pop();
    const text = sayChange(marks.at(-1)?.settings ?? begun, settings);
    if (text) marks.push({ steps, text, settings });
    if (marks.length > MARKS) begun = marks.shift().settings;
  }

  function cut(steps) {
    points = points.filter((one) => one.steps <= steps);
    marks = marks.filter((one) => one.steps <= steps);
    forget();
  }
  return { learn, point, train, cut, all: () => ({ points, marks }) };
}
