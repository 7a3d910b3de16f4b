/**
 * Pixels as a PNG file, written strip by strip: a canvas as large as a photograph would take its memory once more, and
 * would round colours below a half-transparent alpha.
 *
 * @import { Pixels } from "./tiles.js"
 */

const STRIP = 64; // rows
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const SUB = 1; // each row begins with its filter: every byte less the one a pixel before

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

/** @param {Uint8Array} bytes */
function checksum(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = TABLE[(rest ^ byte) & 0xff] ^ (rest >>> 8);
  return ~rest >>> 0;
}

/** A chunk of the file. @param {string} kind @param {Uint8Array} content */
function chunk(kind, content) {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let place = 0; place < 4; place++) bytes[4 + place] = kind.charCodeAt(place);
  bytes.set(content, 8);
  view.setUint32(content.length + 8, checksum(bytes.subarray(4, content.length + 8)));
  return bytes;
}

/**
 * Some rows, filtered.
 *
 * @param {Pixels} pixels
 * @param {number} top
 * @param {3 | 4} channels
 */
function filtered({ data, width, height }, top, channels) {
  const count = Math.min(STRIP, height - top);
  const bytes = new Uint8Array(count * (1 + channels * width));
  let to = 0;
  for (let y = top; y < top + count; y++) {
    bytes[to++] = SUB;
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * width + x);
      for (let channel = 0; channel < channels; channel++) {
        bytes[to++] = data[from + channel] - (x ? data[from - 4 + channel] : 0);
      }
    }
  }
  return bytes;
}

/** @param {Pixels} pixels */
function opaque({ data }) {
  for (let place = 3; place < data.length; place += 4) if (data[place] < 255) return false;
  return true;
}

/** @param {Pixels} pixels @returns {Promise<Blob>} */
export async function pngOf(pixels) {
  const channels = opaque(pixels) ? 3 : 4;
  const head = new Uint8Array(13);
  new DataView(head.buffer).setUint32(0, pixels.width);
  new DataView(head.buffer).setUint32(4, pixels.height);
  head.set([8, channels === 3 ? 2 : 6], 8);
  let top = 0;
  const rows = new ReadableStream({
    pull(controller) {
      controller.enqueue(filtered(pixels, top, channels));
      top += STRIP;
      if (top >= pixels.height) controller.close();
    },
  });
  const parts = [SIGNATURE, chunk("IHDR", head)];
  const reader = rows.pipeThrough(new CompressionStream("deflate")).getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    if (value) parts.push(chunk("IDAT", value));
  }
  return new Blob([...parts, chunk("IEND", new Uint8Array(0))], { type: "image/png" });
}
