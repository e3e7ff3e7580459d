/**
 * Marks the files of a program as those of one build, so that a loader notices when a server or a cache gives it a file
 * of another. The mark is a hash of all that the loader, the module and the constants say: the same input gives the
 * same files.
 */
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { buildBytes } from '../shared/build-id.js';
import type { Text } from './kernel.js';
import type { Program, Unmarked } from './manifest.js';

export interface Built {
  readonly program: Program;
  readonly source: Text;
  readonly constants: Uint8Array;
}

/** A comment on the second line of the module, and the last bytes of the constants. */
export const markedBuild = (program: Unmarked, source: Text, constants: Uint8Array): Built => {
  const mark = buildBytes(JSON.stringify(program), source, constants);
  const build = bytesToHex(mark);
  const marked = source.replace('\n', `\n// build ${build}\n`);
  const bin = new Uint8Array(constants.length + mark.length);
  bin.set(constants);
  bin.set(mark, constants.length);
  return {
    program: { ...program, build, bytes: { wgsl: utf8ToBytes(marked).length, bin: bin.length } },
    source: marked,
    constants: bin,
  };
};
