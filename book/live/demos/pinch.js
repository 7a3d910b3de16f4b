/**
 * A volume knob in the air: thumb and index finger set how loud a tune plays. A drawn hand stands in for yours until the
 * camera is open; what reads it is the same network. Nothing leaves the page.
 *
 * @import { Kit, Running } from "../kit/demo.js"
 * @import { Found, Landmarker } from "../kit/landmarks.js"
 * @import { Turn } from "../hands/knob.js"
 */

import { bar, span } from "../hands/dial.js";
import { pinch } from "../hands/gestures.js";
import { amplitude, Knob, SETTINGS } from "../hands/knob.js";
import { sentence, stage } from "../hands/scene.js";
import { drawAll, mirrored } from "../hands/skeletons.js";
import { chord, ode, RATE } from "../hands/tunes.js";
import { Ended } from "../kit/asking.js";
import { cameraSwitch } from "../kit/camera.js";
import { pen, picture } from "../kit/canvas.js";
import { plain } from "../kit/controls.js";
import { landmarker } from "../kit/landmarks.js";
import { newest } from "../kit/models.js";
import { Speaker } from "../kit/sound.js";

const BEGINNING = 0.3; // the level at which the tune begins, as the package's player
const STEP = 1 / 15; // seconds between two turns of the knob by a drawn hand
const SOUNDS = { ode, chord: () => chord() };

/** @typedef {{ frames: number, columns: number, width: number, height: number, first: number }} Film */

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "A volume knob in the air",
  async start(stage, kit) {
    /** @type {{ film: Film, found: Found[] | null }} */
    const { film, found } = await kit.json("pinch.json");
    const knob = new Air(kit, film, await kit.image("pinch.jpg"), found?.[0]);
    stage.append(...knob.build());
    knob.show();
    return knob.running();
  },
};

class Air {
  /** @param {Kit} kit @param {Film} film @param {HTMLImageElement} sheet @param {Found | undefined} hand */
  constructor(kit, film, sheet, hand) {
    this.kit = kit;
    this.film = film;
    this.sheet = sheet;
    /** @type {Found | null} */
    this.hand = hand ?? null;
    this.canvas = picture({ width: film.width, height: film.height, label: "A hand" });
    this.frame = this.drawn(film.first);
    this.progress = kit.progress("Fetching the hand tracker");
    this.words = kit.element("p", { class: "gv-live-reading" });
    this.tag = kit.element("span", { class: "gv-live-tag" });
    this.speaker = new Speaker();
    this.knob = new Knob(BEGINNING);
    this.speaker.amplitude = amplitude(BEGINNING);
    /** @type {Turn} */
    this.turn = { seconds: 0, level: BEGINNING, locked: false, pinch: hand ? pinch(hand) : null };
    /** @type {keyof typeof SOUNDS} */
    this.sound = "ode";
    this.read = false; // whether the network has seen the hand
    this.away = 0; // until when the drawn hand is away
    this.began = 0; // when the knob's time began, by the camera's
    this.camera = cameraSwitch(kit, {
      ...{ hint: "Hold up a hand.", other: "pull the slider" },
      onOpen: () => this.beginCamera(),
      onFrame: (frame, now) => this.watch(frame, now),
      onClose: () => this.endCamera(),
    });
    /** @type {Promise<Landmarker> | undefined} */
    this.finder = undefined;
    this.see = newest((/** @type {number} */ opened) => this.look(opened));
    this.waited = 0;
    this.loop = kit.loop((seconds) => this.tick(seconds));
  }

  // ---- the controls ----

  /** @returns {Node[]} */
  build() {
    const { kit, film } = this;
    this.play = kit.button({ label: "Play", main: true, onPress: () => this.pressPlay() });
    this.opened = kit.slider({
      ...{ label: "The drawn hand opens", min: 0, max: 1, step: 1 / (film.frames - 1) },
      value: film.first / (film.frames - 1),
      said: (value) => (value ? `${Math.round(100 * value)} %` : "fingers touch"),
      onInput: (value) => this.open(value),
    });
    const loudest = kit.slider({
      ...{ label: "Never louder than", min: 0.2, max: 1, step: 0.05, value: SETTINGS.loudest },
      said: (value) => `${Math.round(100 * value)} %`,
      onInput: (value) => {
        this.knob.settings.loudest = value;
        this.knob.level = Math.min(this.knob.level, value);
        this.hear({ ...this.turn, level: this.knob.level });
      },
    });
    const sounds = kit.choice({
      label: "What plays",
      options: [
        { value: "ode", label: "Ode to Joy" },
        { value: "chord", label: "A soft chord" },
      ],
      value: this.sound,
      onChange: (sound) => {
        this.sound = /** @type {keyof typeof SOUNDS} */ (sound);
        if (this.speaker.playing) this.begin();
      },
    });
    const scene = kit.element("div", { class: "gv-live-scene" }, this.canvas, this.tag);
    const buttons = kit.layout("row", this.play.element, this.camera.element);
    const side = kit.layout("column", buttons, this.opened.element, sounds.element, loudest.element, this.words);
    const note = kit.element(
      "p",
      { class: "gv-live-note" },
      "Sound starts when you press Play, and Stop ends it. The tune is made in this page, and the camera’s frames stay in ",
      "it: your own machine looks at them, and nothing is sent or kept. Hold still for a second and a half and the level ",
      "is locked; take the hand away for half a second and it is free again.",
    );
    return [kit.layout("split", scene, side), this.progress.element, note];
  }

  /** @returns {Running} */
  running() {
    const rest = () => {
      this.camera.close(); // a camera that nobody sees is closed, and no tune plays whose button is out of sight
      this.stop();
      this.release();
    };
    return {
      pause: rest,
      stop: () => {
        rest();
        this.loop.stop();
        this.speaker.close();
      },
    };
  }

  // ---- sound ----

  pressPlay() {
    if (this.speaker.playing) return this.stop();
    this.kit.fail("");
    try {
      this.begin();
    } catch (error) {
      this.kit.fail(sentence(error));
      return;
    }
    this.kit.say("The tune plays.");
    if (!this.read && !this.camera.open) this.see(this.opened?.value ?? 0);
  }

  begin() {
    this.speaker.play([SOUNDS[this.sound]()], RATE, { loop: true });
    this.play?.label("Stop");
  }

  stop() {
    if (!this.speaker.playing) return;
    this.speaker.stop();
    this.play?.label("Play");
    this.kit.say("The tune has stopped.");
  }

  // ---- the drawn hand ----

  /** One picture of the film. @param {number} number */
  drawn(number) {
    const { columns, width, height } = this.film;
    const frame = document.createElement("canvas");
    Object.assign(frame, { width, height });
    const [x, y] = [(number % columns) * width, Math.floor(number / columns) * height];
    pen(frame).drawImage(this.sheet, x, y, width, height, 0, 0, width, height);
    return frame;
  }

  /** The picture in which the hand is so far open. @param {number} opened */
  number(opened) {
    return Math.round(opened * (this.film.frames - 1));
  }

  /** @param {number} value */
  open(value) {
    this.camera.close();
    if (this.turn.locked && !this.away) {
      this.away = this.knob.last + 1.2 * SETTINGS.gone; // as if the hand had left, and another had come
    }
    this.see(value);
  }

  /** @param {number} opened */
  async look(opened) {
    const number = this.number(opened);
    try {
      const finder = await this.ready();
      if (this.camera.open) return;
      const frame = this.drawn(number);
      const [hand] = await finder.follow(frame, performance.now());
      if (this.camera.open) return;
      this.frame = frame;
      this.hand = hand ?? null;
      this.read = true;
      this.kit.fail("");
      this.loop.start();
      this.show();
    } catch (error) {
      if (!(error instanceof Ended)) this.kit.fail(sentence(error));
    } finally {
      this.progress.done();
    }
  }

  ready() {
    this.finder ??= landmarker("hand", { onProgress: (part, words) => this.progress.set(part, words) });
    this.finder.catch(() => {
      this.finder = undefined; // the next touch tries again
    });
    return this.finder;
  }

  /** Let go of the network: out of view, it would keep a hundred megabytes. */
  release() {
    this.finder?.then((one) => one.close()).catch(() => {});
    this.finder = undefined;
  }

  /** The drawn hand turns the knob at an even pace, held still or not. @param {number} seconds */
  tick(seconds) {
    this.waited = this.camera.open ? 0 : this.waited + seconds;
    if (this.waited < STEP) return;
    const now = this.knob.last + this.waited;
    this.waited = 0;
    if (this.away && now > this.away) this.away = 0;
    this.hear(this.knob.turn(this.hand && !this.away ? pinch(this.hand) : null, now));
  }

  // ---- the camera ----

  beginCamera() {
    this.began = performance.now() / 1000 - this.knob.last; // the knob's own time goes on
    this.ready()
      .catch((error) => {
        this.kit.fail(sentence(error));
        this.camera.close();
      })
      .finally(() => this.progress.done());
  }

  endCamera() {
    this.hand = null;
    this.frame = this.drawn(this.number(this.opened?.value ?? 0));
    this.tag.textContent = "";
    this.show();
    if (this.read) this.see(this.opened?.value ?? 0);
  }

  /** @param {HTMLCanvasElement} frame @param {number} now */
  async watch(frame, now) {
    this.frame = frame;
    try {
      const finder = await Promise.race([this.ready(), painted()]);
      const [hand] = finder ? await finder.follow(frame, now) : [];
      if (!this.camera.open) return;
      this.hand = hand ?? null;
      this.tag.textContent = finder ? `${(performance.now() - now).toFixed(0)} ms a frame` : "";
      this.hear(this.knob.turn(hand ? pinch(hand) : null, now / 1000 - this.began));
    } catch {
      this.hand = null; // `pressCamera` says why
    }
  }

  // ---- what is shown ----

  /** The loudspeaker follows the knob. @param {Turn} turn */
  hear(turn) {
    const { locked } = this.turn;
    this.turn = turn;
    this.speaker.amplitude = amplitude(turn.level);
    if (locked !== turn.locked) {
      this.kit.say(turn.locked ? `Locked at ${Math.round(100 * turn.level)} percent.` : "Free again.");
    }
    this.show();
  }

  show() {
    const { canvas, frame, turn } = this;
    const context = stage(canvas, frame, { mirror: this.camera.open });
    bar(context, turn);
    const hand = this.hand && (this.camera.open ? mirrored(this.hand) : this.hand);
    if (hand) {
      drawAll(context, [hand], null);
      span(context, hand, turn.locked);
    }
    const level = `${Math.round(100 * turn.level)} %`;
    const apart = turn.pinch === null ? "no hand is seen" : `${plain(turn.pinch, 2)} hand-widths apart`;
    this.words.textContent = `Volume ${level}${turn.locked ? ", locked" : ""}: ${apart}.`;
    canvas.setAttribute("aria-label", `${hand ? "A hand with its landmarks" : "No hand is seen"}; volume ${level}`);
  }
}

/** @returns {Promise<undefined>} */
const painted = () => new Promise((done) => setTimeout(() => done(undefined), 15));
