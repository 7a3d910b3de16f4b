/**
 * Runs MediaPipe's landmark networks, away from the page's own thread. It is told `load`, `find` and `close` by
 * landmarks.js. Pictures come in, numbers go out; it asks for its own files and for nothing else.
 */

import { fetched, together } from "./fetching.js";

const PROGRAM = new URL("../../vendor/tasks-vision/", import.meta.url).href;
const MODELS = new URL("../models/", import.meta.url).href;
const FILE = "vision_wasm_module_internal";

/** @typedef {"face" | "hand" | "pose"} Kind */
/** @import { OnProgress } from "./fetching.js" */

/** What each is called by MediaPipe, in its file, in the course's list of downloads, and in words. */
const KINDS = {
  face: { task: "FaceLandmarker", most: "numFaces", part: "Face", asset: "face-landmarker", words: "faces" },
  hand: { task: "HandLandmarker", most: "numHands", part: "Hand", asset: "hand-landmarker", words: "hands" },
  pose: { task: "PoseLandmarker", most: "numPoses", part: "Pose", asset: "pose-landmarker", words: "bodies" },
};

/** @type {Promise<{ vision: any, factory: any, wasm: WebAssembly.Module }> | undefined} */
let program;
/** @type {Map<string, { task: any, mode: "IMAGE" | "VIDEO", kind: Kind }>} */
const tasks = new Map();

/** The program, once for all networks. @param {string} words @param {(come: number, all: number) => void} onProgress */
async function begun(words, onProgress) {
  const cannot = `The program that finds ${words}`;
  if (typeof WebAssembly !== "object") {
    throw new Error(`${cannot} needs WebAssembly, which this browser lacks or has switched off.`);
  }
  if (typeof OffscreenCanvas !== "function" || !new OffscreenCanvas(1, 1).getContext("webgl2")) {
    throw new Error(`${cannot} needs WebGL 2, which this browser lacks or has switched off.`); // to take pictures in
  }
  const [bytes, vision, loader] = await Promise.all([
    fetched(`${PROGRAM}${FILE}.wasm`, cannot, { onProgress }),
    ...["vision_bundle.mjs", `${FILE}.js`].map((file) =>
      import(`${PROGRAM}${file}`).catch(() => {
        throw new Error(`${cannot} could not be fetched. Try again, or load the page anew.`);
      }),
    ),
  ]);
  const wasm = await WebAssembly.compile(bytes).catch(() => {
    throw new Error(`${cannot} could not be started in this browser; it needs WebAssembly with SIMD.`);
  });
  return { vision, factory: loader.default, wasm };
}

/** @param {{ key: string, kind: Kind, most: number, confidence: number }} about @param {OnProgress} onProgress */
async function load({ key, kind, most, confidence }, onProgress) {
  const { words, asset, task, most: count, part } = KINDS[kind];
  const download = together(onProgress);
  program ??= begun(words, download());
  program.catch(() => {
    program = undefined; // the next touch tries again
  });
  const model = fetched(`${MODELS}${kind}_landmarker.task`, `The model that finds ${words}`, {
    onProgress: download(),
    missing: `This copy of the site was built without the model that finds ${words}; whoever builds it calls “companion assets fetch ${asset}” first.`,
  });
  const [{ vision, factory, wasm }, modelAssetBuffer] = await Promise.all([program, model]);
  onProgress(null, "ready in a moment");
  // MediaPipe takes both from here, once for each task: so the program is compiled once for all.
  Object.assign(self, {
    ModuleFactory: factory,
    custom_dbg() {}, // MediaPipe's complaints about itself
    Module: {
      ...{ print() {}, printErr() {} },
      instantiateWasm(/** @type {any} */ imports, /** @type {any} */ done) {
        WebAssembly.instantiate(wasm, imports).then((instance) => done(instance, wasm));
        return {};
      },
    },
  });
  const made = await vision[task]
    .createFromOptions(
      { wasmBinaryPath: "" },
      {
        baseOptions: { modelAssetBuffer, delegate: "CPU" },
        ...{ runningMode: "IMAGE", [count]: most, minTrackingConfidence: confidence },
        ...{ [`min${part}DetectionConfidence`]: confidence, [`min${part}PresenceConfidence`]: confidence },
        ...(kind === "face" ? { outputFaceBlendshapes: true } : {}),
      },
    )
    .catch(() => {
      throw new Error(
        `The program that finds ${words} could not be started in this browser; load the page anew, or try another browser.`,
      );
    });
  tasks.set(key, { task: made, mode: "IMAGE", kind });
}

/**
 * What is in a picture: alone, or followed from the last one where it has a time.
 *
 * @param {{ key: string, picture: ImageBitmap, milliseconds: number | null }} about
 */
async function find({ key, picture, milliseconds }) {
  const one = tasks.get(key);
  try {
    if (!one) return [];
    const mode = milliseconds === null ? "IMAGE" : "VIDEO";
    if (one.mode !== mode) await one.task.setOptions({ runningMode: mode });
    one.mode = mode;
    const found = milliseconds === null ? one.task.detect(picture) : one.task.detectForVideo(picture, milliseconds);
    return read(one.kind, found, picture);
  } catch (error) {
    throw new Error(`This picture could not be looked at (${error}); try another, or load the page anew.`);
  } finally {
    picture.close();
  }
}

/** MediaPipe's result in ours. @param {Kind} kind @param {any} found @param {{ width: number, height: number }} size */
function read(kind, found, { width, height }) {
  const each = kind === "face" ? found.faceLandmarks : found.landmarks;
  return each.map((/** @type {any[]} */ landmarks, /** @type {number} */ number) => ({
    ...{ kind, width, height, landmarks },
    ...(kind === "hand" ? sideOf(found.handedness[number][0]) : {}),
    ...(kind === "face" ? { moves: movesOf(found.faceBlendshapes[number].categories) } : {}),
  }));
}

/** @param {{ categoryName: string, score: number }} category */
const sideOf = ({ categoryName, score }) => ({ side: categoryName === "Left" ? "left" : "right", score });

/** @param {{ categoryName: string, score: number }[]} categories */
const movesOf = (categories) => Object.fromEntries(categories.map(({ categoryName, score }) => [categoryName, score]));

/** @param {{ key: string }} about */
function close({ key }) {
  tasks.get(key)?.task.close();
  tasks.delete(key);
}

self.addEventListener("message", async ({ data: { id, task, ...about } }) => {
  /** @type {OnProgress} */
  const onProgress = (part, words) => postMessage({ id, progress: { part, words } });
  try {
    const answer = await { load, find, close }[/** @type {"load"} */ (task)](/** @type {any} */ (about), onProgress);
    postMessage({ id, answer });
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
