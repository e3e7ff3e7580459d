/**
 * The part of a manifest that all targets share: what `kanc run`, `eval`, `verify` and `report` read. No dates, no
 * paths.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';
import { type Checked, fail } from '../diagnostics/index.js';
import { integer, showErrors } from '../ir/codec.js';
import { hashOf, type PerChannel } from '../ir/constant.js';
import { showElement } from '../ir/element.js';
import type { Graph, Value } from '../ir/graph.js';
import { refusesNaN } from '../ir/interpret.js';
import type { Quantizer, Scaled } from '../ir/quantizer.js';
import { levelsOf } from '../ir/types.js';
import type { EmitContext, Json } from './backend.js';

export const MANIFEST_FORMAT = 'kanc-artifact';
/** Raised when a reader of older manifests would misread a new one. */
export const MANIFEST_VERSION = 2;

/** A count of something that is never empty: dimensions, samples, pages. */
export const Size = integer(1, 2 ** 32);
/** An address in memory, or a count of what there may be none of. */
export const Natural = integer(0, 2 ** 32);
const JsonRecord = t.record(t.string, t.unknown);

export const ManifestHeadCodec = t.type({
  format: t.literal(MANIFEST_FORMAT),
  version: t.literal(MANIFEST_VERSION),
  kanc: t.string,
  target: t.string,
  name: t.string,
  input: t.type({
    name: t.string,
    shape: t.array(Size),
    dtype: t.union([t.literal('f32'), t.literal('u8')]),
    /** Codes of a u8 input lie below this; 0 for f32. */
    levels: Natural,
    refusesNaN: t.boolean,
    quantizers: t.array(JsonRecord),
  }),
  output: t.type({
    name: t.string,
    shape: t.array(Size),
    dtype: t.union([t.literal('f32'), t.literal('i32')]),
  }),
  /** The last integers, before they become floats. */
  raw: t.type({ name: t.string, shape: t.array(Size), element: t.string, meaning: t.unknown }),
  layers: t.array(
    t.intersection([
      t.type({
        name: t.string,
        op: t.string,
        form: t.string,
        inputs: Size,
        outputs: Size,
        element: t.string,
        bytes: Natural,
      }),
      t.partial({ bits: Size }),
    ]),
  ),
  /** Lower-case hex SHA-256 of the other files of the artifact. */
  files: t.record(t.string, t.string),
  extra: JsonRecord,
});

export type ManifestHead = t.TypeOf<typeof ManifestHeadCodec>;

/** Reads the manifest of a target, `what` in messages; K0603 when it is none. */
export const readManifest =
  <A>(codec: t.Type<A, unknown, unknown>, what: string) =>
  (text: string): Checked<A> =>
    pipe(
      E.tryCatch((): unknown => JSON.parse(text), String),
      E.orElseW((reason) => fail('K0603', `manifest.json is not JSON: ${reason}`)),
      E.flatMap((data) =>
        pipe(
          codec.decode(data),
          E.orElseW((errors) =>
            fail('K0603', `manifest.json: ${showErrors(errors)}`, {
              expected: `the manifest of ${what}, version ${MANIFEST_VERSION}`,
            }),
          ),
        ),
      ),
    );

export const parseManifestHead = readManifest(ManifestHeadCodec, 'an artifact');

/** What the head says of a program. */
export interface ManifestFacts {
  readonly target: string;
  readonly input: Value;
  readonly output: Value;
  /** The last integers. */
  readonly raw: Value;
  readonly layers: ReadonlyArray<{
    readonly name: string;
    readonly op: string;
    readonly form: string;
    readonly inputs: number;
    readonly outputs: number;
    readonly bits?: number;
    /** Of constants. */
    readonly bytes: number;
  }>;
}

export const manifestHead = (
  graph: Graph<'table'>,
  facts: ManifestFacts,
  files: ReadonlyMap<string, Uint8Array | string>,
  context: EmitContext,
): ManifestHead => ({
  format: MANIFEST_FORMAT,
  version: MANIFEST_VERSION,
  kanc: context.version,
  target: facts.target,
  name: graph.name,
  input: {
    name: facts.input.name,
    shape: [...facts.input.type.shape],
    dtype: facts.input.type.element.kind === 'f32' ? 'f32' : 'u8',
    levels: levelsOf(facts.input.type),
    refusesNaN: refusesNaN(graph),
    quantizers: inputQuantizers(graph, facts.input).map(describeMeaning),
  },
  output: {
    name: facts.output.name,
    shape: [...facts.output.type.shape],
    dtype: facts.output.type.element.kind === 'f32' ? 'f32' : 'i32',
  },
  raw: {
    name: facts.raw.name,
    shape: [...facts.raw.type.shape],
    element: showElement(facts.raw.type.element),
    meaning: facts.raw.type.meaning === undefined ? null : describeMeaning(facts.raw.type.meaning),
  },
  layers: facts.layers.map((k) => ({
    name: k.name,
    op: k.op,
    form: k.form,
    inputs: k.inputs,
    outputs: k.outputs,
    element: elementName(graph, k.name),
    ...(k.bits === undefined ? {} : { bits: k.bits }),
    bytes: k.bytes,
  })),
  files: Object.fromEntries([...files].map(([name, content]) => [name, digest(content)])),
  extra: { ...context.extra },
});

export const digest = (content: Uint8Array | string): string =>
  bytesToHex(sha256(typeof content === 'string' ? utf8ToBytes(content) : content));

const elementName = (graph: Graph, name: string): string => {
  const type = graph.nodes.find((n) => n.name === name)?.type;
  return type === undefined ? '' : showElement(type.element);
};

/** What the codes mean that are made from the input directly. */
const inputQuantizers = (graph: Graph, input: Value): ReadonlyArray<Quantizer> =>
  graph.nodes.flatMap(({ op, operands }) =>
    (op.kind === 'quantize' || op.kind === 'recode') && operands[0] === input.name
      ? [op.attrs.quantizer]
      : [],
  );

/** Long lists are named by the hash of their constant, which model.kir holds. */
const describeMeaning = (m: Quantizer | Scaled): { readonly [key: string]: Json } => {
  if (m._tag === 'uniform') {
    return { kind: 'uniform', levels: m.levels, lo: describe(m.lo), step: describe(m.step) };
  }
  if (m._tag === 'scaled') return { kind: 'scaled', scale: describe(m.scale), lo: m.lo, hi: m.hi };
  return {
    kind: 'thresholds',
    levels: m.levels,
    thresholds: describe(m.thresholds),
    values: describe(m.values),
  };
};

const LONGEST_LIST = 64;

const describe = (p: PerChannel): Json => {
  if (typeof p === 'number') return p;
  // JSON has no infinities, which thresholds that nothing reaches are.
  const list = (): Json => Array.from(p.data, (x) => (Number.isFinite(x) ? x : String(x)));
  return p.data.length <= LONGEST_LIST ? list() : { shape: [...p.shape], sha256: hashOf(p) };
};
