/** Small charts on canvases: lines over steps, and histograms. Each says the same in words to who cannot see it. */

import { css, fitted, onTheme, palette, pen } from "./colours.js";

/** @typedef {import("./colours.js").Palette} Palette */
/** @typedef {{ colour: keyof Palette, values: number[], dashed?: boolean, label?: string }} Curve */
/**
 * @typedef {object} Lines
 * @property {number[]} steps
 * @property {Curve[]} curves
 * @property {number} [low] where the axis begins, if that is fixed
 * @property {number} [high]
 */
/** @typedef {{ counts: ArrayLike<number>, low: number, high: number, marks: number[], colour: keyof Palette }} Bars */

const MARGIN = { left: 34, right: 6, top: 6, bottom: 16 };

/** A chart's frame: title with live numbers, canvas. */
export class Chart {
  /** @param {string} name */
  constructor(name) {
    this.element = document.createElement("div");
    this.element.className = "gv-live-lab-chart";
    this.title = document.createElement("p");
    this.title.className = "gv-live-lab-chart-title";
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", name);
    this.element.append(this.title, this.canvas);
    this.name = name;
    this.said = "";
    /** @type {() => void} */
    this.redraw = () => {};
    const ends = [fitted(this.canvas, () => this.redraw()), onTheme(() => this.redraw())];
    this.stop = () => {
      for (const end of ends) end();
    };
  }

  /** @param {string} html of our own making @param {string} words for who cannot see the chart */
  say(html, words) {
    if (html === this.said) return;
    this.said = html;
    this.title.innerHTML = html;
    this.canvas.setAttribute("aria-label", `${this.name}. ${words}`);
  }

  /** @param {Lines} lines */
  lines(lines) {
    this.redraw = () => drawLines(this.canvas, lines);
    this.redraw();
  }

  /** @param {Bars} bars */
  bars(bars) {
    this.redraw = () => drawBars(this.canvas, bars);
    this.redraw();
  }
}

/** @param {number} value */
export function short(value) {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 10000) return String(value).replace("-", "−");
  const size = Math.abs(value);
  const text =
    size === 0 || (size >= 0.01 && size < 1000)
      ? value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
      : value.toPrecision(1);
  return text.replace("-", "−");
}

/** @param {HTMLCanvasElement} canvas @param {Lines} lines */
function drawLines(canvas, { steps, curves, low, high }) {
  const colours = palette();
  const { context, width, height } = pen(canvas);
  context.clearRect(0, 0, width, height);
  const values = curves.flatMap((curve) => curve.values).filter(Number.isFinite);
  if (values.length === 0)
    return rule(context, css(colours.line), MARGIN.left, width - MARGIN.right, height - MARGIN.bottom);
  const bottom = low ?? Math.min(0, ...values);
  const top = Math.max(high ?? Math.max(...values, bottom + 1e-6), bottom + 1e-6);
  const last = Math.max(1, steps.at(-1) ?? 1);
  const x = (/** @type {number} */ step) => MARGIN.left + (step / last) * (width - MARGIN.left - MARGIN.right);
  const y = (/** @type {number} */ value) =>
    MARGIN.top + ((top - value) / (top - bottom)) * (height - MARGIN.top - MARGIN.bottom);
  frame(context, colours, width, height, [
    [y(top), short(top)],
    [y(bottom), short(bottom)],
  ]);
  if (bottom < 0 && top > 0) rule(context, css(colours.line), MARGIN.left, width - MARGIN.right, y(0));
  label(context, colours, `step ${last.toLocaleString("en")}`, width - MARGIN.right, height - 4, "right");
  const every = Math.max(1, Math.floor(steps.length / 400));
  for (const { colour, values: heights, dashed } of curves) {
    context.strokeStyle = css(colours[colour]);
    context.lineWidth = dashed ? 1.2 : 1.8;
    context.lineJoin = "round";
    context.setLineDash(dashed ? [4, 4] : []);
    context.beginPath();
    heights.forEach((value, i) => {
      if (i % every !== 0 && i !== heights.length - 1) return;
      context.lineTo(x(heights.length === 1 ? last : steps[i]), y(Math.min(top, Math.max(bottom, value))));
    });
    context.stroke();
    if (heights.length === 1) dot(context, css(colours[colour]), x(last), y(heights[0]));
  }
  context.setLineDash([]);
}

/** @param {HTMLCanvasElement} canvas @param {Bars} bars */
function drawBars(canvas, { counts, low, high, marks, colour }) {
  const colours = palette();
  const { context, width, height } = pen(canvas);
  context.clearRect(0, 0, width, height);
  const [left, right] = [MARGIN.right, width - MARGIN.right];
  const floor = height - MARGIN.bottom;
  const most = Math.max(1, ...Array.from(counts));
  const each = (right - left) / counts.length;
  context.fillStyle = css(colours[colour]);
  for (let i = 0; i < counts.length; i++) {
    const tall = (counts[i] / most) * (floor - MARGIN.top);
    context.fillRect(left + i * each + 0.5, floor - tall, Math.max(0.5, each - 1), tall);
  }
  rule(context, css(colours.line), left, right, floor);
  for (const mark of marks) {
    const at = left + ((mark - low) / (high - low)) * (right - left);
    context.strokeStyle = css(colours.text);
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(at, MARGIN.top);
    context.lineTo(at, floor);
    context.stroke();
    context.setLineDash([]);
    label(context, colours, short(mark), at, height - 4, "center");
  }
  for (const [end, at, align] of /** @type {[number, number, CanvasTextAlign][]} */ ([
    [low, left, "left"],
    [high, right, "right"],
  ])) {
    const crowded = marks.some((mark) => Math.abs(mark - end) < 0.2 * (high - low)); // a mark has its number already
    if (!crowded) label(context, colours, short(end), at, height - 4, align);
  }
}

/** @param {CanvasRenderingContext2D} context @param {Palette} colours @param {number} width @param {number} height @param {[number, string][]} ticks */
function frame(context, colours, width, height, ticks) {
  rule(context, css(colours.line), MARGIN.left, width - MARGIN.right, height - MARGIN.bottom);
  for (const [at, text] of ticks) label(context, colours, text, MARGIN.left - 5, at + 4, "right");
}

/** @param {CanvasRenderingContext2D} context @param {string} colour @param {number} from @param {number} to @param {number} at */
function rule(context, colour, from, to, at) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(from, Math.round(at) + 0.5);
  context.lineTo(to, Math.round(at) + 0.5);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {Palette} colours @param {string} text @param {number} x @param {number} y @param {CanvasTextAlign} align */
function label(context, colours, text, x, y, align) {
  context.font = `11px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textAlign = align;
  context.fillStyle = css(colours.quiet);
  context.fillText(text, x, y);
}

/** @param {CanvasRenderingContext2D} context @param {string} colour @param {number} x @param {number} y */
function dot(context, colour, x, y) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, 2.5, 0, 2 * Math.PI);
  context.fill();
}
