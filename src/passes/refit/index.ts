/**
 * What tables are refit on: for every layer the codes that the tables before it really produce, and the outputs that
 * the float network has on the same samples. The errors of earlier layers are thus corrected as far as later ones can.
 */
import * as E from 'fp-ts/lib/Either.js';
import { graphCost } from '../../analyses/graph-cost.js';
import { type Checked, fail, invariant } from '../../diagnostics/index.js';
import type { Rewriter } from '../../ir/builder.js';
import type { Graph, ValueName } from '../../ir/graph.js';
import type { Tensor } from '../../ir/tensor.js';
import type { ValueType } from '../../ir/types.js';
import type { Window } from '../../ir/window.js';
import type { CodeSamples } from '../../numeric/coded-layer.js';
import { type Dataset, finiteRows, finiteSamples, spread, toTensor } from '../dataset.js';
import { evaluateByInputs, floatTwin, runTwin } from '../float-twin.js';
import { chooseRows, type Rows, takeCodes, takeRows } from './rows.js';

export interface RefitOptions {
  readonly samples: number | 'auto';
  /** What is corrected: tables and biases, or biases alone. */
  readonly refit: 'full' | 'bias';
  readonly ridge: number | 'auto';
}

/** What a layer is refit on. */
export interface Evidence extends Pick<RefitOptions, 'refit' | 'ridge'> {
  /** For each group of the layer. A code of `levels` is the padding. */
  readonly groups: ReadonlyArray<Split>;
}

/** Rows to fit, and rows of other samples by which choices are made; none where everything is given. */
export interface Split {
  readonly fit: CodeSamples;
  readonly held: CodeSamples;
}

export interface Refit {
  /** The evidence for a layer of the old graph that reads `codes` of the new one. Undefined where it would be too little. */
  readonly evidenceFor: (
    layer: ValueName,
    window: Window | undefined,
    codes: ValueName,
    r: Rewriter<'table'>,
  ) => Evidence | undefined;
}

/** Most samples when they are `auto`. */
const MOST = 2048;

/** Multiply-accumulates of the float network that refit spends when samples are `auto`. */
const WORK = 4e9;

/** With `auto`, a network that cannot be run on as many as these is not refit: they would correct nothing. */
const FEWEST = 64;

/** Rows of a layer over windows. */
const MOST_ROWS = 4096;

/** One sample of so many is held out. */
const HELD = 4;

/** With fewer rows to fit or held out nothing is refit. */
const FEWEST_ROWS = 8;

/** Codes and one more for the padding fit 16 bits. Finer ones are not in need of a refit. */
const MOST_LEVELS = 2 ** 16 - 1;

const NOTHING: Refit = { evidenceFor: () => undefined };

/** Runs the float network behind a quantized graph on the data. */
export const refitOn = (graph: Graph<'quantized'>, data: Dataset, options: RefitOptions): Checked<Refit> => {
  const input = graph.inputs[0];
  if (input === undefined || graph.inputs.length > 1) {
    return fail('K0505', 'refit takes a graph with one input', { place: { pass: 'tabulate' } });
  }
  const affordable = Math.floor(WORK / Math.max(1, graphCost(graph).macs));
  const all = toTensor(data, input.type);
  if (E.isLeft(all)) return all;
  if (options.samples === 'auto' && affordable < FEWEST) return E.right(NOTHING);
  const samples = spread(
    finiteSamples(all.right),
    options.samples === 'auto' ? Math.min(MOST, affordable) : options.samples,
  );
  const twin = floatTwin(graph);
  if (E.isLeft(twin)) return twin;
  const wanted = new Map<ValueName, Wanted>();
  runTwin(twin.right, samples, (layer, { type, data }) => {
    const rows = chooseRows(type, samples.batch, type.shape.length === 1 ? samples.batch : MOST_ROWS);
    wanted.set(layer, { type, rows, targets: takeRows(data, type, rows) });
  });
  const known = new Map([[input.name, samples]]);
  return E.right({
    evidenceFor: (layer, window, codes, r) => {
      const found = wanted.get(layer);
      return found === undefined ? undefined : evidence(found, window, valueIn(codes, r, known), options);
    },
  });
};

/** A value of the graph under construction, on the samples. Codes are kept in `known`: others are soon made again. */
const valueIn = (name: ValueName, r: Rewriter<'table'>, known: Map<ValueName, Tensor>): Tensor => {
  const before = known.get(name);
  if (before !== undefined) return before;
  const node = r.nodeOf(name);
  invariant(node !== undefined, `%${name} is not defined`);
  const value = evaluateByInputs(
    node,
    node.operands.map((o) => valueIn(o, r, known)),
  );
  if (node.type.meaning !== undefined && node.type.meaning._tag !== 'scaled') known.set(name, value);
  return value;
};

/** What the float layer gives at some places. */
interface Wanted {
  readonly type: ValueType;
  readonly rows: Rows;
  /** [rows, channels]. */
  readonly targets: Float32Array;
}

const evidence = (
  { type, rows, targets }: Wanted,
  window: Window | undefined,
  codes: Tensor,
  { refit, ridge }: RefitOptions,
): Evidence | undefined => {
  const { meaning } = codes.type;
  invariant(meaning !== undefined && meaning._tag !== 'scaled', 'tables are refit on codes');
  if (meaning.levels > MOST_LEVELS) return undefined;
  const channels = type.shape[0]!;
  // Targets may be no numbers: a symbolic edge may have a pole.
  const sound = finiteRows(targets, rows.samples.length);
  const isHeld = (row: number): boolean => ridge === 'auto' && rows.samples[row]! % HELD === HELD - 1;
  const parts = [sound.filter((row) => !isHeld(row)), sound.filter(isHeld)] as const;
  if (parts[0].length < FEWEST_ROWS || (ridge === 'auto' && parts[1].length < FEWEST_ROWS)) return undefined;
  const groups = window?.groups ?? 1;
  const width = channels / groups;
  const samplesOf = (part: ReadonlyArray<number>, group: number): CodeSamples => {
    const taken = {
      samples: Uint32Array.from(part, (row) => rows.samples[row]!),
      places: Uint32Array.from(part, (row) => rows.places[row]!),
    };
    const wanted = new Float32Array(part.length * width);
    for (const [k, row] of part.entries()) {
      const from = row * channels + group * width;
      wanted.set(targets.subarray(from, from + width), k * width);
    }
    return {
      samples: part.length,
      codes: takeCodes(codes.data, codes.type.shape, taken, meaning.levels, window, group),
      targets: wanted,
    };
  };
  return {
    groups: Array.from({ length: groups }, (_, g) => ({
      fit: samplesOf(parts[0], g),
      held: samplesOf(parts[1], g),
    })),
    refit,
    ridge,
  };
};
