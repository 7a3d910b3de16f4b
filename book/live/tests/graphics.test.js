import assert from "node:assert/strict";
import test from "node:test";
import { agree, Hastened } from "../kit/graphics.js";

/** @typedef {import("../kit/graphics.js").Rival} Rival */

const PROCESSOR = 100; // milliseconds
const PORT = /** @type {const} */ ({ name: "image", kind: "image", shape: [1, 1, 1, 2] });
const HALF = 1 / 255; // half a level of images in [−1, 1]

const settled = () => new Promise(setImmediate);

/** A model and its rival, which takes so long and answers so far apart, on a clock of their own. */
function pair({ takes = 10, apart = 0, breaks = () => false } = {}) {
  let time = 0;
  const runs = { processor: 0, graphics: 0, ended: 0, fetched: 0 };
  /** @type {(inputs: any, far: number) => any} */
  const twice = ({ image }, far) => ({ image: { ...image, data: image.data.map((value) => 2 * value + far) } });
  const signature = { inputs: [PORT], outputs: [PORT] };
  const model = {
    signature,
    async run(/** @type {any} */ inputs, { give = false } = {}) {
      runs.processor++;
      time += PROCESSOR;
      const answer = twice(inputs, 0);
      if (give) structuredClone(inputs.image.data, { transfer: [inputs.image.data.buffer] });
      return answer;
    },
  };
  /** @type {Rival} */
  const rival = {
    signature,
    async run(inputs) {
      runs.graphics++;
      if (breaks()) throw new Error("The card is lost.");
      time += runs.graphics === 1 ? 1000 : takes; // the first answer is slow, and does not count
      return twice(inputs, apart);
    },
    end: () => runs.ended++,
  };
  const begin = async () => {
    runs.fetched++;
    return rival;
  };
  return { hastened: new Hastened(model, begin, () => time), runs };
}

const tile = () => ({ image: { data: Float32Array.from([0.1, -0.2]), shape: [1, 1, 1, 2] } });

/** Three tiles, the rival having come. @param {Hastened} hastened */
async function through(hastened) {
  const answers = [];
  for (let number = 0; number < 3; number++) {
    answers.push(await hastened.run(tile(), { give: true }));
    await settled(); // what goes on meanwhile
  }
  return answers.map(({ image }) => [...image.data]);
}

const WANTED = Array(3).fill([...Float32Array.from([0.2, -0.4])]);

test("nobody is asked, and nothing fetched, before there is much to do", async () => {
  const { hastened, runs } = pair();
  await through(hastened);
  assert.deepEqual(runs, { processor: 3, graphics: 0, ended: 0, fetched: 0 });
});

test("the quicker one takes over once it has answered the same", async () => {
  const { hastened, runs } = pair();
  hastened.hasten();
  hastened.hasten();
  await settled();
  assert.deepEqual(await through(hastened), WANTED);
  assert.equal(hastened.hastened, true);
  assert.deepEqual(runs, { processor: 1, graphics: 4, ended: 0, fetched: 1 }); // two of them beside the first tile
});

for (const [why, about] of Object.entries({
  "no quicker": { takes: PROCESSOR },
  "far apart": { apart: 3 * HALF },
  broken: { breaks: () => true },
})) {
  test(`what is ${why} is let go, and the processor does all of it`, async () => {
    const { hastened, runs } = pair(about);
    hastened.hasten();
    await settled();
    assert.deepEqual(await through(hastened), WANTED);
    assert.equal(hastened.hastened, false);
    assert.deepEqual([runs.processor, runs.ended], [3, 1]);
  });
}

test("a card that is lost costs no tile", async () => {
  let lost = false;
  const { hastened, runs } = pair({ breaks: () => lost });
  hastened.hasten();
  await settled();
  await through(hastened);
  assert.equal(hastened.hastened, true);
  lost = true;
  assert.deepEqual(await through(hastened), WANTED);
  assert.equal(hastened.hastened, false);
  assert.equal(runs.processor, 4);
});

test("a program that could not be fetched is tried again for the next picture", async () => {
  const { hastened, runs } = pair();
  const { begin } = hastened;
  hastened.begin = () => Promise.reject(new Error("Nobody answered."));
  hastened.hasten();
  await settled();
  assert.deepEqual(await through(hastened), WANTED);
  hastened.begin = begin;
  hastened.hasten();
  await settled();
  assert.equal(runs.fetched, 1);
});

test("answers are the same to a level of 255, and no further", () => {
  const near = { image: { data: Float32Array.from([0.1 + HALF, -0.2]), shape: [2] } };
  const far = { image: { data: Float32Array.from([0.1 + 3 * HALF, -0.2]), shape: [2] } };
  assert.equal(agree(tile(), near), true);
  assert.equal(agree(tile(), far), false);
});
