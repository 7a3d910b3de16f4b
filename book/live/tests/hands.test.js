import assert from "node:assert/strict";
import test from "node:test";
import { fingersUp, pinch, shape } from "../hands/gestures.js";
import { Knob } from "../hands/knob.js";
import { mirrored } from "../hands/skeletons.js";
import { HoldToLock, Hysteresis, OneEuroFilter } from "../hands/smoothing.js";
import { HIGHEST, heard, LOWEST, PEAK, pitches, RATE, sound, wav } from "../hands/sonify.js";
import { chord, ode } from "../hands/tunes.js";
import { counted, described, nameOf } from "../hands/words.js";

const near = (/** @type {number} */ one, /** @type {number} */ other, within = 1e-9) =>
  assert.ok(Math.abs(one - other) <= within, `${one} is not ${other}`);

/** An open left hand on a picture of 200 × 100 pixels. @returns {import("../kit/landmarks.js").Found} */
function open() {
  const at = [[50, 90]];
  for (let finger = 0; finger < 5; finger++) {
    for (let joint = 0; joint < 4; joint++) {
      if (finger) at.push([50 + 6 * (2.5 - finger), 60 - 10 * joint]);
      else at.push([65 + 6 * joint, 80 - 6 * joint]);
    }
  }
  const landmarks = at.map(([x, y]) => ({ x: x / 200, y: y / 100, z: 0 }));
  return { kind: "hand", width: 200, height: 100, landmarks, side: "left", score: 0.98 };
}

test("a hand is measured in its own width, wherever and however large it is", () => {
  const hand = open();
  const far = { ...hand, landmarks: hand.landmarks.map(({ x, y, z }) => ({ x: 0.4 + x / 3, y: y / 3, z: z / 3 })) };
  near(pinch(far), pinch(hand));
  near(Math.hypot(...shape(hand)[5].map((value, axis) => value - shape(hand)[17][axis])), 1);
  assert.deepEqual(fingersUp(hand), ["thumb", "index", "middle", "ring", "little"]);
  assert.deepEqual(fingersUp(mirrored(hand)), fingersUp(hand));
  assert.throws(() => pinch({ ...hand, landmarks: hand.landmarks.map(() => ({ x: 0, y: 0, z: 0 })) }), /no width/);
});

test("what was found is told in words", () => {
  assert.match(described(open()), /^A left hand \(98 % sure\): all five fingers up, thumb and index finger \d\.\d/);
  assert.equal(counted("hand", 2), "Two hands");
  assert.equal(counted("pose", 0), "No bodies");
  const names = Array.from({ length: 33 }, (_, row) => nameOf("pose", row));
  assert.equal(new Set(names).size, 33);
  assert.deepEqual(
    [names[0], names[9], names[16], names[32]],
    ["nose", "mouth, left corner", "right wrist", "right toe"],
  );
  assert.deepEqual([nameOf("hand", 0), nameOf("hand", 20)], ["wrist", "little finger, tip"]);
  assert.equal(new Set(Array.from({ length: 21 }, (_, row) => nameOf("hand", row))).size, 21);
  const face = {
    .../** @type {any} */ (open()),
    kind: "face",
    moves: { _neutral: 0.9, jawOpen: 0.7, noseSneerLeft: 0.1 },
  };
  assert.equal(described(face), "A face of 478 landmarks; it moves most: jaw open 0.70.");
});

test("a filter starts at its first value, and keeps still within one moment", () => {
  const filter = new OneEuroFilter(1, 0);
  assert.equal(filter.next(3, 0), 3);
  assert.ok(filter.next(4, 0.1) < 4);
  const before = filter.next(5, 0.2);
  assert.equal(filter.next(9, 0.2), before);
  assert.throws(() => filter.next(1, 0.1));
});

test("a switch does not flutter, and a hold locks", () => {
  const closed = new Hysteresis(0.55, 0.75);
  assert.deepEqual(
    [0.8, 0.6, 0.5, 0.6, 0.74, 0.76].map((value) => closed.next(value)),
    [...[false, false, true, true, true, false]],
  );
  const lock = new HoldToLock(1, 0.05);
  assert.deepEqual(
    [0, 0.5, 0.9, 1.1].map((now) => lock.next(0.5 + now / 100, now)),
    [null, null, null, 0.511],
  );
});

test("nobody is startled: the level climbs slowly, falls fast, and stays where no hand is", () => {
  const knob = new Knob(0, { loudest: 0.5 });
  const levels = Array.from({ length: 40 }, (_, frame) => knob.turn(2, frame / 10).level);
  for (let frame = 1; frame < 40; frame++) assert.ok(levels[frame] - levels[frame - 1] <= 0.04 + 1e-9);
  near(/** @type {number} */ (levels.at(-1)), 0.5);
  near(knob.turn(null, 10).level, 0.5);
});

test("tunes are bounded, begin again without a click, and are not silent", () => {
  for (const waves of [chord(), ode()]) {
    const loudest = waves.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(loudest > 0.4 && loudest <= 0.5 + 1e-6);
    assert.ok(Math.abs(waves[0] - /** @type {number} */ (waves.at(-1))) < 0.1);
  }
});

/** @param {(x: number, y: number) => number[]} colour */
function painted(colour, width = 24, height = 32) {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let place = 0; place < width * height; place++) {
    data.set([...colour(place % width, Math.floor(place / width)), 255], 4 * place);
  }
  return { data, width, height };
}

test("red is left, blue is right, grey is in the middle, black is silent", () => {
  const energy = (/** @type {Float32Array} */ channel) => channel.reduce((sum, value) => sum + value * value, 0);
  const [left, right] = sound(
    painted(() => [255, 0, 0]),
    0.3,
  );
  assert.ok(energy(left) > 1 && energy(right) < 1e-9);
  const grey = sound(
    painted(() => [90, 90, 90]),
    0.3,
  );
  near(energy(grey[0]), energy(grey[1]), 1e-3);
  assert.ok(
    !sound(
      painted(() => [0, 0, 0]),
      0.3,
    )[0].some(Boolean),
  );
  const loudest = Math.max(...grey.map((channel) => channel.reduce((most, value) => Math.max(most, value, -value), 0)));
  near(loudest, PEAK, 1e-6);
});

test("the top row is the highest pitch, and what is transparent is black", () => {
  const hertz = pitches(32);
  near(hertz[0], HIGHEST, 1e-9);
  near(hertz[31], LOWEST, 1e-9);
  const [wave] = sound(
    painted((_, y) => (y === 31 ? [200, 200, 200] : [0, 0, 0])),
    1,
  );
  let crossings = 0;
  for (let place = 1; place < wave.length; place++) crossings += wave[place - 1] < 0 && wave[place] >= 0 ? 1 : 0;
  near(crossings, LOWEST, 1);
  const clear = painted(() => [255, 255, 255]);
  for (let place = 3; place < clear.data.length; place += 4) clear.data[place] = 0;
  assert.ok(!heard(clear, 10).light.some(Boolean));
});

test("a sound is saved as 16-bit stereo", () => {
  const file = new DataView(wav([Float32Array.of(0, 1), Float32Array.of(-1, 0.5)]));
  assert.equal(file.byteLength, 44 + 8);
  assert.equal(file.getUint32(24, true), RATE);
  assert.deepEqual(
    [0, 1, 2, 3].map((place) => file.getInt16(44 + 2 * place, true)),
    [0, -32767, 32767, 16384],
  );
});
