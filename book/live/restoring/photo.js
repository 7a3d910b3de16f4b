/**
 * A photograph in the page at the size it is worked on. What can be large is kept as the file it came as; pixels are
 * read in strips.
 *
 * @import { Made } from "./damage.js"
 * @import { Box } from "../kit/tiles.js"
 */

import { bitmapOf, pen } from "../kit/canvas.js";

export const ROOMY = 1e6; // pixels: larger pictures are made smaller first, unless the reader asks for all of it
export const MOST = 12.5e6; // pixels: beyond it a page's memory would not do
const STRIP = 64; // rows

/**
 * The size of a picture that has at most so many pixels, in its own proportions.
 *
 * @param {{ width: number, height: number }} picture
 * @param {number} most
 */
export function within({ width, height }, most) {
  const scale = Math.min(1, Math.sqrt(most / (width * height)));
  return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
}

/** @param {number} width @param {number} height */
export function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.className = "gv-live-picture";
  canvas.setAttribute("role", "img");
  return canvas;
}

/**
 * A file's picture with at most so many pixels.
 *
 * @param {Blob} file
 * @param {number} most
 */
export async function opened(file, most) {
  const bitmap = await bitmapOf(file);
  const canvas = drawn(bitmap, most);
  bitmap.close();
  return canvas;
}

/** @param {CanvasImageSource & { width: number, height: number }} image @param {number} [most] */
export function drawn(image, most = MOST) {
  const { width, height } = within(image, most);
  const canvas = blank(width, height);
  const context = pen(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  return canvas;
}

/** All of a picture's pixels. @param {HTMLCanvasElement} canvas */
export const pixelsOf = (canvas) => pen(canvas).getImageData(0, 0, canvas.width, canvas.height);

/** @param {HTMLCanvasElement} canvas @param {Made} pixels */
export const put = (canvas, { data, width, height }) =>
  pen(canvas).putImageData(new ImageData(data, width, height), 0, 0);

/** A copy. @param {HTMLCanvasElement} canvas */
export function copied(canvas) {
  const copy = blank(canvas.width, canvas.height);
  pen(copy).drawImage(canvas, 0, 0);
  return copy;
}

/**
 * Call for each strip of a picture's pixels, from the top, until one is answered with false.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {(pixels: ImageData, box: Box) => unknown} work
 */
export function strips(canvas, work) {
  for (let top = 0; top < canvas.height; top += STRIP) {
    const box = { left: 0, top, width: canvas.width, height: Math.min(STRIP, canvas.height - top) };
    if (work(pen(canvas).getImageData(0, top, box.width, box.height), box) === false) return false;
  }
  return true;
}

/**
 * What a result is called: like the file it came from, but never the same.
 *
 * @param {string} name
 * @param {string} what
 */
export const resultName = (name, what) => `${name.replace(/\.[^.]*$/, "") || "picture"}-${what}.png`;

/** Megapixels in words. @param {{ width: number, height: number }} picture */
export const mega = ({ width, height }) => ((width * height) / 1e6).toFixed(1);

/** Seconds in words. @param {number} seconds */
export function lasting(seconds) {
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s`;
  return `about ${Math.round(seconds / 60)} min`;
}
