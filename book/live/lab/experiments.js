/**
 * The laboratory's experiments: what the page's links set up, and what `tools/laboratory.js` measures over many seeds
 * for the numbers that the page gives.
 */

import { DEFAULTS, toFragment } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./settings.js").Run} Run */
/** @typedef {import("./settings.js").Extra} Extra */
/**
 * @typedef {object} Experiment
 * @property {Partial<Settings>[]} runs what they change about the laboratory's own settings
 * @property {number} alone turns of the critic before the game begins; the link plays them
 * @property {number} steps after which it is measured
 * @property {number} seeds how many, from 1
 * @property {Extra[]} show
 */

/** The generator learns ten times faster than the discriminator. @type {Partial<Settings>} */
export const COLLAPSE = { generatorRate: 0.005, criticRate: 0.0005 };

/** @type {Record<string, Experiment>} */
export const EXPERIMENTS = {
  ring: { runs: [{}], alone: 0, steps: 1500, seeds: 10, show: [] },
  collapse: { runs: [COLLAPSE], alone: 0, steps: 1500, seeds: 20, show: [] },
  silence: {
    runs: [{ objective: "minimax" }, { objective: "nonsaturating" }],
    alone: 300,
    steps: 0,
    seeds: 20,
    show: ["pushes"],
  },
  walls: {
    runs: [
      { objective: "clipped", criticSteps: 5, clip: 0.1 },
      { objective: "twosided", criticSteps: 5 },
    ],
    alone: 0,
    steps: 400,
    seeds: 10,
    show: [],
  },
};

/** @param {Partial<Settings>} changes @returns {Settings} */
export function set(changes) {
  return { ...DEFAULTS, ...changes };
}

/** The runs as they stand before the reader presses anything. @param {Experiment} experiment @param {number} [seed] @returns {Run[]} */
export function prepared({ runs, alone }, seed = DEFAULTS.seed) {
  /** @type {import("./settings.js").Event[]} */
  const events = alone > 0 ? [{ turn: 0, name: "critic", value: alone }] : [];
  return runs.map((changes) => ({ settings: set({ ...changes, seed }), events, turn: alone }));
}

/** What its link on the page says. @param {Experiment} experiment */
export function link(experiment) {
  return `#${toFragment(prepared(experiment), experiment.show)}`;
}
