/** Latents drawn, mixed and moved: the few lines of linear algebra that demos share. */

/**
 * Numbers from 0 to 1 that are the same for the same seed (mulberry32).
 *
 * @param {number} seed
 * @returns {() => number}
 */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Standard normal numbers (Box and Muller 1958).
 *
 * @param {number} length
 * @param {() => number} random
 */
export function normal(length, random) {
  const drawn = new Float32Array(length);
  for (let place = 0; place < length; place++) {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    drawn[place] = radius * Math.cos(2 * Math.PI * random());
  }
  return drawn;
}

/**
 * The sum of vectors, each times its weight.
 *
 * @param {ArrayLike<number>[]} vectors
 * @param {number[]} weights
 */
export function mixed(vectors, weights) {
  const sum = new Float32Array(vectors[0].length);
  vectors.forEach((vector, index) => {
    for (let place = 0; place < sum.length; place++) sum[place] += weights[index] * vector[place];
  });
  return sum;
}

/**
 * Weights of the four corners at a place in the unit square: they sum to one, and are then stretched so that mixed
 * standard normals are standard normal again. The corners: bottom left, bottom right, top left, top right.
 *
 * @param {number} x
 * @param {number} y
 */
export function cornerWeights(x, y) {
  const weights = [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
  const length = Math.hypot(...weights);
  return weights.map((weight) => weight / length);
}

/**
 * Rows as one tensor `(N, length)`.
 *
 * @param {ArrayLike<number>[]} rows
 */
export function stacked(rows) {
  const length = rows[0].length;
  const data = new Float32Array(rows.length * length);
  rows.forEach((row, index) => {
    data.set(row, index * length);
  });
  return { data, shape: [rows.length, length] };
}
