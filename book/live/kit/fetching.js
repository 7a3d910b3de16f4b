/** Files with word on how much of them has come. */

/** @param {number} bytes */
export const mega = (bytes) => (bytes / 1e6).toFixed(1);

/** @typedef {(part: number | null, words: string) => void} OnProgress */

/**
 * Several downloads told as one: each call begins one more, and gives what that one's progress is told to.
 *
 * @param {OnProgress} onProgress
 */
export function together(onProgress) {
  /** @type {{ come: number, all: number }[]} */
  const downloads = [];
  return () => {
    const one = { come: 0, all: 0 };
    downloads.push(one);
    return (/** @type {number} */ come, /** @type {number} */ all) => {
      Object.assign(one, { come, all });
      const known = downloads.every((download) => download.all);
      const [here, whole] = /** @type {const} */ (["come", "all"]).map((key) =>
        downloads.reduce((sum, download) => sum + download[key], 0),
      );
      onProgress(known ? here / whole : null, known ? `${mega(here)} of ${mega(whole)} MB` : `${mega(here)} MB`);
    };
  };
}

/**
 * A file's bytes.
 *
 * @param {string} address
 * @param {string} what  Its name in the sentence that says why it did not come.
 * @param {object} [options]
 * @param {(come: number, all: number) => void} [options.onProgress]  `all` is 0 where nobody knows.
 * @param {string} [options.missing]  A sentence for a file that the server does not have.
 */
export async function fetched(address, what, { onProgress = () => {}, missing } = {}) {
  const answer = await fetch(address).catch(() => null);
  if (missing && answer?.status === 404) throw new Error(missing);
  if (!answer?.ok || !answer.body) {
    const why = answer ? `the server answered ${answer.status}` : "nobody answered";
    throw new Error(`${what} could not be fetched: ${why}. Try again, or load the page anew.`);
  }
  const packed = answer.headers.get("Content-Encoding"); // then the length is not that of what comes out
  const all = packed ? 0 : Number(answer.headers.get("Content-Length"));
  let come = 0;
  const counted = new TransformStream({
    transform(/** @type {Uint8Array} */ part, rest) {
      come += part.length;
      onProgress(come, all);
      rest.enqueue(part);
    },
  });
  const whole = new Response(answer.body.pipeThrough(counted)).arrayBuffer().catch(() => {
    throw new Error(`${what} broke off on its way. Try again, or load the page anew.`);
  });
  return new Uint8Array(await whole);
}
