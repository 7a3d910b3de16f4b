/**
 * “Draw me”: a photographed face is measured and then drawn, its own features exaggerated. Nothing leaves the page.
 *
 * @import { Kit, Running } from "../kit/demo.js"
 * @import { Face, Parameters } from "../faces/parameters.js"
 * @import { LikenessData, Mesh } from "../likeness/measuring.js"
 */

import { Easel } from "../faces/easel.js";
import { loadParameters } from "../faces/parameters.js";
import { drawPerson } from "../faces/prior.js";
import { wishControls } from "../faces/wishes.js";
import { described } from "../faces/words.js";
import { openCamera } from "../kit/camera.js";
import { canvasOf, painted, pen, picture, save } from "../kit/canvas.js";
import { newest } from "../kit/models.js";
import { Measurer } from "../likeness/measuring.js";
import { meshesIn } from "../likeness/mesh.js";
import { Outliner } from "../likeness/outliner.js";

const STRENGTH = 1.4; // at the beginning
const SHOWN = 640; // pixels of the photograph in the page
const MARGIN = 0.12; // around a face's mesh, in its widths, where it is marked
const SAMPLE = "astronaut.jpg";
const SITTER = "Eileen Collins, astronaut (NASA, public domain)";
const LENT = 56; // the person whose colours the mean face wears until somebody comes

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Draw me",
  async start(stage, kit) {
    const me = new DrawMe(kit, await loadParameters());
    stage.append(...me.build());
    await me.begin();
    return me.running();
  },
};

class DrawMe {
  /** @param {Kit} kit @param {Parameters} parameters */
  constructor(kit, parameters) {
    this.kit = kit;
    this.parameters = parameters;
    this.easel = new Easel(parameters, { portrait: "Likeness", caricature: "Caricature" });
    this.photo = picture({ width: SHOWN, height: SHOWN, label: "No photograph yet" });
    this.video = kit.element("video", {
      playsinline: "",
      muted: "",
      hidden: "",
      "aria-label": "Your camera, as a mirror",
    });
    this.marks = kit.element("div", {});
    this.hint = kit.element(
      "p",
      { class: "gv-live-note" },
      "Your photograph, or a sample, comes here. Until then: nobody.",
    );
    const tag = kit.element("span", { class: "gv-live-tag", "aria-hidden": "true" }, "Photograph");
    this.frame = kit.element("div", { class: "gv-live-photo" }, this.photo, this.hint, this.video, this.marks, tag);
    this.progress = kit.progress("Measuring");
    this.k = STRENGTH;
    this.style = "ink";
    /** @type {Face} */
    this.face = parameters.mean();
    /** @type {Promise<Measurer> | undefined} */
    this.measurer = undefined;
    /** @type {(() => void) | undefined} */
    this.closeCamera = undefined;
    this.outliner = new Outliner();
    this.original = document.createElement("canvas");
    this.take = newest((/** @type {CanvasImageSource & { width: number, height: number }} */ image) =>
      this.look(image),
    );
    this.measure = newest((/** @type {Mesh} */ mesh) => this.draw(mesh));
  }

  // ---- the controls ----

  /** @returns {Node[]} */
  build() {
    const { kit, easel } = this;
    const { strength, pens } = wishControls(kit, this.parameters, this);
    const zone = kit.dropZone({
      label: "Your photograph",
      samples: [{ label: SITTER, url: kit.file(SAMPLE) }],
      onPicture: (bitmap) => {
        this.endCamera();
        this.take(bitmap);
      },
      onError: (sentence) => kit.fail(sentence),
    });
    this.camera = kit.button({ label: "Use the camera", main: true, onPress: () => this.pressCamera() });
    zone.element.prepend(this.camera.element);
    const press = (/** @type {string} */ label, /** @type {() => void} */ onPress) =>
      kit.button({ label, onPress }).element;
    const buttons = kit.layout(
      "row",
      press("Save likeness", () => save(easel.large("portrait"), "likeness.png")),
      press("Save caricature", () => save(easel.large("caricature"), "caricature.png")),
    );
    const pictures = kit.element("div", { class: "gv-live-drawn" }, this.frame, easel.element);
    const note = kit.element(
      "p",
      { class: "gv-live-note" },
      "Your picture stays in this page: it is measured here, by your own machine, and nothing of it is sent or kept. ",
      "The face that it opens with was measured in Python, by the same steps. ",
      "This is for drawing and for learning how a likeness is made. It cannot tell who somebody is, and it judges nobody.",
    );
    return [pictures, this.progress.element, zone.element, strength.element, pens, buttons, note];
  }

  /** @returns {Running} */
  running() {
    return {
      pause: () => this.endCamera(), // a camera that nobody sees is closed
      stop: () => {
        this.endCamera();
        this.outliner.close();
        this.easel.close();
      },
    };
  }

  // ---- the photograph ----

  async pressCamera() {
    const { kit, video } = this;
    kit.fail("");
    if (this.closeCamera) {
      const shot = canvasOf(video, video.videoWidth, video.videoHeight);
      this.endCamera();
      this.take(shot);
      return;
    }
    try {
      this.closeCamera = await openCamera(video);
    } catch (error) {
      kit.fail(sentence(error));
      return;
    }
    video.hidden = false;
    this.hint.hidden = true;
    this.photo.hidden = true;
    this.marks.replaceChildren();
    this.camera?.label("Take the picture");
    kit.say("The camera is open. Its picture stays in this page.");
  }

  endCamera() {
    this.closeCamera?.();
    this.closeCamera = undefined;
    this.video.hidden = true;
    this.photo.hidden = false;
    this.camera?.label("Use the camera");
  }

  /** Find the faces of a picture, and draw the largest. @param {CanvasImageSource & { width: number, height: number }} image */
  async look(image) {
    const { kit, progress } = this;
    kit.fail("");
    const { corner, size } = this.showPhoto(image);
    this.photo.setAttribute("aria-label", "Your photograph");
    try {
      progress.set(null, "loading");
      const meshes = await meshesIn(this.original, progress.set);
      if (!meshes.length) {
        kit.fail("No face was found in it; give a picture in which one is seen from the front.");
        return;
      }
      this.mark(meshes, corner, size);
      this.measure(meshes[0]);
    } catch (error) {
      kit.fail(sentence(error));
    } finally {
      progress.done();
    }
  }

  /** Show a photograph, all of it, in its square. @param {CanvasImageSource & { width: number, height: number }} image */
  showPhoto(image) {
    this.original = canvasOf(image, image.width, image.height);
    const { width, height } = this.original;
    const scale = SHOWN / Math.max(width, height);
    const size = [width * scale, height * scale];
    const corner = size.map((side) => (SHOWN - side) / 2);
    const context = pen(this.photo);
    context.clearRect(0, 0, SHOWN, SHOWN);
    context.drawImage(this.original, corner[0], corner[1], size[0], size[1]);
    this.marks.replaceChildren();
    this.hint.hidden = true;
    return { corner, size };
  }

  /** What measures faces, loaded with the first. */
  ready() {
    this.measurer ??= (async () => {
      const { kit, parameters } = this;
      /** @type {LikenessData} */
      const data = await kit.json("likeness.json");
      const model = await kit.models.load("likeness", this.progress.set);
      return new Measurer(parameters, data, this.easel.renderer, model, this.outliner);
    })();
    this.measurer.catch(() => {
      this.measurer = undefined; // the next picture tries again
    });
    return this.measurer;
  }

  /** Buttons around the faces, where there are several. @param {Mesh[]} meshes @param {number[]} corner @param {number[]} size */
  mark(meshes, corner, size) {
    if (meshes.length === 1) return;
    const buttons = meshes.map(({ landmarks }, number) => {
      const ends = /** @type {const} */ (["x", "y"]).map((axis, place) => {
        const values = landmarks.map((landmark) => corner[place] + landmark[axis] * size[place]);
        return [Math.min(...values), Math.max(...values)];
      });
      const wide = MARGIN * (ends[0][1] - ends[0][0]);
      const [[left, right], [top, bottom]] = ends.map(([low, high]) => [low - wide, high + wide]);
      const part = (/** @type {number} */ pixels) => `${(100 * pixels) / SHOWN}%`;
      const place = `left:${part(left)};top:${part(top)};width:${part(right - left)};height:${part(bottom - top)}`;
      const name = `Draw face ${number + 1} of ${meshes.length}`;
      const pressed = `${number === 0}`;
      const one = this.kit.element("button", {
        ...{ type: "button", class: "gv-live-found", style: place, title: name },
        ...{ "aria-label": name, "aria-pressed": pressed },
      });
      one.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", `${other === one}`);
        this.measure(meshes[number]);
      });
      return one;
    });
    this.marks.replaceChildren(...buttons);
    this.kit.say(`${meshes.length} faces were found; the largest is drawn. Each has a button.`);
  }

  // ---- the drawing ----

  /** @param {Mesh} mesh */
  async draw(mesh) {
    try {
      this.progress.set(null, "measuring the face");
      const measurer = await this.ready();
      await painted();
      const { width, height } = this.original;
      const pixels = pen(this.original).getImageData(0, 0, width, height);
      const { face } = await measurer.measure(pixels, mesh, (words) => this.progress.set(null, words));
      this.meet(face);
    } catch (error) {
      this.kit.fail(sentence(error));
    } finally {
      this.progress.done();
    }
  }

  /** The sample, which was measured when the site was built; without it, nobody. */
  async begin() {
    const { kit } = this;
    /** @type {{ sample: number[] | null }} */
    const { sample } = await kit.json("draw-me.json");
    if (!sample) return this.nobody();
    this.showPhoto(await kit.image(SAMPLE));
    this.photo.setAttribute("aria-label", `The sample: ${SITTER}`);
    this.meet(Float32Array.from(sample));
    kit.say("");
  }

  /** Draw a face that was measured. @param {Face} face */
  meet(face) {
    this.face = face;
    const words = described(this.parameters, face);
    this.easel.describe(`A drawn likeness: ${words}.`, `A caricature: ${words}.`);
    this.kit.say(`Drawn: ${words}.`);
    this.show();
  }

  /** The mean face, from which every caricature leads away, until somebody comes. */
  nobody() {
    const { parameters } = this;
    this.face = parameters.replace(drawPerson(parameters, LENT), {
      ...parameters.data.realMean,
      ...{ yaw: 0, pitch: 0, roll: 0, gaze_x: 0, gaze_y: 0, lids: 0, mouth_open: 0, brow_raise: 0, smile: 0.5 },
    });
    this.easel.describe("Nobody yet: the mean face.", "Nobody yet: the mean face, drawn.");
    this.show();
  }

  show() {
    const { parameters } = this;
    const { studio, styles, realMean } = parameters.data;
    const portrait = parameters.replace(this.face, studio);
    const moved = parameters.exaggerate(this.face, this.k, realMean);
    this.easel.show({ portrait, caricature: parameters.replace(moved, { ...studio, ...styles[this.style] }) });
  }
}

/** @param {unknown} error */
const sentence = (error) => (error instanceof Error ? error.message : String(error));
