import assert from "node:assert/strict";
import test from "node:test";
import { bicubic, middleSquare } from "../kit/resampling.js";
import { isGrey, psnr, shaken, uncoloured } from "../restoring/damage.js";

// What Pillow makes of 5×4 random colours: `resize(…, Resampling.BICUBIC)` and `convert("L")`.
const GIVEN = [
  255, 228, 34, 121, 243, 189, 6, 131, 102, 168, 82, 193, 187, 150, 81, 243, 205, 24, 236, 8, 246, 164, 231, 36, 210,
  111, 172, 210, 174, 176, 218, 242, 169, 114, 205, 63, 160, 47, 212, 79, 72, 112, 120, 222, 69, 31, 95, 108, 36, 109,
  238, 69, 51, 81, 228, 211, 202, 58, 202, 65,
];
const SMALLER = [221, 189, 108, 124, 140, 135, 186, 134, 144, 115, 156, 142, 126, 93, 149, 127, 181, 112];
const LARGER = [
  255, 228, 26, 184, 255, 125, 70, 229, 175, 0, 124, 106, 119, 82, 180, 185, 108, 148, 187, 152, 67, 250, 220, 9, 219,
  158, 147, 150, 133, 198, 81, 189, 61, 164, 118, 156, 206, 119, 171, 204, 162, 128, 242, 220, 31, 238, 90, 156, 214,
  56, 194, 174, 215, 55, 188, 133, 131, 199, 132, 172, 202, 186, 169, 237, 249, 159, 175, 219, 103, 138, 152, 101, 168,
  70, 198, 104, 55, 140, 103, 135, 94, 137, 227, 81, 121, 166, 145, 86, 175, 145, 72, 131, 147, 112, 38, 153, 147, 109,
  163, 123, 182, 114, 78, 218, 55, 18, 84, 95, 24, 99, 197, 35, 86, 213, 63, 51, 72, 210, 179, 180, 169, 223, 154, 43,
  199, 56,
];
// `ImageOps.fit(…, (3, 3), Resampling.LANCZOS)`
const SQUARE = [
  197, 190, 136, 61, 153, 127, 199, 117, 158, 212, 156, 127, 165, 107, 137, 151, 135, 131, 48, 147, 158, 101, 57, 158,
  135, 189, 123,
];
const GREY = [214, 200, 90, 120, 153, 196, 103, 189, 148, 185, 227, 162, 100, 79, 174, 77, 102, 60, 215, 143];

/** RGB as pixels. @param {number[]} values @param {number} width */
function pixels(values, width) {
  const count = values.length / 3;
  const data = new Uint8ClampedArray(4 * count).fill(255);
  for (let place = 0; place < count; place++) data.set(values.slice(3 * place, 3 * place + 3), 4 * place);
  return { data, width, height: count / width };
}

/** @param {{ data: Uint8ClampedArray }} found @param {number[]} wanted */
function near({ data }, wanted) {
  const colours = [...data].filter((_, place) => place % 4 < 3);
  const apart = Math.max(...colours.map((value, place) => Math.abs(value - wanted[place])));
  assert.ok(apart <= 1, `${apart} levels apart`); // Pillow counts in whole numbers
}

test("a picture is shrunk and enlarged as Pillow does it", () => {
  near(bicubic(pixels(GIVEN, 5), 3, 2), SMALLER);
  near(bicubic(pixels(GIVEN, 5), 7, 6), LARGER);
});

test("the middle square is cut out and made smaller as Pillow does it", () => {
  near(middleSquare(pixels(GIVEN, 5), 3), SQUARE);
});

test("a picture loses its colours as in Pillow", () => {
  const grey = uncoloured(pixels(GIVEN, 5));
  assert.deepEqual(
    [...grey.data].filter((_, place) => place % 4 === 1),
    GREY,
  );
  assert.ok(isGrey(grey));
  assert.ok(!isGrey(pixels(GIVEN, 5)));
});

test("a kernel with all its weight at the right moves the picture to the right", () => {
  const kernel = [
    [0, 0, 0],
    [0, 0, 1],
    [0, 0, 0],
  ];
  const line = [10, 20, 30].flatMap((value) => [value, value, value]);
  assert.deepEqual(shaken(pixels(line, 3), kernel, 0), pixels([10, 10, 10, 10, 10, 10, 20, 20, 20], 3));
});

test("noise has the standard deviation that is asked for", () => {
  const flat = pixels(new Array(30_000).fill(100), 100);
  const { data } = shaken(flat, [[1]], 0.08);
  const square = [...data].reduce((sum, value, place) => sum + (place % 4 < 3 ? (value - 100) ** 2 : 0), 0) / 30_000;
  assert.ok(Math.abs(Math.sqrt(square) - 10.2) < 0.3, `${Math.sqrt(square)}`);
});

test("PSNR of pictures that are ten levels apart is known", () => {
  const found = psnr(pixels([50, 60, 70], 1), pixels([60, 70, 60], 1));
  assert.ok(Math.abs(found - 20 * Math.log10(25.5)) < 1e-9);
});
