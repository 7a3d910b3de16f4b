/**
 * Tensors to pictures and back, and the palette for what is drawn on a canvas.
 *
 * @import { Tensor } from "./demo.js"
 */

/** [−1, 1] to a byte, as `companion.data.scale` does it. @param {number} value */
export const byteOf = (value) => Math.round((Math.min(Math.max(value, -1), 1) + 1) * 127.5);

/**
 * One image of a tensor as bytes, RGBA.
 *
 * @param {Tensor} images  `(N, C, H, W)` in [−1, 1], C 1 (grey) or 3.
 * @param {number} [index]
 */
export function bytesOf({ data, shape }, index = 0) {
  const [, channels, height, width] = shape;
  const area = height * width;
  const bytes = new Uint8ClampedArray(4 * area);
  const start = index * channels * area;
  const step = channels === 1 ? 0 : area;
  for (let place = 0; place < area; place++) {
    for (let channel = 0; channel < 3; channel++) {
      bytes[4 * place + channel] = byteOf(data[start + channel * step + place]);
    }
    bytes[4 * place + 3] = 255;
  }
  return bytes;
}

/**
 * Draw one image of a tensor, pixel for pixel.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Tensor} images
 * @param {{ index?: number, x?: number, y?: number }} [where]
 */
export function paint(canvas, images, { index = 0, x = 0, y = 0 } = {}) {
  const [, , height, width] = images.shape;
  pen(canvas).putImageData(new ImageData(bytesOf(images, index), width, height), x, y);
}

/**
 * Pixels as a tensor `(1, C, H, W)` in [−1, 1]; grey by the weights of ITU-R 601, as torchvision does it. Their alpha
 * is left out, which is right for restoring, where it comes back; else lay them on a ground first (`canvasOf`).
 *
 * @param {{ data: Uint8ClampedArray, width: number, height: number }} pixels
 * @param {1 | 3} [channels]
 * @returns {Tensor}
 */
export function tensorOf({ data: bytes, width, height }, channels = 3) {
  const area = width * height;
  const data = new Float32Array(channels * area);
  for (let place = 0; place < area; place++) {
    const [red, green, blue] = bytes.subarray(4 * place, 4 * place + 3);
    if (channels === 1) data[place] = (0.2989 * red + 0.587 * green + 0.114 * blue) / 127.5 - 1;
    else {
      data[place] = red / 127.5 - 1;
      data[area + place] = green / 127.5 - 1;
      data[2 * area + place] = blue / 127.5 - 1;
    }
  }
  return { data, shape: [1, channels, height, width] };
}

/** A canvas's pen for pixels. @param {HTMLCanvasElement} canvas */
export function pen(canvas) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser draws on no canvas.");
  return context;
}

/**
 * A canvas that screen readers meet as a picture.
 *
 * @param {object} options
 * @param {number} options.width
 * @param {number} options.height
 * @param {string} options.label
 * @param {boolean} [options.sharp]  Show each pixel as a square instead of blending them.
 */
export function picture({ width, height, label, sharp = false }) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.className = `gv-live-picture${sharp ? " gv-live-sharp" : ""}`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

const LONGEST = 1600; // pixels of a photograph's side

/**
 * A photograph or a film's picture of now, made smaller if its longer side has more than `longest` pixels.
 *
 * @param {CanvasImageSource} image
 * @param {number} width
 * @param {number} height
 * @param {number} [longest]
 * @param {string} [ground]  What is transparent lies on it: on white, as `companion.data.reading` has it.
 */
export function canvasOf(image, width, height, longest = LONGEST, ground = "white") {
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = pen(canvas);
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A picture file, upright. @param {Blob} file */
export const bitmapOf = (file) => createImageBitmap(file, { imageOrientation: "from-image" });

/** @typedef {"real" | "fake" | "generator" | "critic" | "ground" | "surface" | "text" | "quiet" | "line"} Role */

/** @type {Role[]} */
const ROLES = ["real", "fake", "generator", "critic", "ground", "surface", "text", "quiet", "line"];

/**
 * The colours of the book as they are now, for what is drawn and not styled.
 *
 * @returns {Record<Role, string>}
 */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const found = /** @type {Record<Role, string>} */ ({});
  for (const role of ROLES) found[role] = style.getPropertyValue(`--gv-${role}`).trim();
  return found;
}

/** Call back whenever light turns to dark or dark to light; returns how to end it. @param {() => void} redraw */
export function onTheme(redraw) {
  const observer = new MutationObserver(redraw);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}

/** Offer what a canvas shows as a PNG file. @param {HTMLCanvasElement} canvas @param {string} name */
export function save(canvas, name) {
  canvas.toBlob((blob) => blob && saveFile(blob, name));
}

/** Offer a file that was made here. @param {Blob} file @param {string} name */
export function saveFile(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Wait until the browser has shown what was said, before the page's thread is busy. */
export const painted = () => new Promise((done) => setTimeout(done, 30));
