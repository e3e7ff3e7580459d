/**
 * What every built-in pass promises, on random networks in random pipelines: the verifier takes its result, it gives the
 * same again, it changes nothing that it is given, and what the graph computes stays as its contract here says.
 */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { networks } from '../../scripts/fuzz/network-specs.js';
import { networkOf } from '../../scripts/fuzz/networks.js';
import { DATA, dataOf, pipelines, pipelineText } from '../../scripts/fuzz/pipelines.js';
import { probes } from '../../src/analyses/probes.js';
import {
  channel,
  channelsOf,
  type Graph,
  innerOf,
  interpret,
  printGraph,
  sizeOf,
  type Tensor,
  verify,
} from '../../src/ir/index.js';
import { BUILTIN_PASSES, bindPipelineText, type Dataset, runPipeline } from '../../src/passes/index.js';
import { contextOf, nodesOf, outputOf, valuesOf } from './support.js';

interface Step {
  readonly name: string;
  readonly before: Graph;
  readonly after: Graph;
  /** The text of `after` as it was when the pass had made it. */
  readonly text: string;
}

interface Run {
  readonly steps: ReadonlyArray<Step>;
  readonly data: Dataset | undefined;
  /** The text of each pass, with its options. */
  readonly calls: ReadonlyArray<string>;
  readonly seed: number;
}

/** As far as the pipeline goes before it refuses the network. */
const runOf = (graph: Graph, text: string, data: Dataset | undefined, seed: number): Run => {
  const bound = bindPipelineText(text, BUILTIN_PASSES, graph.level);
  if (E.isLeft(bound)) throw new Error(`not legal: ${text}`);
  const steps: Step[] = [];
  runPipeline(bound.right, graph, {
    context: contextOf(data),
    verifyEach: false,
    onPass: ({ name, before, after }) => void steps.push({ name, before, after, text: printGraph(after) }),
  });
  return { steps, data, calls: text.split(/,(?![^{]*\})/), seed };
};

const RUNS = 120;

const cases = fc.record({ network: networks, pipeline: pipelines, seed: fc.nat() });

const runs: Run[] = [];
beforeAll(() => {
  for (const { network, pipeline, seed } of fc.sample(cases, { seed: 9, numRuns: RUNS })) {
    const graph = networkOf(network);
    if (E.isLeft(graph)) continue;
    const features = sizeOf(graph.right.inputs[0]!.type);
    const small = { ...pipeline, quantize: { ...pipeline.quantize, act: '4', hidden: '5' } };
    const values = pipeline.data === undefined ? undefined : dataOf(pipeline.data, features);
    const bytes = pipeline.input?.['dtype'] === 'u8';
    const data: Dataset | undefined =
      values === undefined
        ? undefined
        : {
            path: DATA,
            array: {
              dtype: bytes ? 'u1' : 'f4',
              shape: [values.length / features, features],
              data: bytes ? Uint8Array.from(values, (x) => 128 + 127 * x) : values,
            },
          };
    runs.push(runOf(graph.right, pipelineText(small), data, seed));
  }
});

const stepsOf = (name: string): ReadonlyArray<Step & { readonly run: Run; readonly call: string }> =>
  runs.flatMap((run) =>
    run.steps.flatMap((step, k) => (step.name === name ? [{ ...step, run, call: run.calls[k]! }] : [])),
  );

/** Inputs that the program behind takes: thresholds, ends and random values. */
const inputsOf = (graph: Graph, seed: number): Tensor => probes(graph, graph.inputs[0]!.type, 24, seed);

const again = (graph: Graph, call: string, data: Dataset | undefined): Graph | undefined => {
  const bound = bindPipelineText(call, BUILTIN_PASSES, graph.level);
  if (E.isLeft(bound)) return undefined;
  const made = runPipeline(bound.right, graph, {
    context: contextOf(data),
    verifyEach: false,
    onPass: () => {},
  });
  return E.isRight(made) ? made.right : undefined;
};

const numbers = (t: Tensor): ReadonlyArray<number> => Array.from(t.data);

/** What a pass keeps; gives whether the case says anything. */
type Keeps = (step: Step, x: Tensor) => boolean;

const keepsAll: Keeps = ({ before, after }, x) => {
  expect(numbers(outputOf(after, x))).toEqual(numbers(outputOf(before, x)));
  return true;
};

/** The graph before it, on the normalised input. */
const keepsBehindInput: Keeps = ({ before, after }, x) => {
  const inner = valuesOf(after, x).get('normalised');
  if (inner === undefined) return keepsAll({ name: '', before, after, text: '' }, x);
  const floats: Tensor = { ...inner, type: before.inputs[0]!.type };
  expect(numbers(outputOf(after, x))).toEqual(numbers(outputOf(before, floats)));
  return true;
};

/** Where one value is coded alone, the same functions of what its codes stand for. */
const keepsBehindCodes: Keeps = ({ before, after }, x) => {
  const [decode, ...others] = nodesOf(after, 'decode');
  const [coded] = nodesOf(after, 'quantize');
  if (decode === undefined || others.length > 0 || before.inputs[0]!.type.element.kind !== 'f32')
    return false;
  const [first] = nodesOf(before, 'observe');
  if (first === undefined || first.operands[0] !== before.inputs[0]!.name || coded === undefined)
    return false;
  const values = valuesOf(after, x).get(decode.name)!;
  expect(numbers(outputOf(after, x))).toEqual(numbers(outputOf(before, { ...values, type: x.type })));
  return true;
};

/** A layer of edge tables made of values: every entry is rounded by half a unit, and so is the bias. */
const keepsWithinHalfUnits: Keeps = ({ before, after }, x) => {
  const [table, ...others] = nodesOf(after, 'table.edge');
  const only = [...nodesOf(after, 'table.basis'), ...nodesOf(after, 'table.sum'), ...others].length === 0;
  if (table === undefined || !only || table.op.attrs.window !== undefined) return false;
  const meaning = table.type.meaning;
  if (meaning?._tag !== 'scaled' || after.nodes.at(-2)?.name !== table.name) return false;
  const inputs = table.op.attrs.table.shape[0]!;
  const [was, is] = [outputOf(before, x), outputOf(after, x)];
  const [channels, inner] = [channelsOf(was.type), innerOf(was.type)];
  for (let j = 0; j < was.data.length; j++) {
    // Next to the largest floats sums of floats overflow where sums of integers do not.
    if (!(Math.abs(was.data[j]!) < 2 ** 120)) continue;
    const unit = channel(meaning.scale, Math.floor(j / inner) % channels);
    const slack = 1e-5 * Math.abs(was.data[j]!) + 1e-5 * unit;
    expect(Math.abs(is.data[j]! - was.data[j]!)).toBeLessThanOrEqual(((inputs + 1) / 2) * unit + slack);
  }
  return true;
};

/** All but what rounds in integers in place of floats: that has a test of its own, with its bound. */
const keepsUnlessRounded: Keeps = (step, x) =>
  nodesOf(step.after, 'requantize').length === nodesOf(step.before, 'requantize').length && keepsAll(step, x);

interface Contract {
  readonly keeps: Keeps;
  readonly idempotent: boolean;
  /** Of tabulate the tolerance holds for tables of values, neither averaged nor refit. */
  readonly when?: (call: string) => boolean;
}

const CONTRACTS: Readonly<Record<string, Contract>> = {
  input: { keeps: keepsBehindInput, idempotent: false },
  calibrate: { keeps: keepsAll, idempotent: false },
  quantize: { keeps: keepsBehindCodes, idempotent: false },
  tabulate: {
    keeps: keepsWithinHalfUnits,
    idempotent: false,
    when: (call) => call.includes('cells=value') && !call.includes('data='),
  },
  fold: { keeps: keepsUnlessRounded, idempotent: true },
  prune: { keeps: keepsAll, idempotent: true },
  dedupe: { keeps: keepsAll, idempotent: true },
  narrow: { keeps: keepsAll, idempotent: true },
  dce: { keeps: keepsAll, idempotent: true },
};

it('every built-in pass has a contract', () => {
  expect(Object.keys(CONTRACTS)).toEqual(BUILTIN_PASSES.map(({ name }) => name));
});

describe.each(Object.entries(CONTRACTS))('%s', (name, { keeps, idempotent, when = () => true }) => {
  it('makes what the verifier takes, and the same when it runs again', () => {
    const steps = stepsOf(name);
    expect(steps.length).toBeGreaterThan(10);
    for (const { before, after, call, text, run } of steps) {
      const sound = verify(after);
      // A range that cannot be proven is a fact about the network, and told to the user.
      if (E.isLeft(sound)) expect(sound.left.map((d) => d.code)).toEqual(sound.left.map(() => 'K0402'));
      expect(printGraph(again(before, call, run.data)!)).toBe(text);
    }
  });

  it('changes nothing of what it is given', () => {
    for (const { steps } of runs) {
      steps.forEach(({ text, after }, k) => {
        if (steps[k + 1]?.name === name) expect(printGraph(after)).toBe(text);
      });
    }
  });

  it('keeps what its contract says', () => {
    let said = 0;
    for (const step of stepsOf(name).filter(({ call }) => when(call))) {
      const x = inputsOf(step.after, step.run.seed);
      if (E.isRight(interpret(step.before, [x])) || name === 'input') said += keeps(step, x) ? 1 : 0;
    }
    expect(said).toBeGreaterThan(3);
  });

  if (!idempotent) return;
  it('does nothing the second time', () => {
    for (const { after, call, text, run } of stepsOf(name)) {
      expect(printGraph(again(after, call, run.data)!)).toBe(text);
    }
  });
});
