/**
 * Pictures of any size through a model of one size: cut into tiles that overlap, and blended as `companion.tiling`
 * blends them. Beside the picture itself it takes the memory of one row of tiles.
 *
 * @import { Network, Tensor } from "./demo.js"
 */

import { byteOf, tensorOf } from "./canvas.js";

export const TILE = 256; // as in companion.tiling, and what models are exported for
export const OVERLAP = 64;

/** @typedef {{ left: number, top: number, width: number, height: number }} Box */
/** @typedef {{ data: Uint8ClampedArray, width: number, height: number }} Pixels */

/**
 * Where tiles begin along one side, and what each of their pixels counts; at each pixel the weights sum to one.
 *
 * Towards a neighbour the weight falls to zero along the middle half of the overlap: the outermost pixels, which a
 * model saw without their surroundings, do not count at all.
 *
 * @param {number} length
 * @param {number} [tile]
 * @param {number} [overlap]
 * @returns {{ start: number, weights: Float32Array }[]}
 */
export function windows(length, tile = TILE, overlap = OVERLAP) {
  if (length <= tile) return [{ start: 0, weights: new Float32Array(length).fill(1) }];
  const starts = [];
  for (let start = 0; start < length - tile; start += tile - overlap) starts.push(start);
  starts.push(length - tile);
  const deaf = overlap / 4;
  const rise = Array.from({ length: tile }, (_, place) =>
    Math.min(Math.max((place + 0.5 - deaf) / (overlap - 2 * deaf), 0), 1),
  );
  const total = new Float32Array(length);
  const found = starts.map((start, number) => {
    const weights = Float32Array.from(rise, (low, place) => {
      const left = number === 0 ? 1 : low;
      return number === starts.length - 1 ? left : left * rise[tile - 1 - place];
    });
    weights.forEach((weight, place) => {
      total[start + place] += weight;
    });
    return { start, weights };
  });
  for (const { start, weights } of found) {
    weights.forEach((weight, place) => {
      weights[place] = weight / total[start + place];
    });
  }
  return found;
}

/** Adds tiles up, and knows which pixels are finished. */
export class Blender {
  /** @param {number} width @param {number} height @param {number} [tile] @param {number} [overlap] */
  constructor(width, height, tile = TILE, overlap = OVERLAP) {
    this.width = width;
    this.height = height;
    this.rows = windows(height, tile, overlap);
    this.columns = windows(width, tile, overlap);
    this.deep = Math.min(tile, height);
    this.sums = new Float32Array(3 * this.deep * width); // of the rows that are still being added to
    this.row = 0;
  }

  get count() {
    return this.rows.length * this.columns.length;
  }

  /** What tile number `number` covers, row after row. @param {number} number @returns {Box} */
  box(number) {
    const { row, column } = this.at(number);
    return { left: column.start, top: row.start, width: column.weights.length, height: row.weights.length };
  }

  /** @param {number} number */
  at(number) {
    const across = this.columns.length;
    return { row: this.rows[Math.floor(number / across)], column: this.columns[number % across] };
  }

  /** What no later tile touches once this one is added. @param {number} number @returns {Box} */
  finished(number) {
    const { row, column } = this.at(number);
    const across = this.columns.length;
    const right = this.columns[(number % across) + 1]?.start ?? this.width;
    const bottom = this.rows[Math.floor(number / across) + 1]?.start ?? this.height;
    return { left: column.start, top: row.start, width: right - column.start, height: bottom - row.start };
  }

  /**
   * Add a tile; they come in order.
   *
   * @param {number} number
   * @param {Tensor} image  `(1, 3, H, W)`, at least as large as the tile's box.
   */
  add(number, { data, shape: [, , high, wide] }) {
    const { row, column } = this.at(number);
    this.reach(row.start);
    for (let channel = 0; channel < 3; channel++) {
      for (let y = 0; y < row.weights.length; y++) {
        const from = (channel * high + y) * wide;
        const to = (channel * this.deep + y) * this.width + column.start;
        for (let x = 0; x < column.weights.length; x++) {
          this.sums[to + x] += data[from + x] * row.weights[y] * column.weights[x];
        }
      }
    }
  }

  /** Let the rows above `top` go. @param {number} top */
  reach(top) {
    const gone = top - this.row;
    if (!gone) return;
    const size = this.deep * this.width;
    for (let channel = 0; channel < 3; channel++) {
      const one = this.sums.subarray(channel * size, (channel + 1) * size);
      one.copyWithin(0, gone * this.width);
      one.fill(0, size - gone * this.width);
    }
    this.row = top;
  }

  /**
   * Finished pixels as bytes, RGBA; alpha is taken from what was given.
   *
   * @param {Box} box
   * @param {Uint8ClampedArray} given  The same pixels before.
   * @param {boolean} [grey]  All three channels get their mean.
   */
  bytes({ left, top, width, height }, given, grey = false) {
    const bytes = new Uint8ClampedArray(4 * width * height);
    const size = this.deep * this.width;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = (top - this.row + y) * this.width + left + x;
        const to = 4 * (y * width + x);
        const found = [this.sums[from], this.sums[size + from], this.sums[2 * size + from]];
        const mean = (found[0] + found[1] + found[2]) / 3;
        for (let channel = 0; channel < 3; channel++) bytes[to + channel] = byteOf(grey ? mean : found[channel]);
        bytes[to + 3] = given[to + 3];
      }
    }
    return bytes;
  }
}

/**
 * An image on a square as large as the model takes, its border repeated; as it is for a model that takes any size.
 *
 * @param {Tensor} image  `(1, C, H, W)`, no side above `size`.
 * @param {number | string} size  A word if any will do.
 * @returns {Tensor}
 */
export function filled({ data, shape }, size) {
  const [, channels, height, width] = shape;
  if (typeof size === "string" || (height === size && width === size)) return { data, shape };
  const square = new Float32Array(channels * size * size);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < size; y++) {
      const from = (channel * height + Math.min(y, height - 1)) * width;
      const to = (channel * size + y) * size;
      for (let x = 0; x < size; x++) square[to + x] = data[from + Math.min(x, width - 1)];
    }
  }
  return { data: square, shape: [1, channels, size, size] };
}

/**
 * A picture through a model, tile by tile.
 *
 * @param {object} options
 * @param {Network} options.model  Of one image in, one out; if
 *   it takes one size only, what is smaller is filled up.
 * @param {number} options.width
 * @param {number} options.height
 * @param {(box: Box) => Pixels} options.read  Pixels of the picture.
 * @param {(bytes: Uint8ClampedArray<ArrayBuffer>, box: Box) => void} options.write  Finished ones.
 * @param {(done: number, count: number) => void} [options.onTile]
 * @param {AbortSignal} [options.signal]  Ends it after the tile that is under way.
 * @param {boolean} [options.grey]
 * @returns {Promise<boolean>}  Whether it came to its end.
 */
export async function throughTiles({ model, width, height, read, write, onTile, signal, grey = false }) {
  const [into] = model.signature.inputs;
  const [out] = model.signature.outputs;
  const blender = new Blender(width, height);
  for (let number = 0; number < blender.count; number++) {
    if (signal?.aborted) return false;
    const image = tensorOf(read(blender.box(number)));
    const found = await model.run({ [into.name]: filled(image, into.shape[2]) }, { give: true });
    if (signal?.aborted) return false;
    blender.add(number, found[out.name]);
    const box = blender.finished(number);
    write(blender.bytes(box, read(box).data, grey), box);
    onTile?.(number + 1, blender.count);
  }
  return true;
}
