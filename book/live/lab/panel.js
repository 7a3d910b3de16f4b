/** One run on the page: its worker, its picture, its charts and its settings. */

import { short } from "./charts.js";
import { fitted, onTheme } from "./colours.js";
import { OBJECTIVES } from "./objectives.js";
import { midway, paint, range, spacing } from "./picture.js";
import { Readings } from "./readings.js";
import { LIVE } from "./settings.js";
import { judge, LOST, next, standing, turnInWords } from "./words.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./settings.js").Run} Run */
/** @typedef {import("./game.js").Moment} Moment */
/** @typedef {import("./game.js").Player} Player */
/** @typedef {import("./host.js").Seen} Seen */
/** @typedef {import("./host.js").Answer} Answer */
/** @typedef {import("../kit/demo.js").Kit} Kit */
/** @typedef {import("./picture.js").Layers} Layers */

const RATES = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];

/**
 * What can be set of a run: a name, what it may be, and for which objectives it counts.
 * @type {{ name: keyof Settings, label: string, options: (number | string)[], said?: Record<string, string>, only?: (s: Settings) => boolean }[]}
 */
const CONTROLS = [
  { name: "criticRate", label: "Rate of the critic", options: RATES },
  { name: "generatorRate", label: "Rate of the generator", options: RATES },
  { name: "criticSteps", label: "Turns of the critic a step", options: [1, 2, 3, 5, 10] },
  {
    name: "clip",
    label: "Walls at ±c",
    options: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    only: (s) => OBJECTIVES[s.objective].clips,
  },
  {
    name: "weight",
    label: "Weight of the fine λ",
    options: [0, 0.01, 0.1, 1, 10, 100],
    only: (s) => OBJECTIVES[s.objective].excess !== null,
  },
  { name: "latents", label: "Latents", options: [1, 2, 4, 8, 16] },
  {
    name: "noise",
    label: "Drawn from",
    options: ["normal", "uniform"],
    said: { normal: "a normal", uniform: "a square" },
  },
  { name: "width", label: "Width of the generator", options: [4, 8, 16, 32, 64, 128] },
  { name: "criticWidth", label: "Width of the critic", options: [4, 8, 16, 32, 64, 128] },
  { name: "depth", label: "Hidden layers", options: [1, 2, 3, 4] },
  { name: "batch", label: "Points in a batch", options: [16, 32, 64, 128, 256] },
  {
    name: "optimiser",
    label: "Optimiser",
    options: ["own", "adam", "rmsprop", "descent"],
    said: { own: "the paper’s own", adam: "Adam", rmsprop: "RMSprop", descent: "plain descent" },
  },
];

const LAYERS = /** @type {const} */ ([
  ["map", "map of the critic"],
  ["real", "real"],
  ["fakes", "fakes"],
  ["pushes", "pushes on the fakes"],
  ["mesh", "net of the latents"],
]);

let counter = 0;

export class Panel {
  /**
   * @param {Kit} kit
   * @param {Layers} layers what is shown; the runs share it
   * @param {{ changed: (name: keyof Settings, value: string | number) => void, ready: () => void, shown: () => void }} laboratory
   */
  constructor(kit, layers, laboratory) {
    this.kit = kit;
    this.layers = layers;
    this.laboratory = laboratory;
    this.number = ++counter;
    /** @type {Settings} */
    this.settings = /** @type {Settings} */ ({});
    /** @type {Settings} */
    this.begun = this.settings; // what the run began with, before changes on the way
    /** @type {Moment[]} */
    this.moments = [];
    /** @type {Seen | null} */
    this.seen = null;
    this.moving = 0; // the frame of a slow picture
    this.slow = false; // whether the next picture comes slowly
    this.asked = 0; // when the worker was last asked to play, and how many milliseconds it took
    this.took = 0;
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }) => this.#heard(data));
    this.worker.addEventListener("error", () =>
      kit.fail("The laboratory’s thread could not be started in this browser."),
    );
    const { element } = kit;
    this.canvas = element("canvas", {
      class: "gv-live-lab-plane",
      role: "img",
      "aria-label": "The plane of this run.",
      "aria-busy": "true",
    });
    this.ground = element("div", { class: "gv-live-lab-ground" }, this.canvas);
    this.tale = element("p", { class: "gv-live-lab-tale" });
    this.key = element("p", { class: "gv-live-lab-key" });
    this.place = element("span", { class: "gv-live-lab-step" });
    this.mark = element("code", {
      title: "A fingerprint of all weights: two runs that share it are the same to the last bit",
    });
    const objective = this.#select(
      "objective",
      "Objective",
      Object.keys(OBJECTIVES),
      Object.fromEntries(Object.entries(OBJECTIVES).map(([name, { name: said }]) => [name, said])),
    );
    const toggles = LAYERS.map(([name, label]) => {
      const made = kit.toggle({
        label,
        value: layers[name],
        onChange: (on) => {
          layers[name] = on;
          laboratory.shown();
        },
      });
      made.element.classList.add(`gv-live-lab-layer-${name}`);
      return { name, made };
    });
    this.toggles = toggles;
    const shown = element(
      "div",
      { class: "gv-live-lab-layers", role: "group", "aria-label": "What the picture shows" },
      ...toggles.map(({ made }) => made.element),
    );

    this.readings = new Readings();
    const controls = CONTROLS.map(({ name, label, options, said }) => this.#select(name, label, options, said));
    const settings = element(
      "details",
      { class: "gv-live-lab-settings" },
      element("summary", {}, "Settings"),
      element("div", {}, ...controls),
    );
    this.element = element(
      "section",
      { class: "gv-live-lab-panel", "data-busy": "true", "aria-label": `Run ${this.number}` },
      element("header", {}, objective, this.place, element("span", { class: "gv-live-lab-mark" }, "run ", this.mark)),
      this.ground,
      this.tale,
      element("div", { class: "gv-live-lab-below" }, shown, this.key),
      this.readings.element,
      settings,
    );
    this.ends = [fitted(this.canvas, () => this.#paint()), onTheme(() => this.#paint()), () => this.readings.stop()];
  }

  // ---- what a run is told ----

  /** Begin a run, or play one again from its link. @param {Run} run */
  open(run) {
    this.#begin(run.settings);
    this.begun = { ...run.settings };
    this.worker.postMessage({ kind: "open", run });
  }

  /** Take up another's run where it is. @param {Panel} other */
  twin(other) {
    const once = (/** @type {MessageEvent<Answer>} */ { data }) => {
      if (data.kind !== "state") return;
      other.worker.removeEventListener("message", once);
      this.#begin(data.state.settings);
      this.begun = { ...other.begun };
      this.worker.postMessage({ kind: "twin", state: data.state });
    };
    other.worker.addEventListener("message", once);
    other.worker.postMessage({ kind: "save" });
  }

  /** Steps or turns to play; neither only looks. @param {{ steps?: number, turns?: number, player?: Player, measure: boolean, slow?: boolean }} wanted */
  play({ slow = false, ...wanted }) {
    this.#wait(true);
    this.slow = slow;
    this.asked = performance.now();
    this.worker.postMessage({ kind: "play", known: this.moments.length, ...wanted });
  }

  /** Change what can be changed on the way. @param {(typeof LIVE)[number]} name @param {number} value */
  change(name, value) {
    this.settings[name] = value;
    this.worker.postMessage({ kind: "change", name, value });
    this.#showSettings();
  }

  /** Whether the worker has yet to answer. */
  get busy() {
    return this.element.dataset.busy === "true";
  }

  /** @param {boolean} busy */
  #wait(busy) {
    this.element.dataset.busy = String(busy);
  }

  /** The run as a link holds it. @returns {Run} */
  get run() {
    return { settings: this.begun, events: this.seen?.events ?? [], turn: this.seen?.turn ?? 0 };
  }

  stop() {
    this.worker.terminate();
    cancelAnimationFrame(this.moving);
    for (const end of this.ends) end();
    this.element.remove();
  }

  /** @param {Settings} settings */
  #begin(settings) {
    this.#wait(true);
    this.settings = { ...settings };
    this.moments = [];
    this.seen = null;
    this.slow = false;
    this.#showSettings();
  }

  // ---- what a run answers ----

  /** @param {Answer} answer */
  #heard(answer) {
    if (answer.kind === "replaying") {
      this.tale.textContent = `Playing the run again: turn ${answer.turn.toLocaleString("en")} of ${answer.of.toLocaleString("en")}.`;
    } else if (answer.kind === "seen") {
      const before = this.seen;
      this.#wait(false);
      this.seen = answer;
      this.took = performance.now() - this.asked;
      this.moments.push(...answer.moments);
      this.#showPicture(before, answer);
      this.#showNumbers(answer);
      this.readings.show(answer, this.moments, this.settings);
      this.laboratory.ready();
    }
  }

  /** @param {Seen | null} before @param {Seen} after */
  #showPicture(before, after) {
    cancelAnimationFrame(this.moving);
    if (!this.slow || before === null || this.kit.calm()) return this.#paint();
    const began = performance.now();
    const frame = () => {
      const share = Math.min(1, (performance.now() - began) / 700);
      const eased = share * share * (3 - 2 * share);
      paint(this.canvas, midway(before.view, after.view, eased), this.layers);
      if (share < 1) this.moving = requestAnimationFrame(frame);
    };
    frame();
  }

  /** Paint again: what is to be shown has changed. */
  showLayers() {
    for (const { name, made } of this.toggles) made.value = this.layers[name];
    this.#paint();
  }

  #paint() {
    if (this.seen) paint(this.canvas, this.seen.view, this.layers);
  }

  /** What the last turn did, in words. */
  get told() {
    return this.tale.textContent ?? "";
  }

  /** How it stands now, in words. */
  get standing() {
    const { seen } = this;
    const at = seen?.now ? { step: seen.step, ...seen.now } : this.moments.at(-1);
    return seen && at ? standing({ ...at, step: seen.step }, this.settings, seen.floor) : "";
  }

  /** @param {Seen} seen */
  #showNumbers(seen) {
    this.place.textContent = `step ${seen.step.toLocaleString("en")}`;
    this.mark.textContent = seen.fingerprint;
    const begun = seen.turn === 0 ? "Nothing is learnt yet." : "Here the run stands.";
    const told = seen.report ? turnInWords(seen.report, this.settings) : `${begun} ${next(seen, this.settings)}`;
    this.tale.textContent = seen.lost ? LOST : told;
    this.element.dataset.step = String(seen.step);
    this.element.dataset.turn = String(seen.turn);
    this.canvas.setAttribute("aria-label", `The plane of this run. ${this.standing}`);
    this.canvas.setAttribute("aria-busy", "false");
    const level = seen.view.kind === "score" ? spacing(range(seen.view).high - range(seen.view).low) : 0;
    this.key.textContent =
      level > 0
        ? `Level lines every ${short(level)}.`
        : `On the purple line the ${judge(this.settings)} cannot decide.`;
  }

  // ---- what stands on the page ----

  /** A setting as a native list. @param {keyof Settings} name @param {string} label @param {(number | string)[]} options @param {Record<string, string>} [said] */
  #select(name, label, options, said = {}) {
    const { element } = this.kit;
    const list = element(
      "select",
      { "data-setting": name },
      ...options.map((value) => element("option", { value: String(value) }, said[value] ?? String(value))),
    );
    list.addEventListener("change", () => {
      const numeric = typeof options[0] === "number";
      this.laboratory.changed(name, numeric ? Number(list.value) : list.value);
    });
    return element("label", { class: "gv-live-lab-setting" }, element("span", {}, label), list);
  }

  /** The lists as the settings are; one that its link set to something odd gets it as an option. */
  #showSettings() {
    for (const list of this.element.querySelectorAll("select")) {
      const name = /** @type {keyof Settings} */ (list.dataset.setting);
      const value = String(this.settings[name]);
      if (![...list.options].some((option) => option.value === value)) list.add(new Option(value, value));
      list.value = value;
      const only = CONTROLS.find((control) => control.name === name)?.only;
      /** @type {HTMLElement} */ (list.parentElement).hidden = only !== undefined && !only(this.settings);
    }
    for (const name of this.element.querySelectorAll(".gv-live-lab-setting > span, .gv-live-toggle > span")) {
      name.textContent = (name.textContent ?? "").replace(/critic|discriminator/, judge(this.settings));
    }
  }
}

/** @param {keyof Settings} name @returns {name is (typeof LIVE)[number]} */
export function isLive(name) {
  return /** @type {readonly string[]} */ (LIVE).includes(name);
}
