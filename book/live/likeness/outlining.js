/**
 * Which pixels are hair? The network's guess, carried to the hair's true edge by the picture's own colours:
 * `companion.likeness.outlining`.
 *
 * @import { Pixels, Upright, Window } from "./aligning.js"
 * @import { Mask } from "./shapes.js"
 */

import { grabCut, IS, NOT, PERHAPS, PERHAPS_NOT } from "./grabcut.js";
import { inLab } from "./lab.js";
import { quantile } from "./lighting.js";
import { dilated, disk, eroded, pieces, polygon } from "./shapes.js";

/**
 * @typedef {object} OutlineData
 * @property {number[]} oval rows of the mesh: the face's edge, once round
 * @property {number[]} brows
 * @property {number} chin
 * @property {number} finer times, that hair is outlined in
 * @property {number} around
 * @property {number} beyond
 * @property {number} closeToBrows
 * @property {number} belowBrows
 * @property {number} aboveChin
 * @property {number} strand
 * @property {number} surelyHead
 * @property {number} surelyFace
 * @property {number} surelyBare
 * @property {number} thinks
 * @property {number} knows
 * @property {number} other
 * @property {number} quiteOther
 * @property {number[]} leastSpread
 * @property {number} gloss
 * @property {number} rounds
 * @property {number} speck
 */

/**
 * Where hair is, 0 or 1 above the chin; below it what the network says.
 *
 * @param {Pixels} crop the cut-out head
 * @param {Upright} face its mesh
 * @param {Float32Array} hair the network's probability of hair
 * @param {Float32Array} beard of beard
 * @param {OutlineData} data
 * @param {Window} window of the cut-out
 * @returns {Float32Array}
 */
export function hairSeen(crop, face, hair, beard, data, window) {
  const shown = new Shown(crop, face, data, window);
  const { side } = shown;
  const head = shown.parted(headOrNot(shown, hair));
  const found = shown.parted(hairOrSkin(shown, head, hair, beard));
  for (let place = 0; place < found.length; place++) found[place] &= head[place];
  const element = shown.disk(data.strand);
  const kept = large(dilated(eroded(found, side, element), side, element), shown);
  return hair.map((said, place) => (shown.y[place] < shown.chin ? kept[place] : said));
}

/** A cut-out with what the mesh says of it. */
class Shown {
  /** @param {Pixels} crop @param {Upright} face @param {OutlineData} data @param {Window} window */
  constructor(crop, face, data, { centre, half }) {
    const side = crop.width;
    this.data = data;
    this.side = side;
    this.unit = side / (2 * half); // pixels
    this.pixels = new Uint8Array(3 * side * side);
    for (let at = 0; at < this.pixels.length; at++) this.pixels[at] = crop.data[4 * Math.floor(at / 3) + (at % 3)];
    /** Of each pixel's middle, in head units. */
    this.y = Float64Array.from(
      { length: side * side },
      (_, place) => ((Math.floor(place / side) + 0.5) / side) * 2 * half - half + centre[1],
    );
    const heights = data.brows.map((row) => face.points[row][1]);
    this.brows = heights.reduce((sum, value) => sum + value, 0) / heights.length;
    this.chin = face.points[data.chin][1];
    const edge = data.oval.map((row) =>
      [0, 1].map((axis) => (face.points[row][axis] - centre[axis] + half) * this.unit),
    );
    this.oval = polygon(edge, side);
  }

  /** For growing and shrinking by so many head units. @param {number} reach */
  disk(reach) {
    return disk(Math.round(reach * this.unit));
  }

  /** The face, grown on all sides; by less than nothing, shrunk. @param {number} grown @returns {Mask} */
  face(grown) {
    const change = grown > 0 ? dilated : eroded;
    return change(this.oval, this.side, this.disk(Math.abs(grown)));
  }

  /** What is in front above the chin, as GrabCut makes it of a first guess; empty where nothing was guessed. @param {Uint8Array} guess @returns {Mask} */
  parted(guess) {
    const { side, data } = this;
    const rows = this.y.findIndex((y) => y >= this.chin);
    const end = rows < 0 ? guess.length : rows;
    const found = new Uint8Array(guess.length);
    const labels = guess.slice(0, end);
    const inFront = () => labels.map((label) => label & 1);
    if (inFront().reduce((sum, value) => sum + value, 0) <= data.speck * end) return found;
    grabCut(this.pixels.subarray(0, 3 * end), side, labels, data.rounds);
    found.set(inFront());
    return found;
  }
}

/** A first guess: the face is, what is around its upper half may be, what is far from it is not. @param {Shown} shown @param {Float32Array} hair */
function headOrNot(shown, hair) {
  const { around, beyond, surelyHead, thinks, knows } = shown.data;
  const [near, far, surely] = [around, beyond, -surelyHead].map((grown) => shown.face(grown));
  return Uint8Array.from(hair, (said, place) => {
    if (surely[place]) return IS;
    if (!far[place] && said < thinks) return NOT;
    if (said > knows) return IS;
    return said > thinks || (near[place] && shown.y[place] < around) ? PERHAPS : PERHAPS_NOT;
  });
}

/** A first guess in the head: what differs from the cheeks' skin may be hair, the face below the brows is not. @param {Shown} shown @param {Mask} head @param {Float32Array} hair @param {Float32Array} beard */
function hairOrSkin(shown, head, hair, beard) {
  const { y, brows, chin, oval, data } = shown;
  const cheeks = shown
    .face(-data.surelyBare)
    .map((value, place) =>
      value && y[place] > brows + data.belowBrows && y[place] < chin - data.aboveChin && beard[place] < data.thinks
        ? 1
        : 0,
    );
  const bare = placesOf(cheeks.includes(1) ? cheeks : oval);
  const away = unlikeSkin(shown, bare);
  const inner = shown.face(-data.surelyFace);
  const guess = Uint8Array.from(head, (inside, place) => {
    const height = y[place] - brows;
    if (!inside || (inner[place] && height > data.closeToBrows)) return NOT;
    if (hair[place] > data.knows) return IS;
    if (away[place] > data.quiteOther && height < 0 && !inner[place]) return IS;
    const other = away[place] > data.other;
    const mayBe = (other || hair[place] > data.thinks) && !oval[place];
    return mayBe || (other && height < -data.closeToBrows) ? PERHAPS : PERHAPS_NOT;
  });
  const skin = [0, 1, 2].map((channel) =>
    quantile(
      bare.map((place) => shown.pixels[3 * place + channel]),
      0.5,
    ),
  );
  for (let place = 0; place < head.length; place++) if (!head[place]) shown.pixels.set(skin, 3 * place); // so it teaches nothing
  return guess;
}

/** @param {Mask} mask */
function placesOf(mask) {
  const places = [];
  for (let place = 0; place < mask.length; place++) if (mask[place]) places.push(place);
  return places;
}

/** How far each colour lies from this person's skin, in its robust standard deviations, a little blurred. @param {Shown} shown @param {number[]} bare */
function unlikeSkin({ pixels, side, data }, bare) {
  const lab = inLab(pixels);
  const away = new Float64Array(side * side);
  for (const [channel, values] of lab.entries()) {
    const skin = bare.map((place) => values[place]);
    const middle = quantile(skin, 0.5);
    const spread =
      1.48 *
      quantile(
        skin.map((value) => Math.abs(value - middle)),
        0.5,
      );
    for (let place = 0; place < away.length; place++) {
      const step = (values[place] - middle) / Math.max(spread, data.leastSpread[channel]);
      away[place] += (channel === 0 && step > 0 ? data.gloss * step : step) ** 2;
    }
  }
  return blurred(away.map(Math.sqrt), side);
}

/** By a normal distribution of one pixel; beyond the edge there is a mirror. @param {Float64Array} values @param {number} side */
function blurred(values, side) {
  const reach = 4;
  const weights = Array.from({ length: 2 * reach + 1 }, (_, place) => Math.exp(-((place - reach) ** 2) / 2));
  const sum = weights.reduce((one, other) => one + other, 0);
  const mirrored = (/** @type {number} */ at) => side - 1 - Math.abs(side - 1 - Math.abs(at));
  const along = (/** @type {Float64Array} */ from, /** @type {number} */ right, /** @type {number} */ down) =>
    from.map((_, place) => {
      const [x, y] = [place % side, Math.floor(place / side)];
      let found = 0;
      for (let step = -reach; step <= reach; step++) {
        found += (weights[step + reach] / sum) * from[mirrored(y + down * step) * side + mirrored(x + right * step)];
      }
      return found;
    });
  return along(along(values, 1, 0), 0, 1);
}

/** The pieces that are large and begin above the brows. @param {Mask} found @param {Shown} shown @returns {Mask} */
function large(found, { side, y, brows, data }) {
  const kept = new Uint8Array(found.length);
  for (const piece of pieces(found, side)) {
    const highest = piece.reduce((least, place) => Math.min(least, y[place]), Number.POSITIVE_INFINITY);
    if (piece.length > data.speck * found.length && highest < brows) for (const place of piece) kept[place] = 1;
  }
  return kept;
}
