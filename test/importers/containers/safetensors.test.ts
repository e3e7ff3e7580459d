import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../../src/importers/containers/index.js';
import { readSafetensors } from '../../../src/importers/containers/safetensors.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import { u64 } from '../../support/pickle-writer.js';

const file = (header: string | object, data: ReadonlyArray<number>, length?: number): Uint8Array => {
  const json = [...Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))];
  return Uint8Array.from([...u64(length ?? json.length), ...json, ...data]);
};
const entry = (dtype: unknown, shape: unknown, data_offsets: unknown) => ({ dtype, shape, data_offsets });

describe('safetensors', () => {
  test('tensors in file order, and metadata', () => {
    const bytes = file(
      {
        __metadata__: { format: 'pt' },
        '10': entry('I16', [2], [4, 8]),
        b: entry('F32', [1, 1], [0, 4]),
        none: entry('F32', [0, 3], [8, 8]),
      },
      [0, 0, 128, 63, 1, 0, 255, 255],
    );
    const read = rightOf(readSafetensors(bytes));
    expect([...read.tensors]).toEqual([
      ['b', { dtype: 'F32', shape: [1, 1], data: Float32Array.of(1) }],
      ['10', { dtype: 'I16', shape: [2], data: Int16Array.of(1, -1) }],
      ['none', { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) }],
    ]);
    expect([...read.metadata]).toEqual([['format', 'pt']]);
  });

  test.each([
    ['not JSON', '{"a":', 'K0105'],
    ['no object', '[]', 'K0105'],
    ['an entry that is no object', { a: 1 }, 'K0105'],
    ['a missing field', { a: { dtype: 'F32', shape: [1] } }, 'K0105'],
    ['a negative dimension', { a: entry('F32', [-1], [0, 4]) }, 'K0105'],
    ['a fraction', { a: entry('F32', [1.5], [0, 6]) }, 'K0105'],
    [
      'a dimension beyond 2^53',
      '{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}',
      'K0105',
    ],
    ['65 dimensions', { a: entry('U8', new Array(65).fill(1), [0, 1]) }, 'K0105'],
    ['three offsets', { a: entry('F32', [1], [0, 4, 8]) }, 'K0105'],
    ['metadata that is not text', { __metadata__: { a: 1 } }, 'K0105'],
    ['a dtype that is not read', { a: entry('F4', [4], [0, 4]) }, 'K0112'],
    ['a dtype off the prototype', { a: entry('toString', [4], [0, 4]) }, 'K0112'],
    ['a size that disagrees', { a: entry('F32', [2], [0, 4]) }, 'K0106'],
    ['a product beyond 2^53', { a: entry('F32', [2 ** 40, 2 ** 40], [0, 4]) }, 'K0106'],
    ['offsets that descend', { a: entry('F32', [1], [4, 0]) }, 'K0106'],
    ['an overlap', { a: entry('F32', [1], [0, 4]), b: entry('F32', [1], [2, 6]) }, 'K0106'],
    ['equal extents', { a: entry('F32', [1], [0, 4]), b: entry('F32', [1], [0, 4]) }, 'K0106'],
    ['an end beyond the file', { a: entry('F32', [100], [0, 400]) }, 'K0103'],
    [
      'a name that stands twice',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
      'K0105',
    ],
  ])('refuses %s', (_, header, code) => {
    expect(codeOf(readSafetensors(file(header, [0, 0, 0, 0, 0, 0, 0, 0])))).toBe(code);
  });

  test('a header length is believed only within the file', () => {
    expect(codeOf(readSafetensors(file('{}', [], 2 ** 52)))).toBe('K0113');
    expect(codeOf(readCheckpoint(file('{}', [], 2 ** 52), 'x'))).toBe('K0113');
    expect(codeOf(readSafetensors(file('{}', [], 3)))).toBe('K0103');
    expect(codeOf(readSafetensors(file('{"a":"\u00e9"}', [], 7)))).toBe('K0105');
  });

  test('names like __proto__ are names', () => {
    const read = readSafetensors(file('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', [7]));
    expect([...rightOf(read).tensors.keys()]).toEqual(['__proto__']);
  });

  test('prefixes are stripped by readCheckpoint', () => {
    const bytes = file({ 'module._orig_mod.w': entry('U8', [1], [0, 1]) }, [7]);
    expect([...rightOf(readCheckpoint(bytes, 'x')).tensors.keys()]).toEqual(['w']);
  });

  test('a message names file and tensor, without control characters', () => {
    const bytes = file({ 'a\u001b[2J': entry('F32', [2], [0, 4]) }, [0, 0, 0, 0]);
    expect(messageOf(readCheckpoint(bytes, 'm.safetensors'))).toBe(
      'error K0106: m.safetensors, tensor a\ufffd[2J: Its offsets [0, 4] do not fit F32 of shape [2]. Expected 8 bytes.',
    );
  });

  test('refuses every truncation and never throws', () => {
    const valid = file(
      { a: entry('F32', [1], [0, 4]), b: entry('BF16', [2], [4, 8]) },
      [0, 0, 0, 0, 1, 2, 3, 4],
    );
    for (let length = 0; length < valid.length; length++) {
      expect(codeOf(readSafetensors(valid.subarray(0, length)))).toBe('K0103');
    }
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.json(),
        fc.nat(),
        fc.nat(255),
        (noise, json, at, byte) => {
          readSafetensors(noise);
          readSafetensors(file(json, [...noise]));
          const bent = valid.slice();
          bent[at % bent.length] = byte;
          readSafetensors(bent);
        },
      ),
    );
  });
});
