/**
 * Models in the page: one worker for all of them, begun with the first, and one for those that the graphics processor
 * runs; what they cannot do is an Error with one sentence.
 *
 * @import { Model, Models, Network, Progress } from "./demo.js"
 * @import { Rival } from "./graphics.js"
 */

import { Asker } from "./asking.js";
import { Hastened, isThere } from "./graphics.js";

/** @type {Map<string, Promise<Model>>} */
const loading = new Map();
const asker = new Asker(
  new URL("./worker.js", import.meta.url),
  "Models need a newer browser: this one could not start the script that runs them.",
  () => loading.clear(),
);
const graphics = new Asker(
  new URL("./worker.js?graphics", import.meta.url),
  "This browser could not start the script that runs models on the graphics processor.",
);

/** @param {Asker} worker @param {string} name @param {Progress} [onProgress] @returns {Promise<Network>} */
async function runBy(worker, name, onProgress) {
  const folder = new URL("../models/", import.meta.url).href;
  const { signature } = await worker.ask("load", { name, folder }, { onProgress });
  return {
    signature,
    run(inputs, { give = false } = {}) {
      const buffers = give ? Object.values(inputs).map(({ data }) => data.buffer) : [];
      return worker.ask("run", { name, folder, inputs }, { give: buffers });
    },
  };
}

/** A model on the graphics processor. @param {string} name @returns {Promise<Rival>} */
export const onGraphics = async (name) => ({ ...(await runBy(graphics, name)), end: () => graphics.end() });

/** @param {string} name @param {Progress} [onProgress] @returns {Promise<Model>} */
async function load(name, onProgress) {
  const rival = async () => ((await isThere()) ? onGraphics(name) : undefined);
  return new Hastened(await runBy(asker, name, onProgress), rival);
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
