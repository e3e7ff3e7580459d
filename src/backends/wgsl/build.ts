/**
 * Marks the files of a program as those of one build, so that a loader notices when a server or a cache gives it a file
 * of another. The mark is a hash of all that the loader, the module and the constants say: the same input gives the
 * same files.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Text } from './kernel.js';
import type { Program } from './manifest.js';

export interface Built {
  readonly program: Program;
  readonly source: Text;
  readonly constants: Uint8Array;
}

/** Bytes of the mark: enough to tell builds from each other, which is all that it is for. */
const MARK = 8;

/** A program whose files are not marked yet. */
export type Unmarked = Omit<Program, 'build' | 'bytes'>;

/** A comment on the second line of the module, and the last bytes of the constants. */
export const markedBuild = (program: Unmarked, source: Text, constants: Uint8Array): Built => {
  const hash = sha256.create().update(utf8ToBytes(JSON.stringify(program)));
  const mark = hash.update(utf8ToBytes(source)).update(constants).digest().subarray(0, MARK);
  const build = bytesToHex(mark);
  const marked = source.replace('\n', `\n// build ${build}\n`);
  const bin = new Uint8Array(constants.length + MARK);
  bin.set(constants);
  bin.set(mark, constants.length);
  return {
    program: { ...program, build, bytes: { wgsl: utf8ToBytes(marked).length, bin: bin.length } },
    source: marked,
    constants: bin,
  };
};
