/** The two JSON files of KANELE, checked; truth tables as packed arrays. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { at, type Checked, fail, printable } from '../../diagnostics/index.js';
import { integer, showErrors } from '../../ir/codec.js';
import { allocate, int, maxOf, minOf, type TypedArray } from '../../ir/element.js';
import { parseJson } from '../../ir/strict-json.js';
import { decodeUtf8 } from '../containers/bytes.js';
import { KANELE_CONFIG, KANELE_TABLES } from '../source.js';

/** What more the file says is about the training. */
const Config = t.type({
  layers: t.readonlyArray(integer(1, 65536)),
  layers_bitwidth: t.readonlyArray(integer(1, 16)),
});

export type KaneleConfig = t.TypeOf<typeof Config>;

/** For each layer int[I, 2^b_l, O] of b_{l+1} bits, saturated, in row-major order. */
export type KaneleTables = ReadonlyArray<TypedArray>;

const flag = t.union([t.literal(0), t.literal(1), t.boolean]);

/** The key is spelled `acive` by the tool; should it be mended some day, both are read. */
const Edge = t.intersection([t.type({ values_int: t.unknown }), t.partial({ acive: flag, active: flag })]);

const Tables = t.UnknownRecord;

/** JSON of these sizes is no network that anyone has put on an FPGA. */
const LARGEST_FILE = 2 ** 28;
const LARGEST_TABLES = 2 ** 28;

const readJson = (bytes: Uint8Array, file: string): Checked<unknown> => {
  if (bytes.length > LARGEST_FILE) {
    return fail('K0113', `${file} has ${bytes.length} bytes`, { expected: `at most ${LARGEST_FILE}` });
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) return fail('K0104', `${file} is not UTF-8 text`);
  const json = parseJson(text);
  return E.isLeft(json) ? fail('K0104', `${file} cannot be read: ${json.left}`) : json;
};

export const readConfig = (bytes: Uint8Array): Checked<KaneleConfig> => {
  const json = readJson(bytes, KANELE_CONFIG);
  if (E.isLeft(json)) return json;
  const config = Config.decode(json.right);
  if (E.isLeft(config)) return fail('K0203', `${KANELE_CONFIG}: ${showErrors(config.left)}`);
  const { layers, layers_bitwidth: bits } = config.right;
  if (layers.length < 2 || layers.length !== bits.length) {
    return fail('K0203', `${KANELE_CONFIG} has ${layers.length} layers and ${bits.length} bit widths`, {
      expected: 'as many of each, at least two',
    });
  }
  return config;
};

export const readTables = (bytes: Uint8Array, config: KaneleConfig): Checked<KaneleTables> => {
  const { layers, layers_bitwidth: bits } = config;
  // Before anything is parsed or allocated: a few bytes of configuration can ask for any amount.
  const entries = layers.slice(1).map((outputs, l) => layers[l]! * 2 ** bits[l]! * outputs);
  const total = entries.reduce((a, b) => a + b, 0);
  if (total > LARGEST_TABLES) {
    return fail('K0113', `the layers need ${total} table entries`, { expected: `at most ${LARGEST_TABLES}` });
  }
  const json = readJson(bytes, KANELE_TABLES);
  if (E.isLeft(json)) return json;
  if (!Tables.is(json.right) || Array.isArray(json.right)) {
    return fail('K0203', `${KANELE_TABLES} is not a record of edges`, {
      expected: 'edges by name, such as "0_0_0"',
    });
  }
  const found = json.right;
  let known = 0;
  const tables: TypedArray[] = [];
  for (let l = 0; l + 1 < layers.length; l++) {
    const table = allocate(int(bits[l + 1]!), entries[l]!);
    for (let i = 0; i < layers[l]!; i++) {
      for (let o = 0; o < layers[l + 1]!; o++) {
        const key = `${l}_${i}_${o}`;
        const read = readEdge(found, key, table, { i, o, l, config });
        if (E.isLeft(read)) return at({ tensor: key })(read);
        known++;
      }
    }
    tables.push(table);
  }
  if (Object.keys(found).length === known) return E.right(tables);
  const extra = Object.keys(found).find((key) => !isEdge(key, layers)) ?? '';
  return fail('K0203', `${KANELE_TABLES} has an edge '${printable(extra, 60)}' that no layer has`, {
    expected: `edges of the layers ${layers.join(', ')} of ${KANELE_CONFIG}`,
  });
};

const isEdge = (key: string, layers: ReadonlyArray<number>): boolean => {
  const match = /^(0|[1-9]\d*)_(0|[1-9]\d*)_(0|[1-9]\d*)$/.exec(key);
  if (match === null) return false;
  const [l, i, o] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return l + 1 < layers.length && i < layers[l]! && o < layers[l + 1]!;
};

/** Where an edge goes. */
interface EdgePlace {
  readonly l: number;
  readonly i: number;
  readonly o: number;
  readonly config: KaneleConfig;
}

/** Writes the saturated values of an edge into the table of its layer; those of a pruned edge stay 0. */
const readEdge = (
  found: Readonly<Record<string, unknown>>,
  key: string,
  table: TypedArray,
  { l, i, o, config }: EdgePlace,
): Checked<void> => {
  if (!Object.hasOwn(found, key)) return fail('K0202', `the edge is not in ${KANELE_TABLES}`);
  const edge = Edge.decode(found[key]);
  if (E.isLeft(edge)) return fail('K0203', showErrors(edge.left));
  const active = edge.right.acive ?? edge.right.active;
  if (active === undefined) {
    return fail('K0203', 'acive: expected 0 or 1, found nothing');
  }
  if (active === 0 || active === false) return E.right(undefined);
  const values = edge.right.values_int;
  const [levels, outputs] = [2 ** config.layers_bitwidth[l]!, config.layers[l + 1]!];
  if (!Array.isArray(values) || values.length !== levels) {
    const length = Array.isArray(values) ? `${values.length} values` : 'no list';
    return fail('K0203', `values_int has ${length}`, { expected: `${levels} integers` });
  }
  const element = int(config.layers_bitwidth[l + 1]!);
  const [lo, hi] = [minOf(element), maxOf(element)];
  for (let code = 0; code < levels; code++) {
    const value: unknown = values[code];
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      return fail('K0203', `values_int[${code}] is ${printable(String(JSON.stringify(value)), 60)}`, {
        expected: 'an integer',
      });
    }
    table[(i * levels + code) * outputs + o] = Math.min(hi, Math.max(lo, value));
  }
  return E.right(undefined);
};
