/**
 * Uses demos in Firefox: node firefox.mjs ADDRESS FIREFOX [DEMO…], all of them if none is named.
 * Prints where the controls of each stand then, and what its canvas shows.
 */

import { Game } from "../../book/live/lab/game.js";
import { OBJECTIVES } from "../../book/live/lab/objectives.js";
import { DEFAULTS, fromFragment, toFragment } from "../../book/live/lab/settings.js";
import { Reader, until } from "./firefox_reader.mjs";

const [address, firefox, ...names] = process.argv.slice(2);
const reader = await Reader.with(firefox, address);
const { page } = reader;

/** Reach a demo, do something with it, and wait until its canvas shows what came of that. */
async function use(where, demo, canvas, act) {
  reader.asked.length = 0;
  const figure = await reader.reach(where, demo);
  if (!(await page.$(`${figure}.gv-live-on`))) {
    const still = await page.$eval(`${figure} > img`, (image) => image.offsetWidth > 0);
    return { begun: false, still, trouble: await reader.trouble(figure), heavy: reader.heavy, foreign: reader.foreign };
  }
  const { heavy } = reader;
  const shown = `${figure} ${canvas}`;
  const before = await reader.pixels(shown);
  const more = await act(figure);
  await until(async () => (await reader.pixels(shown)) !== before || (await reader.trouble(figure)));
  const pixels = await reader.rested(shown);
  const [values, trouble] = [await reader.values(figure), await reader.trouble(figure)];
  const spoken = await reader.words(`${figure} .gv-live-spoken`);
  const { heavy: loaded, foreign } = reader;
  return { begun: true, values, spoken, before, pixels, trouble, heavy, loaded, foreign, ...more };
}

const drag = (figure) => reader.drag(figure);
const press = (control, key) => (figure) => reader.press(`${figure} ${control}`, key);

/** The second sample is restored, or found to need it not. */
async function restored(figure) {
  await page.click(`${figure} .gv-live-samples button:nth-child(2)`);
  const done = async () => /^(Done|Nothing to undo)/.test(await reader.words(`${figure} .gv-live-verdict`));
  await until(async () => (await done()) || (await reader.trouble(figure)));
}
const restore = (demo) => use("book/live.html", demo, ".gv-live-layers canvas:last-child", restored);

// ---- the laboratory: links as “Copy link” makes them, one to each objective, and each to another turn ----

const LINKS = Object.entries(OBJECTIVES).map(([objective, { criticSteps }], place) =>
  toFragment([{ settings: { ...DEFAULTS, objective, criticSteps }, events: [], turn: 120 + place }]),
);

/** The fingerprint of the run that a link holds, played by node. */
function played(link) {
  const [run] = fromFragment(link);
  let game;
  for (game of Game.replay(run));
  return game.fingerprint();
}

/** Follow each link; a step further, the address bar holds one that Firefox has made. */
async function replay(figure) {
  const panel = `${figure} .gv-live-lab-panel`;
  const replays = [];
  const keep = async (link) => {
    await until(() => page.$(`${panel}[data-turn="${fromFragment(link)[0].turn}"]`));
    replays.push({ link, shown: await reader.words(`${panel} code`), played: played(link) });
  };
  for (const link of LINKS) {
    await page.evaluate((link) => {
      location.hash = link;
    }, link);
    await keep(link);
  }
  const hash = () => page.evaluate(() => location.hash.slice(1));
  await page.click(`${figure} button::-p-text(One step)`);
  await until(async () => (await hash()) !== LINKS.at(-1));
  await keep(await hash());
  return { replays };
}

// ---- what a reader does with each demo ----

const USES = {
  "digit-walk": () => use("book/live.html", "digit-walk", ".gv-live-side canvas", drag),
  "gan-lab": () => use(`book/laboratory.html#${LINKS[0]}`, "gan-lab", ".gv-live-lab-plane", replay),
  "digit-plane": () => use("book/live.html", "digit-plane", "canvas", drag),
  "faces-sliders": () => use("book/live.html", "faces-sliders", "canvas", press("input[type=range]", "End")),
  attention: () => use("book/live.html", "attention", ".gv-live-pad canvas", press(".gv-live-slider input", "Home")),
  translation: () => use("book/live.html", "translation", "canvas[aria-label^='Its translation']", drag),
  "living-faces": () => use("book/index.html", "living-faces", "canvas", drag),
  restore: () => restore("restore"),
  deblur: () => restore("deblur"),
  "any-shake": () => restore("any-shake"),
  "face-maker": () =>
    use("book/live.html", "face-maker", ".gv-live-face:last-child canvas", press("input[type=range]", "End")),
  "draw-me": () =>
    use("notebooks/07_draw_me.html", "draw-me", ".gv-live-face canvas", async (figure) => {
      await page.$eval(`${figure} .gv-live-samples button`, (button) => button.click());
      await page.waitForSelector(`${figure} .gv-live-progress:not([hidden])`);
      await page.waitForSelector(`${figure} .gv-live-progress[hidden]`);
    }),
  landmarks: () =>
    use("book/live.html", "landmarks", ".gv-live-scene canvas", async (figure) => {
      const told = () => reader.words(`${figure} .gv-live-told`);
      await page.click(`${figure} .gv-live-samples button:nth-child(2)`);
      await until(async () => (await reader.trouble(figure)) || (await told()).startsWith("A face"));
      return { told: await told() };
    }),
  pinch: () =>
    use("book/live.html", "pinch", ".gv-live-scene canvas", async (figure) => {
      await reader.press(`${figure} .gv-live-main`, "Enter");
      await reader.press(`${figure} input[type=range]`, "Home");
    }),
  listen: () =>
    use("book/live.html", "listen", ".gv-live-score canvas", async (figure) => {
      await reader.press(`${figure} .gv-live-main`, "Enter");
      await page.click(`${figure} .gv-live-samples button:nth-child(3)`);
    }),
};

const found = {};
for (const name of names.length ? names : Object.keys(USES)) found[name] = await USES[name]();
// What is found in a sample, where WebGL takes pictures in: a machine without a graphics card may have none in Firefox.
const webgl = await page.evaluate(() => !!new OffscreenCanvas(1, 1).getContext("webgl2"));
await reader.browser.close();
console.log(JSON.stringify({ known: Object.keys(USES), found, errors: reader.errors, webgl }));
