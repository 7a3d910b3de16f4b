/** The reader's camera, open only as long as it is looked through; its frames go nowhere but into this page. */

import { canvasOf } from "./canvas.js";
import { button, element } from "./controls.js";

const WISHED = { video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false };

const PICTURE = "choose a picture";

/** @type {Record<string, string>} */
const REASONS = {
  NotAllowedError: "The camera was refused; allow it beside the page’s address, or",
  NotFoundError: "No camera was found;",
  NotReadableError: "The camera is in use elsewhere; close what uses it, or",
};

/**
 * Show the camera in a video element.
 *
 * @param {HTMLVideoElement} video
 * @param {string} [other]  What to do without one.
 * @returns {Promise<() => void>} what closes it
 * @throws {Error} One sentence that says why there is no picture.
 */
export async function openCamera(video, other = PICTURE) {
  if (!navigator.mediaDevices) {
    throw new Error(`The camera works on pages from https or from this machine only; ${other} instead.`);
  }
  const stream = await navigator.mediaDevices.getUserMedia(WISHED).catch((error) => {
    const why = REASONS[error.name] ?? `The camera could not be opened (${error.name});`;
    throw new Error(`${why} ${other} instead.`);
  });
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  video.srcObject = stream;
  await video.play().catch(() => {
    close();
    throw new Error(`The camera’s picture could not be shown; ${other} instead.`);
  });
  return close;
}

/**
 * Look at an open camera's pictures, one after the other: the next is taken when `onFrame` is done with the last.
 *
 * @param {HTMLVideoElement} video
 * @param {(frame: HTMLCanvasElement, milliseconds: number) => Promise<void>} onFrame  Unmirrored, as the camera sees.
 * @param {number} [longest]  Pixels of a frame's longer side.
 * @returns {() => void} what ends it
 */
export function eachFrame(video, onFrame, longest = 640) {
  let open = true;
  const go = async () => {
    for (; open; await new Promise(requestAnimationFrame)) {
      if (video.videoWidth) {
        await onFrame(canvasOf(video, video.videoWidth, video.videoHeight, longest), performance.now());
      }
    }
  };
  go();
  return () => {
    open = false;
  };
}

/**
 * A button that opens the camera and closes it again.
 *
 * @param {{ say: (words: string) => void, fail: (sentence: string) => void }} kit
 * @param {object} options
 * @param {boolean} [options.main]
 * @param {string} [options.hint]  What to do before it, for those who do not see it.
 * @param {string} [options.other]  What to do without one.
 * @param {() => void} options.onOpen
 * @param {(frame: HTMLCanvasElement, milliseconds: number) => Promise<void>} options.onFrame
 * @param {() => void} options.onClose
 */
export function cameraSwitch(kit, { main, hint = "", other, onOpen, onFrame, onClose }) {
  const video = element("video", { playsinline: "", muted: "" });
  /** @type {(() => void) | undefined} */
  let end;
  const close = () => {
    if (!end) return;
    end();
    end = undefined;
    made.label("Use the camera");
    kit.say("The camera is closed.");
    onClose();
  };
  const open = async () => {
    kit.fail("");
    try {
      const release = await openCamera(video, other);
      const rest = eachFrame(video, onFrame);
      end = () => {
        rest();
        release();
      };
    } catch (error) {
      kit.fail(error instanceof Error ? error.message : String(error));
      return;
    }
    made.label("Close the camera");
    kit.say(`The camera is open. Its frames stay in this page.${hint && ` ${hint}`}`);
    onOpen();
  };
  const made = button({ label: "Use the camera", main, onPress: () => (end ? close() : open()) });
  return {
    element: made.element,
    close,
    get open() {
      return !!end;
    },
  };
}
