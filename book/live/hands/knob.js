/** From pinches to levels: the knob of `companion.vision.volume` in the page, number for number. */

import { HoldToLock, OneEuroFilter } from "./smoothing.js";

/** The factor on a sound's samples for a level, its cube, as PulseAudio has it. @param {number} level */
export const amplitude = (level) => level ** 3;

export const SETTINGS = {
  closed: 0.55, // hand-widths between thumb and index finger: silence
  opened: 1.5, // hand-widths: as loud as it gets
  loudest: 1, // level that is never passed
  rise: 0.4, // levels a second upwards, at most: nobody is startled
  fall: 2, // levels a second downwards, at most
  play: 0.03, // levels: a smaller change of the hand is trembling
  hold: 1.5, // seconds of holding still that lock the knob
  still: 0.06, // hand-widths: what counts as holding still
  gone: 0.5, // seconds without a hand that free it again
};
const LONGEST_STEP = 0.2; // seconds: a camera that hung for a while is no leave to jump

/** @typedef {{ seconds: number, level: number, locked: boolean, pinch: number | null }} Turn */

export class Knob {
  /** @param {number} level to begin with @param {Partial<typeof SETTINGS>} [settings] */
  constructor(level, settings = {}) {
    this.settings = { ...SETTINGS, ...settings };
    this.level = level;
    this.wanted = level;
    this.smooth = new OneEuroFilter(1, 2);
    this.lock = new HoldToLock(this.settings.hold, this.settings.still);
    /** @type {number | null} the last moment with a hand */
    this.seen = null;
    this.last = 0;
  }

  /** After a pinch of so many hand-widths, or null where no hand is seen. @param {number | null} distance @param {number} seconds @returns {Turn} */
  turn(distance, seconds) {
    let step = seconds - this.last;
    this.last = seconds;
    if (distance === null) {
      if (this.seen !== null && seconds - this.seen > this.settings.gone) this.seen = null;
      return { seconds, level: this.level, locked: this.lock.locked !== null, pinch: null };
    }
    if (this.seen === null) {
      this.smooth.reset(); // a new hand: nothing moves before its second picture
      this.lock.reset();
      step = 0;
    }
    const pinch = this.smooth.next(distance, seconds);
    if (this.lock.locked === null) {
      this.want(pinch);
      this.move(step);
      if (this.level === this.wanted) this.lock.next(pinch, seconds);
    }
    this.seen = seconds;
    return { seconds, level: this.level, locked: this.lock.locked !== null, pinch };
  }

  /** @param {number} pinch */
  want(pinch) {
    const { closed, opened, loudest, play } = this.settings;
    const share = Math.min(1, Math.max(0, (pinch - closed) / (opened - closed)));
    const wanted = share * loudest;
    if (Math.abs(wanted - this.wanted) > play || share === 0 || share === 1) this.wanted = wanted;
  }

  /** @param {number} step */
  move(step) {
    const time = Math.min(step, LONGEST_STEP);
    const { fall, rise } = this.settings;
    this.level = Math.min(Math.max(this.wanted, this.level - fall * time), this.level + rise * time);
  }
}
