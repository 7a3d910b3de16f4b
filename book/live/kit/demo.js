/**
 * What a demo is, in types: a module in `demos/` exports one object of type `Demo` under the name `demo`.
 *
 * @typedef {object} Demo
 * @property {string} title  What the figure is called where it is spoken of.
 * @property {(stage: HTMLElement, kit: Kit) => Running | Promise<Running>} start  Build the controls in `stage`; load
 *   no model yet (see `Kit.touched`).
 */

/**
 * A demo that runs. The loader calls these; each may be left out.
 *
 * @typedef {object} Running
 * @property {() => void} [stop]  The demo is taken away: end timers, workers, the camera.
 * @property {() => void} [pause]  It is out of view.
 * @property {() => void} [resume]  It is in view again.
 */

/**
 * What the loader gives to every demo, with the factories of controls.js beside it.
 *
 * @typedef {KitBase & typeof import("./controls.js").controls} Kit
 */

/**
 * @typedef {object} KitBase
 * @property {URL} base  Where `_static/live/` lies.
 * @property {(path: string) => string} file  The address of a file below it: `kit.file("models/digits.json")`.
 * @property {(path: string) => Promise<any>} json  What a JSON file below it says.
 * @property {(path: string) => Promise<HTMLImageElement>} image  A picture below it, ready to be drawn.
 * @property {Record<string, string>} options  What the page asks for: `:with: data=ring&compact=yes`.
 * @property {string} still  The address of the still picture; empty if the demo has none.
 * @property {(words: string) => void} say  Speak through a screen reader; what is said twice is spoken once.
 * @property {(sentence: string) => void} fail  Show what went wrong, in one sentence; an empty one takes it away.
 * @property {(begin: () => void) => void} touched  Call `begin` once, at the first touch, click or key in the stage.
 * @property {() => boolean} calm  Whether the reader asked for less motion.
 * @property {(frame: (seconds: number) => void) => Loop} loop  Frames that rest while the demo is out of view.
 * @property {Models} models
 * @property {(name: string) => LazyModel} model  The way for most demos: a model that is fetched when first run.
 */

/**
 * Frames of an animation. `frame` gets the seconds since the last one, at most a tenth.
 *
 * @typedef {object} Loop
 * @property {() => void} start
 * @property {() => void} stop
 * @property {boolean} running  Started and not stopped; it may rest out of view all the same.
 */

/**
 * @typedef {object} Models
 * @property {(name: string, onProgress?: Progress) => Promise<Model>} load  Each is fetched once a page.
 */

/**
 * A model that is fetched when it is first run, with its own progress bar; what goes wrong is said in the figure.
 *
 * @typedef {object} LazyModel
 * @property {HTMLElement} element  The progress bar, hidden unless something is under way.
 * @property {(inputs: Record<string, Tensor>) => Promise<Record<string, Tensor> | null>} run  Null if it went wrong.
 */

/**
 * @callback Progress
 * @param {number | null} part  0 to 1; null if nobody can tell.
 * @param {string} words  “2.1 of 3.7 MB”.
 * @returns {void}
 */

/**
 * @typedef {object} Tensor
 * @property {Float32Array} data  Row after row; images are `(N, C, H, W)` in [−1, 1].
 * @property {number[]} shape
 */

/**
 * @typedef {object} Port
 * @property {string} name
 * @property {"image" | "latents" | "vector"} kind
 * @property {(number | string)[]} shape  A word is a size that every call chooses.
 */

/**
 * @typedef {object} Signature
 * @property {Port[]} inputs
 * @property {Port[]} outputs
 */

/**
 * @typedef {object} Network
 * @property {Signature} signature
 * @property {(inputs: Record<string, Tensor>, options?: { give?: boolean }) => Promise<Record<string, Tensor>>} run
 *   Outputs by name. With `give`, the inputs' memory goes to the worker and is empty here afterwards.
 */

/**
 * @typedef {object} Hasty
 * @property {() => void} hasten  There is much to come: let the graphics processor take over if it is quicker.
 * @property {boolean} hastened  It has.
 */

/** @typedef {Network & Hasty} Model */

export {};
