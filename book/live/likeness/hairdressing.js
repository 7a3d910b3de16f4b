/**
 * Hair by render and compare: which haircut covers what hair covers (`companion.likeness.hairdressing`).
 *
 * @import { LikenessData } from "./measuring.js"
 * @import { Face, Parameters } from "../faces/parameters.js"
 * @import { FaceRenderer } from "../faces/renderer.js"
 */

/** @typedef {Record<string, { believed: number, doubt: number }>} Opinion the network's, of what an outline does not show */

/**
 * The face with the haircut whose outline overlaps most with what was seen.
 *
 * @param {FaceRenderer} renderer
 * @param {Parameters} parameters
 * @param {LikenessData} data
 * @param {Face} face with the network's opinion of its hair
 * @param {Float32Array} hair its probability in the cut-out
 * @param {Opinion} opinion
 * @returns {Face}
 */
export function dressed(renderer, parameters, data, face, hair, opinion) {
  const { side, best } = data.haircuts;
  const seen = smaller(hair, side);
  const cost = (/** @type {Face[]} */ faces) => costs(renderer, parameters, data, faces, seen, opinion);
  const cuts = everyCut(parameters, data, face);
  const order = cost(cuts).map((value, row) => ({ value, row }));
  order.sort((one, other) => one.value - other.value);
  const chosen = order.slice(0, best).map(({ row }) => cuts[row]);
  const everyone = [...chosen, ...varied(parameters, data, chosen)];
  const found = cost(everyone);
  return everyone[found.indexOf(Math.min(...found))];
}

/** Every haircut on this head, full and receding, and none at all. @param {Parameters} parameters @param {LikenessData} data @param {Face} face */
function everyCut(parameters, data, face) {
  const { hair, cuts } = parameters.data.prior;
  return data.haircuts.bald.flatMap((thin) =>
    Object.values(cuts).map(({ values }) =>
      parameters.replace(face, {
        ...Object.fromEntries(hair.map((name, column) => [`hair_${name}`, values[column]])),
        hair_thin: thin,
      }),
    ),
  );
}

/** Variants of the best, by the package's own random numbers. @param {Parameters} parameters @param {LikenessData} data @param {Face[]} best */
function varied(parameters, data, best) {
  const { tried, varied: amounts } = data.haircuts;
  return Array.from({ length: tried }, (_, row) => {
    const face = best[Math.floor(row / (tried / best.length))].slice();
    for (const [name, [amount, noise]] of Object.entries(amounts)) face[parameters.at(name)] += amount * noise[row];
    return parameters.clamp(face);
  });
}

/**
 * One less the overlap with what was seen, and something for what the network does not believe.
 *
 * @param {FaceRenderer} renderer
 * @param {Parameters} parameters
 * @param {LikenessData} data
 * @param {Face[]} faces
 * @param {Float32Array} seen
 * @param {Opinion} opinion
 */
function costs(renderer, parameters, data, faces, seen, opinion) {
  const { side, opinion: weight } = data.haircuts;
  const { centre, half } = data.windows.head;
  const framing = { roll: 0, shift_x: -centre[0] / half, shift_y: -centre[1] / half, scale: 1 / half };
  const drawn = renderer.hair(
    faces.map((face) => parameters.replace(face, framing)),
    side,
  );
  const names = Object.keys(opinion);
  return faces.map((face, row) => {
    let [common, either] = [0, 0];
    for (let place = 0; place < side * side; place++) {
      const value = drawn[row * side * side + place];
      common += Math.min(value, seen[place]);
      either += Math.max(value, seen[place]);
    }
    const away = names.map((name) => ((face[parameters.at(name)] - opinion[name].believed) / opinion[name].doubt) ** 2);
    const disbelief = away.reduce((sum, squared) => sum + Math.min(squared, 4), 0);
    return 1 - (common + 1) / (either + 1) + (weight * disbelief) / names.length;
  });
}

/** A square of numbers as a smaller one, the mean of each box. @param {Float32Array} values @param {number} side */
export function smaller(values, side) {
  const whole = Math.sqrt(values.length);
  const box = whole / side;
  const found = new Float32Array(side * side);
  for (let place = 0; place < values.length; place++) {
    const [line, column] = [Math.floor(place / whole), place % whole];
    found[Math.floor(line / box) * side + Math.floor(column / box)] += values[place] / box ** 2;
  }
  return found;
}
