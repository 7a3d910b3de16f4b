// Outlines the hair of each head in a file as the page does. node outline_parity.js CASES prints 0 and 1 for each.
import { readFileSync } from "node:fs";
import { hairSeen } from "../../book/live/likeness/outlining.js";

const { heads, data, window } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const found = heads.map(({ pixels, side, points, hair, beard }) => {
  const rgba = Uint8ClampedArray.from({ length: 4 * side * side }, (_, at) => (at % 4 < 3 ? pixels[3 * (at >> 2) + (at % 4)] : 255));
  const crop = { data: rgba, width: side, height: side };
  return [...hairSeen(crop, { points }, Float32Array.from(hair), Float32Array.from(beard), data, window)];
});
console.log(JSON.stringify(found));
