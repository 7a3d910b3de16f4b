/**
 * A drawing as shapes: its flat colours traced into an SVG file that stays sharp at any size.
 *
 * @import { Colour } from "./parameters.js"
 * @import { Pixels } from "../likeness/aligning.js"
 */

const MOST = 24; // colours
const FLAT = 8; // levels that neighbours may differ by within one colour
const APART = 20; // levels between two colours, at least
const RARE = 0.0003; // share of the picture below which a colour is left out
const REACH = 2; // pixels that an edge is wide
const ROUND = 6; // pixels of a side, at most, that are bent around its corner
const TOLERANCE = 0.55; // pixels that an outline may be off

/**
 * The SVG of a picture. Colours are laid over each other from the lightest to the darkest, so that no gap shows.
 *
 * @param {Pixels} pixels
 */
export function traced(pixels) {
  const { width, height } = pixels;
  const flat = flatPixels(pixels);
  const palette = paletteOf(pixels, flat);
  const labels = labelled(pixels, flat, palette);
  const border = (/** @type {number} */ x, /** @type {number} */ y) =>
    x < 1 || y < 1 || x > width - 1 || y > height - 1;
  const shapes = palette.slice(1).map((colour, place) => {
    const rings = outlines(labels, width, height, place + 1);
    const path = rings.map((ring) => curve(ring, border)).join("");
    return path && `<path fill="${hex(colour)}" d="${path}"/>`;
  });
  const box = `viewBox="0 0 ${width} ${height}"`;
  const ground = `<rect width="${width}" height="${height}" fill="${hex(palette[0])}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} fill-rule="evenodd">${ground}${shapes.join("")}</svg>\n`;
}

/** Offer a drawing as an SVG file. @param {CanvasImageSource & { width: number, height: number }} drawing @param {string} name */
export function saveDrawing(drawing, name) {
  const context = new OffscreenCanvas(drawing.width, drawing.height).getContext("2d");
  if (!context) return;
  context.drawImage(drawing, 0, 0);
  const svg = traced(context.getImageData(0, 0, drawing.width, drawing.height));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Which pixels look like those after them, so that they are no edge's. @param {Pixels} pixels */
function flatPixels({ data, width, height }) {
  const flat = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const place = y * width + x;
      const others = [y * width + Math.min(x + 1, width - 1), Math.min(y + 1, height - 1) * width + x];
      flat[place] = Number(others.every((other) => difference(data, place, other) <= FLAT));
    }
  }
  return flat;
}

/** @param {Uint8ClampedArray} data @param {number} one @param {number} other */
function difference(data, one, other) {
  let most = 0;
  for (let channel = 0; channel < 3; channel++) {
    most = Math.max(most, Math.abs(data[4 * one + channel] - data[4 * other + channel]));
  }
  return most;
}

/** The commonest colours, the lightest first. @param {Pixels} pixels @param {Uint8Array} flat @returns {Colour[]} */
function paletteOf({ data }, flat) {
  /** @type {Map<number, [number, number, number, number]>} sums of the channels, and how many */
  const bins = new Map();
  for (let place = 0; place < flat.length; place++) {
    if (!flat[place]) continue;
    const [red, green, blue] = data.subarray(4 * place, 4 * place + 3);
    const key = ((red >> 4) << 8) | ((green >> 4) << 4) | (blue >> 4);
    const bin = bins.get(key) ?? [0, 0, 0, 0];
    bins.set(key, [bin[0] + red, bin[1] + green, bin[2] + blue, bin[3] + 1]);
  }
  /** @type {Colour[]} */
  const found = [];
  for (const [red, green, blue, count] of [...bins.values()].sort((one, other) => other[3] - one[3])) {
    if (found.length === MOST || count < RARE * flat.length) break;
    /** @type {Colour} */
    const colour = [red / count, green / count, blue / count];
    if (found.every((other) => away(colour, other) >= APART)) found.push(colour);
  }
  return found.sort((one, other) => lightness(other) - lightness(one));
}

/** @param {Colour} one @param {Colour} other */
const away = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);

/** @param {Colour} colour */
const lightness = ([red, green, blue]) => 0.3 * red + 0.59 * green + 0.11 * blue;

/** Each pixel's place in the palette; on an edge, the nearest of the colours beside it. @param {Pixels} pixels @param {Uint8Array} flat @param {Colour[]} palette */
function labelled({ data, width, height }, flat, palette) {
  const labels = new Uint8Array(flat.length);
  const everything = palette.map((_, label) => label);
  /** @param {number} place @param {Iterable<number>} among */
  const nearest = (place, among) => {
    /** @type {Colour} */
    const own = [data[4 * place], data[4 * place + 1], data[4 * place + 2]];
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (const label of among) {
      const far = away(own, palette[label]);
      if (far < least) [best, least] = [label, far];
    }
    return best;
  };
  for (let place = 0; place < flat.length; place++) if (flat[place]) labels[place] = nearest(place, everything);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const place = y * width + x;
      if (flat[place]) continue;
      const beside = new Set();
      for (let row = Math.max(y - REACH, 0); row <= Math.min(y + REACH, height - 1); row++) {
        for (let column = Math.max(x - REACH, 0); column <= Math.min(x + REACH, width - 1); column++) {
          if (flat[row * width + column]) beside.add(labels[row * width + column]);
        }
      }
      labels[place] = nearest(place, beside.size ? beside : everything);
    }
  }
  return labels;
}

/**
 * The outlines of all pixels from a label on, each a closed ring of the middles of pixels' sides.
 *
 * @param {Uint8Array} labels
 * @param {number} width
 * @param {number} height
 * @param {number} from
 * @returns {[number, number][][]}
 */
function outlines(labels, width, height, from) {
  const inside = (/** @type {number} */ x, /** @type {number} */ y) =>
    x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] >= from;
  /** Sides of pixels by the corner they start from, the inside at their right. @type {Map<number, number[]>} */
  const sides = new Map();
  const add = (/** @type {number} */ start, /** @type {number} */ end) => {
    const others = sides.get(start);
    if (others) others.push(end);
    else sides.set(start, [end]);
  };
  const corner = (/** @type {number} */ x, /** @type {number} */ y) => y * (width + 1) + x;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside(x, y)) continue;
      if (!inside(x, y - 1)) add(corner(x, y), corner(x + 1, y));
      if (!inside(x + 1, y)) add(corner(x + 1, y), corner(x + 1, y + 1));
      if (!inside(x, y + 1)) add(corner(x + 1, y + 1), corner(x, y + 1));
      if (!inside(x - 1, y)) add(corner(x, y + 1), corner(x, y));
    }
  }
  const rings = [];
  for (const [start] of sides) {
    while (sides.get(start)?.length) {
      /** @type {[number, number][]} */
      const ring = [];
      let at = start;
      do {
        const next = /** @type {number} */ (sides.get(at)?.pop());
        ring.push([
          ((at % (width + 1)) + (next % (width + 1))) / 2,
          (Math.floor(at / (width + 1)) + Math.floor(next / (width + 1))) / 2,
        ]);
        at = next;
      } while (at !== start);
      if (ring.length > 8) rings.push(simplified(ring));
    }
  }
  return rings;
}

/** A ring with as few points as the tolerance allows (Douglas and Peucker 1973), from its two ends inwards. @param {[number, number][]} ring */
function simplified(ring) {
  const keep = new Uint8Array(ring.length);
  const middle = ring.length >> 1;
  keep[0] = keep[middle] = 1;
  const parts = [
    [0, middle],
    [middle, ring.length],
  ];
  for (let part = parts.pop(); part; part = parts.pop()) {
    const [first, last] = part;
    const [x0, y0] = ring[first];
    const [x1, y1] = ring[last % ring.length];
    const long = Math.hypot(x1 - x0, y1 - y0) || 1;
    let [farthest, most] = [0, TOLERANCE];
    for (let place = first + 1; place < last; place++) {
      const [x, y] = ring[place];
      const off = Math.abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / long;
      if (off > most) [farthest, most] = [place, off];
    }
    if (!farthest) continue;
    keep[farthest] = 1;
    parts.push([first, farthest], [farthest, last]);
  }
  return ring.filter((_, place) => keep[place]);
}

/**
 * A closed line with its corners rounded, so that many short sides become a curve and a long one stays straight.
 *
 * @param {[number, number][]} ring
 * @param {(x: number, y: number) => boolean} sharp where a corner stays one
 */
function curve(ring, sharp) {
  const said = (/** @type {number} */ x, /** @type {number} */ y) =>
    `${Math.round(10 * x) / 10} ${Math.round(10 * y) / 10}`;
  const bends = ring.map(([x, y], place) => {
    if (sharp(x, y)) return said(x, y);
    const [before, after] = [ring.at(place - 1), ring[(place + 1) % ring.length]].map((other) => {
      const [dx, dy] = [(other?.[0] ?? x) - x, (other?.[1] ?? y) - y];
      const long = Math.hypot(dx, dy);
      const part = Math.min(long / 2, ROUND) / long;
      return said(x + part * dx, y + part * dy);
    });
    return `${before}Q${said(x, y)} ${after}`;
  });
  return `M${bends.join("L")}Z`;
}

/** @param {Colour} colour */
const hex = (colour) => `#${colour.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
