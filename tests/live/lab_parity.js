/** Plays the laboratory's game from given weights on given batches, for `test_lab_parity.py`: JSON in, JSON out. */

import { readFileSync } from "node:fs";
import { DISTRIBUTIONS } from "../../book/live/lab/data.js";
import { Game } from "../../book/live/lab/game.js";
import { coverage, earthMoversDistance } from "../../book/live/lab/metrics.js";
import { DEFAULTS } from "../../book/live/lab/settings.js";

const { settings, weights, real, latents, along, steps, samples } = JSON.parse(readFileSync(0, "utf8"));
const given = (rows) => (index) => Float64Array.from(rows[index]);
const game = new Game(
  { ...DEFAULTS, ...settings },
  { real: given(real), latents: given(latents), along: given(along) },
);
game.generator.parameters.set(weights.generator);
game.critic.parameters.set(weights.critic);

const made = [];
for (let step = 0; step < steps; step++) {
  let judged;
  while (game.due === "critic") judged = game.advance();
  const drawn = game.advance();
  made.push({
    critic_loss: judged.loss,
    penalty: judged.penalty,
    generator_loss: drawn.loss,
    real_score: judged.real,
    fake_score: judged.fake,
    gradients: { critic: [...game.criticGradient], generator: [...game.generatorGradient] },
    weights: { critic: [...game.critic.parameters], generator: [...game.generator.parameters] },
  });
}
const [first, second] = samples.map((sample) => Float64Array.from(sample));
console.log(
  JSON.stringify({
    steps: made,
    distance: earthMoversDistance(first, second),
    covered: coverage(DISTRIBUTIONS.ring, first, second).reached,
  }),
);
