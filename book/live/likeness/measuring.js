/**
 * From a photographed face to parameters: what mesh and network say, and what stays at the mean since they cannot tell
 * (`companion.likeness.measuring`).
 *
 * @import { Landmark, Pixels, Upright, Window } from "./aligning.js"
 * @import { LightData } from "./lighting.js"
 * @import { Outliner } from "./outliner.js"
 * @import { OutlineData } from "./outlining.js"
 * @import { Face, Parameters } from "../faces/parameters.js"
 * @import { FaceRenderer } from "../faces/renderer.js"
 * @import { Model, Tensor } from "../kit/demo.js"
 */

import { painted, tensorOf } from "../kit/canvas.js";
import { cutOut, upright } from "./aligning.js";
import { colours } from "./colours.js";
import { dressed, smaller } from "./hairdressing.js";
import { light, relit } from "./lighting.js";

/**
 * @typedef {object} LikenessData what book/live/prepare/draw-me.py writes
 * @property {string[]} measured
 * @property {string[]} worn
 * @property {string[]} parts
 * @property {number} size
 * @property {number} near
 * @property {number} finer
 * @property {{ head: Window, near: Window }} windows
 * @property {number[][]} template
 * @property {number[]} middle
 * @property {number[]} spread
 * @property {[number, number]} logs
 * @property {number} doubted
 * @property {number} leastDoubt
 * @property {number} told doubt from which on hair is taken to be plain
 * @property {Record<string, number>} sure
 * @property {number} sureOtherwise
 * @property {string[]} oneOf
 * @property {Record<string, number>} amount
 * @property {number} depth
 * @property {{ skin: number[], brows: number[], lips: number[], irises: number[] }} rows
 * @property {number} toOwnSkin
 * @property {number} surePixel
 * @property {number} enough
 * @property {number} clothesFrom
 * @property {LightData} light
 * @property {OutlineData} outline
 * @property {{ side: number, tried: number, best: number, opinion: number, texture: string[], bald: number[],
 *   varied: Record<string, [number, number[]]> }} haircuts
 */

/** @typedef {{ landmarks: Landmark[], moves: Record<string, number> }} Mesh a face as MediaPipe finds it */

/** @typedef {{ face: Face, worn: Record<string, number>, crop: Pixels }} Measured */

export class Measurer {
  /**
   * @param {Parameters} parameters
   * @param {LikenessData} data
   * @param {FaceRenderer} renderer
   * @param {Model} model the network `likeness`
   * @param {Pick<Outliner, "outline">} outliner
   */
  constructor(parameters, data, renderer, model, outliner) {
    this.parameters = parameters;
    this.data = data;
    this.renderer = renderer;
    this.model = model;
    this.outliner = outliner;
  }

  /** @param {Pixels} picture @param {Mesh} mesh @param {(words: string) => void} [say] what is being done @returns {Promise<Measured>} */
  async measure(picture, mesh, say = () => {}) {
    const { data, parameters } = this;
    const laid = upright(mesh.landmarks, picture.width, picture.height, data.template);
    const crop = cutOut(picture, laid, data.windows.head, data.size, data.finer);
    const near = cutOut(picture, laid, data.windows.near, data.near, data.finer);
    const seen = await this.model.run(inputs(crop, near, laid, mesh, data.depth));
    const doubts = doubtsOf(seen.logs.data, data.logs);
    const worn = Object.fromEntries(data.worn.map((name, row) => [name, 1 / (1 + Math.exp(-seen.worn.data[row]))]));
    say("following the hair’s edge");
    const parts = await this.parts(picture, laid, seen.parts);
    say("trying haircuts");
    await painted();
    let face = parameters.replace(this.believed(seen.means.data, doubts), putOn(worn, data));
    const { skins } = parameters.data.prior;
    const lit = relit(crop, light(picture, laid, data.light, data.finer));
    for (const [name, colour] of Object.entries(colours(lit, laid, parts, data, skins))) {
      for (const [channel, value] of colour.entries()) face[parameters.at(`${name}_${"rgb"[channel]}`)] = value;
    }
    if (data.oneOf.every((name) => face[parameters.at(name)] === 0)) {
      face = dressed(this.renderer, parameters, data, face, parts.hair, this.opinion(face, doubts));
    }
    return { face: parameters.clamp(face), worn, crop };
  }

  /** Each part's probability over the cut-out; of hair, what the picture's own colours make of it. @param {Pixels} picture @param {Upright} laid @param {Tensor} logits */
  async parts(picture, laid, logits) {
    const { size, finer, windows, outline, parts: names } = this.data;
    const large = size * outline.finer;
    const fine = enlarged(logits, names, large);
    const crop = cutOut(picture, laid, windows.head, large, finer);
    const outlined = await this.outliner.outline(crop, laid, fine.hair, fine.beard, outline, windows.head);
    return withHair(enlarged(logits, names, size), smaller(outlined, size));
  }

  /** A face with every number that is not doubted; the others rest where exaggerating moves nothing. @param {Float32Array} means @param {number[]} doubts @returns {Face} */
  believed(means, doubts) {
    const { measured, middle, spread, doubted } = this.data;
    const { realMean } = this.parameters.data;
    const told = measured.map((name, row) => [
      name,
      doubts[row] < doubted ? middle[row] + spread[row] * means[row] : (realMean[name] ?? middle[row]),
    ]);
    return this.parameters.replace(this.parameters.mean(), Object.fromEntries(told));
  }

  /** What the network thinks of the hair, and how sure it is: no curls and no plaits where it doubts. @param {Face} face @param {number[]} doubts */
  opinion(face, doubts) {
    const { measured, spread, haircuts, leastDoubt, told } = this.data;
    return Object.fromEntries(
      haircuts.texture.map((name) => {
        const row = measured.indexOf(name);
        const known = doubts[row] <= told;
        const doubt = spread[row] * (known ? Math.max(doubts[row], leastDoubt) : told);
        return [name, { believed: known ? face[this.parameters.at(name)] : 0, doubt }];
      }),
    );
  }
}

/** The network's inputs by name. @param {Pixels} crop @param {Pixels} near @param {Upright} laid @param {Mesh} mesh @param {number} depth @returns {Record<string, Tensor>} */
export function inputs(crop, near, laid, mesh, depth) {
  const points = Float32Array.from(laid.points.flatMap(([x, y, z]) => [x, y, z * depth]));
  const names = Object.keys(mesh.moves).sort((one, other) => (one < other ? -1 : 1));
  const moves = Float32Array.from(names, (name) => mesh.moves[name]);
  return {
    crops: tensorOf(crop),
    near: tensorOf(near),
    points: { data: points, shape: [1, points.length] },
    moves: { data: moves, shape: [1, moves.length] },
  };
}

/** Standard deviations of what the numbers may really be. @param {Float32Array} logs @param {[number, number]} bounds */
const doubtsOf = (logs, [low, high]) => Array.from(logs, (log) => Math.exp(Math.min(Math.max(log, low), high)));

/** What is drawn of what may be worn: only what is sure, and one hat at most. @param {Record<string, number>} worn @param {LikenessData} data */
export function putOn(worn, { sure, sureOtherwise, oneOf, amount }) {
  const surest = Math.max(...oneOf.map((name) => worn[name]));
  return Object.fromEntries(
    Object.entries(worn).map(([name, share]) => {
      const there = share > (sure[name] ?? sureOtherwise) && (!oneOf.includes(name) || share >= surest);
      return [name, there ? (amount[name] ?? 1) : 0];
    }),
  );
}

/** Parts with other hair; the rest share what it leaves. @param {Record<string, Float32Array>} parts @param {Float32Array} hair */
function withHair(parts, hair) {
  const others = Object.entries(parts).filter(([name]) => name !== "hair");
  const rest = hair.map((share, place) => {
    const sum = others.reduce((one, [, part]) => one + part[place], 0);
    return (1 - share) / Math.max(sum, 1e-6);
  });
  return { hair, ...Object.fromEntries(others.map(([name, part]) => [name, part.map((p, place) => p * rest[place])])) };
}

/** Logits of parts as probabilities at every pixel of the cut-out, between their own. @param {Tensor} logits @param {string[]} names @param {number} size */
export function enlarged({ data, shape }, names, size) {
  const [, count, side] = shape;
  const area = side * side;
  const shares = Float32Array.from(data, Math.exp);
  for (let place = 0; place < area; place++) {
    let sum = 0;
    for (let part = 0; part < count; part++) sum += shares[part * area + place];
    for (let part = 0; part < count; part++) shares[part * area + place] /= sum;
  }
  const axis = Array.from({ length: size }, (_, place) => {
    const at = Math.max(((place + 0.5) * side) / size - 0.5, 0);
    const first = Math.floor(at);
    return { first, next: Math.min(first + 1, side - 1), share: at - first };
  });
  return Object.fromEntries(
    names.map((name, part) => {
      const from = shares.subarray(part * area, (part + 1) * area);
      const to = new Float32Array(size * size);
      axis.forEach((y, line) => {
        axis.forEach((x, column) => {
          const above = from[y.first * side + x.first] * (1 - x.share) + from[y.first * side + x.next] * x.share;
          const below = from[y.next * side + x.first] * (1 - x.share) + from[y.next * side + x.next] * x.share;
          to[line * size + column] = above * (1 - y.share) + below * y.share;
        });
      });
      return [name, to];
    }),
  );
}
