import assert from "node:assert/strict";
import test from "node:test";
import { moved, shares } from "../kit/comparison.js";

/** @param {string} key @param {boolean} [shiftKey] */
const press = (key, shiftKey = false) => ({ key, shiftKey });

test("keys move the line by a little or by much, to its ends and not beyond", () => {
  assert.equal(moved(50, press("ArrowRight")), 52);
  assert.equal(moved(50, press("ArrowDown")), 48);
  assert.equal(moved(50, press("ArrowLeft", true)), 40);
  assert.equal(moved(50, press("PageUp")), 60);
  assert.equal(moved(1, press("ArrowLeft")), 0);
  assert.equal(moved(95, press("PageUp")), 100);
  assert.equal(moved(7, press("End")), 100);
  assert.equal(moved(7, press("Home")), 0);
});

test("other keys are left to the page", () => {
  for (const key of ["Tab", "Enter", "a", "Escape"]) assert.equal(moved(50, press(key)), undefined);
});

test("what shows is said in words", () => {
  assert.equal(shares(30, "Ruined", "Restored"), "Ruined in the left 30 %, Restored in the rest");
  assert.equal(shares(0, "Ruined", "Restored"), "Restored only");
  assert.equal(shares(100, "Ruined", "Restored"), "Ruined only");
});
