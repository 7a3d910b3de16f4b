/** Sound that a reader asked for: it starts on a press only, and is never louder than half of what the machine plays. */

const MOST = 0.5; // on the samples
const GLIDE = 0.02; // seconds in which the volume follows, so that it does not click

export class Speaker {
  constructor() {
    /** @type {AudioContext | undefined} */
    this.context = undefined;
    /** @type {GainNode | undefined} */
    this.gain = undefined;
    /** @type {AudioBufferSourceNode | undefined} */
    this.source = undefined;
    this.began = 0;
    this.factor = 0;
  }

  get playing() {
    return !!this.source;
  }

  /** Seconds since the sound began, as it is heard. */
  get seconds() {
    return this.context ? Math.max(0, this.context.currentTime - this.began) : 0;
  }

  /** How loud, 0 to 1, on the samples. */
  get amplitude() {
    return this.factor;
  }

  set amplitude(factor) {
    this.factor = Math.min(1, Math.max(0, factor));
    if (this.context) this.gain?.gain.setTargetAtTime(MOST * this.factor, this.context.currentTime, GLIDE);
  }

  /**
   * Play channels, once or again and again; what plays now ends.
   *
   * @param {Float32Array<ArrayBuffer>[]} channels
   * @param {number} rate
   * @param {{ loop?: boolean, onEnd?: () => void }} [options]  `onEnd` is called when it has been played to its end.
   * @throws {Error} One sentence where no sound can be made.
   */
  play(channels, rate, { loop = false, onEnd = () => {} } = {}) {
    this.stop();
    if (typeof AudioContext === "undefined") throw new Error("This browser can make no sound in a page.");
    this.context ??= new AudioContext();
    this.context.resume().catch(() => {}); // it stays silent, which the reader hears
    if (!this.gain) {
      this.gain = this.context.createGain();
      this.gain.gain.value = MOST * this.factor;
      this.gain.connect(this.context.destination);
    }
    const buffer = this.context.createBuffer(channels.length, channels[0].length, rate);
    channels.forEach((channel, place) => {
      buffer.copyToChannel(channel, place);
    });
    const source = this.context.createBufferSource();
    Object.assign(source, { buffer, loop });
    source.connect(this.gain);
    source.addEventListener("ended", () => {
      if (this.source !== source) return; // it was stopped, and perhaps another plays
      this.source = undefined;
      onEnd();
    });
    source.start();
    this.source = source;
    this.began = this.context.currentTime;
  }

  stop() {
    const { source } = this;
    this.source = undefined;
    source?.stop();
  }

  close() {
    this.stop();
    this.context?.close();
    this.context = undefined;
    this.gain = undefined;
  }
}
