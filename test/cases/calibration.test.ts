/** Calibration data that are suspicious, and honest ones that only look so. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readNpy, type WritableNpyArray } from '../../src/importers/containers/npy/index.js';
import { data, WINE, workplace } from '../cli/support.js';
import { rightOf } from '../support/checked.js';
import { randomOf } from '../support/random.js';

const { kanc, path, putNpy, read } = workplace();

const floats = (shape: ReadonlyArray<number>, values: ArrayLike<number>): WritableNpyArray => ({
  shape,
  dtype: 'f4',
  data: Float32Array.from(values),
});

const readNpyFile = (file: string): WritableNpyArray => {
  const { shape, data: values } = rightOf(readNpy(readFileSync(file)));
  return floats(shape, values);
};

describe('calibration data', () => {
  /** Uniform in the grid, with changes. */
  const samples = (count: number, change: (values: Float32Array) => void = () => {}): string => {
    const r = randomOf(3);
    const values = Float32Array.from({ length: count * 13 }, () => 1.8 * r.unit() - 0.9);
    change(values);
    return putNpy(`c${count}.npy`, floats([count, 13], values));
  };
  const compile = (calib: string, ...more: ReadonlyArray<string>) =>
    kanc(['compile', WINE, '-o', path('judged'), '--calib', calib, ...more]);

  /** RMSE on `clean` of a program calibrated with `calib`, from the float network. */
  const errorOn = async (clean: string, calib: string, ranges: string): Promise<number> => {
    const wanted = path('clean-outputs.npy');
    await kanc(['run', WINE, '--input', clean, '--output', wanted]);
    expect((await compile(calib, '--ranges', ranges)).exit).toBe(0);
    const { out } = await kanc(['eval', path('judged'), '--data', clean, '--labels', wanted, '--json']);
    return JSON.parse(out).rmse;
  };

  it('without a fault have no warning', async () => {
    expect((await compile(samples(300))).err).not.toContain('warning');
    expect((await compile(data('wine', 'calib_inputs.npy'))).err).not.toContain('warning');
  });

  /** A network reads such data as they are, or after (x - mean) / std of each input. */
  it.each([
    ['rare ones among zeros', (u: number) => (u < 0.004 ? 1 : 0)],
    ['rare amounts among zeros', (u: number) => (u < 0.005 ? -Math.log(u / 0.005) : 0)],
    ['logarithms of counts with a long tail', (u: number) => Math.log1p(Math.floor(3 / (u + 1e-6))) / 4],
    ['a long tail, standardised', (u: number) => (Math.exp(-Math.log(u + 1e-3)) - 6) / 30],
  ])('of an honest kind have no warning: %s', async (_, valueAt) => {
    const raw = (v: Float32Array): void => {
      for (let j = 0; j < v.length; j++) v[j] = valueAt((v[j]! + 0.9) / 1.8);
    };
    const scaled = (v: Float32Array): void => {
      raw(v);
      for (let i = 0; i < 13; i++) {
        const column = Array.from({ length: v.length / 13 }, (_, s) => v[s * 13 + i]!);
        const mean = column.reduce((a, b) => a + b) / column.length;
        const std = Math.sqrt(column.reduce((n, x) => n + (x - mean) ** 2, 0) / column.length) || 1;
        for (let s = 0; s < column.length; s++) v[s * 13 + i] = (column[s]! - mean) / std;
      }
    };
    expect((await compile(samples(500, raw))).err).not.toContain('warning');
    expect((await compile(samples(500, scaled))).err).not.toContain('warning');
  });

  it('that are sparse and have a fault are warned of', async () => {
    const { err } = await compile(
      samples(500, (v) => {
        for (let j = 0; j < v.length; j++) v[j] = v[j]! > 0.89 ? 1 : 0;
        v[7 * 13 + 3] = 1e6;
      }),
    );
    expect(err).toContain('input 3, sample 7 is 1000000');
  });

  it('with a value for a missing one: input and sample are named, in the manifest too', async () => {
    const { err } = await compile(
      samples(300, (v) => {
        v[5 * 13 + 2] = -9999;
      }),
    );
    expect(err).toMatch(
      /warning: calibrate: input 2, sample 5 is -9999; all others lie in \[-0\.\d+, 0\.\d+\]/,
    );
    expect(err).not.toContain('--quant');
    expect(read('judged', 'manifest.json')).toContain('input 2, sample 5 is -9999');
  });

  it('with a value for a missing one: --ranges percentile is named where it helps', async () => {
    const missing = (v: Float32Array): void => {
      v[5 * 13 + 2] = -9999;
    };
    const clean = putNpy('clean.npy', readNpyFile(samples(300)));
    const usual = await errorOn(clean, clean, 'percentile');
    const one = samples(300, missing);
    for (const ranges of ['minmax', 'percentile', 'mse', 'histogram']) {
      const error = await errorOn(clean, one, ranges);
      expect(read('judged', 'manifest.json')).toContain('leaves it out, as --ranges percentile does');
      if (ranges === 'percentile') expect(error).toBeLessThan(1.5 * usual);
      if (ranges === 'minmax') expect(error).toBeGreaterThan(10 * usual);
    }
    // One of 40 samples is more than it cuts off.
    expect(await errorOn(clean, samples(40, missing), 'percentile')).toBeGreaterThan(10 * usual);
    expect(read('judged', 'manifest.json')).toContain('--ranges percentile cuts off too few values');
  });

  it('of another scale, too few, or all the same', async () => {
    const times = (factor: number) => (v: Float32Array) => {
      for (let j = 0; j < v.length; j++) v[j]! *= factor;
    };
    expect((await compile(samples(300, times(200)))).err).toMatch(/warning: .*outside of the grid/);
    expect((await compile(samples(300, times(1 / 255)))).err).toMatch(/warning: .*% of the grid/);
    expect((await compile(samples(1))).err).toContain('there is one sample only');
    expect((await compile(samples(40, (v) => v.fill(0.25)))).err).toContain('are the same one');
  });

  it('percentile is as near to the network however far one value lies out', async () => {
    const clean = putNpy('clean.npy', readNpyFile(samples(2000)));
    const usual = await errorOn(clean, clean, 'percentile');
    for (const far of [100, 1e6, 1e30]) {
      const calib = samples(2000, (v) => {
        v[7 * 13 + 2] = far;
      });
      expect(await errorOn(clean, calib, 'percentile')).toBeLessThan(1.5 * usual);
    }
  });

  it('are no reason for a hint that is in force already', async () => {
    const { err } = await compile(samples(300), '--quant', 'act=4,table=4');
    const hint = /--quant (\S+)/.exec(err)?.[1];
    if (hint !== undefined) expect(hint).not.toBe('act=4,table=4');
    const fine = await compile(samples(300), '--quant', 'act=10,table=12');
    expect(fine.err).not.toContain('more bits help');
  });
});
