/** SHA-256 as lower-case hex. Node's own: checkpoints can be large. */
import { createHash } from 'node:crypto';

import type { Source } from '../importers/source.js';

export const sha256Of = (content: Uint8Array | string): string =>
  createHash('sha256').update(content).digest('hex');

/** The hash of the main file of a checkpoint, and those of the files beside it in the order of their names. */
export const sourceHashes = ({ bytes, beside }: Source): readonly [string, ...string[]] => [
  sha256Of(bytes),
  ...[...beside].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, content]) => sha256Of(content)),
];
