/**
 * Colours as L*, a* and b* (CIE 1976, in daylight), the way OpenCV finds them: looked up in a cube of 33 steps a side
 * and interpolated, in whole numbers. It is up to 0.4 off the formula, and an outline hangs on less, so the page does
 * as the package does.
 */

import { linear } from "./lighting.js";

const STEPS = 32; // along each side of the cube
const PARTS = 16; // between two of its places
const BASE = 2 ** 14;

/** From linear red, green and blue to X, Y and Z, each a part of the daylight's. */
const TO_XYZ = [
  [0.412453 / 0.950456, 0.35758 / 0.950456, 0.180423 / 0.950456],
  [0.212671, 0.71516, 0.072169],
  [0.019334 / 1.088754, 0.119193 / 1.088754, 0.950227 / 1.088754],
];

/** @type {Int16Array | undefined} */
let cube;

/** The L*, a* and b* of pixels. @param {Uint8Array} pixels red, green and blue of each */
export function inLab(pixels) {
  cube ??= filled();
  const found = [0, 1, 2].map(() => new Float64Array(pixels.length / 3));
  const sums = [0, 0, 0];
  for (let place = 0; place < found[0].length; place++) {
    lookUp(cube, pixels.subarray(3 * place, 3 * place + 3), sums);
    for (let channel = 0; channel < 3; channel++) {
      const share = Math.floor(sums[channel] / PARTS ** 3 + 0.5) / BASE;
      found[channel][place] = channel === 0 ? 100 * share : 256 * share - 128;
    }
  }
  return found;
}

/** Between the eight places around a colour. @param {Int16Array} cube @param {Uint8Array} colour @param {number[]} sums */
function lookUp(cube, colour, sums) {
  sums.fill(0);
  const fine = [0, 1, 2].map((axis) => Math.floor((halfToEven((colour[axis] / 255) * BASE) * STEPS * PARTS) / BASE));
  for (let corner = 0; corner < 8; corner++) {
    let [at, weight] = [0, 1];
    for (let axis = 2; axis >= 0; axis--) {
      const [first, part] = [Math.floor(fine[axis] / PARTS), fine[axis] % PARTS];
      const next = (corner >> axis) & 1;
      at = at * (STEPS + 1) + Math.min(first + next, STEPS);
      weight *= next ? part : PARTS - part;
    }
    for (let channel = 0; channel < 3; channel++) sums[channel] += weight * cube[3 * at + channel];
  }
}

/** The cube, by the formula. */
function filled() {
  const side = STEPS + 1;
  const light = Array.from({ length: side }, (_, step) => linear(step / STEPS));
  const root = (/** @type {number} */ value) =>
    value > 216 / 24389 ? Math.cbrt(value) : (value * 841) / 108 + 16 / 116;
  const found = new Int16Array(3 * side ** 3);
  for (let at = 0; at < side ** 3; at++) {
    const colour = [at % side, Math.floor(at / side) % side, Math.floor(at / side ** 2)].map((step) => light[step]);
    const [x, y, z] = TO_XYZ.map((row) => root(row.reduce((sum, share, axis) => sum + share * colour[axis], 0)));
    const values = [(116 * y - 16) / 100, (500 * (x - y) + 128) / 256, (200 * (y - z) + 128) / 256];
    found.set(
      values.map((value) => halfToEven(BASE * value)),
      3 * at,
    );
  }
  return found;
}

/** @param {number} value */
function halfToEven(value) {
  const whole = Math.round(value);
  return whole - value === 0.5 && whole % 2 ? whole - 1 : whole;
}
