/** The map of digits that an autoencoder with two latents has drawn (chapter 6), and the digit at the handle. */

import { paint, pen, picture } from "../kit/canvas.js";
import { stacked } from "../kit/latents.js";
import { newest } from "../kit/models.js";

const SIDE = 32; // pixels of a digit
const REACH = 2.5; // of the map, either way

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "A map of handwritten digits",

  async start(stage, kit) {
    const map = await kit.image("digit-plane.png");
    map.className = "gv-live-picture";
    map.draggable = false;

    const model = kit.model("mnist-plane-decoder");
    const digit = picture({ width: SIDE, height: SIDE, label: "The digit at the handle", sharp: true });
    const middle = (map.naturalWidth - SIDE) / 2;
    pen(digit).drawImage(map, middle, middle, SIDE, SIDE, 0, 0, SIDE, SIDE);
    const place = kit.element("p", { class: "gv-live-note" });

    /** @param {number} x @param {number} y */
    const words = (x, y) => `z = (${x.toFixed(2)}, ${y.toFixed(2)})`.replaceAll("-", "−");
    place.textContent = words(0, 0);
    const show = newest(async (/** @type {number[]} */ latents) => {
      const found = await model.run({ latents: stacked([latents]) });
      if (found) paint(digit, found.images);
    });
    const plane = kit.pad({
      label: "Place on the map of digits",
      ground: map,
      x: { label: "first latent", min: -REACH, max: REACH, value: 0 },
      y: { label: "second latent", min: -REACH, max: REACH, value: 0 },
      step: 0.05,
      said: words,
      onMove(x, y) {
        place.textContent = words(x, y);
        show([x, y]);
      },
    });
    const side = kit.layout("column", digit, place, model.element);
    side.classList.add("gv-live-side");
    stage.append(kit.layout("split", plane.element, side));
    return {};
  },
};
