/** Data as people have them: other axes, other containers, labels of other forms, means of channels. */
import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { inLayout } from '../../src/driver/input-layout.js';
import { readArrayFile } from '../../src/importers/containers/array-file.js';
import { readNpy, type WritableNpyArray, writeNpy } from '../../src/importers/containers/npy/index.js';
import { floatType } from '../../src/ir/types.js';
import { toTensor } from '../../src/passes/dataset.js';
import { targetsOf } from '../../src/search/targets.js';
import { data, REGRESSION, WINE, workplace } from '../cli/support.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';

const { kanc, path, put, putNpy } = workplace();

const floats = (shape: ReadonlyArray<number>, values: ArrayLike<number>): WritableNpyArray => ({
  shape,
  dtype: 'f4',
  data: Float32Array.from(values),
});
const counting = (...shape: ReadonlyArray<number>): WritableNpyArray =>
  floats(
    shape,
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, j) => j),
  );

describe('axes of images', () => {
  const tensorOf = (array: WritableNpyArray, wanted: ReadonlyArray<number>) =>
    toTensor({ path: 'x.npy', array }, floatType(wanted));

  it('are those of the network, or refused with advice', () => {
    const last = tensorOf(counting(2, 8, 6, 3), [3, 8, 6]);
    expect(codeOf(last)).toBe('K0703');
    expect(messageOf(last)).toContain('channels are last');
    expect(codeOf(tensorOf(counting(2, 6, 8, 3), [3, 8, 6]))).toBe('K0703');
    expect(codeOf(tensorOf(counting(2, 8, 18), [3, 8, 6]))).toBe('K0703');
    // As one row: order is lost as well.
    expect(codeOf(tensorOf(counting(2, 8, 6, 3), [144]))).toBe('K0703');
    expect(codeOf(tensorOf(counting(144, 5), [144]))).toBe('K0701');
  });

  it('may lack those of length 1, and be flat', () => {
    for (const shape of [
      [2, 3, 8, 6],
      [2, 144],
    ]) {
      expect(rightOf(tensorOf(counting(...shape), [3, 8, 6])).data[7]).toBe(7);
    }
    for (const shape of [
      [2, 8, 6],
      [2, 1, 8, 6],
      [2, 8, 6, 1],
      [2, 48],
    ]) {
      expect(rightOf(tensorOf(counting(...shape), [1, 8, 6])).batch).toBe(2);
      expect(rightOf(tensorOf(counting(...shape), [48])).batch).toBe(2);
    }
  });

  it('are transposed by the layout nhwc', () => {
    const { shape, data: moved } = rightOf(inLayout('nhwc')(counting(2, 4, 5, 3)));
    expect(shape).toEqual([2, 3, 4, 5]);
    for (const [n, c, h, w] of [
      [0, 0, 0, 0],
      [1, 2, 3, 4],
      [1, 0, 2, 1],
    ] as const) {
      expect(moved[((n * 3 + c) * 4 + h) * 5 + w]).toBe(((n * 4 + h) * 5 + w) * 3 + c);
    }
    const flat = inLayout('nhwc')(counting(2, 60));
    expect(codeOf(flat)).toBe('K0703');
    expect(JSON.stringify(flat)).toContain('x.reshape(len(x), height, width, channels)');
  });

  it('cannot be named where no data are read', async () => {
    const layout = ['--input-layout', 'nhwc'];
    for (const command of [
      ['compile', WINE, '-o', path('layout')],
      ['compile', WINE, '-o', path('layout'), '--passes', 'calibrate,quantize,tabulate'],
      ['view', WINE, '-o', path('layout.html')],
    ]) {
      const { exit, err } = await kanc([...command, ...layout]);
      expect([exit, err]).toEqual([2, expect.stringContaining('no file of data is read')]);
    }
    const image = putNpy('one-image.npy', counting(20, 13, 1, 1));
    expect((await kanc(['compile', WINE, '-o', path('layout'), '--calib', image, ...layout])).err).toContain(
      'channels of the data were moved',
    );
    expect((await kanc(['verify', path('layout')])).exit).toBe(0);
    expect((await kanc(['verify', path('layout'), ...layout])).exit).toBe(2);
    const passes = `calibrate{data="${image}"},quantize,tabulate,fold,dce`;
    const named = await kanc(['compile', WINE, '-o', path('layout'), '--passes', passes, ...layout]);
    expect(named.err).toContain('channels of the data were moved');
  });
});

describe('containers', () => {
  const x = counting(20, 13);
  const npz = (names: ReadonlyArray<string>): Uint8Array =>
    zipSync(Object.fromEntries(names.map((name) => [`${name}.npy`, writeNpy(x)])));

  it('an .npz archive is read, by name where it holds several arrays', async () => {
    expect(rightOf(readArrayFile(npz(['x'])))).toEqual(rightOf(readNpy(writeNpy(x))));
    expect(messageOf(readArrayFile(npz(['x', 'y'])))).toContain('FILE.npz:x');
    expect(rightOf(readArrayFile(npz(['x', 'y']), 'y')).shape).toEqual([20, 13]);
    expect(codeOf(readArrayFile(npz(['x', 'y']), 'z'))).toBe('K0704');
    const file = put('both.npz', npz(['x', 'y']));
    expect((await kanc(['compile', WINE, '-o', path('npz'), '--calib', `${file}:x`])).exit).toBe(0);
  });

  it.each([
    ['1,2.5\n-3,4e-1\n', 'a table as text (CSV). Expected an .npy file', "delimiter=','"],
    ['a,b\n1,2\n', 'with a line of names', 'skiprows=1'],
    ['"a","b"\n"1","2"\n', 'with a line of names', 'quotechar=chr(34)'],
    ['a,b\n1,red\n2,\n', 'with a line of names', 'NaN'],
    ['1,5;2,5\n3,5;4,5\n', 'a table as text', "replace(',', '.')"],
    ['1\t2\n3\t4\n', 'a table as text', "delimiter='\\t'"],
    ['nothing here\n', 'a text file', 'numpy.save'],
  ])('%j is refused by what it is', async (text, what, advice) => {
    const { exit, err } = await kanc(['compile', WINE, '-o', path('no'), '--calib', put('d.npy', text)]);
    expect(exit).toBe(1);
    expect(err).toContain('K0704');
    expect(err).toContain(what);
    expect(err).toContain(advice);
  });

  it('pickles are refused, and nothing in them runs', () => {
    const bytes = Uint8Array.of(0x80, 4, 0x4b, 1, 0x2e);
    expect(messageOf(readArrayFile(bytes))).toContain('a pickle');
    const torch = zipSync({ 'x/data.pkl': bytes, 'x/version': bytes });
    expect(messageOf(readArrayFile(torch))).toContain('torch.save');
  });
});

describe('labels', () => {
  const targets = (
    shape: ReadonlyArray<number>,
    values: ReadonlyArray<number>,
    outputs: number,
    dtype: 'f4' | 'i4' = 'i4',
  ) =>
    targetsOf(
      {
        path: 'y.npy',
        array: { shape, dtype, data: dtype === 'f4' ? Float32Array.from(values) : Int32Array.from(values) },
      },
      outputs,
      shape[0]!,
    );
  const classes = (t: ReturnType<typeof targets>) => {
    const found = rightOf(t);
    return found._tag === 'classes' ? Array.from(found.classes) : found._tag;
  };

  it('of one output are classes by its sign', () => {
    for (const dtype of ['f4', 'i4'] as const) {
      expect(classes(targets([3], [0, 1, 1], 1, dtype))).toEqual([0, 1, 1]);
      expect(classes(targets([3, 1], [-1, 1, -1], 1, dtype))).toEqual([0, 1, 0]);
    }
    expect(classes(targets([3], [0, 1, 2.5], 1, 'f4'))).toBe('values');
    expect(messageOf(targets([3], [1, 2, 1], 1))).toContain('classes 0 and 1');
  });

  it('may be one-hot, or numbers as floats', () => {
    for (const dtype of ['f4', 'i4'] as const) {
      expect(classes(targets([2, 3], [0, 1, 0, 0, 0, 1], 3, dtype))).toEqual([1, 2]);
      expect(classes(targets([2], [2, 0], 3, dtype))).toEqual([2, 0]);
    }
    expect(classes(targets([2, 2], [1, 1, 0, 1], 2, 'f4'))).toBe('values');
    expect(codeOf(targets([2, 2], [1, 1, 0, 1], 2))).toBe('K0702');
    const soft = rightOf(targets([1, 2], [0.25, 0.75], 2, 'f4'));
    expect(soft).toMatchObject({ _tag: 'values', note: expect.stringContaining('probabilities') });
  });

  it('that are none are refused where they stand', () => {
    expect(messageOf(targets([3], [0.5, Number.NaN, 1], 1, 'f4'))).toContain('target of sample 1 is NaN');
    expect(messageOf(targets([2, 2], [0, 1, 2, Infinity], 2, 'f4'))).toContain('sample 1 is Infinity');
    expect(JSON.stringify(targets([2], [1, 3], 3))).toContain('labels - 1');
  });

  it('of one logit: kanc eval gives the accuracy by its sign, and says so', async () => {
    const inputs = data('regression', 'test_inputs.npy');
    const wanted = path('wanted.npy');
    expect((await kanc(['run', REGRESSION, '--input', inputs, '--output', wanted])).exit).toBe(0);
    const outputs = rightOf(readNpy(readFileSync(wanted))).data;
    const signs = Int32Array.from(outputs, (y: number) => (y > 0 ? 1 : 0));
    const file = putNpy('signs.npy', { shape: [signs.length], dtype: 'i4', data: signs });
    const { out } = await kanc(['eval', REGRESSION, '--data', inputs, '--labels', file, '--json']);
    expect(JSON.parse(out)).toMatchObject({ accuracy: 1, note: expect.stringContaining('above 0') });
  });
});

describe('mean and deviation of channels', () => {
  it('of bytes are exact: the same as floats that were normalised beforehand', async () => {
    const [mean, std] = [
      Array.from({ length: 13 }, (_, c) => c / 20),
      Array.from({ length: 13 }, (_, c) => 0.3 + c / 50),
    ];
    const r = randomOf(9);
    const bytes = Uint8Array.from({ length: 64 * 13 }, () => Math.floor(256 * r.unit()));
    const { fround } = Math;
    const scaled = Array.from(bytes, (u, j) =>
      fround(fround(fround(u / 255) - fround(mean[j % 13]!)) / fround(std[j % 13]!)),
    );
    const u8 = putNpy('u8.npy', { shape: [64, 13], dtype: 'u1', data: bytes });
    const f32 = putNpy('f32.npy', floats([64, 13], scaled));
    const flags = ['--input-dtype', 'u8', '--input-mean', mean.join(','), '--input-std', std.join(',')];
    await kanc(['run', WINE, '--input', f32, '--output', path('a.npy')]);
    await kanc(['run', WINE, '--input', u8, '--output', path('b.npy'), ...flags]);
    expect(readFileSync(path('b.npy')).equals(readFileSync(path('a.npy')))).toBe(true);
    expect((await kanc(['compile', WINE, '-o', path('u8'), '--calib', u8, ...flags])).exit).toBe(0);
    expect((await kanc(['compile', WINE, '-o', path('f32'), '--calib', f32])).exit).toBe(0);
    await kanc(['run', path('u8'), '--input', u8, '--output', path('a.npy')]);
    await kanc(['run', path('f32'), '--input', f32, '--output', path('b.npy')]);
    expect(readFileSync(path('b.npy')).equals(readFileSync(path('a.npy')))).toBe(true);
    expect((await kanc(['verify', path('u8')])).exit).toBe(0);
    const two = await kanc([
      'compile',
      WINE,
      '-o',
      path('no'),
      '--calib',
      u8,
      '--input-dtype',
      'u8',
      '--input-mean',
      '1,2',
    ]);
    expect(two).toMatchObject({ exit: 1, err: expect.stringContaining('2 numbers as mean') });
  });
});
