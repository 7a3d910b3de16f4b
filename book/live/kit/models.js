/**
 * Models in the page: one worker for all of them, begun with the first; what it cannot do is an Error with one sentence.
 *
 * @import { Model, Models, Progress, Tensor } from "./demo.js"
 */

/** @typedef {{ done: (answer: any) => void, failed: (error: Error) => void, onProgress?: Progress }} Asked */

/** @type {Worker | undefined} */
let worker;
let number = 0;
/** @type {Map<number, Asked>} */
const asked = new Map();
/** @type {Map<string, Promise<Model>>} */
const loading = new Map();

/** @param {Error} error */
function allFailed(error) {
  for (const { failed } of asked.values()) failed(error);
  asked.clear();
  worker?.terminate();
  worker = undefined;
  loading.clear();
}

function begun() {
  if (worker) return worker;
  worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }) => {
    const one = asked.get(data.id);
    if (!one) return;
    if (data.progress) return one.onProgress?.(data.progress.part, data.progress.words);
    asked.delete(data.id);
    if (data.error) one.failed(new Error(data.error));
    else one.done(data.answer);
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    allFailed(new Error("Models need a newer browser: this one could not start the script that runs them."));
  });
  return worker;
}

/**
 * @param {string} task
 * @param {object} about
 * @param {{ onProgress?: Progress, give?: Transferable[] }} [options]
 * @returns {Promise<any>}
 */
function ask(task, about, { onProgress, give = [] } = {}) {
  return new Promise((done, failed) => {
    const id = ++number;
    asked.set(id, { done, failed, onProgress });
    begun().postMessage({ id, task, ...about }, give);
  });
}

/** @param {string} name @param {Progress} [onProgress] @returns {Promise<Model>} */
async function load(name, onProgress) {
  const folder = new URL("../models/", import.meta.url).href;
  const { signature } = await ask("load", { name, folder }, { onProgress });
  return {
    signature,
    run(inputs, { give = false } = {}) {
      const buffers = give ? Object.values(inputs).map(({ data }) => data.buffer) : [];
      return ask("run", { name, inputs }, { give: buffers });
    },
  };
}

/** @type {Models} */
export const models = {
  load(name, onProgress) {
    const before = loading.get(name);
    if (before) return before;
    const now = load(name, onProgress);
    loading.set(name, now);
    now.catch(() => loading.delete(name)); // the next touch tries again
    return now;
  },
};

/**
 * Run the newest request only: while one is under way, the latest that came waits, those before it are dropped.
 *
 * @template A
 * @param {(request: A) => Promise<void>} work
 * @returns {(request: A) => void}
 */
export function newest(work) {
  let busy = false;
  /** @type {{ request: A } | undefined} */
  let next;
  const go = async () => {
    if (busy) return;
    busy = true;
    try {
      while (next) {
        const { request } = next;
        next = undefined;
        await work(request);
      }
    } finally {
      busy = false;
    }
  };
  return (request) => {
    next = { request };
    go();
  };
}
