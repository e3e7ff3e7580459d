/** The type rules and checks of single ops: what each takes, and what it refuses with which words. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { showDiagnostic } from '../../src/diagnostics/index.js';
import {
  type Basis,
  builder,
  type Constant,
  constant,
  F32,
  floatType,
  int,
  type KanAttrs,
  type Level,
  type Op,
  type PoolAttrs,
  type Quantizer,
  type Scaled,
  type TableBasisAttrs,
  type TableEdgeAttrs,
  type TableNormAttrs,
  type TableSumAttrs,
  uint,
  type ValueType,
  valueType,
  verify,
  type Window,
} from '../../src/ir/index.js';
import { constantBy } from '../support/quantizers.js';

/** What the builder or the verifier says of one op on inputs of these types; nothing when it is sound. */
const faults = (level: Level, types: ReadonlyArray<ValueType>, op: Op): string => {
  const b = builder('g', level);
  const inputs = types.map((type) => b.input('x', type));
  const graph = b.build([b.add('y', op, inputs)]);
  const result = E.isLeft(graph) ? graph : verify(graph.right);
  return E.isLeft(result) ? result.left.map(showDiagnostic).join('\n') : '';
};

const zeros = (element: Parameters<typeof constantBy>[0], ...shape: number[]): Constant =>
  constantBy(element, shape, () => 0);
const floats = (...data: number[]): Constant => constant(F32, [data.length], Float32Array.from(data));
const bytes = (...data: number[]): Constant => constant(uint(8), [data.length], Uint8Array.from(data));
const words = (...data: number[]): Constant => constant(int(32), [data.length], Int32Array.from(data));

const Q: Quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 4 };
const codes = (...shape: number[]): ValueType => valueType(uint(2), shape, Q);
const sums = (shape: ReadonlyArray<number>, lo: number, hi: number, scale: Scaled['scale'] = 1): ValueType =>
  valueType(int(32), shape, { _tag: 'scaled', scale, lo, hi });
const image = floatType([2, 4, 4]);

const UNIT: Window = { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };
const THREE: Window = { ...UNIT, kernel: [3, 3] };

/** A layer of one branch with weights of 0. */
const kan = (basis: Basis, weights: readonly number[], more: Partial<KanAttrs> = {}, from?: number): Op => ({
  kind: 'kan',
  attrs: {
    branches: [{ basis, weights: zeros(F32, ...weights), ...(from === undefined ? {} : { from }) }],
    ...more,
  },
});
const SILU: Basis = { _tag: 'base', activation: 'silu' };
const rbf = (width: number, ...centers: number[]): Basis => ({
  _tag: 'rbf',
  centers: floats(...centers),
  width,
});
const polynomial = (family: 'chebyshev' | 'legendre' | 'gram', beta?: Constant): Basis => ({
  _tag: 'polynomial',
  family,
  degree: 2,
  squash: 'tanh',
  outer: 'identity',
  ...(beta === undefined ? {} : { beta }),
});
const symbolic = (rows: number, kinds: Constant): Basis => ({
  _tag: 'symbolic',
  functions: ['sin', 'x^2'],
  kinds,
  inner: zeros(F32, rows, kinds.shape[1]!, 2),
});
const kinds = (...data: number[]): Constant => constant(uint(8), [data.length, 1], Uint8Array.from(data));

const edge = (attrs: Partial<TableEdgeAttrs> & Pick<TableEdgeAttrs, 'table'>): Op => ({
  kind: 'table.edge',
  attrs: { scale: 1, acc: 8, lo: 0, hi: 0, ...attrs },
});
const basis = (inputs: number, outputs: number, attrs: Partial<TableBasisAttrs> = {}): Op => ({
  kind: 'table.basis',
  attrs: {
    coefficients: zeros(int(8), inputs, 3, outputs),
    basis: zeros(uint(4), 2, 2),
    span: zeros(uint(8), 1, 4),
    frac: zeros(uint(8), 1, 4),
    shift: 0,
    scale: 1,
    acc: 8,
    lo: 0,
    hi: 0,
    ...attrs,
  },
});
const sum = (attrs: Partial<TableSumAttrs> = {}): Op => ({
  kind: 'table.sum',
  attrs: { tables: [zeros(int(8), 1, 4), zeros(int(8), 2, 4)], scale: 1, acc: 8, lo: 0, hi: 0, ...attrs },
});
const tableNorm = (attrs: Partial<TableNormAttrs> = {}): Op => ({
  kind: 'table.norm',
  attrs: { over: 'sample', epsilon: 1, gain: 1, gainShift: 0, offset: 0, bits: 2, quantizer: Q, ...attrs },
});
const pool = (reduce: PoolAttrs['reduce'], window: Window): Op => ({
  kind: 'pool',
  attrs: { reduce, window },
});
const multiply = (left: Constant, right: Constant): Op => ({ kind: 'multiply', attrs: { left, right } });
const reshape = (...shape: number[]): Op => ({ kind: 'reshape', attrs: { shape } });
const norm = (attrs: object = {}): Op => ({
  kind: 'norm',
  attrs: { over: 'sample', epsilon: 1e-5, scale: 1, shift: 0, ...attrs },
});
const add: Op = { kind: 'add', attrs: {} };
const concat: Op = { kind: 'concat', attrs: {} };
const prelu = (slope: number | Constant): Op => ({
  kind: 'activate',
  attrs: { function: { _tag: 'prelu', slope } },
});

const list = (...shape: number[]): Quantizer => ({
  _tag: 'thresholds',
  levels: 4,
  thresholds: constantBy(F32, [shape[0]!, 3], (k) => k % 3),
  values: zeros(F32, shape[1]!, 4),
});

const bucketize = (rows: number, ...thresholds: number[]): Op => ({
  kind: 'bucketize',
  attrs: {
    thresholds: constant(int(32), [rows, thresholds.length / rows], Int32Array.from(thresholds)),
    bits: 2,
    quantizer: Q,
  },
});

type Case = readonly [what: string, level: Level, types: ReadonlyArray<ValueType>, op: Op];

const SOUND: ReadonlyArray<Case> = [
  ['a layer on features', 'float', [floatType([2])], kan(SILU, [2, 1, 3])],
  ['a branch on some features', 'float', [floatType([5])], kan(SILU, [2, 1, 3], {}, 3)],
  ['a layer over windows', 'float', [image], kan(SILU, [18, 1, 3], { window: THREE })],
  ['a branch on the second channel', 'float', [image], kan(SILU, [9, 1, 3], { window: THREE }, 9)],
  ['a layer of groups', 'float', [image], kan(SILU, [18, 1, 3], { window: { ...THREE, groups: 2 } })],
  ['gram polynomials', 'float', [floatType([2])], kan(polynomial('gram', floats(1, 2, 3)), [2, 3, 1])],
  ['symbolic functions', 'float', [floatType([2])], kan(symbolic(2, kinds(0, 1)), [2, 1, 1])],
  [
    'an edge table over windows',
    'table',
    [codes(2, 4, 4)],
    edge({ table: zeros(int(8), 18, 4, 1), window: THREE }),
  ],
  [
    'an edge table over padded windows',
    'table',
    [codes(2, 4, 4)],
    edge({ table: zeros(int(8), 18, 5, 1), window: { ...THREE, padding: [1, 0] } }),
  ],
  ['a basis table over windows', 'table', [codes(2, 4, 4)], basis(18, 1, { window: THREE })],
  ['a sum of tables', 'table', [codes(2), codes(2)], sum()],
  ['a norm of accumulators', 'table', [sums([2], -2048, 2048)], tableNorm()],
  [
    'a norm of channels of two scales',
    'table',
    [sums([2, 3], -9, 9, floats(1, 2))],
    tableNorm({ over: 'channel' }),
  ],
  ['a mean of accumulators', 'table', [sums([1, 4, 4], -9, 9)], pool('mean', THREE)],
  ['the largest under padded windows', 'float', [image], pool('max', { ...THREE, padding: [2, 2] })],
  ['products of accumulators', 'table', [sums([2], -46340, 46340)], multiply(bytes(0, 1, 2), bytes(1, 2, 2))],
  ['a split of channels', 'table', [sums([2, 3], 0, 1, floats(1, 2))], reshape(6)],
  ['two quantizers side by side', 'table', [codes(2), valueType(uint(2), [1], list(1, 1))], concat],
  ['raw integers side by side', 'table', [valueType(uint(8), [2]), valueType(uint(8), [1])], concat],
  ['images side by side', 'float', [image, floatType([1, 4, 4])], concat],
  ['a slope for each channel', 'float', [image], prelu(floats(0.5, 1))],
  ['thresholds of all channels', 'table', [sums([2, 3], -9, 9)], bucketize(1, -5, 0, 0)],
  ['thresholds of each channel', 'table', [sums([2], -9, 9)], bucketize(2, 1, 2, 3, -1, 2, 2)],
];

const WRONG: ReadonlyArray<readonly [...Case, RegExp]> = [
  ['thresholds of floats', 'table', [floatType([2])], bucketize(1, 1, 2, 3), /bucketize takes accumulators/],
  ['thresholds of codes', 'table', [codes(2)], bucketize(1, 1, 2, 3), /bucketize takes accumulators/],
  [
    'thresholds of another number of channels',
    'table',
    [sums([3], 0, 9)],
    bucketize(2, 1, 2, 3, 1, 2, 3),
    /thresholds are \[2, 3\], expected \[1 or 3, 3\]/,
  ],
  [
    'fewer thresholds than levels need',
    'table',
    [sums([2], 0, 9)],
    bucketize(1, 1, 2),
    /thresholds are \[1, 2\], expected \[1 or 2, 3\]/,
  ],
  [
    'thresholds that descend',
    'table',
    [sums([2], 0, 9)],
    bucketize(2, 1, 2, 3, 4, 5, 4),
    /thresholds must ascend, found 5 before 4/,
  ],
  [
    'thresholds among floats',
    'quantized',
    [sums([2], 0, 9)],
    bucketize(1, 1, 2, 3),
    /does not stand at level/,
  ],
  ['another layer of features', 'float', [image], kan(SILU, [2, 1, 3]), /takes a value of type f32\[n, I\]/],
  [
    'a window over features',
    'float',
    [floatType([2])],
    kan(SILU, [18, 1, 3], { window: THREE }),
    /takes a value of type f32\[n, C, H, W\]/,
  ],
  [
    'a branch beyond the inputs',
    'float',
    [floatType([4])],
    kan(SILU, [2, 1, 3], {}, 3),
    /weights are \[2, 1, 3\] from input 3 on, but 4 inputs/,
  ],
  [
    'a branch of no inputs',
    'float',
    [floatType([4])],
    kan(SILU, [0, 1, 3]),
    /weights are \[0, 1, 3\], but 4 inputs/,
  ],
  [
    'a branch on part of a channel',
    'float',
    [image],
    kan(SILU, [9, 1, 3], { window: THREE }, 3),
    /weights are \[9, 1, 3\] from input 3 on/,
  ],
  [
    'a branch on part of the groups',
    'float',
    [image],
    kan(SILU, [9, 1, 3], { window: { ...THREE, groups: 2 } }, 9),
    /weights are/,
  ],
  [
    'groups that do not divide the channels',
    'float',
    [image],
    kan(SILU, [18, 1, 3], { window: { ...THREE, groups: 3 } }),
    /do not split into 3 groups/,
  ],
  [
    'a bias of another size',
    'float',
    [image],
    kan(SILU, [18, 1, 3], { window: { ...THREE, groups: 2 }, bias: floats(1, 2, 3) }),
    /bias has 3 elements for 6 outputs/,
  ],
  [
    'functions that differ between the places of a window',
    'float',
    [image],
    kan(symbolic(18, kinds(...Array.from({ length: 18 }, (_, i) => i % 2))), [18, 1, 3], { window: THREE }),
    /all places of a window must read a channel through the same functions/,
  ],
  ['centers of no width', 'float', [floatType([2])], kan(rbf(0, 1), [2, 1, 1]), /the width is 0/],
  ['no centers', 'float', [floatType([2])], kan(rbf(1), [2, 0, 1]), /0 basis functions/],
  [
    'a center that is NaN',
    'float',
    [floatType([2])],
    kan(rbf(1, Number.NaN), [2, 1, 1]),
    /a parameter .* not finite/,
  ],
  ['gram without betas', 'float', [floatType([2])], kan(polynomial('gram'), [2, 3, 1]), /need 3 betas/],
  [
    'betas of other polynomials',
    'float',
    [floatType([2])],
    kan(polynomial('legendre', floats(1, 2, 3)), [2, 3, 1]),
    /legendre polynomials have no betas/,
  ],
  [
    'kinds for another layer',
    'float',
    [floatType([3])],
    kan(symbolic(2, kinds(0, 1)), [3, 1, 1]),
    /must be \[3, K\]/,
  ],
  [
    'a kind of no name',
    'float',
    [floatType([2])],
    kan(symbolic(2, kinds(0, 2)), [2, 1, 1]),
    /a kind names no function/,
  ],
  [
    'a table without a row for padding',
    'table',
    [codes(2, 4, 4)],
    edge({ table: zeros(int(8), 18, 4, 1), window: { ...THREE, padding: [1, 0] } }),
    /the table has 4 codes, the operand 4 levels/,
  ],
  [
    'a row for padding that nothing uses',
    'table',
    [codes(2, 4, 4)],
    edge({ table: zeros(int(8), 18, 5, 1), window: THREE }),
    /the table has 5 codes, the operand 4 levels/,
  ],
  [
    'a padding row beyond the range',
    'table',
    [codes(1, 1, 1)],
    edge({
      table: constant(int(8), [1, 5, 1], Int8Array.of(0, 0, 0, 0, 3)),
      window: { ...UNIT, padding: [1, 0] },
      hi: 2,
    }),
    /K0402.*partial sums reach \[0, 3\]/,
  ],
  [
    'a basis table without functions',
    'table',
    [codes(2)],
    basis(2, 1, { coefficients: zeros(int(8), 2, 0, 1), basis: zeros(uint(4), 1, 0) }),
    /basis has 0 values for 0 functions/,
  ],
  [
    'a basis wider than the functions',
    'table',
    [codes(2)],
    basis(2, 1, { coefficients: zeros(int(8), 2, 1, 1) }),
    /basis has 2 values for 1 functions/,
  ],
  ['tables for other operands', 'table', [codes(2)], sum(), /2 tables for 1 operands/],
  ['codes of two shapes', 'table', [codes(2), codes(1, 2)], sum(), /takes codes of one shape/],
  [
    'a table of other levels',
    'table',
    [codes(2), valueType(uint(3), [2])],
    sum(),
    /table 1 is \[2, 4\], expected \[1 or 2, 8\]/,
  ],
  [
    'sums beyond their range',
    'table',
    [codes(2)],
    sum({ tables: [constant(int(8), [1, 4], Int8Array.of(1, 2, 3, 4))], bias: words(1, 2), hi: 5 }),
    /K0402.*partial sums reach \[0, 6\]/,
  ],
  [
    'accumulators too wide for a norm',
    'table',
    [sums([2], -9, 2049)],
    tableNorm(),
    /\[-9, 2049\] are beyond 2048/,
  ],
  [
    'a group too large for a norm',
    'table',
    [sums([2 ** 16 + 1], 0, 1)],
    tableNorm(),
    /65537 elements are more than/,
  ],
  [
    'one norm of two scales',
    'table',
    [sums([2], -9, 9, floats(1, 2))],
    tableNorm(),
    /the channels must share one scale/,
  ],
  [
    'a gain too large',
    'table',
    [sums([2], -9, 9)],
    tableNorm({ gain: words(0, -(2 ** 15)) }),
    /a gain reaches 32768/,
  ],
  [
    'an offset too large',
    'table',
    [sums([2], -9, 9)],
    tableNorm({ offset: 2 ** 29 }),
    /an offset reaches 2\^29/,
  ],
  [
    'a gain for other channels',
    'table',
    [sums([2], -9, 9)],
    tableNorm({ gain: words(1, 2, 3) }),
    /gain has 3 elements/,
  ],
  ['a norm without epsilon', 'float', [floatType([2])], norm({ epsilon: 0 }), /epsilon is 0/],
  [
    'a scale of other channels',
    'float',
    [image],
    norm({ scale: floats(1, 2, 3) }),
    /scale has 3 elements for 2/,
  ],
  ['groups in a pool', 'float', [image], pool('max', { ...THREE, groups: 2 }), /groups is 1/],
  ['a pool of codes', 'table', [codes(2, 4, 4)], pool('max', THREE), /takes an f32 value or accumulators/],
  [
    'a window in the padding',
    'float',
    [image],
    pool('max', { ...THREE, padding: [3, 0] }),
    /a window lies in the padding altogether/,
  ],
  [
    'a window whose taps lie around the image',
    'float',
    [floatType([1, 2, 2])],
    pool('max', { ...UNIT, kernel: [2, 1], padding: [1, 0], dilation: [3, 1] }),
    /a window lies in the padding altogether/,
  ],
  [
    'a mean of accumulators beyond 32 bits',
    'table',
    [sums([1, 4, 4], 0, 2 ** 29)],
    pool('mean', THREE),
    /sums of 9 accumulators in \[0, 536870912\] overflow/,
  ],
  [
    'products beyond 32 bits',
    'table',
    [sums([2], -46341, 0)],
    multiply(bytes(0), bytes(1)),
    /products of \[-46341, 0\] overflow 32 bits/,
  ],
  [
    'products of scales beyond f32',
    'table',
    [sums([2], 0, 1, 1e30)],
    multiply(bytes(0), bytes(1)),
    /a scale of the products is not finite/,
  ],
  [
    'a factor beyond the features',
    'float',
    [floatType([2])],
    multiply(bytes(0), bytes(3)),
    /beyond the 2 features/,
  ],
  ['unequal factors', 'float', [floatType([2])], multiply(bytes(0, 1), bytes(1)), /one index for each node/],
  ['no products', 'float', [floatType([2])], multiply(bytes(), bytes()), /one index for each node/],
  [
    'another number of elements',
    'float',
    [floatType([6])],
    reshape(4, 2),
    /\[4, 2\] does not hold the 6 elements/,
  ],
  ['no dimensions', 'float', [floatType([1])], reshape(), /does not hold/],
  [
    'channels that would mix',
    'table',
    [sums([4, 3], 0, 1, floats(1, 2, 3, 4))],
    reshape(2, 6),
    /channels that mean different things would mix/,
  ],
  [
    'values of two shapes',
    'float',
    [floatType([2]), floatType([3])],
    add,
    /takes two f32 values of the same shape/,
  ],
  ['one value to add', 'float', [floatType([2])], add, /takes 2 operand\(s\), found 1/],
  ['nothing to join', 'float', [], concat, /takes one operand or more, found 0/],
  ['elements of two types', 'float', [floatType([2]), codes(2)], concat, /differ in their channels only/],
  ['images of two sizes', 'float', [image, floatType([2, 4, 5])], concat, /differ in their channels only/],
  ['accumulators side by side', 'table', [sums([2], 0, 1), sums([2], 0, 1)], concat, /no accumulators/],
  [
    'codes and raw integers',
    'table',
    [codes(2), valueType(uint(2), [1])],
    concat,
    /joins codes that have quantizers, or raw integers/,
  ],
  [
    'codes of two levels',
    'table',
    [codes(2), valueType(uint(2), [1], { ...Q, levels: 3 })],
    concat,
    /different levels \(4, 3\)/,
  ],
  ['a slope of other channels', 'float', [image], prelu(floats(1, 2, 3)), /slope has 3 elements for 2/],
];

describe('ops', () => {
  it.each(SOUND)('take %s', (_, level, types, op) => {
    expect(faults(level, types, op)).toBe('');
  });

  it.each(WRONG)('refuse %s', (_, level, types, op, message) => {
    expect(faults(level, types, op)).toMatch(message);
  });
});
