/** ONNX models in one file and in several, through the command line. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/importers/containers/npy/index.js';
import { WINE, workplace } from '../cli/support.js';
import { rightOf } from '../support/checked.js';
import { graphProto, modelProto, nodeProto, valueProto, withDataBeside } from '../support/onnx-writer.js';

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
  it('K0214: a graph without an output is no network', async () => {
    const graph = graphProto({
      nodes: [nodeProto('Exp', ['x'], ['y'])],
      inputs: [valueProto('x', ['n', 2])],
    });
    const file = put('blind.onnx', modelProto(graph));
    const { exit, err } = await kanc(['import', '--describe', file]);
    expect(exit).toBe(1);
    expect(err).toMatch(/K0214.*the graph has no output.*--outputs/);
    const named = await kanc(['import', '--describe', file, '--outputs', 'y']);
    expect(named.exit, named.err).toBe(0);
  });

  it('K0104: it is told what it is where a checkpoint is asked for', async () => {
    const { exit, err } = await kanc(['import', '--describe', MODEL, '--family', 'fast-kan']);
    expect(exit).toBe(1);
    expect(err).toMatch(/K0104.*an ONNX model/);
  });
});

describe('--inputs and --outputs', () => {
  it('choose a part of the graph, and have no effect on a checkpoint (K0206)', async () => {
    const graph = graphProto({
      nodes: [
        nodeProto('Exp', ['x'], ['a']),
        nodeProto('Sin', ['a'], ['b']),
        nodeProto('Tanh', ['b'], ['y']),
      ],
      inputs: [valueProto('x', ['n', 2])],
      outputs: [valueProto('y', ['n', 2])],
    });
    const values = put('three.onnx', modelProto(graph));
    const input = path('in.npy');
    const data = Float32Array.of(0.5, -0.25);
    put('in.npy', writeNpy({ shape: [1, 2], dtype: 'f4', data }));
    const results = async (...flags: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
      const to = path(`part${runs++}.npy`);
      const { exit, err } = await kanc(['run', values, '--input', input, '--output', to, ...flags]);
      expect(exit, err).toBe(0);
      return [...rightOf(readNpy(readFileSync(to))).data];
    };
    const near = (found: ReadonlyArray<number>, f: (x: number) => number): void => {
      expect(found).toHaveLength(2);
      found.forEach((y, k) => void expect(y).toBeCloseTo(f(data[k]!), 5));
    };
    near(await results(), (x) => Math.tanh(Math.sin(Math.exp(x))));
    near(await results('--outputs', 'b'), (x) => Math.sin(Math.exp(x)));
    near(await results('--inputs', 'a', '--outputs', 'b'), Math.sin);
    const none = await kanc(['import', '--describe', values, '--outputs', 'nothing']);
    expect(none.err).toMatch(/K0216.*nothing/);
    const checkpoint = await kanc(['import', '--describe', WINE, '--outputs', 'y']);
    expect(checkpoint.err).toMatch(/K0206.*--outputs/);
  });
});
