import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCheckpoint, writeNpy } from '../../../src/importers/containers/index.js';
import { codeOf, messageOf } from '../../support/checked.js';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

describe('what is no checkpoint', () => {
  test.each([
    ['empty', new Uint8Array(0)],
    ['.npy array', writeNpy({ shape: [1], dtype: 'u1', data: Uint8Array.of(1) })],
    ['HDF5', bytesOf('\x89HDF\r\n\x1a\n\0\0\0\0')],
    ['GGUF', bytesOf('GGUF\x03\0\0\0')],
    ['ONNX', bytesOf('\x08\x08\x12\x07pytorch')],
    ['compressed', bytesOf('\x1f\x8b\x08\0\0\0')],
    ['Git LFS', bytesOf('version https://git-lfs.github.com/spec/v1\noid sha256:00\n')],
    ['web page', bytesOf('\n<!DOCTYPE html><html>')],
    ['text file', bytesOf('epoch,loss\n1,0.5\n')],
    ['text file', bytesOf('{"0_0_0"{')],
    ['no known kind', bytesOf('\0\x01\x02')],
  ])('%s', (what, bytes) => {
    const result = readCheckpoint(bytes, 'm.pt');
    expect(codeOf(result)).toBe('K0104');
    expect(messageOf(result)).toContain(what);
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        readCheckpoint(bytes, 'm.pt');
      }),
      { numRuns: 2000 },
    );
  });
});
