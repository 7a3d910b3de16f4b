/**
 * Ruining a good picture in the page: as chapter 5's crappifier does, as chapter 2's camera does, or by taking its
 * colours away. Each takes and gives pixels, RGBA.
 *
 * @import { Pixels } from "../kit/tiles.js"
 */

import { pen } from "../kit/canvas.js";
import { bicubic } from "../kit/resampling.js";

/** @typedef {Pixels & { data: Uint8ClampedArray<ArrayBuffer> }} Made */

/**
 * @typedef {object} Limits  Of `companion.data.crappify.Damage`.
 * @property {number} least_shrink
 * @property {number} most_shrink
 * @property {number} least_quality
 * @property {number} most_quality
 * @property {string[]} words
 */

/**
 * A picture shrunk, written over, stored as a poor JPEG and enlarged again. Letters and JPEG are this browser's.
 *
 * @param {Pixels} good
 * @param {Limits} limits
 * @param {() => number} [random]
 * @returns {Promise<Made>}
 */
export async function ruined(good, limits, random = Math.random) {
  const between = (/** @type {number} */ low, /** @type {number} */ high) => low + (high - low) * random();
  const shrink = between(limits.least_shrink, limits.most_shrink);
  const low = bicubic(good, ...sides(good, shrink));
  const canvas = document.createElement("canvas");
  canvas.width = low.width;
  canvas.height = low.height;
  pen(canvas).putImageData(new ImageData(low.data, low.width, low.height), 0, 0);
  write(pen(canvas), limits.words, between, random);
  const quality = between(limits.least_quality, limits.most_quality) / 100;
  const stored = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
  const back = await createImageBitmap(stored);
  pen(canvas).drawImage(back, 0, 0);
  return bicubic(pen(canvas).getImageData(0, 0, low.width, low.height), good.width, good.height);
}

/** @param {Pixels} good @param {number} shrink @returns {[number, number]} */
const sides = ({ width, height }, shrink) => [
  Math.max(1, Math.round(width / shrink)),
  Math.max(1, Math.round(height / shrink)),
];

/**
 * A number or a word at a random place, size and angle, one time in two in white.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string[]} words
 * @param {(low: number, high: number) => number} between
 * @param {() => number} random
 */
function write(context, words, between, random) {
  const { width, height } = context.canvas;
  const below = (/** @type {number} */ limit) => Math.floor(limit * random());
  const text = below(2) ? words[below(words.length)] : `${below(10_000)}`;
  const letters = Math.max(6, Math.min(width, height) * between(0.12, 0.3));
  const colour = below(2) ? "#fff" : `rgb(${below(256)} ${below(256)} ${below(256)})`;
  context.save();
  context.translate(between(0.2, 0.8) * width, between(0.2, 0.8) * height);
  context.rotate((between(-60, 60) * Math.PI) / 180);
  Object.assign(context, { font: `${letters}px sans-serif`, fillStyle: colour });
  Object.assign(context, { textAlign: "center", textBaseline: "middle" });
  context.fillText(text, 0, 0);
  context.restore();
}

/**
 * A picture blurred by a kernel and made noisy, as `companion.data.degrade.Camera` does it; its border is repeated, so
 * that it keeps its size.
 *
 * @param {Pixels} good
 * @param {number[][]} kernel  Sums to one.
 * @param {number} noise  Standard deviation on the scale [−1, 1].
 * @param {() => number} [random]
 * @returns {Made}
 */
export function shaken(good, kernel, noise, random = Math.random) {
  const { width, height, data: from } = good;
  const middle = (kernel.length - 1) / 2;
  const taps = kernel.flatMap((row, y) =>
    row.map((weight, x) => ({ weight, dx: middle - x, dy: middle - y })).filter(({ weight }) => weight),
  ); // a convolution turns its kernel round
  const data = new Uint8ClampedArray(4 * width * height);
  const sums = new Float64Array(3 * width);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (const { weight, dx, dy } of taps) {
      const row = width * Math.min(Math.max(y + dy, 0), height - 1);
      for (let x = 0; x < width; x++) {
        const pixel = 4 * (row + Math.min(Math.max(x + dx, 0), width - 1));
        for (let channel = 0; channel < 3; channel++) sums[3 * x + channel] += weight * from[pixel + channel];
      }
    }
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        data[4 * (y * width + x) + channel] = sums[3 * x + channel] + 127.5 * noise * normal(random);
      }
      data[4 * (y * width + x) + 3] = 255;
    }
  }
  return { data, width, height };
}

/** @param {() => number} random */
const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/**
 * A picture in grey, as Pillow's mode L has it; in place.
 *
 * @template {Pixels} P
 * @param {P} pixels
 */
export function uncoloured(pixels) {
  const { data } = pixels;
  for (let place = 0; place < data.length; place += 4) {
    const luma = (19595 * data[place] + 38470 * data[place + 1] + 7471 * data[place + 2] + 0x8000) >> 16;
    data.fill(luma, place, place + 3);
  }
  return pixels;
}

/** Whether a picture has no colour at all. @param {Pixels} pixels */
export function isGrey({ data }) {
  for (let place = 0; place < data.length; place += 4) {
    if (data[place] !== data[place + 1] || data[place] !== data[place + 2]) return false;
  }
  return true;
}

/** How near two pictures are, in decibels. @param {Pixels} one @param {Pixels} other */
export function psnr({ data: one }, { data: other }) {
  let sum = 0;
  for (let place = 0; place < one.length; place++) {
    if (place % 4 < 3) sum += (one[place] - other[place]) ** 2;
  }
  return 10 * Math.log10((255 ** 2 * 0.75 * one.length) / sum);
}
