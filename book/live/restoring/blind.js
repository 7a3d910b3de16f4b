/**
 * Finding a kernel that nobody knows, without a network: the twin of `companion.blind`, step by step and in double
 * precision, which says what is done and why. Beside the transforms' own, a level's memory is taken once.
 *
 * @import { Spectrum } from "./fourier.js"
 */

import { taps } from "../kit/resampling.js";
import { quick, Transform } from "./fourier.js";

export const SIZES = [9, 15, 25, 41]; // sides of the kernels that are looked for
export const ENOUGH = 0.7; // evidence per pixel that a blur must have to be worth undoing
export const STEEP = 1.3; // steeper than this for a kernel's light, a picture was not blurred by it
export const RARE = 0.001; // the part of a picture's steps that is not asked how steep it is
export const STEPS = 5; // turns at each size
export const EDGES = 0.004; // what an edge must be worth, of a picture in [0, 1]
const SMOOTH = 2; // weight of the kernel's own square
export const FLAT = 2 / 255; // a picture that varies by less is one flat area
const FAINT = 0.05; // of a kernel's brightest light: what is fainter is noise
const LEAST = 1e-4; // that an edge is worth in the end
const TIGHT = 1e4; // the tie of slopes to the picture ends here

/** @typedef {{ data: Float64Array, width: number, height: number }} Grey  Row after row. */
/** @typedef {{ data: Float64Array, side: number }} Kernel  Row after row; its light adds up to one. */

/** Whether a picture in [−1, 1] is one flat area, which no blur changes. @param {Grey} picture */
export const flat = ({ data }) => range(data) < FLAT;

/** From the least to the greatest. @param {Float64Array} data */
function range(data) {
  let [least, most] = [data[0], data[0]];
  for (const value of data) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return most - least;
}

/** How steep a picture is for what a kernel leaves of edges. @param {Grey} picture @param {Kernel} kernel */
export function steepness({ data, width }, { data: light, side }) {
  const height = range(data);
  const [rows, columns] = [new Float64Array(side), new Float64Array(side)];
  light.forEach((value, at) => {
    rows[Math.floor(at / side)] += value;
    columns[at % side] += value;
  });
  const down = data.subarray(width).map((value, at) => Math.abs(value - data[at]));
  const across = data.map((value, at) => Math.abs(data[at + 1] - value)).filter((_, at) => (at + 1) % width);
  /** @param {Float64Array} steps @param {Float64Array} lights */
  const steepest = (steps, lights) =>
    steps.length && height
      ? steps.sort()[Math.ceil((1 - RARE) * steps.length) - 1] / (height * Math.max(...lights))
      : 0;
  return Math.max(steepest(down, rows), steepest(across, columns));
}

/** The sizes of kernel that a picture has room for. @param {{ width: number, height: number }} picture */
export const roomFor = ({ width, height }) => SIZES.filter((size) => size <= Math.floor(Math.min(width, height) / 3));

/**
 * The kernel of a picture that is blurred alike everywhere.
 *
 * @param {Grey} picture  In [−1, 1].
 * @param {number} size  Side of the largest kernel that is looked for, odd.
 * @param {(part: number) => void} [onProgress]
 * @returns {Kernel}
 */
export function blindKernel(picture, size, onProgress = () => {}) {
  const grey = { ...picture, data: picture.data.map((value) => (value + 1) / 2) };
  const levels = Math.max(1, Math.floor(Math.log(size / 5) / Math.log(Math.SQRT2)) + 1);
  let kernel = still(3);
  let weight = EDGES;
  for (let level = levels - 1; level >= 0; level--) {
    const share = 0.5 ** (level / 2);
    const side = Math.max(3, 2 * Math.floor(Math.round(size * share) / 2) + 1);
    kernel = resized(kernel, side);
    const turns = new Level(framed(level ? shrunk(grey, share) : grey, side), side);
    for (let step = 0; step < STEPS; step++) {
      kernel = turns.kernelOf(turns.fewEdges(kernel, weight));
      weight = Math.max(weight / 1.1, LEAST);
      // Each level has twice the pixels of the one before.
      onProgress(0.5 ** level - (0.5 ** (level + 1) * (STEPS - 1 - step)) / STEPS);
    }
  }
  return single(centred(kernel));
}

/** One size of the picture, with all the memory that its turns take. */
class Level {
  /** @param {ReturnType<typeof framed>} framed @param {number} side */
  constructor({ transform, picture }, side) {
    this.transform = transform;
    this.side = side;
    this.blurred = picture;
    this.seen = transform.spectrum(); // of the blurred picture
    transform.forward(picture, this.seen);
    this.slopes = slopes(transform);
    this.fit = transform.spectrum();
    this.work = transform.spectrum();
    this.power = new Float64Array(this.slopes.length);
    this.edges = transform.picture();
    this.split = transform.picture();
  }

  /**
   * The picture of fewest edges that the kernel still turns into the blurred one.
   *
   * @param {Kernel} kernel
   * @param {number} weight
   */
  fewEdges(kernel, weight) {
    const { transform, fit, power, seen, slopes, work, edges, split } = this;
    this.laid(kernel);
    transform.forward(split, work);
    for (let at = 0; at < power.length; at++) {
      power[at] = work.re[at] ** 2 + work.im[at] ** 2;
      fit.re[at] = work.re[at] * seen.re[at] + work.im[at] * seen.im[at];
      fit.im[at] = work.re[at] * seen.im[at] - work.im[at] * seen.re[at];
    }
    edges.set(this.blurred);
    for (let tie = 2 * weight; tie < TIGHT; tie *= 2) {
      keepSlopes(edges, split, transform, weight / tie);
      transform.forward(split, work);
      for (let at = 0; at < power.length; at++) {
        const part = 1 / (power[at] + tie * slopes[at]);
        work.re[at] = (fit.re[at] + tie * work.re[at]) * part;
        work.im[at] = (fit.im[at] + tie * work.im[at]) * part;
      }
      transform.inverse(work, edges);
    }
    return edges;
  }

  /** A kernel as a picture whose middle is the first pixel, in `split`. @param {Kernel} kernel */
  laid({ data, side }) {
    const { split, transform } = this;
    const half = side >> 1;
    split.fill(0);
    for (let y = 0; y < side; y++) {
      const row = ((y - half + transform.height) % transform.height) * transform.stride;
      for (let x = 0; x < side; x++) {
        split[row + ((x - half + transform.width) % transform.width)] += data[y * side + x];
      }
    }
  }

  /** The kernel by least squares on slopes, without faint light. @param {Float64Array} edges @returns {Kernel} */
  kernelOf(edges) {
    const { transform, seen, slopes, work, side, split } = this;
    transform.forward(edges, work);
    for (let at = 0; at < slopes.length; at++) {
      const [re, im] = [work.re[at], work.im[at]];
      const part = slopes[at] / (SMOOTH + slopes[at] * (re * re + im * im));
      work.re[at] = (re * seen.re[at] + im * seen.im[at]) * part;
      work.im[at] = (re * seen.im[at] - im * seen.re[at]) * part;
    }
    transform.inverse(work, split);
    const data = new Float64Array(side * side);
    const half = side >> 1;
    for (let y = 0; y < side; y++) {
      const row = ((y - half + transform.height) % transform.height) * transform.stride;
      for (let x = 0; x < side; x++) {
        data[y * side + x] = split[row + ((x - half + transform.width) % transform.width)];
      }
    }
    const brightest = data.reduce((most, light) => Math.max(most, light));
    return shared({ data: data.map((light) => (light < FAINT * brightest ? 0 : light)), side });
  }
}

/**
 * Slopes to the right and lower neighbour, kept or set to zero, and their differences the other way round.
 *
 * @param {Float64Array} picture
 * @param {Float64Array} split  What is found.
 * @param {Transform} transform
 * @param {number} least  That a kept slope's square has.
 */
function keepSlopes(picture, split, { width, height, stride }, least) {
  split.fill(0);
  for (let y = 0; y < height; y++) {
    const here = y * stride;
    const below = (y + 1 < height ? y + 1 : 0) * stride;
    for (let x = 0; x < width; x++) {
      const next = x + 1 < width ? x + 1 : 0;
      const right = picture[here + next] - picture[here + x];
      const down = picture[below + x] - picture[here + x];
      if (!(right * right + down * down >= least)) continue;
      split[here + x] -= right + down;
      split[here + next] += right;
      split[below + x] += down;
    }
  }
}

/** The squared transforms of both differences, added. @param {Transform} transform */
function slopes({ width, height, tall }) {
  const found = new Float64Array(width * tall);
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < tall; y++) {
      found[x * tall + y] = 4 - 2 * Math.cos((2 * Math.PI * x) / width) - 2 * Math.cos((2 * Math.PI * y) / height);
    }
  }
  return found;
}

/**
 * A frame in which the picture runs over into its opposite border, so that it may be periodic; and its transform.
 *
 * @param {Grey} picture
 * @param {number} side
 */
function framed({ data, width, height }, side) {
  const transform = new Transform(quick(height + 2 * side), quick(width + 2 * side));
  const picture = transform.picture();
  for (let y = 0; y < transform.height; y++) {
    const row = width * Math.min(Math.max(y - side, 0), height - 1);
    for (let x = 0; x < transform.width; x++) {
      picture[y * transform.stride + x] = data[row + Math.min(Math.max(x - side, 0), width - 1)];
    }
  }
  for (let x = 0; x < transform.width; x++) closed(picture, x, transform.stride, transform.height, side);
  for (let y = 0; y < transform.height; y++) closed(picture, y * transform.stride, 1, transform.width, side);
  return { transform, picture };
}

/** One line whose ends are brought together. @param {Float64Array} picture @param {number} begin @param {number} step @param {number} length @param {number} side */
function closed(picture, begin, step, length, side) {
  const between = (picture[begin] + picture[begin + (length - 1) * step]) / 2;
  for (let at = 0; at < length; at++) {
    const ramp = Math.min(Math.min(at, length - 1 - at) / side, 1);
    const place = begin + at * step;
    picture[place] = ramp * picture[place] + (1 - ramp) * between;
  }
}

/** A smaller picture, as torch's bicubic with antialiasing has it. @param {Grey} picture @param {number} share @returns {Grey} */
function shrunk({ data, width, height }, share) {
  const [wide, high] = [Math.floor(width * share), Math.floor(height * share)];
  const [across, down] = [line(width, wide, share), line(height, high, share)];
  const between = new Float64Array(wide * height);
  for (let y = 0; y < height; y++) {
    across.forEach(({ first, weights }, x) => {
      between[y * wide + x] = weights.reduce((sum, weight, at) => sum + weight * data[y * width + first + at], 0);
    });
  }
  const found = new Float64Array(wide * high);
  down.forEach(({ first, weights }, y) => {
    for (let x = 0; x < wide; x++) {
      found[y * wide + x] = weights.reduce((sum, weight, at) => sum + weight * between[(first + at) * wide + x], 0);
    }
  });
  return { data: found, width: wide, height: high };
}

/** @param {number} length @param {number} wanted @param {number} share */
const line = (length, wanted, share) => taps(length, wanted, undefined, { begin: 0, extent: wanted / share });

/** As torch's bicubic without antialiasing has it (a = −¾), and what is negative cut off. @param {Kernel} kernel @param {number} side */
function resized({ data, side: given }, side) {
  const found = new Float64Array(side * side);
  const near = Array.from({ length: side }, (_, at) => neighbours(((at + 0.5) * given) / side - 0.5, given));
  near.forEach((rows, y) => {
    near.forEach((columns, x) => {
      let sum = 0;
      for (const row of rows) {
        for (const column of columns) sum += row.weight * column.weight * data[row.at * given + column.at];
      }
      found[y * side + x] = Math.max(sum, 0);
    });
  });
  return shared({ data: found, side });
}

/** The four pixels about a place, and their weights. @param {number} place @param {number} length */
function neighbours(place, length) {
  const first = Math.floor(place);
  return [-1, 0, 1, 2].map((step) => ({
    at: Math.min(Math.max(first + step, 0), length - 1),
    weight: cubic(Math.abs(place - first - step)),
  }));
}

/** @param {number} far */
function cubic(far) {
  const a = -0.75;
  if (far <= 1) return ((a + 2) * far - (a + 3)) * far * far + 1;
  return ((a * far - 5 * a) * far + 8 * a) * far - 4 * a;
}

/** Two pixels beside each other. @param {number} side @returns {Kernel} */
function still(side) {
  const data = new Float64Array(side * side);
  const middle = (side >> 1) * side + (side >> 1);
  data[middle] = data[middle - 1] = 0.5;
  return { data, side };
}

/** The kernel that changes nothing. @param {number} side @returns {Kernel} */
export function delta(side) {
  const data = new Float64Array(side * side);
  data[(side * side) >> 1] = 1;
  return { data, side };
}

/** Moved by whole pixels until its centre of mass lies in the middle. @param {Kernel} kernel */
export function centred({ data, side }) {
  const half = side >> 1;
  let [down, right] = [0, 0];
  data.forEach((light, at) => {
    down += light * (Math.floor(at / side) - half);
    right += light * ((at % side) - half);
  });
  return shared(moved({ data, side }, side, even(down), even(right)));
}

/** A kernel on a square of another side, seen from its middle moved. @param {Kernel} kernel @param {number} wanted @param {number} [down] @param {number} [right] @returns {Kernel} */
export function moved({ data, side }, wanted, down = 0, right = 0) {
  const found = new Float64Array(wanted * wanted);
  const shift = (side - wanted) / 2;
  for (let y = 0; y < wanted; y++) {
    for (let x = 0; x < wanted; x++) {
      const [fromY, fromX] = [y + shift + down, x + shift + right];
      if (Math.min(fromX, fromY) >= 0 && Math.max(fromX, fromY) < side) {
        found[y * wanted + x] = data[fromY * side + fromX];
      }
    }
  }
  return { data: found, side: wanted };
}

/** Rounded, halves to even, as Python does it. @param {number} value */
const even = (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

/** @param {Kernel} kernel @returns {Kernel} */
function shared({ data, side }) {
  const all = data.reduce((sum, light) => sum + light, 0);
  if (!(all > 0)) return still(side); // without an edge nothing tells of a blur
  return { data: data.map((light) => light / all), side };
}

/** As the network is told it. @param {Kernel} kernel @returns {Kernel} */
const single = ({ data, side }) => ({ data: data.map(Math.fround), side });
