// A network that only the kernel can run.

import { floats } from "./common.js";

export const PATIENCE = 5000; // milliseconds; an answer that takes longer was lost, as by Stop in the kernel

// One request is under way at a time; of those that come meanwhile the newest waits, so that the
// last one is always answered. Where an answer was lost, the next request goes all the same.
export function remote(model, kind) {
  const name = `${kind}-${Math.random()}`;
  let count = 0;
  let sent = null;
  let waiting = null;
  let timer = 0;
  function send() {
    clearTimeout(timer);
    timer = setTimeout(() => waiting && send(), PATIENCE);
    [sent, waiting] = [waiting, null];
    sent.id = `${name}-${count++}`;
    sent.at = performance.now();
    try {
      model.send({ kind, id: sent.id, values: Array.from(sent.values) });
    } catch (error) {
      console.debug("latent explorer: no kernel to ask", error);
      sent = null;
    }
  }
  function receive(message, buffers) {
    if (!sent || message.id !== sent.id) return;
    const { then } = sent;
    sent = null;
    if (waiting) send();
    then(floats(buffers[0]));
  }
  function run(values, then) {
    waiting = { values: values.slice(), then };
    if (!sent || performance.now() - sent.at > PATIENCE) send();
  }
  model.on("msg:custom", receive);
  function stop() {
    clearTimeout(timer);
    model.off("msg:custom", receive);
  }
  return { run, stop };
}
