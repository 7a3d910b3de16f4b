/**
 * Work that is done one piece after the other, so that nothing is let go of while it is in use.
 *
 * @returns {<T>(work: () => Promise<T>) => Promise<T>} what queues a piece, and gives its answer
 */
export function turns() {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  return (work) => {
    const now = last.then(work);
    last = now.catch(() => {});
    return now;
  };
}
