import assert from "node:assert/strict";
import test from "node:test";
import { factors, quick, Transform } from "../restoring/fourier.js";

/** A picture that is different everywhere. @param {Transform} transform */
function filledIn(transform) {
  return transform.picture().map((_, at) => Math.sin(at * at + 1));
}

/** The spectrum as its definition says it. @param {Transform} transform @param {Float64Array} picture */
function naive({ width, height, tall, stride }, picture) {
  const found = { re: new Float64Array(width * tall), im: new Float64Array(width * tall) };
  for (let across = 0; across < width; across++) {
    for (let down = 0; down < tall; down++) {
      for (let at = 0; at < width * height; at++) {
        const [y, x] = [Math.floor(at / width), at % width];
        const angle = -2 * Math.PI * ((across * x) / width + (down * y) / height);
        found.re[across * tall + down] += picture[y * stride + x] * Math.cos(angle);
        found.im[across * tall + down] += picture[y * stride + x] * Math.sin(angle);
      }
    }
  }
  return found;
}

/** @param {Float64Array} one @param {Float64Array} other */
const apart = (one, other) => one.reduce((most, value, at) => Math.max(most, Math.abs(value - other[at])), 0);

for (const [height, width] of [
  [1, 1],
  [6, 7],
  [12, 5],
  [1, 3],
  [14, 33],
  [13, 8],
  [20, 75],
]) {
  test(`the transform of ${height}×${width} is what its definition says, and comes back`, () => {
    const transform = new Transform(height, width);
    const [picture, found] = [filledIn(transform), transform.spectrum()];
    transform.forward(picture, found);
    const wanted = naive(transform, picture);
    assert.ok(apart(found.re, wanted.re) < 1e-11 * height * width);
    assert.ok(apart(found.im, wanted.im) < 1e-11 * height * width);
    const back = transform.picture();
    transform.inverse(found, back);
    for (let y = 0; y < height; y++) {
      const row = [y * transform.stride, y * transform.stride + width];
      assert.ok(apart(back.subarray(...row), picture.subarray(...row)) < 1e-13);
    }
  });
}

test("more columns than a block holds are transformed alike", () => {
  const transform = new Transform(10, 150);
  const [picture, found] = [filledIn(transform), transform.spectrum()];
  transform.forward(picture, found);
  assert.ok(apart(found.re, naive(transform, picture).re) < 1e-8);
});

test("quick lengths are those of scipy.fft.next_fast_len", () => {
  const [given, wanted] = [
    [1, 13, 17, 402, 414, 434, 466, 997],
    [1, 14, 18, 405, 420, 440, 480, 1000],
  ];
  assert.deepEqual(given.map(quick), wanted);
  for (const length of [...wanted, 13 * 8]) {
    assert.equal(
      factors(length).reduce((product, factor) => product * factor, 1),
      length,
    );
  }
});
