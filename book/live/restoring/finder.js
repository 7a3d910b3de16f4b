/**
 * Looking for the blur of a photograph, in as many workers as the machine has cores for: one size of kernel each.
 *
 * @import { Grey, Kernel } from "./blind.js"
 */

import { Asker } from "../kit/asking.js";
import { delta, ENOUGH, flat, moved, roomFor, SIZES, STEEP, steepness } from "./blind.js";

const LARGEST = Math.max(...SIZES);

/**
 * A kernel as large as the largest, and what speaks for it and against it.
 *
 * @typedef {{ kernel: Kernel, evidence: number, steepness: number, sure: boolean }} Blur
 */

/**
 * Of the kernels that were found and none at all, the likeliest but none; and by how much.
 *
 * @param {Grey} picture
 * @param {Kernel[]} kernels  None first.
 * @param {number[]} weighed
 * @returns {Blur}
 */
export function likeliest(picture, kernels, weighed) {
  let best = kernels.length > 1 ? 1 : 0;
  weighed.forEach((one, number) => {
    if (number && one > weighed[best]) best = number;
  });
  const evidence = weighed[best] - weighed[0];
  const steep = steepness(picture, kernels[best]);
  return { kernel: kernels[best], evidence, steepness: steep, sure: evidence > ENOUGH && steep < STEEP };
}

export class Finder {
  constructor() {
    const cores = Math.min(Math.max(1, navigator.hardwareConcurrency ?? 1), SIZES.length);
    this.askers = Array.from(
      { length: cores },
      () =>
        new Asker(
          new URL("./blur-worker.js", import.meta.url),
          "Looking for a blur needs a newer browser: this one could not start the script that does it.",
        ),
    );
  }

  /**
   * The twin of `companion.blind.likeliest_blur`.
   *
   * @param {Grey} picture
   * @param {(part: number) => void} onProgress
   */
  async blur(picture, onProgress) {
    if (flat(picture)) return { kernel: delta(LARGEST), evidence: 0, steepness: 0, sure: false };
    const sizes = roomFor(picture);
    const parts = sizes.map(() => 0);
    const found = await Promise.all(
      sizes.map((size, number) =>
        this.askers[number % this.askers.length].ask("kernel", { picture, size }, { onProgress: tick(number) }),
      ),
    );
    this.stop(); // each has a hundred megabytes, which come back at once
    const kernels = [delta(LARGEST), ...found.map((kernel) => moved(kernel, LARGEST))];
    return likeliest(picture, kernels, await this.weigh(picture, kernels, [0, ...sizes.map((size) => size ** 2)]));

    /** @param {number} number */
    function tick(number) {
      return (/** @type {number} */ part) => {
        parts[number] = part;
        onProgress(parts.reduce((sum, one) => sum + one, 0) / parts.length);
      };
    }
  }

  /** @param {Grey} picture @param {Kernel[]} kernels @param {number[]} freedom @returns {Promise<number[]>} */
  weigh(picture, kernels, freedom) {
    return this.askers[0].ask("weigh", { picture, kernels, freedom });
  }

  /** Whether a part of the photograph is not likelier without the kernel. @param {Grey} picture @param {Kernel} kernel */
  async isHere(picture, kernel) {
    const [given, none] = await this.weigh(picture, [kernel, delta(kernel.side)], [0, 0]);
    return given >= none;
  }

  /** What is under way is given up; the workers are gone until they are asked again. */
  stop() {
    for (const asker of this.askers) asker.lose();
  }
}
