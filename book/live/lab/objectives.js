/** What generator and critic each minimise: the equations of `companion.objectives`, with their gradients by hand. */

import { sigmoid, softplus } from "./portable.js";

/**
 * @typedef {object} Objective
 * @property {string} name
 * @property {boolean} classifies whether the scores are logits, so that a sigmoid makes them probabilities
 * @property {"adam" | "rmsprop"} optimiser
 * @property {[number, number]} betas of Adam
 * @property {number} criticSteps
 * @property {number} rate the one its paper recommends
 * @property {boolean} clips
 * @property {((norm: number) => number) | null} excess how far a slope is from what the penalty asks; null without one
 * @property {(real: Float64Array, fake: Float64Array, toReal: Float64Array, toFake: Float64Array) => number} criticLoss
 * @property {(fake: Float64Array, toFake: Float64Array) => number} generatorLoss
 * @property {{ name: string, most: number | null, of: (loss: number) => number }} claim what the critic's loss says of the distance
 */

/**
 * The mean of a term over scores, and its slope at each of them.
 * @param {Float64Array} scores @param {Float64Array} slopes
 * @param {(score: number) => number} term @param {(score: number) => number} slope
 */
function mean(scores, slopes, term, slope) {
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    sum += term(scores[i]);
    slopes[i] = slope(scores[i]) / scores.length;
  }
  return sum / scores.length;
}

const less = (/** @type {number} */ s) => -s;
const one = () => 1;
const minusOne = () => -1;

/** −E[log D(x)] − E[log(1 − D(G(z)))], equation 1 of Goodfellow et al. 2014. @type {Objective["criticLoss"]} */
const classify = (real, fake, toReal, toFake) =>
  mean(
    real,
    toReal,
    (s) => softplus(-s),
    (s) => -sigmoid(-s),
  ) + mean(fake, toFake, softplus, sigmoid);

/** E[f(G(z))] − E[f(x)]. @type {Objective["criticLoss"]} */
const difference = (real, fake, toReal, toFake) =>
  mean(fake, toFake, (s) => s, one) + mean(real, toReal, less, minusOne);

/** A perfect discriminator's loss is 2 log 2 − 2 JSD. */
const JENSEN_SHANNON = {
  name: "Jensen–Shannon divergence",
  most: Math.LN2,
  of: (/** @type {number} */ loss) => Math.LN2 - loss / 2,
};
const EARTH_MOVER = { name: "earth mover’s distance", most: null, of: less };

const classifier = {
  classifies: true,
  optimiser: /** @type {const} */ ("adam"),
  betas: /** @type {[number, number]} */ ([0.5, 0.999]),
  criticSteps: 1,
  rate: 2e-4,
  clips: false,
  excess: null,
  criticLoss: classify,
  claim: JENSEN_SHANNON,
};
const critic = {
  classifies: false,
  criticSteps: 5,
  criticLoss: difference,
  /** −E[f(G(z))]. @type {Objective["generatorLoss"]} */
  generatorLoss: (fake, toFake) => mean(fake, toFake, less, minusOne),
  claim: EARTH_MOVER,
};
const penalised = {
  ...critic,
  optimiser: /** @type {const} */ ("adam"),
  betas: /** @type {[number, number]} */ ([0, 0.9]),
  rate: 1e-4,
  clips: false,
};

/** @satisfies {Record<string, Objective>} */
export const OBJECTIVES = {
  /** Goodfellow et al. 2014, equation 1: the generator minimises E[log(1 − D(G(z)))]. */
  minimax: {
    ...classifier,
    name: "minimax",
    generatorLoss: (/** @type {Float64Array} */ fake, /** @type {Float64Array} */ toFake) =>
      mean(
        fake,
        toFake,
        (s) => -softplus(s),
        (s) => -sigmoid(s),
      ),
  },
  /** The same, section 3: the generator minimises −E[log D(G(z))]. */
  nonsaturating: {
    ...classifier,
    name: "non-saturating",
    generatorLoss: (/** @type {Float64Array} */ fake, /** @type {Float64Array} */ toFake) =>
      mean(
        fake,
        toFake,
        (s) => softplus(-s),
        (s) => -sigmoid(-s),
      ),
  },
  /** Mao et al. 2017, equation 9: ½ E[(D(x) − 1)²] + ½ E[D(G(z))²], and ½ E[(D(G(z)) − 1)²]. */
  leastsquares: {
    ...classifier,
    name: "least squares",
    classifies: false,
    criticLoss: (
      /** @type {Float64Array} */ real,
      /** @type {Float64Array} */ fake,
      /** @type {Float64Array} */ toReal,
      /** @type {Float64Array} */ toFake,
    ) =>
      mean(
        real,
        toReal,
        (s) => 0.5 * (s - 1) * (s - 1),
        (s) => s - 1,
      ) +
      mean(
        fake,
        toFake,
        (s) => 0.5 * s * s,
        (s) => s,
      ),
    generatorLoss: (/** @type {Float64Array} */ fake, /** @type {Float64Array} */ toFake) =>
      mean(
        fake,
        toFake,
        (s) => 0.5 * (s - 1) * (s - 1),
        (s) => s - 1,
      ),
    /** At the best critic, p / (p + q), the loss is ½ ∫ pq / (p + q), so this is ½ ∫ (p − q)² / (p + q). */
    claim: { name: "triangular discrimination", most: 1, of: (/** @type {number} */ loss) => 1 - 4 * loss },
  },
  /** Arjovsky et al. 2017, algorithm 1. */
  clipped: {
    ...critic,
    name: "Wasserstein, clipped",
    optimiser: /** @type {const} */ ("rmsprop"),
    betas: /** @type {[number, number]} */ ([0, 0]),
    rate: 5e-5,
    clips: true,
    excess: null,
  },
  /** Gulrajani et al. 2017, equation 3: λ E[(‖∇f(x̂)‖ − 1)²]. */
  twosided: {
    ...penalised,
    name: "Wasserstein, penalty on two sides",
    excess: (/** @type {number} */ norm) => norm - 1,
  },
  /** The same, section 4: only slopes above 1 are fined. */
  onesided: {
    ...penalised,
    name: "Wasserstein, penalty on one side",
    excess: (/** @type {number} */ norm) => Math.max(0, norm - 1),
  },
};

/** @typedef {keyof typeof OBJECTIVES} ObjectiveName */
