import assert from "node:assert/strict";
import test from "node:test";
import { byteOf, bytesOf, tensorOf } from "../kit/canvas.js";

test("the ends and the middle of [−1, 1] become the bytes that torch's side writes", () => {
  assert.deepEqual([-1, 0, 1, -7, 7].map(byteOf), [0, 128, 255, 0, 255]);
});

test("pixels become a tensor, and the tensor the same pixels", () => {
  const bytes = Uint8ClampedArray.from([0, 128, 255, 255, 9, 8, 7, 255]);
  const images = tensorOf({ data: bytes, width: 2, height: 1 });
  assert.deepEqual(images.shape, [1, 3, 1, 2]);
  assert.deepEqual(bytesOf(images), bytes);
});

test("each image of a batch is drawn from its own numbers, grey in all three channels", () => {
  const images = { data: Float32Array.from([-1, 1, 1, -1]), shape: [2, 1, 1, 2] };
  assert.deepEqual([...bytesOf(images, 1)], [255, 255, 255, 255, 0, 0, 0, 255]);
});

test("green weighs most in grey", () => {
  const grey = (/** @type {number[]} */ rgb) =>
    tensorOf({ data: Uint8ClampedArray.from([...rgb, 255]), width: 1, height: 1 }, 1).data[0];
  const [red, green, blue] = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
  ].map(grey);
  assert.ok(green > red && red > blue);
});
