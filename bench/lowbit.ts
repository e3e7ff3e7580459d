/**
 * Bits of activations and edge tables against accuracy, with and without refit: the table of docs/quantization.md.
 *
 *     npx tsx bench/lowbit.ts                  all shipped models on features
 *     npx tsx bench/lowbit.ts fashion 4/6/4    one of them, one row: bits of inputs, hidden values, tables
 */
import { readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { type Diagnostics, showDiagnostic } from '../src/diagnostics/index.js';
import { importCheckpoint, readNpy } from '../src/importers/index.js';
import { type Graph, interpret } from '../src/ir/index.js';
import {
  BUILTIN_PASSES,
  bindPipelineText,
  type Dataset,
  runPipeline,
  toTensor,
} from '../src/passes/index.js';

interface Model {
  readonly title: string;
  readonly name: string;
  readonly data: string;
  readonly pixels: boolean;
}

const MODELS: ReadonlyArray<Model> = [
  { title: 'fashion', name: 'efficient-kan-fashion', data: 'fashion-mnist', pixels: true },
  { title: 'digits', name: 'efficient-kan-digits', data: 'digits', pixels: false },
  { title: 'adaptive', name: 'efficient-kan-digits-adaptive-grid', data: 'digits', pixels: false },
  { title: 'wine', name: 'efficient-kan-wine', data: 'wine', pixels: false },
];

/** Bits of inputs, hidden values and tables. */
const ROWS = ['6/8/8', '4/6/4', '3/8/8', '2/8/8', '6/8/3', '3/4/4', '4/6/3', '2/4/4', '3/4/3'];

const read = (path: string): Uint8Array => readFileSync(new URL(`../examples/${path}`, import.meta.url));

/** The result, or the end of the program with the diagnostic. */
const sure = <A>(result: E.Either<Diagnostics, A>): A => {
  if (E.isLeft(result)) throw new Error(showDiagnostic(result.left[0]));
  return result.right;
};

const dataset = (path: string): Dataset => ({ path, array: sure(readNpy(read(path))) });

const run = (graph: Graph, text: string, data: Dataset): { graph: Graph; milliseconds: number } => {
  const pipeline = sure(bindPipelineText(text, BUILTIN_PASSES, graph.level));
  const context = { dataset: () => data };
  const started = performance.now();
  const made = sure(runPipeline(pipeline, graph, { context, verifyEach: false }));
  return { graph: made, milliseconds: performance.now() - started };
};

/** Percent of samples whose largest output is at their label. */
const accuracy = (graph: Graph, data: Dataset, labels: ArrayLike<number>): number => {
  const [output] = sure(interpret(graph, [sure(toTensor(data, graph.inputs[0]!.type))]));
  if (output === undefined) return Number.NaN;
  const classes = output.data.length / output.batch;
  let hits = 0;
  for (let n = 0; n < output.batch; n++) {
    const row = output.data.subarray(n * classes, (n + 1) * classes);
    let best = 0;
    for (let c = 1; c < classes; c++) if (row[c]! > row[best]!) best = c;
    if (best === labels[n]) hits++;
  }
  return (100 * hits) / output.batch;
};

/** `without -> with` for every row, the float accuracy first, and how long tables took with refit. */
const column = (model: Model, rows: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [calib, test] = model.pixels ? ['calib_images', 'test_images'] : ['calib_inputs', 'test_inputs'];
  const file = (name: string): string => `data/${model.data}/${name}.npy`;
  const calibration = dataset(file(calib));
  const data = dataset(file(test));
  const labels = dataset(file('test_labels')).array.data;
  const path = `models/${model.name}/model.safetensors`;
  const net = sure(importCheckpoint(read(path), path));
  const input = model.pixels ? 'input{dtype=u8,mean=0.5,std=0.5},' : '';
  const observed = run(net, `${input}calibrate{data=x}`, calibration).graph;
  const cells = [accuracy(observed, data, labels).toFixed(2)];
  for (const row of rows) {
    const [act, hidden, table] = row.split('/');
    const found = ['', ',data=x'].map((refit) => {
      const text = `quantize{act=${act},hidden=${hidden},table=${table}},tabulate{form=edge${refit}},fold,prune,dedupe,narrow,dce`;
      const made = run(observed, text, calibration);
      const result = accuracy(made.graph, data, labels);
      if (refit !== '') console.error(`${model.title} ${row}: ${(made.milliseconds / 1000).toFixed(1)} s`);
      return result.toFixed(2);
    });
    cells.push(found.join(' -> '));
  }
  return cells;
};

const main = ([only, row]: ReadonlyArray<string>): void => {
  const models = MODELS.filter((m) => only === undefined || m.title === only);
  const rows = row === undefined ? ROWS : [row];
  const columns = models.map((m) => column(m, rows));
  const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(' | ')} |`;
  console.log(line(['A', 'H', 'T', ...models.map((m) => m.title)]));
  console.log(line(['---', '---', '---', ...models.map(() => '---')]));
  for (const [k, bits] of ['float//', ...rows].entries()) {
    console.log(line([...bits.split('/'), ...columns.map((c) => c[k] ?? '')]));
  }
};

main(process.argv.slice(2));
