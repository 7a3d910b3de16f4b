/** A run behind messages: what the worker does, apart from being a worker. */

import { Game } from "./game.js";
import { histogram } from "./metrics.js";

/** @typedef {import("./settings.js").Run} Run */
/** @typedef {import("./game.js").Moment} Moment */
/** @typedef {import("./game.js").Report} Report */
/** @typedef {import("./game.js").Player} Player */
/** @typedef {import("./picture.js").View} View */
/**
 * What the page asks. `known` is how many moments of the record it has already.
 * @typedef {{ kind: "open", run: Run }
 *   | { kind: "twin", state: import("./game.js").State }
 *   | { kind: "save" }
 *   | { kind: "change", name: import("./settings.js").LiveSetting, value: number }
 *   | { kind: "play", steps?: number, turns?: number, player?: Player, known: number, measure: boolean }} Request
 */
/**
 * All that the page shows of a run.
 * @typedef {object} Seen
 * @property {"seen"} kind
 * @property {View} view
 * @property {number} turn
 * @property {number} step
 * @property {Player} due
 * @property {number} made
 * @property {Told | null} report of the last turn
 * @property {Moment[]} moments since those that the page had
 * @property {{ distance: number, reached: number, of: number } | null} now
 * @property {number} floor
 * @property {{ counts: Float64Array, most: number, atWalls: number }} weights
 * @property {{ counts: Float64Array, most: number, median: number }} slopes
 * @property {string} fingerprint
 * @property {import("./settings.js").Event[]} events
 * @property {boolean} lost
 * @property {number} seconds that the turns took
 */
/** @typedef {Report & { believed: [number, number] }} Told a report, and the mean of what was believed of real and fake */
/** @typedef {Seen | { kind: "replaying", turn: number, of: number } | { kind: "state", state: import("./game.js").State }} Answer */

const SLICE = 30; // milliseconds after which a replay looks whether anything else is asked
const BINS = 41;

export class Host {
  /** @param {(answer: Answer) => void} answer */
  constructor(answer) {
    this.answer = answer;
    /** @type {Game | null} */
    this.game = null;
    this.opened = 0;
    this.floor = 0;
    /** @type {Report | null} */
    this.report = null;
  }

  /** @param {Request} request */
  receive(request) {
    const { game } = this;
    if (request.kind === "open") this.#open(request.run);
    else if (request.kind === "twin") this.#begin(Game.restore(request.state));
    else if (game === null) return;
    else if (request.kind === "save") this.answer({ kind: "state", state: game.save() });
    else if (request.kind === "change") game.change(request.name, request.value);
    else this.#play(game, request);
  }

  /** @param {Run} run */
  #open(run) {
    this.game = null;
    this.#replay(Game.replay(run), run, ++this.opened);
  }

  /** @param {Generator<Game, Game>} turns @param {Run} run @param {number} number */
  #replay(turns, run, number) {
    if (number !== this.opened) return; // another was asked for meanwhile
    const end = performance.now() + SLICE;
    for (;;) {
      const { value: game, done } = turns.next();
      if (done) return this.#begin(game);
      if (performance.now() < end) continue;
      this.answer({ kind: "replaying", turn: game.turn, of: run.turn });
      setTimeout(() => this.#replay(turns, run, number));
      return;
    }
  }

  /** @param {Game} game */
  #begin(game) {
    this.game = game;
    this.report = null;
    this.floor = game.floor();
    this.answer(this.#seen(game, 0, true, 0));
  }

  /** @param {Game} game @param {Extract<Request, { kind: "play" }>} request */
  #play(game, { steps = 0, turns = 0, player, known, measure }) {
    const before = performance.now();
    for (let step = 0; step < steps && !game.lost; step++) this.report = game.advanceStep();
    for (let turn = 0; turn < turns && !game.lost; turn++) this.report = game.advance(player);
    this.answer(this.#seen(game, known, measure, (performance.now() - before) / 1000));
  }

  /** @param {Game} game @param {number} known @param {boolean} measure @param {number} seconds @returns {Seen} */
  #seen(game, known, measure, seconds) {
    const { settings, objective } = game;
    const fakes = game.fakes();
    const steepness = game.slopes(fakes);
    const bound = objective.clips ? settings.clip : largest(game.critic.parameters);
    const most = objective.clips ? 1.1 * bound : roundUp(bound);
    const steepest = roundUp(Math.max(objective.excess ? 2 : 0, largest(steepness)));
    return {
      kind: "seen",
      view: {
        real: Float32Array.from(game.shown),
        fakes: Float32Array.from(fakes),
        pushes: Float32Array.from(game.pushes(fakes)),
        scores: Float32Array.from(game.scores()),
        mesh: Float32Array.from(game.mesh()),
        latents: settings.latents,
        noise: settings.noise,
        kind: objective.classifies ? "logit" : objective.claim.most === null ? "score" : "label",
      },
      turn: game.turn,
      step: game.step,
      due: game.due,
      made: game.made,
      report: this.report && { ...this.report, believed: game.believed() },
      moments: game.moments.slice(known),
      now: measure ? game.measure() : null,
      floor: this.floor,
      weights: { counts: game.weights(most, BINS), most, atWalls: objective.clips ? game.shareAtWalls() : 0 },
      slopes: {
        counts: histogram(steepness, 0, steepest, BINS),
        most: steepest,
        median: steepness.sort()[steepness.length >> 1],
      },
      fingerprint: game.fingerprint(),
      events: game.events,
      lost: game.lost,
      seconds,
    };
  }
}

/** @param {Float64Array} numbers */
function largest(numbers) {
  return numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
}

/** The next of 1, 2, 5, 10 … at or above, so that an axis seldom jumps. @param {number} number */
function roundUp(number) {
  if (!(number > 0 && number < 1e300)) return 1;
  const ten = 10 ** Math.floor(Math.log10(number));
  return ([1, 2, 5, 10].find((by) => by * ten >= number) ?? 10) * ten;
}
