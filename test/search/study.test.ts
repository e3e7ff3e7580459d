import { describe, expect, it } from 'vitest';
import { compilePipeline } from '../../src/driver/compile-options.js';
import type { NpyArray } from '../../src/importers/index.js';
import { BUILTIN_PASSES, parsePipeline } from '../../src/passes/index.js';
import { prepareStudy, rowsOf } from '../../src/search/study.js';
import { data } from '../cli/support.js';
import { messageOf, rightOf } from '../support/checked.js';
import { array, network, studyOf } from './support.js';

const FEATURES = 13;
const wine = (): NpyArray => array(data('wine', 'calib_inputs.npy'));

/** The samples of an array as text. */
const samplesIn = (values: ArrayLike<number>): ReadonlyArray<string> =>
  Array.from({ length: values.length / FEATURES }, (_, n) =>
    Array.from({ length: FEATURES }, (_, f) => values[n * FEATURES + f]).join(),
  );

describe('a study', () => {
  it('holds every sample out once, and fits on none that it holds out', () => {
    const inputs = wine();
    const study = studyOf('efficient-kan-wine', inputs);
    expect(study.folds).toHaveLength(4);
    expect(study.samples).toBe(106);
    const held = study.folds.map((fold) => samplesIn(fold.heldOut.data));
    expect([...held.flat()].sort()).toEqual([...samplesIn(inputs.data)].sort());
    for (const [k, fold] of study.folds.entries()) {
      const fit = samplesIn(fold.fit.array.data);
      expect(fit).toHaveLength(106 - held[k]!.length);
      expect(fit.filter((sample) => held[k]!.includes(sample))).toEqual([]);
      expect(fold.reference).toHaveLength(held[k]!.length * 3);
    }
  });

  it('gives every fold the labels of its samples', () => {
    const labels: NpyArray = {
      shape: [106],
      dtype: 'u1',
      data: Uint8Array.from({ length: 106 }, (_, k) => k % 3),
    };
    const study = studyOf('efficient-kan-wine', wine(), labels);
    expect(study.metric).toBe('accuracy');
    for (const [k, { targets }] of study.folds.entries()) {
      const expected = Array.from({ length: 106 }, (_, n) => n).filter((n) => n % 4 === k);
      expect(targets).toEqual({ _tag: 'classes', classes: Int32Array.from(expected, (n) => n % 3) });
    }
  });

  it('leaves out samples with NaN, with their labels', () => {
    const inputs = wine();
    const values = Float32Array.from(inputs.data);
    values[FEATURES * 2 + 1] = Number.NaN;
    const labels: NpyArray = { shape: [106], dtype: 'u1', data: new Uint8Array(106) };
    labels.data[2] = 1;
    const study = studyOf('efficient-kan-wine', { ...inputs, data: values }, labels);
    expect(study.samples).toBe(105);
    for (const { targets } of study.folds) {
      expect(targets._tag === 'classes' && Array.from(targets.classes).every((c) => c === 0)).toBe(true);
    }
  });

  it('measures on data that are given for it, with their labels, and fits on all others', () => {
    const holdout = array(data('wine', 'test_inputs.npy'));
    const labels = array(data('wine', 'test_labels.npy'));
    const study = rightOf(
      prepareStudy({
        graph: network('efficient-kan-wine'),
        calls: rightOf(parsePipeline(rightOf(compilePipeline({ calib: 'x.npy' })))),
        passes: BUILTIN_PASSES,
        data: { path: 'x.npy', array: wine() },
        holdout: { path: 'h.npy', array: holdout },
        labels: { path: 'y.npy', array: labels },
      }),
    );
    const [fold, ...others] = study.folds;
    expect(others).toEqual([]);
    expect(study.samples).toBe(72);
    expect(samplesIn(fold!.heldOut.data)).toEqual(samplesIn(holdout.data));
    expect(samplesIn(fold!.fit.array.data)).toEqual(samplesIn(wine().data));
    expect(fold!.targets).toEqual({ _tag: 'classes', classes: Int32Array.from(labels.data, Number) });
  });

  it('tells what does not fit', () => {
    const prepare = (inputs: NpyArray, labels?: NpyArray) =>
      prepareStudy({
        graph: network('efficient-kan-wine'),
        calls: rightOf(parsePipeline(rightOf(compilePipeline({ calib: 'x.npy' })))),
        passes: BUILTIN_PASSES,
        data: { path: 'x.npy', array: inputs },
        ...(labels === undefined ? {} : { labels: { path: 'y.npy', array: labels } }),
      });
    expect(messageOf(prepare(rowsOf(wine(), [0, 1, 2])))).toMatch(
      /K0701: x\.npy: 3 of the samples.* at least 8/,
    );
    expect(messageOf(prepare({ ...wine(), shape: [53, 26] }))).toMatch(/K0701/);
    const targets: NpyArray = { shape: [106, 3], dtype: 'f4', data: new Float32Array(318).fill(Number.NaN) };
    expect(messageOf(prepare(wine(), targets))).toMatch(/K0702: y\.npy: the target of sample 0 is NaN/);
    const zeros: NpyArray = { ...targets, data: new Float32Array(318) };
    expect(messageOf(prepare(wine(), zeros))).toMatch(/K0702: y\.npy: all targets .* are 0/);
    const huge: NpyArray = { ...targets, dtype: 'f8', data: new Float64Array(318).fill(1e200) };
    expect(messageOf(prepare(wine(), huge))).toMatch(/K0702: y\.npy: the squares of the targets overflow/);
    const classes: NpyArray = { shape: [106], dtype: 'u1', data: new Uint8Array(106).fill(7) };
    expect(messageOf(prepare(wine(), classes))).toMatch(/K0702: y\.npy: label 0 is 7/);
  });
});
