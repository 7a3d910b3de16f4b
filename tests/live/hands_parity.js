// What the page makes of numbers that Python gives: JSON in, JSON out. node hands_parity.js < wishes.json
import { readFileSync } from "node:fs";
import { fingersUp, pinch, pinchSwitch, RULES, shape } from "../../book/live/hands/gestures.js";
import { amplitude, Knob, SETTINGS } from "../../book/live/hands/knob.js";
import { OneEuroFilter } from "../../book/live/hands/smoothing.js";
import { heard, pitches, sound, wav } from "../../book/live/hands/sonify.js";
import { chord } from "../../book/live/hands/tunes.js";

const answers = {
  constants: () => ({ rules: RULES, settings: SETTINGS }),
  hands: ({ hands }) => {
    const closed = pinchSwitch();
    return hands.map((hand) => ({
      ...{ shape: shape(hand), pinch: pinch(hand), up: fingersUp(hand), closed: closed.next(pinch(hand)) },
    }));
  },
  filter: ({ values, moments, settings }) => {
    const filter = new OneEuroFilter(...settings);
    return values.map((value, place) => filter.next(value, moments[place]));
  },
  knob: ({ level, settings, pinches, moments }) => {
    const knob = new Knob(level, settings);
    return pinches.map((pinched, place) => {
      const turn = knob.turn(pinched, moments[place]);
      return { ...turn, amplitude: amplitude(turn.level) };
    });
  },
  chord: () => [...chord()],
  pitches: ({ rows }) => pitches(rows),
  heard: ({ pixels, columns }) => [...heard(pixels, columns).light],
  sound: ({ pixels, seconds }) => {
    const waves = sound(pixels, seconds);
    return { waves: waves.map((channel) => [...channel]), wav: Buffer.from(wav(waves)).toString("base64") };
  },
};

const { what, ...about } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(answers[what](about)));
