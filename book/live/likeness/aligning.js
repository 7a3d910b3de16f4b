/**
 * A mesh laid over the mean face's, and the picture cut out around it: `companion.likeness.aligning`, byte for byte.
 *
 * @typedef {{ data: Uint8ClampedArray, width: number, height: number }} Pixels RGBA, from the upper left corner
 * @typedef {{ centre: [number, number], half: number }} Window a square of the plane, in head units
 * @typedef {[number, number, number, number, number, number]} Matrix two rows of three: from pixels to head units
 * @typedef {{ x: number, y: number, z: number }} Landmark x and y from 0 to 1 over the picture, z in its widths
 */

/** A face's mesh laid over the template's: the matrix that did it, and its points (x, y, depth) in head units. */
export class Upright {
  /** @param {Matrix} matrix @param {number[][]} points */
  constructor(matrix, points) {
    this.matrix = matrix;
    this.points = points;
  }

  /** How many pixels of the picture make one head unit. */
  get unit() {
    return 1 / Math.hypot(this.matrix[0], this.matrix[3]);
  }

  /** A place in head units as pixels of the picture. @param {number} x @param {number} y @returns {[number, number]} */
  toPicture(x, y) {
    const [a, b, right, c, d, down] = this.matrix;
    const [dx, dy] = [x - right, y - down];
    const area = a * d - b * c;
    return [(d * dx - b * dy) / area, (a * dy - c * dx) / area];
  }
}

/**
 * The mesh turned, scaled and shifted so that its points lie nearest to the template's.
 *
 * @param {Landmark[]} mesh
 * @param {number} width of the picture
 * @param {number} height
 * @param {number[][]} template
 */
export function upright(mesh, width, height, template) {
  const pixels = mesh.map(({ x, y }) => [Math.fround(Math.fround(x) * width), Math.fround(Math.fround(y) * height)]);
  const matrix = similarity(pixels, template);
  const [a, b, right, c, d, down] = matrix;
  const deep = width * Math.hypot(a, c);
  const points = pixels.map(([x, y], row) => [a * x + b * y + right, c * x + d * y + down, mesh[row].z * deep]);
  return new Upright(matrix, points);
}

/** Turn, scale and shift in least squares (Umeyama 1991, in the plane). @param {number[][]} points @param {number[][]} goal */
export function similarity(points, goal) {
  const [from, to] = [points, goal].map((rows) =>
    [0, 1].map((axis) => rows.reduce((sum, row) => sum + row[axis], 0) / rows.length),
  );
  let [along, across, spread] = [0, 0, 0];
  points.forEach(([px, py], row) => {
    const [x, y] = [px - from[0], py - from[1]];
    const [u, v] = [goal[row][0] - to[0], goal[row][1] - to[1]];
    along += x * u + y * v;
    across += x * v - y * u;
    spread += x * x + y * y;
  });
  const [cos, sin] = [along / spread, across / spread];
  const [right, down] = [to[0] - (cos * from[0] - sin * from[1]), to[1] - (sin * from[0] + cos * from[1])];
  return /** @type {Matrix} */ ([cos, -sin, right, sin, cos, down]);
}

/**
 * What lies in a window, upright; beyond the picture its edge goes on.
 *
 * @param {Pixels} picture
 * @param {Upright} face
 * @param {Window} window
 * @param {number} size of the result
 * @param {number} finer times, in each direction, that it is sampled before it is reduced
 * @returns {Pixels}
 */
export function cutOut(picture, face, window, size, finer) {
  const fine = size * finer;
  const step = (2 * window.half) / fine;
  const [middleX, middleY] = window.centre;
  const corners = [-1, 1].flatMap((x) =>
    [-1, 1].map((y) => face.toPicture(middleX + x * window.half, middleY + y * window.half)),
  );
  const edge = (/** @type {number} */ axis, /** @type {"min" | "max"} */ end) =>
    Math[end](...corners.map((corner) => corner[axis]));
  const [left, top] = [0, 1].map((axis) => Math.floor(edge(axis, "min")) - 2);
  const [right, bottom] = [0, 1].map((axis) => Math.ceil(edge(axis, "max")) + 2);
  const reduced = Math.max(1, Math.trunc(step * face.unit));
  const near = reducedBy(around(picture, left, top, right - left, bottom - top), reduced);
  const [a, , , c] = face.matrix;
  const turned = step / reduced / (a * a + c * c);
  const start = face.toPicture(middleX - window.half, middleY - window.half);
  const [startX, startY] = [(start[0] + 0.5 - left) / reduced, (start[1] + 0.5 - top) / reduced];
  // The inverse of a turn and scale [a −c; c a] is [a c; −c a] over its square.
  const cut = sampled(near, fine, [a * turned, c * turned, startX, -c * turned, a * turned, startY]);
  return reducedBy(cut, finer);
}

/** A part of a picture; beyond its edges they go on. @param {Pixels} picture @param {number} left @param {number} top @param {number} width @param {number} height @returns {Pixels} */
function around(picture, left, top, width, height) {
  const data = new Uint8ClampedArray(4 * width * height);
  const from = new Uint32Array(picture.data.buffer, picture.data.byteOffset, picture.width * picture.height);
  const to = new Uint32Array(data.buffer);
  for (let y = 0; y < height; y++) {
    const row = Math.min(Math.max(top + y, 0), picture.height - 1) * picture.width;
    for (let x = 0; x < width; x++) to[y * width + x] = from[row + Math.min(Math.max(left + x, 0), picture.width - 1)];
  }
  return { data, width, height };
}

/** Boxes of pixels as one pixel each, as Pillow's `reduce`. @param {Pixels} picture @param {number} factor @returns {Pixels} */
function reducedBy(picture, factor) {
  if (factor === 1) return picture;
  const [width, height] = [Math.ceil(picture.width / factor), Math.ceil(picture.height / factor)];
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    const last = Math.min((y + 1) * factor, picture.height);
    for (let x = 0; x < width; x++) {
      const end = Math.min((x + 1) * factor, picture.width);
      const sum = [0, 0, 0];
      for (let row = y * factor; row < last; row++) {
        for (let column = x * factor; column < end; column++) {
          const at = 4 * (row * picture.width + column);
          for (let channel = 0; channel < 3; channel++) sum[channel] += picture.data[at + channel];
        }
      }
      const count = (last - y * factor) * (end - x * factor);
      const to = 4 * (y * width + x);
      for (let channel = 0; channel < 3; channel++)
        data[to + channel] = Math.floor((sum[channel] + (count >> 1)) / count);
      data[to + 3] = 255;
    }
  }
  return { data, width, height };
}

/** A square sampled along an affine map, as Pillow's bilinear transform, which rounds down. @param {Pixels} picture @param {number} size @param {number[]} map @returns {Pixels} */
function sampled(picture, size, [a, b, right, c, d, down]) {
  const { data: from, width, height } = picture;
  const data = new Uint8ClampedArray(4 * size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const u = a * (x + 0.5) + b * (y + 0.5) + right;
      const v = c * (x + 0.5) + d * (y + 0.5) + down;
      if (u < 0 || v < 0 || u >= width || v >= height) continue;
      const [first, line] = [Math.floor(u - 0.5), Math.floor(v - 0.5)];
      const [shareX, shareY] = [u - 0.5 - first, v - 0.5 - line];
      const [x0, x1] = [first, first + 1].map((column) => Math.min(Math.max(column, 0), width - 1));
      const [y0, y1] = [line, line + 1].map((row) => Math.min(Math.max(row, 0), height - 1) * width);
      const to = 4 * (y * size + x);
      for (let channel = 0; channel < 3; channel++) {
        const at = (/** @type {number} */ place) => from[4 * place + channel];
        const above = at(y0 + x0) + (at(y0 + x1) - at(y0 + x0)) * shareX;
        const below = at(y1 + x0) + (at(y1 + x1) - at(y1 + x0)) * shareX;
        data[to + channel] = Math.trunc(above + (below - above) * shareY);
      }
      data[to + 3] = 255;
    }
  }
  return { data, width: size, height: size };
}
