/**
 * `npm run bench`: compiled artifacts against the same networks in other engines, in one process, interleaved.
 *
 *     npm run bench                                     everything; prints Markdown
 *     npm run bench -- --write                          and writes docs/performance.md with its charts
 *     npm run bench -- --quick --models fashion,wine    some models (parts of names), shorter: about a minute
 *     npm run bench -- --batches 1,64 --no-series       without the networks of random weights
 *     npm run bench -- --folder DIR                     one more network on Fashion-MNIST, with its model.onnx
 *     npm run bench -- --tfjs DIR                       where the packages of TensorFlow.js are installed
 *
 * All get their inputs ready: floats for float networks, pixels or floats for kanc, whose time includes the
 * quantization of the input.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { importSource } from '../src/importers/index.js';
import type { Graph } from '../src/ir/graph.js';
import { ENGINES, type Engine, type EngineName, type Engines, isAbsent } from './engines/engine.js';
import { floatEngine } from './engines/float.js';
import { basisEngine, type KancOptions, kancEngine } from './engines/kanc.js';
import { onnxEngine, onnxVersion } from './engines/onnx.js';
import { tfjsEngine } from './engines/tfjs.js';
import {
  type BenchModel,
  importOptionsOf,
  MODELS,
  modelOfFolder,
  readArray,
  type Samples,
  samplesOf,
  sourceOfModel,
} from './models.js';
import { asArray, edgesOf, randomNetwork, randomSamples } from './networks.js';
import {
  type Cell,
  chartsOf,
  type Loading,
  type Results,
  type Row,
  sectionsOf,
  type Width,
  withSection,
} from './report.js';
import { type Effort, median, QUICK, race, USUAL } from './timing.js';

/** A run that takes longer than this many microseconds is done in fewer rounds. */
const LONG = 200_000;

const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const graphOf = (model: BenchModel): Graph => {
  const imported = importSource(sourceOfModel(model), importOptionsOf(model));
  if (E.isLeft(imported)) throw new Error(`${model.name}: ${imported.left[0].message}`);
  return imported.right.graph;
};

const optionsOf = ({ calibration, pixels }: BenchModel): KancOptions => ({
  ...(calibration === undefined ? {} : { calibration: readArray(calibration) }),
  ...(pixels ? { inputDtype: 'u8', inputMean: 0.5, inputStd: 0.5 } : {}),
});

const enginesOf = async (model: BenchModel, tfjs: string | undefined): Promise<Engines> => {
  const graph = graphOf(model);
  const options = optionsOf(model);
  return {
    kanc: await kancEngine(graph, options),
    'kanc, basis form': await basisEngine(graph, options),
    'float recursion': await floatEngine(graph),
    'onnxruntime-web': await onnxEngine(model),
    'tfjs-wasm': await tfjsEngine(graph, tfjs),
  };
};

/** Largest difference to the float network as a share of its largest output: all are to compute the same network. */
const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let [worst, largest] = [0, 0];
  for (let j = 0; j < b.length; j++) {
    worst = Math.max(worst, Math.abs((a[j] ?? Number.NaN) - b[j]!));
    largest = Math.max(largest, Math.abs(b[j]!));
  }
  return worst / largest;
};

/** Races those that take part; refuses to compare float engines whose results differ. */
const measure = async (
  name: string,
  engines: Engines,
  samples: Samples,
  batch: number,
  effort: Effort,
): Promise<Row> => {
  const taking = ENGINES.flatMap((engine) => {
    const e = engines[engine];
    return isAbsent(e) ? [] : [{ engine, e }];
  });
  const runs = [];
  for (const { engine, e } of taking) runs.push({ name: engine, ...(await e.prepare(samples, batch)) });
  const reference = await runs.find((r) => r.name === 'float recursion')?.outputs();
  for (const r of runs.filter((x) => reference !== undefined && !x.name.startsWith('kanc'))) {
    const d = difference(await r.outputs(), reference ?? []);
    if (!(d < 1e-3)) throw new Error(`${name}: ${r.name} differs from the float recursion by ${d}`);
  }
  const started = performance.now();
  for (const r of runs) await r.run();
  const round = (performance.now() - started) * 1000;
  const fewer = round > LONG ? { ...effort, rounds: Math.min(5, effort.rounds), tries: 1 } : effort;
  const timings = await race(runs, fewer);
  const cellOf = (engine: EngineName): Cell => {
    const e = engines[engine];
    const timing = timings.find((t) => t.name === engine);
    if (isAbsent(e) || timing === undefined) return { why: isAbsent(e) ? e.why : 'was not measured' };
    return { us: timing.median / batch, spread: timing.spread / batch };
  };
  const cells = {
    kanc: cellOf('kanc'),
    'kanc, basis form': cellOf('kanc, basis form'),
    'float recursion': cellOf('float recursion'),
    'onnxruntime-web': cellOf('onnxruntime-web'),
    'tfjs-wasm': cellOf('tfjs-wasm'),
  };
  const said = Object.entries(cells).flatMap(([k, c]) =>
    'us' in c ? [`${k} ${c.us.toFixed(2)} (+-${((50 * c.spread) / c.us).toFixed(0)}%)`] : [],
  );
  note(`${name}, batch ${batch}: ${said.join(', ')}`);
  return { model: name, batch, cells };
};

const loadTime = async (engine: Engine): Promise<number> => {
  const times: number[] = [];
  for (let k = 0; k < 9; k++) {
    const started = performance.now();
    await engine.load();
    times.push(performance.now() - started);
  }
  return median(times);
};

const loadingOf = async (model: string, engines: Engines): Promise<Loading> => {
  const cells: { -readonly [K in EngineName]?: { bytes: number; ms: number } } = {};
  for (const name of ENGINES) {
    const engine = engines[name];
    if (!isAbsent(engine)) cells[name] = { bytes: engine.bytes, ms: await loadTime(engine) };
  }
  return { model, cells };
};

/** A network of random weights in the two engines that can be given any size. */
const measureRandom = async (
  widths: ReadonlyArray<number>,
  batch: number,
  effort: Effort,
): Promise<{ readonly kanc: number; readonly float: number }> => {
  const graph = randomNetwork(widths);
  const features = widths[0]!;
  const absent = { why: 'is not asked' };
  const engines: Engines = {
    kanc: await kancEngine(graph, { calibration: asArray(randomSamples(features, 256, 3)) }),
    'kanc, basis form': absent,
    'float recursion': await floatEngine(graph),
    'onnxruntime-web': absent,
    'tfjs-wasm': absent,
  };
  const row = await measure(`[${widths.join(', ')}]`, engines, randomSamples(features, batch), batch, effort);
  const of = (name: EngineName): number => {
    const cell = row.cells[name];
    return 'us' in cell ? cell.us : Number.NaN;
  };
  return { kanc: of('kanc'), float: of('float recursion') };
};

/** Networks whose hidden layer grows: edges grow with it, everything else stays. */
const SERIES = [64, 128, 256, 512, 1024, 2048, 4096];
/** Tables of the wide ones are larger than caches: only of many samples do some read the same rows. */
const SERIES_BATCH = 1024;
const seriesOf = (width: number): ReadonlyArray<number> => [256, width, 10];

/** The size of which ArKan publishes times. */
const ARKAN = [21, 64, 64, 24];

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      models: { type: 'string' },
      batches: { type: 'string', default: '1,64,1024' },
      folder: { type: 'string', multiple: true, default: [] },
      tfjs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      'no-series': { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  if (values.write && (values.models !== undefined || values['no-series'] || values.quick)) {
    throw new Error('--write replaces all tables: it goes with neither --models, --no-series nor --quick');
  }
  const effort = values.quick ? QUICK : USUAL;
  const only = values.models?.split(',');
  const batches = values.batches.split(',').map(Number);
  const models = [...MODELS, ...values.folder.map((f) => modelOfFolder(f, 'fashion-mnist'))].filter(
    ({ name }) => only === undefined || only.some((part) => name.includes(part)),
  );
  const rows: Row[] = [];
  const loading: Loading[] = [];
  for (const model of models) {
    const engines = await enginesOf(model, values.tfjs);
    for (const batch of batches) {
      rows.push(await measure(model.name, engines, samplesOf(model, batch), batch, effort));
    }
    loading.push(await loadingOf(model.name, engines));
  }
  const arkan: Results['arkan'][number][] = [];
  const widths: Width[] = [];
  if (!values['no-series']) {
    for (const batch of [1, 16, 64]) arkan.push({ batch, ...(await measureRandom(ARKAN, batch, effort)) });
    for (const width of SERIES) {
      const layers = seriesOf(width);
      widths.push({ width, edges: edgesOf(layers), ...(await measureRandom(layers, SERIES_BATCH, effort)) });
    }
  }
  const tfjs = rows.some((r) => 'us' in r.cells['tfjs-wasm']) ? ', TensorFlow.js with its WASM backend' : '';
  const [cpu, count] = [cpus()[0]?.model.trim() ?? 'unknown processor', cpus().length];
  const machine = `${cpu}, ${count} cores, Node ${process.version}, onnxruntime-web ${onnxVersion()}${tfjs}, one thread each`;
  const results: Results = { machine, rows, loading, arkan, widths };
  const sections = sectionsOf(results);
  for (const [name, text] of sections) console.log(`\n### ${name}\n\n${text}`);
  if (!values.write) return;
  const file = new URL('../docs/performance.md', import.meta.url);
  let document = await readFile(file, 'utf8');
  for (const [name, text] of sections) document = withSection(document, name, text);
  await writeFile(file, document);
  for (const [name, chart] of chartsOf(results))
    await writeFile(new URL(`../docs/${name}`, import.meta.url), chart);
};

await main();
