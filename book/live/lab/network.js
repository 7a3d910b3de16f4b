/**
 * A multilayer perceptron with leaky ReLUs, as `companion.models.mlp` builds them, and its gradients by hand.
 *
 * A leaky ReLU is linear on either side of its kink. So the slope of a critic at a place is a product of matrices, and
 * the gradient of that slope, which a gradient penalty needs, is one more pass forwards and no second derivative.
 */

import { product, transpose } from "./matrix.js";
import { stream } from "./random.js";

export const LEAK = 0.2; // of the leaky ReLUs, as in the package

/** @typedef {{ inputs: number, outputs: number, weight: Float64Array, bias: Float64Array }} Layer */

export class Network {
  /** @param {number[]} sizes inputs, hidden widths, outputs */
  constructor(sizes) {
    this.sizes = sizes;
    const layers = sizes.slice(1).map((outputs, place) => ({ inputs: sizes[place], outputs }));
    this.count = layers.reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);
    /** All weights and biases in the order of torch's `parameters()`. */
    this.parameters = new Float64Array(this.count);
    this.layers = this.split(this.parameters);
  }

  /** The same layout over other numbers, such as gradients. @param {Float64Array} numbers @returns {Layer[]} */
  split(numbers) {
    let at = 0;
    return this.sizes.slice(1).map((outputs, place) => {
      const inputs = this.sizes[place];
      const weight = numbers.subarray(at, at + inputs * outputs);
      const bias = numbers.subarray(at + inputs * outputs, at + (inputs + 1) * outputs);
      at += (inputs + 1) * outputs;
      return { inputs, outputs, weight, bias };
    });
  }

  /** Weights as torch's `nn.Linear` draws them: uniform up to one over the root of the inputs. @param {number} seed @param {string} purpose */
  draw(seed, purpose) {
    const draw = stream(seed, purpose);
    for (const { inputs, weight, bias } of this.layers) {
      const bound = 1 / Math.sqrt(inputs);
      for (const numbers of [weight, bias]) {
        for (let i = 0; i < numbers.length; i++) numbers[i] = bound * (2 * draw.uniform() - 1);
      }
    }
    return this;
  }
}

/** One batch's way through a network, forwards and back, in buffers that are used again. */
export class Pass {
  /** @param {Network} network @param {number} count items in the batch */
  constructor(network, count) {
    this.network = network;
    this.count = count;
    const { sizes } = network;
    const widest = Math.max(...sizes);
    const fill = () => sizes.map((size) => new Float64Array(count * size));
    /** @type {Float64Array} */
    this.inputs = new Float64Array(0);
    this.values = fill(); // after each layer's kink
    this.slopes = fill(); // of what is asked, with respect to what goes into each kink
    this.carried = fill(); // one more pass forwards, for the gradient of slopes
    this.turned = [new Float64Array(count * widest), new Float64Array(count * widest)];
    this.weights = new Float64Array(widest * widest);
  }

  /** @param {Float64Array} inputs `(count, inputs)` @returns {Float64Array} `(count, outputs)`, valid until the next call */
  forward(inputs) {
    const { layers } = this.network;
    this.inputs = inputs;
    layers.forEach((layer, place) => {
      const out = this.values[place + 1];
      product(this.before(place), layer.weight, out, this.count, layer.outputs, layer.inputs, layer.bias);
      if (place < layers.length - 1) kink(out);
    });
    return this.values[layers.length];
  }

  /** What went into a layer. @param {number} place */
  before(place) {
    return place === 0 ? this.inputs : this.values[place];
  }

  /**
   * From a loss's gradient with respect to the outputs to that with respect to the inputs, `(count, inputs)`.
   * @param {Float64Array} outputs `(count, outputs)`
   * @param {Layer[] | null} gradients where the parameters' gradients are added up; null leaves them out
   */
  backward(outputs, gradients) {
    const { layers } = this.network;
    this.slopes[layers.length].set(outputs);
    for (let place = layers.length - 1; place >= 0; place--) {
      const slopes = this.slopes[place + 1];
      if (gradients !== null) {
        this.#addProduct(slopes, this.before(place), layers[place], gradients[place].weight);
        addColumns(slopes, gradients[place].bias);
      }
      if (place === 0 && gradients !== null) break; // who learns needs no gradient at its inputs
      this.#through(place);
    }
    return this.slopes[0];
  }

  /** The slope of the one output at each input, `(count, inputs)`; after `forward`. */
  inputSlopes() {
    return this.backward(new Float64Array(this.count).fill(1), null);
  }

  /**
   * Adds the gradient of something that depends on the slopes at the inputs; after `inputSlopes`.
   *
   * The slopes are W₁ᵀ K₁ W₂ᵀ K₂ … with each kink's K constant, hence linear in each W, and no bias counts.
   * @param {Float64Array} outer its gradient with respect to those slopes, `(count, inputs)` @param {Layer[]} gradients
   */
  slopesBackward(outer, gradients) {
    const { layers } = this.network;
    let carried = outer;
    layers.forEach((layer, place) => {
      this.#addProduct(this.slopes[place + 1], carried, layer, gradients[place].weight);
      if (place === layers.length - 1) return;
      const next = this.carried[place + 1];
      product(carried, layer.weight, next, this.count, layer.outputs, layer.inputs);
      kinkSlope(next, this.values[place + 1]);
      carried = next;
    });
  }

  /** gradient += slopesᵀ · inputs. @param {Float64Array} slopes @param {Float64Array} inputs @param {Layer} layer @param {Float64Array} gradient */
  #addProduct(slopes, inputs, layer, gradient) {
    const [left, right] = this.turned;
    transpose(slopes, left, this.count, layer.outputs);
    transpose(inputs, right, this.count, layer.inputs);
    product(left, right, this.weights, layer.outputs, layer.inputs, this.count);
    for (let i = 0; i < gradient.length; i++) gradient[i] += this.weights[i];
  }

  /** Slopes through one layer, and through the kink before it. @param {number} place */
  #through(place) {
    const { inputs, outputs, weight } = this.network.layers[place];
    transpose(weight, this.weights, outputs, inputs);
    product(this.slopes[place + 1], this.weights, this.slopes[place], this.count, inputs, outputs);
    if (place > 0) kinkSlope(this.slopes[place], this.values[place]);
  }
}

/** @param {Float64Array} values */
function kink(values) {
  for (let i = 0; i < values.length; i++) if (!(values[i] > 0)) values[i] *= LEAK;
}

/** Behind the kink, values have kept their sign. @param {Float64Array} slopes @param {Float64Array} values */
function kinkSlope(slopes, values) {
  for (let i = 0; i < slopes.length; i++) if (!(values[i] > 0)) slopes[i] *= LEAK;
}

/** @param {Float64Array} rows @param {Float64Array} sums */
function addColumns(rows, sums) {
  const width = sums.length;
  for (let at = 0; at < rows.length; at += width) for (let i = 0; i < width; i++) sums[i] += rows[at + i];
}
