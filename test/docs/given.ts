/** What a reader of the documentation has: a checkpoint and data, under the names that the pages give them. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readNpy, writeNpy } from '../../src/importers/containers/npy/index.js';
import { importCheckpoint } from '../../src/importers/import.js';
import { interpretFloats } from '../../src/ir/batches.js';
import { rightOf } from '../support/checked.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** By the name on the page: a file below examples/. */
type Given = Readonly<Record<string, string>>;

/** A small network of three classes. */
const WINE = {
  'model.pt': 'models/efficient-kan-wine/model.safetensors',
  'model.safetensors': 'models/efficient-kan-wine/model.safetensors',
  'model.onnx': 'models/efficient-kan-wine/model.onnx',
  'inputs.npy': 'data/wine/calib_inputs.npy',
  'calib.npy': 'data/wine/calib_inputs.npy',
  'train.npy': 'data/wine/calib_inputs.npy',
  'test.npy': 'data/wine/test_inputs.npy',
  'labels.npy': 'data/wine/test_labels.npy',
  'valid.npy': 'data/wine/test_inputs.npy',
  'valid_labels.npy': 'data/wine/test_labels.npy',
  'x.npy': 'data/wine/test_inputs.npy',
  'y.npy': 'data/wine/test_labels.npy',
} as const;

/** Pages that speak of another network. */
const OF_PAGE: Readonly<Record<string, Given>> = {
  'docs/architecture-files.md': {
    'model.safetensors': 'models/conv-kan-fashion-batchnorm/model.safetensors',
    'calib.npy': 'data/fashion-mnist/calib_images.npy',
    'x.npy': 'data/fashion-mnist/test_images.npy',
    'y.npy': 'data/fashion-mnist/test_labels.npy',
  },
  'docs/targets-wasm.md': {
    'model.pt': 'models/efficient-kan-digits/model.pt',
    'inputs.npy': 'data/digits/calib_inputs.npy',
  },
  'docs/checkpoints.md': {
    'model.safetensors': 'models/fast-kan-fashion/model.safetensors',
    X_state: 'models/pykan-wine/model_state',
    'X_config.yml': 'models/pykan-wine/model_config.yml',
    'calib.npy': 'data/wine/calib_inputs.npy',
  },
};

const example = (file: string): string => join(root, 'examples', file);

/** Labels of the calibration inputs of the network of most pages: no file has them, so they are the float network's. */
const inputLabels = (): Uint8Array => {
  const graph = rightOf(importCheckpoint(readFileSync(example(WINE['model.pt'])), 'model.pt'));
  const inputs = rightOf(readNpy(readFileSync(example(WINE['inputs.npy']))));
  const type = graph.inputs[0]!.type;
  const [samples = 0] = inputs.shape;
  const scores = rightOf(
    interpretFloats(graph)({ type, batch: samples, data: Float32Array.from(inputs.data) }),
  );
  const classes = scores.length / samples;
  const largest = Int32Array.from({ length: samples }, (_, n) => {
    const row = scores.subarray(n * classes, (n + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
  return writeNpy({ shape: [samples], dtype: 'i4', data: largest });
};

/** Puts the files of a page into a folder. */
export const giveFiles = (page: string, folder: string): void => {
  for (const [name, file] of Object.entries<string>({ ...WINE, ...OF_PAGE[page] })) {
    copyFileSync(example(file), join(folder, name));
  }
  writeFileSync(join(folder, 'input_labels.npy'), inputLabels());
};

export const readPage = (page: string): string => readFileSync(join(root, page), 'utf8');
