/** Drawing a distribution on the plane: with mouse, pen or finger, or with the arrow keys and the space bar. */

import { css, palette, pen } from "./colours.js";
import { MOST_DABS, REACH, read, written } from "./data.js";

/** @typedef {import("../kit/demo.js").Kit} Kit */

const APART = 0.1; // between two dabs of one stroke
const KEY_STEP = 0.15;

export class Pencil {
  /**
   * @param {Kit} kit @param {HTMLElement} ground what is drawn over @param {string} drawing to go on with
   * @param {(drawing: string | null) => void} done null: nothing was drawn
   */
  constructor(kit, ground, drawing, done) {
    const { element, button } = kit;
    this.kit = kit;
    /** @type {[number, number][]} */
    this.dabs = read(drawing);
    this.cursor = [0, 0];
    this.done = done;
    this.canvas = element("canvas", {
      class: "gv-live-lab-plane",
      tabindex: "0",
      role: "application",
      "aria-label":
        "Drawing ground. Arrow keys move the pen, Space makes a dab, Backspace takes the last one back, Enter finishes.",
    });
    const clear = button({
      label: "Clear",
      onPress: () => {
        this.dabs = [];
        this.#show("Cleared.");
        this.canvas.focus();
      },
    });
    const use = button({ label: "Use this drawing", main: true, onPress: () => this.finish() });
    const hint = element("p", {}, "Draw here. What you draw is the real data.");
    this.hint = hint;
    this.element = element(
      "div",
      { class: "gv-live-lab-pencil" },
      this.canvas,
      hint,
      kit.layout("row", clear.element, use.element),
    );
    this.#listen();
    ground.append(this.element);
    this.canvas.width = this.canvas.height = 2 * Math.max(1, this.canvas.clientWidth);
    this.#paint();
    this.canvas.focus({ preventScroll: true });
  }

  /** Done: the drawing is used. */
  finish() {
    this.element.remove();
    this.done(this.dabs.length > 0 ? written(this.dabs) : null);
  }

  /** Done: it is not. */
  drop() {
    this.element.remove();
    this.done(null);
  }

  #listen() {
    const { canvas } = this;
    const place = (/** @type {PointerEvent} */ { clientX, clientY }) => {
      const box = canvas.getBoundingClientRect();
      const x = ((clientX - box.left) / box.width) * 2 * REACH - REACH;
      const y = REACH - ((clientY - box.top) / box.height) * 2 * REACH;
      return /** @type {[number, number]} */ ([x, y]);
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
      this.#dab(place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) this.#stroke(place(event));
    });
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const move = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (move) {
      this.cursor = this.cursor.map((at, k) => Math.max(-2.9, Math.min(2.9, at + KEY_STEP * move[k])));
      this.#show(`${this.cursor[0].toFixed(1)}, ${this.cursor[1].toFixed(1)}`);
    } else if (event.key === " ") this.#dab([this.cursor[0], this.cursor[1]]);
    else if (event.key === "Backspace") {
      this.dabs.pop();
      this.#show(`${this.dabs.length} dabs.`);
    } else if (event.key === "Enter") this.finish();
    else return;
    event.preventDefault();
  }

  /** Dabs along the way from the last one. @param {[number, number]} to */
  #stroke(to) {
    for (;;) {
      const [x, y] = this.dabs.at(-1) ?? to;
      const way = Math.hypot(to[0] - x, to[1] - y);
      if (way < APART || this.dabs.length >= MOST_DABS) return;
      this.#dab([x + ((to[0] - x) * APART) / way, y + ((to[1] - y) * APART) / way]);
    }
  }

  /** @param {[number, number]} at */
  #dab(at) {
    if (this.dabs.length >= MOST_DABS) return this.#show(`That is all the ink there is: ${MOST_DABS} dabs.`);
    const limit = REACH - 0.1;
    const [x, y] = at.map((coordinate) => Math.max(-limit, Math.min(limit, coordinate)));
    this.dabs.push([x, y]);
    this.cursor = [x, y];
    this.#show(`${this.dabs.length} ${this.dabs.length === 1 ? "dab" : "dabs"}.`);
  }

  /** @param {string} words */
  #show(words) {
    this.hint.textContent = words;
    this.kit.say(words);
    this.#paint();
  }

  #paint() {
    const colours = palette();
    const { context, width } = pen(this.canvas);
    const at = (/** @type {number} */ coordinate) => ((coordinate + REACH) / (2 * REACH)) * width;
    context.fillStyle = css(colours.ground);
    context.fillRect(0, 0, width, width);
    context.fillStyle = css(colours.real);
    for (const [x, y] of this.dabs) {
      context.beginPath();
      context.arc(at(x), width - at(y), width / 70, 0, 2 * Math.PI);
      context.fill();
    }
    context.strokeStyle = css(colours.text);
    context.strokeRect(at(this.cursor[0]) - 6, width - at(this.cursor[1]) - 6, 12, 12);
  }
}
