/**
 * Listening to pictures: `companion.sonify` in the page, sample for sample. Rows are pitches, brightness is loudness,
 * colour is place and timbre.
 */

export const RATE = 22_050;
export const ROWS = 32;
export const LOWEST = 110; // hertz
export const HIGHEST = 3520;
export const PEAK = 0.9;
const BLOCK = 4096; // samples, after which a tone is begun anew, so that no error grows
const FADE = 0.01; // seconds
const PHASES = 0.61803398875;

/** Hertz of each row from the top. @param {number} rows */
export function pitches(rows) {
  if (rows === 1) return [Math.sqrt(LOWEST * HIGHEST)];
  const [high, low] = [Math.log2(HIGHEST), Math.log2(LOWEST)];
  return Array.from({ length: rows }, (_, row) => 2 ** (high + ((low - high) * row) / (rows - 1)));
}

/**
 * A picture as it is heard: the means of at most `ROWS` rows and as many columns as are asked for.
 *
 * @param {{ data: ArrayLike<number>, width: number, height: number }} pixels  RGBA; what is transparent is black.
 * @param {number} most  Columns.
 * @returns {{ rows: number, columns: number, light: Float64Array }} Red, green, blue of each place, 0 to 1.
 */
export function heard({ data, width, height }, most) {
  const [rows, columns] = [Math.min(height, ROWS), Math.min(width, most)];
  const light = new Float64Array(3 * rows * columns);
  for (let row = 0; row < rows; row++) {
    const [top, bottom] = bin(row, rows, height);
    for (let column = 0; column < columns; column++) {
      const [left, right] = bin(column, columns, width);
      const sum = [0, 0, 0];
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) {
          const place = 4 * (y * width + x);
          const alpha = data[place + 3] / 255;
          for (let c = 0; c < 3; c++) sum[c] += Math.round(data[place + c] * alpha);
        }
      }
      const area = 255 * (bottom - top) * (right - left);
      for (let c = 0; c < 3; c++) light[3 * (row * columns + column) + c] = sum[c] / area;
    }
  }
  return { rows, columns, light };
}

/** The pixels of one of `parts` parts, which may overlap, as in torch's adaptive pooling. @param {number} part @param {number} parts @param {number} size */
const bin = (part, parts, size) => [Math.floor((part * size) / parts), Math.ceil(((part + 1) * size) / parts)];

/**
 * A picture played from left to right.
 *
 * @param {{ data: ArrayLike<number>, width: number, height: number }} pixels
 * @param {number} seconds
 * @returns {[Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>]} Left and right, in [−1, 1].
 */
export function sound(pixels, seconds) {
  const length = Math.round(seconds * RATE);
  const score = heard(pixels, length);
  const left = new Float64Array(length);
  const right = new Float64Array(length);
  const hertz = pitches(score.rows);
  for (let row = 0; row < score.rows; row++) playRow(score, row, hertz[row], left, right);
  let loudest = 0;
  for (let place = 0; place < length; place++) {
    const swell = Math.min(1, (Math.min(place, length - 1 - place) + 0.5) / (FADE * RATE));
    left[place] *= swell;
    right[place] *= swell;
    loudest = Math.max(loudest, Math.abs(left[place]), Math.abs(right[place]));
  }
  const scale = loudest > 0 ? PEAK / loudest : 1;
  return [Float32Array.from(left, (value) => value * scale), Float32Array.from(right, (value) => value * scale)];
}

/** How loud each column of a row is on the left and on the right, and how much of the octave above sounds along. @param {ReturnType<typeof heard>} score @param {number} row */
function timbre({ columns, light }, row) {
  return Array.from({ length: columns }, (_, column) => {
    const [red, green, blue] = light.subarray(3 * (row * columns + column), 3 * (row * columns + column) + 3);
    const bright = Math.max(red, green, blue);
    const total = Math.max(red + green + blue, 1e-12);
    const angle = ((blue - red) / total + 1) * (Math.PI / 4); // equal power
    const loudness = (red + green + blue) / 3;
    const octave = (0.5 * (bright - Math.min(red, green, blue))) / Math.max(bright, 1e-12);
    return [loudness * Math.cos(angle), loudness * Math.sin(angle), octave];
  });
}

/** Add a row's tone to both channels. @param {ReturnType<typeof heard>} score @param {number} row @param {number} hertz @param {Float64Array} left @param {Float64Array} right */
function playRow(score, row, hertz, left, right) {
  const { length } = left;
  const { columns } = score;
  const columnsOf = timbre(score, row);
  if (columnsOf.every(([one, other]) => !one && !other)) return; // black is silent
  const step = (2 * Math.PI * hertz) / RATE;
  const [turnCos, turnSin] = [Math.cos(step), Math.sin(step)];
  let [cos, sin] = [1, 0];
  for (let time = 0; time < length; time++) {
    if (time % BLOCK === 0) {
      const angle = step * time + 2 * Math.PI * PHASES * row;
      [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    }
    const at = Math.min(Math.max(((time + 0.5) / length) * columns - 0.5, 0), columns - 1);
    const first = Math.floor(at);
    const along = at - first;
    const one = columnsOf[first];
    const two = columnsOf[Math.min(first + 1, columns - 1)];
    const tone = sin * (1 + 2 * cos * (one[2] + along * (two[2] - one[2]))); // sin 2x = 2 sin x cos x
    left[time] += (one[0] + along * (two[0] - one[0])) * tone;
    right[time] += (one[1] + along * (two[1] - one[1])) * tone;
    [cos, sin] = [cos * turnCos - sin * turnSin, sin * turnCos + cos * turnSin];
  }
}

/** 16-bit stereo, as `save_wav` writes it. @param {[Float32Array, Float32Array]} waves */
export function wav([left, right]) {
  const file = new DataView(new ArrayBuffer(44 + 4 * left.length));
  const word = (/** @type {number} */ at, /** @type {string} */ letters) =>
    [...letters].forEach((letter, place) => {
      file.setUint8(at + place, letter.charCodeAt(0));
    });
  word(0, "RIFF");
  file.setUint32(4, file.byteLength - 8, true);
  word(8, "WAVEfmt ");
  [16, 0x20001, RATE, 4 * RATE, 0x100004].forEach((value, place) => {
    file.setUint32(16 + 4 * place, value, true); // PCM, two channels, 16 bits
  });
  word(36, "data");
  file.setUint32(40, 4 * left.length, true);
  for (let place = 0; place < left.length; place++) {
    [left, right].forEach((channel, side) => {
      file.setInt16(44 + 4 * place + 2 * side, even(Math.min(1, Math.max(-1, channel[place])) * 32767), true);
    });
  }
  return file.buffer;
}

/** Rounded as torch rounds: halves to the even number. @param {number} value */
const even = (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));
