/** Distributions in the plane, all within three units of the origin: those of `companion.data.toy`, more, and the reader's own. */

import { circle } from "./portable.js";

/** @typedef {import("./random.js").Stream} Stream */
/**
 * @typedef {object} Distribution
 * @property {string} name
 * @property {{ centres: [number, number][], deviation: number } | null} modes where it is a mixture of equal Gaussians
 * @property {(draw: Stream) => [number, number]} point one point
 */

export const REACH = 3; // the plane that is shown, and drawn in, is [−3, 3]²
const TIGHT = 0.05; // the ring's deviation in the package
const LOOSE = 0.06;

/** @param {string} name @param {[number, number][]} centres @returns {Distribution} */
function mixture(name, centres) {
  /** @param {Stream} draw @returns {[number, number]} */
  const point = (draw) => around(centres[draw.integer(centres.length)], TIGHT, draw);
  return { name, modes: { centres, deviation: TIGHT }, point };
}

/** @param {[number, number]} centre @param {number} deviation @param {Stream} draw @returns {[number, number]} */
function around([x, y], deviation, draw) {
  const right = deviation * draw.normal();
  return [x + right, y + deviation * draw.normal()];
}

/** @param {string} name @param {(draw: Stream) => [number, number]} place @param {number} deviation @returns {Distribution} */
function curve(name, place, deviation) {
  return { name, modes: null, point: (draw) => around(place(draw), deviation, draw) };
}

const EIGHT = Array.from({ length: 8 }, (_, k) => scaled(circle((k * Math.PI) / 4), 2));
const FIVE = [-2, -1, 0, 1, 2];

/** @param {[number, number]} point @param {number} by @returns {[number, number]} */
function scaled([x, y], by) {
  return [by * x, by * y];
}

/** @param {Stream} draw @returns {[number, number]} */
function moon(draw) {
  const upper = draw.uniform() < 0.5;
  const [x, y] = circle(Math.PI * draw.uniform());
  return upper ? [1.5 * x - 0.75, 1.5 * y - 0.4] : [0.75 - 1.5 * x, 0.4 - 1.5 * y];
}

/** Scikit-learn's `make_swiss_roll` seen from its end, divided by 7.5, as in Gulrajani et al. 2017. @param {Stream} draw */
function roll(draw) {
  const angle = 1.5 * Math.PI * (1 + 2 * draw.uniform());
  return scaled(circle(angle), angle / 7.5);
}

/** @type {Record<string, Distribution>} */
export const DISTRIBUTIONS = {
  ring: mixture("ring of eight", EIGHT),
  grid: mixture(
    "grid of twenty-five",
    FIVE.flatMap((y) => FIVE.map((x) => /** @type {[number, number]} */ ([x, y]))),
  ),
  moons: curve("two moons", moon, LOOSE),
  roll: curve("Swiss roll", roll, 0.25 / 7.5),
  line: curve("line", (draw) => scaled([2, 1.2], 2 * draw.uniform() - 1), LOOSE),
};

/** What the reader drew: every dab as likely as every other. @param {[number, number][]} dabs @returns {Distribution} */
export function drawn(dabs) {
  return curve("your drawing", (draw) => dabs[draw.integer(dabs.length)], LOOSE);
}

/** Points of a distribution, one after the other, `(count, 2)`. @param {Distribution} from @param {Stream} draw @param {number} count */
export function points(from, draw, count) {
  const found = new Float64Array(2 * count);
  for (let i = 0; i < count; i++) found.set(from.point(draw), 2 * i);
  return found;
}

// ---- a drawing as text: each dab is two letters, its column and row on a net of 64 × 64 ----

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
export const MOST_DABS = 400;

/** @param {number} coordinate */
function cell(coordinate) {
  return Math.min(63, Math.max(0, Math.floor(((coordinate + REACH) / (2 * REACH)) * 64)));
}

/** @param {[number, number][]} dabs */
export function written(dabs) {
  return dabs.map((dab) => dab.map((coordinate) => LETTERS[cell(coordinate)]).join("")).join("");
}

/** The middles of the cells that `written` names; what is no such text gives as much as can be read. @param {string} text */
export function read(text) {
  /** @type {[number, number][]} */
  const dabs = [];
  for (let at = 0; at + 1 < text.length && dabs.length < MOST_DABS; at += 2) {
    const [x, y] = [text[at], text[at + 1]].map((letter) => LETTERS.indexOf(letter));
    if (x < 0 || y < 0) break;
    const middle = (/** @type {number} */ place) => ((place + 0.5) / 64) * 2 * REACH - REACH;
    dabs.push([middle(x), middle(y)]);
  }
  return dabs;
}
