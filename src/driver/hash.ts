/** Hashes of what a compilation was given. Who computes them is a capability: Node's own are ten times as fast as portable ones. */
import type { Source } from '../importers/source.js';

/** SHA-256 as lower-case hex; of a text, of its UTF-8 bytes. */
export type Sha256 = (content: Uint8Array | string) => string;

/** The hash of the main file of a checkpoint, and those of the files beside it in the order of their names. */
export const sourceHashes =
  (sha256: Sha256) =>
  ({ bytes, beside }: Source): readonly [string, ...string[]] => [
    sha256(bytes),
    ...[...beside].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, content]) => sha256(content)),
  ];
