/** A face, and a slider for each direction that chapter 6 finds among the latents: ψ(z + Σ tᵢ vᵢ). */

import { canvasOf, paint, pen, picture, save, tensorOf } from "../kit/canvas.js";
import { mixed, stacked } from "../kit/latents.js";
import { newest } from "../kit/models.js";
import { middleSquare } from "../kit/resampling.js";

const SIDE = 64; // pixels of a face
const CHOICES = 6; // faces to choose from at once
const SECONDS = 0.5; // from one person to the next

const NOTE =
  "The middle of your picture is coded, and what you see is that code, drawn again. The network knows no photographs, " +
  "only the course’s drawn people: save one from the gallery’s “A face of sliders” and give it that, or see what it takes you for.";

/** What the sliders are called, and how far they go: the first two directions are short. */
const SLIDERS = /** @type {const} */ ({
  smiling: ["Smile", 5],
  mouth_open: ["Open mouth", 4],
  glasses: ["Glasses", 2],
  beard: ["Beard", 2],
  long_hair: ["Long hair", 2],
  grey_hair: ["Grey hair", 2],
  hat: ["Hat", 2],
  looks_left: ["Looks to the left", 2],
});

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Sliders through a space of faces",

  async start(stage, kit) {
    /** @type {{ columns: number, directions: Record<string, number[]>, people: number[][] }} */
    const { columns, directions, people } = await kit.json("faces-sliders.json");
    const sheet = await kit.image("faces-sliders.png");

    const model = kit.model("faces-vae-decoder");
    const face = picture({ width: SIDE, height: SIDE, label: "The face as the sliders stand" });
    /** @param {HTMLCanvasElement} canvas @param {number} who */
    const stored = (canvas, who) => {
      const [x, y] = [SIDE * (who % columns), SIDE * Math.floor(who / columns)];
      pen(canvas).drawImage(sheet, x, y, SIDE, SIDE, 0, 0, SIDE, SIDE);
    };
    stored(face, 0);

    /** @type {ArrayLike<number>} */
    let code = people[0];
    const show = newest(async () => {
      const named = Object.keys(sliders);
      const vectors = [code, ...named.map((name) => directions[name])];
      const amounts = [1, ...named.map((name) => sliders[name].value)];
      const found = await model.run({ latents: stacked([mixed(vectors, amounts)]) });
      if (found) paint(face, found.images);
    });
    const redraw = () => show(undefined);
    /** @type {Record<string, ReturnType<typeof kit.slider>>} */
    const sliders = {};
    for (const [name, [label, reach]] of Object.entries(SLIDERS)) {
      sliders[name] = kit.slider({ label, min: -reach, max: reach, value: 0, step: reach / 50, onInput: redraw });
    }

    /** @type {{ from: ArrayLike<number>, to: ArrayLike<number>, part: number }} */
    let way = { from: code, to: code, part: 1 };
    const travel = kit.loop((seconds) => {
      way.part = Math.min(1, way.part + seconds / SECONDS);
      const eased = way.part * way.part * (3 - 2 * way.part);
      code = way.part < 1 ? mixed([way.from, way.to], [1 - eased, eased]) : way.to;
      redraw();
      if (way.part === 1) travel.stop();
    });
    /** @param {ArrayLike<number>} to @param {string} words */
    const go = (to, words) => {
      way = { from: code, to, part: kit.calm() ? 1 : 0 };
      kit.say(words);
      travel.start();
    };
    /** @param {number} who */
    const meet = (who) => go(people[who], `Person ${who + 1} of ${people.length}.`);
    const eyes = kit.model("faces-vae-encoder");
    const look = newest(async (/** @type {ImageBitmap} */ bitmap) => {
      const canvas = canvasOf(bitmap, bitmap.width, bitmap.height);
      const pixels = pen(canvas).getImageData(0, 0, canvas.width, canvas.height);
      const found = await eyes.run({ images: tensorOf(middleSquare(pixels, SIDE)) });
      if (found) go(found.mean.data, "Your picture, as the network codes it.");
    });
    const zone = kit.dropZone({ label: "Your picture", onPicture: look, onError: (sentence) => kit.fail(sentence) });
    const row = kit.element("div", { class: "gv-live-samples gv-live-people", role: "group", "aria-label": "People" });
    for (let who = 0; who < CHOICES; who++) {
      const thumb = picture({ width: SIDE, height: SIDE, label: `Person ${who + 1}` });
      stored(thumb, who);
      const choose = kit.element("button", { type: "button", title: `Person ${who + 1}` }, thumb);
      choose.addEventListener("click", () => meet(who));
      row.append(choose);
    }
    const another = kit.button({
      label: "Somebody else",
      main: true,
      onPress: () => meet(CHOICES + Math.floor(Math.random() * (people.length - CHOICES))),
    });
    const reset = kit.button({
      label: "Reset",
      onPress() {
        for (const slider of Object.values(sliders)) slider.value = 0;
        redraw();
        kit.say("All sliders are at 0.");
      },
    });
    const keep = kit.button({ label: "Save", onPress: () => save(face, "face.png") });
    const buttons = kit.layout("row", another.element, reset.element, keep.element);
    const lines = kit.element("div", { class: "gv-live-lines" }, ...Object.values(sliders).map((one) => one.element));
    stage.append(
      kit.layout("split", kit.layout("column", face, row), kit.layout("column", lines, buttons)),
      zone.element,
      kit.element("p", { class: "gv-live-note" }, NOTE),
      model.element,
      eyes.element,
    );
    return { stop: () => travel.stop() };
  },
};
