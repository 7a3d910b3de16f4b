import assert from "node:assert/strict";
import test from "node:test";
import { heat, heated, inWords, sharesOf } from "../demos/attention.js";

const even = new Float32Array(256 * 64).fill(1 / 64);

/** Even weights, but one place that has eyes for one region only. @param {number} place @param {number} region */
function pointing(place, region) {
  const weights = even.slice();
  weights.fill(0, 64 * place, 64 * place + 64);
  weights[64 * place + region] = 1;
  return weights;
}

test("a place's shares are its row", () => {
  const shares = sharesOf(pointing(3 * 16 + 5, 9), { row: 3, column: 5 });
  assert.deepEqual([shares.length, shares.indexOf(1), Math.max(...shares)], [64, 9, 1]);
  assert.equal(Math.max(...sharesOf(pointing(3 * 16 + 5, 9), { row: 5, column: 3 })), 1 / 64);
});

test("an even share and less is grey, eight times as much and more is full red, and between counts the logarithm", () => {
  assert.deepEqual([0, 1 / 64, 1 / 8, 1].map(heat), [0, 0, 1, 1]);
  assert.ok(Math.abs(heat(1 / 32) - 1 / 3) < 1e-12);
});

test("what is not looked at is grey, and the place that asks has a frame four pixels wide", () => {
  const images = { data: new Float32Array(3 * 4096), shape: [1, 3, 64, 64] };
  images.data.fill(0.3, 0, 4096); // red; the mean of all three is 0.1
  const place = { row: 3, column: 5 };
  const { data, shape } = heated(images, sharesOf(pointing(3 * 16 + 5, 9), place), place);
  /** @param {number} x @param {number} y */
  const at = (x, y) => [0, 1, 2].map((channel) => Math.round(1000 * data[4096 * channel + 64 * y + x]) / 1000);
  assert.deepEqual(shape, [1, 3, 64, 64]);
  assert.deepEqual(at(40, 40), [0.1, 0.1, 0.1]);
  assert.deepEqual(at(8, 8), [0.7, -0.35, -0.575]); // the region in row 1, column 1
  assert.deepEqual(at(20, 12), [-0.8, 0.5, 0.8]);
  assert.deepEqual(at(23, 15), [-0.8, 0.5, 0.8]);
  assert.deepEqual(at(21, 13), [0.1, 0.1, 0.1]);
});

test("words say the fullest quarter, the largest share, and how many look there too", () => {
  const weights = pointing(3 * 16 + 5, 8 * 6 + 1);
  weights.set(weights.slice(64 * 53, 64 * 53 + 64), 64 * 200); // another like it
  assert.equal(
    inWords(weights, { row: 3, column: 5 }),
    "Row 4, column 6: 100 % of the weight lies in the lower left. One region gets 100 %, 64.0 times an even share; " +
      "it is the first choice of 1 of the 255 other places, too.",
  );
  assert.match(inWords(even, { row: 0, column: 0 }), /25 % .* gets 2 %, 1.0 times an even share/);
});
