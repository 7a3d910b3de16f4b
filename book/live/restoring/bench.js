/**
 * Where photographs are restored: given, ruined if wanted, put through a network tile by tile, and compared.
 *
 * @import { Kit, Running } from "../kit/demo.js"
 * @import { Box } from "../kit/tiles.js"
 */

import { pen, save } from "../kit/canvas.js";
import { comparison } from "../kit/comparison.js";
import { Blender, throughTiles } from "../kit/tiles.js";
import { isGrey, psnr, uncoloured } from "./damage.js";
import { blank, copied, drawn, lasting, MOST, mega, opened, pixelsOf, ROOMY, resultName, strips } from "./photo.js";

/**
 * @typedef {object} Sample  What the build prepared.
 * @property {string} name
 * @property {string} label  With whom to credit.
 * @property {string} good  Where it lies as it was.
 * @property {string} given  And where ruined.
 * @property {string} [restored]  And as the package restored it.
 * @property {string} [remark]
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
 * @property {{ element: HTMLElement, wanted: () => boolean, ruin: (canvas: HTMLCanvasElement) => Promise<void> }} damage
 * @property {string} note
 * @property {string} smaller  What to know of a smaller copy.
 */

/** @typedef {{ name: string, credit: string, file?: Blob, width: number, height: number, sample?: Sample }} Source */

export class Bench {
  /** @param {Kit} kit @param {Options} options */
  constructor(kit, options) {
    this.kit = kit;
    this.options = options;
    this.task = options.tasks[0];
    this.compared = comparison({ label: "Before and after", before: this.task.before, after: this.task.after });
    this.progress = kit.progress("Working");
    this.told = kit.element("p", { class: "gv-live-note" });
    this.credit = kit.element("p", { class: "gv-live-note gv-live-credit" });
    /** @type {Source} */
    this.source = { name: "", credit: "", width: 0, height: 0 };
    this.before = blank(1, 1);
    this.after = blank(1, 1);
    /** @type {HTMLCanvasElement | undefined} */
    this.good = undefined;
    this.most = ROOMY;
    this.perTile = 0; // seconds, once it is known
    /** @type {AbortController | undefined} */
    this.work = undefined;
    this.done = false; // what is shown is a whole result
    this.turn = 0; // of pictures: only the newest is shown
  }

  // ---- the controls ----

  /** @returns {Node[]} */
  build() {
    const { kit, options } = this;
    this.action = kit.button({ label: this.task.action, main: true, onPress: () => this.run() });
    this.halt = kit.button({ label: "Stop", onPress: () => this.work?.abort() });
    this.keep = kit.button({ label: "Download", onPress: () => this.download() });
    const closer = kit.button({
      label: "Look closer",
      pressed: false,
      onPress: (state) => this.compared.closer(state),
    });
    this.sides = kit.choice({
      label: "Compare with",
      options: [
        { value: "before", label: "as given" },
        { value: "good", label: "as it was" },
      ],
      value: "before",
      onChange: () => this.show(),
    });
    this.size = kit.choice({
      label: "How much of it",
      options: [
        { value: "copy", label: "A smaller copy" },
        { value: "all", label: "All of it" },
      ],
      value: "copy",
      onChange: (value) => this.resize(value === "all" ? MOST : ROOMY),
    });
    const samples = options.samples.map(({ label, given }) => ({ label, url: kit.file(given) }));
    const zone = kit.dropZone({
      label: "Your picture",
      samples,
      onPicture: (bitmap, name, file) => this.take(bitmap, name, file),
      onError: (sentence) => kit.fail(sentence),
    });
    const tasks = kit.choice({
      label: "What is missing?",
      options: options.tasks,
      value: this.task.value,
      onChange: (value) => this.choose(value),
    });
    const buttons = kit.layout("row", this.action.element, this.halt.element, closer.element, this.keep.element);
    const note = kit.element("p", { class: "gv-live-note" }, options.note);
    this.busy(false);
    this.size.element.hidden = true;
    const words = kit.element("div", { class: "gv-live-told" }, this.told, this.credit);
    const choices = kit.layout("row", ...(options.tasks.length > 1 ? [tasks.element] : []), this.sides.element);
    return [
      ...[this.compared.element, words, this.progress.element, this.size.element, buttons, choices],
      ...[zone.element, options.damage.element, note],
    ];
  }

  /** @returns {Running} */
  running() {
    return { stop: () => this.work?.abort() };
  }

  /** @param {boolean} state */
  busy(state) {
    const halt = this.halt?.element;
    if (!state && halt === document.activeElement) this.action?.element.focus();
    this.halt?.enable(state);
    this.keep?.enable(!state && this.done);
    if (!state) this.progress.done();
  }

  /** @param {string} value */
  choose(value) {
    this.task = this.options.tasks.find((task) => task.value === value) ?? this.task;
    this.action?.label(this.task.action);
    this.compared.name(this.task.before, this.task.after);
    this.again();
  }

  // ---- the picture ----

  /** Show the first sample, which was restored when the site was built. */
  async begin() {
    const [sample] = this.options.samples;
    const { kit } = this;
    const [given, restored] = await Promise.all([kit.image(sample.given), kit.image(sample.restored ?? sample.given)]);
    this.source = { name: sample.name, credit: sample.label, width: given.width, height: given.height, sample };
    this.before = drawn(given);
    this.after = drawn(restored);
    this.good = drawn(await kit.image(sample.good));
    this.done = true;
    this.show();
    this.judge();
    this.busy(false);
  }

  /** @param {ImageBitmap} bitmap @param {string} name @param {Blob} file */
  async take(bitmap, name, file) {
    const { width, height } = bitmap;
    bitmap.close(); // it may be large; the file is not
    const sample = this.options.samples.find(({ label }) => label === name);
    const credit = sample?.label ?? "";
    this.source = { name: sample?.name ?? name, credit, file, width, height, sample };
    this.most = ROOMY;
    if (this.size) this.size.value = "copy";
    const large = width * height > ROOMY;
    if (this.size) this.size.element.hidden = !large;
    await this.again();
  }

  /** Work on a larger or smaller copy. @param {number} most */
  async resize(most) {
    this.most = most;
    if (!(await this.prepare())) return;
    const { count } = new Blender(this.before.width, this.before.height);
    const time = this.perTile ? `, ${lasting(count * this.perTile)} here` : "";
    const whole = this.source.width * this.source.height <= MOST ? "All of it" : "As much of it as a page can hold";
    this.tell(most === MOST ? `${whole}: ${mega(this.before)} megapixels, ${count} tiles${time}.` : this.smaller());
  }

  smaller() {
    const { source, before, options } = this;
    if (source.width * source.height <= ROOMY) return "";
    return `Of ${mega(source)} megapixels this is a copy of ${mega(before)}. ${options.smaller}`;
  }

  /** The same picture from the beginning. */
  async again() {
    if (await this.prepare()) await this.run();
  }

  /** Make what the network is given; false if another picture came meanwhile. */
  async prepare() {
    const { source, options, task } = this;
    const turn = ++this.turn;
    this.work?.abort();
    this.kit.fail("");
    this.done = false;
    const wanted = options.damage.wanted() && !task.grey;
    try {
      for (const canvas of [this.before, this.after]) {
        if (canvas.width * canvas.height > ROOMY) canvas.width = canvas.height = 0; // its memory is needed for the next
      }
      const good = source.sample ? drawn(await this.kit.image(source.sample.good)) : undefined;
      const file = source.file ?? (await this.fetched(source.sample));
      const given = await opened(file, wanted ? Math.min(this.most, ROOMY) : this.most);
      const before = good && (wanted || task.grey) ? copied(good) : given;
      const small = given.width * given.height <= ROOMY;
      const unharmed = good ?? (small && (wanted || task.grey) ? copied(given) : undefined);
      if (wanted) await options.damage.ruin(before);
      if (task.grey) strips(before, (pixels, box) => pen(before).putImageData(uncoloured(pixels), 0, box.top));
      if (turn !== this.turn) return false;
      this.good = unharmed;
      this.before = before;
      this.after = copied(before);
    } catch (error) {
      if (turn === this.turn) this.kit.fail(sentence(error));
      return false;
    }
    this.tell(this.smaller());
    if (this.sides) this.sides.value = "before";
    this.show();
    this.busy(false);
    return true;
  }

  /** @param {Sample} [sample] */
  async fetched(sample) {
    const answer = sample && (await fetch(this.kit.file(sample.given)).catch(() => null));
    if (!answer?.ok) throw new Error("The sample could not be fetched; is the site still served?");
    return answer.blob();
  }

  show() {
    const { compared, task, good, sides, source } = this;
    const asGood = sides?.value === "good" && good;
    compared.name(asGood ? "As it was" : task.before, task.after);
    compared.show(asGood || this.before, this.after);
    (asGood || this.before).setAttribute("aria-label", `${asGood ? "As it was" : task.before}: ${source.name}`);
    this.after.setAttribute("aria-label", `${task.after}: ${source.name}`);
    if (sides) sides.element.hidden = !good;
    this.credit.textContent = [source.sample?.remark, source.credit && `${source.credit}; changed by us.`]
      .filter(Boolean)
      .join(" ");
  }

  /** @param {string} words */
  tell(words) {
    this.told.textContent = words;
    if (words) this.kit.say(words);
  }

  // ---- the work ----

  async run() {
    const { kit, task, before, after } = this;
    this.work?.abort();
    const work = new AbortController();
    this.work = work;
    this.busy(true);
    kit.fail("");
    const current = () => this.work === work;
    try {
      const model = await kit.models.load(task.model, (part, words) => current() && this.progress.set(part, words));
      const begun = performance.now();
      const read = (/** @type {Box} */ { left, top, width, height }) =>
        pen(before).getImageData(left, top, width, height);
      this.done = await throughTiles({
        ...{ model, read, signal: work.signal, width: before.width, height: before.height },
        grey: !task.grey && strips(before, isGrey),
        write: (bytes, { left, top, width, height }) =>
          pen(after).putImageData(new ImageData(bytes, width, height), left, top),
        onTile: (done, count) => current() && this.tick(done, count, (performance.now() - begun) / 1000),
      });
      if (current()) this.judge((performance.now() - begun) / 1000);
    } catch (error) {
      if (current()) kit.fail(sentence(error));
    } finally {
      if (current()) this.busy(false);
    }
  }

  /** @param {number} done @param {number} count @param {number} seconds */
  tick(done, count, seconds) {
    this.perTile = seconds / done;
    const left = done < count ? `, ${lasting((count - done) * this.perTile)} left` : "";
    this.progress.set(done / count, `tile ${done} of ${count}${left}`);
  }

  /** Say what came of it. @param {number} [seconds] */
  judge(seconds) {
    const { good, before, after } = this;
    if (!this.done) return this.tell("Stopped. What is done of it shows; begin again for the rest.");
    const time =
      seconds === undefined ? "Restored in Python when this page was built." : `Done in ${seconds.toFixed(1)} s.`;
    if (!good) return this.tell(`${time} ${this.smaller()}`);
    const [from, to] = [before, after].map((canvas) => psnr(pixelsOf(good), pixelsOf(canvas)).toFixed(1));
    this.tell(`${time} PSNR against the good picture: ${from} dB before, ${to} dB after.`);
  }

  download() {
    save(this.after, resultName(this.source.name, this.task.file));
  }
}

/** @param {unknown} error */
const sentence = (error) => (error instanceof Error ? error.message : String(error));
