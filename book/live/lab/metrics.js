/** What no critic has a say in: the exact earth mover's distance between samples, and how much of the data is reached. */

/** @typedef {import("./data.js").Distribution} Distribution */

/**
 * The cheapest way to pair rows with columns, by shortest augmenting paths (Jonker & Volgenant 1987).
 *
 * @param {Float64Array} costs `(count, count)` @param {number} count
 * @returns {Int32Array} for each row its column
 */
export function cheapestPlan(costs, count) {
  const rowOf = new Int32Array(count + 1).fill(-1); // of each column; the last one is where a path begins
  const prices = new Float64Array(count + 1); // of columns
  const wages = new Float64Array(count); // of rows
  const way = new Int32Array(count); // the column before this one on the shortest path
  const nearest = new Float64Array(count);
  const done = new Uint8Array(count + 1);
  for (let start = 0; start < count; start++) {
    nearest.fill(Number.POSITIVE_INFINITY);
    done.fill(0);
    rowOf[count] = start;
    let at = count;
    while (rowOf[at] >= 0) {
      done[at] = 1;
      const row = rowOf[at];
      let next = -1;
      let gap = Number.POSITIVE_INFINITY;
      for (let column = 0; column < count; column++) {
        if (done[column]) continue;
        const reduced = costs[row * count + column] - wages[row] - prices[column];
        if (reduced < nearest[column]) {
          nearest[column] = reduced;
          way[column] = at;
        }
        if (nearest[column] < gap) {
          gap = nearest[column];
          next = column;
        }
      }
      for (let column = 0; column <= count; column++) {
        if (done[column]) {
          wages[rowOf[column]] += gap;
          prices[column] -= gap;
        } else if (column < count) nearest[column] -= gap;
      }
      at = next;
    }
    while (at !== count) {
      rowOf[at] = rowOf[way[at]];
      at = way[at];
    }
  }
  const plan = new Int32Array(count);
  for (let column = 0; column < count; column++) plan[rowOf[column]] = column;
  return plan;
}

/** Wasserstein-1 between two samples of one size: the mean way under the cheapest plan. @param {Float64Array} first `(count, 2)` @param {Float64Array} second */
export function earthMoversDistance(first, second) {
  const count = first.length / 2;
  const costs = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) costs[i * count + j] = between(first, i, second, j);
  }
  const plan = cheapestPlan(costs, count);
  let sum = 0;
  plan.forEach((column, row) => {
    sum += costs[row * count + column];
  });
  return sum / count;
}

/** @param {Float64Array} first @param {number} i @param {Float64Array} second @param {number} j */
function between(first, i, second, j) {
  const right = first[2 * i] - second[2 * j];
  const up = first[2 * i + 1] - second[2 * j + 1];
  return Math.sqrt(right * right + up * up);
}

const NEAR = 0.2; // how near a fake has to come to a real point that has no mode

/**
 * How much of the data the fakes reach: modes, counted as `companion.metrics.mode_report` counts them, or else the
 * share of real points with a fake near them.
 * @param {Distribution} data @param {Float64Array} fakes `(N, 2)` @param {Float64Array} real `(M, 2)`
 * @returns {{ reached: number, of: number }} modes, or real points
 */
export function coverage(data, fakes, real) {
  if (data.modes) return { reached: modesCovered(data.modes, fakes), of: data.modes.centres.length };
  const of = real.length / 2;
  let reached = 0;
  for (let i = 0; i < of; i++) {
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < fakes.length / 2; j++) least = Math.min(least, between(real, i, fakes, j));
    if (least <= NEAR) reached++;
  }
  return { reached, of };
}

/** Modes with a sample in twenty of their fair share within three deviations. @param {{ centres: [number, number][], deviation: number }} modes @param {Float64Array} samples */
function modesCovered({ centres, deviation }, samples) {
  const counts = centres.map(() => 0);
  for (let i = 0; i < samples.length; i += 2) {
    const ways = centres.map(([x, y]) => (samples[i] - x) ** 2 + (samples[i + 1] - y) ** 2);
    const least = Math.min(...ways);
    if (least <= 9 * deviation * deviation) counts[ways.indexOf(least)]++;
  }
  const fair = samples.length / 2 / centres.length;
  return counts.filter((count) => count >= fair / 20).length;
}

/** Counts of numbers in equal bins from `low` to `high`, and of those beyond in the outermost. @param {ArrayLike<number>} numbers @param {number} low @param {number} high @param {number} bins */
export function histogram(numbers, low, high, bins) {
  const counts = new Float64Array(bins);
  for (let i = 0; i < numbers.length; i++) {
    const bin = Math.floor(((numbers[i] - low) / (high - low)) * bins);
    counts[Math.min(bins - 1, Math.max(0, bin))]++;
  }
  return counts;
}
