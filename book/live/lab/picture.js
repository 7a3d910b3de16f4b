/** The plane of one run: what the critic believes, real and drawn points, how each is pushed, how the latents are warped. */

import { css, palette, pen } from "./colours.js";
import { REACH } from "./data.js";
import { GRID, MESH } from "./game.js";

/** @typedef {import("./colours.js").Palette} Palette */
/** @typedef {import("./colours.js").Colour} Colour */
/**
 * What is drawn; places are x, y one after the other.
 * @typedef {object} View
 * @property {Float32Array} real
 * @property {Float32Array} fakes
 * @property {Float32Array} pushes
 * @property {Float32Array} scores `(GRID, GRID)`
 * @property {Float32Array} mesh
 * @property {number} latents
 * @property {"normal" | "uniform"} noise
 * @property {"logit" | "label" | "score"} kind what a score is: a sigmoid's input, a guess at 0 or 1, or of no scale
 */
/** @typedef {Record<"map" | "real" | "fakes" | "pushes" | "mesh", boolean>} Layers */

const DEEPEST = 0.5; // how much of the colour the map takes on where the critic is sure
const TAU = 2 * Math.PI;

/** @param {HTMLCanvasElement} canvas @param {View} view @param {Layers} layers */
export function paint(canvas, view, layers) {
  const colours = palette();
  const { context, width } = pen(canvas);
  const at = (/** @type {number} */ coordinate) => ((coordinate + REACH) / (2 * REACH)) * width;
  const x = (/** @type {number} */ coordinate) => at(coordinate);
  const y = (/** @type {number} */ coordinate) => width - at(coordinate);
  context.fillStyle = css(colours.ground);
  context.fillRect(0, 0, width, width);
  const size = width / 400;
  if (layers.map) {
    const { low, middle, high } = range(view);
    paintMap(context, view.scores, { low, middle, high }, colours, width);
    for (const level of levels(view, low, high)) {
      context.strokeStyle = css(colours.critic, view.kind === "score" ? 0.42 : 0.9);
      context.lineWidth = (view.kind === "score" ? 1 : 2) * Math.max(0.8, size);
      contour(context, view.scores, level, width);
    }
  }
  if (layers.mesh) paintMesh(context, view, colours, x, y, size);
  if (layers.real) dots(context, view.real, css(colours.real), null, 2.6 * size, x, y);
  if (layers.pushes) arrows(context, view, css(colours.generator), size, x, y);
  if (layers.fakes) dots(context, view.fakes, css(colours.fake), css(colours.ground, 0.75), 3 * size, x, y);
}

/** From where to where the map's colours go, and where the critic is undecided. @param {View} view */
export function range({ scores, kind }) {
  if (kind === "logit") return { low: -2.5, middle: 0, high: 2.5 };
  if (kind === "label") return { low: 0, middle: 0.5, high: 1 };
  const sorted = scores.slice().sort();
  const [low, high] = [0.02, 0.98].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
  return { low, middle: (low + high) / 2, high };
}

/** Where level lines are drawn: where a discriminator is undecided; at even steps where a critic has no such place. @param {View} view @param {number} low @param {number} high */
function levels(view, low, high) {
  if (view.kind !== "score") return [range(view).middle];
  const step = spacing(high - low);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, k) => (first + k) * step);
}

/** A round number of which a dozen or fewer fit into a length. @param {number} length */
export function spacing(length) {
  if (!(length > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(length / 12));
  return [1, 2, 5, 10].map((by) => by * ten).find((step) => length / step <= 12) ?? 10 * ten;
}

/** @param {CanvasRenderingContext2D} context @param {Float32Array} scores @param {{ low: number, middle: number, high: number }} range @param {Palette} colours @param {number} width */
function paintMap(context, scores, { low, middle, high }, { ground, real, fake }, width) {
  const small = new OffscreenCanvas(GRID, GRID);
  const brush = /** @type {OffscreenCanvasRenderingContext2D} */ (small.getContext("2d"));
  const image = brush.createImageData(GRID, GRID);
  for (let i = 0; i < GRID * GRID; i++) {
    const score = scores[i];
    const sure = score > middle ? (score - middle) / (high - middle || 1) : (middle - score) / (middle - low || 1);
    const share = DEEPEST * Math.min(1, sure);
    const colour = score > middle ? real : fake;
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = ground[k] + share * (colour[k] - ground[k]);
    image.data[4 * i + 3] = 255;
  }
  brush.putImageData(image, 0, 0);
  context.imageSmoothingQuality = "high";
  const half = width / (GRID - 1) / 2; // a colour stands in the middle of its square, a score at its place
  context.drawImage(small, -half, -half, width + 2 * half, width + 2 * half);
}

/** The line on which the scores have a level, cell by cell (marching squares). @param {CanvasRenderingContext2D} context @param {Float32Array} scores @param {number} level @param {number} width */
function contour(context, scores, level, width) {
  const cell = width / (GRID - 1);
  context.beginPath();
  for (let row = 0; row < GRID - 1; row++) {
    for (let column = 0; column < GRID - 1; column++) {
      const crossings = crossed(scores, row, column, level);
      for (let k = 0; k + 1 < crossings.length; k += 2) {
        const [[x0, y0], [x1, y1]] = [crossings[k], crossings[k + 1]];
        context.moveTo(x0 * cell, y0 * cell);
        context.lineTo(x1 * cell, y1 * cell);
      }
    }
  }
  context.stroke();
}

const CORNERS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

/** Where the level crosses the sides of one cell. @param {Float32Array} scores @param {number} row @param {number} column @param {number} level */
function crossed(scores, row, column, level) {
  /** @type {[number, number][]} */
  const found = [];
  for (let side = 0; side < 4; side++) {
    const [x0, y0] = CORNERS[side];
    const [x1, y1] = CORNERS[(side + 1) % 4];
    const first = scores[(row + y0) * GRID + column + x0] - level;
    const second = scores[(row + y1) * GRID + column + x1] - level;
    if (first > 0 === second > 0) continue;
    const way = first / (first - second);
    found.push([column + x0 + way * (x1 - x0), row + y0 + way * (y1 - y0)]);
  }
  return found;
}

/** @param {CanvasRenderingContext2D} context @param {Float32Array} points @param {string} fill @param {string | null} rim @param {number} radius @param {(c: number) => number} x @param {(c: number) => number} y */
function dots(context, points, fill, rim, radius, x, y) {
  context.beginPath();
  for (let i = 0; i < points.length; i += 2) {
    const [across, down] = [x(points[i]), y(points[i + 1])];
    context.moveTo(across + radius, down);
    context.arc(across, down, radius, 0, TAU);
  }
  context.fillStyle = fill;
  if (rim) {
    context.strokeStyle = rim;
    context.lineWidth = radius / 2;
    context.stroke();
  }
  context.fill();
}

const PUSHED = 96; // fakes that get an arrow: more would hide one another

/** An arrow's length in the plane: in proportion to a weak push, and never more than a good half. @param {number} push */
function reach(push) {
  return (0.7 * push) / (push + 0.8);
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {string} colour @param {number} size @param {(c: number) => number} x @param {(c: number) => number} y */
function arrows(context, { fakes, pushes }, colour, size, x, y) {
  context.save(); // round ends are the arrows' own
  context.strokeStyle = colour;
  context.lineWidth = 1.4 * size;
  context.lineCap = "round";
  context.beginPath();
  for (let i = 0; i < 2 * PUSHED; i += 2) {
    const push = Math.hypot(pushes[i], pushes[i + 1]);
    const length = reach(push);
    if (!(length > 0.01)) continue;
    const [right, up] = [pushes[i] / push, pushes[i + 1] / push];
    const [endX, endY] = [fakes[i] + length * right, fakes[i + 1] + length * up];
    const head = Math.min(0.09, length / 3);
    context.moveTo(x(fakes[i]), y(fakes[i + 1]));
    context.lineTo(x(endX), y(endY));
    for (const turn of [-1, 1]) {
      context.moveTo(x(endX), y(endY));
      context.lineTo(x(endX - head * (right - 0.6 * turn * up)), y(endY - head * (up + 0.6 * turn * right)));
    }
  }
  context.stroke();
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {Palette} colours @param {(c: number) => number} x @param {(c: number) => number} y @param {number} size */
function paintMesh(context, view, colours, x, y, size) {
  const { mesh, latents } = view;
  context.lineJoin = "round";
  context.strokeStyle = css(colours.generator, 0.75);
  context.lineWidth = (latents === 1 ? 2.5 : 0.9) * size;
  if (latents === 1) {
    line(context, mesh, 0, 2, mesh.length / 2, x, y);
    context.stroke();
    return;
  }
  paintCells(context, view, colours.generator, x, y);
  context.beginPath();
  for (let k = 0; k < MESH; k += 2) {
    trace(context, mesh, 2 * k * MESH, 2, MESH, x, y);
    trace(context, mesh, 2 * k, 2 * MESH, MESH, x, y);
  }
  context.stroke();
}

/** Each cell of the net as dark as points lie densely in it: its share of the latents over its area. @param {CanvasRenderingContext2D} context @param {View} view @param {Colour} colour @param {(c: number) => number} x @param {(c: number) => number} y */
function paintCells(context, { mesh, noise }, colour, x, y) {
  for (let row = 0; row < MESH - 1; row++) {
    for (let column = 0; column < MESH - 1; column++) {
      const corners = CORNERS.map(([right, down]) => 2 * ((row + down) * MESH + column + right));
      const share = noise === "uniform" ? 1 / (MESH - 1) ** 2 : mass(row) * mass(column);
      const density = share / Math.max(1e-4, area(mesh, corners));
      const alpha = Math.min(0.55, 0.9 * (density / (density + 0.6)));
      if (alpha < 0.02) continue;
      context.fillStyle = css(colour, alpha);
      context.beginPath();
      for (const at of corners) context.lineTo(x(mesh[at]), y(mesh[at + 1]));
      context.fill();
    }
  }
}

/** The share of normal latents between two lines of the net. @param {number} line */
function mass(line) {
  const step = (2 * 2.4) / (MESH - 1);
  const middle = -2.4 + (line + 0.5) * step;
  return (step * Math.exp((-middle * middle) / 2)) / Math.sqrt(TAU);
}

/** @param {Float32Array} mesh @param {number[]} corners */
function area(mesh, corners) {
  let twice = 0;
  corners.forEach((at, k) => {
    const next = corners[(k + 1) % 4];
    twice += mesh[at] * mesh[next + 1] - mesh[next] * mesh[at + 1];
  });
  return Math.abs(twice) / 2;
}

/** @param {CanvasRenderingContext2D} context @param {Float32Array} points @param {number} from @param {number} step @param {number} count @param {(c: number) => number} x @param {(c: number) => number} y */
function line(context, points, from, step, count, x, y) {
  context.beginPath();
  trace(context, points, from, step, count, x, y);
}

/** @param {CanvasRenderingContext2D} context @param {Float32Array} points @param {number} from @param {number} step @param {number} count @param {(c: number) => number} x @param {(c: number) => number} y */
function trace(context, points, from, step, count, x, y) {
  for (let k = 0; k < count; k++) {
    const at = from + k * step;
    if (k === 0) context.moveTo(x(points[at]), y(points[at + 1]));
    else context.lineTo(x(points[at]), y(points[at + 1]));
  }
}

/** Half-way pictures between two moments, for slow motion. @param {View} before @param {View} after @param {number} share @returns {View} */
export function midway(before, after, share) {
  const blend = (/** @type {Float32Array} */ first, /** @type {Float32Array} */ second) =>
    second.map((value, i) => first[i] + share * (value - first[i]));
  return {
    ...after,
    fakes: blend(before.fakes, after.fakes),
    pushes: blend(before.pushes, after.pushes),
    scores: blend(before.scores, after.scores),
    mesh: blend(before.mesh, after.mesh),
  };
}
