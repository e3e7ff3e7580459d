/**
 * Bits against accuracy for all shipped models, without and with refit: the table of docs/quantization.md. Programs are
 * compiled to WASM and run; figures of float networks come from the interpreter.
 *
 *     npx tsx bench/lowbit.ts --write                         all models, into docs/quantization.md
 *     npx tsx bench/lowbit.ts --only fashion,digits --rows "A4 H6 T4"
 *     npx tsx bench/lowbit.ts --samples 500                   on fewer test samples
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { type Diagnostics, showDiagnostic } from '../src/diagnostics/index.js';
import { importSource, readNpy, sourceOf } from '../src/importers/index.js';
import { type CompileInput, compile, type Graph, instantiate, interpret } from '../src/index.js';
import { BUILTIN_PASSES, bindPipelineText, runPipeline, toTensor } from '../src/passes/index.js';

interface Model {
  readonly title: string;
  readonly folder: string;
  readonly file: string;
  readonly data: string;
  /** Rows that are measured; all when absent. */
  readonly rows?: ReadonlyArray<string>;
}

const model = (title: string, folder: string, data: string, file = 'model.safetensors'): Model => ({
  title,
  folder,
  file,
  data,
});

const MODELS: ReadonlyArray<Model> = [
  model('fashion', 'efficient-kan-fashion', 'fashion-mnist'),
  // Its layers read values and normed values side by side, with the larger of the bits of both.
  {
    ...model('fast-kan', 'fast-kan-fashion', 'fashion-mnist'),
    rows: ['default', 'A4 H6 T4', 'A4 H4 T4', 'A6 H8 T3'],
  },
  model('conv', 'conv-kan-fashion-batchnorm', 'fashion-mnist'),
  // Twenty layers on 2,000 images take minutes for each row.
  {
    ...model('ResKANet', 'reskanet18x32p-fashion', 'fashion-mnist'),
    rows: ['default', 'A4 H4 T4', 'B3 W8 A8', 'B3 W4 A6'],
  },
  model('digits', 'efficient-kan-digits', 'digits'),
  model('adaptive', 'efficient-kan-digits-adaptive-grid', 'digits'),
  model('wine', 'efficient-kan-wine', 'wine'),
  model('pykan', 'pykan-wine', 'wine', 'model_state'),
  model('regression', 'efficient-kan-regression', 'regression'),
  model('mult', 'pykan-mult', 'regression', 'model_state'),
  model('symbolic', 'pykan-symbolic', 'regression', 'model_state'),
];

interface Row {
  readonly name: string;
  readonly quantize: string;
  readonly form: 'auto' | 'edge' | 'basis';
}

const edge = (act: number, hidden: number, table: number): Row => ({
  name: `A${act} H${hidden} T${table}`,
  quantize: `{act=${act},hidden=${hidden},table=${table}}`,
  form: 'edge',
});

const basis = (b: number, coef: number, act: number): Row => ({
  name: `B${b} W${coef} A${act}`,
  quantize: `{act=${act},hidden=${act},coef=${coef},basis=${b}}`,
  form: 'basis',
});

const ROWS: ReadonlyArray<Row> = [
  { name: 'default', quantize: '', form: 'auto' },
  edge(4, 6, 4),
  edge(4, 4, 4),
  edge(3, 8, 8),
  edge(2, 8, 8),
  edge(6, 8, 3),
  edge(3, 4, 4),
  basis(8, 8, 8),
  basis(3, 8, 8),
  basis(2, 8, 8),
  basis(3, 4, 6),
  basis(3, 3, 6),
];

const path = (name: string): URL => new URL(`../examples/${name}`, import.meta.url);
const read = (name: string): Uint8Array => readFileSync(path(name));

/** The result, or the end of the program with the diagnostic. */
const sure = <A>(result: E.Either<Diagnostics, A>): A => {
  if (E.isLeft(result)) throw new Error(showDiagnostic(result.left[0]));
  return result.right;
};

const arrayOf = (name: string) => sure(readNpy(read(name)));

const isImages = ({ data }: Model): boolean => data === 'fashion-mnist';
const inputsOf = (m: Model, part: 'calib' | 'test'): string =>
  `data/${m.data}/${part}_${isImages(m) ? 'images' : 'inputs'}.npy`;

/** The checkpoint and what belongs to it. */
const checkpointOf = ({ folder, file }: Model) => {
  const beside = ['model_config.yml'].filter((name) => existsSync(path(`models/${folder}/${name}`)));
  const arch = `models/${folder}/arch.json`;
  return {
    checkpoint: read(`models/${folder}/${file}`),
    checkpointName: file,
    files: Object.fromEntries(beside.map((name) => [name, read(`models/${folder}/${name}`)])),
    ...(existsSync(path(arch)) ? { architecture: readFileSync(path(arch), 'utf8') } : {}),
  } satisfies CompileInput;
};

/** What a program is measured against: labels, or for a regression the outputs of the float network. */
type Score = (outputs: ArrayLike<number>) => string;

const scoreOf = (m: Model, samples: number, float: ArrayLike<number>): Score =>
  m.data === 'regression' ? differenceFrom(float) : accuracyOn(m, samples);

/** Root mean square difference. */
const differenceFrom =
  (float: ArrayLike<number>): Score =>
  (outputs) => {
    let squares = 0;
    for (let j = 0; j < outputs.length; j++) squares += (outputs[j]! - float[j]!) ** 2;
    return Math.sqrt(squares / outputs.length).toFixed(4);
  };

/** Percent of the first samples whose largest output is at their label. */
const accuracyOn = (m: Model, samples: number): Score => {
  const labels = arrayOf(`data/${m.data}/test_labels.npy`).data;
  return (outputs) => {
    const classes = outputs.length / samples;
    let hits = 0;
    for (let n = 0; n < samples; n++) {
      let best = 0;
      for (let c = 1; c < classes; c++)
        if (outputs[n * classes + c]! > outputs[n * classes + best]!) best = c;
      if (best === labels[n]) hits++;
    }
    return ((100 * hits) / samples).toFixed(m.data === 'wine' ? 1 : 2);
  };
};

const INPUT = 'input{dtype=u8,mean=0.5,std=0.5}';

const floatOutputs = (m: Model, samples: number): ArrayLike<number> => {
  const { checkpoint, checkpointName, files, architecture } = checkpointOf(m);
  const source = sourceOf(checkpoint, checkpointName, new Map(Object.entries(files)));
  const options =
    architecture === undefined ? {} : { architecture: { file: 'arch.json', text: architecture } };
  const { graph } = sure(importSource(source, options));
  const pipeline = sure(bindPipelineText(isImages(m) ? INPUT : 'dce', BUILTIN_PASSES, graph.level));
  const context = { dataset: () => undefined };
  const float: Graph = sure(runPipeline(pipeline, graph, { context, verifyEach: false }));
  const given = { path: 'test', array: arrayOf(inputsOf(m, 'test')) };
  const [output] = sure(interpret(float, [sure(toTensor(given, float.inputs[0]!.type, samples))]));
  return output?.data ?? [];
};

/** The score of a program, and the seconds of processor time that compiling it took. */
const measured = async (m: Model, row: Row, refit: boolean, samples: number, score: Score) => {
  const tabulate = `tabulate{form=${row.form}${refit ? ',data=calib' : ''}}`;
  const passes = `calibrate{data=calib},quantize${row.quantize},${tabulate},fold,prune,dedupe,narrow,dce`;
  const before = process.cpuUsage();
  const { artifact, graph } = await compile({
    ...checkpointOf(m),
    data: { calib: read(inputsOf(m, 'calib')) },
    passes: isImages(m) ? `${INPUT},${passes}` : passes,
  });
  const { user, system } = process.cpuUsage(before);
  // Where no layer has the form, tables are edge tables all the same.
  if (row.form === 'basis' && !graph.nodes.some(({ op }) => op.kind === 'table.basis')) return undefined;
  const program = sure(await instantiate(artifact.files)());
  const test = arrayOf(inputsOf(m, 'test'));
  const size = test.data.length / test.shape[0]!;
  const x = test.data.subarray(0, samples * size);
  if (!(x instanceof Float32Array || x instanceof Uint8Array)) throw new Error('no input for a program');
  return { score: score(sure(program.predict(x))), seconds: (user + system) / 1e6 };
};

/** `plain -> refit` for every row, the float score first, and last the processor time of the slowest refit compile. */
const column = async (m: Model, rows: ReadonlyArray<Row>, most: number): Promise<ReadonlyArray<string>> => {
  const samples = Math.min(most, arrayOf(inputsOf(m, 'test')).shape[0]!);
  const float = floatOutputs(m, samples);
  const score = scoreOf(m, samples, float);
  const cells = [score(float)];
  let slowest = 0;
  for (const row of rows) {
    if (m.rows !== undefined && !m.rows.includes(row.name)) {
      cells.push('');
      continue;
    }
    const plain = await measured(m, row, false, samples, score);
    const refit = await measured(m, row, true, samples, score);
    if (plain === undefined || refit === undefined) {
      cells.push('');
      continue;
    }
    slowest = Math.max(slowest, refit.seconds);
    cells.push(`${plain.score} -> ${refit.score}`);
    const times = `${plain.seconds.toFixed(1)} s -> ${refit.seconds.toFixed(1)} s`;
    console.error(`${m.title} ${row.name}: ${cells.at(-1)}, ${times}`);
  }
  return [...cells, slowest.toFixed(1)];
};

const [START, END] = ['<!-- bench/lowbit.ts -->', '<!-- /bench/lowbit.ts -->'];

/** Replaces what stands between the marks. */
const write = (table: string): void => {
  const page = new URL('../docs/quantization.md', import.meta.url);
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(START), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/quantization.md has no ${START} ... ${END}`);
  writeFileSync(page, `${text.slice(0, from + START.length)}\n\n${table}\n\n${text.slice(to)}`);
};

/** Columns padded to one width, as the formatter of the documents has them. */
const markdown = (lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = lines[0]!.map((_, c) => Math.max(...lines.map((line) => line[c]!.length)));
  const show = (line: ReadonlyArray<string>): string =>
    `| ${line.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |`;
  const [head, ...body] = lines;
  return [show(head!), show(widths.map((w) => '-'.repeat(w))), ...body.map(show)].join('\n');
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rows: { type: 'string' },
      samples: { type: 'string', default: '2000' },
      write: { type: 'boolean', default: false },
    },
  });
  const names = values.only?.split(',');
  const models = MODELS.filter((m) => names === undefined || names.includes(m.title));
  const wanted = values.rows?.split(',');
  const rows = ROWS.filter((row) => wanted === undefined || wanted.includes(row.name));
  const columns: ReadonlyArray<string>[] = [];
  for (const m of models) columns.push(await column(m, rows, Number(values.samples)));
  const titles = ['float', ...rows.map((row) => row.name), 'compile, s'];
  const table = markdown([
    ['bits', ...models.map((m) => m.title)],
    ...titles.map((title, k) => [title, ...columns.map((c) => c[k] ?? '')]),
  ]);
  console.log(table);
  if (values.write) write(table);
};

await main();
