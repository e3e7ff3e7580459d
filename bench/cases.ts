/** The shipped networks as `kanc compile` takes them: what is checked for every one of them on a target. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const PIXELS = ['--input-dtype', 'u8', '--input-mean', '0.5', '--input-std', '0.5'];

const calibration = (set: string): ReadonlyArray<string> => {
  const images = `examples/data/${set}/calib_images.npy`;
  return ['--calib', existsSync(join(root, images)) ? images : `examples/data/${set}/calib_inputs.npy`];
};

export interface Case {
  readonly name: string;
  readonly model: string;
  readonly file: string;
  readonly options: ReadonlyArray<string>;
}

const one = (model: string, file: string, options: ReadonlyArray<string>, suffix = ''): Case => ({
  name: model + suffix,
  model,
  file,
  options,
});
const fashion = [...PIXELS, ...calibration('fashion-mnist')];
const own = (model: string): ReadonlyArray<string> => [
  '--calib',
  `examples/models/${model}/golden_inputs.npy`,
];

/** Every shipped network. */
export const CASES: ReadonlyArray<Case> = [
  one('efficient-kan-fashion', 'model.pt', fashion),
  one('efficient-kan-fashion', 'model.pt', [...fashion, '--form', 'basis'], ' (basis)'),
  one('fast-kan-fashion', 'model.safetensors', fashion),
  one('efficient-kan-digits', 'model.pt', calibration('digits')),
  one('efficient-kan-digits', 'model.pt', [...calibration('digits'), '--form', 'basis'], ' (basis)'),
  one('efficient-kan-digits-adaptive-grid', 'model.pt', calibration('digits')),
  one(
    'efficient-kan-digits-adaptive-grid',
    'model.pt',
    [...calibration('digits'), '--form', 'basis'],
    ' (basis)',
  ),
  one('efficient-kan-wine', 'model.pt', calibration('wine')),
  one('efficient-kan-regression', 'model.pt', [...calibration('regression'), '--quant', 'act=14,table=16']),
  one('pykan-wine', '', calibration('wine')),
  one('pykan-symbolic', '', own('pykan-symbolic')),
  one('pykan-mult', '', own('pykan-mult')),
  one('kanele-wine', '', []),
  one('kanele-drybean', '', []),
  one('conv-kan-fashion-batchnorm', 'model.safetensors', [
    ...fashion,
    '--arch',
    'examples/models/conv-kan-fashion-batchnorm/arch.json',
  ]),
  one('reskanet18x32p-fashion', 'model.safetensors', [...fashion, '--input-shape', '1x28x28']),
];
