/**
 * KANELE: a network of integers as truth tables. `config.json` has `layers` [n0, n1, ...] and `layers_bitwidth`
 * [b0, b1, ...]; `truth_tables.json` has for each edge "l_i_o" the 2^b_l integers `values_int`, and `acive` (spelled
 * so): 0 for an edge that was pruned.
 *
 *   node = saturate(sum over edges of values_int[code]) to b_{l+1} signed bits;
 *   the next code is node + 2^(b_{l+1} - 1). The first codes are unsigned, of b0 bits.
 *
 * Only sums are saturated, as KANELE's inference does it: the values of an edge may need more bits than a node has.
 *
 * Nothing here is a float, so the graph is a table graph from the start: the saturation of a node is a `requantize`
 * that multiplies by 2 and shifts by 1, which changes nothing but the ends.
 */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked, fail } from '../../diagnostics/index.js';
import { builder } from '../../ir/builder.js';
import { type Constant, constant } from '../../ir/constant.js';
import { accumulatorFor, allocate, int, maxOf, minOf, showElement, uint } from '../../ir/element.js';
import type { Graph, ValueName } from '../../ir/graph.js';
import { edgeTableRange } from '../../ir/ops/table-edge.js';
import { valueType } from '../../ir/types.js';
import type { Interval } from '../../numeric/ranges.js';
import type { Assumption, DocumentFamily, ImportOptions, Reading } from '../family.js';
import { KANELE_CONFIG, KANELE_TABLES, pathBeside, type Source } from '../source.js';
import { type KaneleConfig, type KaneleTable, readConfig, readTables } from './kanele-files.js';

export const kanele: DocumentFamily = {
  name: 'kanele',
  format: 'kanele-json',
  recognises: ({ name, bytes }) => {
    const start = String.fromCharCode(...bytes.subarray(0, 1024));
    if (!/^\s*\{\s*["}]/.test(start)) return false;
    // Other tools write JSON too: of another name it must look like one of the two.
    return name === KANELE_CONFIG || name === KANELE_TABLES || /"\d+_\d+_\d+"|"layers_bitwidth"/.test(start);
  },
  read: (source, options) => read(source, options),
};

const read = (source: Source, options: ImportOptions): Checked<Reading & { readonly parameters: number }> => {
  const { name, bytes, beside } = source;
  const configBytes = name === KANELE_CONFIG ? bytes : beside.get(KANELE_CONFIG);
  const tableBytes = name === KANELE_CONFIG ? beside.get(KANELE_TABLES) : bytes;
  if (configBytes === undefined || tableBytes === undefined) {
    const missing = configBytes === undefined ? KANELE_CONFIG : KANELE_TABLES;
    return fail('K0101', `there is no ${missing} beside it`, {
      expected: `${KANELE_CONFIG} and ${KANELE_TABLES} of KANELE in one folder`,
    });
  }
  const placed = (name: string) => at({ file: pathBeside(source.file, name) });
  const config = placed(KANELE_CONFIG)(readConfig(configBytes));
  if (E.isLeft(config)) return config;
  const tables = placed(KANELE_TABLES)(readTables(tableBytes, config.right));
  if (E.isLeft(tables)) return tables;
  const graph = graphOf(config.right, tables.right, options.name ?? 'model');
  if (E.isLeft(graph)) return graph;
  return E.right({
    graph: graph.right,
    assumptions: assumptionsOf(config.right, tables.right),
    parameters: tables.right.reduce((n, { table }) => n + table.data.length, 0),
  });
};

const assumptionsOf = (
  { layers_bitwidth: bits }: KaneleConfig,
  tables: ReadonlyArray<KaneleTable>,
): ReadonlyArray<Assumption> => [
  {
    what: 'how inputs become codes is not stored',
    assumed: `the program is given the codes, of ${bits[0]} bits`,
  },
  { what: 'what an output stands for is not stored', assumed: 'its integer itself' },
  ...tables.flatMap(({ wide }, l) =>
    wide === 0
      ? []
      : [
          {
            what: `layer ${l} has ${wide} table value${wide === 1 ? '' : 's'} of more than the ${bits[l + 1]} bits of its nodes`,
            assumed: 'added as they are, only sums are saturated',
          },
        ],
  ),
];

const graphOf = (
  { layers, layers_bitwidth: bits }: KaneleConfig,
  tables: ReadonlyArray<KaneleTable>,
  name: string,
): Checked<Graph> => {
  const b = builder(name, 'table');
  let codes: ValueName = b.input('x', valueType(uint(bits[0]!), [layers[0]!]));
  for (const [l, { table }] of tables.entries()) {
    const added = addLayer(b, l, codes, table, bits[l + 1]!);
    if (E.isLeft(added)) return added;
    codes = added.right;
  }
  const last = bits.at(-1)!;
  // From the code of a node back to the node.
  const nodes = Int32Array.from({ length: 2 ** last }, (_, code) => code + minOf(int(last)));
  const data = allocate(int(last), nodes.length);
  data.set(nodes);
  const lo = minOf(int(last));
  const hi = maxOf(int(last));
  const sum = b.add(
    'nodes',
    {
      kind: 'table.sum',
      attrs: {
        tables: [constant(int(last), [1, nodes.length], data)],
        scale: 1,
        ...accumulation({ lo, hi })!,
      },
    },
    [codes],
  );
  return b.build([b.add('y', { kind: 'dequantize', attrs: {} }, [sum])]);
};

/** The width and range of accumulators; undefined when 32 bits do not hold them. */
const accumulation = ({ lo, hi }: Interval): { acc: number; lo: number; hi: number } | undefined => {
  const element = accumulatorFor(lo, hi);
  return element?.kind === 'int' ? { acc: element.bits, lo, hi } : undefined;
};

/** The sums of a layer's edges and the nodes, saturated to `bits`, as codes of the next layer. */
const addLayer = (
  b: ReturnType<typeof builder<'table'>>,
  l: number,
  codes: ValueName,
  table: Constant,
  bits: number,
): Checked<ValueName> => {
  const [inputs, outputs] = [table.shape[0]!, table.shape[2]!];
  const acc = accumulation(edgeTableRange({ table }, inputs));
  if (acc === undefined) {
    return fail('K0402', `sums of ${inputs} edges of ${showElement(table.element)} overflow 32 bits`, {
      place: { op: `layer${l}` },
    });
  }
  const sums = b.add(`layer${l}`, { kind: 'table.edge', attrs: { table, scale: 1, ...acc } }, [codes]);
  const levels = 2 ** bits;
  const attrs = {
    mul: 2,
    shift: 1,
    bias: constant(int(32), [outputs], new Int32Array(outputs).fill(levels / 2)),
    bits,
    quantizer: { _tag: 'uniform', lo: -levels / 2, step: 1, levels },
  } as const;
  return E.right(b.add(`codes${l + 1}`, { kind: 'requantize', attrs }, [sums]));
};
