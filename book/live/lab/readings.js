/** What is read off a run: losses, distances and modes over the steps, and histograms of the critic's weights and slopes. */

import { Chart, short } from "./charts.js";
import { OBJECTIVES } from "./objectives.js";
import { judge } from "./words.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./game.js").Moment} Moment */
/** @typedef {import("./host.js").Seen} Seen */

export class Readings {
  constructor() {
    this.losses = new Chart("Losses over the steps");
    this.distance = new Chart("Distances over the steps");
    this.modes = new Chart("What is reached, over the steps");
    this.weights = new Chart("Histogram of the critic’s weights");
    this.slopes = new Chart("Histogram of the critic’s slopes");
    this.all = [this.distance, this.modes, this.losses, this.weights, this.slopes];
    this.element = document.createElement("div");
    this.element.className = "gv-live-lab-charts";
    this.element.append(...this.all.map((chart) => chart.element));
  }

  stop() {
    for (const chart of this.all) chart.stop();
  }

  /** @param {Seen} seen @param {Moment[]} moments @param {Settings} settings */
  show(seen, moments, settings) {
    const steps = moments.map((moment) => moment.step);
    this.#showDistance(seen, moments, settings, steps);
    this.#showModes(seen, moments, settings, steps);
    this.#showLosses(moments, settings, steps);
    this.#showWeights(seen, settings);
    this.#showSlopes(seen, settings);
  }

  /** @param {Seen} seen @param {Moment[]} moments @param {Settings} settings @param {number[]} steps */
  #showDistance(seen, moments, settings, steps) {
    const { claim, clips } = OBJECTIVES[settings.objective];
    const exact = said((seen.now ?? moments.at(-1))?.distance);
    const claimed = said(moments.at(-1)?.claim);
    const most = claim.most === null ? "" : `, at most ${short(claim.most)}`;
    const scale = clips ? ", in units of a steepness nobody knows" : "";
    const what = `The ${judge(settings)} claims the ${claim.name}${most}${scale}.`;
    this.distance.say(
      `<b>Distance</b> <i>exact ${exact}</i> ${moments.length > 0 ? `<i class="gv-critic">claimed ${claimed}</i>` : ""}<small>${what} Dashed: two real samples.</small>`,
      `The exact earth mover’s distance is ${exact}; claimed is ${claimed}. ${what}`,
    );
    this.distance.lines({
      steps,
      low: 0,
      curves: [
        { colour: "quiet", values: moments.map(() => seen.floor), dashed: true },
        { colour: "critic", values: moments.map((moment) => moment.claim) },
        { colour: "text", values: moments.map((moment) => moment.distance) },
      ],
    });
  }

  /** @param {Seen} seen @param {Moment[]} moments @param {Settings} settings @param {number[]} steps */
  #showModes(seen, moments, settings, steps) {
    const counted = settings.data === "ring" || settings.data === "grid";
    const now = seen.now ?? moments.at(-1);
    const unknown = now === undefined || now === null;
    const share = unknown
      ? "–"
      : counted
        ? `${now.reached} of ${now.of}`
        : `${Math.round((100 * now.reached) / now.of)} %`;
    const name = counted ? "Modes reached" : "Of the shape reached";
    this.modes.say(`<b>${name}</b> <i class="gv-generator">${share}</i>`, `${name}: ${share}.`);
    this.modes.lines({
      steps,
      low: 0,
      high: counted ? (now?.of ?? 8) : 1,
      curves: [{ colour: "generator", values: moments.map(({ reached, of }) => (counted ? reached : reached / of)) }],
    });
  }

  /** @param {Moment[]} moments @param {Settings} settings @param {number[]} steps */
  #showLosses(moments, settings, steps) {
    const last = moments.at(-1);
    const [critic, generator] = [said(last?.criticLoss), said(last?.generatorLoss)];
    this.losses.say(
      `<b>Losses</b>${last ? ` <i class="gv-critic">${judge(settings)} ${critic}</i> <i class="gv-generator">generator ${generator}</i>` : ""}`,
      `The ${judge(settings)}’s is ${critic}, the generator’s ${generator}.`,
    );
    this.losses.lines({
      steps,
      curves: [
        { colour: "critic", values: moments.map((moment) => moment.criticLoss) },
        { colour: "generator", values: moments.map((moment) => moment.generatorLoss) },
      ],
    });
  }

  /** @param {Seen} seen @param {Settings} settings */
  #showWeights({ weights: { counts, most, atWalls } }, settings) {
    const { clips } = OBJECTIVES[settings.objective];
    const share = `${Math.round(100 * atWalls)} % at the walls`;
    this.weights.say(
      `<b>Weights of the ${judge(settings)}</b>${clips ? ` <i class="gv-critic">${share}</i>` : ""}`,
      clips ? `${share}.` : `All lie between ${short(-most)} and ${short(most)}.`,
    );
    const marks = clips ? [-settings.clip, settings.clip] : [0];
    this.weights.bars({ counts, low: -most, high: most, marks, colour: "critic" });
  }

  /** @param {Seen} seen @param {Settings} settings */
  #showSlopes({ slopes: { counts, most, median } }, settings) {
    const { excess } = OBJECTIVES[settings.objective];
    this.slopes.say(
      `<b>Slopes of the ${judge(settings)}</b> <i class="gv-critic">median ${short(median)}</i>`,
      `Between real and fake, half of them are below ${short(median)}.`,
    );
    this.slopes.bars({ counts, low: 0, high: most, marks: excess ? [1] : [], colour: "critic" });
  }
}

/** @param {number | undefined} value */
function said(value) {
  return value === undefined ? "–" : short(value);
}
