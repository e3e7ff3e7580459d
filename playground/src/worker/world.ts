/** What the compiler needs of a browser. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { CompilerWorld } from '../../../src/driver/compile-input.js';

/** The version of kanc, put in when the playground is built. */
declare const KANC_VERSION: string;

export const world: CompilerWorld = {
  version: KANC_VERSION,
  now: () => performance.now(),
  sha256: (content) => bytesToHex(sha256(typeof content === 'string' ? utf8ToBytes(content) : content)),
};
