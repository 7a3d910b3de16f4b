/**
 * What looks at a photograph before it is restored: finds its blur, draws it beside the photograph, and tells the
 * network.
 *
 * @import { Kit, Network } from "../kit/demo.js"
 * @import { Pixels } from "../kit/tiles.js"
 * @import { Kernel } from "./blind.js"
 * @import { Blur } from "./finder.js"
 */

import { pen, picture } from "../kit/canvas.js";
import { delta, ENOUGH, SIZES } from "./blind.js";
import { Finder } from "./finder.js";
import { busiest, greyOf, SEEN, told, widthOf } from "./listening.js";
import { cut } from "./photo.js";

const LARGEST = Math.max(...SIZES);

/** What a blur is thought to be. @param {Blur} blur */
export function thought({ kernel, evidence, sure }) {
  const words = `evidence ${evidence.toFixed(2)} per pixel, where ${ENOUGH} is enough`;
  if (!Number.isFinite(evidence)) return "No blur to speak of, nor anything else: left as it is.";
  if (!sure && evidence > ENOUGH) return `Too steep for a blur, for all that speaks for one: left as it is (${words}).`;
  if (!sure) return `No blur to speak of: left as it is (${words}).`;
  const width = widthOf(kernel);
  return width < SEEN
    ? `A blur that is hardly seen, less than ${SEEN} pixels wide (${words}).`
    : `Blur about ${Math.round(width)} pixels wide (${words}).`;
}

export class Listener {
  /** @param {Kit} kit */
  constructor(kit) {
    this.finder = new Finder();
    /** @type {Blur | undefined} */
    this.blur = undefined;
    this.canvas = picture({ width: LARGEST, height: LARGEST, label: "", sharp: true });
    this.words = kit.element("p", { class: "gv-live-note" });
    const title = kit.element("p", { class: "gv-live-kernel-title", "aria-hidden": "true" }, "The blur");
    this.element = kit.element("div", { class: "gv-live-kernel" }, title, this.canvas, this.words);
    this.forget();
  }

  /** Of the photograph that comes, nothing is known. */
  forget() {
    this.blur = undefined;
    this.say(delta(LARGEST), "Not looked for yet.");
    this.element.classList.add("gv-live-unknown");
  }

  /** @param {Blur} blur */
  show(blur) {
    this.blur = blur;
    this.say(blur.sure ? blur.kernel : delta(LARGEST), thought(blur));
    this.element.classList.remove("gv-live-unknown");
  }

  /** @param {Kernel} kernel @param {string} words */
  say({ data, side }, words) {
    const brightest = data.reduce((most, light) => Math.max(most, light), 0);
    const image = new ImageData(side, side);
    data.forEach((light, at) => {
      image.data.fill(Math.round((255 * light) / brightest), 4 * at, 4 * at + 3);
      image.data[4 * at + 3] = 255;
    });
    pen(this.canvas).putImageData(image, 0, 0);
    this.canvas.setAttribute("aria-label", `The blur, as one point of light became: ${words}`);
    this.words.textContent = words;
  }

  /**
   * Look for the blur; whether there is one that is worth undoing, and undefined if it was stopped.
   *
   * @param {Pixels} pixels
   * @param {{ signal: AbortSignal, onProgress: (part: number) => void }} watch
   */
  async look(pixels, { signal, onProgress }) {
    const stop = () => this.finder.stop();
    signal.addEventListener("abort", stop);
    try {
      const part = greyOf(cut(pixels, busiest(pixels)));
      const blur = await this.finder.blur(part, onProgress);
      if (signal.aborted) return undefined;
      this.show(blur);
      return blur.sure;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** The model, told what was found. @param {Network} model */
  tell(model) {
    const { kernel } = this.blur ?? { kernel: delta(LARGEST) };
    return told(model, kernel, (part) => this.finder.isHere(part, kernel));
  }

  stop() {
    this.finder.stop();
  }
}
