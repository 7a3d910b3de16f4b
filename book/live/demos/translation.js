/** People drawn by the translation of chapter 7c, in any style between four; and drawings turned into portraits. */

import { canvasOf, paint, pen, picture, save, tensorOf } from "../kit/canvas.js";
import { cornerWeights, mixed, normal, stacked } from "../kit/latents.js";
import { newest } from "../kit/models.js";
import { middleSquare } from "../kit/resampling.js";

/** @import { Tensor } from "../kit/demo.js" */

const SIDE = 64; // pixels of a picture

/** The two ways: the network, what it is given, what it makes. */
const WAYS = {
  there: { part: "a_to_b", label: "Portrait to drawing", from: "portrait", to: "drawing" },
  back: { part: "b_to_a", label: "Drawing to portrait", from: "drawing", to: "portrait" },
};

const NOTE =
  "The networks know no photographs, only the course’s drawn people: save a portrait or a drawing from “A face of sliders” " +
  "and give it that. A style has as much say in a skin as the person has, as chapter 7c measures, so they are no tool for " +
  "pictures of people. Your picture stays in this page.";

/**
 * The same picture as often as there are places on the map.
 *
 * @param {Tensor} image
 * @param {number} times
 * @returns {Tensor}
 */
export function repeated({ data, shape }, times) {
  const all = new Float32Array(times * data.length);
  for (let index = 0; index < times; index++) all.set(data, index * data.length);
  return { data: all, shape: [times, ...shape.slice(1)] };
}

/**
 * The middles of the map's tiles, row after row, from 0 to 1 and upwards.
 *
 * @param {number} tiles  In a row and in a column.
 */
export const middles = (tiles) =>
  Array.from({ length: tiles ** 2 }, (_, index) => ({
    x: ((index % tiles) + 0.5) / tiles,
    y: 1 - (Math.floor(index / tiles) + 0.5) / tiles,
  }));

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Drawn in another style",

  async start(stage, kit) {
    /** @type {{ corners: Record<"there" | "back", number[][]>, people: number, tiles: number }} */
    const { corners: first, people, tiles } = await kit.json("translation.json");
    const [sheet, ready] = await Promise.all([kit.image("translation.png"), kit.image("translation-map.png")]);
    const models = {
      there: kit.model(`munit-faces-${WAYS.there.part}`),
      back: kit.model(`munit-faces-${WAYS.back.part}`),
    };

    /** @type {"there" | "back"} */
    let way = "there";
    /** @type {ImageData | null} */
    let own = null; // the reader's picture, while it is translated
    let person = 0;
    /** @type {Record<"there" | "back", ArrayLike<number>[]>} */
    const corners = { ...first };
    const given = picture({ width: SIDE, height: SIDE, label: "The portrait that is translated" });
    const made = picture({ width: SIDE, height: SIDE, label: "Its translation, in the style at the handle" });
    const map = picture({ width: tiles * SIDE, height: tiles * SIDE, label: "The translation in many styles" });
    /** @param {HTMLCanvasElement} canvas @param {number} who */
    const stored = (canvas, who) => {
      pen(canvas).drawImage(sheet, SIDE * who, way === "there" ? 0 : SIDE, SIDE, SIDE, 0, 0, SIDE, SIDE);
    };
    stored(given, 0);
    pen(map).drawImage(ready, 0, 0);
    pen(made).drawImage(ready, 0, 0, SIDE, SIDE, 0, 0, SIDE, SIDE);

    /** @param {{ x: number, y: number }} place */
    const styleAt = ({ x, y }) => mixed(corners[way], cornerWeights(x, y));
    const seen = () => tensorOf(pen(given).getImageData(0, 0, SIDE, SIDE));
    const draw = newest(async (/** @type {string} */ news) => {
      const found = await models[way].run({ images: seen(), latents: stacked([styleAt(styles.value)]) });
      if (!found) return;
      paint(made, found.translated);
      if (news) kit.say(news);
    });
    const renew = newest(async (/** @type {string} */ news) => {
      const places = middles(tiles);
      const found = await models[way].run({
        images: repeated(seen(), places.length),
        latents: stacked(places.map(styleAt)),
      });
      if (!found) return;
      places.forEach((_, index) => {
        paint(map, found.translated, { index, x: (index % tiles) * SIDE, y: Math.floor(index / tiles) * SIDE });
      });
      draw(news);
    });
    const styles = kit.pad({
      label: "The style, between those of the four corners",
      ground: map,
      x: { label: "sideways", min: 0, max: 1, value: middles(tiles)[0].x },
      y: { label: "upwards", min: 0, max: 1, value: middles(tiles)[0].y },
      step: 0.02,
      said: (x, y) => `${Math.round(100 * x)} % to the right, ${Math.round(100 * y)} % up`,
      onMove: () => draw(""),
    });

    const row = kit.element("div", { class: "gv-live-samples gv-live-people", role: "group", "aria-label": "People" });
    const thumbs = Array.from({ length: people }, (_, who) => {
      const thumb = picture({ width: SIDE, height: SIDE, label: `Person ${who + 1}` });
      const choose = kit.element("button", { type: "button", title: `Person ${who + 1}` }, thumb);
      choose.addEventListener("click", () => meet(who));
      row.append(choose);
      return thumb;
    });
    /** @param {number} who */
    const meet = (who) => {
      own = null;
      person = who;
      stored(given, who);
      renew(`Person ${who + 1} of ${people}, as a ${WAYS[way].to}.`);
    };
    const meetOwn = () => {
      if (own) pen(given).putImageData(own, 0, 0);
      renew(`Your picture, as a ${WAYS[way].to}.`);
    };
    const relabel = () => {
      given.setAttribute("aria-label", `The ${WAYS[way].from} that is translated`);
      thumbs.forEach(stored);
    };
    relabel();
    const direction = kit.choice({
      label: "Way",
      value: way,
      options: [
        { value: "there", label: WAYS.there.label },
        { value: "back", label: WAYS.back.label },
      ],
      onChange(chosen) {
        way = chosen === "back" ? "back" : "there";
        relabel();
        if (own) meetOwn();
        else meet(person);
      },
    });
    const fresh = kit.button({
      label: "New styles",
      main: true,
      onPress() {
        corners[way] = first[way].map((corner) => normal(corner.length, Math.random));
        renew("Four new styles.");
      },
    });
    const keep = kit.button({ label: "Save", onPress: () => save(made, "translation.png") });
    const zone = kit.dropZone({
      label: "Your picture",
      onPicture(bitmap) {
        const canvas = canvasOf(bitmap, bitmap.width, bitmap.height);
        const pixels = pen(canvas).getImageData(0, 0, canvas.width, canvas.height);
        const { data } = middleSquare(pixels, SIDE);
        own = new ImageData(data, SIDE, SIDE);
        meetOwn();
      },
      onError: (sentence) => kit.fail(sentence),
    });
    const pictures = kit.element("div", { class: "gv-live-translating" }, given, made);
    const side = kit.layout("column", pictures, row, direction.element, kit.layout("row", fresh.element, keep.element));
    stage.append(
      kit.layout("split", styles.element, side),
      zone.element,
      kit.element("p", { class: "gv-live-note" }, NOTE),
      models.there.element,
      models.back.element,
    );
    return {};
  },
};
