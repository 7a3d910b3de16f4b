/**
 * Training steps a second of the page's laboratory, by processor time of one core: `.venv/bin/node benchmarks/laboratory.js`.
 *
 * Time of the processor and not of the clock, so that a busy machine gives the same answer. Measured are the sizes that
 * the page begins with, and the package's own (`companion.models.mlp`): width 128, 16 latents, 256 points in a batch.
 */

import { cpuUsage } from "node:process";
import { Game } from "../book/live/lab/game.js";
import { OBJECTIVES } from "../book/live/lab/objectives.js";
import { DEFAULTS } from "../book/live/lab/settings.js";

const SECONDS = Number(process.env.SECONDS ?? 1);
const WARM = 20; // steps before the clock is looked at
const PACKAGE = { width: 128, criticWidth: 128, latents: 16, batch: 256 };

/** @param {import("../book/live/lab/settings.js").Settings} settings */
function stepsPerSecond(settings) {
  const game = new Game(settings);
  for (let step = 0; step < WARM; step++) game.advanceStep();
  const before = cpuUsage();
  let seconds = 0;
  let steps = 0;
  while (seconds < SECONDS) {
    game.advanceStep();
    steps++;
    const { user, system } = cpuUsage(before);
    seconds = (user + system) / 1e6;
  }
  return steps / seconds;
}

console.log("| the laboratory, steps a second of one core | critic's turns | page's sizes | package's sizes |");
console.log("| --- | --- | --- | --- |");
for (const [name, objective] of Object.entries(OBJECTIVES)) {
  const { criticSteps } = objective;
  const settings = { ...DEFAULTS, objective: /** @type {keyof typeof OBJECTIVES} */ (name), criticSteps };
  const [page, full] = [settings, { ...settings, ...PACKAGE }].map((each) => stepsPerSecond(each).toFixed(0));
  console.log(`| ${objective.name} | ${criticSteps} | ${page} | ${full} |`);
}
