/**
 * Every family, from its checkpoint to WASM: how close the program is to the float network, and that it computes
 * the integers of the interpreter. Networks are those of examples/models.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importSource, sourceOf } from '../../src/importers/index.js';
import {
  type CompileInput,
  compile,
  instantiate,
  interpret,
  parseGraph,
  readNpy,
  type Tensor,
} from '../../src/index.js';
import { toTensor } from '../../src/passes/dataset.js';
import { rightOf } from '../support/checked.js';

const root = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
const read = (path: string): Uint8Array => readFileSync(root(path));
const array = (path: string) => rightOf(readNpy(read(path)));

const PIXELS = { inputDtype: 'u8', inputMean: 0.5, inputStd: 0.5 } as const;
const IMAGES = 'data/fashion-mnist/calib_images.npy';

const beside = (folder: string, names: ReadonlyArray<string>): Record<string, Uint8Array> =>
  Object.fromEntries(
    names.filter((n) => existsSync(root(`${folder}/${n}`))).map((n) => [n, read(`${folder}/${n}`)]),
  );

const argmax = (values: ArrayLike<number>, from: number, count: number): number => {
  let best = 0;
  for (let o = 1; o < count; o++) if (values[from + o]! > values[from + best]!) best = o;
  return best;
};

/** Compiles, and runs the artifact on the first samples of a file; every value is compared with the interpreter. */
const compiled = async (input: CompileInput, samples: string, limit: number) => {
  const { artifact } = await compile(input);
  const program = rightOf(await instantiate(artifact.files)());
  const kir = artifact.files.get('model.kir');
  if (typeof kir !== 'string') throw new Error('the artifact has no model.kir');
  const graph = rightOf(parseGraph(kir));
  const x = rightOf(toTensor({ path: samples, array: array(samples) }, graph.inputs[0]!.type, limit));
  if (!(x.data instanceof Float32Array || x.data instanceof Uint8Array))
    throw new Error('no input for a program');
  const outputs = rightOf(program.predict(x.data));
  return { outputs, batch: x.batch, compared: compareValues(graph, x, program) };
};

type Program = Awaited<ReturnType<typeof compiledProgram>>;
const compiledProgram = async (files: ReadonlyMap<string, Uint8Array | string>) =>
  rightOf(await instantiate(files)());

/** Bit for bit over three samples; returns how many numbers were compared. */
const compareValues = (graph: Parameters<typeof interpret>[0], x: Tensor, program: Program): number => {
  let compared = 0;
  const size = x.data.length / x.batch;
  for (let n = 0; n < Math.min(3, x.batch); n++) {
    const sample = { ...x, batch: 1, data: x.data.slice(n * size, (n + 1) * size) };
    const values = new Map<string, Tensor>();
    rightOf(interpret(graph, [sample], (name, value) => values.set(name, value)));
    if (!(sample.data instanceof Float32Array || sample.data instanceof Uint8Array)) throw new Error('input');
    for (const [name, actual] of rightOf(program.inspect(sample.data))) {
      expect([name, ...actual]).toEqual([name, ...(values.get(name)?.data ?? [])]);
      compared += actual.length;
    }
  }
  return compared;
};

const accuracy = (outputs: ArrayLike<number>, batch: number, labels: string): number => {
  const truth = array(labels).data;
  const classes = outputs.length / batch;
  let right = 0;
  for (let n = 0; n < batch; n++) if (argmax(outputs, n * classes, classes) === truth[n]) right++;
  return right / batch;
};

describe('classifiers keep their accuracy', () => {
  // Float accuracy on the first 2,000 test images: 88.35, 77.5 and 77.25 %.
  it('fast-kan with its layer norms, within half a point', async () => {
    const input = {
      checkpoint: read('models/fast-kan-fashion/model.safetensors'),
      calibration: read(IMAGES),
      ...PIXELS,
    };
    const { outputs, batch, compared } = await compiled(input, 'data/fashion-mnist/test_images.npy', 2000);
    expect(accuracy(outputs, batch, 'data/fashion-mnist/test_labels.npy')).toBeGreaterThanOrEqual(0.8785);
    expect(compared).toBeGreaterThan(3000);
  });

  it('a convolutional KAN with batch norms, within half a point', async () => {
    const folder = 'models/conv-kan-fashion-batchnorm';
    const input = {
      checkpoint: read(`${folder}/model.safetensors`),
      architecture: readFileSync(root(`${folder}/arch.json`), 'utf8'),
      calibration: read(IMAGES),
      ...PIXELS,
    };
    const { outputs, batch } = await compiled(input, 'data/fashion-mnist/test_images.npy', 2000);
    expect(accuracy(outputs, batch, 'data/fashion-mnist/test_labels.npy')).toBeGreaterThanOrEqual(0.77);
  });

  it('the 20-layer ResKANet, within half a point', async () => {
    const input = {
      checkpoint: read('models/reskanet18x32p-fashion/model.safetensors'),
      calibration: read(IMAGES),
      ...PIXELS,
    };
    const { outputs, batch } = await compiled(input, 'data/fashion-mnist/test_images.npy', 2000);
    expect(accuracy(outputs, batch, 'data/fashion-mnist/test_labels.npy')).toBeGreaterThanOrEqual(0.7675);
  });

  it('pykan on wine, within one sample of 72 (float: 68)', async () => {
    const folder = 'models/pykan-wine';
    const input = {
      checkpoint: read(`${folder}/model_state`),
      checkpointName: 'model_state',
      files: beside(folder, ['model_config.yml']),
      calibration: read('data/wine/calib_inputs.npy'),
    };
    const { outputs, batch } = await compiled(input, 'data/wine/test_inputs.npy', 72);
    expect(accuracy(outputs, batch, 'data/wine/test_labels.npy') * 72).toBeGreaterThanOrEqual(67 - 1e-6);
  });
});

describe('regressions keep their values', () => {
  // With fine codes, as regressions need: the error added to the float network is far below its own.
  it.each([
    ['pykan-mult', 0.018208],
    ['pykan-symbolic', 0.056937],
  ])('%s', async (name, floatError) => {
    const folder = `models/${name}`;
    const state = { checkpoint: read(`${folder}/model_state`), files: beside(folder, ['model_config.yml']) };
    const data = 'data/regression/calib_inputs.npy';
    const input = {
      ...state,
      checkpointName: 'model_state',
      calibration: read(data),
      quant: { act: 14, table: 16 },
    };
    const { outputs, batch } = await compiled(input, 'data/regression/test_inputs.npy', 2000);
    const { graph } = rightOf(
      importSource(sourceOf(state.checkpoint, 'model_state', new Map(Object.entries(state.files)))),
    );
    const path = 'data/regression/test_inputs.npy';
    const x = rightOf(toTensor({ path, array: array(path) }, graph.inputs[0]!.type, batch));
    const [float] = rightOf(interpret(graph, [x]));
    let squares = 0;
    outputs.forEach((y, j) => {
      squares += (y - float!.data[j]!) ** 2;
    });
    // Errors add in squares at worst linearly: 5 % of the float error is what may be lost.
    expect(Math.sqrt(squares / outputs.length)).toBeLessThan(0.05 * floatError);
  });
});

describe('integer networks stay as they are', () => {
  it.each(['kanele-wine', 'kanele-drybean'])('%s matches its 1,000 vectors as WASM', async (name) => {
    const folder = `models/${name}`;
    const { artifact } = await compile({
      checkpoint: read(`${folder}/truth_tables.json`),
      checkpointName: 'truth_tables.json',
      files: beside(folder, ['config.json']),
    });
    const program = rightOf(await instantiate(artifact.files)());
    const numbers = (file: string): ReadonlyArray<ReadonlyArray<number>> =>
      readFileSync(root(`${folder}/${file}`), 'utf8')
        .trim()
        .split('\n')
        .map((line) =>
          line
            .trim()
            .split(/[\s,]+/)
            .map(Number),
        );
    const [inputs, expected] = [numbers('vectors_in.txt'), numbers('vectors_out.txt')];
    expect(inputs).toHaveLength(1000);
    const outputs = rightOf(program.predict(Uint8Array.from(inputs.flat())));
    expect([...outputs]).toEqual(expected.flat());
  });
});
