/** The verifier on the values of single ops: each as it may be, and with the one value that it must not have. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { showDiagnostic } from '../../src/diagnostics/index.js';
import {
  builder,
  type Constant,
  constant,
  F32,
  floatType,
  type Graph,
  int,
  type Level,
  type Op,
  type TableBasisAttrs,
  uint,
  type ValueType,
  valueType,
  verify,
} from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';

const UNIFORM = { _tag: 'uniform', lo: 0, step: 1, levels: 4 } as const;
const table = constant(int(8), [2, 4, 1], Int8Array.of(1, -2, 3, -4, 5, -6, 7, -8));
const EDGE = { table, scale: 0.5, acc: 8, lo: -12, hi: 10 };

const shown = (graph: Graph): ReadonlyArray<string> => {
  const result = verify(graph);
  return E.isLeft(result) ? result.left.map(showDiagnostic) : [];
};

/** One op on an input of the type, as the builder makes it: only the checks of its values can fail. */
const single = (level: Level, type: ValueType, op: Op): Graph => {
  const b = builder('g', level);
  return rightOf(b.build([b.add('y', op, [b.input('x', type)])]));
};

const CODES = valueType(uint(2), [2], UNIFORM);
const bytes = (...data: number[]): Constant => constant(uint(8), [data.length], Uint8Array.from(data));
const rows = (...data: number[]): Constant => constant(uint(8), [1, data.length], Uint8Array.from(data));
const floatRow = (...data: number[]): Constant => constant(F32, [1, data.length], Float32Array.from(data));
const basisLayer = (changes: Partial<TableBasisAttrs>): Op => ({
  kind: 'table.basis',
  attrs: {
    coefficients: constant(int(8), [2, 3, 1], Int8Array.of(1, 2, 3, 4, 5, 6)),
    basis: constant(uint(4), [2, 2], Uint8Array.of(1, 2, 3, 4)),
    span: rows(0, 0, 1, 1),
    frac: rows(0, 1, 0, 1),
    shift: 0,
    scale: 1,
    acc: 8,
    lo: 0,
    hi: 57,
    ...changes,
  },
});
const layer = (knots: Constant, weight = 1): Op => ({
  kind: 'kan',
  attrs: {
    branches: [
      {
        basis: { _tag: 'bspline', order: 0, knots },
        weights: constant(F32, [2, 2, 1], Float32Array.of(1, 2, 3, weight)),
      },
    ],
  },
});
const recode = (...map: number[]): Op => ({
  kind: 'recode',
  attrs: { map: rows(...map), bits: 2, quantizer: { ...UNIFORM, levels: 3 } },
});

/** Each op as it may be, and with a value that it must not have. */
const VALUES: ReadonlyArray<
  readonly [what: string, level: Level, type: ValueType, good: Op, bad: Op, RegExp]
> = [
  [
    'a gather beyond the features',
    'float',
    floatType([2]),
    { kind: 'gather', attrs: { indices: bytes(1, 0) } },
    { kind: 'gather', attrs: { indices: bytes(1, 2) } },
    /K0401: .*index 2 of 2 features/,
  ],
  [
    'a map beyond the levels',
    'table',
    CODES,
    recode(0, 1, 2, 2),
    recode(0, 1, 2, 3),
    /K0401: .*map gives code 3 of 3 levels/,
  ],
  [
    'a slab that is not there',
    'table',
    CODES,
    { kind: 'table.edge', attrs: { ...EDGE, lo: -12, hi: 10, slabs: bytes(0, 1) } },
    { kind: 'table.edge', attrs: { ...EDGE, lo: -12, hi: 10, slabs: bytes(0, 2) } },
    /K0401: .*slab 2 of 2/,
  ],
  [
    'a frequent code beyond the levels',
    'table',
    CODES,
    { kind: 'table.edge', attrs: { ...EDGE, lo: -12, hi: 10, frequent: bytes(3, 4) } },
    { kind: 'table.edge', attrs: { ...EDGE, lo: -12, hi: 10, frequent: bytes(3, 5) } },
    /K0401: .*frequent code 5 of 4 levels/,
  ],
  [
    'a frequent code of a basis table beyond the levels',
    'table',
    CODES,
    basisLayer({ frequent: bytes(4, 0) }),
    basisLayer({ frequent: bytes(0, 5) }),
    /K0401: .*frequent code 5 of 4 levels/,
  ],
  [
    'a span beyond the functions',
    'table',
    CODES,
    basisLayer({}),
    basisLayer({ span: rows(0, 0, 1, 2) }),
    /K0401: .*a span starts after function 1/,
  ],
  [
    'a fraction beyond the table',
    'table',
    CODES,
    basisLayer({}),
    basisLayer({ frac: rows(0, 1, 0, 2) }),
    /K0401: .*frac points outside/,
  ],
  [
    'a row of knots that is not there',
    'table',
    CODES,
    basisLayer({ rows: bytes(0, 0) }),
    basisLayer({ rows: bytes(0, 1) }),
    /K0401: .*rows points outside/,
  ],
  [
    'sums beyond the declared range',
    'table',
    CODES,
    basisLayer({}),
    basisLayer({ hi: 56 }),
    /K0402: .*partial sums reach \[0, 57\]/,
  ],
  [
    'basis values of more than 31 bits',
    'table',
    CODES,
    basisLayer({ shift: 2, hi: 300, acc: 16 }),
    basisLayer({
      shift: 15,
      acc: 32,
      hi: 2 ** 30,
      basis: constant(uint(17), [2, 2], Uint32Array.of(1, 2, 3, 4)),
    }),
    /K0402: .*u17 basis values shifted by 15/,
  ],
  [
    'a decoded value that is not finite',
    'float',
    CODES,
    { kind: 'decode', attrs: { values: floatRow(1, 2, 3, 4) } },
    { kind: 'decode', attrs: { values: floatRow(1, 2, 3, Number.NaN) } },
    /K0401: .*a value is not finite/,
  ],
  [
    'a weight that is not finite',
    'float',
    floatType([2]),
    layer(floatRow(0, 1, 2)),
    layer(floatRow(0, 1, 2), Number.POSITIVE_INFINITY),
    /K0401: .*a weight is not finite/,
  ],
  [
    'a knot that is not finite',
    'float',
    floatType([2]),
    layer(floatRow(0, 1, 2)),
    layer(floatRow(0, 1, Number.NaN)),
    /K0401: .*a parameter of the basis is not finite/,
  ],
  [
    'knots that decrease',
    'float',
    floatType([2]),
    layer(floatRow(0, 1, 1)),
    layer(floatRow(0, 2, 1)),
    /K0401: .*knots decrease/,
  ],
];

describe('verify', () => {
  it.each(VALUES)('catches %s', (_, level, type, good, bad, message) => {
    expect(shown(single(level, type, good))).toStrictEqual([]);
    expect(shown(single(level, type, bad)).join('\n')).toMatch(message);
  });
});
