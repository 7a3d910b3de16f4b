import assert from "node:assert/strict";
import test from "node:test";
import { Blender, filled, TILE, throughTiles, windows } from "../kit/tiles.js";

/** A picture that is different everywhere. @param {number} width @param {number} height */
function photograph(width, height) {
  const data = new Uint8ClampedArray(4 * width * height).map((_, place) => (place * 7919 + (place >> 5)) % 256);
  /** @param {import("../kit/tiles.js").Box} box */
  const read = ({ left, top, width: wide, height: high }) => {
    const found = new Uint8ClampedArray(4 * wide * high);
    for (let y = 0; y < high; y++) {
      const from = 4 * ((top + y) * width + left);
      found.set(data.subarray(from, from + 4 * wide), 4 * y * wide);
    }
    return { data: found, width: wide, height: high };
  };
  const result = new Uint8ClampedArray(data.length);
  /** @param {Uint8ClampedArray} bytes @param {import("../kit/tiles.js").Box} box */
  const write = (bytes, { left, top, width: wide, height: high }) => {
    for (let y = 0; y < high; y++) {
      result.set(bytes.subarray(4 * y * wide, 4 * (y + 1) * wide), 4 * ((top + y) * width + left));
    }
  };
  return { data, result, read, write };
}

/** A model that answers with a function of what it is given. @param {(value: number) => number} answer */
const model = (answer) => ({
  signature: {
    inputs: [{ name: "given", kind: /** @type {const} */ ("image"), shape: [1, 3, TILE, TILE] }],
    outputs: [{ name: "drawn", kind: /** @type {const} */ ("image"), shape: [1, 3, TILE, TILE] }],
  },
  /** @param {Record<string, import("../kit/demo.js").Tensor>} inputs */
  run: async ({ given }) => ({ drawn: { data: given.data.map(answer), shape: given.shape } }),
});

test("at each pixel the weights sum to one, and the outermost pixels of a tile do not count", () => {
  for (const length of [1, 255, 256, 257, 300, 448, 449, 1000]) {
    const total = new Float64Array(length);
    const all = windows(length);
    for (const { start, weights } of all) {
      weights.forEach((weight, place) => {
        total[start + place] += weight;
      });
    }
    for (const sum of total) assert.ok(Math.abs(sum - 1) < 1e-6, `${length}: ${sum}`);
    if (all.length > 1) assert.equal(all[0].weights.at(-1), 0);
  }
});

test("tiles begin where the package's begin", () => {
  assert.deepEqual(
    windows(448).map(({ start }) => start),
    [0, 192],
  );
  assert.deepEqual(
    windows(1000).map(({ start }) => start),
    [0, 192, 384, 576, 744],
  );
  assert.deepEqual(
    windows(20, 8, 4).map(({ start }) => start),
    [0, 4, 8, 12],
  );
});

test("what a model leaves alone comes back byte for byte, whatever the size, with its alpha", async () => {
  for (const [width, height] of [
    [300, 530],
    [256, 256],
    [40, 700],
    [3, 2],
  ]) {
    const { data, result, read, write } = photograph(width, height);
    const whole = await throughTiles({ model: model((value) => value), width, height, read, write });
    assert.equal(whole, true);
    assert.deepEqual(result, data, `${width}×${height}`);
  }
});

test("a model's answer is what is written, and grey stays grey where that is asked for", async () => {
  const { data, result, read, write } = photograph(260, 10);
  await throughTiles({ model: model((value) => -value), width: 260, height: 10, read, write, grey: true });
  const mean = (data[0] + data[1] + data[2]) / 3;
  assert.ok(Math.abs(result[0] - (255 - mean)) <= 0.5);
  assert.equal(result[0], result[1]);
  assert.equal(result[1], result[2]);
});

test("each pixel is finished once, by the last tile that touches it", () => {
  const blender = new Blender(700, 300);
  const times = new Uint8Array(700 * 300);
  for (let number = 0; number < blender.count; number++) {
    const { left, top, width, height } = blender.finished(number);
    for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) times[y * 700 + x]++;
  }
  assert.ok(times.every((count) => count === 1));
});

test("it stops after the tile that is under way", async () => {
  const { read, write } = photograph(700, 300);
  const stop = new AbortController();
  const seen = /** @type {string[]} */ ([]);
  const whole = await throughTiles({
    ...{ model: model((value) => value), width: 700, height: 300, read, write, signal: stop.signal },
    onTile(done, count) {
      seen.push(`${done} of ${count}`);
      if (done === 2) stop.abort();
    },
  });
  assert.equal(whole, false);
  assert.deepEqual(seen, ["1 of 8", "2 of 8"]);
});

test("a small picture is filled up by its border", () => {
  const { data, shape } = filled({ data: Float32Array.from([1, 2, 3, 4]), shape: [1, 1, 2, 2] }, 3);
  assert.deepEqual(shape, [1, 1, 3, 3]);
  assert.deepEqual([...data], [1, 2, 2, 3, 4, 4, 3, 4, 4]);
  const any = { data: Float32Array.from([1, 2]), shape: [1, 1, 1, 2] };
  assert.deepEqual(filled(any, "height"), any);
});
