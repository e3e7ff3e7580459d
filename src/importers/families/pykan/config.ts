/**
 * The `_config.yml` that pykan's `saveckpt` writes. Everything in it is optional here: where a value is not plain
 * (numpy numbers are written as Python objects), or there is no file, the shapes of the tensors say most of it.
 *
 * The reader constructs nothing: tags of Python are ignored, and what they stand on is kept only where it happens
 * to be a number, a text or a list of them.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { isMap, isScalar, Lexer, parseDocument } from 'yaml';
import { type Checked, fail, printable, type Rule } from '../../../diagnostics/index.js';
import { integer } from '../../../ir/codec.js';
import { decodeUtf8 } from '../../containers/bytes.js';
import { type BaseFunction, baseFunctionOf } from './base.js';

/** Sum nodes and multiplication nodes of one layer of nodes. */
export interface NodeCounts {
  readonly sum: number;
  readonly mult: number;
}

export interface PykanConfig {
  /** Of every layer of nodes, inputs first. */
  readonly width?: ReadonlyArray<NodeCounts>;
  /** The factors of a multiplication node: the same for all, or by layer of nodes and node. */
  readonly arity?: number | ReadonlyArray<ReadonlyArray<number>>;
  readonly base?: BaseFunction;
  /** Which of `width` and `mult_arity` are there, but hold something that they cannot be. */
  readonly unread: ReadonlyArray<string>;
  readonly symbolicEnabled?: boolean;
  /** Names of the functions of a layer's edges, [output][input]. */
  readonly functions: (layer: number) => ReadonlyArray<ReadonlyArray<string>> | undefined;
  readonly inputId?: ReadonlyArray<number>;
}

export const NO_CONFIG: PykanConfig = { functions: () => undefined, unread: [] };

/** The names of all symbolic functions stand in the file, so it grows with the network: by some ten bytes an edge. */
const LARGEST_FILE = 2 ** 22;

/**
 * The reader of YAML takes up to 350 bytes and 2 us for a lexeme, of which an edge of the network has five. Counting them
 * takes no memory, so they are counted first.
 */
const MOST_LEXEMES = 300_000;

/** How often aliases may be expanded: enough for what PyYAML writes, far too little for a bomb. */
const ALIASES = 100;

const Count = integer(0, 2 ** 20);
/** Sum and multiplication nodes; the older form has sum nodes only. (A tuple of io-ts would drop what is too much.) */
const Pair = t.union([Count, t.readonlyArray(Count)]);
const Widths = t.readonlyArray(Pair);
const Arity = t.union([integer(1, 1024), t.readonlyArray(t.readonlyArray(integer(1, 1024)))]);
const Names = t.readonlyArray(t.readonlyArray(t.string));
const Indices = t.readonlyArray(integer(0, 2 ** 20));

/** The value if the codec takes it: values of another kind count as absent. */
const plain = <A>(codec: t.Type<A, unknown, unknown>, u: unknown): A | undefined => {
  const decoded = codec.decode(u);
  return E.isRight(decoded) ? decoded.right : undefined;
};

const countsOf = (w: t.TypeOf<typeof Pair>): NodeCounts | undefined => {
  if (typeof w === 'number') return { sum: w, mult: 0 };
  return w[0] === undefined || w.length > 2 ? undefined : { sum: w[0], mult: w[1] ?? 0 };
};

const widthsOf = (u: unknown): ReadonlyArray<NodeCounts> | undefined => {
  const counts = plain(Widths, u)?.map(countsOf);
  const known = counts?.flatMap((c) => c ?? []);
  return known?.length === counts?.length ? known : undefined;
};

const List = t.readonlyArray(t.unknown);

/** A number of numpy as PyYAML writes it: [type, bytes]. */
const numpyInteger = (u: unknown): number | undefined => {
  const [type, bytes, ...more] = List.is(u) ? u : [];
  if (!(type instanceof Map && bytes instanceof Uint8Array) || more.length > 0) return undefined;
  const args: unknown = type.get('args');
  const name = List.is(args) ? args[0] : undefined;
  if (typeof name !== 'string' || !/^[iu][1248]$/.test(name)) return undefined;
  if (bytes.length !== Number(name[1])) return undefined;
  // Little-endian. Negative counts come out as huge ones, which the codecs refuse alike.
  return bytes.reduceRight((n, byte) => n * 256 + byte, 0);
};

/** Numbers of numpy within lists of lists as numbers; all else as it is. */
const withPlainNumbers = (u: unknown, depth = 2): unknown =>
  numpyInteger(u) ??
  (Array.isArray(u) && depth > 0 ? u.map((part: unknown) => withPlainNumbers(part, depth - 1)) : u);

/** Reads the file. Fails only on what is no YAML of a record. */
export const readPykanConfig = (bytes: Uint8Array, file: string): Checked<PykanConfig> => {
  if (bytes.length > LARGEST_FILE) {
    return fail('K0113', `${file} has ${bytes.length} bytes`, { expected: `at most ${LARGEST_FILE}` });
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) return fail('K0104', `${file} is not UTF-8 text`);
  if (hasMoreLexemes(text, MOST_LEXEMES)) {
    return fail('K0113', `${file} has more than ${MOST_LEXEMES} words and signs of YAML`, {
      expected: 'a configuration as pykan writes it, of at most 60000 edges',
      hint: 'Without the file a network is read by the shapes of its tensors.',
    });
  }
  const record = parseRecord(text);
  if (E.isLeft(record)) return fail('K0104', `${file} cannot be read as YAML: ${record.left}`);
  const get = (key: string): unknown => record.right.values.get(key);
  const width = widthsOf(withPlainNumbers(get('width')));
  const arity = plain(Arity, withPlainNumbers(get('mult_arity')));
  const base = baseFunctionOf(record.right.base);
  const symbolicEnabled = plain(t.boolean, get('symbolic_enabled'));
  const inputId = plain(Indices, get('input_id'));
  return E.right({
    ...(width === undefined ? {} : { width }),
    ...(arity === undefined ? {} : { arity }),
    ...(base === undefined ? {} : { base }),
    ...(symbolicEnabled === undefined ? {} : { symbolicEnabled }),
    ...(inputId === undefined ? {} : { inputId }),
    unread: [
      ...(width === undefined && get('width') !== undefined ? ['width'] : []),
      ...(arity === undefined && get('mult_arity') !== undefined ? ['mult_arity'] : []),
    ],
    functions: (layer) => plain(Names, get(`symbolic.funs_name.${layer}`)),
  });
};

const hasMoreLexemes = (text: string, most: number): boolean => {
  let count = 0;
  for (const _ of new Lexer().lex(text)) if (++count > most) return true;
  return false;
};

/** Runs without recording stacks: the library makes an error for every fault of a text and keeps them all. */
const withoutStacks = <A>(run: () => A): A => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};

/** The first key that stands twice at the top. The library's own check compares every key with every other. */
const repeatedKey = (contents: unknown): string | undefined => {
  if (!isMap(contents)) return undefined;
  const seen = new Set<unknown>();
  for (const { key } of contents.items) {
    const name = isScalar(key) ? key.value : key;
    if (seen.has(name)) return String(name);
    seen.add(name);
  }
  return undefined;
};

interface PykanRecord {
  /** The top of the document as a map, so that no key can reach a prototype. */
  readonly values: ReadonlyMap<unknown, unknown>;
  /** The node of `base_fun_name`: what it is stands in its tag. */
  readonly base: unknown;
}

const parseRecord = (text: string): Rule<PykanRecord> => {
  try {
    const document = withoutStacks(() =>
      parseDocument(text, {
        schema: 'core',
        merge: false,
        logLevel: 'silent',
        uniqueKeys: false,
        prettyErrors: false,
      }),
    );
    const [error] = document.errors;
    if (error !== undefined) {
      const line = text.slice(0, error.pos[0]).split('\n').length;
      return E.left(printable(`line ${line}: ${error.message.split('\n')[0] ?? ''}`, 200));
    }
    const repeated = repeatedKey(document.contents);
    if (repeated !== undefined) return E.left(`the key '${printable(repeated, 100)}' stands twice`);
    const value: unknown = document.toJS({ mapAsMap: true, maxAliasCount: ALIASES });
    return value instanceof Map
      ? E.right({ values: value, base: document.get('base_fun_name', true) })
      : E.left('it is not a record');
  } catch (error) {
    // The library throws on too many aliases, and the stack overflows on lists nested without end.
    return E.left(printable(error instanceof Error ? error.message : String(error), 200));
  }
};
