/** What happens, in words: for the line under the picture, and for who listens to the page. */

import { short } from "./charts.js";
import { OBJECTIVES } from "./objectives.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./host.js").Told} Told */
/** @typedef {import("./host.js").Seen} Seen */

/** What the judge is called: a discriminator where it gives probabilities, else a critic. @param {Settings} settings */
export function judge({ objective }) {
  return OBJECTIVES[objective].classifies ? "discriminator" : "critic";
}

/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)} %`;

/** What a turn did. @param {Told} report @param {Settings} settings */
export function turnInWords(report, settings) {
  return report.player === "critic" ? criticsTurn(report, settings) : generatorsTurn(report, settings);
}

/** @param {Told} report @param {Settings} settings */
function criticsTurn({ believed: [real, fake], penalty }, settings) {
  const { objective, batch, clip } = settings;
  const looks = `The ${judge(settings)} looks at ${batch} real points and ${batch} fakes.`;
  const { classifies, claim, excess, clips } = OBJECTIVES[objective];
  if (classifies) {
    return `${looks} It gave the real ones ${percent(real)} on average and the fakes ${percent(fake)}, and has learnt from where it was wrong.`;
  }
  if (claim.most !== null) {
    return `${looks} Its scores were ${short(real)} on average where it should say 1 and ${short(fake)} where it should say 0, and it has moved both nearer.`;
  }
  const scores = `${looks} It scored the real ones ${short(real)} on average and the fakes ${short(fake)}: it claims a distance of ${short(real - fake)}, and has learnt to drive the two apart.`;
  if (clips) return `${scores} Then each of its weights was cut back to between ${short(-clip)} and ${short(clip)}.`;
  return excess ? `${scores} The fine for its slopes was ${short(penalty)}.` : scores;
}

/** @param {Told} report @param {Settings} settings */
function generatorsTurn({ believed: [, fake] }, settings) {
  const { objective, batch } = settings;
  const { classifies } = OBJECTIVES[objective];
  const heard = classifies ? `gave them ${percent(fake)} on average` : `scored them ${short(fake)} on average`;
  return `The generator draws ${batch} points. The ${judge(settings)} ${heard}, and its slope there told the generator which way looks more real.`;
}

/** How it stands. @param {{ step: number, distance: number, reached: number, of: number }} at @param {Settings} settings @param {number} floor */
export function standing({ step, distance, reached, of }, settings, floor) {
  const cover =
    settings.data === "ring" || settings.data === "grid"
      ? `${reached} of ${of} modes reached`
      : `${percent(reached / of)} of the shape reached`;
  return `Step ${step.toLocaleString("en")}. ${cover}; earth mover’s distance ${short(distance)}, where two real samples are ${short(floor)} apart.`;
}

/** What comes next. @param {Seen} seen @param {Settings} settings */
export function next({ due, made, step }, settings) {
  if (due === "generator") return `Step ${step + 1}: the generator’s turn.`;
  const turns = settings.criticSteps > 1 ? `, ${made + 1} of ${settings.criticSteps}` : "";
  return `Step ${step + 1}: the ${judge(settings)}’s turn${turns}.`;
}

export const LOST =
  "A number grew beyond all bounds, and no training recovers from that. Start again with lower rates.";
