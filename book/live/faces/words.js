/**
 * What can be said of a face in words, for those who do not see the picture. Nothing is said of who somebody is.
 *
 * @import { Face, Parameters } from "./parameters.js"
 */

/** @type {[string, (p: (name: string) => number) => boolean][]} */
const SEEN = [
  ["no hair", (p) => p("hair_thin") > 0.8 && bareHeaded(p)],
  ["long hair", (p) => p("hair_length") > 0.55 && p("hair_thin") < 0.8 && p("headscarf") < 0.5],
  ["short hair", (p) => p("hair_length") <= 0.55 && p("hair_thin") < 0.8 && bareHeaded(p)],
  ["a beanie", (p) => p("beanie") > 0.5],
  ["a sun hat", (p) => p("sun_hat") > 0.5],
  ["a headscarf", (p) => p("headscarf") > 0.5],
  ["a turban", (p) => p("turban") > 0.5],
  ["sunglasses", (p) => p("glasses") > 0.5 && p("sunglasses") > 0.5],
  ["glasses", (p) => p("glasses") > 0.5 && p("sunglasses") <= 0.5],
  ["a beard", (p) => p("beard") > 0.15],
  ["a moustache", (p) => p("moustache") > 0.3 && p("beard") <= 0.15],
  ["freckles", (p) => p("freckles") > 0.3],
  ["an open mouth", (p) => p("mouth_open") > 0.3],
  ["a smile", (p) => p("smile") > 0.5],
];

/** @param {(name: string) => number} p */
const bareHeaded = (p) => Math.max(...["beanie", "sun_hat", "headscarf", "turban"].map(p)) < 0.5;

/** “short hair, glasses and a smile”. @param {Parameters} parameters @param {Face} face */
export function described(parameters, face) {
  const p = (/** @type {string} */ name) => face[parameters.at(name)];
  const words = SEEN.filter(([, seen]) => seen(p)).map(([name]) => name);
  if (!words.length) return "a calm face";
  return words.length === 1 ? words[0] : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** A caricature's strength, for reader and screen reader. @param {number} k */
export function strengthInWords(k) {
  let words = "a caricature";
  if (k < 0.05) words = "nobody in particular";
  else if (Math.abs(k - 1) < 0.03) words = "a likeness";
  else if (k < 1) words = "less than a likeness";
  return `${k.toFixed(2)} · ${words}`;
}
