/** Smaller bytes that are wrong in the same way: pieces are left out, from large to small. */

export const shrunk = (
  bytes: Uint8Array,
  isSame: (candidate: Uint8Array) => boolean,
  milliseconds: number,
): Uint8Array => {
  const end = performance.now() + milliseconds;
  let best = bytes;
  for (let piece = best.length >> 1; piece > 0; piece >>= 1) {
    for (let at = 0; at < best.length && performance.now() < end; ) {
      const candidate = new Uint8Array(best.length - Math.min(piece, best.length - at));
      candidate.set(best.subarray(0, at));
      candidate.set(best.subarray(at + piece), at);
      if (isSame(candidate)) best = candidate;
      else at += piece;
    }
  }
  return best;
};
