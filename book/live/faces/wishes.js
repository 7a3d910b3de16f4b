/**
 * How a face is to be drawn: how far from the mean, and with which pen. Both demos that draw faces ask it so.
 *
 * @import { Kit } from "../kit/demo.js"
 * @import { Parameters } from "./parameters.js"
 */

import { strengthInWords } from "./words.js";

const MOST = 3;

/** @param {string} word */
export const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** The slider of k. @param {Kit} kit @param {number} value @param {(k: number) => void} onInput */
export const strengthSlider = (kit, value, onInput) =>
  kit.slider({ label: "Exaggeration", min: 0, max: MOST, step: 0.05, value, said: strengthInWords, onInput });

/** The choice of a pen. @param {Kit} kit @param {Parameters} parameters @param {string} value @param {(style: string) => void} onChange */
export const penChoice = (kit, parameters, value, onChange) => {
  const options = Object.keys(parameters.data.styles).map((name) => ({ value: name, label: capital(name) }));
  return kit.choice({ label: "Drawn as", value, options, onChange });
};
