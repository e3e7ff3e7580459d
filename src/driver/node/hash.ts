/** SHA-256 by Node: checkpoints can be large. */
import { createHash } from 'node:crypto';
import type { Sha256 } from '../hash.js';

export const sha256Of: Sha256 = (content) => createHash('sha256').update(content).digest('hex');
