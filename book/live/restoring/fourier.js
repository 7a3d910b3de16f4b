/**
 * The Fourier transform of pictures of any size, in double precision, with no memory taken on the way. It is quick where
 * the sides are products of small primes (`quick`), as `scipy.fft.next_fast_len` has them.
 *
 * Written here, since no library that we found is at once in double precision, of any length, and kept up.
 *
 * Each one-dimensional transform is Stockham's, of mixed radices, for a block of columns at a time: the innermost loop
 * runs along neighbours in memory, with the same factors for all, and a block fits into the processor's cache.
 */

const BLOCK = 32; // columns
const RADICES = [11, 7, 5, 4, 3, 2];

/** The least length from `least` on that has no prime factor above 11. @param {number} least */
export function quick(least) {
  let length = Math.max(1, least);
  while (factors(length).some((factor) => factor > 11)) length++;
  return length;
}

/** Radices whose product is the length, the large ones first. @param {number} length */
export function factors(length) {
  const found = [];
  let rest = length;
  for (const radix of RADICES) {
    for (; rest % radix === 0; rest /= radix) found.push(radix);
  }
  if (rest > 1) found.unshift(rest); // and it will be slow
  return found;
}

/**
 * Where a pass reads or writes: real and imaginary parts with their first places, and how far rows are apart.
 *
 * @typedef {{ re: Float64Array, im: Float64Array, reAt: number, imAt: number, row: number }} Place
 */

/** A transform of one length, of a block of columns at a time. */
export class Columns {
  /** @param {number} length */
  constructor(length) {
    this.length = length;
    this.radices = factors(length);
    this.cosines = Float64Array.from({ length }, (_, turn) => Math.cos((2 * Math.PI * turn) / length));
    this.sines = Float64Array.from({ length }, (_, turn) => -Math.sin((2 * Math.PI * turn) / length));
    this.one = block(length);
    this.other = block(length);
  }

  /**
   * Transform at most `BLOCK` columns. An inverse one is had by giving real and imaginary parts the other way round.
   *
   * @param {Place} from
   * @param {Place} to  May be the same.
   * @param {number} count  Of columns.
   */
  run(from, to, count) {
    const { radices, length } = this;
    let read = from;
    let done = 1;
    let left = length;
    radices.forEach((radix, number) => {
      const last = number === radices.length - 1;
      const write = last && read !== to ? to : read === this.one ? this.other : this.one;
      left /= radix;
      (PASSES[radix] ?? odd)(read, write, { count, done, left, radix }, this);
      done *= radix;
      read = write;
    });
    if (read !== to) copied(read, to, length, count);
  }
}

/** @param {number} length @returns {Place} */
function block(length) {
  const [re, im] = [new Float64Array(length * BLOCK), new Float64Array(length * BLOCK)];
  return { re, im, reAt: 0, imAt: 0, row: BLOCK };
}

/** @param {Place} from @param {Place} to @param {number} length @param {number} count */
function copied(from, to, length, count) {
  for (let row = 0; row < length; row++) {
    for (let column = 0; column < count; column++) {
      to.re[to.reAt + row * to.row + column] = from.re[from.reAt + row * from.row + column];
      to.im[to.imAt + row * to.row + column] = from.im[from.imAt + row * from.row + column];
    }
  }
}

/** @typedef {{ count: number, done: number, left: number, radix: number }} Step */
/** @typedef {(from: Place, to: Place, step: Step, plan: Columns) => void} Pass */

/** @type {Pass} */
function two(from, to, { count, done, left }, { cosines, sines }) {
  const { re: a, im: b } = from;
  const { re: c, im: d } = to;
  const [ins, outs] = [left * done * from.row, done * to.row];
  for (let k = 0; k < left; k++) {
    const wr = cosines[k * done];
    const wi = sines[k * done];
    for (let j = 0; j < done; j++) {
      const row = (k * done + j) * from.row;
      const out = (2 * k * done + j) * to.row;
      let r = from.reAt + row;
      let i = from.imAt + row;
      let s = to.reAt + out;
      let t = to.imAt + out;
      for (const end = r + count; r < end; r++, i++, s++, t++) {
        const re = a[r] - a[r + ins];
        const im = b[i] - b[i + ins];
        c[s] = a[r] + a[r + ins];
        d[t] = b[i] + b[i + ins];
        c[s + outs] = re * wr - im * wi;
        d[t + outs] = re * wi + im * wr;
      }
    }
  }
}

/** @type {Pass} */
function four(from, to, { count, done, left }, { cosines, sines }) {
  const { re: a, im: b } = from;
  const { re: c, im: d } = to;
  const [ins, outs] = [left * done * from.row, done * to.row];
  for (let k = 0; k < left; k++) {
    const w1r = cosines[k * done];
    const w1i = sines[k * done];
    const w2r = cosines[2 * k * done];
    const w2i = sines[2 * k * done];
    const w3r = cosines[3 * k * done];
    const w3i = sines[3 * k * done];
    for (let j = 0; j < done; j++) {
      const row = (k * done + j) * from.row;
      const out = (4 * k * done + j) * to.row;
      let r = from.reAt + row;
      let i = from.imAt + row;
      let s = to.reAt + out;
      let t = to.imAt + out;
      for (const end = r + count; r < end; r++, i++, s++, t++) {
        const evenR = a[r] + a[r + 2 * ins];
        const evenI = b[i] + b[i + 2 * ins];
        const apartR = a[r] - a[r + 2 * ins];
        const apartI = b[i] - b[i + 2 * ins];
        const oddR = a[r + ins] + a[r + 3 * ins];
        const oddI = b[i + ins] + b[i + 3 * ins];
        const turnR = b[i + ins] - b[i + 3 * ins];
        const turnI = a[r + 3 * ins] - a[r + ins];
        c[s] = evenR + oddR;
        d[t] = evenI + oddI;
        c[s + outs] = (apartR + turnR) * w1r - (apartI + turnI) * w1i;
        d[t + outs] = (apartR + turnR) * w1i + (apartI + turnI) * w1r;
        c[s + 2 * outs] = (evenR - oddR) * w2r - (evenI - oddI) * w2i;
        d[t + 2 * outs] = (evenR - oddR) * w2i + (evenI - oddI) * w2r;
        c[s + 3 * outs] = (apartR - turnR) * w3r - (apartI - turnI) * w3i;
        d[t + 3 * outs] = (apartR - turnR) * w3i + (apartI - turnI) * w3r;
      }
    }
  }
}

const [reals, imags, turnsR, turnsI] = [0, 1, 2, 3].map(() => new Float64Array(BLOCK));

/** Any odd radix: what lies as far from both ends is added and subtracted first, so that half of the work is left. @type {Pass} */
function odd(from, to, { count, done, left, radix }, { cosines, sines, length }) {
  const { re: a, im: b } = from;
  const { re: c, im: d } = to;
  const [ins, outs] = [left * done * from.row, done * to.row];
  const half = radix >> 1;
  const part = length / radix;
  for (let k = 0; k < left; k++) {
    for (let j = 0; j < done; j++) {
      const row = (k * done + j) * from.row;
      const out = (radix * k * done + j) * to.row;
      const r = from.reAt + row;
      const i = from.imAt + row;
      const s = to.reAt + out;
      const t = to.imAt + out;
      for (let x = 0; x < count; x++) {
        let re = a[r + x];
        let im = b[i + x];
        for (let q = 1; q < radix; q++) {
          re += a[r + x + q * ins];
          im += b[i + x + q * ins];
        }
        c[s + x] = re;
        d[t + x] = im;
      }
      for (let p = 1; p <= half; p++) {
        const wr = cosines[k * p * done];
        const wi = sines[k * p * done];
        const vr = cosines[k * (radix - p) * done];
        const vi = sines[k * (radix - p) * done];
        for (let x = 0; x < count; x++) {
          reals[x] = a[r + x];
          imags[x] = b[i + x];
          turnsR[x] = turnsI[x] = 0;
        }
        for (let q = 1; q <= half; q++) {
          const turn = ((p * q) % radix) * part;
          const cosine = cosines[turn];
          const sine = sines[turn];
          const one = q * ins;
          const other = (radix - q) * ins;
          for (let x = 0; x < count; x++) {
            reals[x] += cosine * (a[r + one + x] + a[r + other + x]);
            imags[x] += cosine * (b[i + one + x] + b[i + other + x]);
            turnsR[x] -= sine * (b[i + one + x] - b[i + other + x]);
            turnsI[x] += sine * (a[r + one + x] - a[r + other + x]);
          }
        }
        const s1 = s + p * outs;
        const t1 = t + p * outs;
        const s2 = s + (radix - p) * outs;
        const t2 = t + (radix - p) * outs;
        for (let x = 0; x < count; x++) {
          const re = reals[x];
          const im = imags[x];
          const turnR = turnsR[x];
          const turnI = turnsI[x];
          c[s1 + x] = (re + turnR) * wr - (im + turnI) * wi;
          d[t1 + x] = (re + turnR) * wi + (im + turnI) * wr;
          c[s2 + x] = (re - turnR) * vr - (im - turnI) * vi;
          d[t2 + x] = (re - turnR) * vi + (im - turnI) * vr;
        }
      }
    }
  }
}

/** @type {Record<number, Pass>} */
const PASSES = { 2: two, 4: four };

/**
 * Transforms of real pictures of one size. Two columns of a picture, half its width apart, go through one complex
 * transform as real and imaginary part; a spectrum is half, `height // 2 + 1`, and lies on its side: frequencies across
 * are its rows.
 *
 * Pictures `(height, stride)` have rows of an even number of places; where the width is odd, the last one is not used.
 */
export class Transform {
  /** @param {number} height @param {number} width */
  constructor(height, width) {
    this.height = height;
    this.width = width;
    this.half = (width + 1) >> 1;
    this.stride = 2 * this.half;
    this.tall = (height >> 1) + 1; // frequencies down
    this.down = new Columns(height);
    this.across = width === height ? this.down : new Columns(width);
    this.pairs = block(height);
  }

  /** @returns {Float64Array<ArrayBuffer>} */
  picture() {
    return new Float64Array(this.height * this.stride);
  }

  /** A spectrum of zeros: frequencies across are its rows. */
  spectrum() {
    const size = this.width * this.tall;
    return { re: new Float64Array(size), im: new Float64Array(size) };
  }

  /** @param {Float64Array} picture @param {Spectrum} found */
  forward(picture, found) {
    const { half, stride, tall } = this;
    for (let column = 0; column < half; column += BLOCK) {
      const count = Math.min(BLOCK, half - column);
      const given = { re: picture, im: picture, reAt: column, imAt: column + half, row: stride };
      this.down.run(given, this.pairs, count);
      this.parted(found, column, count);
    }
    for (let row = 0; row < tall; row += BLOCK) {
      const place = { re: found.re, im: found.im, reAt: row, imAt: row, row: tall };
      this.across.run(place, place, Math.min(BLOCK, tall - row));
    }
  }

  /** A pair's transform taken apart. @param {Spectrum} found @param {number} column @param {number} count */
  parted({ re, im }, column, count) {
    const { half, height, tall, width } = this;
    const { re: a, im: b } = this.pairs;
    for (let x = 0; x < count; x++) {
      const first = (column + x) * tall;
      const second = column + x + half < width ? first + half * tall : -1;
      for (let k = 0; k < tall; k++) {
        const at = k * BLOCK + x;
        const mirror = (k ? height - k : 0) * BLOCK + x;
        re[first + k] = 0.5 * (a[at] + a[mirror]);
        im[first + k] = 0.5 * (b[at] - b[mirror]);
        if (second < 0) continue;
        re[second + k] = 0.5 * (b[at] + b[mirror]);
        im[second + k] = 0.5 * (a[mirror] - a[at]);
      }
    }
  }

  /** The picture of a spectrum, which is lost. @param {Spectrum} given @param {Float64Array} picture */
  inverse(given, picture) {
    const { half, stride, tall, pairs } = this;
    for (let row = 0; row < tall; row += BLOCK) {
      const place = { re: given.im, im: given.re, reAt: row, imAt: row, row: tall };
      this.across.run(place, place, Math.min(BLOCK, tall - row));
    }
    const swapped = { ...pairs, re: pairs.im, im: pairs.re };
    for (let column = 0; column < half; column += BLOCK) {
      const count = Math.min(BLOCK, half - column);
      this.paired(given, column, count);
      this.down.run(swapped, { re: picture, im: picture, reAt: column + half, imAt: column, row: stride }, count);
    }
  }

  /** Two columns put together, as large as the inverse wants them. @param {Spectrum} given @param {number} column @param {number} count */
  paired({ re, im }, column, count) {
    const { half, height, tall, width } = this;
    const { re: a, im: b } = this.pairs;
    const part = 1 / (width * height);
    for (let x = 0; x < count; x++) {
      const first = (column + x) * tall;
      const second = column + x + half < width ? first + half * tall : -1;
      for (let k = 0; k < tall; k++) {
        const at = k * BLOCK + x;
        const mirror = (k ? height - k : 0) * BLOCK + x;
        const twinR = second < 0 ? 0 : re[second + k];
        const twinI = second < 0 ? 0 : im[second + k];
        a[mirror] = part * (re[first + k] + twinI); // the conjugate of the first, and i times that of the second
        b[mirror] = part * (twinR - im[first + k]);
        a[at] = part * (re[first + k] - twinI);
        b[at] = part * (im[first + k] + twinR);
      }
    }
  }
}

/** @typedef {{ re: Float64Array, im: Float64Array }} Spectrum  `(width, height // 2 + 1)` */
