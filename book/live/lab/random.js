/**
 * Random numbers with a purpose: a function of (seed, purpose, index), as in the package's `companion.randomness`.
 *
 * No two things share their numbers, and a run that stops can go on, since a number hangs on nothing but these three.
 * The numbers themselves are not torch's.
 */

import { log } from "./portable.js";

/** @typedef {{ uniform(): number, integer(below: number): number, normal(): number }} Stream */

/** A bijection of 32 bits in which every bit of the input moves half of the output's (MurmurHash3's). @param {number} bits */
function mixed(bits) {
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/** @type {Map<string, number>} */
const hashes = new Map();

/** FNV-1a of the words that name a purpose. @param {string} purpose */
function hash(purpose) {
  let found = hashes.get(purpose);
  if (found === undefined) {
    found = 0x811c9dc5;
    for (const letter of purpose) found = Math.imul(found ^ /** @type {number} */ (letter.codePointAt(0)), 0x01000193);
    hashes.set(purpose, found);
  }
  return found;
}

/**
 * The numbers of one purpose, from their beginning: a small fast counter (Doty-Humphrey's sfc32).
 * @param {number} seed @param {string} purpose @param {number} [index] @returns {Stream}
 */
export function stream(seed, purpose, index = 0) {
  const word = (/** @type {number} */ place) =>
    mixed(mixed(mixed(hash(purpose) + Math.imul(place, 0x9e3779b9)) ^ seed) ^ index);
  let [a, b, c, counter] = [word(1), word(2), word(3), 1];
  const bits = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) bits();
  /** @type {number | null} */
  let spare = null;

  /** In [0, 1), 53 bits. */
  const uniform = () => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;
  return {
    uniform,
    integer: (below) => Math.floor(uniform() * below),
    /** Standard normal, by Marsaglia's polar method, which gives two at a time. */
    normal() {
      if (spare !== null) {
        const kept = spare;
        spare = null;
        return kept;
      }
      let u;
      let v;
      let square;
      do {
        u = 2 * uniform() - 1;
        v = 2 * uniform() - 1;
        square = u * u + v * v;
      } while (square >= 1 || square === 0);
      const factor = Math.sqrt((-2 * log(square)) / square);
      spare = v * factor;
      return u * factor;
    },
  };
}
