/**
 * Pictures in other sizes as Pillow makes them: over as many pixels more as a picture is shrunk. Browsers each have a
 * way of their own, and the networks have learnt from this one.
 *
 * @import { Pixels } from "./tiles.js"
 * @typedef {{ reach: number, at: (far: number) => number }} Kernel  Pixels to either side, and the weight so far away.
 */

/** Bicubic, with a = −½. @type {Kernel} */
const CUBIC = {
  reach: 2,
  at(far) {
    if (far < 1) return (1.5 * far - 2.5) * far * far + 1;
    return far < 2 ? ((-0.5 * far + 2.5) * far - 4) * far + 2 : 0;
  },
};

/** @param {number} x */
const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** @type {Kernel} */
const LANCZOS = { reach: 3, at: (far) => (far < 3 ? sinc(far) * sinc(far / 3) : 0) };

/**
 * For each new pixel of a line: where the old ones begin that it is made of, and their weights.
 *
 * @param {number} length
 * @param {number} wanted
 * @param {Kernel} [kernel]
 * @param {{ begin: number, extent: number }} [box]  The part of the line that is wanted.
 */
export function taps(length, wanted, kernel = CUBIC, { begin, extent } = { begin: 0, extent: length }) {
  const scale = extent / wanted;
  const wider = Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, place) => {
    const centre = begin + (place + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - kernel.reach * wider + 0.5), 0);
    const end = Math.min(Math.trunc(centre + kernel.reach * wider + 0.5), length);
    const weights = Array.from({ length: end - first }, (_, along) =>
      kernel.at(Math.abs(first + along - centre + 0.5) / wider),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/**
 * A picture in another size; RGBA in, RGBA out, opaque.
 *
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 */
export function bicubic(pixels, width, height) {
  return resampled(pixels, taps(pixels.width, width), taps(pixels.height, height));
}

/** The middle square of a picture, as networks are given it; likewise. @param {Pixels} pixels @param {number} side */
export function middleSquare(pixels, side) {
  const extent = Math.min(pixels.width, pixels.height);
  const [across, down] = [pixels.width, pixels.height].map((length) =>
    taps(length, side, LANCZOS, { begin: (length - extent) / 2, extent }),
  );
  return resampled(pixels, across, down);
}

/**
 * @param {Pixels} pixels
 * @param {ReturnType<typeof taps>} across
 * @param {ReturnType<typeof taps>} down
 * @returns {Pixels & { data: Uint8ClampedArray<ArrayBuffer> }}
 */
function resampled(pixels, across, down) {
  const [width, height] = [across.length, down.length];
  const between = new Uint8ClampedArray(4 * width * pixels.height); // rounded in between, as Pillow does it
  for (let y = 0; y < pixels.height; y++) {
    line(pixels.data, 4 * y * pixels.width, 4, across, between, 4 * y * width, 4);
  }
  const data = new Uint8ClampedArray(4 * width * height);
  for (let x = 0; x < width; x++) line(between, 4 * x, 4 * width, down, data, 4 * x, 4 * width);
  for (let place = 3; place < data.length; place += 4) data[place] = 255;
  return { data, width, height };
}

/**
 * One row or column.
 *
 * @param {Uint8ClampedArray} from
 * @param {number} begin
 * @param {number} step
 * @param {ReturnType<typeof taps>} made
 * @param {Uint8ClampedArray} to
 * @param {number} place
 * @param {number} stride
 */
function line(from, begin, step, made, to, place, stride) {
  made.forEach(({ first, weights }, number) => {
    const sums = [0, 0, 0];
    weights.forEach((weight, along) => {
      const pixel = begin + (first + along) * step;
      for (let channel = 0; channel < 3; channel++) sums[channel] += weight * from[pixel + channel];
    });
    for (let channel = 0; channel < 3; channel++) {
      to[place + number * stride + channel] = Math.floor(sums[channel] + 0.5); // and cut off at 0 and 255
    }
  });
}
