/**
 * A face as a row of named numbers, as in `companion.data.faces.parameters`; the numbers come from there as JSON.
 * @module
 */

/** @typedef {[number, number, number]} Colour */

/**
 * @typedef {object} Parameter
 * @property {string} name
 * @property {"identity" | "attribute" | "nuisance"} group
 * @property {number} low
 * @property {number} mean
 * @property {number} high
 * @property {boolean} shape whether a caricature exaggerates it
 * @property {string} meaning
 */

/**
 * @typedef {object} FaceData what book/live/prepare/face-maker.py writes
 * @property {Parameter[]} parameters
 * @property {Record<string, number>} constants
 * @property {{ scale: number, roll: number }} widest
 * @property {Colour[]} papers
 * @property {Colour[]} inks
 * @property {Colour[]} prints
 * @property {PriorData} prior
 * @property {Record<string, Record<string, number>>} styles
 * @property {Record<string, number>} studio
 * @property {Record<string, number>} realMean
 * @property {number} slack
 */

/**
 * @typedef {object} PriorData
 * @property {Colour[]} skins
 * @property {Colour[]} hairs
 * @property {Colour[]} reds
 * @property {Colour[]} greys
 * @property {Colour[]} irises
 * @property {Colour[]} garments
 * @property {Colour[]} grounds
 * @property {string[]} hair
 * @property {Record<string, { values: number[], less: number, more: number, coiled: boolean }>} cuts
 * @property {Record<string, number[]>} expressions
 * @property {Record<string, Record<string, number>>} loadings
 * @property {string[]} factors
 * @property {Record<string, string>} streams
 */

/** @typedef {Float32Array} Face one number for each parameter, in their order */

/** The parameters, and where each lies in a face. */
export class Parameters {
  /** @param {FaceData} data */
  constructor(data) {
    this.data = data;
    this.list = data.parameters;
    this.column = new Map(this.list.map((parameter, column) => [parameter.name, column]));
  }

  /** Every number at its mean: nobody's face. @returns {Face} */
  mean() {
    return Float32Array.from(this.list, (parameter) => parameter.mean);
  }

  /** @param {string} name @returns {number} */
  at(name) {
    const column = this.column.get(name);
    if (column === undefined) throw new Error(`There is no parameter ${name}.`);
    return column;
  }

  /** @param {string} name */
  of(name) {
    return this.list[this.at(name)];
  }

  /** The same face with some numbers changed. @param {Face} face @param {Record<string, number>} values @returns {Face} */
  replace(face, values) {
    const changed = face.slice();
    for (const [name, value] of Object.entries(values)) changed[this.at(name)] = value;
    return changed;
  }

  /** @param {Face} face @param {string} name @returns {Colour} sRGB in [0, 1] */
  colour(face, name) {
    const first = this.at(`${name}_r`);
    return [face[first], face[first + 1], face[first + 2]];
  }

  /** Everything brought into its range. @param {Face} face @returns {Face} */
  clamp(face) {
    return face.map((value, column) => Math.min(Math.max(value, this.list[column].low), this.list[column].high));
  }

  /**
   * `mean + k · (own − mean)` in every parameter of shape; the rest is left alone. Beyond its range a parameter may go
   * by three tenths of it.
   * @param {Face} face
   * @param {number} k
   * @param {Record<string, number>} means of parameters whose mean is another than the prior's
   * @returns {Face}
   */
  exaggerate(face, k, means = {}) {
    if (k === 1) return face.slice();
    return face.map((value, column) => {
      const { name, low, mean, high, shape } = this.list[column];
      if (!shape) return value;
      const middle = means[name] ?? mean;
      const slack = this.data.slack * (high - low);
      return Math.min(Math.max(middle + k * (value - middle), low - slack), high + slack);
    });
  }

  /** A face on the straight line between two. @param {Face} from @param {Face} to @param {number} share @returns {Face} */
  between(from, to, share) {
    return from.map((value, column) => value + share * (to[column] - value));
  }
}

/** Read what the package wrote. @param {URL | string} url @returns {Promise<Parameters>} */
export async function loadParameters(url = new URL("../faces.json", import.meta.url)) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("The file of the faces' parameters could not be loaded; reload the page.");
  return new Parameters(await answer.json());
}
