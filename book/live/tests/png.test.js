import assert from "node:assert/strict";
import test from "node:test";
import { crc32, inflateSync } from "node:zlib";
import { pngOf } from "../kit/png.js";

/** The chunks of a file, with their checksums checked. @param {Blob} file */
async function chunksOf(file) {
  const bytes = Buffer.from(await file.arrayBuffer());
  assert.equal(bytes.toString("latin1", 1, 4), "PNG");
  /** @type {{ kind: string, content: Buffer }[]} */
  const found = [];
  for (let place = 8; place < bytes.length; ) {
    const length = bytes.readUInt32BE(place);
    const content = bytes.subarray(place + 8, place + 8 + length);
    assert.equal(bytes.readUInt32BE(place + 8 + length), crc32(bytes.subarray(place + 4, place + 8 + length)));
    found.push({ kind: bytes.toString("latin1", place + 4, place + 8), content });
    place += 12 + length;
  }
  return found;
}

/** @param {number} width @param {number} height @param {number} alpha */
function photograph(width, height, alpha) {
  const data = new Uint8ClampedArray(4 * width * height).map((_, place) =>
    place % 4 === 3 ? alpha : (place * 37) % 256,
  );
  return { data, width, height };
}

for (const [alpha, channels] of [
  [255, 3],
  [100, 4],
]) {
  test(`a picture whose alpha is ${alpha} comes back byte for byte from a file with ${channels} channels`, async () => {
    const picture = photograph(70, 150, alpha); // more than two strips
    const chunks = await chunksOf(await pngOf(picture));
    const head = chunks[0].content;
    assert.deepEqual(
      [head.readUInt32BE(0), head.readUInt32BE(4), head[8], head[9]],
      [70, 150, 8, channels === 3 ? 2 : 6],
    );
    assert.equal(chunks.at(-1)?.kind, "IEND");
    const rows = inflateSync(Buffer.concat(chunks.filter(({ kind }) => kind === "IDAT").map(({ content }) => content)));
    assert.equal(rows.length, 150 * (1 + 70 * channels));
    const back = new Uint8ClampedArray(picture.data.length).fill(255);
    for (let y = 0; y < 150; y++) {
      const line = rows.subarray(y * (1 + 70 * channels), (y + 1) * (1 + 70 * channels));
      assert.equal(line[0], 1);
      for (let place = 1 + channels; place < line.length; place++) line[place] += line[place - channels];
      for (let x = 0; x < 70; x++) back.set(line.subarray(1 + x * channels, 1 + (x + 1) * channels), 4 * (y * 70 + x));
    }
    assert.deepEqual(back, picture.data);
  });
}
