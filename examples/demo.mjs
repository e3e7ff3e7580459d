/**
 * The main job, as a user would do it: compiles the Fashion-MNIST checkpoint to WASM, then evaluates the float
 * network and the artifact on 2,000 test images. `npm run demo`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const pixels = ['--input-dtype', 'u8', '--input-mean', '0.5', '--input-std', '0.5'];
const data = [
  '--data',
  'examples/data/fashion-mnist/test_images.npy',
  '--labels',
  'examples/data/fashion-mnist/test_labels.npy',
];
const checkpoint = 'examples/models/efficient-kan-fashion/model.pt';
const artifact = 'examples/out/fashion';

const kanc = (args, capture = false) => {
  console.log(`$ npx kanc ${args.join(' ')}`);
  const done = spawnSync(process.execPath, ['bin/kanc.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
  return capture ? JSON.parse(done.stdout) : undefined;
};

kanc([
  'compile',
  checkpoint,
  '--target',
  'wasm',
  ...pixels,
  '--calib',
  'examples/data/fashion-mnist/calib_images.npy',
  '-o',
  artifact,
]);
const float = kanc(['eval', checkpoint, ...pixels, ...data, '--json'], true);
const compiled = kanc(['eval', artifact, ...data, '--json'], true);

const percent = (x) => `${(100 * x).toFixed(2)} %`;
const speed = (r) => `${r.microsecondsPerInference.toFixed(2)} us per image`;
console.log(`
float network (kanc's own interpreter)  ${percent(float.accuracy)}   ${speed(float)}
compiled to WASM SIMD                   ${percent(compiled.accuracy)}   ${speed(compiled)}   ${(float.microsecondsPerInference / compiled.microsecondsPerInference).toFixed(0)}x

The artifact is in ${artifact}. Against onnxruntime-web: npm run bench.`);
