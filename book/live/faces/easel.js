/**
 * Two pictures of one face, the portrait and its drawing, painted again whenever the face changes.
 *
 * @import { Face, Parameters } from "./parameters.js"
 * @import { Kind } from "./renderer.js"
 */

import { picture } from "../kit/canvas.js";
import { element } from "../kit/controls.js";
import { FaceRenderer } from "./renderer.js";

const SLOW = 70; // milliseconds for both pictures, from which on they are small while they move
const DRAFT = 176; // pixels a side of such a picture
const STILL = 180; // milliseconds without a change, after which it is painted in full
const LARGEST = 640;
export const SAVED = 1024; // pixels of a saved picture

/** @typedef {{ portrait: Face, caricature: Face }} Pair the same face, and exaggerated in a style */

/** @type {Kind[]} */
const KINDS = ["portrait", "caricature"];

/** Show what the renderer has drawn in a canvas of the page, without a copy. @param {HTMLCanvasElement} canvas @param {FaceRenderer} renderer */
function hang(canvas, renderer) {
  const picture = renderer.canvas.transferToImageBitmap();
  if (canvas.width !== picture.width) canvas.width = canvas.height = picture.width;
  canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(picture);
  return canvas;
}

export class Easel {
  /** @param {Parameters} parameters @param {{ portrait: string, caricature: string }} names under the pictures */
  constructor(parameters, names) {
    this.renderer = new FaceRenderer(parameters);
    this.slow = false;
    this.asked = 0;
    this.timer = 0;
    this.changed = 0; // when
    /** @type {Pair | undefined} */
    this.pair = undefined;
    this.painting = false;
    this.waiting = false; // whether the face has changed since
    this.canvases = KINDS.map((kind) => picture({ width: DRAFT, height: DRAFT, label: names[kind] }));
    this.frames = KINDS.map((kind, place) =>
      element(
        "div",
        { class: "gv-live-face" },
        this.canvases[place],
        element("span", { class: "gv-live-tag" }, names[kind]),
      ),
    );
    this.element = element("div", { class: "gv-live-faces" }, ...this.frames);
  }

  /** Say to those who do not see them what the pictures show. @param {string} portrait @param {string} caricature */
  describe(portrait, caricature) {
    this.canvases[0].setAttribute("aria-label", portrait);
    this.canvases[1].setAttribute("aria-label", caricature);
  }

  /** @param {Pair} pair */
  show(pair) {
    this.pair = pair;
    this.changed = performance.now();
    this.element.setAttribute("aria-busy", "true");
    this.ask();
    clearTimeout(this.timer);
    if (this.slow) this.timer = window.setTimeout(() => this.paint(this.full()), STILL);
  }

  /** Paint with the next frame, unless the last pictures are not finished yet. */
  ask() {
    this.waiting = this.painting;
    if (this.asked || this.painting) return;
    this.asked = requestAnimationFrame(() => this.paint(this.slow ? DRAFT : this.full()));
  }

  /** As many pixels as the screen shows. */
  full() {
    const shown = this.canvases[0].clientWidth * devicePixelRatio;
    return Math.min(Math.max(Math.round(shown), DRAFT), LARGEST);
  }

  /** @param {number} size */
  paint(size) {
    this.asked = 0;
    if (!this.pair || this.painting) return;
    const { renderer } = this;
    const begun = performance.now();
    for (const [place, kind] of KINDS.entries()) {
      renderer.draw(this.pair[kind], kind, size);
      hang(this.canvases[place], renderer);
    }
    this.painting = true;
    renderer.finished().then(() => {
      this.painting = false;
      if (size !== DRAFT) this.slow = performance.now() - begun > SLOW;
      if (this.waiting) this.ask();
      else if (size === this.full()) this.element.setAttribute("aria-busy", "false");
      else if (!this.slow || performance.now() - this.changed >= STILL) this.paint(this.full());
    });
  }

  /** A large picture of its own, to be saved. @param {Kind} kind @returns {HTMLCanvasElement} */
  large(kind) {
    if (!this.pair) throw new Error("Nothing is drawn yet.");
    const canvas = document.createElement("canvas");
    this.renderer.draw(this.pair[kind], kind, SAVED);
    return hang(canvas, this.renderer);
  }

  close() {
    cancelAnimationFrame(this.asked);
    clearTimeout(this.timer);
    this.renderer.close();
  }
}
