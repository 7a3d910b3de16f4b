/** Files with word on how much of them has come. */

/** @param {number} bytes */
export const mega = (bytes) => (bytes / 1e6).toFixed(1);

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
  const reader = answer.body.getReader();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  let come = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    if (!value) continue;
    parts.push(value);
    come += value.length;
    onProgress(come, all);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
