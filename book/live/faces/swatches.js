/**
 * One of several colours, as round buttons in a row: radio buttons to keyboard and screen reader.
 *
 * @import { Colour } from "./parameters.js"
 */

import { element } from "../kit/controls.js";

let counter = 0;

/**
 * @param {object} options
 * @param {string} options.label
 * @param {Colour[]} options.colours bytes
 * @param {string[]} [options.names] what each is called; without, they are counted
 * @param {(colour: Colour) => void} options.onChange the colour in [0, 1]
 */
export function swatches({ label, colours, names, onChange }) {
  counter += 1;
  const name = `gv-live-swatch-${counter}`;
  const row = element("div", {});
  const inputs = colours.map((colour, number) => {
    const said = names?.[number] ?? `${number + 1} of ${colours.length}`;
    const input = element("input", { type: "radio", name, "aria-label": said });
    input.addEventListener("change", () => {
      onChange(/** @type {Colour} */ (colour.map((byte) => byte / 255)));
    });
    row.append(element("label", { title: said, style: `--gv-live-swatch: rgb(${colour.join(" ")})` }, input));
    return input;
  });
  return {
    element: element("fieldset", { class: "gv-live-swatches" }, element("legend", {}, label), row),
    /** Mark the one that is nearest, if it is near. @param {Colour} colour in [0, 1] */
    mark(colour) {
      const away = colours.map((other) => Math.hypot(...other.map((byte, channel) => byte / 255 - colour[channel])));
      const nearest = Math.min(...away);
      inputs.forEach((input, number) => {
        input.checked = away[number] === nearest && nearest < 0.02;
      });
    },
  };
}
