/** Chapter 2's network for every shake: the blur of a photograph is found, shown, and undone. */

import { Bench } from "../restoring/bench.js";
import { shaken } from "../restoring/damage.js";
import { Listener } from "../restoring/listener.js";

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Undo any shake",

  async start(stage, kit) {
    /** @type {{ samples: any[], noise: number, shakes: number[][][] }} */
    const { samples, noise, shakes } = await kit.json("any-shake.json");
    const shake = kit.choice({
      label: "Shake it first",
      options: [
        { value: "", label: "no" },
        ...shakes.map((_, number) => ({ value: `${number}`, label: `shake ${number + 1}` })),
      ],
      value: "",
      onChange: () => bench.again(),
    });
    const bench = new Bench(kit, {
      tasks: [
        {
          ...{ value: "deblur", label: "Deblur", model: "deblur-any-told", action: "Deblur" },
          ...{ before: "Blurred", after: "Restored", file: "deblurred" },
        },
      ],
      samples: samples.map(({ blur, ...sample }) => ({
        ...sample,
        blur: blur && { ...blur, kernel: { ...blur.kernel, data: Float64Array.from(blur.kernel.data) } },
      })),
      damage: {
        element: shake.element,
        wanted: () => shake.value !== "",
        ruin: async (good) => shaken(good, shakes[Number(shake.value)], noise),
      },
      smaller: "In a smaller copy the blur is smaller too.",
      note:
        "Restoring is not undoing. The blur is looked for in the busiest part of the picture and taken to be the same " +
        "everywhere; parts that are likelier without it stay as they are. Where it is found wrong, stripes and halos " +
        "come out: less strength shows less of them. Compare before you keep the result.",
      listener: new Listener(kit),
    });
    stage.append(...bench.panel.elements);
    await bench.begin();
    return bench.running();
  },
};
