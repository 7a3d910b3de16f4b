/**
 * Pixels in groups of like colour: k-means, from first centres that lie far apart (Arthur and Vassilvitskii 2007), as
 * OpenCV has it, its random numbers included.
 */

const LLOYD = 10; // rounds
const TRIES = 3; // places tried for each centre

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
export function kMeans(pixels, rows, count, random) {
  const found = new Uint8Array(rows.length);
  let centres = spreadOut(pixels, rows, count, random);
  for (let round = 1; ; round++) {
    for (let place = 0; place < rows.length; place++) found[place] = nearest(pixels, 3 * rows[place], centres);
    const before = centres;
    centres = middles(pixels, rows, found, before);
    if (round === LLOYD - 1 || count === 1 || centres.every((value, place) => value === before[place])) return found;
  }
}

/** @param {Uint8Array} pixels @param {number} at @param {Float32Array} centres */
function nearest(pixels, at, centres) {
  let [found, least] = [0, Number.POSITIVE_INFINITY];
  for (let group = 0; 3 * group < centres.length; group++) {
    const apart = between(pixels, at, centres, 3 * group);
    if (apart < least) [found, least] = [group, apart];
  }
  return found;
}

/** The groups' means. One that nobody is in gets the pixel that is farthest from its own, the largest group's, mean. @param {Uint8Array} pixels @param {number[]} rows @param {Uint8Array} found @param {Float32Array} before */
function middles(pixels, rows, found, before) {
  const sums = new Float32Array(before.length);
  const counts = new Float32Array(before.length / 3);
  const move = (/** @type {number} */ place, /** @type {number} */ group, /** @type {number} */ sign) => {
    counts[group] += sign;
    for (let channel = 0; channel < 3; channel++) sums[3 * group + channel] += sign * pixels[3 * rows[place] + channel];
  };
  for (let place = 0; place < rows.length; place++) move(place, found[place], 1);
  for (let empty = counts.indexOf(0); empty >= 0; empty = counts.indexOf(0)) {
    const largest = counts.indexOf(Math.max(...counts));
    const place = farthest(pixels, rows, found, largest, mean(sums, counts, largest));
    move(place, largest, -1);
    move(place, empty, 1);
    found[place] = empty;
  }
  return Float32Array.from([...counts.keys()].flatMap((group) => [...mean(sums, counts, group)]));
}

/** @param {Float32Array} sums @param {Float32Array} counts @param {number} group */
const mean = (sums, counts, group) =>
  sums.slice(3 * group, 3 * group + 3).map((sum) => sum * Math.fround(1 / counts[group]));

/** @param {Uint8Array} pixels @param {number[]} rows @param {Uint8Array} found @param {number} group @param {Float32Array} middle */
function farthest(pixels, rows, found, group, middle) {
  let [most, best] = [0, 0];
  for (let place = 0; place < rows.length; place++) {
    if (found[place] !== group) continue;
    const apart = between(pixels, 3 * rows[place], middle, 0);
    if (apart >= most) [best, most] = [place, apart];
  }
  return best;
}

/** First centres, far from each other. @param {Uint8Array} pixels @param {number[]} rows @param {number} count @param {Chance} random */
function spreadOut(pixels, rows, count, random) {
  const centres = new Float32Array(3 * count);
  const colour = (/** @type {number} */ place) => pixels.slice(3 * rows[place], 3 * rows[place] + 3);
  centres.set(colour(random.below(rows.length)));
  let apart = Float32Array.from(rows, (row) => between(pixels, 3 * row, centres, 0));
  let sum = apart.reduce((one, other) => one + other, 0);
  for (let group = 1; group < count; group++) {
    let best = { place: 0, sum: Number.POSITIVE_INFINITY, apart };
    for (let time = 0; time < TRIES; time++) {
      const place = drawn(apart, random.share() * sum);
      const tried = colour(place);
      const near = apart.map((least, own) => Math.min(between(pixels, 3 * rows[own], tried, 0), least));
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
export function between(one, at, other, there) {
  const r = one[at] - other[there];
  const g = one[at + 1] - other[there + 1];
  const b = one[at + 2] - other[there + 2];
  return r * r + g * g + b * b;
}
