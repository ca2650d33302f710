// Where the playground trains: in a worker, or, where a page may not have one, in slices here.

import { createSession } from "./session.js";

const SLICE = 8; // milliseconds between two frames, about

// `receive` gets the session's messages; `lost` is called where a worker that was alive fails.
export function createEngine(source, receive, lost) {
  let told = []; // what a session here must be told, until a worker has answered
  let session = null;
  let worker = null;
  let timer = 0;
  let ended = false;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));

  function here() {
    if (ended || session) return;
    worker?.terminate();
    worker = null;
    const later = (work) => (timer = setTimeout(work, 0));
    session = createSession((message) => ended || receive(message), later, SLICE);
    for (const message of told) session(message);
    told = null;
  }

  try {
    worker = new Worker(url);
    worker.onmessage = ({ data }) => {
      told = null;
      receive(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (ended) return; // it fails once more: its messages were under way
      if (told) here();
      else lost();
    };
  } catch (error) {
    console.debug("playground: no worker here", error);
    here();
  }

  function send(message) {
    told?.push(message);
    if (session) session(message);
    else worker.postMessage(message);
  }

  function end() {
    ended = true;
    clearTimeout(timer);
    worker?.terminate();
    URL.revokeObjectURL(url);
  }
  return { send, end };
}
