/**
 * `npx tsx bench/wgsl.ts [--batches 1,256,16384] [--form basis]`: compiled tables against the float network with the
 * Cox-de Boor recursion, both as WebGPU kernels on one adapter, in one process, interleaved. Inputs, results and the way
 * to the GPU and back are in both times. Needs `npm run build`. Runs on SwiftShader of Chromium unless VK_DRIVER_FILES
 * names another driver.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { create, globals } from 'webgpu';
import { readNpy } from '../src/importers/containers/index.js';
import { withDriver } from './gpu.js';
import { type Contestant, QUICK, race } from './timing.js';

withDriver(import.meta.url);
Object.assign(globalThis, globals);

const root = fileURLToPath(new URL('..', import.meta.url));
const argv = process.argv.slice(2);
const flag = (name: string, otherwise: string): string => {
  const at = argv.indexOf(name);
  return at < 0 ? otherwise : (argv[at + 1] ?? otherwise);
};

interface Predictor {
  readonly predict: (input: Uint8Array, batch: number) => Promise<Float32Array>;
}

const isPredictor = (u: unknown): u is Predictor =>
  typeof u === 'object' && u !== null && 'predict' in u && typeof u.predict === 'function';

const open = async (file: string, gpu: unknown): Promise<Predictor> => {
  const module: unknown = await import(pathToFileURL(file).href);
  const load = typeof module === 'object' && module !== null && 'load' in module ? module.load : undefined;
  const model: unknown = typeof load === 'function' ? await load({ gpu }) : undefined;
  if (!isPredictor(model)) throw new Error(`${file} is not a program`);
  return model;
};

const compile = (out: string, form: string): void => {
  const pixels = ['--input-dtype', 'u8', '--input-mean', '0.5', '--input-std', '0.5'];
  const args = [
    ...['bin/kanc.js', 'compile', 'examples/models/efficient-kan-fashion/model.pt', '--target', 'wgsl'],
    ...['--calib', 'examples/data/fashion-mnist/calib_images.npy', ...pixels],
    ...['--form', form, '--float-baseline', '-o', out],
  ];
  const done = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);
};

const argmax = (values: Float32Array, from: number): number => {
  let best = 0;
  for (let o = 1; o < 10; o++) if ((values[from + o] ?? 0) > (values[from + best] ?? 0)) best = o;
  return best;
};

const agreement = (a: Float32Array, b: Float32Array): number => {
  let same = 0;
  for (let n = 0; n < a.length; n += 10) if (argmax(a, n) === argmax(b, n)) same++;
  return (10 * same) / a.length;
};

const folder = mkdtempSync(join(tmpdir(), 'kanc-bench-'));
try {
  const form = flag('--form', 'edge');
  compile(folder, form);
  const images = readNpy(readFileSync(join(root, 'examples/data/fashion-mnist/test_images.npy')));
  if (E.isLeft(images)) throw new Error(images.left[0].message);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter();
  console.log(`adapter: ${adapter?.info.vendor} ${adapter?.info.description}, Node ${process.version}`);
  const tables = await open(join(folder, 'index.js'), gpu);
  const floats = await open(join(folder, 'baseline.js'), gpu);
  console.log(`| batch | floats, us per image | ${form} tables, us per image | ratio | same class |`);
  console.log('| ---: | ---: | ---: | ---: | ---: |');
  for (const batch of flag('--batches', '1,256,16384').split(',').map(Number)) {
    const input = Uint8Array.from(
      { length: batch * 784 },
      (_, k) => images.right.data[k % images.right.data.length]!,
    );
    const runs = (name: string, model: Predictor): Contestant => ({
      name,
      run: async () => {
        await model.predict(input, batch);
      },
    });
    const same = agreement(await tables.predict(input, batch), await floats.predict(input, batch));
    const effort = { ...QUICK, rounds: batch > 4096 ? 3 : 11, milliseconds: 100 };
    const [ours, theirs] = await race([runs('tables', tables), runs('floats', floats)], effort);
    const each = (median: number | undefined): number => (median ?? Number.NaN) / batch;
    const [us, them] = [each(ours?.median), each(theirs?.median)];
    console.log(
      `| ${batch} | ${them.toFixed(1)} | ${us.toFixed(1)} | ${(them / us).toFixed(2)} | ${(100 * same).toFixed(1)} % |`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
