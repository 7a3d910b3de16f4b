/**
 * What Firefox makes of what goes wrong: node firefox_troubles.mjs ADDRESS FIREFOX BROKEN GOOD, two files that are given.
 * Prints what the page says of each trouble, and shows before and after.
 */

import { Reader, until } from "./firefox_reader.mjs";

const [address, firefox, broken, good] = process.argv.slice(2);
const FAKE = { "media.navigator.streams.fake": true };
const ALLOWED = { ...FAKE, "media.navigator.permission.disabled": true };
const REFUSED = { ...FAKE, "permissions.default.camera": 2 };

/** A file that is no picture, and then one that is. */
async function brokenFile(reader) {
  const figure = await reader.reach("book/live.html", "faces-sliders");
  const canvas = `${figure} canvas`;
  const give = async (file) => (await reader.page.$(`${figure} input[type=file]`)).uploadFile(file);
  const before = await reader.pixels(canvas);
  await give(broken);
  await until(() => reader.trouble(figure));
  const [trouble, kept] = [await reader.trouble(figure), await reader.rested(canvas)];
  await give(good);
  await until(async () => (await reader.pixels(canvas)) !== before);
  return { before, trouble, kept, pixels: await reader.rested(canvas), after: await reader.trouble(figure) };
}

/** A model that the server does not have at first. */
async function missingModel(reader) {
  const figure = await reader.reach("book/live.html", "digit-plane");
  const canvas = `${figure} canvas`;
  const answer = (request) => (request.url().endsWith(".onnx") ? request.respond({ status: 404 }) : request.continue());
  const before = await reader.pixels(canvas);
  await reader.page.setRequestInterception(true);
  reader.page.on("request", answer);
  await reader.drag(figure, 0.3, 0.3);
  await until(() => reader.trouble(figure));
  const [trouble, kept] = [await reader.trouble(figure), await reader.rested(canvas)];
  reader.page.off("request", answer);
  await reader.page.setRequestInterception(false);
  await reader.drag(figure, 0.7, 0.4);
  await until(async () => (await reader.pixels(canvas)) !== before);
  const [pixels, after] = [await reader.rested(canvas), await reader.trouble(figure)];
  return { before, trouble, kept, pixels, after, values: await reader.values(figure) };
}

/** The kit's own switch for a camera, in a page of the site: the demos that have one may lack the WebGL to start. */
async function camera(reader) {
  await reader.page.goto(`${address}/book/live.html`);
  return reader.page.evaluate(async (script) => {
    const { cameraSwitch } = await import(script);
    return new Promise((done) => {
      const fail = (trouble) => trouble && done({ trouble });
      const onFrame = async (frame) => {
        const { data } = frame.getContext("2d").getImageData(0, 0, frame.width, frame.height);
        done({ width: frame.width, height: frame.height, coloured: data.some((level, at) => at % 4 < 3 && level > 0) });
      };
      const made = cameraSwitch({ say() {}, fail }, { onOpen() {}, onFrame, onClose() {} });
      document.body.append(made.element);
      made.element.click();
    });
  }, `${address}/_static/live/kit/camera.js`);
}

/** What some acts find, one after the other, in a Firefox with these preferences. */
async function met(preferences, acts) {
  const reader = await Reader.with(firefox, address, preferences);
  const found = { errors: reader.errors };
  for (const [name, act] of Object.entries(acts)) found[name] = await act(reader);
  await reader.browser.close();
  return found;
}

const allowed = await met(ALLOWED, { brokenFile, missingModel, camera });
const refused = await met(REFUSED, { camera });
console.log(JSON.stringify({ allowed, refused }));
