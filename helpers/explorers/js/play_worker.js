// The worker of the playground: made from a Blob of base.script, so that it runs from the disk, too.

import { createSession } from "./session.js";

const SLICE = 15; // milliseconds of training between two looks at the messages

const channel = new MessageChannel(); // setTimeout would wait for four milliseconds
let next = null;
channel.port1.onmessage = () => next();
function later(work) {
  next = work;
  channel.port2.postMessage(null);
}

export const handle = createSession((message) => self.postMessage(message), later, SLICE);
self.onmessage = ({ data }) => handle(data);
