/**
 * The controls of every demo, built of native elements so that keyboard, touch and screen readers work by themselves.
 * Each factory returns an object whose `element` goes into the page.
 */

import { bitmapOf } from "./canvas.js";

let counter = 0;

/** @param {string} stem */
const freshId = (stem) => `gv-live-${stem}-${++counter}`;

/**
 * An element with attributes and children.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A number as the book writes it, with a true minus sign: `signed(-1.5)` is “−1.5”. @param {number} value */
export const plain = (value, digits = 1) => value.toFixed(digits).replace("-", "−");

/**
 * Controls side by side, wrapped where the page is narrow; `kind` is `row`, `column`, or `split` for a picture beside
 * its controls.
 *
 * @param {"row" | "column" | "split"} kind
 * @param {...Node} children
 */
export function layout(kind, ...children) {
  return element("div", { class: `gv-live-${kind}` }, ...children);
}

/**
 * A slider with its value in words beside it.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {number} options.min
 * @param {number} options.max
 * @param {number} options.value
 * @param {number} [options.step]
 * @param {(value: number) => string} [options.said]  The value for reader and screen reader.
 * @param {(value: number) => void} [options.onInput]  At every move.
 */
export function slider({ label, min, max, value, step = 0.01, said = (v) => plain(v), onInput = () => {} }) {
  const id = freshId("slider");
  const input = element("input", { type: "range", id, min: `${min}`, max: `${max}`, step: `${step}` });
  const shown = element("output", { for: id, class: "gv-live-value" });
  const show = () => {
    const words = said(input.valueAsNumber);
    shown.textContent = words;
    input.setAttribute("aria-valuetext", words);
    // The line is filled from zero, or from the end if zero is beyond it.
    const ends = [Math.min(Math.max(0, min), max), input.valueAsNumber].sort((a, b) => a - b);
    ends.forEach((end, index) => {
      input.style.setProperty(`--gv-live-${["from", "to"][index]}`, `${(100 * (end - min)) / (max - min)}%`);
    });
  };
  input.valueAsNumber = value;
  show();
  input.addEventListener("input", () => {
    show();
    onInput(input.valueAsNumber);
  });
  const name = element("label", { for: id }, label);
  return {
    element: element("div", { class: "gv-live-slider" }, name, shown, input),
    input,
    get value() {
      return input.valueAsNumber;
    },
    /** Set it from the program; `onInput` is not called. */
    set value(next) {
      input.valueAsNumber = next;
      show();
    },
  };
}

/**
 * A button. With `pressed` it is a switch, which `onPress` is told the new state of.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {(pressed: boolean) => void} options.onPress
 * @param {boolean} [options.pressed]
 * @param {boolean} [options.main]  The one that a reader looks for first.
 * @param {string} [options.title]  For a label that is a sign only: what it does.
 */
export function button({ label, onPress, pressed, main = false, title }) {
  const made = element("button", { type: "button", class: `gv-live-button${main ? " gv-live-main" : ""}` }, label);
  if (title) {
    made.title = title;
    made.setAttribute("aria-label", title);
  }
  if (pressed !== undefined) made.setAttribute("aria-pressed", `${pressed}`);
  made.addEventListener("click", () => {
    const next = made.getAttribute("aria-pressed") === "false";
    if (pressed !== undefined) made.setAttribute("aria-pressed", `${next}`);
    onPress(next);
  });
  return {
    element: made,
    /** @param {string} text */
    label(text) {
      made.textContent = text;
    },
    /** @param {boolean} state */
    press(state) {
      made.setAttribute("aria-pressed", `${state}`);
    },
    /** @param {boolean} state */
    enable(state) {
      made.disabled = !state;
    },
  };
}

/**
 * One of several, as a row of radio buttons that looks like one control.
 *
 * @template {string} V
 * @param {object} options
 * @param {string} options.label
 * @param {{ value: V, label: string }[]} options.options
 * @param {V} options.value
 * @param {(value: V) => void} options.onChange
 */
export function choice({ label, options, value, onChange }) {
  const name = freshId("choice");
  const group = element("fieldset", { class: "gv-live-choice" }, element("legend", {}, label));
  const row = element("div", {});
  /** @type {Map<V, HTMLInputElement>} */
  const inputs = new Map();
  for (const option of options) {
    const id = freshId("option");
    const input = element("input", { type: "radio", id, name, value: option.value });
    input.checked = option.value === value;
    input.addEventListener("change", () => onChange(option.value));
    inputs.set(option.value, input);
    row.append(input, element("label", { for: id }, option.label));
  }
  group.append(row);
  return {
    element: group,
    get value() {
      return /** @type {V} */ ([...inputs].find(([, input]) => input.checked)?.[0]);
    },
    set value(next) {
      const input = inputs.get(next);
      if (input) input.checked = true;
    },
  };
}

/**
 * On or off.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {boolean} options.value
 * @param {(value: boolean) => void} options.onChange
 */
export function toggle({ label, value, onChange }) {
  const input = element("input", { type: "checkbox" });
  input.checked = value;
  input.addEventListener("change", () => onChange(input.checked));
  return {
    element: element("label", { class: "gv-live-toggle" }, input, element("span", {}, label)),
    get value() {
      return input.checked;
    },
    set value(next) {
      input.checked = next;
    },
  };
}

/**
 * A plane with a handle: dragged, or moved with the arrow keys (with Shift in larger steps). Screen readers meet two
 * sliders, one for each direction. With `hover` the handle follows a mouse that only passes over it, and goes back when
 * that leaves.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {HTMLElement} options.ground  What lies under the handle: a canvas or picture.
 * @param {{ label: string, min: number, max: number, value: number }} options.x  To the right.
 * @param {{ label: string, min: number, max: number, value: number }} options.y  Upwards.
 * @param {number} [options.step]
 * @param {(x: number, y: number) => string} [options.said]
 * @param {boolean} [options.hover]
 * @param {(x: number, y: number) => void} options.onMove
 */
export function pad({ label, ground, x, y, step = 0.05, said, hover = false, onMove }) {
  const words = said ?? ((a, b) => `${plain(a, 2)}, ${plain(b, 2)}`);
  const inputs = [x, y].map((axis) => {
    const range = { min: `${axis.min}`, max: `${axis.max}`, step: "any" };
    const input = element("input", { type: "range", "aria-label": `${label}: ${axis.label}`, ...range });
    input.valueAsNumber = axis.value;
    return input;
  });
  const [across, up] = inputs;
  const handle = element("span", { class: "gv-live-handle", "aria-hidden": "true" });
  const plane = element("div", { class: "gv-live-pad" }, ground, ...inputs, handle);
  const show = () => {
    const [right, top] = [
      (across.valueAsNumber - x.min) / (x.max - x.min),
      1 - (up.valueAsNumber - y.min) / (y.max - y.min),
    ];
    handle.style.left = `${100 * right}%`;
    handle.style.top = `${100 * top}%`;
    for (const input of inputs) input.setAttribute("aria-valuetext", words(across.valueAsNumber, up.valueAsNumber));
  };
  /** @param {number} toX @param {number} toY */
  const move = (toX, toY) => {
    across.valueAsNumber = toX;
    up.valueAsNumber = toY; // the element keeps it between its ends
    show();
    onMove(across.valueAsNumber, up.valueAsNumber);
  };
  /** @param {PointerEvent} event */
  const follow = (event) => {
    const box = plane.getBoundingClientRect();
    const right = (event.clientX - box.left) / box.width;
    const top = (event.clientY - box.top) / box.height;
    move(x.min + right * (x.max - x.min), y.max - top * (y.max - y.min));
  };
  /** @type {[number, number] | undefined} */
  let left; // where the handle goes back to
  plane.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    plane.setPointerCapture(event.pointerId);
    left = undefined;
    across.focus({ preventScroll: true });
    plane.classList.add("gv-live-held");
    follow(event);
  });
  plane.addEventListener("pointermove", (event) => {
    if (plane.hasPointerCapture(event.pointerId)) follow(event);
    else if (hover && event.pointerType === "mouse") {
      left ??= [across.valueAsNumber, up.valueAsNumber];
      follow(event);
    }
  });
  plane.addEventListener("pointerleave", () => {
    if (left) move(...left);
    left = undefined;
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    plane.addEventListener(end, () => plane.classList.remove("gv-live-held"));
  }
  plane.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 5 * step : step;
    const [right, top] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [
      0, 0,
    ];
    if (!right && !top) return;
    event.preventDefault();
    left = undefined;
    move(across.valueAsNumber + right * far, up.valueAsNumber + top * far);
  });
  for (const input of inputs) {
    input.addEventListener("input", () => move(across.valueAsNumber, up.valueAsNumber));
  }
  show();
  return {
    element: plane,
    get value() {
      return { x: across.valueAsNumber, y: up.valueAsNumber };
    },
    /** Set it from the program; `onMove` is not called. */
    set value(next) {
      across.valueAsNumber = next.x;
      up.valueAsNumber = next.y;
      show();
    },
  };
}

/**
 * How far something has come. Hidden until it is set.
 *
 * @param {string} label
 */
export function progress(label) {
  const bar = element("progress", { max: "1", "aria-label": label });
  const words = element("span", {});
  const box = element("div", { class: "gv-live-progress", hidden: "" }, element("span", {}, label), bar, words);
  return {
    element: box,
    /** @param {number | null} part  0 to 1; null if nobody can tell. @param {string} [said] */
    set(part, said = "") {
      box.hidden = false;
      if (part === null) bar.removeAttribute("value");
      else bar.value = part;
      words.textContent = said;
    },
    done() {
      box.hidden = true;
    },
  };
}

const TYPES = "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/avif";

const TAKING = ".gv-live:has(.gv-live-drop)"; // figures that take pictures

/** How much of an element's height is in the window, in pixels. @param {Element} one */
function inView(one) {
  const { top, bottom } = one.getBoundingClientRect();
  return Math.min(bottom, innerHeight) - Math.max(top, 0);
}

/** The one figure that a pasted picture is for: with the focus, or under the mouse, or else most in view; null if none is. */
function meant() {
  const here = document.activeElement?.closest(TAKING) ?? document.querySelector(`${TAKING}:hover`);
  const [most] = [...document.querySelectorAll(TAKING)].sort((one, other) => inView(other) - inView(one));
  return here ?? (most && inView(most) > 0 ? most : null);
}

/**
 * Where a reader gives a picture: dropped, pasted, picked, or one of the samples. It never leaves the page.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {{ label: string, url: string }[]} [options.samples]
 * @param {(picture: ImageBitmap, name: string, file: Blob) => void} options.onPicture  Upright, as the camera held it.
 * @param {(sentence: string) => void} options.onError
 */
export function dropZone({ label, samples = [], onPicture, onError }) {
  const pick = element("input", { type: "file", accept: TYPES, id: freshId("file"), class: "gv-live-hidden" });
  const ask = element("label", { for: pick.id, class: "gv-live-button" }, "Choose a picture");
  const hint = element("span", {}, "drop one here, or paste it. It stays on your machine.");
  const zone = element("div", { class: "gv-live-drop", role: "group", "aria-label": label }, pick, ask, hint);

  /** @param {Blob} file @param {string} name */
  const take = async (file, name) => {
    try {
      const bitmap = await bitmapOf(file);
      onError("");
      onPicture(bitmap, name, file);
    } catch {
      onError(`${name} could not be read as a picture; give a PNG, JPEG, WebP, GIF or BMP file.`);
    }
  };
  /** @param {FileList | undefined} files */
  const first = (files) => {
    const file = files?.[0];
    if (!file) onError("There was no picture in that; give a PNG, JPEG, WebP, GIF or BMP file.");
    else take(file, file.name);
  };
  pick.addEventListener("change", () => {
    if (pick.files?.length) first(pick.files);
    pick.value = ""; // so that the same file can be chosen again
  });
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("gv-live-over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("gv-live-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("gv-live-over");
    first(event.dataTransfer?.files);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length && meant()?.contains(zone)) first(event.clipboardData.files);
  });
  if (samples.length) {
    const row = element("div", { class: "gv-live-samples", role: "group", "aria-label": "Samples" });
    for (const sample of samples) {
      const fetchIt = async () => {
        const answer = await fetch(sample.url).catch(() => null);
        if (answer?.ok) take(await answer.blob(), sample.label);
        else onError(`The sample “${sample.label}” could not be fetched; is the site still served?`);
      };
      const picture = element("img", { src: sample.url, alt: sample.label, loading: "lazy" });
      const one = element("button", { type: "button", title: sample.label }, picture);
      one.addEventListener("click", fetchIt);
      row.append(one);
    }
    zone.append(row);
  }
  return { element: zone, take };
}

export const controls = { element, layout, slider, button, choice, toggle, pad, progress, dropZone };
