/**
 * Names a build by what its files say, so that a file of another build among them is noticed. The same content has the
 * same name on every run: there is no clock and no counter in it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** Bytes of the name: enough to tell builds from each other, which is all that it is for. */
const LENGTH = 8;

/** 8 bytes for the parts of a build, one after another. */
export const buildBytes = (...parts: ReadonlyArray<Uint8Array | string>): Uint8Array => {
  const hash = sha256.create();
  for (const part of parts) hash.update(typeof part === 'string' ? utf8ToBytes(part) : part);
  return hash.digest().subarray(0, LENGTH);
};

/** The same as 16 hexadecimal digits. */
export const buildId = (...parts: ReadonlyArray<Uint8Array | string>): string =>
  bytesToHex(buildBytes(...parts));
