import assert from "node:assert/strict";
import test from "node:test";
import { traced } from "../faces/tracing.js";

const SIZE = 80;

/** A red disc with a white hole on a yellow ground, its edges smooth. */
function target() {
  const data = new Uint8ClampedArray(4 * SIZE * SIZE).fill(255);
  const [ground, disc, hole] = [
    [250, 220, 120],
    [180, 30, 40],
    [255, 255, 255],
  ];
  for (let place = 0; place < SIZE * SIZE; place++) {
    const radius = Math.hypot((place % SIZE) + 0.5 - SIZE / 2, Math.floor(place / SIZE) + 0.5 - SIZE / 2);
    const [outer, inner] = [30, 12].map((edge) => Math.min(Math.max(edge - radius + 0.5, 0), 1));
    ground.forEach((value, channel) => {
      const painted = value + outer * (disc[channel] - value);
      data[4 * place + channel] = Math.round(painted + inner * (hole[channel] - painted));
    });
  }
  return { data, width: SIZE, height: SIZE };
}

test("a disc with a hole becomes its three colours, and the edges' mixtures none of their own", () => {
  const svg = traced(target());
  const fills = [...svg.matchAll(/fill="(#\w{6})"/g)].map(([, fill]) => fill);
  assert.deepEqual(fills, ["#ffffff", "#fadc78", "#b41e28"]); // from the lightest to the darkest
});

test("outlines lie where the edges are", () => {
  const [, disc] = /fill="#b41e28" d="([^"]+)"/.exec(traced(target())) ?? [];
  const rings = disc.split("Z").filter(Boolean);
  assert.equal(rings.length, 2);
  for (const [place, radius] of [30, 12].entries()) {
    const points = [...rings[place].matchAll(/([\d.]+) ([\d.]+)(?=Q|L|$)/g)].map(([, x, y]) =>
      Math.hypot(Number(x) - 40, Number(y) - 40),
    );
    assert.ok(points.length > 6);
    for (const point of points) assert.ok(Math.abs(point - radius) < 1.2, `${point} is not ${radius}`);
  }
});
