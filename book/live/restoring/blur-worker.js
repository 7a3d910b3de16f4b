/**
 * Looks for blurs away from the page's own thread. It is asked for a `kernel` of one size, or to `weigh` several, by
 * finder.js.
 */

import { blindKernel } from "./blind.js";
import { evidence } from "./likelihood.js";

self.addEventListener("message", ({ data: { id, task, picture, size, kernels, freedom } }) => {
  const onProgress = (/** @type {number} */ part) => postMessage({ id, progress: { part, words: "" } });
  try {
    const answer = task === "kernel" ? blindKernel(picture, size, onProgress) : evidence(picture, kernels, freedom);
    postMessage({ id, answer });
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
