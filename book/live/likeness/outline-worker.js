/** Outlines hair in a thread of its own, so that the page never waits for it. */

import { hairSeen } from "./outlining.js";

addEventListener("message", ({ data: { id, asked } }) => {
  const found = hairSeen(.../** @type {Parameters<typeof hairSeen>} */ (asked));
  postMessage({ id, found });
});
