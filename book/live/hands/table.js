/**
 * Landmarks as numbers, on demand: a table that is made when it is opened.
 *
 * @import { Kit } from "../kit/demo.js"
 * @import { Found } from "../kit/landmarks.js"
 */

import { plain } from "../kit/controls.js";
import { counted, nameOf } from "./words.js";

export class Table {
  /** @param {Kit} kit */
  constructor(kit) {
    this.kit = kit;
    /** @type {Found[]} */
    this.found = [];
    this.rows = kit.element("div", {
      ...{ class: "gv-live-numbers", tabindex: "0", role: "region", "aria-label": "The landmarks" },
    });
    this.element = kit.element("details", {}, kit.element("summary", {}, "The landmarks as numbers"), this.rows);
    this.element.addEventListener("toggle", () => this.fill());
  }

  /** @param {Found[]} found */
  show(found) {
    this.found = found;
    this.fill();
  }

  fill() {
    if (!this.element.open) return;
    this.rows.replaceChildren(...this.found.map((one, number) => this.table(one, number)));
    if (!this.found.length) this.rows.append("Nothing was found.");
  }

  /** @param {Found} found @param {number} number */
  table({ kind, side, landmarks, width, height }, number) {
    const { element } = this.kit;
    const seen = kind === "pose";
    const heads = ["landmark", "x", "y", "z", ...(seen ? ["seen"] : [])];
    const name = side ? `${side} hand` : counted(kind, 1).replace("One ", "");
    const cells = (/** @type {string[]} */ values, /** @type {string} */ scope) =>
      values.map((value, place) =>
        scope === "col" || !place ? element("th", { scope }, value) : element("td", {}, value),
      );
    return element(
      "table",
      {},
      element("caption", {}, `${number + 1}. ${name}: x and y in pixels of ${width} × ${height}, z in widths`),
      element("thead", {}, element("tr", {}, ...cells(heads, "col"))),
      element(
        "tbody",
        {},
        ...landmarks.map(({ x, y, z, visibility }, place) =>
          element(
            "tr",
            {},
            ...cells(
              [
                nameOf(kind, place),
                ...[x * width, y * height].map((value) => plain(value)),
                plain(z, 3),
                ...(seen ? [plain(visibility ?? 0, 2)] : []),
              ],
              "row",
            ),
          ),
        ),
      ),
    );
  }
}
