/** All that a run hangs on, with its limits, and the link that holds it. */

import { MOST_DABS } from "./data.js";
import { OBJECTIVES } from "./objectives.js";

/** @typedef {import("./objectives.js").ObjectiveName} ObjectiveName */
/**
 * @typedef {object} Settings
 * @property {string} data a name among the distributions, or "drawn"
 * @property {string} drawing the reader's dabs, as `data.written` writes them
 * @property {ObjectiveName} objective
 * @property {number} seed
 * @property {number} criticRate
 * @property {number} generatorRate
 * @property {number} criticSteps
 * @property {number} clip c, where the objective clips
 * @property {number} weight λ, where it fines
 * @property {number} latents
 * @property {"normal" | "uniform"} noise
 * @property {number} width of the generator's hidden layers
 * @property {number} criticWidth
 * @property {number} depth hidden layers of each
 * @property {number} batch
 * @property {"own" | "adam" | "rmsprop" | "descent"} optimiser "own" is what the objective's paper takes
 */

/** @type {Settings} */
export const DEFAULTS = {
  data: "ring",
  drawing: "",
  objective: "nonsaturating",
  seed: 1,
  criticRate: 0.001,
  generatorRate: 0.001,
  criticSteps: 1,
  clip: 0.1,
  weight: 1,
  latents: 2,
  noise: "normal",
  width: 32,
  criticWidth: 32,
  depth: 2,
  batch: 64,
  optimiser: "own",
};

/** What each may be: names, or numbers from a lowest to a highest. */
const NAMES = {
  data: ["ring", "grid", "moons", "roll", "line", "drawn"],
  objective: Object.keys(OBJECTIVES),
  noise: ["normal", "uniform"],
  optimiser: ["own", "adam", "rmsprop", "descent"],
};
const WHOLE = {
  seed: [0, 999999],
  criticSteps: [1, 20],
  latents: [1, 32],
  width: [2, 128],
  criticWidth: [2, 128],
  depth: [1, 4],
  batch: [8, 512],
};
const REAL = { criticRate: [0, 1], generatorRate: [0, 1], clip: [0.001, 10], weight: [0, 1000] };

/** What may change while a run goes on; all else begins it anew. */
export const LIVE = /** @type {const} */ (["criticRate", "generatorRate", "criticSteps", "clip", "weight"]);
/** @typedef {(typeof LIVE)[number]} LiveSetting */

/**
 * A setting out of text; null where the text is no such setting.
 * @param {string} name @param {string} text @returns {string | number | null}
 */
export function parsed(name, text) {
  if (name === "drawing") return /^[\w-]*$/.test(text) && text.length <= 2 * MOST_DABS ? text : null;
  if (Object.hasOwn(NAMES, name)) return NAMES[/** @type {keyof typeof NAMES} */ (name)].includes(text) ? text : null;
  /** @type {Record<string, number[]>} */
  const limits = { ...WHOLE, ...REAL };
  if (!Object.hasOwn(limits, name) || text === "") return null;
  const number = Number(text);
  const [low, high] = limits[name];
  if (!(number >= low && number <= high)) return null;
  return Object.hasOwn(WHOLE, name) && !Number.isInteger(number) ? null : number;
}

/**
 * What was not due: a setting changed, or a player sent to a turn out of turn, `times` in a row.
 * @typedef {{ turn: number, name: LiveSetting | "critic" | "generator", value: number }} Event
 */
/** @typedef {{ settings: Settings, events: Event[], turn: number }} Run what a link holds: play so many turns of it */

/** Keys of a second run beside the first begin so. */
const SECOND = "b.";

/** The layers of the picture that a reader may ask for beyond what is shown at first. */
export const EXTRA = /** @type {const} */ (["pushes", "mesh"]);
/** @typedef {(typeof EXTRA)[number]} Extra */

/** @param {Run[]} runs one, or two side by side @param {Extra[]} [show] @returns {string} a fragment without its `#` */
export function toFragment(runs, show = []) {
  const parts = runs.flatMap(({ settings, events, turn }, place) => {
    const prefix = place === 0 ? "" : SECOND;
    const told = Object.entries(settings).filter(
      ([name, value]) => value !== DEFAULTS[/** @type {keyof Settings} */ (name)] || name === "objective",
    );
    const pairs = told.map(([name, value]) => `${prefix}${name}=${value}`);
    if (events.length > 0)
      pairs.push(`${prefix}events=${events.map((e) => `${e.turn}:${e.name}:${e.value}`).join(",")}`);
    if (turn > 0) pairs.push(`${prefix}turn=${turn}`);
    return pairs;
  });
  if (show.length > 0) parts.push(`show=${show.join(",")}`);
  return `lab&${parts.join("&")}`;
}

/** What a fragment holds; null where it is none of ours. What cannot be read is left at its default. @param {string} fragment @returns {Run[] | null} */
export function fromFragment(fragment) {
  const [mark, ...pairs] = fragment.replace(/^#/, "").split("&");
  if (mark !== "lab") return null;
  const runs = [blank(), blank()];
  let second = false;
  for (const pair of pairs) {
    const cut = pair.indexOf("=");
    const ofSecond = pair.startsWith(SECOND);
    second ||= ofSecond;
    take(runs[ofSecond ? 1 : 0], pair.slice(ofSecond ? SECOND.length : 0, cut), pair.slice(cut + 1));
  }
  return second ? runs : runs.slice(0, 1);
}

/** Which further layers a fragment asks for; null where it does not say. @param {string} fragment @returns {Extra[] | null} */
export function shownIn(fragment) {
  const asked = /[#&]show=([\w,]*)/.exec(fragment)?.[1].split(",");
  return asked ? EXTRA.filter((name) => asked.includes(name)) : null;
}

/** @returns {Run} */
function blank() {
  return { settings: { ...DEFAULTS }, events: [], turn: 0 };
}

export const MOST_TURNS = 1_000_000; // hours of training: no honest link asks for more

/** @param {Run} run @param {string} name @param {string} text */
function take(run, name, text) {
  if (name === "turn") {
    const turn = Number(text);
    if (Number.isInteger(turn) && turn >= 0 && turn <= MOST_TURNS) run.turn = turn;
  } else if (name === "events") {
    run.events = text.split(",").flatMap(event);
  } else {
    const value = parsed(name, text);
    if (value !== null) Object.assign(run.settings, { [name]: value });
  }
}

/** @param {string} text @returns {Event[]} */
function event(text) {
  const [turn, name, value] = text.split(":");
  const at = Number(turn);
  if (!Number.isInteger(at) || at < 0 || value === undefined) return [];
  if (name === "critic" || name === "generator") {
    const times = Number(value);
    return Number.isInteger(times) && times > 0 ? [{ turn: at, name, value: times }] : [];
  }
  const number = /** @type {readonly string[]} */ (LIVE).includes(name) ? parsed(name, value) : null;
  return typeof number === "number" ? [{ turn: at, name: /** @type {LiveSetting} */ (name), value: number }] : [];
}
