/** A picture in a scene, as large as lines need it to be sharp. */

import { pen } from "../kit/canvas.js";

const FINE = 1000; // pixels of the longer side, at least
const BARE = "#1c2028"; // in place of the picture

/**
 * Show a picture; before the camera as in a mirror, for the eye alone. The pen that comes back draws in the picture's own
 * pixels.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} image
 * @param {{ mirror: boolean, bare?: boolean }} how
 */
export function stage(canvas, image, { mirror, bare = false }) {
  const finer = Math.max(1, FINE / Math.max(image.width, image.height));
  const [width, height] = [image.width * finer, image.height * finer].map(Math.round);
  Object.assign(canvas, { width, height });
  const context = pen(canvas);
  if (bare) {
    context.fillStyle = BARE;
    context.fillRect(0, 0, width, height);
  } else {
    if (mirror) context.setTransform(-1, 0, 0, 1, width, 0);
    context.drawImage(image, 0, 0, width, height);
    context.resetTransform();
  }
  context.scale(finer, finer);
  return context;
}

/** @param {unknown} error */
export const sentence = (error) => (error instanceof Error ? error.message : String(error));
