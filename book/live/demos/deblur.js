/** Chapter 2's generator: photographs that were shaken, restored; and what it does to a shake that it has not learnt. */

import { Bench } from "../restoring/bench.js";
import { shaken } from "../restoring/damage.js";

const STRANGER = "stranger";

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Undo a shake",

  async start(stage, kit) {
    /** @type {{ samples: any[], noise: number, own: number[][][], stranger: number[][] }} */
    const { samples, noise, own, stranger } = await kit.json("deblur.json");
    const shake = kit.choice({
      label: "Shake it first",
      options: [
        { value: "", label: "no" },
        ...own.map((_, number) => ({ value: `${number}`, label: `shake ${number + 1}` })),
        { value: STRANGER, label: "a stranger’s" },
      ],
      value: "",
      onChange: () => bench.again(),
    });
    const bench = new Bench(kit, {
      tasks: [
        {
          ...{ value: "deblur", label: "Deblur", model: "deblur-best", action: "Deblur" },
          ...{ before: "Shaken", after: "Restored", file: "deblurred" },
        },
      ],
      samples: samples.map((sample) => ({
        ...sample,
        remark: sample.known ? "" : "Shaken by another hand, which the network has not learnt: stripes come out.",
      })),
      damage: {
        element: shake.element,
        wanted: () => shake.value !== "",
        ruin: async (good) => {
          const kernel = shake.value === STRANGER ? stranger : own[Number(shake.value)];
          return shaken(good, kernel, noise);
        },
      },
      smaller: "In a smaller copy the blur is smaller too.",
      note:
        "Restoring is not undoing: the network has learnt four simulated shakes, 20 pixels long; it invents detail " +
        "that suits. On any other blur, real shakes among them, it helps little or harms: compare before you keep " +
        "the result.",
    });
    stage.append(...bench.panel.elements);
    await bench.begin();
    return bench.running();
  },
};
