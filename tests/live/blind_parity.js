// Looks at pictures as the page does. node blind_parity.js CASES prints what it finds, and the numbers that it uses.
import { readFileSync } from "node:fs";
import * as blind from "../../book/live/restoring/blind.js";
import { likeliest } from "../../book/live/restoring/finder.js";
import { evidence, NOISES, STRENGTHS } from "../../book/live/restoring/likelihood.js";
import { busiest, COARSE, greyOf, LOOKED_AT, SEEN, widthOf } from "../../book/live/restoring/listening.js";
import { cut } from "../../book/live/restoring/photo.js";

const found = JSON.parse(readFileSync(process.argv[2], "utf8")).map(({ pixels, width, height }) => {
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, at) => (at % 4 < 3 ? pixels[3 * (at >> 2) + (at % 4)] : 255));
  const box = busiest({ data, width, height });
  const part = greyOf(cut({ data, width, height }, box));
  const sizes = blind.roomFor(part);
  const kernels = sizes.map((size) => blind.moved(blind.blindKernel(part, size), 41));
  const weighed = evidence(part, [blind.delta(41), ...kernels], [0, ...sizes.map((size) => size ** 2)]);
  const blur = likeliest(part, [blind.delta(41), ...kernels], weighed);
  return { box, kernels: kernels.map(({ data: light }) => [...light]), weighed, evidence: blur.evidence, steepness: blur.steepness, sure: blur.sure, width: widthOf(blur.kernel) };
});
const { SIZES, ENOUGH, STEEP, RARE, FLAT, STEPS, EDGES } = blind;
console.log(JSON.stringify({ found, numbers: { SIZES, ENOUGH, STEEP, RARE, FLAT, STEPS, EDGES, NOISES, STRENGTHS, SEEN, LOOKED_AT, COARSE } }));
