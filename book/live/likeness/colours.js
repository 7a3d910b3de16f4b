/**
 * A person's colours, looked up where the mesh says what lies there: `companion.likeness.colours`. Skin is brought
 * half-way to the nearest of the course's own skins, and made neither lighter nor darker.
 *
 * @import { Pixels, Upright } from "./aligning.js"
 * @import { LikenessData } from "./measuring.js"
 * @import { Colour } from "../faces/parameters.js"
 */

import { quantile } from "./lighting.js";

/**
 * The colours of skin, hair, lips, irises and clothes, sRGB in [0, 1].
 *
 * @param {Pixels} crop
 * @param {Upright} face
 * @param {Record<string, Float32Array>} parts each part's probability, pixel by pixel
 * @param {LikenessData} data
 * @param {Colour[]} skins the course's own, in bytes
 * @returns {Record<string, number[]>}
 */
export function colours(crop, face, parts, data, skins) {
  const { rows, surePixel, enough, clothesFrom, toOwnSkin } = data;
  const look = (/** @type {number[]} */ points, /** @type {number} */ reach) =>
    aroundPoints(crop, face, points, reach, data);
  const hair = chosen(crop, (place) => parts.hair[place] > surePixel);
  const { centre, half } = data.windows.head;
  const heightOf = (/** @type {number} */ place) =>
    ((Math.floor(place / crop.width) + 0.5) / crop.height) * 2 * half - half + centre[1];
  const below = chosen(crop, (place) => heightOf(place) > clothesFrom && parts.elsewhere[place] > surePixel);
  return {
    skin: ownSkin(lit(look(rows.skin, 2)), skins, toOwnSkin),
    hair: median(hair.length >= enough ? hair : look(rows.brows, 0)),
    lips: median(look(rows.lips, 0)),
    iris: median(look(rows.irises, 0)),
    clothes: below.length >= enough ? median(below) : [0.45, 0.45, 0.45],
  };
}

/** @param {number[]} colour @param {Colour[]} skins @param {number} share @returns {number[]} */
export function ownSkin(colour, skins, share) {
  const row = skins.map((skin) => skin.map((byte) => byte / 255));
  let [best, least] = [row[0], Number.POSITIVE_INFINITY];
  for (let first = 0; first + 1 < row.length; first++) {
    const step = row[first + 1].map((value, channel) => value - row[first][channel]);
    const along =
      dot(
        colour.map((value, channel) => value - row[first][channel]),
        step,
      ) / dot(step, step);
    const nearest = row[first].map((value, channel) => value + Math.min(Math.max(along, 0), 1) * step[channel]);
    const away = colour.map((value, channel) => value - nearest[channel]);
    if (dot(away, away) < least) [best, least] = [nearest, dot(away, away)];
  }
  const blended = colour.map((value, channel) => value + share * (best[channel] - value));
  const light = mean(colour) / mean(blended); // neither lighter nor darker
  return blended.map((value) => value * light);
}

/** The middle of the lighter half: no shadow, no gloss. @param {number[][]} pixels */
function lit(pixels) {
  const light = pixels.map(mean);
  const [low, high] = [0.4, 0.9].map((share) => quantile(light, share));
  return median(pixels.filter((_, place) => light[place] >= low && light[place] <= high));
}

/** The pixels around points of the mesh. @param {Pixels} crop @param {Upright} face @param {number[]} rows @param {number} reach @param {LikenessData} data */
function aroundPoints(crop, face, rows, reach, data) {
  const { centre, half } = data.windows.head;
  const size = crop.width;
  const place = (/** @type {number} */ value, /** @type {number} */ step) =>
    Math.min(Math.max(value + step, 0), size - 1);
  const found = [];
  for (const row of rows) {
    const [column, line] = [0, 1].map((axis) =>
      Math.floor(((face.points[row][axis] - centre[axis] + half) / (2 * half)) * size),
    );
    for (let down = -reach; down <= reach; down++) {
      for (let across = -reach; across <= reach; across++) {
        found.push(colourAt(crop, place(line, down) * size + place(column, across)));
      }
    }
  }
  return found;
}

/** @param {Pixels} crop @param {(place: number) => boolean} wanted */
function chosen(crop, wanted) {
  const found = [];
  for (let place = 0; place < crop.width * crop.height; place++) if (wanted(place)) found.push(colourAt(crop, place));
  return found;
}

/** @param {Pixels} crop @param {number} place @returns {number[]} */
const colourAt = ({ data }, place) => [0, 1, 2].map((channel) => data[4 * place + channel] / 255);

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param {number[]} one @param {number[]} other */
const dot = (one, other) => one.reduce((sum, value, place) => sum + value * other[place], 0);

/** Each channel's. @param {number[][]} pixels */
const median = (pixels) =>
  [0, 1, 2].map((channel) =>
    quantile(
      pixels.map((pixel) => pixel[channel]),
      0.5,
    ),
  );
