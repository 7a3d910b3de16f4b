/**
 * Runs ONNX models, away from the page's own thread. It is told `load` and `run` by models.js.
 *
 * Models run on the processor (WebAssembly with SIMD, one thread): a page that another site serves cannot ask for the
 * headers that threads need.
 *
 * @import { Tensor } from "./demo.js"
 */

import { fetched, mega } from "./fetching.js";

const RUNTIME = new URL("../../vendor/onnxruntime/", import.meta.url).href;

/** @type {Promise<any> | undefined} */
let runtime;
/** @type {Map<string, any>} */
const sessions = new Map();

/** @typedef {(part: number, words: string) => void} OnProgress */

/** @param {OnProgress} onProgress */
async function begun(onProgress) {
  if (typeof WebAssembly !== "object") {
    throw new Error("This needs WebAssembly, which this browser lacks or has switched off.");
  }
  const program = "The program that runs models";
  const ort = await import(`${RUNTIME}ort.wasm.min.mjs`).catch(() => {
    throw new Error(`${program} could not be fetched. Try again, or load the page anew.`);
  });
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = RUNTIME;
  ort.env.wasm.wasmBinary = await fetched(`${RUNTIME}ort-wasm-simd-threaded.wasm`, program, {
    onProgress: (come, all) =>
      onProgress(all ? come / all : 0, all ? `${mega(come)} of ${mega(all)} MB` : `${mega(come)} MB`),
  });
  return ort;
}

/** @param {{ name: string, folder: string }} about @param {OnProgress} onProgress */
async function load({ name, folder }, onProgress) {
  runtime ??= begun(onProgress);
  runtime.catch(() => {
    runtime = undefined; // the next touch tries again
  });
  const what = `The model ${name}`;
  const [ort, bytes, signature] = await Promise.all([
    runtime,
    fetched(`${folder}${name}.onnx`, what),
    fetched(`${folder}${name}.json`, what),
  ]);
  onProgress(1, "ready in a moment");
  sessions.set(name, await ort.InferenceSession.create(bytes));
  return { answer: { signature: JSON.parse(new TextDecoder().decode(signature)) }, give: [] };
}

/** @param {{ name: string, inputs: Record<string, Tensor> }} about */
async function run({ name, inputs }) {
  const ort = await runtime;
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([key, { data, shape }]) => [key, new ort.Tensor("float32", data, shape)]),
  );
  const found = await sessions.get(name).run(feeds);
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
