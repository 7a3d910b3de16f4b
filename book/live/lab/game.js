/**
 * One run of the game: two networks, whose turn it is, and all that can be seen of them.
 *
 * It goes as `companion.training.AdversarialTrainer` goes: a step is one turn of the generator after some of the
 * critic's, each on latents of its own, and each of the critic's on a batch of its own. Everything random is a function
 * of the seed and a count, so looking at a run never changes it, and a stored run goes on as if it had never stopped.
 */

import { DISTRIBUTIONS, drawn, points, REACH, read } from "./data.js";
import { coverage, earthMoversDistance, histogram } from "./metrics.js";
import { Network, Pass } from "./network.js";
import { OBJECTIVES } from "./objectives.js";
import { Adam, Descent, RMSprop } from "./optimisers.js";
import { sigmoid } from "./portable.js";
import { stream } from "./random.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./settings.js").Event} Event */
/** @typedef {import("./settings.js").LiveSetting} LiveSetting */
/** @typedef {"critic" | "generator"} Player */
/**
 * What a turn did; scores and losses are means over its batch, before the player learnt from it.
 * @typedef {object} Report
 * @property {Player} player
 * @property {number} loss without the penalty
 * @property {number} penalty
 * @property {number} real mean score of the real batch; of the last one where the generator had its turn
 * @property {number} fake
 */
/** @typedef {{ step: number, criticLoss: number, generatorLoss: number, claim: number, distance: number, reached: number, of: number }} Moment */
/** @typedef {{ settings: Settings, events: Event[], counts: number[], moments: Moment[], sums: number[], last: number[], parameters: Float64Array[], slots: Float64Array[] }} State */

export const SHOWN = 256; // points that are drawn
export const MEASURED = 200; // points of each kind for the earth mover's distance
const COUNTED = 1000; // fakes among which modes are looked for
export const EVERY = 20; // steps between two moments of the record
export const GRID = 48; // the critic is asked on so many by so many places
export const MESH = 25; // lines of the generator's manifold

/** What a run hands to a loop that brings its own numbers, as the parity test does. */
/** @typedef {{ real(index: number): Float64Array, latents(index: number): Float64Array, along(index: number): Float64Array }} Source */

export class Game {
  /** @param {Settings} settings @param {Source} [source] of batches, latents and ε instead of the seed's own */
  constructor(settings, source) {
    this.settings = { ...settings };
    this.objective = /** @type {import("./objectives.js").Objective} */ (OBJECTIVES[settings.objective]);
    const dabs = settings.data === "drawn" ? read(settings.drawing) : [];
    this.data = settings.data === "drawn" ? drawn(dabs.length > 0 ? dabs : [[0, 0]]) : DISTRIBUTIONS[settings.data];
    const { seed, latents, width, criticWidth, depth, batch } = settings;
    const hidden = (/** @type {number} */ size) => Array.from({ length: depth }, () => size);
    this.generator = new Network([latents, ...hidden(width), 2]).draw(seed, "generator");
    this.critic = new Network([2, ...hidden(criticWidth), 1]).draw(seed, "critic");
    this.generatorOptimiser = this.#optimiser(this.generator);
    this.criticOptimiser = this.#optimiser(this.critic);
    this.source = source ?? {
      real: (index) => points(this.data, stream(seed, "data", index), batch),
      latents: (index) => this.drawLatents("latents", index, batch),
      along: (index) => filled(batch, stream(seed, "penalty", index).uniform),
    };
    this.turn = 0; // turns made, of both
    this.criticTurns = 0;
    this.step = 0; // turns of the generator
    this.made = 0; // the critic's turns since then
    /** @type {Event[]} */
    this.events = [];
    /** @type {Moment[]} */
    this.moments = [];
    this.sums = [0, 0, 0, 0]; // losses and turns since the last moment: critic's, generator's
    this.last = [0, 0]; // mean scores, real and fake, in the last turns
    /** @type {Float64Array[]} */
    this.heard = [new Float64Array(1), new Float64Array(1)]; // those scores, until the next turn
    /** @type {Map<string, Pass>} */
    this.passes = new Map();
    this.criticGradient = new Float64Array(this.critic.count);
    this.generatorGradient = new Float64Array(this.generator.count);
    this.shown = points(this.data, stream(seed, "shown"), SHOWN);
    this.shownLatents = this.drawLatents("shown latents", 0, SHOWN);
  }

  /** Whose turn it is. @returns {Player} */
  get due() {
    return this.made < this.settings.criticSteps ? "critic" : "generator";
  }

  /** One turn: of whom it is due, or of the player that is sent. @param {Player} [player] @returns {Report} */
  advance(player) {
    const due = this.due;
    if (player !== undefined && player !== due) this.#outOfTurn(player);
    const report = (player ?? due) === "critic" ? this.#criticTurn() : this.#generatorTurn();
    this.turn++;
    if (report.player === "generator" && (this.step % EVERY === 0 || this.step === 1))
      this.moments.push(this.#moment());
    return report;
  }

  /** Turns up to and with the generator's next. @returns {Report} the generator's */
  advanceStep() {
    for (;;) {
      const report = this.advance();
      if (report.player === "generator") return report;
    }
  }

  /** Change a setting from the next turn on. @param {LiveSetting} name @param {number} value */
  change(name, value) {
    if (this.settings[name] === value) return;
    const last = this.events.at(-1);
    if (last?.name === name && last.turn === this.turn) last.value = value;
    else this.events.push({ turn: this.turn, name, value });
    this.settings[name] = value;
  }

  /** Whether a weight is no longer a number, or a score no longer finite; nothing recovers from that. */
  get lost() {
    return ![...this.last, this.critic.parameters[0], this.generator.parameters[0]].every(Number.isFinite);
  }

  // ---- turns ----

  #criticTurn() {
    const { objective, critic, criticGradient, settings } = this;
    const index = this.criticTurns++;
    this.made++;
    const real = this.source.real(index);
    const fake = this.#passOf(this.generator, real.length / 2, "draw").forward(this.source.latents(this.turn));
    const count = real.length / 2;
    const both = new Float64Array(4 * count);
    both.set(real);
    both.set(fake, 2 * count);
    const gradients = critic.split(criticGradient.fill(0));
    const pass = this.#passOf(critic, 2 * count, "learn");
    const scores = pass.forward(both);
    const slopes = new Float64Array(2 * count);
    const [realScores, fakeScores] = halves(scores);
    const loss = objective.criticLoss(realScores, fakeScores, ...halves(slopes));
    this.last = [average(realScores), average(fakeScores)];
    this.heard = [realScores, fakeScores];
    pass.backward(slopes, gradients);
    const penalty = objective.excess ? this.#penalty(real, fake, index, gradients) : 0;
    this.criticOptimiser.step(critic.parameters, criticGradient, settings.criticRate);
    if (objective.clips) clip(critic.parameters, settings.clip);
    this.sums[0] += loss;
    this.sums[1]++;
    return this.#report("critic", loss, penalty);
  }

  #generatorTurn() {
    const { settings, generatorGradient } = this;
    const latents = this.source.latents(this.turn);
    const count = latents.length / settings.latents;
    const pass = this.#passOf(this.generator, count, "learn");
    const judge = this.#passOf(this.critic, count, "judge");
    const scores = judge.forward(pass.forward(latents));
    const slopes = new Float64Array(count);
    const loss = this.objective.generatorLoss(scores, slopes);
    this.last[1] = average(scores);
    this.heard[1] = scores;
    pass.backward(judge.backward(slopes, null), this.generator.split(generatorGradient.fill(0)));
    this.generatorOptimiser.step(this.generator.parameters, generatorGradient, settings.generatorRate);
    this.made = 0;
    this.step++;
    this.sums[2] += loss;
    this.sums[3]++;
    return this.#report("generator", loss, 0);
  }

  /** λ · E[excess(‖∇f(x̂)‖)²], x̂ on the line from each real point to its fake. @param {Float64Array} real @param {Float64Array} fake @param {number} index @param {import("./network.js").Layer[]} gradients */
  #penalty(real, fake, index, gradients) {
    const excess = /** @type {(norm: number) => number} */ (this.objective.excess);
    const count = real.length / 2;
    const pass = this.#passOf(this.critic, count, "penalty");
    pass.forward(between(real, fake, this.source.along(index)));
    const slopes = pass.inputSlopes();
    const outer = new Float64Array(2 * count);
    let sum = 0;
    for (let i = 0; i < 2 * count; i += 2) {
      const norm = Math.sqrt(slopes[i] * slopes[i] + slopes[i + 1] * slopes[i + 1]);
      const beyond = excess(norm);
      sum += beyond * beyond;
      const factor = norm > 0 ? (this.settings.weight * 2 * beyond) / norm / count : 0; // a norm is flat at zero
      outer[i] = factor * slopes[i];
      outer[i + 1] = factor * slopes[i + 1];
    }
    pass.slopesBackward(outer, gradients);
    return (this.settings.weight * sum) / count;
  }

  /** @param {Player} player @param {number} loss @param {number} penalty @returns {Report} */
  #report(player, loss, penalty) {
    return { player, loss, penalty, real: this.last[0], fake: this.last[1] };
  }

  /** @param {Player} player */
  #outOfTurn(player) {
    const last = this.events.at(-1);
    if (last?.name === player && last.turn + last.value === this.turn) last.value++;
    else this.events.push({ turn: this.turn, name: player, value: 1 });
  }

  // ---- what can be seen ----

  /** @param {string} purpose @param {number} index @param {number} count */
  drawLatents(purpose, index, count) {
    const draw = stream(this.settings.seed, purpose, index);
    const one = this.settings.noise === "normal" ? draw.normal : () => 2 * draw.uniform() - 1;
    return filled(count * this.settings.latents, one);
  }

  /** Fakes of the latents that are always shown, `(SHOWN, 2)`. */
  fakes() {
    return this.#passOf(this.generator, SHOWN, "show").forward(this.shownLatents).slice();
  }

  /** Fresh fakes that no turn has seen, `(count, 2)`. @param {number} count @param {number} [index] */
  sample(count, index = this.step) {
    return this.#passOf(this.generator, count, "sample")
      .forward(this.drawLatents("sample", index, count))
      .slice();
  }

  /** Exact distance and coverage now, on samples of their own. @returns {{ distance: number, reached: number, of: number }} */
  measure() {
    const real = points(this.data, stream(this.settings.seed, "measure", this.step), MEASURED);
    const fakes = this.sample(COUNTED);
    return { distance: earthMoversDistance(real, fakes.slice(0, 2 * MEASURED)), ...coverage(this.data, fakes, real) };
  }

  /** The distance between two samples of the data itself, mean of eight: what no generator can get below. */
  floor() {
    const sample = (/** @type {number} */ index) =>
      points(this.data, stream(this.settings.seed, "floor", index), MEASURED);
    const distances = Array.from({ length: 8 }, (_, k) => earthMoversDistance(sample(2 * k), sample(2 * k + 1)));
    return average(distances);
  }

  /** @returns {Moment} */
  #moment() {
    const [critic, criticTurns, generator, steps] = this.sums;
    this.sums = [0, 0, 0, 0];
    const criticLoss = critic / criticTurns;
    const claim = this.objective.claim.of(criticLoss);
    return { step: this.step, criticLoss, generatorLoss: generator / steps, claim, ...this.measure() };
  }

  /** The critic's scores on a net of places, rows from the top, `(GRID, GRID)`. */
  scores() {
    const places = new Float64Array(2 * GRID * GRID);
    for (let row = 0, at = 0; row < GRID; row++) {
      for (let column = 0; column < GRID; column++) {
        places[at++] = (column / (GRID - 1)) * 2 * REACH - REACH;
        places[at++] = REACH - (row / (GRID - 1)) * 2 * REACH;
      }
    }
    return this.#passOf(this.critic, GRID * GRID, "net")
      .forward(places)
      .slice();
  }

  /** Where each shown fake is pushed: minus its own loss's slope, `(SHOWN, 2)`. @param {Float64Array} fakes */
  pushes(fakes) {
    const pass = this.#passOf(this.critic, SHOWN, "show");
    const scores = pass.forward(fakes);
    const slopes = new Float64Array(SHOWN);
    this.objective.generatorLoss(scores, slopes);
    return pass.backward(slopes, null).map((slope) => -slope * SHOWN);
  }

  /** The latent plane's net as the generator draws it: `(MESH, MESH, 2)`; for one latent, `(MESH · MESH, 2)` along a line. */
  mesh() {
    const { latents, noise } = this.settings;
    const edge = noise === "normal" ? 2.4 : 1;
    const total = MESH * MESH;
    const places = new Float64Array(total * latents); // where there are more than two latents, the others stay at zero
    for (let i = 0; i < total; i++) {
      if (latents === 1) places[i] = edge * ((2 * i) / (total - 1) - 1);
      else {
        places[i * latents] = edge * ((2 * (i % MESH)) / (MESH - 1) - 1);
        places[i * latents + 1] = edge * ((2 * Math.floor(i / MESH)) / (MESH - 1) - 1);
      }
    }
    return this.#passOf(this.generator, total, "mesh").forward(places).slice();
  }

  /** ‖∇f‖ at a place between each shown real point and its fake, `(SHOWN,)`. @param {Float64Array} fakes */
  slopes(fakes) {
    const along = filled(SHOWN, stream(this.settings.seed, "shown between").uniform);
    const pass = this.#passOf(this.critic, SHOWN, "show");
    pass.forward(between(this.shown, fakes, along));
    const slopes = pass.inputSlopes();
    return Float64Array.from({ length: SHOWN }, (_, i) => Math.sqrt(slopes[2 * i] ** 2 + slopes[2 * i + 1] ** 2));
  }

  /** Share of the critic's weights, biases too, within a hundredth of a wall. */
  shareAtWalls() {
    const wall = 0.99 * this.settings.clip;
    return average(Array.from(this.critic.parameters, (weight) => (Math.abs(weight) >= wall ? 1 : 0)));
  }

  /** The critic's weights in bins, from −most to most. @param {number} most @param {number} bins */
  weights(most, bins) {
    return histogram(this.critic.parameters, -most, most, bins);
  }

  /** What the critic believed of real and fake in the last turns, on average: probabilities where it classifies, else scores. @returns {[number, number]} */
  believed() {
    const { classifies } = this.objective;
    const [real, fake] = this.heard.map((scores) => average(classifies ? scores.map(sigmoid) : scores));
    return [real, fake];
  }

  // ---- keeping ----

  /** All that the run is. @returns {State} */
  save() {
    const { generatorOptimiser, criticOptimiser } = this;
    return structuredClone({
      settings: this.settings,
      events: this.events,
      counts: [this.turn, this.criticTurns, this.step, this.made, generatorOptimiser.updates, criticOptimiser.updates],
      moments: this.moments,
      sums: this.sums,
      last: this.last,
      parameters: [this.generator.parameters, this.critic.parameters],
      slots: [...generatorOptimiser.slots, ...criticOptimiser.slots],
    });
  }

  /** The run that `save` gave, as it was. @param {State} state */
  static restore(state) {
    const game = new Game(state.settings);
    const copy = structuredClone(state);
    [game.turn, game.criticTurns, game.step, game.made] = copy.counts;
    [game.generatorOptimiser.updates, game.criticOptimiser.updates] = copy.counts.slice(4);
    game.events = copy.events;
    game.moments = copy.moments;
    game.sums = copy.sums;
    game.last = copy.last;
    const kept = [...game.#arrays()];
    [...copy.parameters, ...copy.slots].forEach((numbers, place) => {
      kept[place].set(numbers);
    });
    return game;
  }

  /**
   * A run from its link: played again from its first turn, event by event; pauses after each turn.
   * @param {import("./settings.js").Run} run @returns {Generator<Game, Game>}
   */
  static *replay({ settings, events, turn }) {
    const game = new Game(settings);
    let next = 0;
    let forced = 0;
    /** @type {Player | undefined} */
    let player;
    while (game.turn < turn) {
      if (forced === 0) player = undefined;
      while (next < events.length && events[next].turn <= game.turn) {
        const { name, value } = events[next++];
        if (name === "critic" || name === "generator") [player, forced] = [name, value];
        else game.change(name, value);
      }
      game.advance(forced > 0 ? player : undefined);
      if (forced > 0) forced--;
      yield game;
    }
    for (const { name, value } of events.slice(next)) {
      if (name !== "critic" && name !== "generator") game.change(name, value);
    }
    return game;
  }

  /** Eight hexadecimal digits that every bit of both networks has a hand in (FNV-1a). */
  fingerprint() {
    let hash = 0x811c9dc5;
    const view = new DataView(new ArrayBuffer(8));
    for (const numbers of [this.generator.parameters, this.critic.parameters]) {
      for (const number of numbers) {
        view.setFloat64(0, number);
        hash = Math.imul(hash ^ view.getUint32(0), 0x01000193);
        hash = Math.imul(hash ^ view.getUint32(4), 0x01000193);
      }
    }
    return (hash >>> 0).toString(16).padStart(8, "0");
  }

  *#arrays() {
    yield this.generator.parameters;
    yield this.critic.parameters;
    yield* this.generatorOptimiser.slots;
    yield* this.criticOptimiser.slots;
  }

  /** @param {Network} network */
  #optimiser(network) {
    const { settings, objective } = this;
    const name = settings.optimiser === "own" ? objective.optimiser : settings.optimiser;
    if (name === "rmsprop") return new RMSprop(network.count);
    if (name === "descent") return new Descent();
    const [first, second] = objective.optimiser === "adam" ? objective.betas : [0.9, 0.999];
    return new Adam(network.count, first, second);
  }

  /** Buffers, one for each use. @param {Network} network @param {number} count @param {string} use */
  #passOf(network, count, use) {
    const key = `${network === this.critic ? "critic" : "generator"} ${use} ${count}`;
    let pass = this.passes.get(key);
    if (pass === undefined) {
      pass = new Pass(network, count);
      this.passes.set(key, pass);
    }
    return pass;
  }
}

/** Both halves of an array, over the same numbers. @param {Float64Array} both @returns {[Float64Array, Float64Array]} */
function halves(both) {
  const middle = both.length / 2;
  return [both.subarray(0, middle), both.subarray(middle)];
}

/** @param {ArrayLike<number>} numbers */
function average(numbers) {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i];
  return sum / numbers.length;
}

/** @param {number} count @param {() => number} one */
function filled(count, one) {
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = one();
  return numbers;
}

/** x̂ = x + ε (x̃ − x), one ε for each pair. @param {Float64Array} real @param {Float64Array} fake @param {Float64Array} along */
function between(real, fake, along) {
  const places = new Float64Array(real.length);
  for (let i = 0; i < real.length; i++) places[i] = real[i] + along[i >> 1] * (fake[i] - real[i]);
  return places;
}

/** @param {Float64Array} weights @param {number} bound */
function clip(weights, bound) {
  for (let i = 0; i < weights.length; i++) weights[i] = Math.min(bound, Math.max(-bound, weights[i]));
}
