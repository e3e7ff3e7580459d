/**
 * Micro-benchmarks of table kernels by shape, and the cost model that they give.
 *
 *     npx tsx bench/kernels.ts            measures, fits, prints coefficients and errors
 *     npx tsx bench/kernels.ts --write    and stores them in src/analyses/wasm-cost-data.ts
 *     npx tsx bench/kernels.ts --check    how good the choice of form=auto is on the shipped networks
 *
 * A layer is measured as a network of its own, from u8 codes to floats, in calls of 64 samples of random codes.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { type Form, hasBasisForm, kernelShape } from '../src/analyses/form-cost.js';
import { basisCounts, COUNT_NAMES, edgeCounts } from '../src/analyses/wasm-cost.js';
import type { NpyArray } from '../src/importers/containers/index.js';
import { importSource } from '../src/importers/index.js';
import type { Graph } from '../src/ir/graph.js';
import { sizeOf } from '../src/ir/types.js';
import { compileGraph, type KancOptions, loaderOf } from './engines/kanc.js';
import { fitNonNegative, type Sample } from './fit.js';
import { importOptionsOf, MODELS, readArray, samplesOf, sourceOfModel } from './models.js';
import { randomConvolution, randomNetwork } from './networks.js';
import { randomOf } from './random.js';
import { type Contestant, type Effort, median, race } from './timing.js';

const BATCH = 64;
const EFFORT: Effort = { rounds: 7, tries: 5, milliseconds: 2, warmup: 60 };
const PIXELS = { inputDtype: 'u8', inputMean: 0.5, inputStd: 0.5 } as const;

interface Case {
  readonly name: string;
  readonly graph: Graph;
  readonly options: KancOptions;
  readonly form: Form;
}

const BITS = [
  { act: 4, table: 8, coef: 8 },
  { act: 6, table: 8, coef: 8 },
  { act: 8, table: 8, coef: 8 },
  { act: 6, table: 12, coef: 12 },
];

/** Larger tables take longer to make than they tell. */
const LARGEST = 32 * 2 ** 20;

const bytesOf = (features: number, count: number, seed: number): Uint8Array => {
  const random = randomOf(seed);
  return Uint8Array.from({ length: features * count }, () => Math.floor(128 * (random() + 1)));
};

const calibration = (graph: Graph): NpyArray => {
  const { shape } = graph.inputs[0]!.type;
  return { dtype: 'u1', shape: [128, ...shape], data: bytesOf(sizeOf({ shape }), 128, 5) };
};

/** Sizes of layers; the small ones are those of networks for tables of numbers. */
const SIZES = [
  ...[2, 5, 13].flatMap((inputs) => [1, 3, 8].map((outputs) => [inputs, outputs] as const)),
  ...[16, 64, 256, 784].flatMap((inputs) =>
    [3, 10, 16, 32, 64, 128, 256].map((outputs) => [inputs, outputs] as const),
  ),
];

const casesOf = (): ReadonlyArray<Case> => {
  const dense = SIZES.map(([inputs, outputs]) => ({
    name: `${inputs}x${outputs}`,
    graph: randomNetwork([inputs, outputs]),
    entries: inputs * outputs,
  }));
  const windows = (
    [
      [1, 8, 28],
      [8, 8, 14],
      [16, 16, 14],
      [32, 32, 7],
      [64, 64, 4],
    ] as const
  ).map(([channels, outputs, size]) => ({
    name: `${channels}x${outputs} on ${size}x${size}`,
    graph: randomConvolution(channels, outputs, size),
    entries: 9 * channels * outputs,
  }));
  return [...dense, ...windows].flatMap(({ name, graph, entries }) =>
    (['edge', 'basis'] as const).flatMap((form) =>
      BITS.filter((b) =>
        form === 'basis' ? b.act === 6 : entries * 2 ** b.act * (b.table > 8 ? 2 : 1) <= LARGEST,
      ).map((quant) => ({
        name: `${name}, ${form}, act ${quant.act}, ${form === 'edge' ? quant.table : quant.coef} bits`,
        graph,
        options: { ...PIXELS, quant, form, calibration: calibration(graph) },
        form,
      })),
    ),
  );
};

interface Measured extends Sample {
  readonly name: string;
  readonly form: Form;
}

const measureCase = async ({ name, graph, options, form }: Case): Promise<Measured> => {
  const compiled = await compileGraph(graph, options);
  const model = await (await loaderOf(compiled))();
  const input = bytesOf(sizeOf(graph.inputs[0]!.type), BATCH, 7);
  const [timing] = await race([{ name, run: () => void model.predict(input, BATCH) }], EFFORT);
  const layer = graph.nodes.find(({ op }) => op.kind === 'kan');
  if (layer?.op.kind !== 'kan') throw new Error('no layer');
  const { act = 8, table = 8, coef = 8 } = options.quant ?? {};
  const precision = { table: Number(table), coef: Number(coef), basis: 8 };
  const inputs = layer.op.attrs.branches[0]!.weights.shape[0]!;
  const positions = sizeOf(layer.type) / (layer.type.shape[0] ?? 1);
  const shape = kernelShape({ ...layer.op.attrs, precision }, inputs, 2 ** Number(act), positions, form);
  return {
    name,
    form,
    counts: form === 'edge' ? edgeCounts(shape) : basisCounts(shape),
    value: (timing?.median ?? Number.NaN) / BATCH,
  };
};

const predicted = (m: Sample, coefficients: ReadonlyArray<number>): number =>
  m.counts.reduce((sum, c, k) => sum + c * coefficients[k]!, 0);

interface Coefficients {
  readonly edge: ReadonlyArray<number>;
  readonly basis: ReadonlyArray<number>;
}

/**
 * Both forms at once: what a call costs besides its layer is the same for them, and told apart it would decide, by
 * the noise of its measurement, the form of the smallest layers.
 */
const fitted = (measured: ReadonlyArray<Measured>): Coefficients => {
  const padding = COUNT_NAMES.slice(1).map(() => 0);
  const all = fitNonNegative(
    measured.map(({ form, counts: [call = 0, ...own], value }) => ({
      counts: form === 'edge' ? [call, ...own, ...padding] : [call, ...padding, ...own],
      value,
    })),
  );
  const middle = COUNT_NAMES.length;
  return { edge: all.slice(0, middle), basis: [all[0]!, ...all.slice(middle)] };
};

const tell = (measured: ReadonlyArray<Measured>, coefficients: Coefficients): void => {
  for (const form of ['edge', 'basis'] as const) {
    const own = coefficients[form];
    const samples = measured.filter((m) => m.form === form);
    const off = samples.map((m) => Math.max(predicted(m, own) / m.value, m.value / predicted(m, own)));
    console.log(`\n${form}: ${samples.length} shapes, off by a median factor of ${median(off).toFixed(2)}`);
    for (const [k, name] of COUNT_NAMES.entries())
      console.log(`  ${name}: ${(1000 * own[k]!).toFixed(3)} ns`);
    for (const m of samples) {
      process.stderr.write(
        `${m.name}: ${m.value.toFixed(3)} us, predicted ${predicted(m, own).toFixed(3)}\n`,
      );
    }
  }
};

const dataFile = ({ edge, basis }: Coefficients): string => {
  const list = (values: ReadonlyArray<number>): string =>
    values.map((v) => Number(v.toPrecision(3))).join(', ');
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`;
  return `/** Written by \`npx tsx bench/kernels.ts --write\`: microseconds for each count of wasm-cost.ts, and where they were measured. */
export const WASM_COST = {
  machine: '${machine.replaceAll("'", '')}',
  edge: [${list(edge)}],
  basis: [${list(basis)}],
} as const;
`;
};

/** The time of form=auto against that of the better of the forms, on the shipped networks. */
const check = async (): Promise<void> => {
  console.log(
    '| model | batch | auto, us | edge | basis | auto / best |\n| --- | ---: | ---: | ---: | ---: | ---: |',
  );
  for (const model of MODELS.filter((m) => m.calibration !== undefined)) {
    const imported = importSource(sourceOfModel(model), importOptionsOf(model));
    if (E.isLeft(imported)) throw new Error(imported.left[0].message);
    const { graph } = imported.right;
    const options = { calibration: readArray(model.calibration ?? ''), ...(model.pixels ? PIXELS : {}) };
    const some = graph.nodes.some(({ op }) => op.kind === 'kan' && hasBasisForm(op.attrs));
    const forms = some ? (['auto', 'edge', 'basis'] as const) : (['auto', 'edge'] as const);
    const loaded = [];
    for (const form of forms) {
      loaded.push({ form, model: await (await loaderOf(await compileGraph(graph, { ...options, form })))() });
    }
    for (const batch of [1, BATCH]) {
      const { own } = samplesOf(model, batch);
      const contestants = loaded.map(
        ({ form, model: m }): Contestant => ({ name: form, run: () => void m.predict(own, batch) }),
      );
      const times = (await race(contestants, { ...EFFORT, warmup: 200 })).map((t) => t.median / batch);
      const best = Math.min(...times.slice(1));
      const shown = [0, 1, 2].map((k) => times[k]?.toFixed(2) ?? '-');
      console.log(`| ${model.name} | ${batch} | ${shown.join(' | ')} | ${(times[0]! / best).toFixed(2)} |`);
    }
  }
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
    },
  });
  if (values.check) return check();
  const measured: Measured[] = [];
  const cases = casesOf();
  for (const [k, c] of cases.entries()) {
    measured.push(await measureCase(c));
    if (k % 10 === 0) process.stderr.write(`${k + 1} of ${cases.length}\n`);
  }
  const coefficients = fitted(measured);
  tell(measured, coefficients);
  if (!values.write) return;
  await writeFile(new URL('../src/analyses/wasm-cost-data.ts', import.meta.url), dataFile(coefficients));
};

await main();
