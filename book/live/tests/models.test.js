import assert from "node:assert/strict";
import test from "node:test";
import { newest } from "../kit/models.js";

test("of requests that come while one is under way, only the last is served", async () => {
  /** @type {number[]} */
  const begun = [];
  /** @type {(() => void)[]} */
  const ends = [];
  const ask = newest((/** @type {number} */ request) => {
    begun.push(request);
    return new Promise((end) => {
      ends.push(() => end());
    });
  });
  for (const request of [1, 2, 3, 4]) ask(request);
  assert.deepEqual(begun, [1]);
  ends[0]();
  await new Promise(setImmediate);
  assert.deepEqual(begun, [1, 4]);
  ends[1]();
  await new Promise(setImmediate);
  ask(5);
  assert.deepEqual(begun, [1, 4, 5]);
});
