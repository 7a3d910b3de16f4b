/**
 * The laboratory's experiments: what the page's links and its button set up, and what the record in
 * `book/laboratory.json` was measured from (`tools/laboratory.js`).
 */

import { DEFAULTS } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {{ runs: Partial<Settings>[], steps: number }} Experiment */

/** The generator learns ten times faster than the discriminator. @type {Partial<Settings>} */
export const COLLAPSE = { generatorRate: 0.005, criticRate: 0.0005 };

/** @type {Record<string, Experiment>} */
export const EXPERIMENTS = {
  ring: { runs: [{}], steps: 1500 },
  collapse: { runs: [COLLAPSE], steps: 1500 },
};

/** @param {Partial<Settings>} changes @returns {Settings} */
export function set(changes) {
  return { ...DEFAULTS, ...changes };
}
