/**
 * The data section of a WASM binary, appended to a module that binaryen emitted without one.
 *
 * Tables make up nearly all of a module. Handing them to binaryen copies them several times, into and out of
 * its own heap; the section itself is only a header and the bytes (WebAssembly core specification, 5.5.14):
 * it is the last section with a meaning, so it can simply follow what is there.
 */
export interface Segment {
  readonly address: number;
  readonly length: number;
  /** Asked for once, when the segment is written. */
  readonly bytes: () => Uint8Array;
}

export const appendData = (module: Uint8Array, segments: ReadonlyArray<Segment>): Uint8Array => {
  const parts = segments
    .filter((s) => s.length > 0)
    // Kind 0: active, in memory 0, at the constant address.
    .map((s) => ({
      head: [0x00, 0x41, ...signed(s.address), 0x0b, ...unsigned(s.length)],
      segment: s,
    }));
  if (parts.length === 0) return module;
  const count = unsigned(parts.length);
  const size = parts.reduce((n, p) => n + p.head.length + p.segment.length, count.length);
  const header = [0x0b, ...unsigned(size), ...count];
  const result = new Uint8Array(module.length + header.length + size - count.length);
  result.set(module);
  let at = module.length;
  const put = (bytes: ArrayLike<number>): void => {
    result.set(bytes, at);
    at += bytes.length;
  };
  put(header);
  for (const part of parts) {
    put(part.head);
    put(part.segment.bytes());
  }
  return result;
};

/** LEB128. */
const unsigned = (n: number): ReadonlyArray<number> =>
  n < 128 ? [n] : [(n % 128) | 128, ...unsigned(Math.floor(n / 128))];

/** Signed LEB128 of a 32-bit address: addresses from 2^31 are negative constants. */
const signed = (address: number): ReadonlyArray<number> => {
  const bytes: number[] = [];
  for (let n = address | 0; ; n >>= 7) {
    const low = n & 127;
    if ((n >> 7 === 0 && low < 64) || (n >> 7 === -1 && low >= 64)) return [...bytes, low];
    bytes.push(low | 128);
  }
};
