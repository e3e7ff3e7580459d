/** The manifest of an artifact: what `kanc run`, `eval`, `verify` and `report` read. No dates, no paths. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';
import { type Checked, fail } from '../../diagnostics/index.js';
import { integer, showErrors } from '../../ir/codec.js';
import { hashOf, type PerChannel } from '../../ir/constant.js';
import { showElement } from '../../ir/element.js';
import type { Graph } from '../../ir/graph.js';
import { refusesNaN } from '../../ir/interpret.js';
import type { Quantizer, Scaled } from '../../ir/quantizer.js';
import { levelsOf, type ValueType } from '../../ir/types.js';
import type { EmitContext, Json } from '../backend.js';
import type { Layout } from './layout.js';
import type { Plan } from './plan.js';

export const MANIFEST_FORMAT = 'kanc-artifact';
/** Raised when a reader of older manifests would misread a new one. */
export const MANIFEST_VERSION = 2;

/** A count of something that is never empty: dimensions, samples, pages. */
const Size = integer(1, 2 ** 32);
/** An address in memory, or a count of what there may be none of. */
const Natural = integer(0, 2 ** 32);
const JsonRecord = t.record(t.string, t.unknown);

const ManifestCodec = t.type({
  format: t.literal(MANIFEST_FORMAT),
  version: t.literal(MANIFEST_VERSION),
  kanc: t.string,
  target: t.literal('wasm'),
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
  /** The integers that `predictRaw` returns. */
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
  memory: t.type({
    pages: Size,
    capacity: Size,
    input: t.type({ address: Natural, stride: Size }),
    output: t.type({ address: Natural }),
  }),
  /** Every materialised value; valid after a call with one sample. */
  buffers: t.array(
    t.type({
      name: t.string,
      address: Natural,
      element: t.keyof({ u8: null, u16: null, i16: null, i32: null, f32: null }),
      length: Size,
      /** Channels of the value, which stand interleaved: element (channel c, position p) lies at p * channels + c. */
      channels: Size,
    }),
  ),
  /** Lower-case hex SHA-256 of the other files of the artifact. */
  files: t.record(t.string, t.string),
  extra: JsonRecord,
});

export type Manifest = t.TypeOf<typeof ManifestCodec>;

/** Reads a manifest; K0603 when it is none. */
export const parseManifest = (text: string): Checked<Manifest> =>
  pipe(
    E.tryCatch((): unknown => JSON.parse(text), String),
    E.orElseW((reason) => fail('K0603', `manifest.json is not JSON: ${reason}`)),
    E.flatMap((data) =>
      pipe(
        ManifestCodec.decode(data),
        E.orElseW((errors) =>
          fail('K0603', `manifest.json: ${showErrors(errors)}`, {
            expected: `the manifest of a WASM artifact, version ${MANIFEST_VERSION}`,
          }),
        ),
      ),
    ),
  );

export const manifestOf = (
  graph: Graph<'table'>,
  plan: Plan,
  layout: Layout,
  files: ReadonlyMap<string, Uint8Array | string>,
  context: EmitContext,
): Manifest => ({
  format: MANIFEST_FORMAT,
  version: MANIFEST_VERSION,
  kanc: context.version,
  target: 'wasm',
  name: graph.name,
  input: {
    name: plan.input.name,
    shape: [...plan.input.type.shape],
    dtype: plan.input.type.element.kind === 'f32' ? 'f32' : 'u8',
    levels: levelsOf(plan.input.type),
    refusesNaN: refusesNaN(graph),
    quantizers: inputQuantizers(graph, plan).map(describeMeaning),
  },
  output: {
    name: plan.output.name,
    shape: [...plan.output.type.shape],
    dtype: plan.output.type.element.kind === 'f32' ? 'f32' : 'i32',
  },
  raw: {
    name: plan.raw.name,
    shape: [...plan.raw.type.shape],
    element: showElement(plan.raw.type.element),
    meaning: plan.raw.type.meaning === undefined ? null : describeMeaning(plan.raw.type.meaning),
  },
  layers: plan.kernels.map((k) => ({
    name: k.name,
    op: k.summary.op,
    form: k.summary.form,
    inputs: k.summary.inputs,
    outputs: k.summary.outputs,
    element: showElementOf(graph, k.name),
    ...(k.summary.bits === undefined ? {} : { bits: k.summary.bits }),
    bytes: k.blocks.reduce((n, b) => n + b.length, 0),
  })),
  memory: {
    pages: layout.pages,
    capacity: layout.capacity,
    input: layout.input,
    output: { address: layout.output.address },
  },
  buffers: layout.buffers.map((b) => ({
    name: b.name,
    address: b.address,
    element: b.storage,
    length: b.length,
    channels: b.channels,
  })),
  files: Object.fromEntries([...files].map(([name, content]) => [name, digest(content)])),
  extra: { ...context.extra },
});

export const digest = (content: Uint8Array | string): string =>
  bytesToHex(sha256(typeof content === 'string' ? utf8ToBytes(content) : content));

const showElementOf = (graph: Graph, name: string): string => {
  const type: ValueType | undefined = graph.nodes.find((n) => n.name === name)?.type;
  return type === undefined ? '' : showElement(type.element);
};

/** What the codes mean that are made from the input directly. */
const inputQuantizers = (graph: Graph, plan: Plan): ReadonlyArray<Quantizer> =>
  graph.nodes.flatMap(({ op, operands }) =>
    (op.kind === 'quantize' || op.kind === 'recode') && operands[0] === plan.input.name
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
