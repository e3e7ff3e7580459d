/** The two JSON files of KANELE, checked; truth tables as packed arrays. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { at, type Checked, fail, printable } from '../../diagnostics/index.js';
import { integer, showErrors } from '../../ir/codec.js';
import { type Constant, constant } from '../../ir/constant.js';
import { allocate, int, maxOf, minOf } from '../../ir/element.js';
import { parseJson } from '../../ir/strict-json.js';
import { decodeUtf8 } from '../containers/bytes.js';
import { KANELE_CONFIG } from '../source.js';

/** What more the file says is about the training. */
const Config = t.type({
  layers: t.readonlyArray(integer(1, 65536)),
  layers_bitwidth: t.readonlyArray(integer(1, 16)),
});

export type KaneleConfig = t.TypeOf<typeof Config>;

/** The tables of one layer. */
export interface KaneleTable {
  /** int[I, 2^b_l, O], of b_{l+1} bits or of as many as its values need. */
  readonly table: Constant;
  /** How many values do not fit the b_{l+1} bits of a node. */
  readonly wide: number;
}

const flag = t.union([t.literal(0), t.literal(1), t.boolean]);

/** The key is spelled `acive` by the tool; should it be mended some day, both are read. */
const Edge = t.intersection([t.type({ values_int: t.unknown }), t.partial({ acive: flag, active: flag })]);

const Tables = t.UnknownRecord;

/** The most bits of a value: sums are of 32. */
const MOST_BITS = 32;
const Value = integer(-(2 ** (MOST_BITS - 1)), 2 ** (MOST_BITS - 1) - 1);
const Values = t.readonlyArray(Value);

/** JSON of these sizes is no network that anyone has put on an FPGA. */
const LARGEST_FILE = 2 ** 28;
const LARGEST_TABLES = 2 ** 28;

const readJson = (bytes: Uint8Array): Checked<unknown> => {
  if (bytes.length > LARGEST_FILE) {
    return fail('K0113', `the file has ${bytes.length} bytes`, { expected: `at most ${LARGEST_FILE}` });
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) return fail('K0104', 'the file is not UTF-8 text');
  const json = parseJson(text);
  return E.isLeft(json) ? fail('K0104', `the file cannot be read: ${json.left}`) : json;
};

export const readConfig = (bytes: Uint8Array): Checked<KaneleConfig> => {
  const json = readJson(bytes);
  if (E.isLeft(json)) return json;
  const config = Config.decode(json.right);
  if (E.isLeft(config)) return fail('K0203', showErrors(config.left));
  const { layers, layers_bitwidth: bits } = config.right;
  if (layers.length < 2 || layers.length !== bits.length) {
    return fail('K0203', `there are ${layers.length} layers and ${bits.length} bit widths`, {
      expected: 'as many of each, at least two',
    });
  }
  return config;
};

export const readTables = (bytes: Uint8Array, config: KaneleConfig): Checked<ReadonlyArray<KaneleTable>> => {
  const { layers, layers_bitwidth: bits } = config;
  // Before anything is parsed or allocated: a few bytes of configuration can ask for any amount.
  const total = layers.slice(1).reduce((n, outputs, l) => n + layers[l]! * 2 ** bits[l]! * outputs, 0);
  if (total > LARGEST_TABLES) {
    return fail('K0113', `the layers of ${KANELE_CONFIG} need ${total} table entries`, {
      expected: `at most ${LARGEST_TABLES}`,
    });
  }
  const json = readJson(bytes);
  if (E.isLeft(json)) return json;
  if (!Tables.is(json.right) || Array.isArray(json.right)) {
    return fail('K0203', 'the file is not a record of edges', {
      expected: 'edges by name, such as "0_0_0"',
    });
  }
  const tables: KaneleTable[] = [];
  for (let l = 0; l + 1 < layers.length; l++) {
    const table = readLayer(json.right, l, config);
    if (E.isLeft(table)) return table;
    tables.push(table.right);
  }
  const known = layers.slice(1).reduce((n, outputs, l) => n + layers[l]! * outputs, 0);
  if (Object.keys(json.right).length === known) return E.right(tables);
  const extra = Object.keys(json.right).find((key) => !isEdge(key, layers)) ?? '';
  return fail('K0203', `there is an edge '${printable(extra, 60)}' that no layer has`, {
    expected: `edges of the layers ${layers.join(', ')} of ${KANELE_CONFIG}`,
  });
};

const isEdge = (key: string, layers: ReadonlyArray<number>): boolean => {
  const match = /^(0|[1-9]\d*)_(0|[1-9]\d*)_(0|[1-9]\d*)$/.exec(key);
  if (match === null) return false;
  const [l, i, o] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return l + 1 < layers.length && i < layers[l]! && o < layers[l + 1]!;
};

/** The edges of layer `l` as one table; the values of a pruned edge are 0. */
const readLayer = (
  found: Readonly<Record<string, unknown>>,
  l: number,
  { layers, layers_bitwidth: bits }: KaneleConfig,
): Checked<KaneleTable> => {
  const [inputs, outputs, levels] = [layers[l]!, layers[l + 1]!, 2 ** bits[l]!];
  const edges: (ReadonlyArray<number> | undefined)[] = [];
  const node = int(bits[l + 1]!);
  let [lo, hi, wide] = [minOf(node), maxOf(node), 0];
  for (let e = 0; e < inputs * outputs; e++) {
    const key = `${l}_${Math.floor(e / outputs)}_${e % outputs}`;
    const edge = at({ tensor: key })(readEdge(found, key, levels));
    if (E.isLeft(edge)) return edge;
    edges.push(edge.right);
    for (const value of edge.right ?? []) {
      if (value < minOf(node) || value > maxOf(node)) wide++;
      [lo, hi] = [Math.min(lo, value), Math.max(hi, value)];
    }
  }
  let width = bits[l + 1]!;
  while (lo < minOf(int(width)) || hi > maxOf(int(width))) width++;
  const element = int(width);
  const data = allocate(element, inputs * levels * outputs);
  for (const [e, values] of edges.entries()) {
    const [i, o] = [Math.floor(e / outputs), e % outputs];
    values?.forEach((value, code) => {
      data[(i * levels + code) * outputs + o] = value;
    });
  }
  return E.right({ table: constant(element, [inputs, levels, outputs], data), wide });
};

/** The values of an edge, which may be wider than a node; undefined for a pruned one. */
const readEdge = (
  found: Readonly<Record<string, unknown>>,
  key: string,
  levels: number,
): Checked<ReadonlyArray<number> | undefined> => {
  if (!Object.hasOwn(found, key)) return fail('K0202', 'the edge is missing');
  const edge = Edge.decode(found[key]);
  if (E.isLeft(edge)) return fail('K0203', showErrors(edge.left));
  const active = edge.right.acive ?? edge.right.active;
  if (active === undefined) {
    return fail('K0203', 'acive: expected 0 or 1, found nothing');
  }
  if (active === 0 || active === false) return E.right(undefined);
  const values: unknown = edge.right.values_int;
  if (!Array.isArray(values) || values.length !== levels) {
    const length = Array.isArray(values) ? `${values.length} values` : 'no list';
    return fail('K0203', `values_int has ${length}`, { expected: `${levels} integers` });
  }
  const wrong = values.findIndex((value: unknown) => !Value.is(value));
  return wrong < 0 && Values.is(values)
    ? E.right(values)
    : fail('K0203', `values_int[${wrong}] is ${printable(String(JSON.stringify(values[wrong])), 60)}`, {
        expected: `an integer of at most ${MOST_BITS} bits`,
      });
};
