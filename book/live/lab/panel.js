/** One run on the page: its worker, its picture, its charts and its settings. */

import { Chart, short } from "./charts.js";
import { fitted, onTheme } from "./colours.js";
import { OBJECTIVES } from "./objectives.js";
import { midway, paint, range, spacing } from "./picture.js";
import { LIVE } from "./settings.js";
import { called, judge, LOST, next, standing, turnInWords } from "./words.js";

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
  { name: "criticSteps", label: "Critic’s turns a step", options: [1, 2, 3, 5, 10] },
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
  ["map", "critic’s map"],
  ["real", "real"],
  ["fakes", "fakes"],
  ["pushes", "pushes"],
  ["mesh", "latents’ net"],
]);

let counter = 0;

export class Panel {
  /**
   * @param {Kit} kit
   * @param {{ changed: (panel: Panel, name: keyof Settings, value: string | number) => void, ready: (panel: Panel) => void }} laboratory
   */
  constructor(kit, laboratory) {
    this.kit = kit;
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
    this.busy = true; // until the worker has answered
    /** @type {Layers} */
    this.layers = { map: true, real: true, fakes: true, pushes: false, mesh: false };
    this.moving = 0; // the frame of a slow picture
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }) => this.#heard(data));
    this.worker.addEventListener("error", () => kit.fail("The laboratory’s thread could not be started in this browser."));
    this.#build();
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

  /** @param {{ steps?: number, turns?: number, player?: Player, measure: boolean, slow?: boolean }} wanted */
  play({ slow = false, ...wanted }) {
    this.busy = true;
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
    this.busy = true;
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
      this.busy = false;
      this.seen = answer;
      this.took = performance.now() - (this.asked ?? performance.now());
      this.moments.push(...answer.moments);
      this.#showPicture(before, answer);
      this.#showNumbers(answer);
      this.#showCharts(answer);
      this.laboratory.ready(this);
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

  #paint() {
    if (this.seen) paint(this.canvas, this.seen.view, this.layers);
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
    const told = seen.report ? turnInWords(seen.report, this.settings) : `Nothing is learnt yet. ${next(seen, this.settings)}`;
    this.tale.textContent = seen.lost ? LOST : told;
    this.element.dataset.step = String(seen.step);
    this.element.dataset.turn = String(seen.turn);
    this.canvas.setAttribute("aria-label", `The plane of this run. ${this.standing}`);
    const step = seen.view.kind === "score" ? spacing(range(seen.view).high - range(seen.view).low) : 0;
    this.key.textContent =
      step > 0
        ? `Level lines every ${short(step)}.`
        : `On the purple line the ${judge(this.settings)} cannot decide.`;
  }

  /** @param {Seen} seen */
  #showCharts(seen) {
    const { moments, settings } = this;
    const { claim, excess } = OBJECTIVES[settings.objective];
    const steps = moments.map((moment) => moment.step);
    const of = (/** @type {"criticLoss" | "generatorLoss" | "claim" | "distance" | "reached"} */ name) =>
      moments.map((moment) => moment[name]);
    const last = moments.at(-1);
    const now = seen.now ?? last;
    const said = (/** @type {number | undefined} */ value) => (value === undefined ? "–" : short(value));

    this.losses.say(
      `<b>Losses</b> <i class="gv-critic">${judge(settings)} ${said(last?.criticLoss)}</i> <i class="gv-generator">generator ${said(last?.generatorLoss)}</i>`,
      `The ${judge(settings)}’s is ${said(last?.criticLoss)}, the generator’s ${said(last?.generatorLoss)}.`,
    );
    this.losses.lines({
      steps,
      curves: [
        { colour: "critic", values: of("criticLoss") },
        { colour: "generator", values: of("generatorLoss") },
      ],
    });

    const most = claim.most === null ? "" : `, at most ${short(claim.most)}`;
    const walls = OBJECTIVES[settings.objective].clips ? " times a slope nobody knows" : "";
    this.distance.say(
      `<b>Distance</b> <i>exact ${said(now?.distance)}</i> <i class="gv-critic">claimed ${said(last?.claim)}</i><small>The ${judge(settings)} claims the ${claim.name}${most}${walls}.</small>`,
      `The exact earth mover’s distance is ${said(now?.distance)}; the ${judge(settings)} claims ${said(last?.claim)} of the ${claim.name}${most}.`,
    );
    this.distance.lines({
      steps,
      low: 0,
      curves: [
        { colour: "quiet", values: moments.map(() => seen.floor), dashed: true },
        { colour: "critic", values: of("claim") },
        { colour: "text", values: of("distance") },
      ],
    });

    const modes = settings.data === "ring" || settings.data === "grid";
    const total = modes ? (now?.of ?? 1) : 1;
    const reached = now === undefined || now === null ? "–" : modes ? `${now.reached} of ${now.of}` : `${Math.round((100 * now.reached) / now.of)} %`;
    this.modes.say(
      `<b>${modes ? "Modes reached" : "Of the shape reached"}</b> <i class="gv-generator">${reached}</i>`,
      `${reached}.`,
    );
    this.modes.lines({
      steps,
      low: 0,
      high: total,
      curves: [{ colour: "generator", values: moments.map((m) => (modes ? m.reached : m.reached / m.of)) }],
    });

    const clips = OBJECTIVES[settings.objective].clips;
    const atWalls = `${Math.round(100 * seen.weights.atWalls)} % at the walls`;
    this.weights.say(
      `<b>Weights of the ${judge(settings)}</b>${clips ? ` <i class="gv-critic">${atWalls}</i>` : ""}`,
      clips ? atWalls : `Between ${short(-seen.weights.most)} and ${short(seen.weights.most)}.`,
    );
    this.weights.bars({
      counts: seen.weights.counts,
      low: -seen.weights.most,
      high: seen.weights.most,
      marks: clips ? [-settings.clip, settings.clip] : [0],
      colour: "critic",
    });
    this.slopes.say(
      `<b>Slopes of the ${judge(settings)}</b> <i class="gv-critic">median ${short(seen.slopes.median)}</i>`,
      `At places between real and fake, half are below ${short(seen.slopes.median)}.`,
    );
    this.slopes.bars({
      counts: seen.slopes.counts,
      low: 0,
      high: seen.slopes.most,
      marks: excess ? [1] : [],
      colour: "critic",
    });
  }

  // ---- what stands on the page ----

  #build() {
    const { element } = this.kit;
    this.canvas = element("canvas", { class: "gv-live-lab-plane", role: "img" });
    this.ground = element("div", { class: "gv-live-lab-ground" }, this.canvas);
    this.tale = element("p", { class: "gv-live-lab-tale" });
    this.key = element("span", {});
    this.place = element("span", { class: "gv-live-lab-step" });
    this.mark = element("code", { title: "A fingerprint of all weights: two runs that share it are the same to the last bit" });
    const objective = this.#select(
      "objective",
      "Objective",
      Object.keys(OBJECTIVES),
      Object.fromEntries(Object.entries(OBJECTIVES).map(([name, { name: said }]) => [name, said])),
    );
    const layers = LAYERS.map(([name, label]) => {
      const made = this.kit.toggle({
        label,
        value: this.layers[name],
        onChange: (on) => {
          this.layers[name] = on;
          this.#paint();
        },
      });
      made.element.classList.add(`gv-live-lab-layer-${name}`);
      return made.element;
    });
    const shown = element("div", { class: "gv-live-lab-layers", role: "group", "aria-label": "What the picture shows" }, ...layers);

    this.losses = new Chart("Losses over the steps");
    this.distance = new Chart("Distances over the steps");
    this.modes = new Chart("What is reached, over the steps");
    this.weights = new Chart("Histogram of the critic’s weights");
    this.slopes = new Chart("Histogram of the critic’s slopes");
    const charts = [this.losses, this.distance, this.modes, this.weights, this.slopes];

    const controls = CONTROLS.map(({ name, label, options, said }) => this.#select(name, label, options, said));
    const settings = element(
      "details",
      { class: "gv-live-lab-settings" },
      element("summary", {}, "Settings"),
      element("div", {}, ...controls),
    );
    this.element = element(
      "section",
      { class: "gv-live-lab-panel", "aria-label": `Run ${this.number}` },
      element("header", {}, objective, this.place, element("span", { class: "gv-live-lab-mark" }, "run ", this.mark)),
      element("div", { class: "gv-live-lab-left" }, this.ground, shown, this.tale, element("p", { class: "gv-live-lab-key" }, this.key)),
      element("div", { class: "gv-live-lab-charts" }, ...charts.map((chart) => chart.element)),
      settings,
    );
    this.ends = [
      fitted(this.canvas, () => this.#paint()),
      onTheme(() => this.#paint()),
      ...charts.map((chart) => chart.stop),
    ];
  }

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
      this.laboratory.changed(this, name, numeric ? Number(list.value) : list.value);
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
    this.element.dataset.critic = called(this.settings, "critic");
  }
}

/** @param {keyof Settings} name @returns {name is (typeof LIVE)[number]} */
export function isLive(name) {
  return /** @type {readonly string[]} */ (LIVE).includes(name);
}
