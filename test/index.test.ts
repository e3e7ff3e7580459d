/** The compiler as a library. */
import { readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { Checked } from '../src/diagnostics/index.js';
import { CompileError, compile, compileTask, instantiate, readNpy } from '../src/index.js';
import { data, REGRESSION, WINE } from './cli/support.js';
import { rightOf } from './support/checked.js';

const checkpoint = readFileSync(WINE);
const calibration = readFileSync(data('wine', 'calib_inputs.npy'));

describe('compile', () => {
  it('gives files in memory that run', async () => {
    const { artifact, divergence, cost } = await compile({ checkpoint, calibration, quant: { act: 8 } });
    expect(divergence?.relativeRms).toBeLessThan(0.05);
    expect(cost.bytes).toBeGreaterThan(1000);
    const program = rightOf(await instantiate(artifact.files)());
    expect(rightOf(program.predict(new Float32Array(26)))).toHaveLength(6);
  });

  it('takes arrays, and gives the same program for the same numbers', async () => {
    const array = rightOf(readNpy(calibration));
    const [a, b] = await Promise.all([
      compile({ checkpoint, calibration }),
      compile({ checkpoint, calibration: array }),
    ]);
    expect(a.artifact.files.get('model.kir')).toBe(b.artifact.files.get('model.kir'));
  });

  it('measures nothing without data', async () => {
    const { divergence, remarks } = await compile({ checkpoint: readFileSync(REGRESSION) });
    expect(divergence).toBeUndefined();
    expect(remarks.some((r) => r.severity === 'warning' && r.pass === 'calibrate')).toBe(true);
  });

  it('takes a pipeline with data by name', async () => {
    const passes = 'calibrate{data=mine},quantize,tabulate,fold,dce';
    const made = await compile({ checkpoint, passes, data: { mine: calibration } });
    expect(made.pipeline).toMatch(/^calibrate\{data=sha256-/);
    await expect(compile({ checkpoint, passes })).rejects.toThrow("the data 'mine'");
  });

  it('says what is expected in place of arguments of another type', async () => {
    const told = async (input: unknown): Promise<string> => {
      const given: { readonly input?: unknown } = { input };
      const result: Checked<unknown> = await Reflect.apply(compileTask, undefined, [given.input])();
      return E.isLeft(result)
        ? `${result.left[0].code} ${result.left[0].message} ${result.left[0].expected}`
        : 'ok';
    };
    expect(await told({ checkpoint: 'model.pt' })).toMatch(
      /^K0801 .*string 'model.pt' as 'checkpoint' bytes: .*readFile/,
    );
    expect(await told('model.pt')).toMatch(/^K0801 .*string 'model.pt' an object/);
    expect(await told({})).toMatch(/^K0801 .*nothing as 'checkpoint'/);
    expect(await told({ checkpoint, calibration: [[1, 2]] })).toMatch(/^K0801 .*a Array as 'calibration'/);
    expect(await told({ checkpoint, calib: calibration })).toMatch(
      /^K0801 .*as 'calib' one of .*calibration/,
    );
    expect(await told({ checkpoint, files: { a: 'b' } })).toMatch(/^K0801 .*'files'/);
    expect(await told({ checkpoint, quant: 'act=8' })).toMatch(/^K0801 .*'quant'/);
  });

  it('rejects with diagnostics, or gives them as a left', async () => {
    const wrong = { checkpoint: new Uint8Array(10) };
    await expect(compile(wrong)).rejects.toThrow(CompileError);
    await expect(compile(wrong)).rejects.toThrow(/K0104/);
    expect(E.isLeft(await compileTask(wrong)())).toBe(true);
  });
});
