import assert from "node:assert/strict";
import { test } from "node:test";

import { middles, repeated } from "../demos/translation.js";

test("the middles of the tiles go row after row from the upper left", () => {
  assert.deepEqual(middles(2), [
    { x: 0.25, y: 0.75 },
    { x: 0.75, y: 0.75 },
    { x: 0.25, y: 0.25 },
    { x: 0.75, y: 0.25 },
  ]);
});

test("a picture is repeated whole", () => {
  const image = { data: Float32Array.of(1, 2, 3), shape: [1, 3, 1, 1] };
  const { data, shape } = repeated(image, 2);
  assert.deepEqual([...data], [1, 2, 3, 1, 2, 3]);
  assert.deepEqual(shape, [2, 3, 1, 1]);
});
