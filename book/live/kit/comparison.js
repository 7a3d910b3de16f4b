/**
 * Two pictures of the same size, one over the other, and a line to drag between them. Screen readers meet a slider that
 * says how much of the width each of them has; the arrow keys move it.
 */

import { element } from "./controls.js";

const STEP = 2; // parts of a hundred, for a key
const FAR = 10; // with Shift, or for the page keys

/**
 * Where a key moves the line to; undefined if it is none of the line's keys.
 *
 * @param {number} place  Of 100, from the left.
 * @param {{ key: string, shiftKey: boolean }} event
 */
export function moved(place, { key, shiftKey }) {
  if (key === "Home") return 0;
  if (key === "End") return 100;
  const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -1, PageUp: 1 }[key];
  if (!step) return undefined;
  const far = shiftKey || key.startsWith("Page") ? FAR : STEP;
  return Math.min(Math.max(place + step * far, 0), 100);
}

/**
 * What a place of the line shows, in words.
 *
 * @param {number} place
 * @param {string} before
 * @param {string} after
 */
export function shares(place, before, after) {
  const left = Math.round(place);
  if (left <= 0) return `${after} only`;
  if (left >= 100) return `${before} only`;
  return `${before} in the left ${left} %, ${after} in the rest`;
}

/**
 * @param {object} options
 * @param {string} options.label  What the slider is called.
 * @param {string} options.before  What the left side is called.
 * @param {string} options.after
 * @param {number} [options.value]  Of 100.
 */
export function comparison({ label, before, after, value = 50 }) {
  const input = element("input", { type: "range", min: "0", max: "100", step: "any", "aria-label": label });
  const line = element("span", { class: "gv-live-line", "aria-hidden": "true" }, element("span", {}, "‹ ›"));
  const tags = [before, after].map((name) => element("span", { class: "gv-live-tag", "aria-hidden": "true" }, name));
  const layers = element("div", { class: "gv-live-layers" });
  const view = element("div", { class: "gv-live-view" }, layers);
  const frame = element("div", { class: "gv-live-compare" }, view, ...tags, input, line);
  /** @type {HTMLCanvasElement[]} */
  let pictures = [];
  let near = false;

  const show = () => {
    const place = input.valueAsNumber;
    line.style.left = `${place}%`;
    tags[0].style.opacity = place < 12 ? "0" : "1";
    tags[1].style.opacity = place > 88 ? "0" : "1";
    input.setAttribute("aria-valuetext", shares(place, tags[0].textContent, tags[1].textContent));
    const cut = view.scrollLeft + (place / 100) * view.clientWidth; // the line stands still, what is below may move
    if (pictures[1]) pictures[1].style.clipPath = `inset(0 0 0 ${cut}px)`;
  };
  /** @param {number} place */
  const move = (place) => {
    input.valueAsNumber = place; // the element keeps it between its ends
    show();
  };
  /** @param {PointerEvent} event */
  const follow = (event) => {
    const box = view.getBoundingClientRect();
    move((100 * (event.clientX - box.left)) / box.width);
  };
  frame.addEventListener("pointerdown", (event) => {
    if (event.button || (near && !line.contains(/** @type {Node} */ (event.target)))) return; // a closer look: pan
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    input.focus({ preventScroll: true });
    follow(event);
  });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) follow(event);
  });
  input.addEventListener("keydown", (event) => {
    const place = moved(input.valueAsNumber, event);
    if (place === undefined) return;
    event.preventDefault();
    move(place);
  });
  input.addEventListener("input", show);
  view.addEventListener("scroll", show);
  new ResizeObserver(show).observe(view);
  move(value);
  return {
    element: frame,
    input,
    /** @param {HTMLCanvasElement} left @param {HTMLCanvasElement} right */
    show(left, right) {
      pictures = [left, right];
      layers.replaceChildren(left, right);
      frame.style.setProperty("--gv-live-ratio", `${left.width / left.height}`);
      this.closer(near);
    },
    /** What the sides are called. @param {string} left @param {string} right */
    name(left, right) {
      tags[0].textContent = left;
      tags[1].textContent = right;
      show();
    },
    /** Show each pixel of the pictures as one of the screen, or larger, and let them be moved below the line. @param {boolean} state */
    closer(state) {
      near = state;
      frame.classList.toggle("gv-live-closer", state);
      const wide = pictures[0]?.width ?? 0;
      const scale = Math.max(1, Math.ceil((2 * view.clientWidth) / Math.max(wide, 1))); // small pictures: twice the view
      layers.style.width = state ? `${wide * scale}px` : "";
      if (state) view.setAttribute("tabindex", "0");
      else view.removeAttribute("tabindex");
      view.scrollLeft = state ? (layers.clientWidth - view.clientWidth) / 2 : 0;
      view.scrollTop = state ? (layers.clientHeight - view.clientHeight) / 2 : 0;
      show();
    },
    get value() {
      return input.valueAsNumber;
    },
    set value(place) {
      move(place);
    },
  };
}
