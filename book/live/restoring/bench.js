/**
 * Where photographs are restored: given, ruined if wanted, put through a network tile by tile, and compared.
 *
 * @import { Kit, Running } from "../kit/demo.js"
 * @import { Made } from "./damage.js"
 * @import { Blur } from "./finder.js"
 * @import { Listener } from "./listener.js"
 */

import { bitmapOf, painted, saveFile } from "../kit/canvas.js";
import { newest } from "../kit/models.js";
import { Blender } from "../kit/tiles.js";
import { psnr, uncoloured } from "./damage.js";
import { Panel } from "./panel.js";
import { lasting, MOST, mega, Photo, pixelsOf, ROOMY, resultName } from "./photo.js";

/**
 * @typedef {object} Sample  What the build prepared.
 * @property {string} name
 * @property {string} label  With whom to credit.
 * @property {string} good  Where it lies as it was.
 * @property {string} given  And where ruined.
 * @property {string} [restored]  And as the package restored it.
 * @property {string} [remark]
 * @property {Blur} [blur]  What the package found in it, for a listener to show.
 */

/**
 * @typedef {object} Task
 * @property {string} value
 * @property {string} label
 * @property {string} model
 * @property {string} action  On the button.
 * @property {string} before  What the left side is called.
 * @property {string} after
 * @property {string} file  What a result's name ends in.
 * @property {boolean} [grey]  The network is given the good picture, without its colours.
 */

/**
 * @typedef {object} Options
 * @property {Task[]} tasks
 * @property {Sample[]} samples
 * @property {{ element: HTMLElement, wanted: () => boolean, ruin: (good: Made) => Promise<Made> }} damage
 * @property {string} note
 * @property {string} smaller  What to know of a smaller copy.
 * @property {Listener} [listener]  Looks for what is to be undone; then the network's strength can be chosen, too.
 */

/** @typedef {{ name: string, width: number, height: number, file?: Blob, sample?: Sample }} Source */

const PATIENCE = 10; // seconds: who would have to wait longer may have the graphics processor help

export class Bench {
  /** @param {Kit} kit @param {Options} options */
  constructor(kit, options) {
    this.kit = kit;
    this.options = options;
    this.task = options.tasks[0];
    /** @type {Source} */
    this.source = { name: "", width: 0, height: 0 };
    /** @type {Photo | undefined} */
    this.photo = undefined;
    /** @type {Photo | undefined} */
    this.good = undefined; // where it is known
    this.most = ROOMY; // pixels to work on
    this.perTile = 0; // seconds, once it is known
    /** @type {AbortController | undefined} */
    this.work = undefined;
    this.turn = 0; // of pictures: only the newest is shown
    this.strength = 1; // the part of the change that is made
    this.said = ""; // of what was done last
    this.panel = new Panel(kit, options, {
      run: () => this.press(),
      stop: () => this.work?.abort(),
      download: () => this.download(),
      task: (value) => this.choose(value),
      compare: () => this.show(),
      size: (all) => this.resize(all ? MOST : ROOMY),
      strength: newest((part) => this.weigh(part)),
      take: (bitmap, name, file) => this.take(bitmap, name, file),
    });
  }

  /** @returns {Running} */
  running() {
    return {
      stop: () => {
        this.work?.abort();
        this.options.listener?.stop();
      },
    };
  }

  // ---- the picture ----

  /** Show the first sample, which was restored when the site was built. */
  async begin() {
    const { kit, panel } = this;
    const [sample] = this.options.samples;
    const addresses = [sample.given, sample.restored ?? sample.given, sample.good];
    const images = await Promise.all(addresses.map((address) => kit.image(address)));
    const [given, restored, good] = await Promise.all(images.map((image) => pixelsOf(image)));
    this.source = { name: sample.name, width: given.width, height: given.height, sample };
    this.good = new Photo(good);
    this.photo = this.photoOf(given);
    this.photo.pixels = restored;
    this.photo.repaint();
    if (sample.blur) this.options.listener?.show(sample.blur);
    this.photo.touched = true;
    this.show();
    this.judge("Restored in Python as this page was built.");
    panel.busy(false, true);
  }

  /** @param {ImageBitmap} bitmap @param {string} name @param {Blob} file */
  async take(bitmap, name, file) {
    const { width, height } = bitmap;
    const sample = this.options.samples.find(({ label }) => label === name);
    this.source = { name: sample?.name ?? name, width, height, file, sample };
    this.most = ROOMY;
    this.panel.large(width * height > ROOMY);
    if (await this.prepare(bitmap)) await this.run();
  }

  /** @param {string} value */
  choose(value) {
    this.task = this.options.tasks.find((task) => task.value === value) ?? this.task;
    this.panel.name(this.task);
    this.again();
  }

  /** The same picture from the beginning. */
  async again() {
    if (await this.prepare()) await this.run();
  }

  /** Work on a larger or smaller copy. @param {number} most */
  async resize(most) {
    this.most = most;
    if (!(await this.prepare()) || most === ROOMY || !this.photo) return;
    const { pixels } = this.photo;
    const { count } = new Blender(pixels.width, pixels.height);
    const whole = this.source.width * this.source.height <= MOST ? "All of it" : "As much of it as a page can hold";
    const time = this.perTile ? `, ${lasting(count * this.perTile)} here` : "";
    const preview = "What you see is a smaller preview, the download has all of it.";
    this.panel.tell(`${whole}: ${mega(pixels)} megapixels, ${count} tiles${time}. ${preview}`);
  }

  /** What a smaller copy is, where it is one. */
  smaller() {
    const { source, photo, options } = this;
    if (!photo || this.most === MOST || source.width * source.height <= ROOMY) return "";
    return `Of ${mega(source)} megapixels this is a copy of ${mega(photo.pixels)}. ${options.smaller}`;
  }

  /** Make what the network is given; false if there is none, or another picture came meanwhile. @param {ImageBitmap} [bitmap] */
  async prepare(bitmap) {
    const { kit, panel } = this;
    const turn = ++this.turn;
    this.work?.abort();
    this.photo = undefined; // its memory may be needed
    this.good = undefined;
    this.said = "";
    this.options.listener?.forget();
    kit.fail("");
    panel.busy(false, false);
    panel.tell("");
    try {
      const made = await this.made(bitmap ?? (await bitmapOf(await this.file())));
      if (turn !== this.turn) return false;
      Object.assign(this, made);
    } catch (error) {
      if (turn === this.turn) kit.fail(sentence(error));
      return false;
    }
    this.show();
    panel.tell(this.smaller());
    return true;
  }

  /** @param {ImageBitmap} bitmap */
  async made(bitmap) {
    const { source, options, task, kit } = this;
    const ruining = options.damage.wanted() && !task.grey;
    const harmed = ruining || Boolean(task.grey);
    let pixels = await pixelsOf(bitmap, ruining ? ROOMY : this.most);
    bitmap.close();
    const known = source.sample && (await pixelsOf(await kit.image(source.sample.good)));
    if (harmed && known) pixels = known;
    const good = known ?? (harmed && pixels.width * pixels.height <= ROOMY ? pixels : undefined);
    const kept = good && new Photo({ ...good, data: good.data.slice() });
    if (ruining) pixels = await options.damage.ruin(pixels);
    if (task.grey) uncoloured(pixels);
    return { photo: this.photoOf(pixels), good: kept };
  }

  /** @param {Made} pixels */
  photoOf(pixels) {
    const photo = new Photo(pixels, Boolean(this.options.listener));
    photo.part = this.strength;
    return photo;
  }

  /** Make a part of the change only. @param {number} part */
  async weigh(part) {
    this.strength = part;
    this.photo?.weigh(part);
    if (this.said) this.judge(this.said);
    await painted();
  }

  /** The picture as it came. */
  async file() {
    const { file, sample } = this.source;
    if (file) return file;
    const answer = sample && (await fetch(this.kit.file(sample.given)).catch(() => null));
    if (!answer?.ok) throw new Error("The sample could not be fetched; is the site still served?");
    return answer.blob();
  }

  show() {
    const { panel, task, good, source, photo } = this;
    if (!photo) return;
    const asGood = panel.compareWith(Boolean(good)) === "good";
    const left = asGood && good ? good.shown : photo.before;
    panel.show(left, photo.shown, asGood ? "As it was" : task.before, task.after, source.name);
    const credit = source.sample && `${source.sample.label}; changed by us.`;
    panel.credit([source.sample?.remark, credit].filter(Boolean).join(" "));
  }

  // ---- the work ----

  async press() {
    const fresh = this.photo && !this.photo.touched; // there is none while one is made ready: then it is made anew
    if (fresh || (await this.prepare())) await this.run();
  }

  async run() {
    const { kit, photo, panel } = this;
    if (!photo) return;
    const work = new AbortController();
    this.work = work;
    panel.busy(true, false);
    kit.fail("");
    const current = () => this.work === work && this.photo === photo;
    let done = false;
    try {
      const found = await this.look(photo, work.signal, current);
      if (found === false) {
        photo.touched = done = true; // it is its own result
        if (current()) this.judge("Nothing to undo.");
        return;
      }
      if (found) done = await this.through(photo, work.signal, current);
      else if (current()) this.judge("");
    } catch (error) {
      if (current()) kit.fail(sentence(error));
    } finally {
      if (current()) panel.busy(false, done);
    }
  }

  /**
   * Whether there is anything to undo; undefined if it was stopped meanwhile.
   *
   * @param {Photo} photo
   * @param {AbortSignal} signal
   * @param {() => boolean} current
   */
  async look(photo, signal, current) {
    const { listener } = this.options;
    if (!listener) return true;
    const { progress } = this.panel;
    progress.set(0, "looking for the blur");
    const onProgress = (/** @type {number} */ part) => {
      if (current()) progress.set(part, `looking for the blur: ${Math.round(100 * part)} %`);
    };
    return listener.look(photo.pixels, { signal, onProgress });
  }

  /**
   * Through the network, tile by tile; whether it came to its end.
   *
   * @param {Photo} photo
   * @param {AbortSignal} signal
   * @param {() => boolean} current
   */
  async through(photo, signal, current) {
    const { kit, task, panel } = this;
    const { listener } = this.options;
    const model = await kit.models.load(task.model, (part, words) => current() && panel.progress.set(part, words));
    const begun = performance.now();
    const seconds = () => (performance.now() - begun) / 1000;
    const done = await photo.restore(listener ? listener.tell(model) : model, {
      ...{ signal, grey: !task.grey },
      onTile: (number, count) => {
        if (number > 2 && seconds() * (count / number - 1) > PATIENCE) model.hasten(); // the first is slow
        if (current()) this.tick(number, count, seconds());
      },
    });
    const helped = model.hastened ? ", with the graphics processor" : "";
    if (current()) this.judge(done ? `Done in ${seconds().toFixed(1)} s${helped}.` : "");
    return done;
  }

  /** @param {number} done @param {number} count @param {number} seconds */
  tick(done, count, seconds) {
    this.perTile = seconds / done;
    const left = done < count ? `, ${lasting((count - done) * this.perTile)} left` : "";
    this.panel.progress.set(done / count, `tile ${done} of ${count}${left}`);
  }

  /** Say what came of it. @param {string} done  Empty if it was stopped. */
  judge(done) {
    const { good, photo, panel } = this;
    if (!photo) return;
    this.said = done;
    if (!done) return panel.tell("Stopped. What is done of it shows; press the button for all of it.");
    if (!good) return panel.tell(`${done} ${this.smaller()}`);
    const { width, height } = photo.before;
    const before = photo.before.getContext("2d")?.getImageData(0, 0, width, height) ?? photo.pixels;
    const [from, to] = [before, photo.wanted].map((pixels) => psnr(good.pixels, pixels).toFixed(1));
    panel.tell(`${done} PSNR ${from} dB before, ${to} dB after.`);
  }

  async download() {
    try {
      if (this.photo) saveFile(await this.photo.png(), resultName(this.source.name, this.task.file));
    } catch {
      this.kit.fail("The file could not be written here; a newer browser can.");
    }
  }
}

/** @param {unknown} error */
const sentence = (error) => (error instanceof Error ? error.message : String(error));
