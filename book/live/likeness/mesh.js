/**
 * Faces as meshes, found by MediaPipe in the page: `@mediapipe/tasks-vision`, served by the site itself.
 *
 * @import { Kit } from "../kit/demo.js"
 * @import { Mesh } from "./measuring.js"
 */

const VENDOR = "../vendor/tasks-vision/";
const MODEL = "models/face_landmarker.task";
const MOST = 4; // faces of a picture
const CONFIDENCE = 0.5;

/** Finds faces; made by `meshFinder`. */
export class MeshFinder {
  /** @param {any} task MediaPipe's */
  constructor(task) {
    this.task = task;
  }

  /** The faces of a picture, the largest first. @param {HTMLCanvasElement} picture @returns {Mesh[]} */
  find(picture) {
    const { faceLandmarks, faceBlendshapes } = this.task.detect(picture);
    /** @type {Mesh[]} */
    const meshes = faceLandmarks.map((/** @type {Mesh["landmarks"]} */ landmarks, /** @type {number} */ number) => ({
      landmarks,
      moves: Object.fromEntries(
        faceBlendshapes[number].categories.map((/** @type {{ categoryName: string, score: number }} */ one) => [
          one.categoryName,
          one.score,
        ]),
      ),
    }));
    return meshes.sort((one, other) => widthOf(other) - widthOf(one));
  }

  close() {
    this.task.close();
  }
}

/** The part of the picture's width that a face takes. @param {Mesh} mesh */
const widthOf = ({ landmarks }) => Math.max(...landmarks.map(({ x }) => x)) - Math.min(...landmarks.map(({ x }) => x));

/**
 * Load what finds faces, once.
 *
 * @param {Kit} kit
 * @param {(part: number | null, words: string) => void} onProgress
 */
export async function meshFinder(kit, onProgress) {
  const model = await fetched(kit.file(MODEL), onProgress);
  const { FaceLandmarker } = await import(kit.file(`${VENDOR}vision_bundle.mjs`)).catch(() => {
    throw new Error("The program that finds faces could not be fetched; try again, or load the page anew.");
  });
  onProgress(null, "ready in a moment");
  const files = {
    wasmLoaderPath: kit.file(`${VENDOR}vision_wasm_internal.js`),
    wasmBinaryPath: kit.file(`${VENDOR}vision_wasm_internal.wasm`),
  };
  const task = await FaceLandmarker.createFromOptions(files, {
    baseOptions: { modelAssetBuffer: model, delegate: "CPU" },
    runningMode: "IMAGE",
    numFaces: MOST,
    minFaceDetectionConfidence: CONFIDENCE,
    minFacePresenceConfidence: CONFIDENCE,
    minTrackingConfidence: CONFIDENCE,
    outputFaceBlendshapes: true,
  }).catch(() => {
    throw new Error("The program that finds faces could not be started in this browser; it needs WebAssembly.");
  });
  return new MeshFinder(task);
}

/** @param {string} address @param {(part: number | null, words: string) => void} onProgress */
async function fetched(address, onProgress) {
  const answer = await fetch(address).catch(() => null);
  if (answer?.status === 404) {
    throw new Error(
      "This copy of the site was built without the model that finds faces; whoever builds it calls “companion assets fetch face-landmarker” first.",
    );
  }
  if (!answer?.ok)
    throw new Error("The model that finds faces could not be fetched; try again, or load the page anew.");
  onProgress(null, "finding faces: 3.8 MB and 11 MB");
  return new Uint8Array(await answer.arrayBuffer());
}
