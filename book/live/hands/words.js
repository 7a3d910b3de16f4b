/**
 * What was found, in words and in tables.
 *
 * @import { Found, Kind } from "../kit/landmarks.js"
 */

import { fingersUp, pinch } from "./gestures.js";

const NUMBERS = ["No", "One", "Two", "Three", "Four"];
/** @type {Record<Kind, { one: string, many: string }>} */
export const NAMES = {
  hand: { one: "hand", many: "hands" },
  face: { one: "face", many: "faces" },
  pose: { one: "body", many: "bodies" },
};
const OF_A_FINGER = ["knuckle", "middle joint", "last joint", "tip"];
const OF_A_THUMB = ["root", "knuckle", "joint", "tip"];
const HAND = [
  "wrist",
  ...OF_A_THUMB.map((part) => `thumb, ${part}`),
  ...["index", "middle", "ring", "little"].flatMap((finger) => OF_A_FINGER.map((part) => `${finger} finger, ${part}`)),
];
const FACE_PARTS = ["eye, inner corner", "eye", "eye, outer corner"];
const BODY = [
  "nose",
  ...["left", "right"].flatMap((side) => FACE_PARTS.map((part) => `${side} ${part}`)),
  ..."left ear,right ear,mouth, left corner,mouth, right corner".split(/,(?! )/),
  ...[
    "shoulder",
    "elbow",
    "wrist",
    "little finger",
    "index finger",
    "thumb",
    "hip",
    "knee",
    "ankle",
    "heel",
    "toe",
  ].flatMap((part) => [`left ${part}`, `right ${part}`]),
];
const VISIBLE = 0.5;
const MOVING = 0.3; // of a blendshape: less is not told
const TOLD = 3; // blendshapes

/** The name of a landmark. @param {Kind} kind @param {number} row */
export const nameOf = (kind, row) => ({ hand: HAND, pose: BODY, face: [] })[kind][row] ?? `point ${row + 1}`;

/** How many there are: “Two hands”. @param {Kind} kind @param {number} count */
export const counted = (kind, count) =>
  `${NUMBERS[count] ?? count} ${count === 1 ? NAMES[kind].one : NAMES[kind].many}`;

/** One sentence on each finding. @param {Found} found @returns {string} */
export function described(found) {
  if (found.kind === "hand") return hand(found);
  return found.kind === "face" ? face(found) : body(found);
}

/** @param {Found} found */
function hand(found) {
  const up = fingersUp(found);
  const fingers = up.length === 5 ? "all five fingers up" : up.length ? `${listed(up)} up` : "no finger up";
  const sure = `${Math.round(100 * (found.score ?? 0))} % sure`;
  return `A ${found.side} hand (${sure}): ${fingers}, thumb and index finger ${pinch(found).toFixed(1)} hand-widths apart.`;
}

/** @param {Found} found */
function face({ moves = {} }) {
  const told = Object.entries(moves)
    .filter(([name, amount]) => amount >= MOVING && !name.startsWith("_"))
    .sort(([, one], [, other]) => other - one)
    .slice(0, TOLD)
    .map(([name, amount]) => `${apart(name)} ${amount.toFixed(2)}`);
  return `A face of 478 landmarks${told.length ? `; it moves most: ${listed(told)}` : ", and it keeps still"}.`;
}

/** “mouthSmileLeft” as “mouth smile left”. @param {string} name */
const apart = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** @param {Found} found */
function body({ landmarks }) {
  const seen = landmarks.map(({ visibility }) => (visibility ?? 1) >= VISIBLE);
  const raised = /** @type {[string, number][]} */ ([
    ["left", 15],
    ["right", 16],
  ]).filter(([, wrist]) => seen[wrist] && landmarks[wrist].y < landmarks[0].y);
  const arms =
    raised.length === 2
      ? ", both hands above the nose"
      : raised.length
        ? `, the ${raised[0][0]} hand above the nose`
        : "";
  return `A body: ${seen.filter(Boolean).length} of 33 landmarks are to be seen${arms}.`;
}

/** “a, b and c”. @param {readonly string[]} words */
const listed = (words) => words.join(", ").replace(/, ([^,]*)$/, " and $1");
