/**
 * Faces as meshes, the largest first.
 *
 * @import { Mesh } from "./measuring.js"
 */

import { landmarker } from "../kit/landmarks.js";

const MOST = 4; // faces of a picture

/**
 * Find the faces of one picture. What finds them is let go of afterwards: on a phone there is no room for it beside what
 * measures a face, and it comes back from the browser's own store.
 *
 * @param {ImageBitmapSource} picture
 * @param {(part: number | null, words: string) => void} onProgress
 * @returns {Promise<Mesh[]>}
 */
export async function meshesIn(picture, onProgress) {
  const finder = await landmarker("face", { most: MOST, onProgress });
  try {
    onProgress(null, "looking for faces");
    return (await finder.find(picture))
      .map(({ landmarks, moves }) => ({ landmarks, moves: moves ?? {} }))
      .sort((one, other) => widthOf(other) - widthOf(one));
  } finally {
    finder.close();
  }
}

/** The part of the picture's width that a face takes. @param {Mesh} mesh */
const widthOf = ({ landmarks }) => Math.max(...landmarks.map(({ x }) => x)) - Math.min(...landmarks.map(({ x }) => x));
