/** The differential fuzzer: random networks, random pipelines, the interpreter against compiled programs. */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../src/diagnostics/index.js';
import { type Graph, sizeOf } from '../../src/ir/index.js';
import { runBatches } from './batches.js';
import { type CheckpointSpec, checkpoints, importedFrom } from './checkpoints.js';
import { type Case, checkCase, type Outcome } from './compare.js';
import { keepCase } from './corpus.js';
import type { EngineName, World } from './engines.js';
import { type NetworkSpec, networks } from './network-specs.js';
import { networkOf } from './networks.js';
import { DATA, dataOf, type PipelineSpec, pipelines, pipelineText, tablePipelineText } from './pipelines.js';
import { countRefusal, type Extent, emptyTally, isKnown, type Tally } from './tally.js';

export interface NetworkFuzz extends Extent {
  readonly engines: ReadonlyArray<EngineName>;
  readonly corpus: string;
  readonly world: World;
}

interface Spec {
  readonly network:
    | ({ readonly kind: 'graph' } & NetworkSpec)
    | ({ readonly kind: 'checkpoint' } & CheckpointSpec);
  readonly pipeline: PipelineSpec;
  readonly seed: number;
}

/** Codes of many bits are for narrow networks: tables of wide ones take as long as a hundred other cases. */
const narrowed = (spec: Spec): Spec => {
  const { act = '8', hidden = '8' } = spec.pipeline.quantize;
  const bits = Math.max(Number(act), Number(hidden));
  if (bits <= 6) return spec;
  const widest = bits <= 8 ? 17 : 4;
  if (spec.network.kind === 'checkpoint') {
    const widths = spec.network.widths.map((w) => Math.min(w, widest));
    return { ...spec, network: { ...spec.network, widths } };
  }
  const { shape, steps } = spec.network;
  return {
    ...spec,
    network: {
      kind: 'graph',
      shape: shape.map((d) => Math.min(d, widest)),
      steps: steps.map((s) => (s.kind === 'layer' ? { ...s, outputs: Math.min(s.outputs, widest) } : s)),
    },
  };
};

const network: fc.Arbitrary<Spec['network']> = fc.oneof(
  { weight: 3, arbitrary: networks.map((spec) => ({ kind: 'graph' as const, ...spec })) },
  { weight: 1, arbitrary: checkpoints.map((spec) => ({ kind: 'checkpoint' as const, ...spec })) },
);

const specs: fc.Arbitrary<Spec> = fc.record({ network, pipeline: pipelines, seed: fc.nat() }).map(narrowed);

/** Inputs of a case: enough for one of each special value in all features, and as many random ones. */
const SAMPLES = 40;

/** The case of a spec, or the codes of what does not fit together in it. */
const caseOf = ({ network: spec, pipeline, seed }: Spec): E.Either<ReadonlyArray<string>, Case> => {
  const graph: Checked<Graph> = spec.kind === 'graph' ? networkOf(spec) : importedFrom(spec);
  if (E.isLeft(graph)) return E.left(graph.left.map((d) => d.code));
  const features = sizeOf(graph.right.inputs[0]?.type ?? { shape: [1] });
  const bytes = pipeline.input?.['dtype'] === 'u8';
  const floats = pipeline.data === undefined ? undefined : dataOf(pipeline.data, features);
  const data = floats === undefined || !bytes ? floats : Uint8Array.from(floats, (x) => 128 + 127 * x);
  return E.right({
    graph: graph.right,
    pipeline: graph.right.level === 'float' ? pipelineText(pipeline) : tablePipelineText(pipeline),
    data:
      data === undefined
        ? undefined
        : {
            path: DATA,
            array: { dtype: bytes ? 'u1' : 'f4', shape: [data.length / features, features], data },
          },
    samples: SAMPLES,
    seed,
  });
};

/** Longest search for a smaller case. */
const SHRINK_MS = 20_000;

/** fast-check's runs at a time. */
const BATCH = 50;

/** Runs until the extent is used up. Every kind of finding is made small and written once. */
export const fuzzNetworks = async (
  options: NetworkFuzz,
  onProgress: (tally: Tally) => void,
): Promise<Tally> => {
  const tally = emptyTally();
  // A list, because what a callback assigns to a variable is not seen where it is read.
  const failures: Array<{ readonly given: Case; readonly outcome: Extract<Outcome, { _tag: 'wrong' }> }> = [];
  const property = fc.asyncProperty(specs, async (spec) => {
    tally.executions++;
    const given = caseOf(spec);
    if (E.isLeft(given)) {
      countRefusal(tally, given.left);
      return true;
    }
    const outcome = await checkCase(options.world, options.engines, given.right);
    if (outcome._tag === 'refused') countRefusal(tally, outcome.codes);
    if (outcome._tag === 'same') {
      tally.integers += outcome.integers;
      tally.floats += outcome.floats;
      for (const e of outcome.engines) tally.engines.set(e, (tally.engines.get(e) ?? 0) + 1);
    }
    if (outcome._tag !== 'wrong' || isKnown(tally, outcome.message)) return true;
    failures.push({ given: given.right, outcome });
    return false;
  });
  await runBatches(property, tally, options, {
    size: BATCH,
    shrink: SHRINK_MS,
    failures,
    keep: ({ given, outcome }) => ({
      message: outcome.message,
      folder: keepCase(options.corpus, given, outcome),
    }),
    onProgress,
  });
  return tally;
};
