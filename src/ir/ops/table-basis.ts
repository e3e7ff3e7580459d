/** The basis-table layer: B-spline values from a small table, times integer coefficients. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Rule } from '../../diagnostics/index.js';
import { constantOf, integer, record } from '../codec.js';
import { type Constant, firstUnfit } from '../constant.js';
import { defineOp } from '../op-definition.js';
import { emptyTensor } from '../tensor.js';
import { channelsOf, levelsOf, sizeOf, type ValueType } from '../types.js';
import { forEachWindowInput, WindowCodec } from '../window.js';
import { type BasisTerms, basisTableRange } from './basis-range.js';
import {
  ACCUMULATION,
  type Accumulation,
  checkRange,
  edgesOf,
  FREQUENT,
  type Frequent,
  frequentFits,
  frequentWithin,
  layerInputs,
  storeChannelsFirst,
  tableResult,
} from './layers.js';

export interface TableBasisAttrs extends BasisTerms, Accumulation, Frequent {}

const inferBasis = (a: TableBasisAttrs, x: ValueType | undefined): Rule<ValueType> => {
  const rank = a.window === undefined ? 1 : 3;
  if (x === undefined || x.element.kind !== 'uint' || x.shape.length !== rank) {
    return E.left(`takes codes of type u[n, ${rank === 1 ? 'I' : 'C, H, W'}]`);
  }
  const inputs = layerInputs(x.shape, a.window);
  const [owners, functions, outputs] = [
    a.coefficients.shape[0]!,
    a.coefficients.shape[1]!,
    a.coefficients.shape[2]!,
  ];
  if (owners !== inputs) return E.left(`coefficients for ${owners} inputs, but the operand has ${inputs}`);
  const width = a.basis.shape[1]!;
  if (width < 1 || functions < width) return E.left(`basis has ${width} values for ${functions} functions`);
  const [rows, levels] = [a.span.shape[0]!, a.span.shape[1]!];
  if (levels !== levelsOf(x)) return E.left(`span has ${levels} codes, the operand ${levelsOf(x)} levels`);
  const sameShape = (c: Constant): boolean => c.shape[0] === rows && c.shape[1] === levels;
  if (!sameShape(a.frac)) return E.left(`frac must be [${rows}, ${levels}]`);
  if (a.rows !== undefined && a.rows.shape[0] !== inputs) return E.left(`rows must be [${inputs}]`);
  if (a.rows === undefined && rows !== 1) return E.left('several rows of knots need the attribute rows');
  if ((a.base === undefined) !== (a.baseTable === undefined)) return E.left('base and baseTable go together');
  if (a.base !== undefined && (a.base.shape[0] !== inputs || a.base.shape[1] !== outputs)) {
    return E.left(`base must be [${inputs}, ${outputs}]`);
  }
  if (a.baseTable !== undefined && !sameShape(a.baseTable))
    return E.left(`baseTable must be [${rows}, ${levels}]`);
  return pipe(
    frequentFits(a, inputs),
    E.flatMap(() => tableResult(a, x.shape, outputs)),
  );
};

const checkBasis = (a: TableBasisAttrs): Rule<void> => {
  for (const [name, c] of [
    ['coefficients', a.coefficients],
    ['basis', a.basis],
    ['base', a.base],
    ['baseTable', a.baseTable],
  ] as const) {
    if (c !== undefined && firstUnfit(c) >= 0) return E.left(`an entry of ${name} does not fit its bits`);
  }
  const last = a.coefficients.shape[1]! - a.basis.shape[1]!;
  if (a.span.data.some((s: number) => s > last)) return E.left(`a span starts after function ${last}`);
  if (a.frac.data.some((f: number) => f >= a.basis.shape[0]!))
    return E.left('frac points outside the basis table');
  if (a.rows?.data.some((r: number) => r >= a.span.shape[0]!) === true)
    return E.left('rows points outside span');
  return frequentWithin(a, a.span.shape[1]!);
};

/** The shifted basis values must be i32 (as `<<` takes them), and so must all partial sums. */
const proveBasis = (a: TableBasisAttrs, inputs: number): Rule<void> => {
  const bits = a.basis.element.kind === 'f32' ? 32 : a.basis.element.bits;
  return bits + a.shift > 31
    ? E.left(`u${bits} basis values shifted by ${a.shift} do not fit 31 bits`)
    : checkRange(a, basisTableRange(a, inputs));
};

/** Calls back for every (input of the layer, element of the sample, first accumulator) that meet, in order. */
const forEachMeeting = (
  a: TableBasisAttrs,
  shape: ReadonlyArray<number>,
  visit: (input: number, element: number, to: number) => void,
): void => {
  const { window } = a;
  if (window === undefined) {
    for (let i = 0; i < shape[0]!; i++) visit(i, i, 0);
    return;
  }
  const outputs = a.coefficients.shape[2]!;
  forEachWindowInput(window, shape, (position, group, input, pixel) => {
    if (pixel >= 0) visit(input, pixel, (position * window.groups + group) * outputs);
  });
};

/** What input i adds at a code, to acc[to ..). */
const addEdge = (a: TableBasisAttrs, i: number, code: number, acc: Int32Array, to: number): void => {
  const [functions, outputs] = [a.coefficients.shape[1]!, a.coefficients.shape[2]!];
  const width = a.basis.shape[1]!;
  const at = (a.rows?.data[i] ?? 0) * a.span.shape[1]! + code;
  for (let j = 0; j < width; j++) {
    const b = a.basis.data[a.frac.data[at]! * width + j]! << a.shift;
    if (b === 0) continue;
    const row = (i * functions + a.span.data[at]! + j) * outputs;
    for (let o = 0; o < outputs; o++) acc[to + o]! += a.coefficients.data[row + o]! * b;
  }
  if (a.base === undefined || a.baseTable === undefined) return;
  const s = a.baseTable.data[at]!;
  for (let o = 0; o < outputs; o++) acc[to + o]! += a.base.data[i * outputs + o]! * s;
};

export const tableBasis = defineOp<'table.basis', TableBasisAttrs, 'table'>({
  kind: 'table.basis',
  role: { _tag: 'table' },
  summary:
    'acc[o] = bias[o] + sum over i of (sum over j of coefficients[i, span + j, o] * (basis[frac, j] << shift) + base[i, o] * baseTable)',
  doc: {
    does: 'a layer as basis values times coefficients',
    text: [
      'With r = rows[i] (0 when absent) and k = code[i],',
      '',
      '    acc[o] = bias[o] + sum over i of ( sum over j of coefficients[i, span[r, k] + j, o] * (basis[frac[r, k], j] << shift)',
      '                                       + base[i, o] * baseTable[r, k] )',
      '',
      'exact in integers, in the order i, then j, then base: the types of table.edge.',
      '',
      "- `coefficients`: int[I, K', O]. `basis`: uint[fractions, p + 1], the values of the splines. Shifted left by `shift` (0 to 15) a basis value has at most 31 bits.",
      '- `span`, `frac`: uint[R, levels], the first function and the row of `basis` for each code. `rows?`: uint[I], needed when R is not 1.',
      '- `base?`, `baseTable?`: int[I, O] and int[R, levels], the base branch; both or neither.',
      '- `bias?`, `acc`, `lo`, `hi`, `scale`, `frequent?`, `window?`: as for table.edge.',
    ],
  },
  levels: ['table'],
  operands: 1,
  attrs: record(
    {
      coefficients: constantOf('int', 3),
      basis: constantOf('uint', 2),
      span: constantOf('uint', 2),
      frac: constantOf('uint', 2),
      shift: integer(0, 15),
      ...ACCUMULATION.required,
    },
    {
      rows: constantOf('uint', 1),
      base: constantOf('int', 2),
      baseTable: constantOf('int', 2),
      window: WindowCodec,
      ...FREQUENT,
      ...ACCUMULATION.optional,
    },
  ),
  infer: (a, [x]) => inferBasis(a, x),
  check: checkBasis,
  prove: (a, [x]) => proveBasis(a, layerInputs(x!.shape, a.window)),
  evaluate: (a, [x], type) => {
    const result = emptyTensor(type, x!.batch);
    const size = sizeOf(x!.type);
    const acc = new Int32Array(sizeOf(type));
    for (let n = 0; n < x!.batch; n++) {
      for (let at = 0; at < acc.length; at += channelsOf(type)) {
        acc.fill(0, at, at + channelsOf(type));
        if (a.bias !== undefined) acc.set(a.bias.data, at);
      }
      forEachMeeting(a, x!.type.shape, (i, element, to) => {
        addEdge(a, i, x!.data[n * size + element]!, acc, to);
      });
      storeChannelsFirst(acc, type, result.data, n * acc.length);
    }
    return result;
  },
  cost: (a, [x], type) => {
    const edges = edgesOf(x!, type, a.window);
    const bits = (c: Constant): number => (c.element.kind === 'f32' ? 32 : c.element.bits);
    const [splines, base] = [a.basis.shape[1]!, a.baseTable === undefined ? 0 : 1];
    // Base values have bits of their own: the second width is the mean over the products of an edge.
    const valueBits = splines * bits(a.basis) + (a.baseTable === undefined ? 0 : bits(a.baseTable));
    const constants = [a.coefficients, a.basis, a.span, a.frac, a.rows, a.base, a.baseTable, a.bias];
    return {
      macs: edges * (splines + base),
      macBits: [bits(a.coefficients), valueBits / (splines + base)],
      adds: 0,
      addBits: a.acc,
      reads: (3 * edges) / a.coefficients.shape[2]!,
      bytes: constants.reduce((n, c) => n + (c?.data.byteLength ?? 0), 0),
    };
  },
});
