/** The page's side of the thread that outlines hair; it begins with the first face. */

/** @typedef {Parameters<typeof import("./outlining.js").hairSeen>} Asked */

export class Outliner {
  constructor() {
    /** @type {Worker | undefined} */
    this.worker = undefined;
    this.asked = 0;
  }

  /** `hairSeen`, elsewhere. @param {Asked} asked @returns {Promise<Float32Array>} */
  outline(...asked) {
    const worker = this.begun();
    const id = ++this.asked;
    return new Promise((done, failed) => {
      const over = new AbortController();
      /** @param {() => void} settle */
      const end = (settle) => {
        over.abort();
        settle();
      };
      const { signal } = over;
      worker.addEventListener("message", ({ data }) => data.id === id && end(() => done(data.found)), { signal });
      worker.addEventListener(
        "error",
        (event) => {
          event.preventDefault();
          this.close();
          end(() => failed(new Error("The script that follows the hair's edge could not be run.")));
        },
        { signal },
      );
      worker.postMessage({ id, asked });
    });
  }

  begun() {
    this.worker ??= new Worker(new URL("./outline-worker.js", import.meta.url), { type: "module" });
    return this.worker;
  }

  close() {
    this.worker?.terminate();
    this.worker = undefined;
  }
}
