/** What is measured: shipped checkpoints with their ONNX export, data, and the options of the README. */
import { fileURLToPath } from 'node:url';

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export interface BenchModel {
  readonly name: string;
  readonly checkpoint: string;
  readonly onnx: string;
  readonly calibration: string;
  readonly test: string;
  readonly labels: string;
  /** Pixels are u8 to kanc and normalised floats to the ONNX model. */
  readonly pixels: boolean;
}

const model = (name: string, data: string, pixels: boolean): BenchModel => {
  const [calib, test] = pixels ? ['calib_images', 'test_images'] : ['calib_inputs', 'test_inputs'];
  return {
    name,
    checkpoint: root(`examples/models/${name}/model.pt`),
    onnx: root(`examples/models/${name}/model.onnx`),
    calibration: root(`examples/data/${data}/${calib}.npy`),
    test: root(`examples/data/${data}/${test}.npy`),
    labels: root(`examples/data/${data}/test_labels.npy`),
    pixels,
  };
};

export const MODELS: ReadonlyArray<BenchModel> = [
  model('efficient-kan-fashion', 'fashion-mnist', true),
  model('efficient-kan-digits', 'digits', false),
  model('efficient-kan-wine', 'wine', false),
];
