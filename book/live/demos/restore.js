/** Chapter 5's U-Nets: ruined photographs restored, and grey ones coloured. */

import { Bench } from "../restoring/bench.js";
import { ruined } from "../restoring/damage.js";

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Restore a photograph",

  async start(stage, kit) {
    const { samples, damage } = await kit.json("restore.json");
    const first = kit.choice({
      label: "Ruin it first",
      options: [
        { value: "no", label: "no" },
        { value: "yes", label: "yes" },
      ],
      value: "no",
      onChange: () => bench.again(),
    });
    const bench = new Bench(kit, {
      tasks: [
        {
          ...{ value: "restore", label: "Sharpness", model: "unet", action: "Restore" },
          ...{ before: "Ruined", after: "Restored", file: "restored" },
        },
        {
          ...{ value: "colour", label: "Colour", model: "colour", action: "Colour", grey: true },
          ...{ before: "Grey", after: "Coloured", file: "coloured" },
        },
      ],
      samples,
      damage: {
        element: first.element,
        wanted: () => first.value === "yes",
        ruin: (good) => ruined(good, damage),
      },
      smaller: "What a copy loses, no network brings back.",
      note:
        "The samples were ruined in Python, by companion.data.crappify. “Ruin it first” does the same to any picture " +
        "here, with this browser’s letters and JPEG. Restoring is guessing: what comes back is what suits, and colours " +
        "are such as pets and meadows often have. Keep the original.",
    });
    stage.append(...bench.panel.elements);
    await bench.begin();
    return bench.running();
  },
};
