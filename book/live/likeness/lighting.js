/**
 * In what light a face was photographed, by the whites of its eyes: `companion.likeness.lighting`.
 *
 * @import { Pixels, Upright, Window } from "./aligning.js"
 * @import { Mask } from "./shapes.js"
 */

import { cutOut } from "./aligning.js";
import { eroded, polygon, SQUARE, takeDisk } from "./shapes.js";

/**
 * @typedef {object} LightData
 * @property {Window} window of the cut-out in which the whites are looked for
 * @property {number} side its pixels
 * @property {[number[], number[]][]} eyes rows of the mesh: lids once round, and the iris
 * @property {number} limbus
 * @property {number} brighter
 * @property {number[]} white linear
 * @property {number} believed
 * @property {number} least
 * @property {number} most
 * @property {number} enough
 */

/** By what linear colours have to be multiplied to be as in good light. @param {Pixels} picture @param {Upright} face @param {LightData} data @param {number} finer @returns {number[]} */
export function light(picture, face, data, finer) {
  const cut = cutOut(picture, face, data.window, data.side, finer);
  const found = whites(face, data);
  /** @type {number[][]} */
  const pixels = [];
  for (let place = 0; place < found.length; place++) {
    if (found[place]) pixels.push([0, 1, 2].map((channel) => linear(cut.data[4 * place + channel] / 255)));
  }
  if (pixels.length < data.enough) return [1, 1, 1];
  const brightness = pixels.map(([red, green, blue]) => (red + green + blue) / 3);
  const bright = quantile(brightness, data.brighter);
  const white = pixels.filter((_, row) => brightness[row] >= bright);
  return data.white.map((wanted, channel) => {
    const values = white.map((pixel) => pixel[channel]);
    const gain = (wanted / Math.max(quantile(values, 0.5), 1e-3)) ** data.believed;
    return Math.min(Math.max(gain, data.least), data.most);
  });
}

/** The picture in good light. @param {Pixels} picture @param {number[]} gains @returns {Pixels} */
export function relit(picture, gains) {
  const tables = gains.map((gain) =>
    Uint8Array.from({ length: 256 }, (_, byte) => Math.round(255 * encoded(Math.min(gain * linear(byte / 255), 1)))),
  );
  const data = picture.data.slice();
  for (let at = 0; at < data.length; at += 4) {
    for (let channel = 0; channel < 3; channel++) data[at + channel] = tables[channel][data[at + channel]];
  }
  return { ...picture, data };
}

/** Where the cut-out shows the eyes' whites. @param {Upright} face @param {LightData} data @returns {Mask} */
function whites(face, { window, side, eyes, limbus }) {
  const at = (/** @type {number} */ row) =>
    [0, 1].map((axis) => ((face.points[row][axis] - window.centre[axis] + window.half) / (2 * window.half)) * side);
  const found = new Uint8Array(side * side);
  for (const [lids, [middle, ...edge]] of eyes) {
    const eye = eroded(polygon(lids.map(at), side), side, SQUARE);
    const [x, y] = at(middle);
    const reach = edge.map(at).reduce((sum, [u, v]) => sum + Math.hypot(u - x, v - y), 0) / edge.length;
    takeDisk(eye, side, [Math.round(x), Math.round(y)], Math.round(reach * limbus));
    for (let place = 0; place < found.length; place++) found[place] |= eye[place];
  }
  return found;
}

/** SRGB in [0, 1] to linear light. @param {number} value */
export const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

/** The other way round. @param {number} value */
const encoded = (value) => (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);

/** Between the two nearest values, as numpy has it. @param {ArrayLike<number>} values @param {number} share */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const first = Math.floor(place);
  const next = sorted[Math.min(first + 1, sorted.length - 1)];
  return sorted[first] + (place - first) * (next - sorted[first]);
}
