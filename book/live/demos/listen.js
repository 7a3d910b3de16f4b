/**
 * Listening to a picture: rows are pitches, brightness is loudness, colour is place and timbre. Nothing leaves the page.
 *
 * @import { Kit, Running } from "../kit/demo.js"
 */

import { amplitude } from "../hands/knob.js";
import { heard, RATE, ROWS, sound, wav } from "../hands/sonify.js";
import { canvasOf, pen, picture, saveFile } from "../kit/canvas.js";
import { plain } from "../kit/controls.js";
import { Speaker } from "../kit/sound.js";

const LONGEST = 640; // pixels of a picture's side: no ear tells more
const COLUMNS = 96; // of the score that is shown
const SECONDS = 3;
const LEVEL = 0.6;
const CALM = 0.5; // seconds between two places of the line for those who want less motion

const SAMPLES = [
  { file: "listen-waves.png", label: "Two lines that cross, drawn by the course" },
  { file: "listen-chords.png", label: "Four chords, drawn by the course" },
  { file: "listen-fan.png", label: "A fan of all hues, drawn by the course" },
  { file: "astronaut.jpg", label: "Eileen Collins, astronaut (NASA, public domain)" },
];

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Listen to a picture",
  async start(stage, kit) {
    const listen = new Listen(kit);
    stage.append(...listen.build());
    const first = await kit.image(SAMPLES[0].file);
    listen.take(first, SAMPLES[0].label);
    kit.say("");
    return listen.running();
  },
};

class Listen {
  /** @param {Kit} kit */
  constructor(kit) {
    this.kit = kit;
    this.photo = picture({ width: 256, height: 256, label: "The picture" });
    this.score = picture({ width: COLUMNS, height: ROWS, label: "The picture as it is heard", sharp: true });
    this.speaker = new Speaker();
    this.speaker.amplitude = amplitude(LEVEL);
    this.seconds = SECONDS;
    this.name = "";
    /** @type {ReturnType<typeof sound> | null} until it has to be made anew */
    this.waves = null;
    this.loop = kit.loop(() => this.follow());
  }

  // ---- the controls ----

  /** @returns {Node[]} */
  build() {
    const { kit } = this;
    const tagged = (/** @type {HTMLCanvasElement} */ canvas, /** @type {string} */ words) =>
      kit.element("div", {}, canvas, kit.element("span", { class: "gv-live-tag", "aria-hidden": "true" }, words));
    this.pictures = kit.element(
      "div",
      { class: "gv-live-score" },
      tagged(this.photo, "The picture"),
      tagged(this.score, "As it is heard"),
    );
    this.pictures.addEventListener("click", () => this.press()); // for fingers; keyboards have the button
    this.play = kit.button({ label: "Play", main: true, onPress: () => this.press() });
    const keep = kit.button({ label: "Save the sound", onPress: () => this.save() });
    const length = kit.slider({
      ...{ label: "It lasts", min: 1, max: 10, step: 0.5, value: this.seconds },
      said: (value) => `${plain(value)} seconds`,
      onInput: (value) => {
        this.seconds = value;
        this.renew();
      },
    });
    const loud = kit.slider({
      ...{ label: "Volume", min: 0, max: 1, step: 0.05, value: LEVEL },
      said: (value) => `${Math.round(100 * value)} %`,
      onInput: (value) => {
        this.speaker.amplitude = amplitude(value);
      },
    });
    const zone = kit.dropZone({
      label: "A picture to listen to",
      samples: SAMPLES.map(({ file, label }) => ({ label, url: kit.file(file) })),
      onPicture: (bitmap, name) => this.take(bitmap, name),
      onError: (sentence) => kit.fail(sentence),
    });
    const lines = kit.element("div", { class: "gv-live-lines" }, length.element, loud.element);
    const note = kit.element(
      "p",
      { class: "gv-live-note" },
      "Sound starts when you press Play, and Stop ends it. Your picture stays in this page: the sound is made here. ",
      "Headphones tell left from right.",
    );
    return [this.pictures, kit.layout("row", this.play.element, keep.element), lines, zone.element, note];
  }

  /** @returns {Running} */
  running() {
    return {
      pause: () => this.stop(), // nothing sounds whose button is out of sight
      stop: () => {
        this.stop();
        this.loop.stop();
        this.speaker.close();
      },
    };
  }

  // ---- the picture ----

  /** @param {CanvasImageSource & { width: number, height: number }} image @param {string} name */
  take(image, name) {
    this.kit.fail("");
    // what is transparent is silent, as in `companion sonify`
    const canvas = canvasOf(image, image.width, image.height, LONGEST, "black");
    Object.assign(this.photo, { width: canvas.width, height: canvas.height });
    pen(this.photo).drawImage(canvas, 0, 0);
    this.pixels = pen(canvas).getImageData(0, 0, canvas.width, canvas.height);
    this.name = name;
    this.photo.setAttribute("aria-label", name);
    this.showScore();
    this.renew();
    this.kit.say(`Ready to be played: ${name}.`);
  }

  showScore() {
    if (!this.pixels) return;
    const { rows, columns, light } = heard(this.pixels, COLUMNS);
    Object.assign(this.score, { width: columns, height: rows });
    const image = new ImageData(columns, rows);
    for (let place = 0; place < rows * columns; place++) {
      image.data.set(
        [0, 1, 2].map((channel) => 255 * light[3 * place + channel]),
        4 * place,
      );
      image.data[4 * place + 3] = 255;
    }
    pen(this.score).putImageData(image, 0, 0);
    this.score.setAttribute("aria-label", `The picture as it is heard: ${rows} pitches from top to bottom`);
  }

  // ---- the sound ----

  /** Another picture or length: what plays begins anew. */
  renew() {
    this.waves = null;
    if (this.speaker.playing) this.begin();
  }

  made() {
    this.waves ??= this.pixels ? sound(this.pixels, this.seconds) : null;
    return this.waves;
  }

  press() {
    this.kit.fail("");
    if (this.speaker.playing) return this.stop();
    try {
      this.begin();
    } catch (error) {
      this.kit.fail(error instanceof Error ? error.message : String(error));
    }
  }

  begin() {
    const waves = this.made();
    if (!waves) return;
    if (!waves[0].some(Boolean)) {
      this.stop();
      this.kit.fail("This picture is black, and black is silent; choose a brighter one.");
      return;
    }
    this.speaker.play(waves, RATE, { onEnd: () => this.ended("The picture has been played.") });
    this.play?.label("Stop");
    this.loop.start();
    this.kit.say("The picture sounds.");
  }

  stop() {
    if (!this.speaker.playing) return;
    this.speaker.stop();
    this.ended("The sound has stopped.");
  }

  /** @param {string} words */
  ended(words) {
    this.loop.stop();
    this.play?.label("Play");
    this.pictures?.style.removeProperty("--gv-live-at");
    this.kit.say(words);
  }

  /** The line goes with the sound. */
  follow() {
    const { seconds } = this.speaker;
    const shown = this.kit.calm() ? Math.floor(seconds / CALM) * CALM : seconds;
    this.pictures?.style.setProperty("--gv-live-at", `${Math.min(1, shown / this.seconds)}`);
  }

  save() {
    const waves = this.made();
    if (waves) saveFile(new Blob([wav(waves)], { type: "audio/wav" }), "picture.wav");
  }
}
