/** SHA-256 as lower-case hex. Node's own: checkpoints can be large. */
import { createHash } from 'node:crypto';

export const sha256Of = (content: Uint8Array | string): string =>
  createHash('sha256').update(content).digest('hex');
