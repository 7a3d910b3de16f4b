/** A link holds a run: what was set, what was changed on the way, who was sent to a turn, and how far it went. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { EXPERIMENTS, link, prepared } from "../lab/experiments.js";
import { Game } from "../lab/game.js";
import { DEFAULTS, fromFragment, MOST_TURNS, shownIn, toFragment } from "../lab/settings.js";

/** @typedef {import("../lab/settings.js").Run} Run */

/** @param {Run} run @returns {Game} */
function replayed(run) {
  const turns = Game.replay(run);
  for (;;) {
    const { value, done } = turns.next();
    if (done) return value;
  }
}

test("what a link holds comes back", () => {
  /** @type {Run[]} */
  const runs = [
    { settings: { ...DEFAULTS, objective: "clipped", clip: 0.07, seed: 12 }, events: [], turn: 300 },
    {
      settings: { ...DEFAULTS, data: "drawn", drawing: "AbCd09-_", criticRate: 2.5e-7 },
      events: [
        { turn: 4, name: "critic", value: 3 },
        { turn: 9, name: "generatorRate", value: 0.005 },
      ],
      turn: 40,
    },
  ];
  assert.deepEqual(fromFragment(`#${toFragment(runs)}`), runs);
  assert.deepEqual(fromFragment(toFragment(runs.slice(0, 1))), runs.slice(0, 1));
  assert.match(toFragment(runs), /^[\w&=.:,-]+$/); // survives being pasted anywhere
});

test("a link says what is shown", () => {
  const link = toFragment([{ settings: DEFAULTS, events: [], turn: 0 }], ["mesh"]);
  assert.deepEqual(shownIn(`#${link}`), ["mesh"]);
  assert.deepEqual(shownIn("#lab&show=pushes,everything"), ["pushes"]);
  assert.equal(shownIn("#lab"), null);
});

test("a run that was meddled with plays again bit for bit from its link", () => {
  const settings = { ...DEFAULTS, width: 8, criticWidth: 8, batch: 16, criticSteps: 2 };
  const game = new Game(settings);
  const play = (/** @type {number} */ turns) => {
    for (let turn = 0; turn < turns; turn++) game.advance();
  };
  play(10);
  game.change("generatorRate", 0.02);
  game.advance("critic");
  game.advance("critic");
  game.advance("critic");
  game.advance("generator");
  game.change("criticSteps", 1);
  game.advance("generator");
  play(25);
  game.change("criticRate", 0.0001);
  const link = toFragment([{ settings, events: game.events, turn: game.turn }]);
  const again = replayed(/** @type {Run[]} */ (fromFragment(link))[0]);
  assert.deepEqual(again.save(), game.save());
  play(10);
  for (let turn = 0; turn < 10; turn++) again.advance();
  assert.equal(again.fingerprint(), game.fingerprint());
});

test("a stranger's link cannot ask for nonsense", () => {
  assert.equal(fromFragment("#some-heading"), null);
  assert.equal(fromFragment(""), null);
  const odd =
    "lab&width=1e9&seed=-1&batch=3.5&objective=constructor&data=&weight=NaN&drawing=<b>&turn=1e99&__proto__=1";
  assert.deepEqual(fromFragment(odd), [{ settings: DEFAULTS, events: [], turn: 0 }]);
  const events = "lab&events=5:width:64,-1:critic:1,5:critic:0,x,6:clip:,7:criticRate:9,8:critic:2";
  assert.deepEqual(fromFragment(events)?.[0].events, [{ turn: 8, name: "critic", value: 2 }]);
  assert.equal(fromFragment(`lab&turn=${MOST_TURNS + 1}`)?.[0].turn, 0);
});

test("the page links to every experiment as it was measured", () => {
  const page = readFileSync(new URL("../../laboratory.md", import.meta.url), "utf8");
  const links = [...page.matchAll(/href="(#lab[^"]*)"/g)].map(([, href]) => href.replaceAll("&amp;", "&"));
  assert.deepEqual(links.toSorted(), Object.values(EXPERIMENTS).map(link).toSorted());
  for (const experiment of Object.values(EXPERIMENTS)) {
    assert.deepEqual(fromFragment(link(experiment)), prepared(experiment));
  }
});
