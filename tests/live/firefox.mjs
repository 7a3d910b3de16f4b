// Uses each demo in Firefox, which Playwright's own build is needed for and the distribution's is not: over WebDriver BiDi.
// node firefox.mjs ADDRESS FIREFOX prints, for each demo, where its controls stand and what its canvas shows.
import { launch } from "puppeteer-core";

const [address, executablePath] = process.argv.slice(2);
const PATIENCE = 600_000;
const browser = await launch({ browser: "firefox", executablePath, headless: true, timeout: PATIENCE, protocolTimeout: PATIENCE });
const page = await browser.newPage();
page.setDefaultTimeout(PATIENCE);
const errors = [];
const asked = [];
page.on("console", (message) => ["error", "warn"].includes(message.type()) && errors.push(message.text()));
page.on("pageerror", (error) => errors.push(error.message));
page.on("request", (request) => asked.push(request.url()));

const found = {};
async function use(where, demo, canvas, act) {
  const figure = `figure[data-live="${demo}"]`;
  await page.goto(`${address}/${where}`);
  await page.$eval(figure, (element) => element.scrollIntoView({ block: "center", behavior: "instant" }));
  await page.waitForSelector(`${figure}.gv-live-on, ${figure} .gv-live-trouble:not([hidden])`);
  const trouble = () => page.$eval(`${figure} .gv-live-trouble`, (line) => line.textContent);
  if (!(await page.$(`${figure}.gv-live-on`))) {
    const still = await page.$eval(`${figure} > img`, (image) => image.offsetWidth > 0);
    found[demo] = { trouble: await trouble(), begun: false, still };
    return;
  }
  await page.$eval(figure, (element) => element.scrollIntoView({ block: "start", behavior: "instant" }));
  const heavy = asked.filter((url) => /\.(wasm|onnx)$/.test(url)).length;
  const pixels = () => page.$eval(`${figure} ${canvas}`, (one) => one.toDataURL("image/png").split(",")[1]);
  const before = await pixels();
  await act(figure);
  for (const end = Date.now() + PATIENCE; Date.now() < end && (await pixels()) === before && !(await trouble()); ) {
    await new Promise((done) => setTimeout(done, 200));
  }
  await new Promise((done) => setTimeout(done, 1000)); // the last of what was asked for
  const values = await page.$$eval(`${figure} input[type=range]`, (all) => all.map((input) => input.valueAsNumber));
  const spoken = await page.$eval(`${figure} .gv-live-spoken`, (line) => line.textContent);
  found[demo] = { begun: true, values, spoken, before, pixels: await pixels(), trouble: await trouble(), heavy };
}

async function drag(figure) {
  const box = await (await page.$(`${figure} .gv-live-pad`)).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.7 * box.width, box.y + 0.4 * box.height);
  await page.mouse.up();
}

await use("book/live.html", "digit-walk", ".gv-live-side canvas", drag);
await use("book/live.html", "digit-plane", "canvas", drag);
await use("book/live.html", "faces-sliders", "canvas", async (figure) => {
  await page.focus(`${figure} input[type=range]`);
  await page.keyboard.press("End");
});
await use("book/live.html", "attention", ".gv-live-pad canvas", async (figure) => {
  await page.focus(`${figure} .gv-live-slider input`);
  await page.keyboard.press("Home");
});
await use("book/index.html", "living-faces", "canvas", drag);
for (const demo of ["restore", "deblur", "any-shake"]) {
  await use("book/live.html", demo, ".gv-live-layers canvas:last-child", async (figure) => {
    await (await page.$(`${figure} .gv-live-samples button:nth-child(2)`)).click();
    const words = (line) => page.$eval(`${figure} ${line}`, (one) => one.textContent);
    for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
      if (/^(Done|Nothing to undo)/.test(await words(".gv-live-verdict")) || (await words(".gv-live-trouble"))) break;
      await new Promise((done) => setTimeout(done, 200));
    }
  });
}
await use("book/live.html", "face-maker", ".gv-live-face:last-child canvas", async (figure) => {
  await page.focus(`${figure} input[type=range]`);
  await page.keyboard.press("End");
});
await use("notebooks/07_draw_me.html", "draw-me", ".gv-live-face canvas", async (figure) => {
  await page.$eval(`${figure} .gv-live-samples button`, (button) => button.click());
  await page.waitForSelector(`${figure} .gv-live-progress:not([hidden])`);
  await page.waitForSelector(`${figure} .gv-live-progress[hidden]`);
});

// What is found in a sample, where WebGL takes pictures in: a machine without a graphics card may have none in Firefox.
const webgl = await page.evaluate(() => !!new OffscreenCanvas(1, 1).getContext("webgl2"));
let told = "";
await use("book/live.html", "landmarks", ".gv-live-scene canvas", async (figure) => {
  const answer = () => page.$eval(figure, (element) =>
    [".gv-live-told", ".gv-live-trouble"].map((line) => element.querySelector(line).textContent));
  await page.click(`${figure} .gv-live-samples button:nth-child(2)`);
  for (const end = Date.now() + PATIENCE; Date.now() < end; await new Promise((done) => setTimeout(done, 200))) {
    const [told, trouble] = await answer();
    if (trouble || told.startsWith("A face")) break;
  }
  told = (await answer())[0];
});
await use("book/live.html", "pinch", ".gv-live-scene canvas", async (figure) => {
  await page.focus(`${figure} .gv-live-main`);
  await page.keyboard.press("Enter");
  await page.focus(`${figure} input[type=range]`);
  await page.keyboard.press("Home");
});
await use("book/live.html", "listen", ".gv-live-score canvas", async (figure) => {
  await page.focus(`${figure} .gv-live-main`);
  await page.keyboard.press("Enter");
  await page.click(`${figure} .gv-live-samples button:nth-child(3)`);
});
await browser.close();
console.log(JSON.stringify({ found, errors, webgl, told, foreign: asked.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(address)) }));
