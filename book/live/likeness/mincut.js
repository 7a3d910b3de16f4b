/**
 * The cheapest cut of a grid in two, by two trees that grow towards each other (Boykov and Kolmogorov 2004).
 *
 * Every cell has links to its eight neighbours, and one to either side. What a link costs is what can still flow
 * through it; a path from the one side to the other takes from each of its links what its narrowest lets through, and
 * where nothing flows any more, there is the cut. The grid has a margin of a cell with no links on all sides.
 */

/** No parent, a side itself as parent, and one who has lost theirs; other parents are directions. */
const [NONE, SIDE, ORPHAN] = [-1, -2, -3];
const FAR = 2 ** 30;
const ORDER = [7, 6, 5, 4, 2, 1, 0, 3]; // of directions, where several would do: OpenCV's, so that it chooses alike

export class Grid {
  /** @param {number} width of the grid, with its margin @param {number} height */
  constructor(width, height) {
    const count = width * height;
    this.count = count;
    /** From a cell to its neighbours; the way back from direction d is 7 − d. */
    this.steps = Int32Array.of(-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1);
    /** What may still flow from a cell in a direction, at 8 cell + direction. */
    this.links = new Float64Array(8 * count);
    /** What may still flow from the one side to a cell; below 0, from the cell to the other. */
    this.sides = new Float64Array(count);
    this.parent = new Int8Array(count).fill(NONE);
    this.tree = new Uint8Array(count); // 0 of the one side, 1 of the other
    this.seen = new Int32Array(count); // when a distance was last known to be right
    this.distance = new Int32Array(count);
    this.time = 0;
    /** Cells from which a tree may grow, first in, first out. */
    this.queue = new Int32Array(count + 1);
    this.queued = new Uint8Array(count);
    [this.first, this.end] = [0, 0];
    /** @type {number[]} */
    this.orphans = [];
  }

  /** Which cells are on the one side, 1, and which on the other, 0. */
  cut() {
    for (let cell = 0; cell < this.count; cell++) {
      if (this.sides[cell] === 0) continue;
      this.parent[cell] = SIDE;
      this.tree[cell] = this.sides[cell] < 0 ? 1 : 0;
      this.distance[cell] = 1;
      this.enqueue(cell);
    }
    for (let link = this.grown(); link >= 0; link = this.grown()) {
      this.augment(link);
      this.time++;
      while (this.orphans.length) this.adopt(/** @type {number} */ (this.orphans.pop()));
    }
    return this.tree.map((tree) => 1 - tree);
  }

  /** @param {number} cell */
  enqueue(cell) {
    if (this.queued[cell]) return;
    this.queued[cell] = 1;
    this.queue[this.end] = cell;
    this.end = (this.end + 1) % this.queue.length;
  }

  /** What may flow along a tree: away from the one side, and towards the other. @param {number} cell @param {number} direction @param {number} tree */
  open(cell, direction, tree) {
    return tree === 0
      ? this.links[8 * cell + direction]
      : this.links[8 * (cell + this.steps[direction]) + 7 - direction];
  }

  /** Let the trees grow until they meet: the link from the one to the other, or -1 if they never will. */
  grown() {
    const { parent, tree, seen, distance, steps } = this;
    while (this.first !== this.end) {
      const cell = this.queue[this.first];
      const own = tree[cell];
      for (const direction of ORDER) {
        if (parent[cell] === NONE) break;
        if (!(this.open(cell, direction, own) > 0)) continue;
        const other = cell + steps[direction];
        if (parent[other] === NONE) {
          tree[other] = own;
          this.settle(other, 7 - direction, seen[cell], distance[cell] + 1);
          this.enqueue(other);
        } else if (tree[other] !== own) {
          return own === 0 ? 8 * cell + direction : 8 * other + 7 - direction;
        } else if (distance[other] > distance[cell] + 1 && seen[other] <= seen[cell]) {
          this.settle(other, 7 - direction, seen[cell], distance[cell] + 1);
        }
      }
      this.queued[cell] = 0;
      this.first = (this.first + 1) % this.queue.length;
    }
    return -1;
  }

  /** @param {number} cell @param {number} direction of its parent @param {number} seen @param {number} distance */
  settle(cell, direction, seen, distance) {
    this.parent[cell] = direction;
    this.seen[cell] = seen;
    this.distance[cell] = distance;
  }

  /** Send through a link, and the trees on both its ends, all that may flow. @param {number} link */
  augment(link) {
    const { parent, links, sides, steps } = this;
    const from = link >> 3;
    const ends = [from, from + steps[link & 7]];
    let most = links[link];
    ends.forEach((cell, tree) => {
      for (; parent[cell] >= 0; cell += steps[parent[cell]]) most = Math.min(most, this.above(cell, tree));
      most = Math.min(most, Math.abs(sides[cell]));
    });
    this.move(from, link & 7, most);
    ends.forEach((cell, tree) => {
      while (parent[cell] >= 0) {
        const direction = parent[cell];
        const next = cell + steps[direction];
        if (tree === 0) this.move(next, 7 - direction, most);
        else this.move(cell, direction, most);
        if (this.aboveIn(cell, direction, tree) === 0) this.lose(cell);
        cell = next;
      }
      sides[cell] += tree === 0 ? -most : most;
      if (sides[cell] === 0) this.lose(cell);
    });
  }

  /** What may flow between a cell and its parent. @param {number} cell @param {number} tree */
  above(cell, tree) {
    return this.aboveIn(cell, this.parent[cell], tree);
  }

  /** @param {number} cell @param {number} direction @param {number} tree */
  aboveIn(cell, direction, tree) {
    return this.open(cell, direction, 1 - tree);
  }

  /** @param {number} cell @param {number} direction @param {number} amount */
  move(cell, direction, amount) {
    this.links[8 * cell + direction] -= amount;
    this.links[8 * (cell + this.steps[direction]) + 7 - direction] += amount;
  }

  /** @param {number} cell */
  lose(cell) {
    this.parent[cell] = ORPHAN;
    this.orphans.push(cell);
  }

  /** Find a new parent in the same tree; without one, be free, and so become orphans one's children. @param {number} cell */
  adopt(cell) {
    const { parent, tree, seen, steps } = this;
    const own = tree[cell];
    let [best, least] = [NONE, FAR];
    for (const direction of ORDER) {
      if (!(this.aboveIn(cell, direction, own) > 0)) continue;
      const other = cell + steps[direction];
      if (tree[other] !== own || parent[other] === NONE) continue;
      const away = this.awayFromSide(other);
      if (away < least) [best, least] = [direction, away];
    }
    if (best >= 0) {
      this.settle(cell, best, this.time, least + 1);
      return;
    }
    parent[cell] = NONE;
    seen[cell] = 0;
    for (const direction of ORDER) {
      const other = cell + steps[direction];
      if (tree[other] !== own || parent[other] === NONE) continue;
      if (this.aboveIn(cell, direction, own) > 0) this.enqueue(other);
      if (parent[other] === 7 - direction) this.lose(other);
    }
  }

  /** How many links lie between a cell and its side; FAR if there is an orphan on the way. @param {number} cell */
  awayFromSide(cell) {
    const { parent, seen, distance, steps, time } = this;
    let away = 0;
    for (let place = cell; ; place += steps[parent[place]]) {
      if (seen[place] === time) {
        away += distance[place];
        break;
      }
      if (parent[place] === ORPHAN) return FAR;
      away++;
      if (parent[place] === SIDE) {
        [seen[place], distance[place]] = [time, 1];
        break;
      }
    }
    for (let [place, left] = [cell, away]; seen[place] !== time; place += steps[parent[place]]) {
      [seen[place], distance[place]] = [time, left--];
    }
    return away;
  }
}
