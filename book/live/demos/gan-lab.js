/**
 * The GAN laboratory: choose or draw a distribution, and watch two small networks play for it.
 *
 * What is learnt is learnt in `lab/game.js`, in a worker for each run. This module is what the reader holds: what is
 * common to the runs, when they go, and the link that plays them again. What a page asks for (`:with: objective=clipped`)
 * has the names that a link has; `compact=yes` leaves out what chooses between runs.
 *
 * @import { Demo, Kit } from "../kit/demo.js"
 * @import { Settings, Run } from "../lab/settings.js"
 * @import { Player } from "../lab/game.js"
 */

import { Choices } from "../lab/choices.js";
import { COLLAPSE, set } from "../lab/experiments.js";
import { isLive, Panel } from "../lab/panel.js";
import { Pencil } from "../lab/pencil.js";
import { EXTRA, fromFragment, shownIn, toFragment } from "../lab/settings.js";
import { judge } from "../lab/words.js";

const SLOW = 1.7; // seconds from turn to turn in slow motion
const FRAME = 14; // milliseconds of a frame that training may take
const STEADY = 60; // steps a second
const SPOKEN = 6; // seconds between two reports to who listens
const MOST_SEED = 999999;
/** @typedef {"slow" | "steady" | "fast"} Speed */

class Laboratory {
  /** @param {HTMLElement} stage @param {Kit} kit */
  constructor(stage, kit) {
    this.kit = kit;
    this.stage = stage;
    this.running = false;
    /** @type {Speed} */
    this.speed = "steady";
    this.pace = 1; // steps a frame at full speed
    this.waited = 0; // seconds since something was asked of the runs
    this.silent = 0; // seconds since something was said
    this.touched = false; // whether the address is to show the run
    /** @type {"" | "measure" | "say"} */
    this.ending = ""; // what a pause still asks for
    this.telling = false; // whether what a turn did is to be said when all have answered
    this.layers = { map: true, real: true, fakes: true, pushes: false, mesh: false };
    /** @type {Panel[]} */
    this.panels = [];
    /** @type {Pencil | null} */
    this.pencil = null;
    this.loop = kit.loop((seconds) => this.#frame(seconds));

    const { element, button, choice, layout } = kit;
    stage.classList.add("gv-live-lab");
    this.choices = new Choices(kit, (data) => this.#choose(data));
    this.run = button({ label: "Run", main: true, onPress: () => (this.running ? this.pause() : this.go()) });
    this.critics = button({ label: "Critic’s turn", onPress: () => this.one({ turns: 1, player: "critic" }) });
    this.generators = button({ label: "Generator’s turn", onPress: () => this.one({ turns: 1, player: "generator" }) });
    const step = button({ label: "One step", onPress: () => this.one({ steps: 1 }) });
    const speeds = choice({
      label: "Speed",
      options: [
        { value: /** @type {Speed} */ ("slow"), label: "slow motion" },
        { value: /** @type {Speed} */ ("steady"), label: "steady" },
        { value: /** @type {Speed} */ ("fast"), label: "full" },
      ],
      value: this.speed,
      onChange: (speed) => {
        this.speed = speed;
        this.waited = SLOW;
      },
    });
    const collapse = button({ label: "Make it collapse", onPress: () => this.#collapse() });
    this.beside = button({ label: "A second run beside it", pressed: false, onPress: (on) => this.#compare(on) });
    const again = button({ label: "Start again", onPress: () => this.restart({}) });
    this.seed = element("input", { type: "number", min: "0", max: String(MOST_SEED), inputmode: "numeric" });
    this.seed.addEventListener("change", () => this.#reseed(Math.round(this.seed.valueAsNumber)));
    const another = button({ label: "Another seed", onPress: () => this.#reseed(this.seed.valueAsNumber + 1) });
    const copy = button({ label: "Copy link", onPress: () => this.#copy() });
    this.arena = element("div", { class: "gv-live-lab-arena" });
    this.note = element("p", { class: "gv-live-lab-note" });

    const transport = layout("row", this.run.element, this.critics.element, this.generators.element, step.element);
    transport.append(speeds.element);
    transport.classList.add("gv-live-lab-transport");
    const seed = element("label", { class: "gv-live-lab-seed" }, element("span", {}, "Seed"), this.seed);
    const others = [collapse.element, this.beside.element, seed, another.element, copy.element];
    const compact = kit.options.compact === "yes"; // in a chapter, which has chosen already
    stage.classList.toggle("gv-live-lab-compact", compact);
    const more = layout("row", again.element, ...(compact ? [] : others));
    stage.append(...(compact ? [] : [this.choices.element]), transport, this.arena, more, this.note);

    const asked = Object.entries(kit.options).map(([name, value]) => `${name}=${value}`);
    const fragment = fromFragment(location.hash) ? location.hash : ["lab", ...asked].join("&");
    this.#layersOf(fragment);
    this.open(fromFragment(fragment) ?? []);
    const follow = () => this.#follow();
    addEventListener("hashchange", follow);
    this.end = () => removeEventListener("hashchange", follow);
  }

  stop() {
    this.loop.stop();
    this.end();
    this.choices.stop();
    for (const panel of this.panels) panel.stop();
  }

  // ---- runs ----

  /** Show these runs, from their beginning or played to where their link says. @param {Run[]} runs */
  open(runs) {
    this.pause();
    this.ending = "";
    this.pencil?.drop();
    while (this.panels.length > runs.length) this.panels.pop()?.stop();
    while (this.panels.length < runs.length) this.#addPanel();
    const { data, drawing, seed } = runs[0].settings;
    runs.forEach((run, place) => {
      this.panels[place].open({ ...run, settings: { ...run.settings, data, drawing, seed } });
    });
    this.#showCommon();
  }

  /** Begin all runs anew, some settings changed. @param {Partial<Settings>} changes @param {Panel} [only] whose they are; everybody's without */
  restart(changes, only) {
    const ofAll = only === undefined;
    const runs = this.panels.map(({ settings }, place) => ({
      settings: { ...settings, ...(ofAll || only === this.panels[place] ? changes : {}) },
      events: [],
      turn: 0,
    }));
    this.open(runs);
    this.#showAddress();
  }

  #addPanel() {
    const panel = new Panel(this.kit, this.layers, {
      changed: (name, value) => this.#changed(panel, name, value),
      ready: () => this.#ready(),
      shown: () => this.#showLayers(),
    });
    this.panels.push(panel);
    this.arena.append(panel.element);
    return panel;
  }

  /** @param {Panel} panel @param {keyof Settings} name @param {string | number} value */
  #changed(panel, name, value) {
    const begun = this.panels.some(({ seen }) => (seen?.turn ?? 0) > 0);
    if (isLive(name) && begun) {
      panel.change(name, Number(value));
      this.kit.say("Changed; the run goes on.");
    } else {
      this.restart(
        { [name]: value, ...(name === "objective" ? usual(panel.settings.objective, String(value)) : {}) },
        panel,
      );
      this.kit.say(this.panels.length > 1 ? "Changed; both runs begin again." : "Changed; the run begins again.");
    }
  }

  /** @param {number} seed */
  #reseed(seed) {
    if (seed >= 0 && seed <= MOST_SEED) this.restart({ seed });
    else this.#showCommon();
  }

  // ---- time ----

  /** @param {number} seconds */
  #frame(seconds) {
    this.waited += seconds;
    this.silent += seconds;
    if (this.panels.some(({ busy }) => busy)) return;
    if (this.panels.some(({ seen }) => seen?.lost)) return this.#halt();
    if (this.speed === "slow") return this.#slowly();
    if (this.silent > SPOKEN) {
      this.silent = 0;
      this.kit.say(this.#standing());
    }
    if (this.kit.calm() && this.waited < 0.5) return; // the picture changes twice a second, not with every frame
    const steps = this.speed === "fast" ? this.pace : Math.max(1, Math.round(STEADY * this.waited));
    this.waited = 0;
    for (const panel of this.panels) panel.play({ steps, measure: false });
  }

  #slowly() {
    if (this.waited < SLOW) return;
    this.waited = 0;
    this.telling = true;
    for (const panel of this.panels) panel.play({ turns: 1, measure: true, slow: true });
  }

  #halt() {
    this.pause();
    this.kit.say(this.panels.map((panel) => panel.told).join(" "));
  }

  /** A run has answered. */
  #ready() {
    if (this.panels.some(({ busy }) => busy)) return;
    const slowest = Math.max(...this.panels.map(({ took }) => took));
    if (this.running && this.speed === "fast" && slowest > 0) {
      const better = this.pace * Math.min(1.5, Math.max(0.5, FRAME / slowest));
      this.pace = Math.max(1, Math.min(200, better > this.pace ? Math.ceil(better) : Math.floor(better)));
    }
    this.#end();
    if (this.telling) {
      this.telling = false;
      this.kit.say(this.panels.map((panel) => `${panel.told} ${panel.standing}`).join(" "));
    }
    if (!this.running && this.touched) this.#showAddress();
    this.#showDue();
  }

  go() {
    if (this.running) return;
    this.ending = "";
    this.pencil?.finish();
    this.touched = true;
    this.running = true;
    this.waited = this.speed === "slow" ? SLOW : 0;
    this.silent = 0;
    this.loop.start();
    this.#showRunning();
    this.kit.say("Running.");
  }

  pause() {
    if (!this.running) return;
    this.running = false;
    this.loop.stop();
    this.#showRunning();
    this.ending = "measure";
    this.#end();
  }

  /** What follows a pause, once the last steps are in: all is measured where it stands, and said. */
  #end() {
    if (this.panels.some(({ busy }) => busy)) return;
    if (this.ending === "measure") {
      this.ending = "say";
      for (const panel of this.panels) panel.play({ measure: true });
    } else if (this.ending === "say") {
      this.ending = "";
      this.kit.say(`Paused. ${this.#standing()}`);
    }
  }

  /** A single turn or step by hand. @param {{ turns?: number, steps?: number, player?: Player }} wanted */
  one(wanted) {
    this.pause();
    this.ending = "";
    if (this.panels.some(({ busy, seen }) => busy || seen?.lost)) return;
    this.touched = true;
    this.telling = true;
    for (const panel of this.panels) panel.play({ ...wanted, measure: true, slow: true });
  }

  #standing() {
    return this.panels.map((panel, place) => (place > 0 ? "The run beside it: " : "") + panel.standing).join(" ");
  }

  // ---- the link ----

  /** The address bar holds the run, so that a bookmark or a reload brings it back. */
  #showAddress() {
    this.touched = true;
    const runs = this.panels.map((panel) => panel.run);
    const show = EXTRA.filter((name) => this.layers[name]);
    history.replaceState(null, "", `#${toFragment(runs, show)}`);
  }

  /** @param {string} fragment */
  #layersOf(fragment) {
    const asked = shownIn(fragment) ?? [];
    for (const name of EXTRA) this.layers[name] = asked.includes(name);
    for (const panel of this.panels) panel.showLayers();
  }

  #showLayers() {
    for (const panel of this.panels) panel.showLayers();
    if (this.touched && !this.running) this.#showAddress();
  }

  /** A link on the page was followed. */
  #follow() {
    const runs = fromFragment(location.hash);
    if (runs === null) return;
    this.#layersOf(location.hash);
    this.open(runs);
    this.stage.scrollIntoView({ block: "start", behavior: this.kit.calm() ? "auto" : "smooth" });
    this.run.element.focus({ preventScroll: true });
  }

  async #copy() {
    this.pause();
    this.#showAddress();
    try {
      await navigator.clipboard.writeText(location.href);
      this.#told("Copied. Whoever opens the link sees this very run, to the last bit.");
    } catch {
      this.#told("The browser would not copy it; the address bar holds the link.");
    }
  }

  /** @param {string} words */
  #told(words) {
    this.note.textContent = words;
    this.kit.say(words);
  }

  // ---- what else there is to press ----

  /** @param {string} data */
  #choose(data) {
    if (data === "drawn") return this.#draw();
    this.pencil?.drop();
    if (data !== this.panels[0].settings.data) this.restart({ data });
  }

  #draw() {
    this.pause();
    this.pencil?.drop();
    const { data, drawing } = this.panels[0].settings;
    const done = (/** @type {string | null} */ drawn) => {
      this.pencil = null;
      if (drawn) this.restart({ data: "drawn", drawing: drawn });
      this.#showCommon();
    };
    this.pencil = new Pencil(this.kit, this.panels[0].ground, data === "drawn" ? drawing : "", done);
    this.kit.say("Draw the real data. Arrow keys move the pen, Space makes a dab, Enter finishes.");
  }

  #collapse() {
    const { data, drawing, seed } = this.panels[0].settings;
    const known = data === "grid" ? data : "ring"; // where modes can be counted
    this.open([{ settings: set({ ...COLLAPSE, data: known, drawing, seed }), events: [], turn: 0 }]);
    this.#told("The generator now learns ten times faster than the discriminator. Watch the orange points.");
    this.go();
  }

  /** @param {boolean} on */
  #compare(on) {
    this.pause();
    this.pencil?.drop();
    if (on) this.#addPanel().twin(this.panels[0]);
    else this.panels.pop()?.stop();
    this.#showCommon();
    this.#told(on ? "A twin of the run. Change one thing about it, and let both go." : "One run.");
  }

  #showCommon() {
    const { data, drawing, seed } = this.panels[0].settings;
    this.choices.show(data, drawing);
    this.seed.value = String(seed);
    this.beside.press(this.panels.length > 1);
    this.arena.dataset.runs = String(this.panels.length);
    this.note.textContent = "";
    this.#showDue();
  }

  #showRunning() {
    this.run.label(this.running ? "Pause" : "Run");
    this.stage.dataset.running = String(this.running);
  }

  /** Whose turn it is. */
  #showDue() {
    const { settings, seen } = this.panels[0];
    const name = judge(settings);
    this.critics.label(`${name[0].toUpperCase()}${name.slice(1)}’s turn`);
    this.critics.element.dataset.due = String(seen?.due === "critic");
    this.generators.element.dataset.due = String(seen?.due === "generator");
  }
}

/** The turns a step that go with another objective: papers of Wasserstein critics ask for five. @param {string} before @param {string} after */
function usual(before, after) {
  const many = ["clipped", "twosided", "onesided"];
  if (many.includes(before) === many.includes(after)) return {};
  return { criticSteps: many.includes(after) ? 5 : 1 };
}

/** @type {Demo} */
export const demo = {
  title: "GAN laboratory",
  start(stage, kit) {
    const laboratory = new Laboratory(stage, kit);
    return { stop: () => laboratory.stop() };
  },
};
