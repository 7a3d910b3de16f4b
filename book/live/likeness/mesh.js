/**
 * Faces as meshes, the largest first.
 *
 * @import { Mesh } from "./measuring.js"
 */

import { landmarker } from "../kit/landmarks.js";

const MOST = 4; // faces of a picture

/** Load what finds faces, once. @param {(part: number | null, words: string) => void} onProgress */
export async function meshFinder(onProgress) {
  const faces = await landmarker("face", { most: MOST, onProgress });
  return {
    /** @param {ImageBitmapSource} picture @returns {Promise<Mesh[]>} */
    find: async (picture) =>
      (await faces.find(picture))
        .map(({ landmarks, moves }) => ({ landmarks, moves: moves ?? {} }))
        .sort((one, other) => widthOf(other) - widthOf(one)),
    close: () => faces.close(),
  };
}

/** The part of the picture's width that a face takes. @param {Mesh} mesh */
const widthOf = ({ landmarks }) => Math.max(...landmarks.map(({ x }) => x)) - Math.min(...landmarks.map(({ x }) => x));
