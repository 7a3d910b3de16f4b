/**
 * The graphics processor, for work that lasts: it takes over where there is one that answers the same and is quicker.
 *
 * Its program is larger and its first answer slow. So it is fetched only if a reader would wait, and the processor goes
 * on meanwhile: whatever comes of it, nothing takes longer than without.
 *
 * @import { Model, Network, Tensor } from "./demo.js"
 */

const LEVEL = 2 / 255; // of images in [−1, 1]

/** @typedef {Network & { end: () => void }} Rival  The same network on the graphics processor. */

/** Whether there is one: not a processor that plays its part, and no phone, whose memory this would fill. */
export async function isThere() {
  const { gpu, connection } = /** @type {any} */ (navigator);
  const suspends = "Suspending" in WebAssembly; // the program waits for answers by this
  if (!gpu || !suspends || connection?.saveData || matchMedia("(pointer: coarse)").matches) return false;
  const adapter = await gpu.requestAdapter().catch(() => null);
  return Boolean(adapter && !adapter.info.isFallbackAdapter);
}

/**
 * Whether two answers make the same picture, to a level of 255.
 *
 * @param {Record<string, Tensor>} one
 * @param {Record<string, Tensor>} other
 */
export const agree = (one, other) =>
  Object.entries(one).every(([name, { data }]) =>
    data.every((value, place) => Math.abs(value - other[name].data[place]) <= LEVEL),
  );

/** A model that the graphics processor may take over. @implements {Model} */
export class Hastened {
  /**
   * @param {Network} model
   * @param {() => Promise<Rival | undefined>} begin  Fetches the rival, if there can be one.
   * @param {() => number} [now]  Milliseconds.
   */
  constructor(model, begin, now = () => performance.now()) {
    this.model = model;
    this.begin = begin;
    this.now = now;
    this.begun = false;
    /** @type {Rival | undefined} */
    this.rival = undefined; // has come, and is not measured yet
    /** @type {Rival | undefined} */
    this.quicker = undefined; // has won
  }

  get signature() {
    return this.model.signature;
  }

  get hastened() {
    return this.quicker !== undefined;
  }

  hasten() {
    if (this.begun) return;
    this.begun = true;
    this.begin().then(
      (rival) => {
        this.rival = rival;
      },
      () => {
        this.begun = false; // the next picture tries again
      },
    );
  }

  /** @type {Model["run"]} */
  async run(inputs, options) {
    if (this.quicker) {
      const answer = await this.quicker.run(inputs).catch(() => undefined);
      if (answer) return answer;
      this.quicker = undefined; // the card is lost, as when a laptop changes to another
    }
    return this.onProcessor(inputs, options);
  }

  /** @type {Model["run"]} */
  async onProcessor(inputs, options) {
    const { rival } = this;
    this.rival = undefined;
    const kept = rival && structuredClone(inputs);
    const begun = this.now();
    const answer = await this.model.run(inputs, options);
    if (rival && kept) this.contest(rival, kept, structuredClone(answer), this.now() - begun);
    return answer;
  }

  /** @param {Rival} rival @param {Record<string, Tensor>} inputs @param {Record<string, Tensor>} wanted @param {number} took */
  async contest(rival, inputs, wanted, took) {
    try {
      const answer = await rival.run(inputs); // does not count: now the network is translated for the card
      const begun = this.now();
      await rival.run(inputs);
      if (this.now() - begun < took && agree(wanted, answer)) this.quicker = rival;
    } catch {
      // It cannot, so the processor goes on.
    }
    if (this.quicker !== rival) rival.end();
  }
}
