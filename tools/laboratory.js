/**
 * Measures the laboratory's experiments over many seeds: `.venv/bin/node tools/laboratory.js [NAME …]`.
 *
 * Writes `book/laboratory.json`, from which the page's numbers were taken; a test compares the two, and plays one seed of
 * each experiment again. All of it takes some minutes of one core.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { EXPERIMENTS, prepared } from "../book/live/lab/experiments.js";
import { Game } from "../book/live/lab/game.js";

/** @typedef {import("../book/live/lab/settings.js").Run} Run */

const RECORD = new URL("../book/laboratory.json", import.meta.url);
const LATE = 5; // moments at the end over which distances and losses are averaged

/** One seed of one run: what the page speaks of. @param {Run} run @param {number} steps */
export function measured(run, steps) {
  const turns = Game.replay(run);
  let next = turns.next();
  while (!next.done) next = turns.next();
  const game = next.value;
  for (let step = 0; step < steps; step++) game.advanceStep();
  const fakes = game.fakes();
  const pushes = game.pushes(fakes);
  let push = 0;
  for (let i = 0; i < pushes.length; i += 2) push += Math.hypot(pushes[i], pushes[i + 1]);
  const late = game.moments.slice(-LATE);
  const mean = (/** @type {"distance" | "claim" | "criticLoss"} */ name) =>
    late.reduce((sum, moment) => sum + moment[name], 0) / late.length;
  return {
    fingerprint: game.fingerprint(),
    push: rounded((2 * push) / pushes.length),
    slope: rounded(game.slopes(fakes).sort()[fakes.length / 4]),
    ...(game.objective.clips ? { atWalls: rounded(game.shareAtWalls()) } : {}),
    ...(late.length > 0
      ? {
          reached: game.measure().reached,
          most: Math.max(...game.moments.map(({ reached }) => reached)),
          distance: rounded(mean("distance")),
          claim: rounded(mean("claim")),
          criticLoss: rounded(mean("criticLoss")),
          floor: rounded(game.floor()),
        }
      : {}),
  };
}

/** @param {number} number */
function rounded(number) {
  return Number(number.toPrecision(4));
}

/** @returns {Record<string, unknown>} */
function before() {
  try {
    return JSON.parse(readFileSync(RECORD, "utf8"));
  } catch {
    return {};
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const record = before();
  const names = argv.length > 2 ? argv.slice(2) : Object.keys(EXPERIMENTS);
  for (const name of names) {
    const { steps, alone, seeds, runs } = EXPERIMENTS[name];
    /** @type {ReturnType<typeof measured>[][]} */
    const found = runs.map(() => []);
    for (let seed = 1; seed <= seeds; seed++) {
      prepared(EXPERIMENTS[name], seed).forEach((run, place) => {
        found[place].push(measured(run, steps));
      });
      console.log(name, seed, JSON.stringify(found.map((of) => of.at(-1))));
    }
    record[name] = { steps, alone, seeds, runs: runs.map((settings, place) => ({ settings, found: found[place] })) };
    writeFileSync(RECORD, `${JSON.stringify(record, null, 1)}\n`);
  }
}
