import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../../src/importers/containers/index.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';
import {
  bool,
  call,
  dict,
  type Fragment,
  floats,
  get,
  global,
  int,
  none,
  orderedDict,
  pickle,
  put,
  storage,
  tensor,
  text,
  torchLegacy,
  torchZip,
  tuple,
  vector,
} from '../../support/pickle-writer.js';

const read = (bytes: Uint8Array) => readCheckpoint(bytes, 'm.pt');
const SIX = floats([1, 2, 3, 4, 5, 6]);
const view = (offset: number, shape: number[], strides: number[], elements = 6): Fragment =>
  tensor({ key: '0', elements, offset, shape, strides });
const one = (value: Fragment, bytes = SIX) => read(torchZip(orderedDict({ w: value }), { '0': bytes }));
const names = (root: Fragment): string[] => [...rightOf(read(torchZip(root, { '0': SIX }))).tensors.keys()];

describe('torch zip', () => {
  test('a state dict', () => {
    const file = rightOf(
      read(torchZip(orderedDict({ a: vector('0', 6), b: vector('1', 1) }), { '0': SIX, '1': floats([7]) })),
    );
    expect(file.container).toBe('torch-zip');
    expect([...file.tensors]).toEqual([
      ['a', { dtype: 'F32', shape: [6], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ['b', { dtype: 'F32', shape: [1], data: Float32Array.of(7) }],
    ]);
  });

  test.each([
    ['transposed', 0, [3, 2], [1, 3], [1, 4, 2, 5, 3, 6]],
    ['a column', 1, [2], [3], [2, 5]],
    ['expanded', 2, [2, 2], [0, 1], [3, 4, 3, 4]],
    ['a scalar', 5, [], [], [6]],
    ['size 1 with any stride', 0, [1, 6], [999, 1], [1, 2, 3, 4, 5, 6]],
    ['empty', 0, [0, 3], [3, 1], []],
  ])('a view of a storage: %s', (_, offset, shape, strides, values) => {
    expect(rightOf(one(view(offset, shape, strides))).tensors.get('w')).toEqual({
      dtype: 'F32',
      shape,
      data: Float32Array.from(values),
    });
  });

  test('shared storages, shared tensors, parameters', () => {
    const root = orderedDict({
      a: put(50, view(0, [2], [1])),
      b: get(50),
      c: call(global('torch._utils', '_rebuild_parameter'), view(4, [2], [1]), bool(true), none),
    });
    const { tensors } = rightOf(read(torchZip(root, { '0': SIX })));
    expect(tensors.get('b')).toBe(tensors.get('a'));
    expect(tensors.get('c')?.data).toEqual(Float32Array.of(5, 6));
  });

  test('byte order', () => {
    const big = torchZip(
      orderedDict({ w: vector('0', 2) }),
      { '0': floats([1, -2.5], false) },
      { byteorder: 'big' },
    );
    expect(rightOf(read(big)).tensors.get('w')?.data).toEqual(Float32Array.of(1, -2.5));
    expect(codeOf(read(torchZip(orderedDict({}), {}, { byteorder: 'pdp' })))).toBe('K0110');
  });

  test('other types', () => {
    const long = tensor({ key: '0', elements: 3, shape: [3], strides: [1], storage: 'LongStorage' });
    expect(codeOf(one(long))).toBe('K0112');
    const byte = tensor({ key: '0', elements: 24, shape: [2], strides: [3], storage: 'ByteStorage' });
    expect(rightOf(one(byte)).tensors.get('w')?.data).toEqual(Uint8Array.of(SIX[0]!, SIX[3]!));
    const complex = tensor({
      key: '0',
      elements: 3,
      shape: [3],
      strides: [1],
      storage: 'ComplexFloatStorage',
    });
    expect(messageOf(one(complex))).toContain('ComplexFloatStorage');
    const untyped = storage({ key: '0', elements: 24, shape: [], strides: [], storage: 'UntypedStorage' });
    const v3 = call(
      global('torch._utils', '_rebuild_tensor_v3'),
      untyped,
      int(1),
      tuple(int(2)),
      tuple(int(1)),
      bool(false),
      none,
      global('torch', 'uint16'),
    );
    expect(rightOf(one(v3)).tensors.get('w')?.data).toEqual(Uint16Array.of(0x3f80, 0));
  });

  test('wrapped state dicts and prefixes', () => {
    const w = vector('0', 6);
    expect(names(dict({ epoch: int(3), state_dict: orderedDict({ 'module.a.w': w }) }))).toEqual(['a.w']);
    expect(names(dict({ optimizer: dict({ x: w }), model: dict({ _step: int(1), a: w }) }))).toEqual(['a']);
    expect(names(dict({ model: dict({ state_dict: dict({ a: w }) }) }))).toEqual(['a']);
    expect(names(dict({ my_kan: dict({ a: w }), note: text('x') }))).toEqual(['a']);
    expect(names(dict({ n_averaged: w, 'module.module.a': w }))).toEqual(['n_averaged', 'a']);
    expect(names(dict({ 'a._orig_mod.b': w, '_orig_mod.c': w }))).toEqual(['a.b', 'c']);
    expect(names(dict({ 'module.a': w, b: w }))).toEqual(['module.a', 'b']);
    const two = torchZip(dict({ left: dict({ a: w }), right: dict({ a: w }) }), { '0': SIX });
    expect(messageOf(read(two))).toMatch(/K0208.*left \(1 tensors\), right \(1 tensors\)/);
    expect(names(tuple(w))).toEqual(['0']);
    expect(codeOf(read(torchZip(w, { '0': SIX })))).toBe('K0201');
  });

  test.each([
    ['beyond the end', view(1, [6], [1]), 'K0109'],
    ['a stride beyond the end', view(0, [2], [6]), 'K0109'],
    ['a stride of 2^50', view(0, [2], [2 ** 50]), 'K0109'],
    ['more elements than the storage has', view(0, [2], [1], 7), 'K0109'],
    ['no such storage', vector('1', 6), 'K0109'],
    ['a tensor of 2^40 by stride 0', view(0, [2 ** 20, 2 ** 20], [0, 0]), 'K0113'],
    ['a shape beyond 2^53', view(0, [2 ** 40, 2 ** 40], [0, 0]), 'K0108'],
    ['a negative stride', view(5, [2], [-1]), 'K0108'],
    ['a negative offset', view(-1, [1], [1]), 'K0108'],
    ['fewer strides than dimensions', view(0, [2, 3], [1]), 'K0108'],
    ['no storage', call(global('torch._utils', '_rebuild_tensor_v2'), none), 'K0108'],
  ])('refuses a tensor %s', (_, value, code) => {
    const result = one(value);
    expect(codeOf(result)).toBe(code);
    expect(messageOf(result)).toContain('m.pt, tensor w');
  });

  test('many views of one storage do not multiply it without end', () => {
    const large = new Uint8Array(4_000_000);
    const root = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`w${i}`, view(0, [1_000_000], [1], 1_000_000)]),
    );
    expect(codeOf(read(torchZip(dict(root), { '0': large })))).toBe('K0113');
  });

  test('a pickle that would run a command', () => {
    const result = read(torchZip(call(global('os', 'system'), text('echo pwned')), {}));
    expect(messageOf(result)).toMatch(/K0107: m\.pt: The pickle names os\.system,/);
  });

  test('compressed archives are read, bombs are not', () => {
    const root = orderedDict({ w: vector('0', 6) });
    expect(codeOf(read(torchZip(root, { '0': SIX }, { level: 9 })))).toBe('ok');
    const bomb = torchZip(root, { '0': new Uint8Array(2 ** 25) }, { level: 9 });
    expect(codeOf(read(bomb))).toBe('K0113');
  });

  test('a size that the stream exceeds', () => {
    const bytes = torchZip(
      orderedDict({ w: vector('0', 6) }),
      { '0': new Uint8Array(100_000) },
      { level: 9 },
    );
    const at = Buffer.from(bytes).lastIndexOf('archive/data/0');
    new DataView(bytes.buffer).setUint32(at - 46 + 24, 24, true);
    expect(codeOf(read(bytes))).toBe('K0110');
  });

  test('damage is found by the checksum', () => {
    const bytes = torchZip(orderedDict({ w: vector('0', 6) }), { '0': SIX });
    const at = Buffer.from(bytes).indexOf(Buffer.from(SIX));
    bytes[at + 3]! ^= 1;
    expect(messageOf(read(bytes))).toContain('checksum of archive/data/0');
  });

  test('other zips are told apart', () => {
    const zip = (files: Record<string, Uint8Array>) => read(zipSync(files));
    expect(messageOf(zip({ 'x.npy': SIX }))).toMatch(/K0111.*tensor x/);
    expect(codeOf(zip({ 'x.txt': SIX }))).toBe('K0110');
    const script = torchZip(orderedDict({}), {}, { extra: { 'archive/constants.pkl': SIX } });
    expect(messageOf(read(script))).toContain('K0201');
    const twice = torchZip(orderedDict({}), {}, { extra: { 'data.pkl': SIX } });
    expect(codeOf(read(twice))).toBe('K0110');
  });

  test('refuses every truncation and never throws', () => {
    const whole = torchZip(orderedDict({ w: vector('0', 6) }), { '0': SIX });
    for (let length = 0; length < whole.length; length++) {
      expect(codeOf(read(whole.subarray(0, length)))).toMatch(/K0104|K0110/);
    }
    fc.assert(
      fc.property(fc.nat(), fc.nat(255), fc.nat(), fc.nat(255), (at, byte, at2, byte2) => {
        const bent = whole.slice();
        bent[at % bent.length] = byte;
        // The directory is where most of the decisions are made.
        bent[bent.length - 1 - (at2 % 300)] = byte2;
        read(bent);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('torch legacy', () => {
  const root = orderedDict({ a: view(1, [2], [3]), b: vector('z', 1) });
  const whole = torchLegacy(root, [
    { key: 'z', elements: 1, bytes: floats([7]) },
    { key: '0', elements: 6, bytes: SIX },
  ]);

  test('pickles in a row and raw storages', () => {
    const file = rightOf(read(whole));
    expect(file.container).toBe('torch-legacy');
    expect([...file.tensors]).toEqual([
      ['a', { dtype: 'F32', shape: [2], data: Float32Array.of(2, 5) }],
      ['b', { dtype: 'F32', shape: [1], data: Float32Array.of(7) }],
    ]);
  });

  test('a storage that is a view of another', () => {
    const part = tensor({
      key: '0',
      elements: 6,
      shape: [2],
      strides: [1],
      view: tuple(text('v'), int(3), int(2)),
    });
    const file = read(torchLegacy(orderedDict({ a: part }), [{ key: '0', elements: 6, bytes: SIX }]));
    expect(rightOf(file).tensors.get('a')?.data).toEqual(Float32Array.of(4, 5));
  });

  test('refuses every truncation', () => {
    for (let length = 1; length < whole.length; length++) {
      expect(codeOf(read(whole.subarray(0, length)))).toMatch(/K0103|K0104/);
    }
  });

  test('storages that lie', () => {
    const claims = (elements: number) => read(torchLegacy(root, [{ key: '0', elements, bytes: SIX }]));
    expect(codeOf(claims(2 ** 60))).toBe('K0103');
    expect(codeOf(claims(6))).toBe('K0109');
    expect(codeOf(read(torchLegacy(root, [{ key: 'other', elements: 1, bytes: SIX }])))).toBe('K0108');
  });

  test('other pickles', () => {
    expect(codeOf(read(Uint8Array.from(pickle(dict({})))))).toBe('K0104');
    expect(messageOf(read(Buffer.from("cos\nsystem\n(S'echo pwned'\ntR.")))).toContain('os.system');
    expect(messageOf(read(torchLegacy(call(global('os', 'system'), text('x')), [])))).toContain('os.system');
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(255), (at, byte) => {
        const bent = whole.slice();
        bent[at % bent.length] = byte;
        read(bent);
      }),
      { numRuns: 1000 },
    );
  });
});
