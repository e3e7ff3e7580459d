/**
 * `npm run bench`: compiled artifacts against onnxruntime-web (WebAssembly, one thread) on the ONNX export of
 * the same checkpoint, in one process, interleaved. Prints a table; with `--write` also to docs/performance.md.
 *
 * Both get their inputs ready: floats for ONNX, pixels or floats for kanc, whose time includes the
 * quantization of the input. Medians of rounds; ratios of medians.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import * as ort from 'onnxruntime-web';
import { type NpyArray, readNpy } from '../src/importers/containers/index.js';
import { type BenchModel, MODELS } from './models.js';
import { type Contestant, race } from './timing.js';

const BATCHES = [1, 64];
const CLI = fileURLToPath(new URL('../bin/kanc.js', import.meta.url));

interface Predictor {
  readonly predict: (input: Float32Array | Uint8Array, batch: number) => Float32Array;
}

interface Row {
  readonly model: string;
  readonly batch: number;
  readonly kanc: number;
  readonly peer: number;
  readonly agreement: number;
}

const npy = async (path: string): Promise<NpyArray> => {
  const array = readNpy(await readFile(path));
  if (E.isLeft(array)) throw new Error(`${path}: ${array.left[0].message}`);
  return array.right;
};

/** Compiles by the command line, as a user does. */
const compile = (m: BenchModel, folder: string): void => {
  const pixels = m.pixels ? ['--input-dtype', 'u8', '--input-mean', '0.5', '--input-std', '0.5'] : [];
  const args = [
    CLI,
    'compile',
    m.checkpoint,
    '--target',
    'wasm',
    '--calib',
    m.calibration,
    ...pixels,
    '-o',
    folder,
  ];
  const done = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);
};

const isPredictor = (u: unknown): u is Predictor =>
  typeof u === 'object' && u !== null && 'predict' in u && typeof u.predict === 'function';

const loadArtifact = async (folder: string): Promise<Predictor> => {
  const module: unknown = await import(pathToFileURL(join(folder, 'index.js')).href);
  const load = typeof module === 'object' && module !== null && 'load' in module ? module.load : undefined;
  const model: unknown = typeof load === 'function' ? await load() : undefined;
  if (!isPredictor(model)) throw new Error(`${folder} is not an artifact`);
  return model;
};

const argmax = (values: Float32Array, from: number, count: number): number => {
  let best = 0;
  for (let o = 1; o < count; o++) if ((values[from + o] ?? 0) > (values[from + best] ?? 0)) best = o;
  return best;
};

const measure = async (m: BenchModel, batch: number, folder: string): Promise<Row> => {
  const test = await npy(m.test);
  const features = test.shape.slice(1).reduce((n, d) => n * d, 1);
  const raw = test.data.subarray(0, batch * features);
  const floats = m.pixels ? Float32Array.from(raw, (u) => (u / 255 - 0.5) / 0.5) : Float32Array.from(raw);
  const own = m.pixels ? Uint8Array.from(raw) : floats;

  const artifact = await loadArtifact(folder);
  const session = await ort.InferenceSession.create(await readFile(m.onnx), { executionProviders: ['wasm'] });
  const feeds = { [session.inputNames[0] ?? '']: new ort.Tensor('float32', floats, [batch, features]) };
  const outputName = session.outputNames[0] ?? '';

  const ours = artifact.predict(own, batch).slice();
  const theirs = (await session.run(feeds))[outputName]?.data;
  if (!(theirs instanceof Float32Array)) throw new Error('the ONNX output is not f32');
  const outputs = ours.length / batch;
  let same = 0;
  for (let n = 0; n < batch; n++) {
    if (argmax(ours, n * outputs, outputs) === argmax(theirs, n * outputs, outputs)) same++;
  }
  const contestants: ReadonlyArray<Contestant> = [
    {
      name: 'kanc',
      run: () => {
        artifact.predict(own, batch);
      },
    },
    {
      name: 'onnxruntime-web',
      run: async () => {
        await session.run(feeds);
      },
    },
  ];
  const [kanc, peer] = await race(contestants);
  await session.release();
  return {
    model: m.name,
    batch,
    kanc: (kanc?.median ?? Number.NaN) / batch,
    peer: (peer?.median ?? Number.NaN) / batch,
    agreement: same / batch,
  };
};

const table = (rows: ReadonlyArray<Row>): string =>
  [
    '| model | batch | onnxruntime-web, us per inference | kanc, us per inference | ratio |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows.map(
      (r) =>
        `| ${r.model} | ${r.batch} | ${r.peer.toFixed(1)} | ${r.kanc.toFixed(2)} | ${(r.peer / r.kanc).toFixed(0)}x |`,
    ),
  ].join('\n');

const main = async (): Promise<void> => {
  ort.env.wasm.numThreads = 1;
  const folder = await mkdtemp(join(tmpdir(), 'kanc-bench-'));
  const only = process.argv.slice(2).filter((a) => !a.startsWith('--'));
  const rows: Row[] = [];
  try {
    for (const m of MODELS.filter((x) => only.length === 0 || only.includes(x.name))) {
      const out = join(folder, m.name);
      compile(m, out);
      for (const batch of BATCHES) {
        rows.push(await measure(m, batch, out));
        process.stderr.write(`${m.name}, batch ${batch}\n`);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}, onnxruntime-web ${ort.env.versions.web ?? ''}, one thread`;
  const text = `${table(rows)}\n\nMachine: ${machine}.`;
  console.log(text);
  if (process.argv.includes('--write')) {
    await writeFile(new URL('../docs/performance.md', import.meta.url), `${INTRODUCTION}\n${text}\n`);
  }
};

const INTRODUCTION = `# Performance

Written by \`npm run bench -- --write\`. Compiled artifacts against onnxruntime-web (WebAssembly, one thread) on
the ONNX export of the same checkpoint: one process, rounds interleaved, medians, default options. The time of
kanc includes the quantization of the input. What counts is the ratio; absolute times depend on the machine.

An edge-table layer costs one row of additions per input whatever the spline's grid and order: time grows
linearly with inputs times outputs, table memory with inputs times outputs times 2^bits.
`;

await main();
