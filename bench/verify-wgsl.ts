/**
 * `npx tsx bench/verify-wgsl.ts [--samples 2000] [model ...]`: compiles the shipped models to
 * WebGPU and compares every value with the interpreter, on the probes of `kanc verify`. Takes many minutes on a software
 * adapter. Needs `npm run build`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gpuEnvironment } from '../test/support/gpu/dawn.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const PIXELS = ['--input-dtype', 'u8', '--input-mean', '0.5', '--input-std', '0.5'];

const calibration = (set: string): ReadonlyArray<string> => {
  const images = `examples/data/${set}/calib_images.npy`;
  return ['--calib', existsSync(join(root, images)) ? images : `examples/data/${set}/calib_inputs.npy`];
};

interface Case {
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

const CASES: ReadonlyArray<Case> = [
  one('efficient-kan-fashion', 'model.pt', fashion),
  one('efficient-kan-fashion', 'model.pt', [...fashion, '--form', 'basis'], ' (basis)'),
  one('fast-kan-fashion', 'model.safetensors', fashion),
  one('efficient-kan-digits', 'model.pt', calibration('digits')),
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

const kanc = (args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, ['bin/kanc.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: gpuEnvironment(),
  });

const argv = process.argv.slice(2);
const flagOf = (flag: string, otherwise: string): string => {
  const at = argv.indexOf(flag);
  return at < 0 ? otherwise : (argv.splice(at, 2)[1] ?? otherwise);
};
const samples = flagOf('--samples', '2000');
const folder = mkdtempSync(join(tmpdir(), 'kanc-verify-'));
let failures = 0;
try {
  for (const { name, model, file, options } of CASES.filter(
    (c) => argv.length === 0 || argv.includes(c.model),
  )) {
    const out = join(folder, model);
    const started = performance.now();
    const compiled = kanc([
      'compile',
      `examples/models/${model}/${file}`,
      '--target',
      'wgsl',
      ...options,
      '-o',
      out,
    ]);
    const verified = compiled.status === 0 ? kanc(['verify', out, '--samples', samples]) : compiled;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    if (verified.status !== 0) failures++;
    const said = verified.status === 0 ? verified.stdout.trim().split('\n').at(-1) : verified.stderr.trim();
    console.log(`${name}: ${said} (${seconds} s)`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
