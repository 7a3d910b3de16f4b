/**
 * Faces, hands and bodies as landmarks, found by MediaPipe in the page: one worker for all, begun with the first. What it
 * cannot do is an Error with one sentence. A picture goes to the worker and nowhere else.
 */

import { Asker, Ended } from "./asking.js";

/** @typedef {"face" | "hand" | "pose"} Kind */
/** @typedef {{ x: number, y: number, z: number, visibility?: number }} Landmark in parts of the picture's width and height */

/**
 * What is found. Left and right are the person's own, in a picture that is not mirrored.
 *
 * @typedef {object} Found
 * @property {Kind} kind
 * @property {number} width  Of the picture, in pixels.
 * @property {number} height
 * @property {Landmark[]} landmarks
 * @property {"left" | "right"} [side]  Of a hand.
 * @property {number} [score]  How sure the network is of the side.
 * @property {Record<string, number>} [moves]  Of a face: its blendshapes.
 */

const asker = new Asker(
  new URL("./landmarks-worker.js", import.meta.url),
  "This needs a newer browser: this one could not start the script that finds landmarks.",
);
let counter = 0;
let open = 0; // landmarkers that are made and not closed

/** Finds one kind; made by `landmarker`. */
export class Landmarker {
  /** @param {string} key */
  constructor(key) {
    this.key = key;
    this.now = -1;
    this.closed = false;
  }

  /** What is in one picture, on its own. @param {ImageBitmapSource} picture @returns {Promise<Found[]>} */
  find(picture) {
    return this.ask(picture, null);
  }

  /**
   * What is in the next picture of a film: what was found in the last helps to find it.
   *
   * @param {ImageBitmapSource} picture
   * @param {number} milliseconds  MediaPipe refuses times that stand still, so they are moved on.
   * @returns {Promise<Found[]>}
   */
  follow(picture, milliseconds) {
    this.now = Math.max(this.now + 1, Math.round(milliseconds));
    return this.ask(picture, this.now);
  }

  /** @param {ImageBitmapSource} picture @param {number | null} milliseconds */
  async ask(picture, milliseconds) {
    const bitmap = await createImageBitmap(picture);
    if (this.closed) throw new Ended("What finds landmarks has been let go of.");
    return asker.ask("find", { key: this.key, picture: bitmap, milliseconds }, { give: [bitmap] });
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    letGo(this.key);
  }
}

/**
 * Load what finds one kind.
 *
 * @param {Kind} kind
 * @param {{ most?: number, confidence?: number, onProgress?: (part: number | null, words: string) => void }} [options]
 */
export async function landmarker(kind, { most = 1, confidence = 0.5, onProgress } = {}) {
  const key = `${kind}-${++counter}`;
  open++;
  try {
    await asker.ask("load", { key, kind, most, confidence }, { onProgress });
  } catch (error) {
    letGo(key);
    throw error;
  }
  return new Landmarker(key);
}

/** The last that goes takes the worker along: it would keep 100 MB, whatever is closed in it. @param {string} key */
function letGo(key) {
  open--;
  if (!open) return asker.end();
  asker.ask("close", { key }).catch(() => {}); // a worker that has failed holds nothing any more
}
