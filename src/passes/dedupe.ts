/**
 * Shares what is equal: equal constants become one array, equal ops on equal operands one op, and inputs of an
 * edge-table layer whose tables are equal use one slab. Exact.
 */
import * as E from 'fp-ts/lib/Either.js';
import { rewrite } from '../ir/builder.js';
import { type Constant, constant, hashOf, isConstant, pickAlong } from '../ir/constant.js';
import { uint } from '../ir/element.js';
import type { ValueName } from '../ir/graph.js';
import { decodeOp, encodeAttrs, type Op } from '../ir/ops/index.js';
import { slabOf, type TableEdgeAttrs } from '../ir/ops/table-edge.js';
import { declareOptions } from './options.js';
import { defineAnyLevelPass, note, type Remark, withRemarks } from './pass.js';

const { codec, help } = declareOptions({});

export const dedupe = defineAnyLevelPass({
  name: 'dedupe',
  summary: 'shares equal constants, equal ops, and equal tables of a layer',
  options: codec,
  help,
  from: 'any',
  to: 'same',
  run: () => (graph) => {
    const remarks: Remark[] = [];
    const pool = new Map<string, Constant>();
    const known = new Map<string, ValueName>();
    let sharedOps = 0;
    const result = rewrite(graph, graph.level, (node, r) => {
      const slabbed = node.op.kind === 'table.edge' ? shareSlabs(node.op.attrs) : undefined;
      if (slabbed !== undefined) remarks.push(note(slabbed.said, node.name));
      const op = pooled(slabbed === undefined ? node.op : slabbed.op, pool);
      const operands = node.operands.map(r.of);
      const key = `${op.kind}(${operands.join(',')})${keyOf(encodeAttrs(op))}`;
      const before = known.get(key);
      if (before !== undefined) {
        sharedOps++;
        return before;
      }
      const name = r.add(node.name, op, operands);
      known.set(key, name);
      return name;
    });
    if (sharedOps > 0) remarks.push(note(`${sharedOps} ops were computed twice`));
    return withRemarks(result, remarks);
  },
});

/** The op with every constant replaced by the first equal one; the op itself when that changes nothing. */
const pooled = (op: Op, pool: Map<string, Constant>): Op => {
  let replaced = false;
  const attrs = mapConstants(encodeAttrs(op), (c) => {
    const hash = hashOf(c);
    const first = pool.get(hash) ?? c;
    pool.set(hash, first);
    replaced ||= first.data !== c.data;
    return first;
  });
  const decoded = replaced ? decodeOp(op.kind, attrs) : E.right(op);
  return E.isRight(decoded) ? decoded.right : op;
};

const mapConstants = (u: unknown, f: (c: Constant) => Constant): unknown => {
  if (isConstant(u)) return f(u);
  if (Array.isArray(u)) return u.map((v) => mapConstants(v, f));
  if (typeof u === 'object' && u !== null) {
    return Object.fromEntries(Object.entries(u).map(([k, v]) => [k, mapConstants(v, f)]));
  }
  return u;
};

/** Attributes as a text that is equal exactly when they are. */
const keyOf = (u: unknown): string => {
  if (isConstant(u)) return `#${hashOf(u)}`;
  if (Array.isArray(u)) return `[${u.map(keyOf).join(',')}]`;
  if (typeof u === 'object' && u !== null) {
    const entries = Object.entries(u).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${k}:${keyOf(v)}`).join(',')}}`;
  }
  return Object.is(u, -0) ? '-0' : String(JSON.stringify(u));
};

/** Inputs with equal tables share a slab, when that saves at least a twentieth of the table. */
const shareSlabs = (a: TableEdgeAttrs): { op: Op; said: string } | undefined => {
  const inputs = a.slabs?.shape[0] ?? a.table.shape[0]!;
  const size = a.table.shape[1]! * a.table.shape[2]!;
  const slabs = new Uint32Array(inputs);
  const owners: number[] = [];
  const buckets = new Map<number, number[]>();
  for (let i = 0; i < inputs; i++) {
    const from = slabOf(a, i) * size;
    const bucket = buckets.get(checksum(a.table, from, size)) ?? [];
    let slab = bucket.find((s) => equalSlabs(a.table, owners[s]! * size, from, size));
    if (slab === undefined) {
      slab = owners.length;
      owners.push(slabOf(a, i));
      bucket.push(slab);
      buckets.set(checksum(a.table, from, size), bucket);
    }
    slabs[i] = slab;
  }
  const before = a.table.shape[0]!;
  if (owners.length > before * 0.95) return undefined;
  return {
    op: {
      kind: 'table.edge',
      attrs: { ...a, table: pickAlong(a.table, 0, owners), slabs: constant(uint(32), [inputs], slabs) },
    },
    said: `${before} tables are ${owners.length} different ones`,
  };
};

const checksum = (table: Constant, from: number, size: number): number => {
  let sum = 0;
  for (let e = from; e < from + size; e++) sum = (Math.imul(sum, 31) + table.data[e]!) | 0;
  return sum;
};

const equalSlabs = (table: Constant, a: number, b: number, size: number): boolean => {
  for (let e = 0; e < size; e++) if (table.data[a + e] !== table.data[b + e]) return false;
  return true;
};
