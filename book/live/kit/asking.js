/** Questions to a worker, each with its answer, or an Error with one sentence. */

/**
 * @typedef {object} Asked
 * @property {(answer: any) => void} done
 * @property {(error: Error) => void} failed
 * @property {(part: any, words: string) => void} [onProgress]
 */

/** Why a question has no answer whose asker has gone: nothing that a reader need be told. */
export class Ended extends Error {}

export class Asker {
  /**
   * @param {URL} script  A module, begun with the first question.
   * @param {string} cannot  The sentence for a browser that cannot start it.
   * @param {() => void} [onLost]  The worker is gone, and all that it held.
   */
  constructor(script, cannot, onLost = () => {}) {
    this.script = script;
    this.cannot = cannot;
    this.onLost = onLost;
    this.number = 0;
    /** @type {Map<number, Asked>} */
    this.asked = new Map();
    /** @type {Worker | undefined} */
    this.worker = undefined;
  }

  /**
   * @param {string} task
   * @param {object} about
   * @param {{ onProgress?: Asked["onProgress"], give?: Transferable[] }} [options]
   * @returns {Promise<any>}
   */
  ask(task, about, { onProgress, give = [] } = {}) {
    return new Promise((done, failed) => {
      const id = ++this.number;
      this.asked.set(id, { done, failed, onProgress });
      this.worker ??= this.begun();
      this.worker.postMessage({ id, task, ...about }, give);
    });
  }

  begun() {
    const worker = new Worker(this.script, { type: "module" });
    worker.addEventListener("message", ({ data }) => this.hear(data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.lose();
    });
    return worker;
  }

  /** @param {{ id: number, progress?: { part: number | null, words: string }, answer?: any, error?: string }} data */
  hear({ id, progress, answer, error }) {
    const one = this.asked.get(id);
    if (!one) return;
    if (progress) return one.onProgress?.(progress.part, progress.words);
    this.asked.delete(id);
    if (error) one.failed(new Error(error));
    else one.done(answer);
  }

  /** End the worker, which gives its memory back at once; the next question begins another. */
  end() {
    this.lose(new Ended("What was asked is not wanted any more."));
  }

  lose(why = new Error(this.cannot)) {
    for (const { failed } of this.asked.values()) failed(why);
    this.asked.clear();
    this.worker?.terminate();
    this.worker = undefined;
    this.onLost();
  }
}
