/** Between four digits of the GAN of chapter 1: a square of latents, and a handle to drag through it. */

import { paint, pen, picture } from "../kit/canvas.js";
import { cornerWeights, mixed, normal, stacked } from "../kit/latents.js";
import { newest } from "../kit/models.js";

const SIDE = 32; // pixels of a digit

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "A walk between four digits",

  async start(stage, kit) {
    const { corners: first, tiles } = await kit.json("digit-walk.json");
    const sheet = await kit.image("digit-walk.png");

    const model = kit.model("dcgan-mnist");
    const around = `${tiles} by ${tiles} digits that turn into one another, another one in each corner`;
    const map = picture({ width: tiles * SIDE, height: tiles * SIDE, label: around });
    const digit = picture({ width: SIDE, height: SIDE, label: "The digit at the handle", sharp: true });
    pen(map).drawImage(sheet, 0, 0);
    const middle = SIDE * Math.floor(tiles / 2);
    pen(digit).drawImage(sheet, middle, middle, SIDE, SIDE, 0, 0, SIDE, SIDE);

    /** @type {ArrayLike<number>[]} */
    let corners = first;
    /** @param {number} x @param {number} y */
    const latents = (x, y) => mixed(corners, cornerWeights(x, y));

    const show = newest(async (/** @type {{ x: number, y: number }} */ { x, y }) => {
      const found = await model.run({ latents: stacked([latents(x, y)]) });
      if (found) paint(digit, found.images);
    });
    const walk = kit.pad({
      label: "Walk between the four corners",
      ground: map,
      x: { label: "sideways", min: 0, max: 1, value: 0.5 },
      y: { label: "upwards", min: 0, max: 1, value: 0.5 },
      step: 0.02,
      said: (x, y) => `${Math.round(100 * x)} % to the right, ${Math.round(100 * y)} % up`,
      onMove: (x, y) => show({ x, y }),
    });

    const renew = async () => {
      const before = corners;
      corners = [0, 1, 2, 3].map(() => normal(first[0].length, Math.random));
      const places = Array.from({ length: tiles ** 2 }, (_, index) => [
        ((index % tiles) + 0.5) / tiles,
        1 - (Math.floor(index / tiles) + 0.5) / tiles,
      ]);
      const found = await model.run({ latents: stacked(places.map(([x, y]) => latents(x, y))) });
      if (!found) {
        corners = before;
        return;
      }
      places.forEach((_, index) => {
        paint(map, found.images, { index, x: (index % tiles) * SIDE, y: Math.floor(index / tiles) * SIDE });
      });
      show(walk.value);
      kit.say("Four new corners.");
    };
    const fresh = kit.button({ label: "New corners", onPress: renew });
    const side = kit.layout("column", digit, kit.layout("row", fresh.element), model.element);
    side.classList.add("gv-live-side");
    stage.append(kit.layout("split", walk.element, side));
    return {};
  },
};
