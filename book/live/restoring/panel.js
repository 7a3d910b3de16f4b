/**
 * The controls around a photograph that is restored.
 *
 * @import { Kit } from "../kit/demo.js"
 * @import { Options, Task } from "./bench.js"
 */

import { comparison } from "../kit/comparison.js";

/**
 * @typedef {object} Acts  What the controls bring about.
 * @property {() => void} run
 * @property {() => void} stop
 * @property {() => void} download
 * @property {(task: string) => void} task
 * @property {() => void} compare
 * @property {(all: boolean) => void} size
 * @property {(part: number) => void} strength
 * @property {(bitmap: ImageBitmap, name: string, file: Blob) => void} take
 */

export class Panel {
  /** @param {Kit} kit @param {Options} options @param {Acts} acts */
  constructor(kit, options, acts) {
    const [task] = options.tasks;
    this.kit = kit;
    this.compared = comparison({ label: "Before and after", before: task.before, after: task.after });
    this.progress = kit.progress("Working");
    this.told = kit.element("p", { class: "gv-live-note" });
    this.credits = kit.element("p", { class: "gv-live-note gv-live-credit" });
    this.action = kit.button({ label: task.action, main: true, onPress: acts.run });
    this.halt = kit.button({ label: "Stop", onPress: acts.stop });
    this.keep = kit.button({ label: "Download", onPress: acts.download });
    this.sides = kit.choice({
      label: "Compare with",
      options: [
        { value: "before", label: "as given" },
        { value: "good", label: "as it was" },
      ],
      value: "before",
      onChange: acts.compare,
    });
    this.size = kit.choice({
      label: "How much of it?",
      options: [
        { value: "copy", label: "A smaller copy" },
        { value: "all", label: "All of it" },
      ],
      value: "copy",
      onChange: (value) => acts.size(value === "all"),
    });
    this.size.element.hidden = true;
    this.elements = this.build(kit, options, acts);
    this.busy(false, false);
  }

  /** @param {Kit} kit @param {Options} options @param {Acts} acts @returns {Node[]} */
  build(kit, { tasks, samples, damage, note, listener }, acts) {
    const { compared, action, halt, keep, sides, size, told, credits, progress } = this;
    const closer = kit.button({ label: "Look closer", pressed: false, onPress: (state) => compared.closer(state) });
    const zone = kit.dropZone({
      label: "Your picture",
      samples: samples.map(({ label, given }) => ({ label, url: kit.file(given) })),
      onPicture: acts.take,
      onError: (sentence) => kit.fail(sentence),
    });
    const missing = kit.choice({
      ...{ label: "What is missing?", options: tasks, value: tasks[0].value },
      onChange: acts.task,
    });
    const choices = kit.layout("row", ...(tasks.length > 1 ? [missing.element] : []), sides.element, damage.element);
    const heard = listener && kit.element("div", { class: "gv-live-heard" }, compared.element, listener.element);
    return [
      heard ?? compared.element,
      kit.element("div", { class: "gv-live-verdict" }, told, credits),
      ...[progress.element, size.element],
      kit.layout("row", action.element, halt.element, closer.element, keep.element),
      ...(listener ? [strength(kit, acts).element] : []),
      ...[choices, zone.element, kit.element("p", { class: "gv-live-note" }, note)],
    ];
  }

  /** @param {boolean} state @param {boolean} done  There is a result to keep. */
  busy(state, done) {
    if (!state && this.halt.element === document.activeElement) this.action.element.focus();
    this.halt.enable(state);
    this.keep.enable(!state && done);
    if (!state) this.progress.done();
  }

  /** @param {Task} task */
  name({ action }) {
    this.action.label(action);
  }

  /** Whether there is more of the picture than a copy. @param {boolean} state */
  large(state) {
    this.size.value = "copy";
    this.size.element.hidden = !state;
  }

  /** What the result is compared with; with what it was given where the good picture is not known. @param {boolean} known */
  compareWith(known) {
    this.sides.element.hidden = !known;
    if (!known) this.sides.value = "before";
    return this.sides.value;
  }

  /**
   * @param {HTMLCanvasElement} left
   * @param {HTMLCanvasElement} right
   * @param {string} before
   * @param {string} after
   * @param {string} name
   */
  show(left, right, before, after, name) {
    this.compared.name(before, after);
    this.compared.show(left, right);
    left.setAttribute("aria-label", `${before}: ${name}`);
    right.setAttribute("aria-label", `${after}: ${name}`);
  }

  /** @param {string} words */
  tell(words) {
    this.told.textContent = words;
    if (words) this.kit.say(words);
  }

  /** @param {string} words */
  credit(words) {
    this.credits.textContent = words;
  }
}

/** How much of the change is made. @param {Kit} kit @param {Acts} acts */
const strength = (kit, acts) =>
  kit.slider({
    ...{ label: "Strength", min: 0, max: 1, value: 1, step: 0.05 },
    said: (part) => `${Math.round(100 * part)} %`,
    onInput: acts.strength,
  });
