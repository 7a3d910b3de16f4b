import assert from "node:assert/strict";
import test from "node:test";
import { quantile, share } from "../faces/prior.js";
import { cutOut, similarity, Upright, upright } from "../likeness/aligning.js";
import { ownSkin } from "../likeness/colours.js";
import { enlarged, putOn } from "../likeness/measuring.js";

const near = (/** @type {number} */ one, /** @type {number} */ other, within = 1e-6) =>
  assert.ok(Math.abs(one - other) <= within, `${one} is not ${other}`);

test("the normal distribution and its inverse agree, and with the tables", () => {
  near(share(1.959964), 0.975);
  near(quantile(0.975), 1.959964);
  for (const x of [-4, -2.2, -0.3, 0.01, 1, 3.1]) near(quantile(share(x)), x, 1e-4);
});

test("turn, scale and shift are found again", () => {
  const points = [
    [0, 0],
    [10, 2],
    [3, 9],
    [7, 7],
  ];
  const [cos, sin] = [0.8 * Math.cos(0.4), 0.8 * Math.sin(0.4)];
  const goal = points.map(([x, y]) => [cos * x - sin * y + 5, sin * x + cos * y - 2]);
  const found = similarity(points, goal);
  [cos, -sin, 5, sin, cos, -2].forEach((value, place) => {
    near(found[place], value);
  });
});

test("a mesh is laid over the template, and its places lead back to the picture", () => {
  const mesh = [
    [0.2, 0.3],
    [0.6, 0.35],
    [0.4, 0.7],
  ].map(([x, y]) => ({ x, y, z: 0.1 }));
  const template = [
    [-0.5, -0.4],
    [0.5, -0.3],
    [0, 0.6],
  ];
  const face = upright(mesh, 200, 100, template);
  const [x, y] = face.toPicture(face.points[1][0], face.points[1][1]);
  near(x, 120, 1e-3);
  near(y, 35, 1e-3);
  near(face.points[0][2] * face.unit, 0.1 * 200, 1e-3);
});

test("beyond the picture its edge goes on", () => {
  const data = new Uint8ClampedArray(4 * 16 * 16).fill(255);
  for (let place = 0; place < 256; place++) data.set([10, 20, 30], 4 * place);
  const face = new Upright([0.1, 0, -0.8, 0, 0.1, -0.8], []);
  const cut = cutOut({ data, width: 16, height: 16 }, face, { centre: [0, 0], half: 4 }, 8, 2);
  for (let place = 0; place < 64; place++)
    assert.deepEqual([...cut.data.subarray(4 * place, 4 * place + 3)], [10, 20, 30]);
});

test("no skin is made lighter or darker", () => {
  const skins = /** @type {[number, number, number][]} */ ([
    [248, 211, 186],
    [194, 137, 96],
    [80, 51, 39],
  ]);
  for (const colour of [
    [0.9, 0.6, 0.6],
    [0.3, 0.25, 0.3],
    [0.55, 0.5, 0.2],
  ]) {
    const found = ownSkin(colour, skins, 0.5);
    near(found[0] + found[1] + found[2], colour[0] + colour[1] + colour[2]);
  }
});

test("only what is sure is worn, and one hat at most", () => {
  const data = { sure: { glasses: 0.7 }, sureOtherwise: 0.96, oneOf: ["turban", "headscarf"], amount: { beard: 0.6 } };
  const worn = { glasses: 0.8, beard: 0.97, makeup: 0.9, turban: 0.97, headscarf: 0.99 };
  const found = putOn(worn, /** @type {any} */ (data));
  assert.deepEqual(found, { glasses: 1, beard: 0.6, makeup: 0, turban: 0, headscarf: 1 });
});

test("parts are probabilities at every pixel", () => {
  const data = Float32Array.from({ length: 3 * 4 }, (_, place) => Math.sin(place));
  const parts = enlarged({ data, shape: [1, 3, 2, 2] }, ["hair", "skin", "elsewhere"], 6);
  for (let place = 0; place < 36; place++)
    near(parts.hair[place] + parts.skin[place] + parts.elsewhere[place], 1, 1e-6);
});
