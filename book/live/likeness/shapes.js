/**
 * Shapes on square pictures of yes and no: polygons and disks, grown and shrunk ones, and their pieces, as OpenCV has
 * them. Beyond the edge of a picture nothing is grown from and nothing shrunk from.
 *
 * @typedef {Uint8Array} Mask 0 or 1 for each pixel, row by row
 * @typedef {[number, number][]} Element for each line of a structuring element: its height, and its reach to each side
 */

/** @type {Element} */
export const SQUARE = [
  [-1, 1],
  [0, 1],
  [1, 1],
];

/** An ellipse's structuring element, `2 reach + 1` wide. @param {number} reach @returns {Element} */
export function disk(reach) {
  return Array.from({ length: 2 * reach + 1 }, (_, line) => {
    const y = line - reach;
    return [y, reach ? Math.round(reach * Math.sqrt((reach * reach - y * y) / (reach * reach))) : 0];
  });
}

/** A polygon with its edge, corners at whole pixels. @param {number[][]} corners @param {number} side @returns {Mask} */
export function polygon(corners, side) {
  const found = new Uint8Array(side * side);
  const set = (/** @type {number} */ x, /** @type {number} */ y) => {
    if (x >= 0 && y >= 0 && x < side && y < side) found[y * side + x] = 1;
  };
  const whole = corners.map((corner) => corner.map(Math.round));
  const edges = whole.map((corner, row) => [corner, whole[(row + 1) % whole.length]]);
  const offset = (/** @type {number} */ way, /** @type {number} */ share) =>
    Math.sign(way) * Math.ceil(Math.abs(way) * share - 0.5); // half a pixel is none
  for (const edge of edges) {
    const [[x0, y0], [x1, y1]] = edge[1][0] < edge[0][0] ? edge.toReversed() : edge;
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
    for (let step = 0; step <= steps; step++) {
      set(x0 + offset(x1 - x0, step / steps), y0 + offset(y1 - y0, step / steps));
    }
  }
  for (let y = 0; y < side; y++) {
    const crossings = edges
      .filter(([[, y0], [, y1]]) => y >= Math.min(y0, y1) && y < Math.max(y0, y1))
      .map(([[x0, y0], [x1, y1]]) => x0 + ((x1 - x0) * (y - y0)) / (y1 - y0));
    crossings.sort((one, other) => one - other);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      for (let x = Math.ceil(crossings[pair]); x <= Math.floor(crossings[pair + 1]); x++) set(x, y);
    }
  }
  return found;
}

/** Take a filled circle out of a mask. @param {Mask} mask @param {number} side @param {[number, number]} centre @param {number} radius */
export function takeDisk(mask, side, [x, y], radius) {
  const clear = (/** @type {number} */ line, /** @type {number} */ reach) => {
    if (line < 0 || line >= side) return;
    mask.fill(0, line * side + Math.max(x - reach, 0), line * side + Math.max(Math.min(x + reach + 1, side), 0));
  };
  // The circle of Bresenham: an eighth of it, and what mirrors make of that.
  for (let [down, across, error] = [0, radius, 0]; across >= down; ) {
    for (const turn of [-1, 1]) {
      clear(y + turn * down, across);
      clear(y + turn * across, down);
    }
    error += 2 * down + 1;
    down++;
    if (error > 0) {
      error -= 2 * across - 1;
      across--;
    }
  }
}

/** Set wherever the element around a pixel meets the mask. @param {Mask} mask @param {number} side @param {Element} element @returns {Mask} */
export function dilated(mask, side, element) {
  const found = new Uint8Array(mask.length);
  const before = new Uint16Array(side + 1); // how many are set left of each column
  for (let line = 0; line < side; line++) {
    for (let x = 0; x < side; x++) before[x + 1] = before[x] + mask[line * side + x];
    if (!before[side]) continue;
    for (const [height, reach] of element) {
      const to = line - height;
      if (to < 0 || to >= side) continue;
      for (let x = 0; x < side; x++) {
        if (before[Math.min(x + reach + 1, side)] > before[Math.max(x - reach, 0)]) found[to * side + x] = 1;
      }
    }
  }
  return found;
}

/** Set wherever all of the element lies in the mask. @param {Mask} mask @param {number} side @param {Element} element @returns {Mask} */
export const eroded = (mask, side, element) => inverted(dilated(inverted(mask), side, element));

/** @param {Mask} mask @returns {Mask} */
const inverted = (mask) => mask.map((value) => 1 - value);

/** What hangs together, corners included: the pixels of each piece. @param {Mask} mask @param {number} side @returns {number[][]} */
export function pieces(mask, side) {
  const left = mask.slice();
  const found = [];
  for (let start = 0; start < left.length; start++) {
    if (!left[start]) continue;
    left[start] = 0;
    const piece = [start];
    for (const place of piece) {
      const [x, y] = [place % side, Math.floor(place / side)];
      for (let line = Math.max(y - 1, 0); line <= Math.min(y + 1, side - 1); line++) {
        for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, side - 1); column++) {
          const next = line * side + column;
          if (!left[next]) continue;
          left[next] = 0;
          piece.push(next);
        }
      }
    }
    found.push(piece);
  }
  return found;
}
