/** Adam, RMSprop and plain descent with torch's formulas; all that they remember is in `slots` and `updates`. */

/** @typedef {{ slots: Float64Array[], updates: number, step(parameters: Float64Array, gradient: Float64Array, rate: number): void }} Optimiser */

const TINY = 1e-8;

/** Kingma & Ba 2015, algorithm 1. @implements {Optimiser} */
export class Adam {
  /** @param {number} count of parameters @param {number} first β₁ @param {number} second β₂ */
  constructor(count, first, second) {
    this.first = first;
    this.second = second;
    this.slots = [new Float64Array(count), new Float64Array(count)];
    this.updates = 0;
  }

  /** @param {Float64Array} parameters @param {Float64Array} gradient @param {number} rate */
  step(parameters, gradient, rate) {
    const [means, squares] = this.slots;
    const { first, second } = this;
    this.updates++;
    const size = rate / (1 - power(first, this.updates));
    const root = Math.sqrt(1 - power(second, this.updates));
    for (let i = 0; i < parameters.length; i++) {
      const slope = gradient[i];
      means[i] += (1 - first) * (slope - means[i]);
      squares[i] = second * squares[i] + (1 - second) * slope * slope;
      parameters[i] -= (size * means[i]) / (Math.sqrt(squares[i]) / root + TINY);
    }
  }
}

/** Tieleman & Hinton 2012, with torch's α = 0.99. @implements {Optimiser} */
export class RMSprop {
  /** @param {number} count of parameters */
  constructor(count) {
    this.slots = [new Float64Array(count)];
    this.updates = 0;
  }

  /** @param {Float64Array} parameters @param {Float64Array} gradient @param {number} rate */
  step(parameters, gradient, rate) {
    const [squares] = this.slots;
    this.updates++;
    for (let i = 0; i < parameters.length; i++) {
      const slope = gradient[i];
      squares[i] = 0.99 * squares[i] + (1 - 0.99) * slope * slope;
      parameters[i] -= (rate * slope) / (Math.sqrt(squares[i]) + TINY);
    }
  }
}

/** A step straight down the slope. @implements {Optimiser} */
export class Descent {
  constructor() {
    /** @type {Float64Array[]} */
    this.slots = [];
    this.updates = 0;
  }

  /** @param {Float64Array} parameters @param {Float64Array} gradient @param {number} rate */
  step(parameters, gradient, rate) {
    this.updates++;
    for (let i = 0; i < parameters.length; i++) parameters[i] -= rate * gradient[i];
  }
}

/** `base` to a whole power by squaring: browsers differ in the last digit of `**`. @param {number} base @param {number} times */
function power(base, times) {
  let result = 1;
  for (let square = base, left = times; left > 0; left = Math.floor(left / 2), square *= square) {
    if (left % 2 === 1) result *= square;
  }
  return result;
}
