"""The playground's trainer against TensorFlow.js, on the same networks, digits and batches.

    .venv/bin/python -m benchmarks.playground     (or `make bench-playground`)

Both train 784-128-2-128-784 at batch 64 with Adam in one Chromium, one after the other, in three
rounds. TensorFlow.js is fetched from npm for this, and never shipped; its page is isolated, so that
its WebAssembly may use threads. Read the ratios: the machine shares its cores with others.
"""

import subprocess
import tempfile
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread

from playwright.sync_api import sync_playwright

from helpers.data import load_images
from helpers.explorers import Playground
from helpers.explorers.base import JS
from tests.browser import CHROMIUM_ARGS, Quiet, find_chromium

VERSION = "4.22.0"
PACKAGES = ("tfjs", "tfjs-backend-wasm")
ROUNDS, SECONDS = 3, 8
PEER = """
async ([backend, seconds]) => {
  tf.wasm.setWasmPaths("/node_modules/@tensorflow/tfjs-backend-wasm/dist/");
  await tf.setBackend(backend);
  await tf.ready();
  const start = (inputs, outputs) => tf.variable(
    tf.randomUniform([inputs, outputs], -1 / Math.sqrt(inputs), 1 / Math.sqrt(inputs)));
  const sizes = [[784, 128], [128, 4], [2, 128], [128, 784]];
  const w = sizes.map(([i, o]) => start(i, o));
  const b = sizes.map(([, o]) => tf.variable(tf.zeros([o])));
  const layer = (x, k) => tf.add(tf.matMul(x, w[k]), b[k]);
  const adam = tf.train.adam(3e-3);
  const digits = tf.tensor2d(Float32Array.from(pixels, (v) => v / 255), [2000, 784]);
  const loss = (x) => () => {
    const [mu, logvar] = tf.split(layer(tf.relu(layer(x, 0)), 1), 2, 1);
    const z = tf.add(mu, tf.mul(tf.exp(tf.div(logvar, 2)), tf.randomNormal([64, 2])));
    const l = layer(tf.relu(layer(z, 2)), 3);
    const softplus = tf.add(tf.relu(l), tf.log1p(tf.exp(tf.neg(tf.abs(l)))));
    const kl = tf.div(tf.sub(tf.sub(tf.add(tf.square(mu), tf.exp(logvar)), logvar), 1), 2);
    return tf.div(tf.add(tf.sum(tf.sub(softplus, tf.mul(x, l))), tf.sum(kl)), 64);
  };
  let order = [];
  function step() {
    if (order.length < 64) order = Array.from(tf.util.createShuffledIndices(2000));
    const rows = tf.tensor1d(order.splice(0, 64), "int32");
    tf.tidy(() => { adam.minimize(loss(tf.gather(digits, rows))); });
    rows.dispose();
  }
  for (let k = 0; k < 5; k++) step();
  await w[0].data();
  const begin = performance.now();
  let steps = 0;
  while (performance.now() - begin < 1000 * seconds) {
    step();
    steps += 1;
    if (steps % 10 === 0) await w[0].data(); // what was asked for is done
  }
  await w[0].data();
  return (1000 * steps) / (performance.now() - begin);
}
"""
WORKER = """
import { createTrainer } from "/js/trainer.js";
onmessage = ({ data: { pixels, seconds } }) => {
  const trainer = createTrainer({
    pixels, training: 2000, size: 784,
    heldNoise: new Float32Array(1000), priorNoise: new Float32Array(40),
  });
  const how = { gradient: "reparameterized", likelihood: "bernoulli" };
  const settings = { variational: true, beta: 1, ...how };
  trainer.reset(0, 128);
  for (let k = 0; k < 20; k++) trainer.next(settings);
  const begin = performance.now();
  let steps = 0;
  for (; performance.now() - begin < 1000 * seconds; steps++) trainer.next(settings);
  postMessage((1000 * steps) / (performance.now() - begin));
};
"""
ALONE = """
([source, seconds]) => new Promise((resolve) => {
  const code = source.replace("/js/", `${location.origin}/js/`);
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
  worker.postMessage({ pixels, seconds });
})
"""
# Steps and frames a second, and the milliseconds from a change of beta to the frame that shows it.
LIVE = """
async (seconds) => {
  const text = (name) => document.querySelector(`[data-value=${name}]`).textContent;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
  document.querySelector("[data-role=run]").click();
  await wait(2000);
  const [begin, first] = [performance.now(), Number(text("steps"))];
  const answers = [];
  const beta = document.querySelector("[data-role=beta]");
  let frames = 0;
  let next = begin + 500;
  while (performance.now() - begin < 1000 * seconds) {
    await frame();
    frames += 1;
    if (performance.now() < next) continue;
    next += 500;
    const from = performance.now();
    beta.value = answers.length % 2 ? 1 : 1.1;
    beta.dispatchEvent(new Event("input"));
    const output = beta.parentElement.querySelector("output");
    while (Number(output.textContent) !== beta.valueAsNumber) await frame();
    answers.push(performance.now() - from);
  }
  const spent = (performance.now() - begin) / 1000;
  const steps = (Number(text("steps")) - first) / spent;
  document.querySelector("[data-role=run]").click();
  answers.sort((a, b) => a - b);
  return { steps, frames: frames / spent, answer: answers[Math.floor(0.95 * answers.length)] };
}
"""
# From "run" with fresh weights: the held-out losses after ten seconds.
QUALITY = """
async () => {
  document.querySelector("[data-role=lesson-2]").click();
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  document.querySelector("[data-role=run]").click();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const names = ["steps", "reconstruction", "kl"];
  return names.map((name) => Number(document.querySelector(`[data-value=${name}]`).textContent));
}
"""


class Isolated(Quiet):
    """Files with the headers that let a page use threads; the explorers' modules under /js."""

    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def translate_path(self, path):
        if path.startswith("/js/"):
            return str(JS / path.removeprefix("/js/"))
        return super().translate_path(path)


def prepare(folder: Path, playground: Playground) -> None:
    names = [f"@tensorflow/{name}@{VERSION}" for name in PACKAGES]
    command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder)]
    subprocess.run([*command, *names], check=True)
    scripts = ("tfjs/dist/tf.min.js", "tfjs-backend-wasm/dist/tf-backend-wasm.min.js")
    tags = "".join(f'<script src="/node_modules/@tensorflow/{s}"></script>' for s in scripts)
    (folder / "peer.html").write_text(f"<!doctype html>{tags}")
    (folder / "alone.html").write_text("<!doctype html>")
    (folder / "pixels").write_bytes(playground.images)
    playground.to_html(folder / "playground.html")


def opened(browser, address: str):
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.goto(address)
    return page


def with_pixels(browser, address: str, name: str):
    page = opened(browser, address + name)
    load = "async () => new Uint8Array(await (await fetch('/pixels')).arrayBuffer())"
    page.evaluate(f"({load})().then((all) => globalThis.pixels = all.subarray(0, 2500 * 784))")
    return page


def peer(browser, address: str, backend: str) -> float:
    page = with_pixels(browser, address, "peer.html")
    page.evaluate("() => { pixels = pixels.subarray(0, 2000 * 784) }")
    rate = page.evaluate(PEER, [backend, SECONDS])
    page.close()
    return rate


def alone(browser, address: str) -> float:
    page = with_pixels(browser, address, "alone.html")
    rate = page.evaluate(ALONE, [WORKER, SECONDS])
    page.close()
    return rate


def live(browser, address: str) -> tuple[dict, list[float]]:
    page = opened(browser, address + "playground.html")
    page.locator(".playground[data-steps]").wait_for()
    measured, reached = page.evaluate(LIVE, SECONDS), page.evaluate(QUALITY)
    page.close()
    return measured, reached


def main() -> None:
    playground = Playground(load_images())
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        prepare(Path(name), playground)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Isolated, directory=name))
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        args = [arg for arg in CHROMIUM_ARGS if arg != "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=args)
        rates = {name: [] for name in ("wasm", "webgl", "cpu", "trainer", "live")}
        for number in range(1, ROUNDS + 1):
            for backend in ("wasm", "webgl", "cpu"):
                rates[backend].append(peer(browser, address, backend))
            rates["trainer"].append(alone(browser, address))
            measured, (steps, reconstruction, kl) = live(browser, address)
            rates["live"].append(measured["steps"])
            print(
                f"round {number}: {measured['frames']:.0f} frames a second, a control answers in "
                f"{measured['answer']:.0f} ms (95 of 100); after 10 s {steps:.0f} steps, "
                f"reconstruction {reconstruction:.1f}, KL {kl:.2f} nats",
                flush=True,
            )
        browser.close()
        server.shutdown()
    best = max(median(rates[backend]) for backend in ("wasm", "webgl", "cpu"))
    for name, values in rates.items():
        middle = median(values)
        low, high = min(values), max(values)
        print(f"{name}: {middle:.1f} steps a second ({low:.1f} to {high:.1f}), {middle / best:.2f}")


if __name__ == "__main__":
    main()
