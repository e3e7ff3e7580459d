/** ONNX models in one file and in several, through the command line. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../src/importers/containers/npy/index.js';
import { workplace } from '../cli/support.js';
import { rightOf } from '../support/checked.js';
import { withDataBeside } from '../support/onnx-writer.js';

const { kanc, path, put } = workplace();
const FOLDER = fileURLToPath(new URL('../models/onnx-wild/relukan', import.meta.url));
const MODEL = join(FOLDER, 'model.onnx');

let runs = 0;
/** What `kanc run` writes for a model. */
const outputs = async (model: string): Promise<ReadonlyArray<number>> => {
  const to = path(`y${runs++}.npy`);
  const { exit, err } = await kanc([
    'run',
    model,
    '--input',
    join(FOLDER, 'golden_inputs.npy'),
    '--output',
    to,
  ]);
  expect(exit, err).toBe(0);
  return [...rightOf(readNpy(readFileSync(to))).data];
};

describe('a model with its constants in a file beside it', () => {
  it('is the same network, by its name, by that of the other file, and by that of the folder', async () => {
    const expected = await outputs(MODEL);
    for (const location of ['model.onnx.data', 'weights/of model']) {
      const folder = `at-${location.length}`;
      mkdirSync(path(join(folder, 'weights')), { recursive: true });
      const { model, data } = withDataBeside(readFileSync(MODEL), location);
      put(join(folder, 'model.onnx'), model);
      put(join(folder, location), data);
      expect(model.length).toBeLessThan(readFileSync(MODEL).length);
      expect(await outputs(path(join(folder, 'model.onnx')))).toEqual(expected);
      if (location !== 'model.onnx.data') continue;
      expect(await outputs(path(join(folder, location)))).toEqual(expected);
      expect(await outputs(path(folder))).toEqual(expected);
    }
  });

  it('K0118: is refused where the file is missing, or of another export', async () => {
    const { model, data } = withDataBeside(readFileSync(MODEL), 'model.onnx.data');
    mkdirSync(path('alone'));
    const alone = await kanc(['import', '--describe', put('alone/model.onnx', model)]);
    expect(alone.exit).toBe(1);
    expect(alone.err).toMatch(
      /K0118.*'model\.onnx\.data', which is not beside the model.*Keep model\.onnx\.data/,
    );
    put('alone/model.onnx.data', data.subarray(0, 100));
    const short = await kanc(['import', '--describe', path('alone/model.onnx')]);
    expect(short.err).toMatch(/K0118.*'model\.onnx\.data', which has 100/);
  });
});

describe('a model as something else', () => {
  it('K0104: it is told what it is where a checkpoint is asked for', async () => {
    const { exit, err } = await kanc(['import', '--describe', MODEL, '--family', 'fast-kan']);
    expect(exit).toBe(1);
    expect(err).toMatch(/K0104.*an ONNX model/);
  });
});
