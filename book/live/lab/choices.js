/** The distributions to choose from, each a small picture of itself; the last is the reader's own. */

import { css, onTheme, palette } from "./colours.js";
import { DISTRIBUTIONS, drawn, points, REACH, read } from "./data.js";
import { stream } from "./random.js";

/** @typedef {import("../kit/demo.js").Kit} Kit */

const SIDE = 112; // pixels
let counter = 0;

export class Choices {
  /** @param {Kit} kit @param {(data: string) => void} chosen */
  constructor(kit, chosen) {
    const { element } = kit;
    const group = `gv-live-lab-data-${++counter}`;
    /** @type {Map<string, { input: HTMLInputElement, canvas: HTMLCanvasElement }>} */
    this.all = new Map();
    this.drawing = "";
    this.name = element("span", {});
    const legend = element("legend", {}, "Real data: ", this.name);
    this.element = element("fieldset", { class: "gv-live-lab-data" }, legend);
    const names = Object.entries(DISTRIBUTIONS).map(([key, { name }]) => [key, name]);
    for (const [value, name] of [...names, ["drawn", "draw your own"]]) {
      const input = element("input", { type: "radio", name: group, value });
      const canvas = element("canvas", { width: String(SIDE), height: String(SIDE), "aria-hidden": "true" });
      // a drawing is asked for by a click, so that arrow keys pass it by, and a second click draws anew
      input.addEventListener(value === "drawn" ? "click" : "change", () => chosen(value));
      this.element.append(element("label", {}, input, canvas, element("span", {}, name)));
      this.all.set(value, { input, canvas });
    }
    this.stop = onTheme(() => this.#paint());
  }

  /** @param {string} data which is chosen @param {string} drawing the reader's, if there is one */
  show(data, drawing) {
    const chosen = this.all.get(data);
    if (chosen) chosen.input.checked = true;
    this.name.textContent = data === "drawn" ? "your drawing" : DISTRIBUTIONS[data].name;
    this.drawing = drawing;
    this.#paint();
  }

  #paint() {
    const colours = palette();
    for (const [name, { canvas }] of this.all) {
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.clearRect(0, 0, SIDE, SIDE);
      if (name === "drawn" && !this.drawing) squiggle(context, css(colours.quiet));
      else
        sprinkle(context, name === "drawn" ? drawn(read(this.drawing)) : DISTRIBUTIONS[name], css(colours.real, 0.85));
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {import("./data.js").Distribution} from @param {string} colour */
function sprinkle(context, from, colour) {
  context.fillStyle = colour;
  const places = points(from, stream(0, "thumbnail"), 240);
  for (let i = 0; i < places.length; i += 2) {
    const [x, y] = [places[i], -places[i + 1]].map((at) => SIDE / 2 + (at / REACH) * 0.56 * SIDE);
    context.fillRect(x - 1.5, y - 1.5, 3, 3);
  }
}

/** A line such as a hand draws. @param {CanvasRenderingContext2D} context @param {string} colour */
function squiggle(context, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 5;
  context.lineCap = "round";
  context.setLineDash([1, 9]);
  context.beginPath();
  context.moveTo(22, 74);
  context.bezierCurveTo(40, 6, 62, 26, 56, 58);
  context.bezierCurveTo(50, 96, 84, 92, 92, 40);
  context.stroke();
  context.setLineDash([]);
}
