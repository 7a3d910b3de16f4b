/**
 * The knob in the picture: the way from the thumb to the index finger, and how loud that is.
 *
 * @import { Found } from "../kit/landmarks.js"
 * @import { Turn } from "./knob.js"
 */

import { plain } from "../kit/controls.js";
import { POINTS, pinch } from "./gestures.js";
import { dot, plate, unitOf } from "./skeletons.js";

const FREE = "#2fbf94"; // the level, as the hand turns it,
const LOCKED = "#e69f00"; // and as it is locked
const SHADE = "rgb(22 27 34 / 78%)";

/** From tip to tip, with the length in hand-widths. @param {CanvasRenderingContext2D} context @param {Found} hand @param {boolean} locked */
export function span(context, hand, locked) {
  const unit = unitOf(hand);
  const colour = locked ? LOCKED : FREE;
  const at = (/** @type {number} */ row) => [hand.landmarks[row].x * hand.width, hand.landmarks[row].y * hand.height];
  const [thumb, index, knuckle] = [POINTS.thumbTip, POINTS.indexTip, POINTS.indexKnuckle].map(at);
  for (const [shade, wide] of /** @type {const} */ ([
    [SHADE, 4],
    [colour, 2.2],
  ])) {
    context.beginPath();
    context.moveTo(thumb[0], thumb[1]);
    context.lineTo(index[0], index[1]);
    Object.assign(context, { strokeStyle: shade, lineWidth: wide * unit, lineCap: "round" });
    context.stroke();
  }
  for (const end of [thumb, index]) dot(context, end, 3.4 * unit, "#fff", colour, 2 * unit);
  const [x, y] = [(thumb[0] + index[0]) / 2, (thumb[1] + index[1]) / 2];
  const outwards = knuckle[0] > x ? -1 : 1;
  plate(context, plain(pinch(hand), 2), [x + outwards * 22 * unit, y], unit);
}

/** How loud it is, along the right edge. @param {CanvasRenderingContext2D} context @param {Turn} turn */
export function bar(context, { level, locked }) {
  const { a: finer } = context.getTransform();
  const [width, height] = [context.canvas.width / finer, context.canvas.height / finer];
  const unit = unitOf({ width, height });
  const [wide, gap] = [7 * unit, 6 * unit];
  const tall = height - 2 * gap;
  const pill = (/** @type {string} */ colour, /** @type {number} */ length) => {
    context.beginPath();
    context.roundRect(width - gap - wide, gap + tall - length, wide, length, wide / 2);
    context.fillStyle = colour;
    context.fill();
  };
  pill("rgb(22 27 34 / 55%)", tall);
  if (level > 0) pill(locked ? LOCKED : FREE, Math.max(wide, tall * level));
}
