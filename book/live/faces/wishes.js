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

/**
 * The slider of k and the choice of a pen, for a demo that keeps both and shows itself anew.
 *
 * @param {Kit} kit
 * @param {Parameters} parameters
 * @param {{ k: number, style: string, show: () => void }} demo
 */
export function wishControls(kit, parameters, demo) {
  const strength = kit.slider({
    ...{ label: "Exaggeration", min: 0, max: MOST, step: 0.05, value: demo.k, said: strengthInWords },
    onInput(k) {
      demo.k = k;
      demo.show();
    },
  });
  const pens = kit.choice({
    label: "Drawn as",
    value: demo.style,
    options: Object.keys(parameters.data.styles).map((name) => ({ value: name, label: capital(name) })),
    onChange(style) {
      demo.style = style;
      demo.show();
    },
  });
  return { strength, pens: pens.element };
}
