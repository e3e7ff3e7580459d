/** What is measured: the shipped networks with what belongs to them, and the options they are compiled with. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { type NpyArray, readNpy } from '../src/importers/containers/index.js';
import { companions, type Source, sourceOf } from '../src/importers/source.js';

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export interface BenchModel {
  readonly name: string;
  readonly checkpoint: string;
  /** The architecture file of a family that does not store it. */
  readonly architecture?: string;
  /** The ONNX export, where there is one; else why there is none. */
  readonly onnx: { readonly file: string } | { readonly why: string };
  /** Inputs to calibrate on; absent for networks of integers. */
  readonly calibration?: string;
  readonly inputs: string;
  /** Pixels are u8 to kanc and normalised floats to float networks. */
  readonly pixels: boolean;
}

const CONV = 'the export of torch-conv-kan does not load in onnxruntime-web';
const PYKAN = 'pykan exports no ONNX: its masks and symbolic edges are Python code';
const INTEGERS = 'truth tables of integers, which ONNX has no op for';

interface Description {
  readonly data: string;
  readonly checkpoint?: string;
  readonly architecture?: string;
  readonly noOnnx?: string;
}

const PIXELS = new Set(['fashion-mnist']);

const modelIn = (folder: string, d: Description): BenchModel => {
  const pixels = PIXELS.has(d.data);
  const [calib, test] = pixels ? ['calib_images', 'test_images'] : ['calib_inputs', 'test_inputs'];
  const onnx = join(folder, 'model.onnx');
  const calibration = root(`examples/data/${d.data}/${calib}.npy`);
  return {
    name: basename(folder),
    checkpoint: join(folder, d.checkpoint ?? 'model.safetensors'),
    ...(d.architecture === undefined ? {} : { architecture: join(folder, d.architecture) }),
    onnx:
      d.noOnnx === undefined && existsSync(onnx)
        ? { file: onnx }
        : { why: d.noOnnx ?? 'no export ships with the network' },
    ...(d.noOnnx === INTEGERS ? {} : { calibration }),
    inputs:
      d.noOnnx === INTEGERS ? join(folder, 'vectors_in.txt') : root(`examples/data/${d.data}/${test}.npy`),
    pixels,
  };
};

const shipped = (name: string, d: Description): BenchModel => modelIn(root(`examples/models/${name}`), d);

export const MODELS: ReadonlyArray<BenchModel> = [
  shipped('efficient-kan-fashion', { data: 'fashion-mnist' }),
  shipped('fast-kan-fashion', { data: 'fashion-mnist' }),
  shipped('efficient-kan-digits', { data: 'digits' }),
  shipped('efficient-kan-digits-adaptive-grid', { data: 'digits' }),
  shipped('efficient-kan-wine', { data: 'wine' }),
  shipped('efficient-kan-regression', { data: 'regression' }),
  shipped('pykan-wine', { data: 'wine', checkpoint: 'model_state', noOnnx: PYKAN }),
  shipped('pykan-mult', { data: 'regression', checkpoint: 'model_state', noOnnx: PYKAN }),
  shipped('pykan-symbolic', { data: 'regression', checkpoint: 'model_state', noOnnx: PYKAN }),
  shipped('kanele-wine', { data: 'wine', checkpoint: 'truth_tables.json', noOnnx: INTEGERS }),
  shipped('kanele-drybean', { data: 'wine', checkpoint: 'truth_tables.json', noOnnx: INTEGERS }),
  shipped('conv-kan-fashion-batchnorm', { data: 'fashion-mnist', architecture: 'arch.json', noOnnx: CONV }),
  shipped('reskanet18x32p-fashion', { data: 'fashion-mnist', noOnnx: CONV }),
];

/** A network of the same kind that does not ship: a folder with model.safetensors and, perhaps, model.onnx. */
export const modelOfFolder = (folder: string, data: string): BenchModel => modelIn(folder, { data });

/** The checkpoint with the files that belong to it. */
export const sourceOfModel = ({ checkpoint }: BenchModel): Source => {
  const bytes = new Uint8Array(readFileSync(checkpoint));
  const beside = companions(basename(checkpoint), bytes)
    .map((name) => [name, join(checkpoint, '..', name)] as const)
    .filter(([, path]) => existsSync(path))
    .map(([name, path]) => [name, new Uint8Array(readFileSync(path))] as const);
  return sourceOf(bytes, checkpoint, new Map(beside));
};

export const importOptionsOf = ({ architecture }: BenchModel) =>
  architecture === undefined
    ? {}
    : { architecture: { text: readFileSync(architecture, 'utf8'), file: architecture } };

export const readArray = (path: string): NpyArray => {
  const array = readNpy(new Uint8Array(readFileSync(path)));
  if (E.isLeft(array)) throw new Error(`${path}: ${array.left[0].message}`);
  return array.right;
};

/** Samples in the two forms in which they are given: as kanc reads them, and as the float network does. */
export interface Samples {
  readonly features: number;
  readonly own: Float32Array | Uint8Array;
  readonly floats: Float32Array;
}

/** `batch` samples, from the beginning again where the file has fewer. */
export const samplesOf = (model: BenchModel, batch: number): Samples => {
  const { data, features, rows } = model.inputs.endsWith('.txt')
    ? textRows(model.inputs)
    : arrayRows(readArray(model.inputs));
  const raw = Array.from({ length: batch * features }, (_, j) => {
    const sample = Math.floor(j / features) % rows;
    return data[sample * features + (j % features)] ?? 0;
  });
  const floats = Float32Array.from(raw, model.pixels ? (u) => (u / 255 - 0.5) / 0.5 : (u) => u);
  const integers = model.pixels || model.calibration === undefined;
  return { features, own: integers ? Uint8Array.from(raw) : floats, floats };
};

interface Rows {
  readonly data: ArrayLike<number>;
  readonly features: number;
  readonly rows: number;
}

const arrayRows = ({ data, shape: [rows = 0, ...rest] }: NpyArray): Rows => ({
  data,
  features: rest.reduce((n, d) => n * d, 1),
  rows,
});

/** Vectors of codes, a line each. */
const textRows = (path: string): Rows => {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const numbers = lines.map((line) =>
    line
      .trim()
      .split(/[\s,]+/)
      .map(Number),
  );
  return { data: numbers.flat(), features: numbers[0]?.length ?? 0, rows: lines.length };
};
