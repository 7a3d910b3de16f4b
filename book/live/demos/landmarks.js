/**
 * Hands, a face's mesh or a body on a photograph, a sample, in a film, or before the camera. Nothing leaves the page.
 *
 * @import { Kit, Running } from "../kit/demo.js"
 * @import { Found, Kind, Landmarker } from "../kit/landmarks.js"
 * @import { Film, Sheet } from "../hands/films.js"
 * @import { Edges } from "../hands/skeletons.js"
 */

import { drawnFilm, filmChoice, ownFilm, Player } from "../hands/films.js";
import { sentence, stage } from "../hands/scene.js";
import { drawAll, LEFT, mirrored, RIGHT } from "../hands/skeletons.js";
import { Table } from "../hands/table.js";
import { counted, described, NAMES } from "../hands/words.js";
import { cameraSwitch } from "../kit/camera.js";
import { canvasOf, picture, save } from "../kit/canvas.js";
import { landmarker } from "../kit/landmarks.js";
import { newest } from "../kit/models.js";

const MOST = { hand: 2, face: 2, pose: 1 }; // that are looked for
const STEADY = 0.1; // the share of the newest time in the mean of times
const PATIENCE = 2500; // milliseconds between two sentences on what is followed
const PLAY = "Play the sample";

/** @type {Record<Kind, { file: string, label: string, note: string }>} */
const SAMPLES = {
  hand: { file: "hand.jpg", label: "A hand, drawn by the course", note: "A drawn hand" },
  face: {
    file: "astronaut-near.jpg",
    label: "Eileen Collins, astronaut (NASA, public domain)",
    note: "Photograph: NASA, public domain",
  },
  pose: { file: "dancer.jpg", label: "A dancer, drawn by the course", note: "A drawn dancer" },
};
const KINDS = /** @type {Kind[]} */ (Object.keys(SAMPLES));

/** @typedef {{ found: Record<Kind, Found[] | null>, edges: Edges | null, films: Record<Kind, Sheet> }} Prepared */

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Landmarks of hands, faces and bodies",
  async start(stage, kit) {
    /** @type {Prepared} */
    const prepared = await kit.json("landmarks.json");
    const landmarks = new Landmarks(kit, prepared);
    stage.append(...landmarks.build());
    await landmarks.open("hand");
    return landmarks.running();
  },
};

class Landmarks {
  /** @param {Kit} kit @param {Prepared} prepared */
  constructor(kit, prepared) {
    this.kit = kit;
    this.prepared = prepared;
    /** @type {Kind} */
    this.kind = "hand";
    this.canvas = picture({ width: 480, height: 480, label: "A hand" });
    this.tag = kit.element("span", { class: "gv-live-tag" });
    this.name = kit.element("span", { class: "gv-live-tag gv-live-name" }); // of the film that plays
    this.told = kit.element("ul", { class: "gv-live-told" });
    this.table = new Table(kit);
    this.progress = kit.progress("Looking");
    /** @type {Map<Kind, Promise<Landmarker>>} */
    this.finders = new Map();
    this.camera = cameraSwitch(kit, {
      main: true,
      onOpen: () => this.beginCamera(),
      onFrame: (frame, now) => this.watch(frame, now),
      onClose: () => this.endCamera(),
    });
    this.player = new Player(kit, (frame, now) => this.watch(frame, now));
    this.film = kit.button({ label: PLAY, onPress: () => this.pressFilm() });
    /** @type {HTMLCanvasElement} as the network sees it */
    this.original = document.createElement("canvas");
    /** @type {Found[]} */
    this.found = [];
    this.looking = false; // at a picture
    this.plain = false; // without the photograph
    this.own = false; // whether the reader gave the picture or film
    this.said = ""; // of what is followed, and when
    this.spoke = 0;
    this.took = 0; // milliseconds that a frame takes, the time of the last, and how far they are apart
    this.before = 0;
    this.step = 0;
    this.take = newest((/** @type {HTMLCanvasElement} */ image) => this.look(image));
  }

  // ---- the controls ----

  /** @returns {Node[]} */
  build() {
    const { kit } = this;
    const label = { hand: "Hands", face: "Face", pose: "Body" };
    this.kinds = kit.choice({
      label: "Look for",
      options: KINDS.map((value) => ({ value, label: label[value] })),
      value: this.kind,
      onChange: (kind) => this.turnTo(kind),
    });
    const zone = kit.dropZone({
      label: "A picture of yours",
      samples: KINDS.map((kind) => ({ label: SAMPLES[kind].label, url: kit.file(SAMPLES[kind].file) })),
      onPicture: (bitmap, name) => this.give(bitmap, name),
      onError: (sentence) => kit.fail(sentence),
    });
    const choice = filmChoice(zone.element, (file) => this.play(ownFilm(file), "Your film", true));
    zone.element.querySelector("label")?.after(...choice);
    zone.element.prepend(this.camera.element, this.film.element);
    const bare = kit.toggle({
      label: "Landmarks alone",
      value: false,
      onChange: (plain) => {
        this.plain = plain;
        this.paint(this.original, this.found, this.camera.open);
      },
    });
    const keep = kit.button({ label: "Save the picture", onPress: () => save(this.canvas, "landmarks.png") });
    const scene = kit.element("div", { class: "gv-live-scene" }, this.canvas, this.tag, this.name);
    const side = kit.layout("column", this.kinds.element, this.told, kit.layout("row", bare.element, keep.element));
    const note = kit.element(
      "p",
      { class: "gv-live-note" },
      "Pictures, films and the camera’s frames stay in this page: your own machine looks at them, and nothing is sent or ",
      "kept. The sample films are drawn, by the course. ",
      "Amber is the person’s left, blue the right. What the samples open with was found in Python.",
    );
    return [kit.layout("split", scene, side), this.progress.element, zone.element, this.table.element, note];
  }

  /** @returns {Running} */
  running() {
    return {
      pause: () => {
        this.camera.close(); // a camera that nobody sees is closed
        this.player.film?.rest?.();
        if (!this.looking) this.release(); // out of view, a network would keep a hundred megabytes
      },
      resume: () => {
        this.player.film?.resume?.();
        if (this.player.playing) this.warm();
      },
      stop: () => {
        this.camera.close();
        this.endFilm();
        this.release();
      },
    };
  }

  // ---- what is looked at ----

  /** Whether frames come by themselves. */
  get moving() {
    return this.camera.open || this.player.playing;
  }

  /** Another kind: in the reader's picture, film or camera, else in the sample for it. @param {Kind} kind */
  turnTo(kind) {
    this.kind = kind;
    this.kit.fail("");
    if (this.own && this.moving) this.warm();
    else if (this.own) this.take(this.original);
    else this.open(kind);
  }

  /** A sample with what was found in it when the site was built. @param {Kind} kind */
  async open(kind) {
    const { kit } = this;
    this.kind = kind;
    this.endFilm();
    const image = await kit.image(SAMPLES[kind].file);
    if (this.kind !== kind || this.own || this.moving) return; // the reader was faster
    this.original = canvasOf(image, image.width, image.height);
    this.show(this.prepared.found[kind] ?? []);
    this.tag.textContent = SAMPLES[kind].note;
    kit.say("");
  }

  /** @param {ImageBitmap} bitmap @param {string} name */
  give(bitmap, name) {
    const kind = KINDS.find((one) => SAMPLES[one].label === name);
    this.camera.close();
    this.endFilm();
    this.own = !kind;
    if (kind && this.kinds) this.kind = this.kinds.value = kind;
    this.tag.textContent = kind ? SAMPLES[kind].note : "";
    this.take(canvasOf(bitmap, bitmap.width, bitmap.height));
  }

  /** @param {HTMLCanvasElement} image */
  async look(image) {
    const { kit, kind } = this;
    kit.fail("");
    this.original = image;
    this.show([]);
    this.told.replaceChildren();
    this.looking = true;
    try {
      const finder = await this.ready();
      this.progress.set(null, `looking for ${NAMES[kind].many}`);
      const found = await finder.find(image);
      if (this.original !== image || this.kind !== kind) return;
      this.show(found);
      kit.say(found.length ? this.words(found).join(" ") : "");
      if (!found.length)
        kit.fail(`No ${NAMES[kind].one} was found in it; try another picture, or look for something else.`);
    } catch (error) {
      if (this.kind === kind) kit.fail(sentence(error));
    } finally {
      this.looking = false;
      this.progress.done();
    }
  }

  /** What finds this kind, loaded when it is first wanted. */
  ready() {
    const { kind } = this;
    let finder = this.finders.get(kind);
    if (!finder) {
      this.release(); // one at a time: on a phone, three networks would be too much
      finder = landmarker(kind, { most: MOST[kind], onProgress: (part, words) => this.progress.set(part, words) });
      this.finders.set(kind, finder);
      finder.catch(() => this.finders.delete(kind)); // the next picture tries again
    }
    return finder;
  }

  /** Let go of what finds other kinds. */
  release() {
    for (const finder of this.finders.values()) finder.then((one) => one.close()).catch(() => {});
    this.finders.clear();
    this.finder = undefined;
  }

  // ---- the camera, and films ----

  beginCamera() {
    this.endFilm();
    this.tag.textContent = "";
    this.own = true;
    this.begin();
  }

  endCamera() {
    this.tag.textContent = "";
    this.paint(this.original, this.found, false);
  }

  pressFilm() {
    const { kit } = this;
    if (!this.player.playing) return this.play(drawnFilm(kit, this.prepared.films[this.kind]), "A drawn film", false);
    this.endFilm();
    kit.say("The film has stopped.");
  }

  /** @param {Promise<Film>} coming @param {string} name @param {boolean} own */
  async play(coming, name, own) {
    const { kit } = this;
    kit.fail("");
    this.camera.close();
    this.endFilm();
    const before = { own: this.own, tag: this.tag.textContent };
    this.own = own;
    this.film.label("Stop");
    this.tag.textContent = "";
    this.name.textContent = name;
    kit.say(`${name} plays.`);
    try {
      if (await this.player.play(coming)) this.begin();
    } catch (error) {
      this.end(error);
      this.own = before.own;
      this.tag.textContent = before.tag;
    }
  }

  /** Its last frame stays to be looked at. */
  endFilm() {
    if (!this.name.textContent) return;
    this.player.stop();
    this.tag.textContent = this.name.textContent;
    this.name.textContent = "";
    this.film.label(PLAY);
  }

  begin() {
    Object.assign(this, { said: "", spoke: 0, took: 0, before: 0, step: 0 });
    this.warm();
  }

  /** Load what is wanted while the frames are shown. */
  async warm() {
    const { kind } = this;
    /** @type {Landmarker | undefined} */
    this.finder = undefined;
    try {
      const finder = await this.ready();
      if (this.kind === kind) this.finder = finder;
    } catch (error) {
      if (this.kind !== kind) return;
      this.end(error);
    } finally {
      this.progress.done();
    }
  }

  /** @param {HTMLCanvasElement} frame @param {number} now */
  async watch(frame, now) {
    const { finder } = this;
    if (!finder) {
      this.original = frame;
      this.paint(frame, [], this.camera.open);
      return;
    }
    try {
      const found = await finder.follow(frame, now);
      if (!this.moving || this.finder !== finder) return;
      const took = performance.now() - now;
      this.took = this.took ? this.took + STEADY * (took - this.took) : took;
      this.original = frame;
      this.show(found, this.camera.open);
      this.tag.textContent = `${this.rate(now).toFixed(0)} frames a second, ${this.took.toFixed(0)} ms each`;
      this.sayNow(found, now);
    } catch (error) {
      if (this.finder === finder) this.end(error);
    }
  }

  /** No more frames, for a reason. @param {unknown} error */
  end(error) {
    this.kit.fail(sentence(error));
    this.camera.close();
    this.endFilm();
  }

  /** Frames a second, as they come. @param {number} now */
  rate(now) {
    const step = this.before ? now - this.before : 0;
    this.before = now;
    if (step > 0 && step < 1000) this.step = this.step ? this.step + STEADY * (step - this.step) : step;
    return this.step ? 1000 / this.step : 0;
  }

  /** In words for those who do not see it, when it has changed and not too often. @param {Found[]} found @param {number} now */
  sayNow(found, now) {
    const words = found.length
      ? found.map(({ side, kind }) => `${side ?? "a"} ${NAMES[kind].one}`).join(" and ")
      : "nothing";
    if (words === this.said || now - this.spoke < PATIENCE) return;
    this.said = words;
    this.spoke = now;
    this.kit.say(`In the picture: ${words}.`);
  }

  // ---- what is shown ----

  /** @param {Found[]} found */
  show(found, mirror = false) {
    this.found = found;
    this.paint(this.original, found, mirror);
    this.table.show(found);
    const { element } = this.kit;
    const lines = found.length ? this.words(found) : [`No ${NAMES[this.kind].one} is marked in it.`];
    const colour = { left: LEFT, right: RIGHT };
    this.told.replaceChildren(
      ...lines.map((words, place) => {
        const side = found[place]?.side;
        return element("li", side ? { style: `--gv-live-told: ${colour[side]}` } : {}, words);
      }),
    );
  }

  /** @param {Found[]} found */
  words(found) {
    return found.map(described);
  }

  /** The picture with its landmarks; before the camera as in a mirror, for the eye alone. @param {HTMLCanvasElement} image @param {Found[]} found @param {boolean} mirror */
  paint(image, found, mirror) {
    const { canvas } = this;
    const context = stage(canvas, image, { mirror, bare: this.plain });
    drawAll(context, mirror ? found.map(mirrored) : found, this.prepared.edges);
    canvas.setAttribute(
      "aria-label",
      `${counted(this.kind, found.length)} marked in the picture. ${this.words(found).join(" ")}`,
    );
  }
}
