/**
 * A face of sliders: the portrait and its caricature side by side, drawn by the package's own renderers as shaders.
 *
 * @import { Kit } from "../kit/demo.js"
 * @import { Colour, Face, Parameter, Parameters } from "../faces/parameters.js"
 */

import { Easel } from "../faces/easel.js";
import { loadParameters } from "../faces/parameters.js";
import { drawPerson, lipsOf } from "../faces/prior.js";
import { swatches } from "../faces/swatches.js";
import { saveDrawing } from "../faces/tracing.js";
import { capital, wishControls } from "../faces/wishes.js";
import { described } from "../faces/words.js";
import { save } from "../kit/canvas.js";

/** Sliders by what they shape; each parameter and its label. @type {Record<string, Record<string, string>>} */
const SLIDERS = {
  face: {
    ...{ head_width: "Width of the head", jaw_width: "Width of the jaw", jaw_square: "Square jaw" },
    ...{ chin_length: "Chin", cheek: "Cheeks", ear_size: "Size of the ears", ear_out: "Ears stand off" },
    ...{ neck_width: "Neck", freckles: "Freckles", age_lines: "Lines of age" },
  },
  eyes: {
    ...{ eye_width: "Width", eye_open: "Height", eye_spacing: "Apart", eye_tilt: "Tilt", eye_height: "Down" },
    ...{ lid_crease: "Fold of the lid", brow_thickness: "Thick brows", brow_arch: "Arched brows" },
    ...{ brow_gap: "High brows" },
  },
  nose: {
    ...{ nose_size: "Size of the nose", nose_length: "Long nose", nose_width: "Wide nose", nose_tip: "Round tip" },
    ...{ mouth_width: "Wide mouth", mouth_height: "Low mouth", upper_lip: "Upper lip", lower_lip: "Lower lip" },
  },
  hair: {
    ...{ hair_top: "Height", hair_side: "Width", hair_length: "Length", hair_wave: "Waves", hair_curl: "Curls" },
    ...{ hair_fringe: "Fringe", hairline: "Low hairline", hair_thin: "From full to none" },
  },
  mood: {
    ...{ smile: "Smile", mouth_open: "Open mouth", brow_raise: "Raised brows", lids: "Lids down" },
    ...{ yaw: "Turned", pitch: "Lifted or lowered", roll: "Tilted", light_x: "Light from left or right" },
  },
  worn: { beard: "Beard", moustache: "Moustache", stubble: "Stubble", makeup: "Make-up" },
};
const TABS = [
  { value: "face", label: "Face" },
  { value: "eyes", label: "Eyes" },
  { value: "nose", label: "Nose and mouth" },
  { value: "hair", label: "Hair" },
  { value: "mood", label: "Mood and pose" },
  { value: "worn", label: "Worn" },
];
const HATS = ["none", "beanie", "sun_hat", "headscarf", "turban"];
const STRENGTH = 1.4; // at the beginning: a friend's drawing
const CHANGE = 0.45; // seconds from one person to the next
const BLINK = { every: 4.2, lasts: 0.16 }; // seconds
const FIRST_PERSON = 14;

/** @type {import("../kit/demo.js").Demo} */
export const demo = {
  title: "Face maker",
  async start(stage, kit) {
    const maker = new Maker(kit, await loadParameters());
    stage.append(...maker.build(kit.options.compact === "yes"));
    maker.meet(Number(kit.options.person ?? FIRST_PERSON), 0);
    maker.life.start();
    return { stop: () => maker.close() };
  },
};

class Maker {
  /** @param {Kit} kit @param {Parameters} parameters */
  constructor(kit, parameters) {
    this.kit = kit;
    this.parameters = parameters;
    this.easel = new Easel(parameters, { portrait: "Portrait", caricature: "Caricature" });
    /** @type {Face} */
    this.face = parameters.mean();
    /** @type {{ from: Face, share: number } | null} */
    this.changing = null;
    this.k = STRENGTH;
    this.style = "ink";
    this.clock = BLINK.lasts;
    this.look = [0, 0];
    /** Controls that follow the face when it changes as a whole. @type {(() => void)[]} */
    this.followers = [];
    this.number = kit.element("p", { class: "gv-live-note" });
    this.life = kit.loop((seconds) => this.live(seconds));
  }

  // ---- the controls ----

  /** @param {boolean} compact @returns {Node[]} */
  build(compact) {
    const { kit, easel } = this;
    const { strength, pens } = wishControls(kit, this.parameters, this);
    const press = (/** @type {string} */ label, /** @type {() => void} */ onPress, main = false) =>
      kit.button({ label, onPress, main }).element;
    const another = press("Somebody else", () => this.meet(Math.floor(Math.random() * 1e6)), true);
    this.turnByHand();
    if (compact) return [easel.element, strength.element, kit.layout("row", another)];
    const buttons = kit.layout(
      "row",
      another,
      press("Save portrait", () => save(easel.large("portrait"), "portrait.png")),
      press("Save drawing", () => save(easel.large("caricature"), "caricature.png")),
      press("Drawing as SVG", () => saveDrawing(easel.large("caricature"), "caricature.svg")),
    );
    return [easel.element, strength.element, pens, buttons, ...this.tabs(), this.number];
  }

  /** @returns {Node[]} */
  tabs() {
    const panels = Object.fromEntries(TABS.map(({ value, label }) => [value, this.panel(value, label)]));
    const turnTo = (/** @type {string} */ chosen) => {
      for (const [name, panel] of Object.entries(panels)) panel.hidden = name !== chosen;
    };
    const which = this.kit.choice({ label: "Change", value: "face", options: TABS, onChange: turnTo });
    turnTo("face");
    return [which.element, ...Object.values(panels)];
  }

  /** @param {string} tab @param {string} label */
  panel(tab, label) {
    const { prior } = this.parameters.data;
    /** @type {Record<string, () => Node[]>} */
    const others = {
      face: () => [this.colour("Skin", "skin", prior.skins, (skin) => this.setColour("lips", lipsOf(skin)))],
      eyes: () => [this.colour("Irises", "iris", prior.irises)],
      hair: () => [this.cuts(), this.colour("Colour", "hair", [...prior.hairs, ...prior.reds, ...prior.greys])],
      worn: () => [this.hats(), this.spectacles(), this.colour("Clothes", "clothes", prior.garments)],
    };
    const sliders = Object.entries(SLIDERS[tab]).map(([name, said]) => this.slider(name, said));
    const attributes = { class: "gv-live-panel", role: "group", "aria-label": label };
    return this.kit.element("div", attributes, ...(others[tab]?.() ?? []), ...sliders);
  }

  /** @param {string} name @param {string} label */
  slider(name, label) {
    const parameter = this.parameters.of(name);
    const { low, mean, high } = parameter;
    const slider = this.kit.slider({
      ...{ label, min: low, max: high, value: mean, step: (high - low) / 200 },
      said: (value) => said(parameter, value),
      onInput: (value) => this.set({ [name]: value }),
    });
    this.followers.push(() => {
      slider.value = this.face[this.parameters.at(name)];
    });
    return slider.element;
  }

  /**
   * @param {string} label
   * @param {string} name
   * @param {Colour[]} colours
   * @param {(colour: Colour) => void} [besides]
   */
  colour(label, name, colours, besides = () => {}) {
    const row = swatches({
      ...{ label, colours },
      onChange: (colour) => {
        this.setColour(name, colour);
        besides(colour);
      },
    });
    this.followers.push(() => row.mark(this.parameters.colour(this.face, name)));
    return row.element;
  }

  /** A list of haircuts; each is a point of the same space that the sliders move in. */
  cuts() {
    const { hair, cuts } = this.parameters.data.prior;
    const { element } = this.kit;
    const select = element("select", {}, element("option", { value: "" }, "as it is"));
    for (const name of Object.keys(cuts)) select.append(element("option", { value: name }, name));
    select.addEventListener("change", () => {
      const cut = cuts[select.value];
      if (cut) this.become(Object.fromEntries(hair.map((name, column) => [`hair_${name}`, cut.values[column]])));
    });
    this.followers.push(() => {
      const own = hair.map((name) => this.face[this.parameters.at(`hair_${name}`)]);
      const same = Object.entries(cuts).find(([, { values }]) =>
        values.every((value, column) => Math.abs(own[column] - value) < 1e-3),
      );
      select.value = same?.[0] ?? "";
    });
    return element("label", { class: "gv-live-select" }, "Cut", select);
  }

  hats() {
    const hats = this.kit.choice({
      ...{ label: "On the head", value: "none" },
      options: HATS.map((value) => ({ value, label: capital(value.replace("_", " ")) })),
      onChange: (chosen) => this.set(Object.fromEntries(HATS.slice(1).map((name) => [name, Number(name === chosen)]))),
    });
    this.followers.push(() => {
      hats.value = HATS.slice(1).find((name) => this.face[this.parameters.at(name)] > 0.5) ?? "none";
    });
    return hats.element;
  }

  spectacles() {
    const names = { glasses: "Glasses", sunglasses: "Dark lenses", earrings: "Earrings" };
    const toggles = Object.entries(names).map(([name, label]) => {
      const toggle = this.kit.toggle({ label, value: false, onChange: (on) => this.set({ [name]: Number(on) }) });
      this.followers.push(() => {
        toggle.value = this.face[this.parameters.at(name)] > 0.5;
      });
      return toggle.element;
    });
    return this.kit.layout("row", ...toggles);
  }

  /** Dragging a picture turns the head; the eyes follow a mouse. The keyboard has sliders for it. */
  turnByHand() {
    for (const canvas of this.easel.canvases) {
      let [lastX, lastY] = [0, 0];
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        [lastX, lastY] = [event.clientX, event.clientY];
        this.look = [0, 0];
      });
      canvas.addEventListener("pointermove", (event) => {
        const side = canvas.clientWidth;
        if (canvas.hasPointerCapture(event.pointerId)) {
          const p = (/** @type {string} */ name) => this.face[this.parameters.at(name)];
          const yaw = p("yaw") + (0.9 * (event.clientX - lastX)) / side;
          const pitch = p("pitch") - (0.6 * (event.clientY - lastY)) / side;
          [lastX, lastY] = [event.clientX, event.clientY];
          this.become({ yaw, pitch }, 0);
        } else if (event.pointerType === "mouse" && !this.kit.calm()) {
          this.look = [event.offsetX / side - 0.5, event.offsetY / side - 0.45];
          this.show();
        }
      });
      canvas.addEventListener("pointerleave", () => {
        this.look = [0, 0];
        this.show();
      });
    }
  }

  // ---- the face ----

  /** Another person, by number: the same as the package's. @param {number} person @param {number} [seconds] */
  meet(person, seconds = this.kit.calm() ? 0 : CHANGE) {
    const face = drawPerson(this.parameters, person);
    this.change(face, seconds);
    const words = described(this.parameters, face);
    this.easel.describe(`Portrait: ${words}.`, `Caricature of the same person: ${words}.`);
    this.kit.say(`Person ${person}: ${words}.`);
    this.number.replaceChildren(
      `Nobody’s face: number ${person} of the course’s own people. In a notebook, `,
      this.kit.element("code", {}, `faces.draw(torch.tensor([${person}]), torch.tensor([0]))`),
      " is the same person. Drag a picture to turn the head.",
    );
  }

  /** Set numbers at once, from a control that shows them already. @param {Record<string, number>} values */
  set(values) {
    this.face = this.parameters.replace(this.face, values);
    this.changing = null;
    this.show();
  }

  /** @param {string} name @param {number[]} colour */
  setColour(name, colour) {
    this.set(Object.fromEntries(colour.map((value, channel) => [`${name}_${"rgb"[channel]}`, value])));
  }

  /** Set numbers that no control shows yet. @param {Record<string, number>} values @param {number} [seconds] */
  become(values, seconds = this.kit.calm() ? 0 : CHANGE) {
    this.change(this.parameters.clamp(this.parameters.replace(this.face, values)), seconds);
  }

  /** @param {Face} face @param {number} seconds */
  change(face, seconds) {
    this.changing = seconds ? { from: this.shown(), share: 0 } : null;
    this.face = face;
    for (const follow of this.followers) follow();
    this.show();
  }

  /** The face as it is on its way. @returns {Face} */
  shown() {
    if (!this.changing) return this.face;
    const { from, share } = this.changing;
    return this.parameters.between(from, this.face, share * share * (3 - 2 * share));
  }

  show() {
    const { parameters } = this;
    const face = this.shown();
    const p = (/** @type {string} */ name) => face[parameters.at(name)];
    const since = this.clock % BLINK.every;
    const shut = since > BLINK.lasts ? 0 : Math.sin((Math.PI * since) / BLINK.lasts);
    const seen = parameters.replace(face, {
      gaze_x: Math.min(Math.max(p("gaze_x") + 1.2 * this.look[0], -0.8), 0.8),
      gaze_y: Math.min(Math.max(p("gaze_y") + this.look[1], -0.5), 0.5),
      lids: p("lids") + (1 - p("lids")) * shut,
    });
    const caricature = parameters.replace(parameters.exaggerate(seen, this.k), parameters.data.styles[this.style]);
    this.easel.show({ portrait: seen, caricature });
  }

  /** One frame: somebody arrives, or blinks. @param {number} seconds */
  live(seconds) {
    if (this.changing) {
      this.changing.share = Math.min(this.changing.share + seconds / CHANGE, 1);
      if (this.changing.share === 1) this.changing = null;
      this.show();
    } else if (!this.easel.slow && !this.kit.calm()) {
      const before = this.clock % BLINK.every;
      this.clock += seconds;
      if (before <= BLINK.lasts || this.clock % BLINK.every < before) this.show();
    }
  }

  close() {
    this.life.stop();
    this.easel.close();
  }
}

/**
 * A shape by its way from the mean to the end, anything else by how much there is of it.
 *
 * @param {Parameter} parameter
 * @param {number} value
 */
function said({ low, mean, high, shape }, value) {
  const middle = shape || low < 0 ? mean : low;
  const share = (value - middle) / (value < middle ? middle - low : high - middle);
  const hundredths = Math.round(100 * share);
  if (middle === low) return hundredths ? `${hundredths} %` : "none";
  if (!hundredths) return "average";
  return `${hundredths < 0 ? "−" : "+"}${Math.abs(hundredths)} %`;
}
