/** A face that a SAGAN draws, and where each of its places looked while it was drawn: 16×16 places, 8×8 regions. */

import { paint, pen, picture, tensorOf } from "../kit/canvas.js";
import { plain } from "../kit/controls.js";
import { normal, stacked } from "../kit/latents.js";
import { newest } from "../kit/models.js";

/** @import { Tensor } from "../kit/demo.js" */

const SIDE = 64; // pixels of a face
const PLACES = 16; // that ask, in a row and in a column
const REGIONS = 8; // that are looked at, likewise
const COUNT = REGIONS ** 2;
const MOST = 8; // times an even share: full red, as in the chapter's figures
const QUARTERS = ["upper left", "upper right", "lower left", "lower right"];
const WARM = [0.9, -0.5, -0.8];
const ASKING = [-0.8, 0.5, 0.8]; // the frame around the place that asks

/**
 * The weights of one place: where it looks.
 *
 * @param {ArrayLike<number>} weights  Place after place, region after region.
 * @param {{ row: number, column: number }} place
 */
export const sharesOf = (weights, { row, column }) =>
  Array.from({ length: COUNT }, (_, region) => weights[(row * PLACES + column) * COUNT + region]);

/** How red a share is: 0 for an even one or less, 1 for eight times as much, on a logarithmic scale. @param {number} share */
export const heat = (share) => Math.min(Math.max(Math.log2(COUNT * share) / Math.log2(MOST), 0), 1);

/**
 * A face in grey, red where a place looks, the place in a frame.
 *
 * @param {Tensor} images
 * @param {number[]} shares
 * @param {{ row: number, column: number }} place
 * @returns {Tensor}
 */
export function heated({ data, shape }, shares, place) {
  const area = SIDE * SIDE;
  const made = new Float32Array(3 * area);
  const [wide, cell] = [SIDE / REGIONS, SIDE / PLACES];
  for (let pixel = 0; pixel < area; pixel++) {
    const [x, y] = [pixel % SIDE, Math.floor(pixel / SIDE)];
    const grey = (data[pixel] + data[area + pixel] + data[2 * area + pixel]) / 3;
    const red = 0.75 * heat(shares[REGIONS * Math.floor(y / wide) + Math.floor(x / wide)]);
    const [across, down] = [x - cell * place.column, y - cell * place.row];
    const within = Math.min(across, down) >= 0 && Math.max(across, down) < cell;
    const framed = within && [across, down].some((at) => at === 0 || at === cell - 1);
    for (let channel = 0; channel < 3; channel++) {
      made[channel * area + pixel] = framed ? ASKING[channel] : grey * (1 - red) + WARM[channel] * red;
    }
  }
  return { data: made, shape };
}

/**
 * Where a place looks, in words, and how many of the others look there too.
 *
 * @param {ArrayLike<number>} weights
 * @param {{ row: number, column: number }} place
 */
export function inWords(weights, place) {
  const shares = sharesOf(weights, place);
  const quarters = [0, 0, 0, 0];
  shares.forEach((share, region) => {
    const [low, right] = [Math.floor(region / REGIONS), region % REGIONS].map((at) => at >= REGIONS / 2);
    quarters[2 * Number(low) + Number(right)] += share;
  });
  const fullest = quarters.indexOf(Math.max(...quarters));
  const most = Math.max(...shares);
  const favourite = shares.indexOf(most);
  let followers = -1; // not itself
  for (let row = 0; row < PLACES; row++) {
    for (let column = 0; column < PLACES; column++) {
      const theirs = sharesOf(weights, { row, column });
      if (theirs.indexOf(Math.max(...theirs)) === favourite) followers++;
    }
  }
  return (
    `Row ${place.row + 1}, column ${place.column + 1}: ${Math.round(100 * quarters[fullest])} % of the weight lies in ` +
    `the ${QUARTERS[fullest]}. One region gets ${Math.round(100 * most)} %, ${plain(COUNT * most)} times an even share; ` +
    `it is the first choice of ${followers} of the ${PLACES ** 2 - 1} other places, too.`
  );
}

/** @param {number} x @param {number} y  From 0 to 1, upwards. */
const placeAt = (x, y) => ({
  row: Math.min(PLACES - 1, Math.floor(PLACES * (1 - y))),
  column: Math.min(PLACES - 1, Math.floor(PLACES * x)),
});

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Where does it look?",

  async start(stage, kit) {
    /** @type {{ gain: number, latents: number[], unit: number, weights: number[] }} */
    const first = await kit.json("attention.json");
    const still = await kit.image("attention.png");

    const model = kit.model("sagan-portraits");
    const face = picture({ width: SIDE, height: SIDE, label: "The face as it is drawn" });
    const map = picture({
      width: SIDE,
      height: SIDE,
      label: "The same face in grey, red where the chosen place looks",
    });
    pen(face).drawImage(still, 0, 0);

    let images = tensorOf(pen(face).getImageData(0, 0, SIDE, SIDE));
    /** @type {ArrayLike<number>} */
    let weights = first.weights.map((count) => first.unit * count);
    const words = kit.element("p", { class: "gv-live-note gv-live-looked" });
    /** @param {number} x @param {number} y */
    const look = (x, y) => {
      const place = placeAt(x, y);
      paint(map, heated(images, sharesOf(weights, place), place));
      words.textContent = inWords(weights, place);
    };
    const asking = kit.pad({
      label: "The place that looks",
      ground: face,
      x: { label: "sideways", min: 0, max: 1, value: 6.5 / PLACES }, // an eye
      y: { label: "upwards", min: 0, max: 1, value: 8.5 / PLACES },
      step: 1 / PLACES,
      said: (x, y) => inWords(weights, placeAt(x, y)),
      hover: true,
      onMove: look,
    });

    /** @type {ArrayLike<number>} */
    let latents = first.latents;
    const draw = newest(async (/** @type {string} */ news) => {
      const strength = { data: Float32Array.of(gain.value), shape: [1, 1] };
      const found = await model.run({ latents: stacked([latents]), strength });
      if (!found) return;
      images = found.images;
      weights = found.weights.data;
      paint(face, images);
      const place = asking.value;
      asking.value = place; // its words are others now
      look(place.x, place.y);
      if (news) kit.say(`${news} ${words.textContent}`);
    });
    const gain = kit.slider({
      label: "Strength of attention",
      min: 0,
      max: 2,
      value: 1,
      step: 0.05,
      said: (times) =>
        times
          ? `γ = ${plain(times * first.gain, 3)}, ${times === 1 ? "as trained" : `times ${plain(times, 2)}`}`
          : "γ = 0, switched off",
      onInput: () => draw(""),
    });
    const another = kit.button({
      label: "Another face",
      main: true,
      onPress() {
        latents = normal(first.latents.length, Math.random);
        draw("Another face.");
      },
    });

    const ramp = picture({ width: SIDE, height: 3, label: "From grey to red" });
    const steps = Array.from({ length: SIDE }, (_, at) => 0.75 * (at / (SIDE - 1)));
    const bar = WARM.flatMap((warm) => [0, 1, 2].flatMap(() => steps.map((red) => warm * red)));
    paint(ramp, { data: Float32Array.from(bar), shape: [1, 3, 3, SIDE] });
    const ticks = ["1 ×", "2 ×", "4 ×", "8 × and more"].map((tick) => kit.element("span", {}, tick));
    const scale = kit.element(
      "div",
      { class: "gv-live-note" },
      `Weights, in even shares of 1/${COUNT}; less is grey`,
      ramp,
      kit.element("div", { class: "gv-live-ticks" }, ...ticks),
    );
    look(asking.value.x, asking.value.y);
    const both = kit.layout("split", asking.element, map);
    both.classList.add("gv-live-looking");
    stage.append(
      both,
      words,
      kit.layout("split", scale, gain.element),
      kit.layout("row", another.element, model.element),
    );
    return {};
  },
};
