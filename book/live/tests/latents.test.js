import assert from "node:assert/strict";
import test from "node:test";
import { cornerWeights, mixed, normal, seeded, stacked } from "../kit/latents.js";

test("a seed gives the same numbers again, another seed others", () => {
  const [one, again, other] = [7, 7, 8].map((seed) => [...normal(5, seeded(seed))]);
  assert.deepEqual(one, again);
  assert.notDeepEqual(one, other);
});

test("drawn numbers have mean 0 and deviation 1", () => {
  const drawn = normal(40_000, seeded(1));
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const square = drawn.reduce((sum, value) => sum + value ** 2, 0) / drawn.length;
  assert.ok(Math.abs(mean) < 0.02 && Math.abs(square - 1) < 0.03, `${mean} ${square}`);
});

test("at a corner there is that corner alone, and everywhere the weights have length 1", () => {
  assert.deepEqual(cornerWeights(1, 0), [0, 1, 0, 0]);
  assert.deepEqual(cornerWeights(0, 1), [0, 0, 1, 0]);
  assert.ok(Math.abs(Math.hypot(...cornerWeights(0.3, 0.6)) - 1) < 1e-12);
});

test("vectors are mixed by weight and stacked in order", () => {
  assert.deepEqual(
    [
      ...mixed(
        [
          [1, 2],
          [10, 20],
        ],
        [2, 0.5],
      ),
    ],
    [7, 14],
  );
  assert.deepEqual(
    stacked([
      [1, 2],
      [3, 4],
    ]),
    { data: Float32Array.from([1, 2, 3, 4]), shape: [2, 2] },
  );
});
