/** What the manifests of all targets have in common, and how they describe it. No dates, no paths. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';
import { type Checked, fail } from '../../diagnostics/index.js';
import { integer, showErrors } from '../../ir/codec.js';
import { hashOf, type PerChannel } from '../../ir/constant.js';
import { showElement } from '../../ir/element.js';
import type { Graph, Value } from '../../ir/graph.js';
import { refusesNaN } from '../../ir/interpret.js';
import type { Quantizer, Scaled } from '../../ir/quantizer.js';
import { parseJson } from '../../ir/strict-json.js';
import { levelsOf, type ValueType } from '../../ir/types.js';
import type { EmitContext, Json } from '../backend.js';
import type { Results } from './values.js';

const MANIFEST_FORMAT = 'kanc-artifact';
/** Raised when a reader of older manifests would misread a new one. */
const MANIFEST_VERSION = 2;

/** A count of something that is never empty: dimensions, samples, pages. */
export const Size = integer(1, 2 ** 32);
/** An address in memory, or a count of what there may be none of. */
export const Natural = integer(0, 2 ** 32);
const JsonRecord = t.record(t.string, t.unknown);

/** Properties of every manifest. */
export const COMMON = {
  format: t.literal(MANIFEST_FORMAT),
  version: t.literal(MANIFEST_VERSION),
  kanc: t.string,
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
  /** Lower-case hex SHA-256 of the other files of the artifact. */
  files: t.record(t.string, t.string),
  extra: JsonRecord,
};

const Common = t.type(COMMON);
/** What readers need that do not care for the target. */
export type CommonManifest = t.TypeOf<typeof Common>;

/** Reads the manifest of a target; K0603 when it is none. */
export const parseManifestOf =
  <A>(codec: t.Type<A, unknown, unknown>, what: string) =>
  (text: string): Checked<A> =>
    pipe(
      parseJson(text),
      E.orElseW((reason) => fail('K0603', `manifest.json cannot be read: ${reason}`)),
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

/** What a kernel tells of itself: one line per layer for the manifest and for reports. */
export interface KernelSummary {
  readonly op: string;
  /** How the kernel computes, in a few words that tests and reports can name. */
  readonly form: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Bits of a table entry or coefficient, where there is one. */
  readonly bits?: number;
}

/** The first properties of a manifest. */
export const manifestHead = <T extends string>(
  target: T,
  graph: Graph<'table'>,
  ends: Ends,
  { version }: EmitContext,
): Pick<CommonManifest, 'format' | 'version' | 'kanc' | 'name' | 'input' | 'output' | 'raw'> & {
  readonly target: T;
} => ({
  format: MANIFEST_FORMAT,
  version: MANIFEST_VERSION,
  kanc: version,
  target,
  name: graph.name,
  ...describeEnds(graph, ends),
});

/** The last properties of a manifest. */
export const manifestTail = (
  files: ReadonlyMap<string, Uint8Array | string>,
  { extra }: EmitContext,
): Pick<CommonManifest, 'files' | 'extra'> => ({ files: digests(files), extra: { ...extra } });

/** What a manifest tells of a kernel whose constants take `bytes`. */
export const describeLayer = (
  graph: Graph,
  { name, summary }: { readonly name: string; readonly summary: KernelSummary },
  bytes: number,
): CommonManifest['layers'][number] => ({
  name,
  op: summary.op,
  form: summary.form,
  inputs: summary.inputs,
  outputs: summary.outputs,
  element: showElementOf(graph, name),
  ...(summary.bits === undefined ? {} : { bits: summary.bits }),
  bytes,
});

type Ends = Results & { readonly input: Value };

/** What a program takes, as its manifest tells it. */
export const describeInput = (graph: Graph, input: Value): CommonManifest['input'] => ({
  name: input.name,
  shape: [...input.type.shape],
  dtype: input.type.element.kind === 'f32' ? 'f32' : 'u8',
  levels: levelsOf(input.type),
  refusesNaN: refusesNaN(graph),
  quantizers: inputQuantizers(graph, input).map(describeMeaning),
});

/** The ends of a program, as its manifest tells them. */
export const describeEnds = (
  graph: Graph<'table'>,
  { input, output, raw }: Ends,
): Pick<CommonManifest, 'input' | 'output' | 'raw'> => ({
  input: describeInput(graph, input),
  output: {
    name: output.name,
    shape: [...output.type.shape],
    dtype: output.type.element.kind === 'f32' ? 'f32' : 'i32',
  },
  raw: {
    name: raw.name,
    shape: [...raw.type.shape],
    element: showElement(raw.type.element),
    meaning: raw.type.meaning === undefined ? null : describeMeaning(raw.type.meaning),
  },
});

/** The text of the manifest in an artifact. */
export const manifestText = (files: ReadonlyMap<string, Uint8Array | string>): Checked<string> => {
  const file = files.get('manifest.json');
  return file === undefined
    ? fail('K0603', 'the artifact has no manifest.json')
    : E.right(typeof file === 'string' ? file : new TextDecoder().decode(file));
};

/** A file of an artifact, if it is the one that the manifest was written for. */
export const asWritten = <C extends Uint8Array | string>(
  name: string,
  content: C,
  { files }: Pick<CommonManifest, 'files'>,
): Checked<C> =>
  digest(content) === files[name]
    ? E.right(content)
    : fail('K0603', `${name} is not the file that the manifest was written for`, {
        hint: 'Compile the model again.',
      });

const digest = (content: Uint8Array | string): string =>
  bytesToHex(sha256(typeof content === 'string' ? utf8ToBytes(content) : content));

const digests = (files: ReadonlyMap<string, Uint8Array | string>): { readonly [name: string]: string } =>
  Object.fromEntries([...files].map(([name, content]) => [name, digest(content)]));

const showElementOf = (graph: Graph, name: string): string => {
  const type: ValueType | undefined = graph.nodes.find((n) => n.name === name)?.type;
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
