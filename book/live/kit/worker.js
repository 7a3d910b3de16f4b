/**
 * Runs ONNX models, away from the page's own thread. It is told `load` and `run` by models.js.
 *
 * Models run on the processor (WebAssembly with SIMD, one thread): a page that another site serves cannot ask for the
 * headers that threads need. A worker begun as `worker.js?graphics` runs them on the graphics processor (WebGPU).
 *
 * @import { Tensor } from "./demo.js"
 * @import { OnProgress } from "./fetching.js"
 */

import { fetched, together } from "./fetching.js";

const RUNTIME = new URL("../../vendor/onnxruntime/", import.meta.url).href;
const PROGRAM = "The program that runs models";
const GRAPHICS = new URL(self.location.href).searchParams.has("graphics");
const { script, program, providers } = GRAPHICS
  ? { script: "ort.jspi.min.mjs", program: "ort-wasm-simd-threaded.jspi.wasm", providers: ["webgpu"] }
  : { script: "ort.wasm.min.mjs", program: "ort-wasm-simd-threaded.wasm", providers: ["wasm"] };
const AGAIN = "Try again, or load the page anew.";
const KEPT = 3; // models in memory: no demo needs more at a time, and a page may have a dozen

/** @type {Promise<any> | undefined} */
let runtime;
/** The last models that were used, the newest at the end, each with the program. @type {Map<string, { session: any, ort: any }>} */
const sessions = new Map();
/** What the runtime does, one thing after the other: nothing is released while it runs. @type {Promise<unknown>} */
let last = Promise.resolve();

/** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
function inTurn(work) {
  const now = last.then(work);
  last = now.catch(() => {});
  return now;
}

/** @param {(come: number, all: number) => void} onProgress */
async function begun(onProgress) {
  if (typeof WebAssembly !== "object") {
    throw new Error("This needs WebAssembly, which this browser lacks or has switched off.");
  }
  const ort = await import(`${RUNTIME}${script}`).catch(() => {
    throw new Error(`${PROGRAM} could not be fetched. ${AGAIN}`);
  });
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = RUNTIME;
  ort.env.wasm.wasmBinary = await fetched(`${RUNTIME}${program}`, PROGRAM, { onProgress });
  return ort;
}

/** @param {{ name: string, folder: string }} about @param {OnProgress} onProgress */
async function load({ name, folder }, onProgress) {
  const [signature, come] = await Promise.all([
    fetched(`${folder}${name}.json`, `The model ${name}`),
    model(name, folder, onProgress),
  ]);
  onProgress(null, "ready in a moment");
  await inTurn(() => begin(name, come));
  return { answer: { signature: JSON.parse(new TextDecoder().decode(signature)) }, give: [] };
}

/** A model's bytes, and the program that runs it. @param {string} name @param {string} folder @param {OnProgress} [onProgress] */
async function model(name, folder, onProgress = () => {}) {
  const download = together(onProgress);
  runtime ??= begun(download());
  runtime.catch(() => {
    runtime = undefined; // the next touch tries again
  });
  const file = fetched(`${folder}${name}.onnx`, `The model ${name}`, { onProgress: download() });
  const [ort, bytes] = await Promise.all([runtime, file]);
  return { ort, bytes };
}

/** Make a model ready, and room for it. @param {string} name @param {{ ort: any, bytes: Uint8Array }} come */
async function begin(name, { ort, bytes }) {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: providers }).catch(
    (/** @type {Error} */ error) => {
      if (!error.message.includes("no available backend")) throw new Error(`The model ${name} came damaged. ${AGAIN}`);
      runtime = undefined;
      throw new Error(`${PROGRAM} could not be started in this browser; it needs WebAssembly with SIMD.`);
    },
  );
  ort.env.wasm.wasmBinary = undefined; // the program runs: its bytes are not wanted any more
  sessions.set(name, { session, ort });
  for (const oldest of [...sessions.keys()].slice(0, -KEPT)) {
    await sessions.get(oldest)?.session.release();
    sessions.delete(oldest);
  }
}

/** @param {{ name: string, folder: string, inputs: Record<string, Tensor> }} about */
async function run({ name, folder, inputs }) {
  const found = await inTurn(async () => {
    if (!sessions.has(name)) await begin(name, await model(name, folder)); // it had made room
    const one = /** @type {{ session: any, ort: any }} */ (sessions.get(name));
    sessions.delete(name);
    sessions.set(name, one); // the newest
    const feeds = Object.entries(inputs).map(([key, { data, shape }]) => [
      key,
      new one.ort.Tensor("float32", data, shape),
    ]);
    return one.session.run(Object.fromEntries(feeds));
  });
  /** @type {Record<string, Tensor>} */
  const answer = {};
  for (const [key, { data, dims }] of Object.entries(found)) answer[key] = { data, shape: [...dims] };
  return { answer, give: [...new Set(Object.values(answer).map(({ data }) => data.buffer))] };
}

self.addEventListener("message", async ({ data: { id, task, ...about } }) => {
  /** @type {OnProgress} */
  const onProgress = (part, words) => postMessage({ id, progress: { part, words } });
  try {
    const { answer, give } = task === "load" ? await load(about, onProgress) : await run(about);
    postMessage({ id, answer }, { transfer: give });
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
