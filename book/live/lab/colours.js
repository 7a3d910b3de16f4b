/** The palette, read from the page, so that a colour means here what it means in the book, in light and in dark. */

/** @typedef {[number, number, number]} Colour */
/** @typedef {Record<"real" | "fake" | "generator" | "critic" | "ground" | "surface" | "text" | "quiet" | "line", Colour>} Palette */

const NAMES = /** @type {const} */ ([
  "real",
  "fake",
  "generator",
  "critic",
  "ground",
  "surface",
  "text",
  "quiet",
  "line",
]);

/** @returns {Palette} */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const found = NAMES.map((name) => [name, parse(style.getPropertyValue(`--gv-${name}`).trim())]);
  return /** @type {Palette} */ (Object.fromEntries(found));
}

/** @param {string} text `#rrggbb` @returns {Colour} */
function parse(text) {
  const number = Number.parseInt(text.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/** @param {Colour} colour @param {number} [alpha] */
export function css([red, green, blue], alpha = 1) {
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}

/** Calls back when the reader turns from light to dark or back; the answer ends that. @param {() => void} changed */
export function onTheme(changed) {
  const watcher = new MutationObserver(changed);
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => watcher.disconnect();
}

/**
 * A canvas as sharp as the screen: fits its pixels to its size, and says when that has changed.
 * @param {HTMLCanvasElement} canvas @param {() => void} changed
 */
export function fitted(canvas, changed) {
  const watcher = new ResizeObserver(() => {
    const scale = Math.min(2, window.devicePixelRatio || 1);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((length) => Math.round(length * scale));
    if (width === 0 || (canvas.width === width && canvas.height === height)) return;
    canvas.width = width;
    canvas.height = height;
    changed();
  });
  watcher.observe(canvas);
  return () => watcher.disconnect();
}

/** A canvas's pen, measured in the page's own pixels. @param {HTMLCanvasElement} canvas */
export function pen(canvas) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const scale = canvas.width / Math.max(1, canvas.clientWidth);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return { context, width: canvas.width / scale, height: canvas.height / scale };
}
