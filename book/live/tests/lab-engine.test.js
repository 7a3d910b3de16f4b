/** The laboratory's engine against what can be known without it: differences, brute force, series, itself. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { DISTRIBUTIONS, drawn, points, REACH, read, written } from "../lab/data.js";
import { EVERY, Game } from "../lab/game.js";
import { coverage, earthMoversDistance, histogram } from "../lab/metrics.js";
import { Network, Pass } from "../lab/network.js";
import { OBJECTIVES } from "../lab/objectives.js";
import { circle, exp, log, log1p, sigmoid, softplus } from "../lab/portable.js";
import { stream } from "../lab/random.js";
import { DEFAULTS } from "../lab/settings.js";

/** @typedef {import("../lab/objectives.js").ObjectiveName} ObjectiveName */
/** @typedef {import("../lab/objectives.js").Objective} Objective */

/** @param {number} found @param {number} expected @param {number} within @param {string} [what] */
function near(found, expected, within, what = "") {
  assert.ok(Math.abs(found - expected) <= within, `${what} ${found}, not ${expected}`);
}

test("exponential and logarithm are right to the last digits", () => {
  for (let x = -745; x < 709; x += 0.73) near(exp(x) / Math.exp(x), 1, x < -708 ? 1 : 1e-15, `exp(${x})`);
  assert.equal(exp(-1000), 0);
  assert.equal(exp(1000), Number.POSITIVE_INFINITY);
  assert.ok(Number.isNaN(exp(Number.NaN)));
  for (let x = 1e-12; x < 1e12; x *= 1.37) near(log(x), Math.log(x), 2e-15 * Math.max(1, Math.abs(Math.log(x))));
  for (let x = 1e-18; x < 1e3; x *= 1.9) near(log1p(x) / Math.log1p(x), 1, 1e-15, `log1p(${x})`);
});

test("softplus and sigmoid hold far out", () => {
  near(softplus(0), Math.LN2, 1e-15);
  near(softplus(800), 800, 1e-12);
  assert.equal(softplus(-800), 0);
  near(softplus(-40) / Math.exp(-40), 1, 1e-14);
  near(sigmoid(3) + sigmoid(-3), 1, 1e-15);
  assert.equal(sigmoid(-800), 0);
});

test("the circle is round", () => {
  for (let angle = -20; angle < 20; angle += 0.17) {
    const [x, y] = circle(angle);
    near(x, Math.cos(angle), 1e-14);
    near(y, Math.sin(angle), 1e-14);
  }
});

test("random numbers hang on seed, purpose and index alone, and on each of them", () => {
  const first = (/** @type {[number, string, number]} */ ...of) => stream(...of).uniform();
  assert.equal(first(1, "data", 5), first(1, "data", 5));
  const others = [first(1, "data", 5), first(2, "data", 5), first(1, "latents", 5), first(1, "data", 6)];
  assert.equal(new Set(others).size, 4);
});

test("normal numbers have the moments of a normal", () => {
  const draw = stream(4, "moments");
  const numbers = Array.from({ length: 40000 }, () => draw.normal());
  const moment = (/** @type {number} */ k) => numbers.reduce((sum, x) => sum + x ** k, 0) / numbers.length;
  near(moment(1), 0, 0.02);
  near(moment(2), 1, 0.03);
  near(moment(4), 3, 0.15);
});

/** Central differences of a function of some numbers, at each of them. @param {Float64Array} at @param {() => number} value */
function differences(at, value) {
  return at.map((kept, place) => {
    const [up, down] = [1e-6, -1e-6].map((by) => {
      at[place] = kept + by;
      return value();
    });
    at[place] = kept;
    return (up - down) / 2e-6;
  });
}

/** @param {ArrayLike<number>} found @param {ArrayLike<number>} expected @param {number} within */
function allNear(found, expected, within) {
  for (let i = 0; i < expected.length; i++) near(found[i], expected[i], within, `number ${i}:`);
}

test("a network's gradients are those of small differences", () => {
  const network = new Network([2, 7, 6, 1]).draw(1, "network"); // sizes that fill no block of the product
  const pass = new Pass(network, 5);
  const inputs = points(DISTRIBUTIONS.ring, stream(1, "inputs"), 5);
  const outer = Float64Array.of(0.3, -1, 2, 0.7, -0.2);
  const value = () => pass.forward(inputs).reduce((sum, score, i) => sum + score * outer[i], 0);
  const gradient = new Float64Array(network.count);
  value();
  pass.backward(outer, network.split(gradient));
  allNear(gradient, differences(network.parameters, value), 1e-7);
  value();
  allNear(pass.backward(outer, null), differences(inputs, value), 1e-7);
});

test("the gradient of slopes is that of small differences", () => {
  const network = new Network([2, 9, 6, 1]).draw(2, "network");
  const pass = new Pass(network, 6);
  const inputs = points(DISTRIBUTIONS.roll, stream(2, "inputs"), 6);
  const fine = () => {
    pass.forward(inputs);
    return pass.inputSlopes().reduce((sum, slope) => sum + slope * slope * slope, 0);
  };
  fine();
  const outer = pass.inputSlopes().map((slope) => 3 * slope * slope);
  const gradient = new Float64Array(network.count);
  pass.slopesBackward(outer, network.split(gradient));
  allNear(gradient, differences(network.parameters, fine), 1e-6);
});

for (const [name, objective] of /** @type {[string, Objective][]} */ (Object.entries(OBJECTIVES))) {
  test(`the slopes of ${name} are those of small differences`, () => {
    const real = Float64Array.of(0.5, -2, 3);
    const fake = Float64Array.of(-0.4, 1.5, 0.1);
    const [toReal, toFake, spare] = [1, 2, 3].map(() => new Float64Array(3));
    objective.criticLoss(real, fake, toReal, toFake);
    const loss = () => objective.criticLoss(real, fake, spare, spare);
    allNear(toReal, differences(real, loss), 1e-8);
    allNear(toFake, differences(fake, loss), 1e-8);
    objective.generatorLoss(fake, toFake);
    allNear(
      toFake,
      differences(fake, () => objective.generatorLoss(fake, spare)),
      1e-8,
    );
  });
}

test("an undecided discriminator claims nothing, a sure one all there is", () => {
  const claim = (
    /** @type {Objective} */ { criticLoss, claim },
    /** @type {number} */ real,
    /** @type {number} */ fake,
  ) => claim.of(criticLoss(Float64Array.of(real), Float64Array.of(fake), new Float64Array(1), new Float64Array(1)));
  near(claim(OBJECTIVES.minimax, 0, 0), 0, 1e-12);
  near(claim(OBJECTIVES.minimax, 50, -50), Math.LN2, 1e-12);
  near(claim(OBJECTIVES.leastsquares, 0.5, 0.5), 0, 1e-12);
  near(claim(OBJECTIVES.leastsquares, 1, 0), 1, 1e-12);
  near(claim(OBJECTIVES.twosided, 3, 1), 2, 1e-12);
});

/** Every order of some numbers. @param {number[]} numbers @returns {number[][]} */
function orders(numbers) {
  if (numbers.length < 2) return [numbers];
  return numbers.flatMap((first) => orders(numbers.filter((n) => n !== first)).map((rest) => [first, ...rest]));
}

test("no pairing of six points is cheaper than the earth mover's", () => {
  for (let seed = 0; seed < 20; seed++) {
    const draw = stream(seed, "points");
    const [first, second] = [1, 2].map(() => Float64Array.from({ length: 12 }, draw.normal));
    const way = (/** @type {number} */ i, /** @type {number} */ j) =>
      Math.hypot(first[2 * i] - second[2 * j], first[2 * i + 1] - second[2 * j + 1]);
    const costs = orders([0, 1, 2, 3, 4, 5]).map((to) => to.reduce((sum, j, i) => sum + way(i, j), 0) / 6);
    assert.equal(costs.length, 720);
    near(earthMoversDistance(first, second), Math.min(...costs), 1e-12);
  }
});

test("the earth mover's distance of a shifted sample is the shift", () => {
  const first = points(DISTRIBUTIONS.moons, stream(1, "sample"), 100);
  const second = first.map((coordinate, place) => coordinate + (place % 2 === 0 ? 3 : 4));
  near(earthMoversDistance(first, second), 5, 1e-12);
});

test("modes count once they have a twentieth of their share", () => {
  const fakes = points(DISTRIBUTIONS.ring, stream(1, "sample"), 1000);
  assert.deepEqual(coverage(DISTRIBUTIONS.ring, fakes, fakes), { reached: 8, of: 8 });
  const right = fakes.map((coordinate, place) => (fakes[place - (place % 2)] > 1.7 ? coordinate : 0));
  assert.equal(coverage(DISTRIBUTIONS.ring, right, fakes).reached, 1);
  const few = new Float64Array(2000);
  few.set([2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0]); // six of a fair share of 125
  assert.equal(coverage(DISTRIBUTIONS.ring, few, fakes).reached, 0);
  few.set([2, 0], 12); // the seventh
  assert.equal(coverage(DISTRIBUTIONS.ring, few, fakes).reached, 1);
});

test("of a shape without modes the share near a fake counts", () => {
  const real = Float64Array.of(0, 0, 1, 1, 2, 2);
  assert.deepEqual(coverage(DISTRIBUTIONS.line, Float64Array.of(0.1, 0.1, 2, 2.1), real), { reached: 2, of: 3 });
});

test("histograms keep what lies beyond their ends", () => {
  assert.deepEqual([...histogram([-9, 0.1, 0.4, 0.6, 9], 0, 1, 2)], [3, 2]);
});

test("every distribution stays within what is shown", () => {
  for (const [name, distribution] of Object.entries(DISTRIBUTIONS)) {
    const most = points(distribution, stream(3, name), 5000).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    assert.ok(most < REACH && most > 1, `${name}: ${most}`);
  }
});

test("a drawing survives its text, and points lie about its dabs", () => {
  /** @type {[number, number][]} */
  const dabs = [
    [-2.9, 2.9],
    [0.02, -1.3],
  ];
  const again = read(written(dabs));
  again.flat().forEach((coordinate, i) => {
    near(coordinate, dabs.flat()[i], REACH / 64);
  });
  assert.equal(written(again), written(dabs));
  assert.deepEqual(read("A"), []);
  assert.deepEqual(read("AA\u0000?"), read("AA"));
  const cloud = points(drawn(again), stream(1, "cloud"), 2000);
  const left = cloud.filter((x, place) => place % 2 === 0 && x < -1.5).length;
  near(left, 1000, 120);
});

for (const objective of /** @type {ObjectiveName[]} */ (Object.keys(OBJECTIVES))) {
  test(`a stored run of ${objective} goes on bit for bit`, () => {
    const game = new Game({ ...DEFAULTS, objective, criticSteps: 2, width: 8, criticWidth: 8, batch: 16 });
    for (let turn = 0; turn < 3 * EVERY + 4; turn++) game.advance(); // in the middle of a step
    const again = Game.restore(game.save());
    for (const each of [game, again]) {
      each.fakes(); // looking changes nothing
      for (let turn = 0; turn < 70; turn++) each.advance();
    }
    assert.deepEqual(again.save(), game.save());
    assert.equal(again.fingerprint(), game.fingerprint());
  });
}

test("a clipped critic's weights lie within the walls after every turn", () => {
  const game = new Game({ ...DEFAULTS, objective: "clipped", clip: 0.05, criticRate: 0.01, criticSteps: 5 });
  for (let turn = 0; turn < 60; turn++) {
    game.advance();
    if (turn > 0) assert.ok(game.critic.parameters.every((weight) => Math.abs(weight) <= 0.05));
  }
  assert.ok(game.shareAtWalls() > 0.1);
});

test("the critic learns: alone, it comes to tell real from fake", () => {
  const game = new Game(DEFAULTS);
  const before = game.advance("critic").loss;
  for (let turn = 0; turn < 200; turn++) game.advance("critic");
  assert.ok(game.advance("critic").loss < before / 2);
  assert.equal(game.step, 0);
});

test("a game is its seed's", () => {
  const played = (/** @type {number} */ seed) => {
    const game = new Game({ ...DEFAULTS, seed });
    for (let step = 0; step < 5; step++) game.advanceStep();
    return game.fingerprint();
  };
  assert.equal(played(7), played(7));
  assert.notEqual(played(7), played(8));
});

test("the first run of all is the same in every browser and on every machine", () => {
  const game = new Game(DEFAULTS);
  for (let step = 0; step < 100; step++) game.advanceStep();
  assert.equal(game.fingerprint(), "d9a72495");
});
