import assert from "node:assert/strict";
import test from "node:test";
import { stream } from "../lab/random.js";
import { grabCut, IS, NOT, PERHAPS, PERHAPS_NOT } from "../likeness/grabcut.js";
import { inLab } from "../likeness/lab.js";
import { Grid } from "../likeness/mincut.js";
import { dilated, disk, eroded, pieces, polygon } from "../likeness/shapes.js";

const random = stream(0, "outline");

// ---- the cheapest cut ----

/** A grid of `width` by `height` cells and its margin, with random costs, some of them alike. @param {number} width @param {number} height @param {number} kinds of costs */
function randomGrid(width, height, kinds) {
  const grid = new Grid(width + 2, height + 2);
  const cells = [];
  for (let y = 1; y <= height; y++) for (let x = 1; x <= width; x++) cells.push(y * (width + 2) + x);
  const links = [];
  for (const [row, cell] of cells.entries()) {
    grid.sides[cell] = Math.floor(random.uniform() * (2 * kinds + 1)) - kinds;
    for (const direction of [4, 5, 6, 7]) {
      const other = cells.indexOf(cell + grid.steps[direction]);
      if (other < 0) continue;
      const costs = [Math.floor(random.uniform() * kinds), Math.floor(random.uniform() * kinds)];
      grid.links[8 * cell + direction] = costs[0];
      grid.links[8 * cells[other] + 7 - direction] = costs[1];
      links.push({ row, other, costs });
    }
  }
  return { grid, cells, links, sides: cells.map((cell) => grid.sides[cell]) };
}

/** What it costs to have these cells on the one side: 1. @param {ReturnType<typeof randomGrid>} all @param {ArrayLike<number>} chosen */
function costOf({ sides, links }, chosen) {
  let sum = 0;
  sides.forEach((side, row) => {
    if (side > 0 !== chosen[row] > 0) sum += Math.abs(side);
  });
  for (const { row, other, costs } of links) {
    if (chosen[row] && !chosen[other]) sum += costs[0];
    if (chosen[other] && !chosen[row]) sum += costs[1];
  }
  return sum;
}

test("no other cut is cheaper, of all that there are", () => {
  for (const [width, height] of [
    [1, 1],
    [2, 3],
    [3, 3],
    [4, 3],
  ]) {
    for (let time = 0; time < 25; time++) {
      const all = randomGrid(width, height, time % 2 ? 4 : 100); // few kinds of costs: many cuts cost the same
      const found = all.grid.cut();
      const own = costOf(
        all,
        all.cells.map((cell) => found[cell]),
      );
      for (let choice = 0; choice < 2 ** all.cells.length; choice++) {
        const other = costOf(
          all,
          all.cells.map((_, row) => (choice >> row) & 1),
        );
        assert.ok(own <= other, `${width} by ${height}: ${own} was found, ${other} is cheaper`);
      }
    }
  }
});

test("a cell that must be on a side stays there, and takes its friends along", () => {
  const grid = new Grid(7, 3);
  for (let cell = 8; cell < 12; cell++) {
    grid.links[8 * cell + 4] = grid.links[8 * (cell + 1) + 3] = cell === 10 ? 1 : 5; // parts easily after the third
  }
  grid.sides[8] = Number.POSITIVE_INFINITY;
  grid.sides[12] = -1000;
  assert.deepEqual([...grid.cut().slice(8, 13)], [1, 1, 1, 0, 0]);
});

// ---- two mixtures of colours ----

test("what was guessed a little is carried to the edge", () => {
  const side = 24;
  const pixels = new Uint8Array(3 * side * side);
  const truth = Uint8Array.from({ length: side * side }, (_, place) => (place % side < 15 ? 1 : 0));
  truth.forEach((inside, place) => {
    const colour = inside ? [60, 40, 30] : [200, 170, 150];
    pixels.set(
      colour.map((value) => value + Math.floor(10 * random.uniform())),
      3 * place,
    );
  });
  const guess = truth.map((_, place) => {
    const x = place % side;
    if (x < 3) return IS;
    return x > 20 ? NOT : x < 8 ? PERHAPS : PERHAPS_NOT;
  });
  grabCut(pixels, side, guess, 6);
  assert.deepEqual([...guess.map((label) => label & 1)], [...truth]);
  assert.equal(guess[0], IS); // what is certain is not touched
});

test("a picture of two flat colours is cut without a number that is none", () => {
  const side = 12;
  const pixels = new Uint8Array(3 * side * side).fill(255);
  const guess = new Uint8Array(side * side).fill(NOT);
  for (let place = 40; place < 90; place++) {
    pixels.fill(20, 3 * place, 3 * place + 3);
    guess[place] = PERHAPS;
  }
  const before = guess.slice();
  grabCut(pixels, side, guess, 6);
  assert.deepEqual(guess, before);
});

test("where nothing is behind, nothing is parted", () => {
  const guess = new Uint8Array(16).fill(PERHAPS);
  grabCut(new Uint8Array(48), 4, guess, 6);
  assert.deepEqual([...guess], new Array(16).fill(PERHAPS));
});

// ---- colours and shapes ----

test("L*a*b* is what the tables say, as near as OpenCV's", () => {
  const known = [
    [
      [255, 255, 255],
      [100, 0, 0],
    ],
    [
      [255, 0, 0],
      [53.24, 80.09, 67.2],
    ],
    [
      [0, 128, 0],
      [46.23, -51.7, 49.9],
    ],
    [
      [119, 119, 119],
      [50.03, 0, 0],
    ],
  ];
  const found = inLab(Uint8Array.from(known.flatMap(([colour]) => colour)));
  known.forEach(([colour, lab], row) => {
    lab.forEach((value, channel) => {
      assert.ok(Math.abs(found[channel][row] - value) < 0.5, `${colour}: ${found[channel][row]}, not ${value}`);
    });
  });
});

test("a polygon has its edge, and what is grown and shrunk again is as it was", () => {
  const corners = [
    [4, 4],
    [11, 4],
    [11, 11],
    [4, 11],
  ];
  const square = polygon(corners, 16);
  assert.equal(
    square.reduce((sum, value) => sum + value, 0),
    64,
  );
  const grown = dilated(square, 16, disk(2));
  assert.ok(grown[4 * 16 + 2] && !grown[2 * 16 + 2]); // two to the left, but not round the corner
  assert.deepEqual(eroded(grown, 16, disk(2)), square);
});

test("pieces hang together by their corners, and no further", () => {
  const mask = Uint8Array.from("100 010 000 001 001".replaceAll(" ", ""), Number);
  const wide = new Uint8Array(25);
  for (let place = 0; place < 15; place++) wide[5 * Math.floor(place / 3) + (place % 3)] = mask[place];
  assert.deepEqual(pieces(wide, 5), [
    [0, 6],
    [17, 22],
  ]);
});
