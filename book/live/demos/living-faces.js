/** The picture on the start page: four people who turn as one drags across them, grow hair and beards. */

import { paint, pen, picture } from "../kit/canvas.js";
import { mixed, stacked } from "../kit/latents.js";
import { newest } from "../kit/models.js";

const SIDE = 64; // pixels of a face
const WHO = [0, 4, 5, 6];

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Four faces to drag",

  async start(stage, kit) {
    /** @type {{ columns: number, directions: Record<string, number[]>, people: number[][] }} */
    const { columns, directions, people } = await kit.json("faces-sliders.json");
    const sheet = await kit.image("faces-sliders.png");

    const model = kit.model("faces-vae-decoder");
    const crowd = picture({ width: SIDE * WHO.length, height: SIDE, label: "Four drawn people" });
    WHO.forEach((who, index) => {
      const [x, y] = [SIDE * (who % columns), SIDE * Math.floor(who / columns)];
      pen(crowd).drawImage(sheet, x, y, SIDE, SIDE, SIDE * index, 0, SIDE, SIDE);
    });
    const show = newest(async (/** @type {{ x: number, y: number }} */ { x, y }) => {
      const moved = [directions.looks_left, y > 0 ? directions.long_hair : directions.beard];
      const rows = WHO.map((who) => mixed([people[who], ...moved], [1, -x, Math.abs(y)]));
      const found = await model.run({ latents: stacked(rows) });
      if (!found) return;
      for (const index of WHO.keys()) paint(crowd, found.images, { index, x: SIDE * index });
    });
    const pull = kit.pad({
      label: "Drag the faces",
      ground: crowd,
      x: { label: "which way they look", min: -1.6, max: 1.6, value: 0 },
      y: { label: "hair upwards, beard downwards", min: -2, max: 2, value: 0 },
      step: 0.1,
      said(x, y) {
        const side = Math.abs(x) < 0.2 ? "They look ahead" : `They look to the ${x < 0 ? "left" : "right"}`;
        return Math.abs(y) < 0.2 ? `${side}.` : `${side}, with ${y < 0 ? "more beard" : "longer hair"}.`;
      },
      onMove: (x, y) => show({ x, y }),
    });
    stage.classList.add("gv-live-bare");
    stage.append(pull.element, model.element);
    return {};
  },
};
