/** What there is to turn up and down: the soft chord of `companion.vision.browser`, and a tune. */

export const RATE = 16_000;

/** Three soft tones that can be repeated without a click: each fits a whole number of times. */
export function chord(seconds = 2) {
  const waves = new Float32Array(Math.round(seconds * RATE));
  const turns = [220, 277, 330].map((hertz) => (2 * Math.PI * hertz) / RATE);
  for (let place = 0; place < waves.length; place++) {
    waves[place] = (turns.reduce((sum, turn) => sum + Math.sin(turn * place), 0) / 3) * 0.5;
  }
  return waves;
}

const BEAT = 0.5; // seconds
const LOUDEST = 0.5; // as the chord
const MELODY = "E E F G G F E D C C D E E1.5 D.5 D2 E E F G G F E D C C D E D1.5 C.5 C2"; // beats, if not one
const BASS = "C2 G2 C2 G2 C2 C2 C2 G2 C2 G2 C2 G2 C2 C2 G2 C2";
const HERTZ = /** @type {Record<string, number>} */ ({ C: 261.63, D: 293.66, E: 329.63, F: 349.23, G: 392 });
const BASS_HERTZ = /** @type {Record<string, number>} */ ({ C: 130.81, G: 98 });
const SWELL = 0.015; // seconds
const FADE = 0.7; // seconds until a note has faded to about a third

/** The Ode to Joy, by Beethoven, on soft bells; it begins again without a click. */
export function ode() {
  const voices = /** @type {[string, Record<string, number>, number][]} */ ([
    [MELODY, HERTZ, 1],
    [BASS, BASS_HERTZ, 0.6],
  ]);
  const all = voices.map(([score, hertz, loudness]) => notes(score, hertz, loudness));
  const beats = Math.max(...all.flat().map(({ end }) => end));
  const waves = new Float32Array(Math.round(beats * BEAT * RATE));
  for (const { hertz, begin, loudness } of all.flat()) ring(waves, hertz, begin * BEAT, loudness);
  const loudest = waves.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return waves.map((value) => (value * LOUDEST) / loudest);
}

/** @param {string} score @param {Record<string, number>} hertz @param {number} loudness */
function notes(score, hertz, loudness) {
  let begin = 0;
  return score.split(" ").map((note) => {
    const one = { hertz: hertz[note[0]], begin, end: begin + Number(note.slice(1) || 1), loudness };
    begin = one.end;
    return one;
  });
}

/** A bell from a moment on; what rings beyond the end rings at the beginning. @param {Float32Array} waves @param {number} hertz @param {number} begin @param {number} loudness */
function ring(waves, hertz, begin, loudness) {
  const first = Math.round(begin * RATE);
  for (let place = 0; place < 4 * FADE * RATE; place++) {
    const time = place / RATE;
    const swell = Math.min(1, time / SWELL) * Math.exp(-time / FADE);
    const turn = 2 * Math.PI * hertz * time;
    waves[(first + place) % waves.length] += loudness * swell * (Math.sin(turn) + 0.25 * Math.sin(2 * turn));
  }
}
