import assert from "node:assert/strict";
import test from "node:test";
import { blindKernel, centred, delta, flat, moved, roomFor, steepness } from "../restoring/blind.js";
import { likeliest } from "../restoring/finder.js";
import { evidence } from "../restoring/likelihood.js";
import { thought } from "../restoring/listener.js";
import { busiest, greyOf, greyOfTensor, LOOKED_AT, told, widthOf } from "../restoring/listening.js";
import { between } from "../restoring/photo.js";

/** A line of light, even and straight. @param {number} side @param {number} length */
function line(side, length) {
  const data = new Float64Array(side * side);
  const begin = (side >> 1) * side + ((side - length) >> 1);
  return { data: data.fill(1 / length, begin, begin + length), side };
}

/** A picture whose columns alone differ. @param {number} side @param {(x: number) => number} value  Kept in [0, 1]. */
function edge(side, value) {
  const data = Float64Array.from({ length: side * side }, (_, at) => Math.min(1, Math.max(0, value(at % side))));
  return { data, width: side, height: side };
}

/** Down, and then to the right. @param {number} side */
function corner(side) {
  const data = new Float64Array(side * side);
  for (let step = -3; step <= 3; step++) {
    const [y, x] = [Math.min(step, 0) + 2, Math.max(step, 0) - 1];
    data[((side >> 1) + y) * side + (side >> 1) + x] = 1 / 7;
  }
  return { data, side };
}

/** Rectangles one over the other, shaken by a kernel. @param {number} side @param {import("../restoring/blind.js").Kernel} kernel */
function cartoon(side, kernel) {
  let seed = 1;
  const draw = (/** @type {number} */ from, /** @type {number} */ to) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return from + Math.floor(((to - from) * seed) / 2 ** 32);
  };
  const sharp = new Float64Array(side * side).fill(-0.6);
  for (let number = 0; number < 40; number++) {
    const [top, left, high, wide] = [draw(0, side - 20), draw(0, side - 20), draw(10, 50), draw(10, 50)];
    const grey = draw(-60, 60) / 100;
    for (let y = top; y < Math.min(top + high, side); y++) {
      sharp.fill(grey, y * side + left, y * side + Math.min(left + wide, side));
    }
  }
  const inside = (/** @type {number} */ at) => Math.min(Math.max(at, 0), side - 1);
  const half = kernel.side >> 1;
  const data = sharp.map((_, at) =>
    kernel.data.reduce((sum, light, place) => {
      const y = inside(Math.floor(at / side) + half - Math.floor(place / kernel.side));
      return sum + light * sharp[y * side + inside((at % side) + half - (place % kernel.side))];
    }, 0),
  );
  return { data, width: side, height: side };
}

/** The largest normalised correlation over shifts by up to three pixels. @param {import("../restoring/blind.js").Kernel} one @param {import("../restoring/blind.js").Kernel} other */
function likeness(one, other) {
  const shifts = [-3, -2, -1, 0, 1, 2, 3];
  const sums = shifts.flatMap((down) =>
    shifts.map((right) => {
      const { data } = moved(one, one.side, down, right);
      return data.reduce((sum, light, at) => sum + light * other.data[at], 0);
    }),
  );
  return Math.max(...sums) / (Math.hypot(...one.data) * Math.hypot(...other.data));
}

test("on a cartoon the true kernel comes out, explains it better than none, and lies in the middle", () => {
  const wanted = corner(11);
  const picture = cartoon(150, wanted);
  const parts = /** @type {number[]} */ ([]);
  const found = blindKernel(picture, 11, (part) => parts.push(part));
  assert.ok(likeness(found, wanted) > 0.85, `${likeness(found, wanted)}`);
  assert.ok(likeness(found, wanted) > likeness(found, { ...wanted, data: wanted.data.toReversed() }) + 0.1);
  assert.ok(Math.abs(found.data.reduce((sum, light) => sum + light, 0) - 1) < 1e-6);
  const [none, explained, dear] = evidence(picture, [delta(11), found, found], [0, 0, 121]);
  assert.ok(explained > none);
  assert.ok(Math.abs(explained - dear - (121 * Math.log(150 * 150)) / 150 ** 2) < 1e-9);
  assert.deepEqual(
    parts,
    parts.toSorted((a, b) => a - b),
  );
  assert.equal(parts.at(-1), 1);
});

test("of a picture that is one grey the kernel is made of rounding errors, and nothing breaks", () => {
  const picture = { data: new Float64Array(40 * 40).fill(0.1), width: 40, height: 40 };
  const found = blindKernel(picture, 9);
  assert.ok(evidence(picture, [delta(9), found], [0, 81]).every((one) => !Number.isNaN(one)));
  const blur = { kernel: delta(41), evidence: Number.NaN, steepness: 0, sure: false };
  assert.match(thought(blur), /left as it is/);
});

test("a picture has room for kernels a third as large, and the best of those found is taken", () => {
  assert.deepEqual(roomFor({ width: 26, height: 500 }), []);
  assert.deepEqual(roomFor({ width: 45, height: 50 }), [9, 15]);
  const [none, one, other] = [delta(5), line(5, 3), line(5, 5)];
  const picture = edge(40, (x) => (x - 15) / 5); // by a fifth of its range from column to column, as a line of five
  const best = likeliest(picture, [none, one, other], [1, 1.5, 2]);
  assert.deepEqual({ ...best, steepness: 1 }, { kernel: other, evidence: 1, steepness: 1, sure: true });
  assert.ok(Math.abs(best.steepness - 1) < 1e-9);
  const worse = likeliest(picture, [none, one], [1, 0.5]);
  assert.deepEqual({ ...worse, steepness: 0.6 }, { kernel: one, evidence: -0.5, steepness: 0.6, sure: false });
  assert.ok(Math.abs(worse.steepness - 0.6) < 1e-9);
  assert.ok(!likeliest(picture, [none], [1]).sure);
});

test("a picture with steps that a kernel leaves of no edge was not blurred by it, whatever speaks for that", () => {
  const blur = likeliest(
    edge(40, (x) => Number(x > 20)),
    [delta(5), line(5, 5)],
    [1, 3],
  );
  assert.ok(Math.abs(blur.steepness - 5) < 1e-9);
  assert.ok(!blur.sure);
  assert.match(thought(blur), /Too steep for a blur.*evidence 2.00/);
  assert.equal(steepness({ data: Float64Array.of(0.5), width: 1, height: 1 }, delta(5)), 0);
  const upright = { ...line(5, 5), data: line(5, 5).data.map((_, at, all) => all[5 * (at % 5) + Math.floor(at / 5)]) };
  assert.ok(
    Math.abs(
      steepness(
        edge(40, (x) => Number(x > 20)),
        upright,
      ) - 1,
    ) < 1e-9,
  ); // along the edge it leaves it be
});

test("a kernel is moved to its middle by whole pixels, and onto larger squares", () => {
  const lopsided = moved(line(9, 3), 9, 2, 1);
  assert.equal(lopsided.data[2 * 9 + 2], 1 / 3);
  assert.deepEqual(centred(lopsided).data, line(9, 3).data);
  assert.deepEqual(moved(line(5, 3), 9), line(9, 3));
});

test("a line is as wide as it is long", () => {
  assert.ok(Math.abs(widthOf(line(41, 21)) - 21) < 0.05);
  assert.equal(widthOf(delta(41)), 0);
  const blur = { kernel: line(41, 21), evidence: 2.345, steepness: 1, sure: true };
  assert.equal(thought(blur), "Blur about 21 pixels wide (evidence 2.35 per pixel, where 0.7 is enough).");
});

test("the busiest part is found wherever it is, and a small picture is looked at as a whole", () => {
  const [width, height] = [900, 700];
  const data = new Uint8ClampedArray(4 * width * height).fill(128);
  for (let y = 610; y < 700; y++) {
    for (let x = 700; x < 900; x++)
      data.fill(((x >> 3) + (y >> 3)) % 2 ? 255 : 0, 4 * (y * width + x), 4 * (y * width + x) + 3);
  }
  const found = busiest({ data, width, height });
  assert.deepEqual([found.width, found.height], [LOOKED_AT, LOOKED_AT]);
  assert.ok(found.left + found.width > 890 && found.top + found.height > 690);
  const small = { data: data.subarray(0, 4 * 30 * 384), width: 384, height: 30 };
  assert.deepEqual(busiest(small), { left: 0, top: 0, width: 384, height: 30 });
});

test("grey is that of the bytes", () => {
  const { data } = greyOf({ data: Uint8ClampedArray.of(255, 255, 255, 255, 0, 51, 0, 9), width: 2, height: 1 });
  assert.deepEqual(
    [...data].map((value) => Number(value.toFixed(6))),
    [1, -0.866667],
  );
});

test("a network is told the kernel, and not asked where the kernel is not likely", async () => {
  const asked = /** @type {any[]} */ ([]);
  const port = (/** @type {string} */ name) => ({
    name,
    kind: /** @type {const} */ ("image"),
    shape: [1, 3, "h", "w"],
  });
  const model = {
    signature: { inputs: [port("blurred"), port("kernel")], outputs: [port("restored")] },
    /** @param {any} inputs */
    run: async (inputs) => {
      asked.push(inputs);
      return {
        restored: { data: inputs.blurred.data.map((/** @type {number} */ value) => value / 2), shape: [1, 3, 1, 2] },
      };
    },
  };
  const image = { data: Float32Array.of(0.5, 0.25, 0.5, 0.25, 0.5, -0.5), shape: [1, 3, 1, 2] };
  assert.deepEqual([...greyOfTensor(image).data], [0.5, 0]);
  const listening = told(model, line(5, 3), async ({ data }) => data[0] > 0);
  assert.deepEqual(listening.signature.inputs, [port("blurred")]);
  const { restored } = await listening.run({ blurred: image });
  assert.equal(restored.data[0], 0.25);
  assert.deepEqual(asked[0].kernel.shape, [1, 1, 5, 5]);
  const dark = { ...image, data: image.data.map((value) => -Math.abs(value)) };
  assert.equal((await listening.run({ blurred: dark })).restored, dark);
  assert.equal(asked.length, 1);
});

test("part of a change lies between what was and what became of it", () => {
  const [given, found] = [Uint8ClampedArray.of(0, 100, 255), Uint8ClampedArray.of(200, 100, 0)];
  assert.deepEqual(between(given, found, 0), given);
  assert.deepEqual(between(given, found, 1), found);
  assert.deepEqual(between(given, found, 0.25), Uint8ClampedArray.of(50, 100, 191));
});

test("a flat picture is told, and has a kernel of numbers all the same", () => {
  const grey = { data: new Float64Array(900).fill(0.2), width: 30, height: 30 };
  assert.ok(flat(grey));
  assert.ok(blindKernel(grey, 9).data.every(Number.isFinite));
  grey.data[7] = 0.3;
  assert.ok(!flat(grey));
});
