/** The cost report of whatever a user names: a checkpoint, a `.kir` file or an artifact. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type CostReport, costReport, DEFAULT_BITS, type WantedBits } from '../analyses/cost-report.js';
import { type Fit, fitsOf } from '../analyses/devices.js';
import { type NetworkFacts, NetworkFactsCodec, networkFacts } from '../analyses/layer-facts.js';
import type { Json } from '../backends/backend.js';
import { type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import type { ImportOptions } from '../importers/family.js';
import type { Graph } from '../ir/graph.js';
import { parsePipeline } from '../passes/pipeline-text.js';
import { type Capabilities, MOST_BYTES } from './capabilities.js';
import { checkValues } from './compile-options.js';
import { type ArtifactFiles, artifactGraph, loadModel, type Model } from './models.js';
import { portBits, type Rtl, SYNTH_FILE, type Synthesis } from './synth.js';

/** What the manifest of an artifact tells besides costs. */
export interface ArtifactReport {
  readonly target: string;
  readonly kanc: string;
  /** As the manifest has them. */
  readonly options: Json;
  readonly pipeline: string | null;
  readonly outOfRange: string | null;
  readonly nan: string | null;
  /** From the float network, on calibration samples; null when it was not measured. */
  readonly divergence: {
    readonly samples: number;
    readonly relativeRms: number;
    readonly argmaxAgreement?: number;
  } | null;
  /** Bytes of every file, by name. */
  readonly files: Readonly<Record<string, number>>;
  /** Of RTL. */
  readonly hardware?: HardwareReport;
}

export interface ModelReport {
  readonly kind: Model['_tag'];
  readonly report: CostReport;
  readonly artifact?: ArtifactReport;
}

/** Bits as `--quant` gives them; what is absent is 8, and `hidden` is as `act`. */
const wantedBits = (quant: Readonly<Record<string, string | number>>): WantedBits => {
  const bits = (name: string, otherwise: number): number => {
    const value = Number(quant[name]);
    return Number.isInteger(value) && value >= 1 && value <= 16 ? value : otherwise;
  };
  const act = bits('act', DEFAULT_BITS.act);
  return {
    act,
    hidden: bits('hidden', act),
    table: bits('table', DEFAULT_BITS.table),
    coef: bits('coef', DEFAULT_BITS.coef),
    basis: bits('basis', DEFAULT_BITS.basis),
  };
};

const Text = t.string;
const DivergenceCodec = t.intersection([
  t.type({ samples: t.number, relativeRms: t.number }),
  t.partial({ argmaxAgreement: t.number }),
]);

/** What was read as JSON, as the plain data that it is. */
const toJson = (u: unknown): Json => {
  if (typeof u === 'string' || typeof u === 'number' || typeof u === 'boolean') return u;
  if (Array.isArray(u)) return u.map(toJson);
  if (typeof u !== 'object' || u === null) return null;
  return Object.fromEntries(Object.entries(u).map(([key, value]) => [key, toJson(value)]));
};

const textOr = (u: unknown): string | null => (Text.is(u) ? u : null);

const artifactReport = ({ manifest, files }: ArtifactFiles): ArtifactReport => {
  const { extra } = manifest;
  const divergence = extra['divergence'];
  return {
    target: manifest.target,
    kanc: manifest.kanc,
    options: toJson(extra['options']),
    pipeline: textOr(extra['pipeline']),
    outOfRange: textOr(extra['outOfRange']),
    nan: textOr(extra['nan']),
    divergence: DivergenceCodec.is(divergence) ? divergence : null,
    files: Object.fromEntries(
      [...files]
        .map(([name, content]) => [name, content.byteLength] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
};

/** The sizes of the network that an artifact was made of; undefined in artifacts of versions that did not tell. */
export const storedFacts = ({ manifest }: ArtifactFiles): NetworkFacts | undefined => {
  const { layers, rest } = manifest.extra;
  const facts = { layers, rest };
  return NetworkFactsCodec.is(facts) ? facts : undefined;
};

/** Bits that the pipeline of an artifact asked for, of the form that was not chosen. */
export const askedBits = (pipeline: string | null): WantedBits =>
  pipe(
    parsePipeline(pipeline ?? ''),
    E.match(
      () => DEFAULT_BITS,
      (calls) => wantedBits(calls.find(({ name }) => name === 'quantize')?.options ?? {}),
    ),
  );

const graphReport = (graph: Graph, wanted: WantedBits | undefined): CostReport =>
  costReport({
    name: graph.name,
    facts: graph.level === 'table' ? undefined : networkFacts(graph),
    graph: graph.level === 'float' ? undefined : graph,
    ...(wanted === undefined ? {} : { wanted }),
  });

const reportOf = (model: Model, wanted: WantedBits | undefined): Checked<ModelReport> => {
  if (model._tag !== 'artifact') {
    return E.right({ kind: model._tag, report: graphReport(model.graph, wanted) });
  }
  const { artifact: files } = model;
  const artifact = artifactReport(files);
  return pipe(
    artifactGraph(files),
    E.map((graph) => ({
      kind: 'artifact',
      artifact,
      report: costReport({
        name: graph.name,
        facts: storedFacts(files),
        graph,
        fallback: askedBits(artifact.pipeline),
        ...(wanted === undefined ? {} : { wanted }),
      }),
    })),
  );
};

/** Bits of a network that is known as tables only change nothing (K0801). */
const checkUse = (made: ModelReport, quant: unknown): Checked<ModelReport> =>
  quant === undefined || made.report.forms.includes('edge')
    ? E.right(made)
    : fail('K0801', 'only the tables of this network are known, so its bits cannot be others', {
        place: { option: '--quant' },
        hint: 'Leave it out, or give the checkpoint.',
      });

/** The report with what is known of an artifact as hardware. */
const withHardware =
  (world: Pick<Capabilities, 'files'>, model: Model) =>
  (made: ModelReport): TE.TaskEither<Diagnostics, ModelReport> => {
    const { artifact } = made;
    if (model._tag !== 'artifact' || artifact === undefined) return TE.right(made);
    return pipe(
      hardwareReport(world)(model.artifact),
      TE.map((hardware) =>
        hardware === undefined ? made : { ...made, artifact: { ...artifact, hardware } },
      ),
    );
  };

/** Reports on a model; `quant` are bits for the forms that are not compiled. */
export const reportOnModel =
  (world: Pick<Capabilities, 'files'>) =>
  (
    path: string,
    options: ImportOptions,
    quant: Readonly<Record<string, string>> | undefined,
  ): TE.TaskEither<Diagnostics, ModelReport> =>
    pipe(
      TE.fromEither(quant === undefined ? E.right(undefined) : checkValues({ quant })),
      TE.flatMap(() => loadModel(world)(path, options)),
      TE.flatMap((model) =>
        pipe(
          TE.fromEither(reportOf(model, quant === undefined ? undefined : wantedBits(quant))),
          TE.flatMap(withHardware(world, model)),
        ),
      ),
      TE.flatMapEither((made) => checkUse(made, quant)),
    );

export interface HardwareReport {
  readonly rtl: Rtl;
  /** Estimates, before any synthesis. */
  readonly fits: ReadonlyArray<Fit>;
  /** Of this very module; a synthesis of another one is not told. */
  readonly synthesis?: Synthesis;
}

const Counts = t.record(t.string, t.number);

const SynthesisCodec: t.Type<Synthesis, unknown, unknown> = t.intersection([
  t.type({
    tool: t.string,
    flow: t.string,
    source: t.string,
    cells: Counts,
    luts: t.number,
    lutsBySize: Counts,
    registers: t.number,
    shiftRegisters: t.number,
    carries: t.number,
    multipliers: t.number,
    memories: t.number,
    longestPath: t.union([t.null, t.type({ luts: t.number, carries: t.number })]),
  }),
  t.partial({
    device: t.string,
    placement: t.intersection([
      t.type({ tool: t.string, device: t.string, clock: t.union([t.number, t.null]) }),
      t.partial({ note: t.string }),
    ]),
  }),
]);

const parsed = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
};

/** Undefined for artifacts that are no RTL. */
const hardwareReport =
  ({ files }: Pick<Capabilities, 'files'>) =>
  (artifact: ArtifactFiles): TE.TaskEither<Diagnostics, HardwareReport | undefined> => {
    const { manifest } = artifact;
    if (manifest.target !== 'verilog') return TE.right(undefined);
    const { rtl } = manifest;
    const path = join(artifact.folder, SYNTH_FILE);
    return pipe(
      files.kindOf(path),
      TE.bindTo('kind'),
      TE.bind('bytes', ({ kind }) =>
        kind === 'file' ? files.readFound(path, MOST_BYTES.synthesis) : TE.right(undefined),
      ),
      TE.map(({ bytes }): HardwareReport => {
        const synthesis = pipe(
          SynthesisCodec.decode(bytes === undefined ? undefined : parsed(bytes)),
          E.getOrElseW(() => undefined),
        );
        const { luts, luts4, registers } = rtl;
        return {
          rtl,
          fits: fitsOf({ luts6: luts, luts4, registers, pins: portBits(rtl) }),
          ...(synthesis?.source === manifest.files['model.v'] && synthesis !== undefined
            ? { synthesis }
            : {}),
        };
      }),
    );
  };
