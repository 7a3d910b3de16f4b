/**
 * A picture cut in two, in which neighbours of like colour stay together: GrabCut (Rother, Kolmogorov and Blake 2004),
 * step by step as OpenCV has it, its random numbers included, so that both cut alike.
 */

import { between, chance, kMeans } from "./kmeans.js";
import { Grid } from "./mincut.js";

/** What a first guess may say of a pixel. */
export const [NOT, IS, PERHAPS_NOT, PERHAPS] = [0, 1, 2, 3];

const COMPONENTS = 5;
const GAMMA = 50; // what it costs to part two neighbours of one colour
const ASLANT = GAMMA / Math.fround(Math.SQRT2); // that touch with a corner
const CERTAIN = 9 * GAMMA;
const FLAT = 1e-6; // determinant up to which a component has no variance in some direction
const SINGULAR = 0.01; // and is given this much

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
    let [sum, pairs] = [0, 0];
    eachPair(pixels, width, height, (_, __, apart) => {
      sum += apart;
      pairs++;
    });
    const beta = sum ? 1 / ((2 * sum) / pairs) : 0;
    const grid = new Grid(width + 2, height + 2);
    eachPair(pixels, width, height, (cell, direction, apart) => {
      const cost = (direction === 4 || direction === 6 ? GAMMA : ASLANT) * Math.exp(-beta * apart);
      grid.links[8 * cell + direction] = cost;
      grid.links[8 * (cell + grid.steps[direction]) + 7 - direction] = cost;
    });
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

/**
 * Every two neighbours once: the first one's cell, the direction of the other, and how far apart they are in colour.
 *
 * @param {Uint8Array} pixels
 * @param {number} width
 * @param {number} height
 * @param {(cell: number, direction: number, apart: number) => void} act
 */
function eachPair(pixels, width, height, act) {
  for (const [direction, dx, dy] of AHEAD) {
    for (let y = 0; y + dy < height; y++) {
      for (let x = Math.max(-dx, 0); x < width - Math.max(dx, 0); x++) {
        const apart = between(pixels, 3 * (y * width + x), pixels, 3 * ((y + dy) * width + x + dx));
        act((y + 1) * (width + 2) + x + 1, direction, apart);
      }
    }
  }
}

/** Cut once, and say so in the guess. @param {Uint8Array} pixels @param {Uint8Array} guess @param {number} width @param {Joins} joins @param {Mixture[]} mixtures */
function part(pixels, guess, width, joins, [behind, before]) {
  const grid = new Grid(width + 2, guess.length / width + 2);
  grid.links.set(joins.links);
  const cellOf = (/** @type {number} */ row) => (Math.floor(row / width) + 1) * (width + 2) + (row % width) + 1;
  for (let row = 0; row < guess.length; row++) {
    if (guess[row] < 2) {
      grid.sides[cellOf(row)] = guess[row] === IS ? CERTAIN : -CERTAIN;
    } else {
      const rather = Math.log(before.density(pixels, 3 * row)) - Math.log(behind.density(pixels, 3 * row));
      grid.sides[cellOf(row)] = Number.isNaN(rather) ? Number.POSITIVE_INFINITY : rather; // unlike both: in front
    }
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
      const each = 1 / count;
      const mean = [0, 1, 2].map((i) => this.sums[3 * component + i] * each);
      this.means.set(mean, 3 * component);
      const spread = Array.from(
        { length: 9 },
        (_, place) => this.products[9 * component + place] * each - mean[Math.floor(place / 3)] * mean[place % 3],
      );
      if (determinant(spread) <= FLAT) for (const place of [0, 4, 8]) spread[place] += SINGULAR;
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
  ].map((value) => value * (1 / volume));
