/** A reader with the distribution's Firefox, led over WebDriver BiDi: Playwright would need a Firefox of its own. */

import { launch } from "puppeteer-core";

const PATIENCE = 600_000; // ms: a watchdog for what hangs, as in tests/house.py
const HEAVY = /\.(wasm|onnx|mjs)$/; // what no page loads unless it is touched

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Wait until something is so. */
export async function until(ready) {
  for (const end = Date.now() + PATIENCE; !(await ready()); await pause(100)) {
    if (Date.now() > end) throw new Error(`For minutes this was not so: ${ready}`);
  }
}

/** One tab, and all that it asked for and complained of. */
export class Reader {
  constructor(browser, page, address) {
    Object.assign(this, { browser, page, address, asked: [], errors: [] });
    page.setDefaultTimeout(PATIENCE);
    page.on("console", (message) => ["error", "warn"].includes(message.type()) && this.errors.push(message.text()));
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("request", (request) => this.asked.push(request.url()));
  }

  static async with(executablePath, address, extraPrefsFirefox = {}) {
    const patience = { timeout: PATIENCE, protocolTimeout: PATIENCE };
    const browser = await launch({
      browser: "firefox",
      executablePath,
      headless: true,
      extraPrefsFirefox,
      ...patience,
    });
    return new Reader(browser, await browser.newPage(), address);
  }

  get foreign() {
    return this.asked.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(this.address));
  }

  get heavy() {
    return this.asked.filter((url) => HEAVY.test(url)).length;
  }

  /** Scroll to a demo of a page that is opened anew, and wait until it has begun or says why not. */
  async reach(where, demo) {
    const figure = `figure[data-live="${demo}"]`;
    await this.page.goto(`${this.address}/${where}`);
    await this.scroll(figure, "center");
    await this.page.waitForSelector(`${figure}.gv-live-on, ${figure} .gv-live-trouble:not([hidden])`);
    await this.scroll(figure, "start");
    return figure;
  }

  scroll(figure, block) {
    return this.page.$eval(figure, (one, block) => one.scrollIntoView({ block, behavior: "instant" }), block);
  }

  words(selector) {
    return this.page.$eval(selector, (one) => one.textContent);
  }

  /** What went wrong, in the figure's sentence; empty if nothing did. */
  trouble(figure) {
    return this.words(`${figure} .gv-live-trouble`);
  }

  pixels(canvas) {
    return this.page.$eval(canvas, (one) => one.toDataURL("image/png").split(",")[1]);
  }

  /** The pixels of a canvas when all that was asked for is in: they have been the same for a second. */
  async rested(canvas) {
    for (let last = ""; ; await pause(1000)) {
      const now = await this.pixels(canvas);
      if (now === last) return now;
      last = now;
    }
  }

  /** Where the handles of a figure are. */
  values(figure) {
    return this.page.$$eval(`${figure} input[type=range]`, (all) => all.map((input) => input.valueAsNumber));
  }

  /** From the middle of a figure's pad to a part of its width and height. */
  async drag(figure, right = 0.7, down = 0.4) {
    const { x, y, width, height } = await (await this.page.$(`${figure} .gv-live-pad`)).boundingBox();
    await this.page.mouse.move(x + width / 2, y + height / 2);
    await this.page.mouse.down();
    await this.page.mouse.move(x + right * width, y + down * height);
    await this.page.mouse.up();
  }

  /** A key, given to one of a figure's controls. */
  async press(control, key) {
    await this.page.focus(control);
    await this.page.keyboard.press(key);
  }
}
