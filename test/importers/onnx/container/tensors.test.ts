/** Constants of ONNX files: every type, in every place where its numbers may be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Checked } from '../../../../src/diagnostics/index.js';
import {
  externalFilesOf,
  type OnnxModel,
  readOnnx,
} from '../../../../src/importers/containers/onnx/index.js';
import { codeOf, messageOf, rightOf } from '../../../support/checked.js';
import {
  attributeProto,
  type Bytes,
  external,
  functionProto,
  graphProto,
  message,
  modelProto,
  nodeProto,
  type Part,
  packed,
  packedDoubles,
  packedFloats,
  tensorProto,
} from '../../../support/onnx-writer.js';

const reading = (tensor: Bytes, beside: Readonly<Record<string, Bytes>> = {}): Checked<OnnxModel> =>
  readOnnx(modelProto(graphProto({ constants: [tensor] })), 'm.onnx', new Map(Object.entries(beside)));

const numbers = (type: number, count: number, ...parts: ReadonlyArray<Part>): ReadonlyArray<number> => [
  ...(rightOf(reading(tensorProto('w', type, [count], ...parts))).graph.initializers.get('w')?.data ?? []),
];

const raw = (values: { readonly buffer: ArrayBufferLike }): Part => [9, new Uint8Array(values.buffer)];

/** Type, its name, numbers, and the parts in which they may stand. */
const TYPES: ReadonlyArray<
  readonly [number, string, ReadonlyArray<number>, ReadonlyArray<ReadonlyArray<Part>>]
> = [
  [
    1,
    'float',
    [1.5, -0.25, Number.POSITIVE_INFINITY],
    [[raw(Float32Array.of(1.5, -0.25, 1 / 0))], [[4, packedFloats([1.5, -0.25, 1 / 0])]]],
  ],
  [2, 'uint8', [0, 200, 255], [[raw(Uint8Array.of(0, 200, 255))], [[5, packed([0, 200, 255])]]]],
  [3, 'int8', [-128, -1, 127], [[raw(Int8Array.of(-128, -1, 127))], [[5, packed([-128, -1, 127])]]]],
  [4, 'uint16', [0, 65535, 7], [[raw(Uint16Array.of(0, 65535, 7))], [[5, packed([0, 65535, 7])]]]],
  [5, 'int16', [-32768, 5, 7], [[raw(Int16Array.of(-32768, 5, 7))], [[5, packed([-32768, 5, 7])]]]],
  [
    6,
    'int32',
    [-(2 ** 31), 5, 2 ** 31 - 1],
    [
      [raw(Int32Array.of(-(2 ** 31), 5, 2 ** 31 - 1))],
      [
        [5, -(2 ** 31)],
        [5, 5],
        [5, 2 ** 31 - 1],
      ],
    ],
  ],
  [
    7,
    'int64',
    [-(2 ** 63), -1, 2 ** 40],
    [
      [raw(BigInt64Array.of(-(2n ** 63n), -1n, 2n ** 40n))],
      [[7, packed([-(2n ** 63n), -1n, 2n ** 40n])]],
      [
        [7, -(2n ** 63n)],
        [7, packed([-1])],
        [7, 2 ** 40],
      ],
    ],
  ],
  [9, 'bool', [1, 0, 1], [[raw(Uint8Array.of(1, 0, 255))], [[5, packed([1, 0, 3])]]]],
  [
    10,
    'float16',
    [1, -2, 2 ** -24],
    [
      [raw(Uint16Array.of(0x3c00, 0xc000, 1))],
      [[5, packed([0x3c00, 0xc000, 1])]],
      [[5, packed([0x3c00, -0x4000, 1])]],
    ],
  ],
  [
    11,
    'double',
    [0.1, -1e300, 0],
    [[raw(Float64Array.of(0.1, -1e300, 0))], [[10, packedDoubles([0.1, -1e300, 0])]]],
  ],
  [
    12,
    'uint32',
    [0, 2 ** 32 - 1, 3],
    [[raw(Uint32Array.of(0, 2 ** 32 - 1, 3))], [[11, packed([0, 2 ** 32 - 1, 3])]]],
  ],
  [
    13,
    'uint64',
    [0, 2 ** 64, 3],
    [
      [raw(BigUint64Array.of(0n, 2n ** 64n - 1n, 3n))],
      [[11, packed([0, 2n ** 64n - 1n, 3])]],
      [
        [11, 0],
        [11, -1],
        [11, 3],
      ],
    ],
  ],
  [
    16,
    'bfloat16',
    [1, -2, 3],
    [[raw(Uint16Array.of(0x3f80, 0xc000, 0x4040))], [[5, packed([0x3f80, 0xc000, 0x4040])]]],
  ],
];

describe('constants', () => {
  it.each(TYPES)('of type %i, %s, in bytes and one by one', (type, element, values, forms) => {
    for (const parts of forms) {
      expect(numbers(type, 3, ...parts)).toEqual(values);
      const read = rightOf(reading(tensorProto('w', type, [3], ...parts)));
      expect(read.graph.initializers.get('w')?.element).toBe(element);
    }
  });

  it('have the shape that the file says: scalars, and such without elements', () => {
    const shape = (dims: ReadonlyArray<number>, ...parts: ReadonlyArray<Part>) =>
      rightOf(reading(tensorProto('w', 1, dims, ...parts))).graph.initializers.get('w');
    expect(shape([], raw(Float32Array.of(3)))).toMatchObject({ shape: [], data: Float64Array.of(3) });
    expect(shape([2, 0])).toMatchObject({ shape: [2, 0], data: new Float64Array(0) });
    expect(shape([1, 2, 1], raw(Float32Array.of(3, 4)))).toMatchObject({ shape: [1, 2, 1] });
    // Dimensions may be packed, too.
    const dims = message([1, packed([2, 1])], [2, 1], [8, 'w'], raw(Float32Array.of(3, 4)));
    expect(rightOf(reading(dims)).graph.initializers.get('w')?.shape).toEqual([2, 1]);
  });

  it.each([
    [8, 'string'],
    [14, 'complex64'],
    [15, 'complex128'],
    [17, 'float8e4m3fn'],
    [20, 'float8e5m2fnuz'],
    [21, 'uint4'],
    [22, 'int4'],
    [23, 'float4e2m1'],
    [99, 'type 99'],
    [0, 'no type'],
  ])('of type %i are refused by their names', (type, what) => {
    const read = reading(tensorProto('fc1.weight', type, [1], raw(Uint8Array.of(0))));
    expect(codeOf(read)).toBe('K0112');
    expect(messageOf(read)).toContain(what);
    expect(messageOf(read)).toContain('fc1.weight');
    expect(messageOf(read)).toContain('m.onnx');
  });

  it.each<readonly [string, string, Bytes, string]>([
    ['K0117', 'fewer bytes than elements', tensorProto('w', 1, [3], raw(Float32Array.of(1, 2))), '8 bytes'],
    ['K0117', 'a part of a number', tensorProto('w', 1, [1], [9, new Uint8Array(3)]), '3 bytes'],
    ['K0117', 'no data at all', tensorProto('w', 1, [3]), '0 numbers'],
    ['K0117', 'more numbers than elements', tensorProto('w', 7, [1], [7, packed([1, 2])]), '2 numbers'],
    [
      'K0117',
      'an integer that ends too late',
      tensorProto('w', 7, [1], [7, Uint8Array.of(0x80)]),
      'damaged integers',
    ],
    [
      'K0117',
      'an integer of 11 bytes',
      tensorProto('w', 7, [1], [7, Uint8Array.from([...Array(11).fill(0x80), 1])]),
      'damaged integers',
    ],
    ['K0117', 'a number that is no uint8', tensorProto('w', 2, [1], [5, packed([256])]), '256'],
    ['K0117', 'a number that is no int8', tensorProto('w', 3, [1], [5, packed([200])]), '200'],
    ['K0117', 'a number that is no uint32', tensorProto('w', 12, [1], [11, packed([2 ** 32])]), '4294967296'],
    ['K0113', 'a negative dimension', tensorProto('w', 1, [-1]), '[-1]'],
    ['K0113', 'too many elements', tensorProto('w', 1, [2 ** 20, 2 ** 20]), '[1048576, 1048576]'],
    ['K0113', 'a product beyond doubles', tensorProto('w', 1, Array(60).fill(2n ** 62n)), '...'],
    ['K0113', 'too many dimensions', tensorProto('w', 1, Array(65).fill(1)), '...'],
    ['K0112', 'a part of a tensor', tensorProto('w', 1, [1], [3, message([1, 0], [2, 1])]), 'segment'],
  ])('%s: %s', (code, _, tensor, text) => {
    const read = reading(tensor);
    expect(codeOf(read)).toBe(code);
    expect(messageOf(read)).toContain(text);
  });

  it('are counted over the whole file: one part of a file is not read again and again', () => {
    const data = new Uint8Array(2 ** 20);
    const one = tensorProto('w', 2, [2 ** 20], ...external({ location: 'd' }));
    const read = readOnnx(
      modelProto(
        graphProto({ constants: [one, tensorProto('x', 2, [2 ** 28], ...external({ location: 'd' }))] }),
      ),
      'm.onnx',
      new Map([['d', data]]),
    );
    expect(codeOf(read)).toBe('K0113');
    expect(messageOf(read)).toContain('too many elements');
  });
});

const FILE = Uint8Array.from([9, ...new Uint8Array(Float32Array.of(1, 2, 3).buffer), 9]);

describe('constants in files beside the model', () => {
  const at = (
    entries: Readonly<Record<string, string>>,
    beside: Readonly<Record<string, Bytes>> = { 'm.onnx.data': FILE },
  ) => reading(tensorProto('w', 1, [3], ...external(entries)), beside);

  it('are read from where the model says, at any byte', () => {
    const read = at({ location: 'm.onnx.data', offset: '1', length: '12', checksum: 'abc' });
    expect(rightOf(read).graph.initializers.get('w')?.data).toEqual(Float64Array.of(1, 2, 3));
    const folder = at({ location: './weights/a b', offset: '1', length: '12' }, { 'weights/a b': FILE });
    expect(rightOf(folder).graph.initializers.get('w')?.data).toEqual(Float64Array.of(1, 2, 3));
    const rest = at({ location: 'd' }, { d: FILE.subarray(1, 13) });
    expect(rightOf(rest).graph.initializers.get('w')?.data).toEqual(Float64Array.of(1, 2, 3));
  });

  it('are missing with the name of the file and of the tensor', () => {
    const read = at({ location: 'm.onnx.data', offset: '1', length: '12' }, {});
    expect(codeOf(read)).toBe('K0118');
    expect(messageOf(read)).toMatch(/'m\.onnx\.data', which is not beside the model.*Keep m\.onnx\.data/);
    expect(messageOf(read)).toContain('w');
  });

  it.each<readonly [string, Readonly<Record<string, string>>, string]>([
    ['an end behind the file', { location: 'm.onnx.data', offset: '3', length: '12' }, 'end at byte 15'],
    ['a start behind the file', { location: 'm.onnx.data', offset: '99' }, 'end at byte 99'],
    [
      'a negative offset',
      { location: 'm.onnx.data', offset: '-1', length: '12' },
      "offset of its data is '-1'",
    ],
    ['a length that is no number', { location: 'm.onnx.data', length: '1e1' }, "'1e1'"],
    ['an offset beyond doubles', { location: 'm.onnx.data', offset: '9'.repeat(40) }, 'offset'],
    ['no name', { offset: '1' }, 'said to be in'],
    ['a name that leads elsewhere', { location: '../m.onnx.data' }, '../m.onnx.data'],
    ['a name in the middle that leads elsewhere', { location: 'a/../../b' }, 'a/../../b'],
    ['a whole path', { location: '/etc/passwd' }, '/etc/passwd'],
    ['a whole path of Windows', { location: 'C:\\data' }, 'C:'],
    ['a name with a zero in it', { location: 'a\0b' }, 'said to be in'],
    ['an empty part', { location: 'a//b' }, 'a//b'],
  ])('are refused: %s', (_, entries, text) => {
    const read = at(entries);
    expect(codeOf(read)).toBe('K0118');
    expect(messageOf(read)).toContain(text);
  });

  it('are of another size than the shape says', () => {
    const read = at({ location: 'm.onnx.data', offset: '1', length: '8' });
    expect(codeOf(read)).toBe('K0117');
    expect(messageOf(read)).toContain('8 bytes of float for the shape [3]');
  });

  it('name their files, in graphs of nodes and in functions too', () => {
    const beside = (name: string): Bytes => tensorProto('w', 1, [3], ...external({ location: name }));
    const constant = (name: string): Bytes =>
      nodeProto('Constant', [], ['c'], { attributes: [attributeProto('value', 4, [5, beside(name)])] });
    const branch = nodeProto('If', ['c'], ['y'], {
      attributes: [
        attributeProto('then_branch', 5, [
          6,
          graphProto({ nodes: [constant('c')], constants: [beside('d')] }),
        ]),
      ],
    });
    const graph = graphProto({ constants: [beside('a'), beside('a')], nodes: [constant('b'), branch] });
    const functions = [functionProto('f', [], ['c'], [constant('e')])];
    expect(externalFilesOf(modelProto(graph, { functions }))).toEqual(['a', 'b', 'd', 'c', 'e']);
    expect(externalFilesOf(modelProto(graphProto({ constants: [beside('../a')] })))).toEqual([]);
    const many = Array.from({ length: 10_001 }, (_, k) => beside(`f${k}`));
    expect(externalFilesOf(modelProto(graphProto({ constants: many })))).toHaveLength(10_000);
  });
});

describe('floats of 32 bits', () => {
  it('are the same in bytes and one by one', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true })), (values) => {
        const inBytes = numbers(1, values.length, [9, packedFloats(values)]);
        expect(inBytes).toEqual(values);
        expect(numbers(1, values.length, [4, packedFloats(values)])).toEqual(inBytes);
      }),
      { numRuns: 50 },
    );
  });
});
