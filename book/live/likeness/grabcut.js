/**
 * A picture cut in two, in which neighbours of like colour stay together: GrabCut (Rother, Kolmogorov and Blake 2004),
 * step by step as OpenCV has it, its random numbers included, so that both cut alike.
 */

import { Grid } from "./mincut.js";

/** What a first guess may say of a pixel. */
export const [NOT, IS, PERHAPS_NOT, PERHAPS] = [0, 1, 2, 3];

const COMPONENTS = 5;
const GAMMA = 50; // what it costs to part two neighbours of one colour
const CERTAIN = 9 * GAMMA;
const LLOYD = 10; // rounds of k-means
const TRIES = 3; // places tried for each of its centres
const SINGULAR = 0.01; // variance that is added where a component has none in some direction
const TINY = 2 ** -52;

/**
 * @param {Uint8Array} pixels red, green and blue of each
 * @param {number} width
 * @param {Uint8Array} guess changed into what was found
 * @param {number} rounds
 */
export function grabCut(pixels, width, guess, rounds) {
  const height = guess.length / width;
  const joins = new Joins(pixels, width, height);
  const random = chance();
  const groups = new Uint8Array(guess.length);
  const sides = [0, 1].map((side) => rowsOf(guess, side));
  if (sides.some((rows) => !rows.length)) return; // nothing to part
  for (const rows of sides) {
    const found = kMeans(pixels, rows, Math.min(COMPONENTS, rows.length), random);
    rows.forEach((row, place) => {
      groups[row] = found[place];
    });
  }
  let mixtures = fitted(pixels, guess, groups);
  for (let round = 0; round < rounds; round++) {
    for (let row = 0; row < guess.length; row++) groups[row] = mixtures[guess[row] & 1].likeliest(pixels, 3 * row);
    mixtures = fitted(pixels, guess, groups);
    part(pixels, guess, width, joins, mixtures);
  }
}

/** @param {Uint8Array} guess @param {number} side 0 behind, 1 in front @returns {number[]} */
function rowsOf(guess, side) {
  const rows = [];
  for (let row = 0; row < guess.length; row++) if ((guess[row] & 1) === side) rows.push(row);
  return rows;
}

/** @param {Uint8Array} pixels @param {Uint8Array} guess @param {Uint8Array} groups */
function fitted(pixels, guess, groups) {
  const mixtures = [new Mixture(), new Mixture()];
  for (let row = 0; row < guess.length; row++) mixtures[guess[row] & 1].add(groups[row], pixels, 3 * row);
  for (const mixture of mixtures) mixture.settle();
  return mixtures;
}

/** What it costs to part a pixel from its neighbours. */
class Joins {
  /** @param {Uint8Array} pixels @param {number} width @param {number} height */
  constructor(pixels, width, height) {
    /** Each pair once: its first pixel's row and column, direction, and how far apart in colour. @type {[number, number, number, number][]} */
    const pairs = [];
    let sum = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (const [direction, dx, dy] of AHEAD) {
          if (x + dx < 0 || x + dx >= width || y + dy >= height) continue;
          const [one, other] = [3 * (y * width + x), 3 * ((y + dy) * width + x + dx)];
          let apart = 0;
          for (let channel = 0; channel < 3; channel++) apart += (pixels[one + channel] - pixels[other + channel]) ** 2;
          pairs.push([y, x, direction, apart]);
          sum += apart;
        }
      }
    }
    const beta = sum > TINY ? pairs.length / (2 * sum) : 0;
    const grid = new Grid(width + 2, height + 2);
    for (const [y, x, direction, apart] of pairs) {
      const straight = direction === 4 || direction === 6;
      const cost = (straight ? GAMMA : GAMMA / Math.SQRT2) * Math.exp(-beta * apart);
      const cell = (y + 1) * (width + 2) + x + 1;
      grid.links[8 * cell + direction] = cost;
      grid.links[8 * (cell + grid.steps[direction]) + 7 - direction] = cost;
    }
    this.links = grid.links;
  }
}

/** Directions of a grid with their steps right and down, of every two opposite ones one. */
const AHEAD = [
  [4, 1, 0],
  [5, -1, 1],
  [6, 0, 1],
  [7, 1, 1],
];

/** Cut once, and say so in the guess. @param {Uint8Array} pixels @param {Uint8Array} guess @param {number} width @param {Joins} joins @param {Mixture[]} mixtures */
function part(pixels, guess, width, joins, [behind, before]) {
  const grid = new Grid(width + 2, guess.length / width + 2);
  grid.links.set(joins.links);
  const cellOf = (/** @type {number} */ row) => (Math.floor(row / width) + 1) * (width + 2) + (row % width) + 1;
  for (let row = 0; row < guess.length; row++) {
    const certain = guess[row] === IS ? CERTAIN : -CERTAIN;
    grid.sides[cellOf(row)] =
      guess[row] < 2
        ? certain
        : Math.log(before.density(pixels, 3 * row)) - Math.log(behind.density(pixels, 3 * row)) || 0;
  }
  const found = grid.cut();
  for (let row = 0; row < guess.length; row++) {
    if (guess[row] >= 2) guess[row] = found[cellOf(row)] ? PERHAPS : PERHAPS_NOT;
  }
}

/** A mixture of normal distributions of colours, each with its own mean and covariance. */
export class Mixture {
  constructor() {
    this.counts = new Float64Array(COMPONENTS);
    this.sums = new Float64Array(3 * COMPONENTS);
    this.products = new Float64Array(9 * COMPONENTS);
    this.shares = new Float64Array(COMPONENTS);
    this.means = new Float64Array(3 * COMPONENTS);
    this.inverses = new Float64Array(9 * COMPONENTS);
    this.scales = new Float64Array(COMPONENTS);
  }

  /** @param {number} component @param {Uint8Array} pixels @param {number} at */
  add(component, pixels, at) {
    this.counts[component]++;
    for (let i = 0; i < 3; i++) {
      this.sums[3 * component + i] += pixels[at + i];
      for (let j = 0; j < 3; j++) this.products[9 * component + 3 * i + j] += pixels[at + i] * pixels[at + j];
    }
  }

  /** Make means and covariances of all that was added. */
  settle() {
    const total = this.counts.reduce((sum, count) => sum + count, 0);
    for (let component = 0; component < COMPONENTS; component++) {
      const count = this.counts[component];
      if (!count) continue;
      this.shares[component] = count / total;
      const mean = [0, 1, 2].map((i) => this.sums[3 * component + i] / count);
      this.means.set(mean, 3 * component);
      const spread = Array.from(
        { length: 9 },
        (_, place) => this.products[9 * component + place] / count - mean[Math.floor(place / 3)] * mean[place % 3],
      );
      if (determinant(spread) <= TINY) for (const place of [0, 4, 8]) spread[place] += SINGULAR;
      const volume = determinant(spread);
      this.inverses.set(inverse(spread, volume), 9 * component);
      this.scales[component] = 1 / Math.sqrt(volume);
    }
  }

  /** @param {Uint8Array} pixels @param {number} at */
  density(pixels, at) {
    let sum = 0;
    for (let component = 0; component < COMPONENTS; component++) {
      if (this.shares[component] > 0) sum += this.shares[component] * this.densityOf(component, pixels, at);
    }
    return sum;
  }

  /** The component in which a colour is densest. @param {Uint8Array} pixels @param {number} at */
  likeliest(pixels, at) {
    let [best, most] = [0, 0];
    for (let component = 0; component < COMPONENTS; component++) {
      if (!this.shares[component]) continue;
      const density = this.densityOf(component, pixels, at);
      if (density > most) {
        best = component;
        most = density;
      }
    }
    return best;
  }

  /** @param {number} component @param {Uint8Array} pixels @param {number} at */
  densityOf(component, pixels, at) {
    const { means, inverses } = this;
    const [mean, first] = [3 * component, 9 * component];
    const r = pixels[at] - means[mean];
    const g = pixels[at + 1] - means[mean + 1];
    const b = pixels[at + 2] - means[mean + 2];
    const away =
      r * (r * inverses[first] + g * inverses[first + 3] + b * inverses[first + 6]) +
      g * (r * inverses[first + 1] + g * inverses[first + 4] + b * inverses[first + 7]) +
      b * (r * inverses[first + 2] + g * inverses[first + 5] + b * inverses[first + 8]);
    return this.scales[component] * Math.exp(-0.5 * away);
  }
}

/** Of a matrix of three rows. @param {number[]} m */
const determinant = ([a, b, c, d, e, f, g, h, i]) => a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);

/** @param {number[]} m @param {number} volume its determinant */
const inverse = ([a, b, c, d, e, f, g, h, i], volume) =>
  [
    ...[e * i - f * h, c * h - b * i, b * f - c * e],
    ...[f * g - d * i, a * i - c * g, c * d - a * f],
    ...[d * h - e * g, b * g - a * h, a * e - b * d],
  ].map((value) => value / volume);

/** OpenCV's random numbers after `setRNGSeed(0)`: multiply with carry. */
export function chance() {
  let state = 0xffffffffn;
  const whole = () => {
    state = (state & 0xffffffffn) * 4164903690n + (state >> 32n);
    return state & 0xffffffffn;
  };
  return {
    /** A whole number below another. @param {number} end */
    below: (end) => Number(whole() % BigInt(end)),
    /** Between 0 and 1. */
    share: () => Number((whole() << 32n) | whole()) * 2 ** -64,
  };
}

/** @typedef {ReturnType<typeof chance>} Chance */

/** Pixels in groups of like colour. @param {Uint8Array} pixels @param {number[]} rows @param {number} count of groups @param {Chance} random @returns {Uint8Array} */
function kMeans(pixels, rows, count, random) {
  let centres = spreadOut(pixels, rows, count, random);
  const found = new Uint8Array(rows.length);
  const rounds = count === 1 ? 2 : LLOYD;
  for (let round = 1; round < rounds; round++) {
    rows.forEach((row, place) => {
      let least = Number.POSITIVE_INFINITY;
      for (let group = 0; group < count; group++) {
        const apart = between(pixels, 3 * row, centres, 3 * group);
        if (apart < least) {
          found[place] = group;
          least = apart;
        }
      }
    });
    if (round + 1 === rounds) break;
    const before = centres;
    centres = middles(pixels, rows, found, before);
    if (centres.every((value, place) => value === before[place])) break;
  }
  return found;
}

/** The groups' means; one that nobody is in stays where it was. @param {Uint8Array} pixels @param {number[]} rows @param {Uint8Array} found @param {Float32Array} before */
function middles(pixels, rows, found, before) {
  const sums = new Float64Array(before.length);
  const counts = new Float64Array(before.length / 3);
  rows.forEach((row, place) => {
    counts[found[place]]++;
    for (let channel = 0; channel < 3; channel++) sums[3 * found[place] + channel] += pixels[3 * row + channel];
  });
  return before.map((value, place) => {
    const count = counts[Math.floor(place / 3)];
    return count ? sums[place] / count : value;
  });
}

/** First centres, far from each other (Arthur and Vassilvitskii 2007). @param {Uint8Array} pixels @param {number[]} rows @param {number} count @param {Chance} random */
function spreadOut(pixels, rows, count, random) {
  const centres = new Float32Array(3 * count);
  const colour = (/** @type {number} */ place) => pixels.subarray(3 * rows[place], 3 * rows[place] + 3);
  centres.set(colour(random.below(rows.length)));
  let apart = Float32Array.from(rows, (row) => between(pixels, 3 * row, centres, 0));
  let sum = apart.reduce((one, other) => one + other, 0);
  for (let group = 1; group < count; group++) {
    let best = { place: 0, sum: Number.POSITIVE_INFINITY, apart };
    for (let time = 0; time < TRIES; time++) {
      const place = drawn(apart, random.share() * sum);
      const near = Float32Array.from(rows, (row, own) =>
        Math.min(between(pixels, 3 * row, colour(place), 0), apart[own]),
      );
      const left = near.reduce((one, other) => one + other, 0);
      if (left < best.sum) best = { place, sum: left, apart: near };
    }
    centres.set(colour(best.place), 3 * group);
    [apart, sum] = [best.apart, best.sum];
  }
  return centres;
}

/** The place at which so much has gone by. @param {Float32Array} amounts @param {number} left */
function drawn(amounts, left) {
  let place = 0;
  for (; place < amounts.length - 1; place++) {
    left -= amounts[place];
    if (left <= 0) break;
  }
  return place;
}

/** The square of the distance of two colours. @param {ArrayLike<number>} one @param {number} at @param {ArrayLike<number>} other @param {number} there */
function between(one, at, other, there) {
  const r = one[at] - other[there];
  const g = one[at + 1] - other[there + 1];
  const b = one[at + 2] - other[there + 2];
  return r * r + g * g + b * b;
}
