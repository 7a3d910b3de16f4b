/** The numbers that the laboratory's page gives: of the record, and the record of today's code. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { measured } from "../../../tools/laboratory.js";
import { EXPERIMENTS, prepared } from "../lab/experiments.js";

/** @typedef {ReturnType<typeof measured>} Found */

const record = JSON.parse(readFileSync(new URL("../../laboratory.json", import.meta.url), "utf8"));
const page = readFileSync(new URL("../../laboratory.md", import.meta.url), "utf8");

/** @param {string} words */
function says(words) {
  assert.ok(page.includes(words), `the page does not say “${words}”`);
}

/** @param {string} name @returns {Found[][]} of each run, each seed's */
function found(name) {
  return record[name].runs.map((/** @type {{ found: Found[] }} */ run) => run.found);
}

test("every experiment was measured as it is set up", () => {
  assert.deepEqual(Object.keys(record).toSorted(), Object.keys(EXPERIMENTS).toSorted());
  for (const [name, { runs, steps, alone, seeds }] of Object.entries(EXPERIMENTS)) {
    const { runs: measuredRuns, ...rest } = record[name];
    assert.deepEqual(rest, { steps, alone, seeds });
    assert.deepEqual(
      measuredRuns.map((/** @type {{ settings: object }} */ run) => run.settings),
      runs,
    );
    for (const of of found(name)) assert.equal(of.length, seeds);
  }
});

for (const name of ["silence", "collapse"]) {
  test(`${name} with the first seed goes today as it is recorded`, () => {
    const { steps } = EXPERIMENTS[name];
    prepared(EXPERIMENTS[name], 1).forEach((run, place) => {
      assert.deepEqual(measured(run, steps), found(name)[place][0]);
    });
  });
}

test("what the page says of the pushes is what was measured", () => {
  const [left, right] = found("silence");
  const ratios = left.map(({ push }, seed) => right[seed].push / push);
  says(`${Math.round(Math.min(...ratios))} to ${Math.round(Math.max(...ratios))} times as strong`);
});

test("what the page says of the ring is what was measured", () => {
  const [runs] = found("ring");
  const all = runs.filter(({ reached }) => reached === 8);
  says(`In ${all.length} of ${runs.length} seeds all eight modes were reached after 1,500 steps`);
});

test("what the page says of the collapse is what was measured", () => {
  const [runs] = found("collapse");
  const collapsed = runs.filter(({ most }) => Number(most) <= 2);
  says(`In ${collapsed.length} of ${runs.length} seeds it never had more than two of the eight modes in 1,500 steps`);
  says(`its loss ended between ${span(runs, "criticLoss")}`);
});

test("what the page says of walls and fine is what was measured", () => {
  const [walls, fine] = found("walls");
  const shares = walls.map(({ atWalls }) => Math.round(100 * Number(atWalls)));
  says(`${Math.min(...shares)} to ${Math.max(...shares)} % of its weights at a wall`);
  says(`a median slope of ${span(walls, "slope", " to ")}`);
  says(`claimed ${span(walls, "claim", " to ")} where the exact distance was ${span(walls, "distance", " to ")}`);
  says(`had a slope of ${span(fine, "slope", " to ")}`);
  const misses = fine.map(({ claim, distance }) => Math.abs(Number(claim) - Number(distance)));
  says(`within ${Math.max(...misses).toFixed(2)} of the exact distance`);
});

/** The least and the most of something over the seeds. @param {Found[]} runs @param {"criticLoss" | "slope" | "claim" | "distance"} name */
function span(runs, name, word = " and ") {
  const values = runs.map((run) => Number(run[name]));
  return [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(2)).join(word);
}
