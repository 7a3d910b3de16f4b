/**
 * What a hand says, by rules: `companion.vision.gestures` in the page, number for number.
 *
 * Everything is measured in hand-widths, the distance between the knuckles of the index and the little finger.
 *
 * @import { Found } from "../kit/landmarks.js"
 */

import { Hysteresis } from "./smoothing.js";

export const POINTS = { wrist: 0, thumbTip: 4, indexKnuckle: 5, indexTip: 8, littleKnuckle: 17 };
export const FINGERS = /** @type {const} */ (["thumb", "index", "middle", "ring", "little"]);

/** @typedef {typeof FINGERS[number]} Finger */

export const RULES = {
  straight: 0.85, // tip to knuckle, over the finger's length along its bones
  away: 1.05, // wrist to tip, over wrist to middle joint
  thumbOut: 1.3, // hand-widths from the thumb's tip to the little finger's knuckle
  pinched: 0.55, // hand-widths from the thumb's tip to the index finger's
  letGo: 0.75,
};

/**
 * The landmarks in hand-widths, the wrist at the origin. x and y come in parts of the picture's width and height, z in
 * parts of its width, so all three are brought to pixels first.
 *
 * @param {Found} hand
 * @returns {number[][]}
 */
export function shape({ landmarks, width, height }) {
  const points = landmarks.map(({ x, y, z }) => [x * width, y * height, z * width]);
  const unit = distance(points, POINTS.indexKnuckle, POINTS.littleKnuckle);
  if (!(unit > 0)) throw new Error("The hand has no width.");
  const wrist = points[POINTS.wrist];
  return points.map((point) => point.map((value, axis) => (value - wrist[axis]) / unit));
}

/** @param {number[][]} points @param {number} start @param {number} end */
const distance = (points, start, end) => Math.hypot(...points[start].map((value, axis) => value - points[end][axis]));

/** How far the tip of the thumb is from the tip of the index finger, in hand-widths. @param {Found} hand */
export const pinch = (hand) => distance(shape(hand), POINTS.thumbTip, POINTS.indexTip);

/** On when thumb and index finger touch, off when they have clearly parted. */
export const pinchSwitch = () => new Hysteresis(RULES.pinched, RULES.letGo);

/** The fingers that are stretched out, whichever way the hand points. @param {Found} hand @returns {Finger[]} */
export function fingersUp(hand) {
  const points = shape(hand);
  const pinching = distance(points, POINTS.thumbTip, POINTS.indexTip) <= RULES.pinched;
  return FINGERS.filter((_, finger) => (pinching ? finger > 1 : true) && isUp(points, finger));
}

/** @param {number[][]} points @param {number} finger */
function isUp(points, finger) {
  const rows = [1, 2, 3, 4].map((joint) => 4 * finger + joint); // from the palm to the tip
  const [knuckle, middle, , tip] = rows;
  if (!finger) return distance(points, tip, POINTS.littleKnuckle) >= RULES.thumbOut;
  const bones = rows.slice(0, -1).reduce((sum, row) => sum + distance(points, row, row + 1), 0);
  const straight = distance(points, tip, knuckle) >= RULES.straight * bones;
  return straight && distance(points, 0, tip) >= RULES.away * distance(points, 0, middle);
}
