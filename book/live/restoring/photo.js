/**
 * A photograph in the page. Its pixels are held once, and restored in place: no tile looks at what an earlier one has
 * finished. What is shown are pictures of at most a million pixels; so twelve million fit into a phone.
 *
 * @import { Network } from "../kit/demo.js"
 * @import { Made } from "./damage.js"
 * @import { Box, Pixels } from "../kit/tiles.js"
 */

import { pen } from "../kit/canvas.js";
import { pngOf } from "../kit/png.js";
import { throughTiles } from "../kit/tiles.js";
import { isGrey } from "./damage.js";

export const ROOMY = 1e6; // pixels: larger pictures are made smaller first, unless the reader asks for all of it
export const MOST = 12.5e6; // pixels: beyond it a page's memory would not do
const STRIP = 128; // rows

/** @typedef {CanvasImageSource & { width: number, height: number }} Image */

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

/** What a result is called: like the file it came from, but never the same. @param {string} name @param {string} what */
export const resultName = (name, what) => `${name.replace(/\.[^.]*$/, "") || "picture"}-${what}.png`;

/** Megapixels in words. @param {{ width: number, height: number }} picture */
export const mega = ({ width, height }) => ((width * height) / 1e6).toFixed(1);

/** Seconds in words. @param {number} seconds */
export function lasting(seconds) {
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s`;
  return `about ${Math.round(seconds / 60)} min`;
}

/** @param {number} width @param {number} height */
function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.className = "gv-live-picture";
  canvas.setAttribute("role", "img");
  pen(canvas).imageSmoothingQuality = "high";
  return canvas;
}

/**
 * The pixels of an image that is made smaller if it has more than `most`; between strips the page may do other things.
 *
 * @param {Image} image
 * @param {number} [most]
 * @returns {Promise<Made>}
 */
export async function pixelsOf(image, most = MOST) {
  const { width, height } = within(image, most);
  const pixels = { data: new Uint8ClampedArray(4 * width * height), width, height };
  const strip = blank(width, width * height <= ROOMY ? height : STRIP);
  for (let top = 0; top < height; top += strip.height) {
    pen(strip).clearRect(0, 0, width, strip.height);
    pen(strip).drawImage(image, 0, -top, width, height);
    const rows = Math.min(strip.height, height - top);
    pixels.data.set(pen(strip).getImageData(0, 0, width, rows).data, 4 * top * width);
    if (rows < height) await new Promise((done) => setTimeout(done));
  }
  return pixels;
}

/** Part of a picture. @param {Pixels} pixels @param {Box} box @returns {Made} */
export function cut({ data, width }, { left, top, width: wide, height: high }) {
  const found = new Uint8ClampedArray(4 * wide * high);
  for (let y = 0; y < high; y++) {
    const from = 4 * ((top + y) * width + left);
    found.set(data.subarray(from, from + 4 * wide), 4 * y * wide);
  }
  return { data: found, width: wide, height: high };
}

/**
 * Between a picture and what became of it, byte by byte.
 *
 * @param {Uint8ClampedArray} given
 * @param {Uint8ClampedArray} found
 * @param {number} part  0 is the one, 1 the other.
 */
export function between(given, found, part) {
  return Uint8ClampedArray.from(found, (byte, place) => given[place] + part * (byte - given[place]));
}

export class Photo {
  /**
   * @param {Made} pixels
   * @param {boolean} [weighed]  Whether less than all of the change may be wanted, for which it is kept as it was.
   */
  constructor(pixels, weighed = false) {
    this.pixels = pixels;
    this.given = weighed ? { ...pixels, data: pixels.data.slice() } : undefined;
    this.part = 1; // of the change
    const { width, height } = within(pixels, ROOMY);
    this.scale = width / pixels.width;
    this.shown = blank(width, height); // as it is now
    this.brush = blank(1, 1);
    this.repaint();
    this.before = blank(width, height); // as it was given
    pen(this.before).drawImage(this.shown, 0, 0);
    this.touched = false;
  }

  repaint() {
    const { pixels } = this;
    for (let top = 0; top < pixels.height; top += STRIP) {
      const box = { left: 0, top, width: pixels.width, height: Math.min(STRIP, pixels.height - top) };
      this.paint(cut(pixels, box).data, box);
    }
  }

  /** Make only a part of the change. @param {number} part */
  weigh(part) {
    if (part === this.part) return;
    this.part = part;
    this.repaint();
  }

  /** Its pixels with as much of the change as is wanted. @returns {Made} */
  get wanted() {
    const { pixels, given, part } = this;
    return given && part < 1 ? { ...pixels, data: between(given.data, pixels.data, part) } : pixels;
  }

  /** Show some of its pixels, smaller if need be. @param {Uint8ClampedArray<ArrayBuffer>} bytes @param {Box} box */
  paint(bytes, { left, top, width, height }) {
    const { scale, shown, brush, given, part } = this;
    const before = given && part < 1 ? cut(given, { left, top, width, height }).data : undefined;
    const image = new ImageData(before ? between(before, bytes, part) : bytes, width, height);
    if (scale === 1) return pen(shown).putImageData(image, left, top);
    brush.width = width;
    brush.height = height;
    pen(brush).putImageData(image, 0, 0);
    pen(shown).drawImage(brush, left * scale, top * scale, width * scale, height * scale);
  }

  /**
   * Put it through a model.
   *
   * @param {Network} model
   * @param {{ signal: AbortSignal, grey: boolean, onTile: (done: number, count: number) => void }} options  With `grey`, a
   *   picture without colour gets none.
   * @returns {Promise<boolean>}  Whether it came to its end.
   */
  restore(model, { signal, grey, onTile }) {
    const { pixels } = this;
    this.touched = true;
    return throughTiles({
      ...{ model, width: pixels.width, height: pixels.height, signal, onTile },
      grey: grey && isGrey(pixels),
      read: (box) => cut(pixels, box),
      write: (bytes, box) => {
        const { left, top, width, height } = box;
        for (let y = 0; y < height; y++) {
          pixels.data.set(bytes.subarray(4 * y * width, 4 * (y + 1) * width), 4 * ((top + y) * pixels.width + left));
        }
        this.paint(bytes, box);
      },
    });
  }

  /** As a file. */
  png() {
    return pngOf(this.wanted);
  }
}
