/**
 * A network that is told what blurred a photograph, and heeded in part: the twin of `companion.listening`.
 *
 * @import { Network, Tensor } from "../kit/demo.js"
 * @import { Box, Pixels } from "../kit/tiles.js"
 * @import { Grey, Kernel } from "./blind.js"
 */

export const SEEN = 2; // pixels: a narrower blur is hardly seen
export const LOOKED_AT = 384; // side of the part of a photograph in which its blur is looked for
export const COARSE = 4; // times that a photograph is shrunk to find that part: noise is no detail

/**
 * The square of a photograph with the most coarse detail; all of a small photograph.
 *
 * @param {Pixels} pixels
 * @param {number} [side]
 * @returns {Box}
 */
export function busiest(pixels, side = LOOKED_AT) {
  const { width, height } = pixels;
  if (height <= side && width <= side) return { left: 0, top: 0, width, height };
  const coarse = coarsened(pixels);
  const sums = detail(coarse);
  const [tall, wide] = [height, width].map((length) => Math.floor(Math.min(side, length) / COARSE));
  let [best, left, top] = [Number.NEGATIVE_INFINITY, 0, 0];
  for (const y of starts(coarse.height, tall)) {
    for (const x of starts(coarse.width, wide)) {
      const [bottom, right] = [Math.min(y + tall, coarse.height - 1), Math.min(x + wide, coarse.width - 1)];
      const row = coarse.width;
      const found = sums[bottom * row + right] - sums[y * row + right] - sums[bottom * row + x] + sums[y * row + x];
      if (found > best) [best, left, top] = [found, COARSE * x, COARSE * y];
    }
  }
  return { left, top, width: Math.min(side, width - left), height: Math.min(side, height - top) };
}

/** Means of every second pixel's grey, in squares of two. @param {Pixels} pixels @returns {Grey} */
function coarsened({ data, width, height }) {
  const [wide, high] = [width, height].map((length) => Math.floor(Math.ceil(length / 2) / 2));
  const found = new Float64Array(wide * high);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      let sum = 0;
      for (const [dy, dx] of SQUARE) {
        const at = 4 * ((4 * y + dy) * width + 4 * x + dx);
        sum += (data[at] + data[at + 1] + data[at + 2]) / 3;
      }
      found[y * wide + x] = sum / 4;
    }
  }
  return { data: found, width: wide, height: high };
}

const SQUARE = [
  [0, 0],
  [0, 2],
  [2, 0],
  [2, 2],
];

/** Slopes, summed up from the upper left corner to before each pixel. @param {Grey} coarse */
function detail({ data, width, height }) {
  const sums = new Float64Array(width * height);
  for (let y = 0; y < height - 1; y++) {
    let line = 0;
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x;
      line += Math.abs(data[at + width] - data[at]) + Math.abs(data[at + 1] - data[at]);
      sums[at + width + 1] = sums[at + 1] + line;
    }
  }
  return sums;
}

/** Where parts of a length begin, each half a part after the one before; the last ends where the length does. @param {number} length @param {number} part */
function starts(length, part) {
  const found = [];
  for (let at = 0; at < Math.max(1, length - part); at += Math.max(1, part >> 1)) found.push(at);
  const last = Math.max(0, length - part);
  return found.includes(last) ? found : [...found, last];
}

const { fround } = Math;
const LEVEL = fround(2 / 255);

/**
 * A picture's grey in [−1, 1], each step in single precision as the package has it: where a picture says little of its
 * kernel, the last bit may decide.
 *
 * @param {Pixels} pixels
 * @returns {Grey}
 */
export function greyOf({ data, width, height }) {
  const value = (/** @type {number} */ place) => fround(fround(data[place] * LEVEL) - 1);
  const grey = Float64Array.from({ length: width * height }, (_, at) =>
    mean(value(4 * at), value(4 * at + 1), value(4 * at + 2)),
  );
  return { data: grey, width, height };
}

/** Likewise of an image. @param {Tensor} image  `(1, 3, H, W)` @returns {Grey} */
export function greyOfTensor({ data, shape: [, , height, width] }) {
  const area = width * height;
  const grey = Float64Array.from({ length: area }, (_, at) => mean(data[at], data[area + at], data[2 * area + at]));
  return { data: grey, width, height };
}

/** @param {number} red @param {number} green @param {number} blue */
const mean = (red, green, blue) => fround(fround(fround(red + green) + blue) / 3);

/** How wide a kernel is, in pixels: as long as a line that spreads the light as far. @param {Kernel} kernel */
export function widthOf({ data, side }) {
  let [x, y, squares] = [0, 0, 0];
  data.forEach((light, at) => {
    const [down, right] = [Math.floor(at / side), at % side];
    x += light * right;
    y += light * down;
    squares += light * (down * down + right * right);
  });
  return Math.sqrt(12 * Math.max(squares - x * x - y * y, 0));
}

/**
 * A model of a picture and a kernel as one of a picture, whose kernel is known; where the kernel is not likely, the
 * picture stays as it is.
 *
 * @param {Network} model
 * @param {Kernel} kernel
 * @param {(part: Grey) => Promise<boolean>} isHere
 * @returns {Network}
 */
export function told(model, kernel, isHere) {
  const [picture, light] = model.signature.inputs;
  const [out] = model.signature.outputs;
  return {
    signature: { inputs: [picture], outputs: [out] },
    async run({ [picture.name]: image }, options) {
      if (!(await isHere(greyOfTensor(image)))) return { [out.name]: image };
      const told = { data: Float32Array.from(kernel.data), shape: [1, 1, kernel.side, kernel.side] };
      return model.run({ [picture.name]: image, [light.name]: told }, options);
    },
  };
}
