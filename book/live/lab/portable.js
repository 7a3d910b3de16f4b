/**
 * Exponential, logarithm, sine and cosine from sums and products alone.
 *
 * A browser may compute `Math.exp` and its kind to any last digit it likes, and training magnifies a last digit into
 * another run. Sums, products, quotients and square roots are exact by IEEE 754 everywhere: so is what is made of them.
 */

const LN2_HIGH = 0.6931471803691238; // its last bits are zero, so that a small integer times it is exact
const LN2_LOW = 1.9082149292705877e-10;
const QUARTER_HIGH = 1.5707963267341256; // π/2, in two parts likewise
const QUARTER_LOW = 6.0771005065061922e-11;

const FARTHEST = 600; // 2^600 · 2^600 is beyond all doubles
const POWERS = new Float64Array(2 * FARTHEST + 1);
POWERS[FARTHEST] = 1;
for (let k = 1; k <= FARTHEST; k++) {
  POWERS[FARTHEST + k] = 2 * POWERS[FARTHEST + k - 1];
  POWERS[FARTHEST - k] = POWERS[FARTHEST - k + 1] / 2;
}

/** eˣ = 2ᵏ · eʳ with |r| ≤ ½ ln 2, where fourteen terms of the series are exact to the last bit or two. @param {number} x */
export function exp(x) {
  if (!(x < 710)) return x + Number.POSITIVE_INFINITY; // which leaves what is not a number as it is
  if (x < -746) return 0;
  const k = Math.floor(x / Math.LN2 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let n = 14; n > 0; n--) sum = 1 + (r / n) * sum;
  const half = k >> 1;
  return sum * POWERS[FARTHEST + half] * POWERS[FARTHEST + k - half];
}

const bytes = new DataView(new ArrayBuffer(8));

/** ln x of a normal positive number: m · 2ᵏ with m near 1, and ln m = 2 artanh((m − 1) / (m + 1)). @param {number} x */
export function log(x) {
  bytes.setFloat64(0, x);
  const head = bytes.getUint32(0);
  let k = (head >>> 20) - 1023;
  bytes.setUint32(0, (head & 0xfffff) | 0x3ff00000);
  let m = bytes.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 0;
  for (let n = 23; n > 1; n -= 2) sum = square * (1 / n + sum);
  return k * LN2_HIGH + (2 * s * (1 + sum) + k * LN2_LOW);
}

/** ln(1 + x) for x ≥ 0, right for small x too: what rounding took from 1 + x is put back by the quotient. @param {number} x */
export function log1p(x) {
  const sum = 1 + x;
  return sum === 1 ? x : log(sum) * (x / (sum - 1));
}

/** ln(1 + eˣ), which never overflows. @param {number} x */
export function softplus(x) {
  return Math.max(x, 0) + log1p(exp(-Math.abs(x)));
}

/** 1 / (1 + e⁻ˣ). @param {number} x */
export function sigmoid(x) {
  if (x >= 0) return 1 / (1 + exp(-x));
  const e = exp(x);
  return e / (1 + e);
}

/** Cosine and sine of an angle of a few turns. @param {number} angle @returns {[number, number]} */
export function circle(angle) {
  const k = Math.floor(angle / (Math.PI / 2) + 0.5);
  const r = angle - k * QUARTER_HIGH - k * QUARTER_LOW;
  let cosine = 1;
  let sine = 1;
  for (let n = 16; n > 0; n -= 2) {
    cosine = 1 - ((r * r) / (n * (n - 1))) * cosine;
    sine = 1 - ((r * r) / (n * (n + 1))) * sine;
  }
  sine *= r;
  const turns = ((k % 4) + 4) % 4;
  if (turns === 0) return [cosine, sine];
  if (turns === 1) return [-sine, cosine];
  if (turns === 2) return [-cosine, -sine];
  return [sine, -cosine];
}
