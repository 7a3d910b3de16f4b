/**
 * The only script that a page with demos loads. A demo's module is fetched when its figure comes near the window, a
 * model at the first touch. Where something is missing, the still picture stays and a sentence says why.
 *
 * @import { Demo, Kit, LazyModel, Loop, Running } from "./demo.js"
 */

import { controls, element } from "./controls.js";
import { models } from "./models.js";

const BASE = new URL("../", import.meta.url);
const NEAR = "200px"; // begin a little before the reader is there

/** @param {HTMLElement} figure */
async function begin(figure) {
  const name = figure.dataset.live ?? "";
  const stage = element("div", { class: "gv-live-stage", role: "group" });
  const frame = new Frame(figure, stage);
  try {
    /** @type {{ demo: Demo }} */
    const { demo } = await import(new URL(`demos/${name}.js`, BASE).href);
    stage.setAttribute("aria-label", demo.title);
    figure.prepend(stage);
    frame.running = (await demo.start(stage, frame.kit())) ?? {};
    figure.classList.add("gv-live-on");
  } catch (error) {
    stage.remove();
    frame.fail(`This demo could not be started here: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {string} path */
const fileAt = (path) => new URL(path, BASE).href;

/** @param {string} path */
async function json(path) {
  const answer = await fetch(fileAt(path)).catch(() => null);
  if (!answer?.ok) throw new Error(`${path} could not be fetched.`);
  return answer.json();
}

/** @param {string} path */
async function image(path) {
  const picture = element("img", { src: fileAt(path), alt: "" });
  await picture.decode().catch(() => {
    throw new Error(`${path} could not be fetched.`);
  });
  return picture;
}

/** One demo in the page: what it says, what it is told, and whether it is in view. */
class Frame {
  /**
   * @param {HTMLElement} figure
   * @param {HTMLElement} stage
   */
  constructor(figure, stage) {
    this.figure = figure;
    this.stage = stage;
    /** @type {Running} */
    this.running = {};
    this.visible = true;
    /** @type {Set<() => void>} */
    this.waiting = new Set();
    this.spoken = element("p", { class: "gv-live-spoken", role: "status" });
    this.trouble = element("p", { class: "gv-live-trouble", role: "alert", hidden: "" });
    figure.querySelector("figcaption")?.before(this.trouble, this.spoken);
    if (!this.trouble.parentNode) figure.append(this.trouble, this.spoken);
    new IntersectionObserver((entries) => this.seen(entries.at(-1)?.isIntersecting ?? true)).observe(figure);
    document.addEventListener("visibilitychange", () => this.turn());
    this.inView = true;
  }

  /** @param {boolean} inView */
  seen(inView) {
    this.inView = inView;
    this.turn();
  }

  turn() {
    const visible = this.inView && !document.hidden;
    if (visible === this.visible) return;
    this.visible = visible;
    if (!visible) return this.running.pause?.();
    this.running.resume?.();
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const go of waiting) go();
  }

  /** @param {string} sentence */
  fail(sentence) {
    this.trouble.textContent = sentence;
    this.trouble.hidden = !sentence;
  }

  /** @param {string} words */
  say(words) {
    if (this.spoken.textContent !== words) this.spoken.textContent = words;
  }

  /** @param {() => void} go */
  touched(go) {
    const kinds = ["pointerdown", "keydown", "input", "paste", "drop"];
    /** @param {Event} event */
    const first = (event) => {
      if (event instanceof KeyboardEvent && event.key === "Tab") return; // passing through
      for (const kind of kinds) this.stage.removeEventListener(kind, first, true);
      go();
    };
    for (const kind of kinds) this.stage.addEventListener(kind, first, true);
  }

  /**
   * @param {(seconds: number) => void} frame
   * @returns {Loop}
   */
  loop(frame) {
    let last = 0;
    let asked = 0;
    /** @param {number} now */
    const step = (now) => {
      asked = 0;
      if (!loop.running) return;
      if (!this.visible) {
        last = 0;
        this.waiting.add(ask);
        return;
      }
      frame(last ? Math.min((now - last) / 1000, 0.1) : 0);
      last = now;
      ask();
    };
    const ask = () => {
      if (loop.running && !asked) asked = requestAnimationFrame(step);
    };
    const loop = {
      running: false,
      start() {
        loop.running = true;
        last = 0;
        ask();
      },
      stop() {
        loop.running = false;
        cancelAnimationFrame(asked);
        asked = 0;
      },
    };
    return loop;
  }

  /**
   * @param {string} name
   * @returns {LazyModel}
   */
  model(name) {
    const bar = controls.progress("Fetching the model");
    return {
      element: bar.element,
      run: async (inputs) => {
        try {
          const model = await models.load(name, bar.set);
          const outputs = await model.run(inputs);
          this.fail("");
          return outputs;
        } catch (error) {
          this.fail(error instanceof Error ? error.message : String(error));
          return null;
        } finally {
          bar.done();
        }
      },
    };
  }

  /** @returns {Kit} */
  kit() {
    return {
      ...controls,
      base: BASE,
      file: fileAt,
      json,
      image,
      options: Object.fromEntries(new URLSearchParams(this.figure.dataset.with ?? "")),
      still: this.figure.querySelector("img")?.src ?? "",
      say: (words) => this.say(words),
      fail: (sentence) => this.fail(sentence),
      touched: (go) => this.touched(go),
      calm: () => matchMedia("(prefers-reduced-motion: reduce)").matches,
      loop: (frame) => this.loop(frame),
      models,
      model: (name) => this.model(name),
    };
  }
}

const watch = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watch.unobserve(target);
      begin(/** @type {HTMLElement} */ (target));
    }
  },
  { rootMargin: NEAR },
);
for (const figure of document.querySelectorAll("figure[data-live]")) watch.observe(figure);
