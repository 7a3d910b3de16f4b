import assert from "node:assert/strict";
import test from "node:test";
import { lasting, MOST, mega, ROOMY, resultName, within } from "../restoring/photo.js";

test("a result is never called like what it came from", () => {
  assert.equal(resultName("holiday.jpg", "restored"), "holiday-restored.png");
  assert.equal(resultName("holiday.2024.png", "restored"), "holiday.2024-restored.png");
  assert.equal(resultName("x-restored.png", "restored"), "x-restored-restored.png");
  assert.equal(resultName(".png", "restored"), "picture-restored.png");
});

test("a copy keeps its proportions and has at most so many pixels", () => {
  const copy = within({ width: 4000, height: 3000 }, ROOMY);
  assert.ok(copy.width * copy.height <= ROOMY);
  assert.ok(Math.abs(copy.width / copy.height - 4 / 3) < 0.01);
  assert.deepEqual(within({ width: 4000, height: 3000 }, MOST), { width: 4000, height: 3000 });
  assert.deepEqual(within({ width: 30, height: 3_000_000 }, ROOMY).width, 3);
  assert.equal(mega({ width: 4000, height: 3000 }), "12.0");
});

test("times are told in seconds, long ones in minutes", () => {
  assert.equal(lasting(0.2), "about 1 s");
  assert.equal(lasting(41.4), "about 41 s");
  assert.equal(lasting(200), "about 3 min");
});
