/** Steady values from trembling ones: `companion.vision.smoothing` in the page, number for number. */

/** Weight of the newest value in a low-pass filter (Casiez et al. 2012). @param {number} seconds @param {number} cutoff */
export const smoothingFactor = (seconds, cutoff) => seconds / (seconds + 1 / (2 * Math.PI * cutoff));

/** Smooth while slow, prompt while fast: the one-euro filter (Casiez et al. 2012, algorithm 1). */
export class OneEuroFilter {
  /** @param {number} minCutoff hertz, at rest @param {number} slope hertz per unit of speed */
  constructor(minCutoff = 1, slope = 0, speedCutoff = 1) {
    this.minCutoff = minCutoff;
    this.slope = slope;
    this.speedCutoff = speedCutoff;
    /** @type {number | null} */
    this.value = null;
    this.speed = 0;
    this.seconds = -Infinity;
  }

  reset() {
    this.value = null;
    this.seconds = -Infinity;
  }

  /** The smoothed value at a moment; a second value for one moment changes nothing. @param {number} value @param {number} seconds */
  next(value, seconds) {
    const step = seconds - this.seconds;
    if (this.value === null) {
      this.value = value;
      this.speed = 0;
    } else if (step < 0) {
      throw new Error("The filter was given an earlier moment than its last.");
    } else if (step > 0) {
      this.speed += smoothingFactor(step, this.speedCutoff) * ((value - this.value) / step - this.speed);
      const cutoff = this.minCutoff + this.slope * Math.abs(this.speed);
      this.value += smoothingFactor(step, cutoff) * (value - this.value);
    }
    this.seconds = seconds;
    return this.value;
  }
}

/** A switch with two thresholds, so that a value trembling around one of them can't make it flutter. */
export class Hysteresis {
  /** @param {number} on @param {number} off */
  constructor(on, off, state = false) {
    this.on = on;
    this.off = off;
    this.state = state;
  }

  /** Whether the switch is on after this value. @param {number} value */
  next(value) {
    const sign = this.on > this.off ? 1 : -1;
    if (sign * value >= sign * this.on) this.state = true;
    else if (sign * value <= sign * this.off) this.state = false;
    return this.state;
  }
}

/** Whoever holds a value still for long enough locks it; it stays locked until `reset`. */
export class HoldToLock {
  /** @param {number} seconds how long to hold @param {number} tolerance in the value's own unit */
  constructor(seconds = 1, tolerance = 0.05) {
    this.seconds = seconds;
    this.tolerance = tolerance;
    /** @type {number | null} */
    this.locked = null;
    /** @type {[number, number] | null} */
    this.began = null;
  }

  reset() {
    this.locked = null;
    this.began = null;
  }

  /** The locked value, or null while nothing is locked. @param {number} value @param {number} now */
  next(value, now) {
    if (this.locked !== null) return this.locked;
    if (!this.began || Math.abs(value - this.began[0]) > this.tolerance) this.began = [value, now];
    else if (now - this.began[1] >= this.seconds) this.locked = value;
    return this.locked;
  }
}
