/**
 * How well a kernel explains a blurred picture: the twin of `companion.blind.evidence` and of
 * `companion.classical.log_likelihoods`, which say why.
 *
 * @import { Grey, Kernel } from "./blind.js"
 */

import { Transform } from "./fourier.js";

export const NOISES = [0.002, 0.005, 0.01, 0.02, 0.04]; // of a picture in [−1, 1], tried one by one
export const STRENGTHS = Array.from({ length: 26 }, (_, step) => 10 ** (-5 + step / 5)); // of its spectrum, likewise
const CHANNELS = 3; // whose noise is averaged in the grey
const TOGETHER = 16; // variances multiplied before one logarithm is taken: none of them leaves 10⁻¹⁰ to 10¹⁰

/**
 * For each kernel, minus the sum over frequencies of `log v + P/v`, less what its freedom costs, per pixel.
 *
 * @param {Grey} picture  In [−1, 1].
 * @param {Kernel[]} kernels
 * @param {number[]} freedom  How many of each one's values could be chosen.
 */
export function evidence(picture, kernels, freedom) {
  const pixels = picture.width * picture.height;
  const seen = new Seen(picture);
  return kernels.map((kernel, number) => (seen.likelihood(kernel) - freedom[number] * Math.log(pixels)) / pixels);
}

/** A picture's power at each frequency but zero. Of two that are each other's conjugates one is kept, and counts twice. */
class Seen {
  /** @param {Grey} picture */
  constructor({ data, width, height }) {
    this.transform = new Transform(height, width);
    this.buffer = this.transform.picture();
    this.spectrum = this.transform.spectrum();
    const { buffer, spectrum, transform } = this;
    const [down, across] = [fade(height), fade(width)];
    let [light, all, squares] = [0, 0, 0];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const share = down[y] * across[x];
        light += share * data[y * width + x];
        all += share;
        squares += share * share;
      }
    }
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        buffer[y * transform.stride + x] = (data[y * width + x] - light / all) * down[y] * across[x];
      }
    }
    transform.forward(buffer, spectrum);
    this.places = places(height, width, transform.tall);
    this.power = Float64Array.from(this.places.at, (at) => (spectrum.re[at] ** 2 + spectrum.im[at] ** 2) / squares);
    this.passed = new Float64Array(this.power.length);
  }

  /** At the likeliest noise and strength. @param {Kernel} kernel */
  likelihood({ data, side }) {
    const { transform, buffer, spectrum, passed, places } = this;
    buffer.fill(0);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) buffer[y * transform.stride + x] = data[y * side + x];
    }
    transform.forward(buffer, spectrum);
    places.at.forEach((at, number) => {
      passed[number] = (spectrum.re[at] ** 2 + spectrum.im[at] ** 2) / places.squared[number];
    });
    let best = Number.POSITIVE_INFINITY;
    for (const noise of NOISES) {
      for (const strength of STRENGTHS) {
        const fit = this.fit(strength, noise ** 2 / CHANNELS);
        if (!(fit >= best)) best = fit; // not a number where a picture or kernel is none
      }
    }
    return -best;
  }

  /** @param {number} strength @param {number} floor */
  fit(strength, floor) {
    const { power, passed, places } = this;
    const once = sum(power, passed, strength, floor, places.twice, power.length);
    return 2 * sum(power, passed, strength, floor, 0, places.twice) + once;
  }
}

/**
 * @param {Float64Array} power
 * @param {Float64Array} passed
 * @param {number} strength
 * @param {number} floor
 * @param {number} begin
 * @param {number} end
 */
function sum(power, passed, strength, floor, begin, end) {
  let total = 0;
  for (let from = begin; from < end; from += TOGETHER) {
    const stop = Math.min(from + TOGETHER, end);
    let product = 1;
    for (let at = from; at < stop; at++) {
      const variance = strength * passed[at] + floor;
      product *= variance;
      total += power[at] / variance;
    }
    total += Math.log(product);
  }
  return total;
}

/**
 * Where the frequencies lie in a half spectrum, with their squares; first those that stand for two.
 *
 * @param {number} height
 * @param {number} width
 * @param {number} tall
 */
function places(height, width, tall) {
  const [double, single] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < tall; y++) {
      if (x || y) (y === 0 || 2 * y === height ? single : double).push(x * tall + y);
    }
  }
  const at = Int32Array.from([...double, ...single]);
  const squared = Float64Array.from(at, (place) => {
    const turns = Math.floor(place / tall);
    const across = (2 * turns < width ? turns : turns - width) / width;
    return across ** 2 + ((place % tall) / height) ** 2;
  });
  return { at, squared, twice: double.length };
}

/** A Hann window. @param {number} length */
function fade(length) {
  if (length === 1) return Float64Array.of(1);
  return Float64Array.from({ length }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / (length - 1)));
}
