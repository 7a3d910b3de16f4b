/**
 * Films that are looked at like a camera: the course's own, drawn, or one of the reader's. None leaves the page.
 *
 * @import { Kit } from "../kit/demo.js"
 */

import { canvasOf, pen } from "../kit/canvas.js";
import { element } from "../kit/controls.js";

/**
 * A drawn film as one picture, frame after frame and row after row; a margin of each frame is left out, since the
 * picture's compression smears its neighbours into it.
 *
 * @typedef {{ file: string, frames: number, columns: number, side: number, margin: number, rate: number }} Sheet
 */

/**
 * A film as a player needs it; it goes round.
 *
 * @typedef {object} Film
 * @property {(seconds: number) => HTMLCanvasElement | null} next  The frame after so many seconds more; null if it is
 *   still the last.
 * @property {() => void} [rest]
 * @property {() => void} [resume]
 * @property {() => void} [close]
 */

/** @param {Kit} kit @param {Sheet} sheet @returns {Promise<Film>} */
export async function drawnFilm(kit, { file, frames, columns, side, margin, rate }) {
  const image = await kit.image(file);
  const inner = side - 2 * margin;
  let time = 0;
  let last = -1;
  return {
    next(seconds) {
      time += seconds;
      const number = Math.floor(time * rate) % frames;
      if (number === last) return null;
      last = number;
      const frame = document.createElement("canvas");
      Object.assign(frame, { width: inner, height: inner });
      const [x, y] = [number % columns, Math.floor(number / columns)].map((place) => place * side + margin);
      pen(frame).drawImage(image, x, y, inner, inner, 0, 0, inner, inner);
      return frame;
    },
  };
}

/** A film from the reader's machine, without its sound. @param {File} file @returns {Promise<Film>} */
export async function ownFilm(file) {
  const video = element("video", { playsinline: "", loop: "", src: URL.createObjectURL(file) });
  video.muted = true;
  const close = () => {
    video.pause();
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
  };
  await video.play().catch(() => {
    close();
    throw new Error(`${file.name} could not be played as a film in this browser; give an MP4 or WebM file.`);
  });
  let last = -1;
  return {
    next() {
      if (!video.videoWidth || video.currentTime === last) return null;
      last = video.currentTime;
      return canvasOf(video, video.videoWidth, video.videoHeight, 640);
    },
    rest: () => video.pause(),
    resume: () => video.play().catch(() => {}),
    close,
  };
}

/**
 * Where a reader gives a film: what chooses one, and a dropped one is taken before `zone` takes it for a picture.
 *
 * @param {HTMLElement} zone
 * @param {(film: File) => void} onFilm
 */
export function filmChoice(zone, onFilm) {
  const pick = element("input", { type: "file", accept: "video/*", id: "gv-live-film", class: "gv-live-hidden" });
  pick.addEventListener("change", () => {
    if (pick.files?.length) onFilm(pick.files[0]);
    pick.value = ""; // so that the same file can be chosen again
  });
  const drop = (/** @type {DragEvent} */ event) => {
    const file = event.dataTransfer?.files[0];
    if (!file?.type.startsWith("video/")) return;
    event.preventDefault();
    event.stopPropagation();
    zone.classList.remove("gv-live-over");
    onFilm(file);
  };
  zone.addEventListener("drop", drop, { capture: true });
  return [pick, element("label", { for: pick.id, class: "gv-live-button" }, "Choose a film")];
}

/** Plays one film at a time; the next frame is taken when `onFrame` is done with the last, so some may be passed over. */
export class Player {
  /** @param {Kit} kit @param {(frame: HTMLCanvasElement, milliseconds: number) => Promise<void>} onFrame */
  constructor(kit, onFrame) {
    this.onFrame = onFrame;
    /** @type {Promise<Film> | null} what plays, or will when it has come */
    this.coming = null;
    /** @type {Film | null} */
    this.film = null;
    this.waited = 0;
    this.busy = false;
    this.loop = kit.loop((seconds) => this.tick(seconds)); // it rests out of view
  }

  get playing() {
    return !!this.coming;
  }

  /** @param {Promise<Film>} coming @returns {Promise<boolean>} whether it plays and was not stopped before it came */
  async play(coming) {
    this.stop();
    this.coming = coming;
    const film = await coming.catch((error) => {
      if (this.coming === coming) throw error;
    });
    if (this.coming !== coming || !film) {
      film?.close?.();
      return false;
    }
    this.film = film;
    this.loop.start();
    return true;
  }

  stop() {
    this.loop.stop();
    this.film?.close?.();
    this.film = this.coming = null;
  }

  /** @param {number} seconds */
  async tick(seconds) {
    this.waited += seconds;
    if (this.busy) return;
    const frame = this.film?.next(this.waited);
    this.waited = 0;
    if (!frame) return;
    this.busy = true;
    await this.onFrame(frame, performance.now());
    this.busy = false;
  }
}
