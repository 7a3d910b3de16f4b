/**
 * What was found, drawn on the picture: light lines with a dark edge, so that they show on any photograph. As in chapter
 * 8, the person's left is amber and the right sky blue, told apart under every common colour blindness.
 *
 * @import { Found, Landmark } from "../kit/landmarks.js"
 */

export const LEFT = "rgb(255 190 60)";
export const RIGHT = "rgb(110 220 255)";
export const MIDDLE = "rgb(255 255 255)";
const EDGE = "rgb(22 27 34 / 78%)";
const SURE = 0.5; // landmarks of a body less visible than this are guesses and stay undrawn

const FINGERS = [
  [0, 1, 2, 3, 4],
  [0, 5, 6, 7, 8],
  [5, 9, 10, 11, 12],
  [9, 13, 14, 15, 16],
  [0, 17, 18, 19, 20],
  [13, 17],
];
const TIPS = [4, 8, 12, 16, 20];
/** @type {[string, number[][]][]} */
const LIMBS = [
  [
    MIDDLE,
    [
      [12, 11, 23, 24, 12],
      [2, 1, 0, 4, 5],
      [9, 10],
    ],
  ],
  [
    LEFT,
    [
      [11, 13, 15, 17, 19, 15, 21],
      [23, 25, 27, 29, 31, 27],
      [2, 3, 7],
    ],
  ],
  [
    RIGHT,
    [
      [12, 14, 16, 18, 20, 16, 22],
      [24, 26, 28, 30, 32, 28],
      [5, 6, 8],
    ],
  ],
];
const RIGHT_ROWS = LIMBS[2][1].flat();

/** Pairs of rows of a face's mesh, from MediaPipe's own lists. @typedef {{ web: number[], left: number[], right: number[], middle: number[] }} Edges */

/** The same finding for the picture seen in a mirror: landmarks move, sides stay the person's. @template {Found} F @param {F} found @returns {F} */
export const mirrored = (found) => ({
  ...found,
  landmarks: found.landmarks.map((landmark) => ({ ...landmark, x: 1 - landmark.x })),
});

/** The width of a line on such a picture. @param {{ width: number, height: number }} size */
export const unitOf = ({ width, height }) => Math.max(1, Math.max(width, height) / 260);

/**
 * Draw each finding.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Found[]} found
 * @param {Edges | null} edges
 */
export function drawAll(context, found, edges) {
  context.save();
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const one of found) {
    const at = one.landmarks.map(({ x, y }) => [x * one.width, y * one.height]);
    if (one.kind === "hand") drawHand(context, one, at);
    else if (one.kind === "pose") drawPose(context, one, at);
    else drawFace(context, at, edges);
  }
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {Found} hand @param {number[][]} at */
function drawHand(context, hand, at) {
  const unit = unitOf(hand);
  const colour = hand.side === "left" ? LEFT : RIGHT;
  chains(context, FINGERS, at, colour, 1.3 * unit);
  hand.landmarks.forEach((landmark, row) => {
    const tip = TIPS.includes(row);
    dot(
      context,
      at[row],
      (tip ? 2.6 : 1.9) * unit * nearness(landmark),
      tip ? MIDDLE : colour,
      tip ? colour : EDGE,
      unit,
    );
  });
}

/** How much larger what is nearer to the camera is drawn. @param {Landmark} landmark */
const nearness = ({ z }) => Math.min(1.5, Math.max(0.75, 1 - 1.6 * z));

/** @param {CanvasRenderingContext2D} context @param {Found} pose @param {number[][]} at */
function drawPose(context, pose, at) {
  const unit = unitOf(pose);
  const seen = pose.landmarks.map(({ visibility }) => (visibility ?? 1) >= SURE);
  for (const [colour, lines] of LIMBS) {
    const bones = lines.flatMap((line) => line.slice(1).map((row, place) => [line[place], row]));
    chains(
      context,
      bones.filter((bone) => bone.every((row) => seen[row])),
      at,
      colour,
      1.5 * unit,
    );
  }
  at.forEach((place, row) => {
    const colour = row === 0 ? MIDDLE : RIGHT_ROWS.includes(row) ? RIGHT : LEFT;
    const small = row < 11 || (row > 16 && row < 23) || row > 28;
    if (seen[row])
      dot(context, place, (small ? 1.5 : 2.6) * unit, small ? colour : MIDDLE, small ? EDGE : colour, unit);
  });
}

/** @param {CanvasRenderingContext2D} context @param {number[][]} at @param {Edges | null} edges */
function drawFace(context, at, edges) {
  const across = at.map(([x]) => x);
  const unit = Math.max(0.6, (Math.max(...across) - Math.min(...across)) / 90); // by the face's width
  if (!edges) {
    for (const place of at) dot(context, place, 0.7 * unit, MIDDLE, EDGE, 0.5 * unit);
    return;
  }
  context.globalAlpha = 0.3; // the web lets the face show through
  stroke(context, pairs(edges.web), at, EDGE, 0.75 * unit);
  context.globalAlpha = 0.75;
  stroke(context, pairs(edges.web), at, MIDDLE, 0.3 * unit);
  context.globalAlpha = 1;
  for (const [colour, rows] of /** @type {const} */ ([
    [MIDDLE, edges.middle],
    [LEFT, edges.left],
    [RIGHT, edges.right],
  ])) {
    chains(context, pairs(rows), at, colour, 0.8 * unit);
  }
}

/** @param {number[]} rows */
const pairs = (rows) => Array.from({ length: rows.length / 2 }, (_, place) => [rows[2 * place], rows[2 * place + 1]]);

/** Lines with their dark edge. @param {CanvasRenderingContext2D} context @param {number[][]} lines @param {number[][]} at @param {string} colour @param {number} wide */
function chains(context, lines, at, colour, wide) {
  stroke(context, lines, at, EDGE, 2.1 * wide);
  stroke(context, lines, at, colour, wide);
}

/** @param {CanvasRenderingContext2D} context @param {number[][]} lines @param {number[][]} at @param {string} colour @param {number} wide */
function stroke(context, lines, at, colour, wide) {
  context.beginPath();
  for (const line of lines) {
    line.forEach((row, place) => {
      if (place) context.lineTo(at[row][0], at[row][1]);
      else context.moveTo(at[row][0], at[row][1]);
    });
  }
  context.strokeStyle = colour;
  context.lineWidth = wide;
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {number[]} at @param {number} radius @param {string} colour @param {string} rim @param {number} wide */
export function dot(context, [x, y], radius, colour, rim, wide) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.strokeStyle = rim;
  context.lineWidth = 0.8 * wide;
  context.stroke();
}

/** Words on a dark plate, its middle at a place, kept within the picture. @param {CanvasRenderingContext2D} context @param {string} words @param {number[]} at @param {number} unit */
export function plate(context, words, [x, y], unit) {
  const tall = 7.5 * unit;
  context.save();
  context.font = `600 ${tall}px ${getComputedStyle(context.canvas).getPropertyValue("--gv-sans") || "sans-serif"}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const half = context.measureText(words).width / 2 + 4 * unit;
  const { a: finer } = context.getTransform();
  const [width, height] = [context.canvas.width / finer, context.canvas.height / finer];
  const [middle, centre] = [
    Math.min(Math.max(x, half + unit), width - half - unit),
    Math.min(Math.max(y, tall), height - tall),
  ];
  context.fillStyle = EDGE;
  context.beginPath();
  context.roundRect(middle - half, centre - 0.8 * tall, 2 * half, 1.6 * tall, 0.8 * tall);
  context.fill();
  context.fillStyle = MIDDLE;
  context.fillText(words, middle, centre + 0.06 * tall);
  context.restore();
}
