/**
 * Basis tables: values of B-splines from a small table, times coefficients. An item is up to four outputs.
 *
 * For each row of knots and each code there is a record: where the coefficients start, the values, and the value of the
 * base branch. In the *dot* form four functions share a word, coefficients and values alike, and dot4 multiplies and
 * adds them: a code meets p + 1 functions, which lie in a few words whatever the first of them is. Both factors are
 * unsigned bytes: coefficients are stored plus 128, which adds 128 times the sum of the values; the record has that
 * number too, and it is taken away again. The *plain* form, for coefficients or values of more than 8 bits, multiplies
 * one by one.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { TableBasisAttrs } from '../../../ir/ops/table-basis.js';
import type { ValueType } from '../../../ir/types.js';
import {
  type Access,
  constantAt,
  type Emitted,
  type Part,
  type Sum,
  signed,
  type Text,
  u,
  unsigned,
} from '../kernel.js';
import { integers, packed, type Section, signedBits, wordsOf } from '../words.js';
import { itemParts } from './edge.js';
import { type LayerSource, layerSource, splitTaps } from './layer-source.js';

interface Shape {
  readonly dot: boolean;
  /** p + 1. */
  readonly values: number;
  readonly functions: number;
  /** Words (dot) or functions (plain) of an input: rows of one word for each output. */
  readonly rows: number;
  /** Of those the ones that a code meets. */
  readonly met: number;
  readonly outputs: number;
  /** Outputs of an item. */
  readonly each: number;
  readonly levels: number;
  readonly recordWords: number;
  /** Bits of a stored base weight; 0 where there is no base branch. */
  readonly baseBits: 0 | 8 | 32;
}

/** What is added to coefficients, so that they are unsigned bytes. */
const COEFFICIENT_OFFSET = 128;

const shapeOf = (a: TableBasisAttrs): Shape => {
  const [functions, outputs] = [a.coefficients.shape[1]!, a.coefficients.shape[2]!];
  const values = a.basis.shape[1]!;
  let largest = 0;
  for (let k = 0; k < a.basis.data.length; k++) largest = Math.max(largest, a.basis.data[k]!);
  const dot = signedBits(a.coefficients.data) === 8 && largest <= 255;
  const met = dot ? Math.floor((values + 2) / 4) + 1 : values;
  const rows = dot ? Math.max(Math.ceil(functions / 4), met) : functions;
  const baseBits = a.base === undefined ? 0 : signedBits(a.base.data) === 8 ? 8 : 32;
  return {
    dot,
    values,
    functions,
    rows,
    met,
    outputs,
    each: [4, 3, 2].find((n) => outputs % n === 0) ?? 1,
    levels: a.span.shape[1]!,
    recordWords: 1 + met + (dot ? 1 : 0) + (baseBits === 0 ? 0 : 1),
    baseBits,
  };
};

/** [row of knots, code, word of the record]. */
const recordWords = (a: TableBasisAttrs, s: Shape): Section => {
  const count = a.span.data.length;
  return {
    length: count * s.recordWords,
    make: () => {
      const words = new Int32Array(count * s.recordWords);
      for (let k = 0; k < count; k++) {
        const to = k * s.recordWords;
        const [span, fraction] = [a.span.data[k]!, a.frac.data[k]! * s.values];
        const first = s.dot ? Math.min(Math.floor(span / 4), s.rows - s.met) : span;
        words[to] = first;
        let sum = 0;
        for (let j = 0; j < s.values; j++) {
          const value = a.basis.data[fraction + j]!;
          sum += value;
          if (s.dot) {
            const place = span + j - 4 * first;
            words[to + 1 + Math.floor(place / 4)]! |= value << (8 * (place % 4));
          } else words[to + 1 + j] = value << a.shift;
        }
        if (s.dot) words[to + 1 + s.met] = COEFFICIENT_OFFSET * sum;
        if (a.baseTable !== undefined) words[to + s.recordWords - 1] = a.baseTable.data[k]!;
      }
      return new Uint32Array(words.buffer);
    },
  };
};

/** [input, row, output] for inputs `from` to `to` of every group. */
const coefficientWords = (a: TableBasisAttrs, s: Shape, inputs: ReadonlyArray<number>): Section => {
  const length = inputs.length * s.rows * s.outputs;
  return {
    length,
    make: () => {
      const words = new Uint32Array(length);
      for (const [k, input] of inputs.entries()) {
        for (let f = 0; f < s.functions; f++) {
          const from = (input * s.functions + f) * s.outputs;
          const to = (k * s.rows + (s.dot ? Math.floor(f / 4) : f)) * s.outputs;
          for (let o = 0; o < s.outputs; o++) {
            const c = a.coefficients.data[from + o]!;
            words[to + o] = s.dot ? words[to + o]! | ((c + COEFFICIENT_OFFSET) << (8 * (f % 4))) : c;
          }
        }
      }
      return words;
    },
  };
};

/** [input, output], each input starting a word. */
const baseWords = (a: TableBasisAttrs, s: Shape, inputs: ReadonlyArray<number>): Section => {
  const row = s.baseBits === 8 ? Math.ceil(s.outputs / 4) * 4 : s.outputs;
  const data = new Int32Array(inputs.length * row);
  for (const [k, input] of inputs.entries()) {
    for (let o = 0; o < s.outputs; o++) data[k * row + o] = a.base!.data[input * s.outputs + o]!;
  }
  return packed(data, s.baseBits === 8 ? 8 : 32);
};

/** `limit`: words that the constants of one dispatch may have. */
export const basisTables = (
  a: TableBasisAttrs,
  operand: ValueType,
  type: ValueType,
  limit: number,
): Checked<Emitted> => {
  const source = layerSource(a.window, operand, type);
  const s = shapeOf(a);
  const rows = a.rows === undefined ? 0 : 1;
  const perTap = source.groups * (s.rows * s.outputs + (s.baseBits === 0 ? 0 : s.outputs) + rows);
  const shared =
    a.span.data.length * s.recordWords + (source.section?.length ?? 0) + (a.bias?.data.length ?? 0);
  const room = Math.max(0, limit - shared);
  const split = splitTaps(source.taps, perTap, room);
  if (split === undefined) {
    return fail('K0605', `the coefficients of one input have ${perTap * 4} bytes`, {
      expected: `at most ${room * 4}, beside ${shared * 4} of other constants`,
      hint: 'Lower the bits of the activations.',
    });
  }
  const how = s.dot ? 'dot products' : 'plain';
  return E.right({
    form: `${how}${split.length === 1 ? '' : `, in ${split.length} parts`}`,
    bits: s.dot ? 8 : 32,
    parts: split.map(([from, to], k) => partOf(a, s, source, from, to, k === 0)),
  });
};

// Long: one dispatch, its constants beside the text that reads them.
const partOf = (
  a: TableBasisAttrs,
  s: Shape,
  source: LayerSource,
  from: number,
  to: number,
  first: boolean,
): Part => {
  const { groups, taps } = source;
  const inputs = Array.from({ length: groups }, (_, g) => g).flatMap((g) =>
    Array.from({ length: to - from }, (_, k) => g * taps + from + k),
  );
  const sections: Section[] = [];
  const biasAt = first && a.bias !== undefined ? sections.push(integers(a.bias.data)) - 1 : -1;
  const tapsAt = source.section === undefined ? -1 : sections.push(source.section) - 1;
  const rowsAt = a.rows === undefined ? -1 : sections.push(integers(inputs.map((i) => a.rows!.data[i]!))) - 1;
  const recordsAt = sections.push(recordWords(a, s)) - 1;
  const baseAt = s.baseBits === 0 ? -1 : sections.push(baseWords(a, s, inputs)) - 1;
  const coefficientsAt = sections.push(coefficientWords(a, s, inputs)) - 1;

  const own = from === 0 ? 'tap' : `tap - ${u(from)}`;
  const input = groups === 1 ? own : `group * ${u(to - from)} + ${own}`;
  const columns = s.outputs / s.each;
  const sums = Array.from({ length: s.each }, (_, k) => k);
  const hasBase = baseAt >= 0;
  const form: Sum = {
    kind: 'sum',
    items: source.positions * groups * columns,
    width: s.each,
    inputs: to - from,
    partial: (access, slices) => [
      ...itemParts(source, columns),
      ...source.prepare,
      ...sums.map((k) => `var splines${k} = ${s.dot ? '0u' : '0i'};`),
      ...(hasBase ? sums.map((k) => `var base${k} = 0i;`) : []),
      `for (var tap = ${from === 0 ? 'slice' : `${u(from)} + slice`}; tap < ${u(to)}; tap += ${u(slices)}) {`,
      ...source.read(access, tapsAt, undefined).map((line) => `  ${line}`),
      ...(source.padded ? ['  if (!inside) { continue; }'] : []),
      `  let input = ${input};`,
      `  let record = ${access.section(recordsAt)} + (${rowText(access, rowsAt, s)}code) * ${u(s.recordWords)};`,
      `  let first = ${access.section(coefficientsAt)} + (input * ${u(s.rows)} + constants[record]) * ${u(s.outputs)} + column * ${u(s.each)};`,
      ...products(s),
      ...(hasBase
        ? [
            `  let base_value = ${signed(recordWord(s.recordWords - 1))};`,
            ...sums.map((k) => `  base${k} += ${baseWeight(access, baseAt, s, k)} * base_value;`),
          ]
        : []),
      '}',
      ...sums.map((k) => `sums[${k}] = ${total(a, s, hasBase, k)};`),
    ],
    finish: (access) => [
      ...itemParts(source, columns),
      `let channel = ${groups === 1 ? '' : `group * ${u(s.outputs)} + `}column * ${u(s.each)};`,
      ...sums.map((k) => {
        const channel = k === 0 ? 'channel' : `channel + ${u(k)}`;
        const at = source.positions === 1 ? channel : `(${channel}) * ${u(source.positions)} + position`;
        const terms = [
          ...(biasAt < 0 ? [] : [signed(constantAt(`${access.section(biasAt)} + ${channel}`))]),
          ...(first ? [] : [signed(access.own(at))]),
          `sums[${k}]`,
        ];
        return access.store(at, unsigned(terms.join(' + ')));
      }),
    ],
  };
  const uses = [...(s.dot ? ['dot4' as const] : []), ...(s.baseBits === 8 ? ['entry8' as const] : [])];
  return { form, words: wordsOf(sections), uses };
};

const recordWord = (k: number): Text => constantAt(k === 0 ? 'record' : `record + ${u(k)}`);

const rowText = (access: Access, rowsAt: number, s: Shape): Text =>
  rowsAt < 0 ? '' : `${constantAt(`${access.section(rowsAt)} + input`)} * ${u(s.levels)} + `;

const products = (s: Shape): ReadonlyArray<Text> => {
  const met = Array.from({ length: s.met }, (_, j) => j);
  const values = met.map(
    (j) => `  let value${j} = ${s.dot ? recordWord(1 + j) : signed(recordWord(1 + j))};`,
  );
  const outputs = Array.from({ length: s.each }, (_, k) => k);
  const coefficient = (j: number, k: number): Text => {
    const at = j * s.outputs + k;
    return constantAt(at === 0 ? 'first' : `first + ${u(at)}`);
  };
  if (!s.dot) {
    const add = outputs.flatMap((k) =>
      met.map((j) => `  splines${k} += ${signed(coefficient(j, k))} * value${j};`),
    );
    return [...values, ...add];
  }
  return [
    ...values,
    `  let excess = ${recordWord(1 + s.met)};`,
    ...outputs.map((k) => {
      const dots = met.map((j) => `dot4(${coefficient(j, k)}, value${j})`);
      return `  splines${k} += ${dots.join(' + ')} - excess;`;
    }),
  ];
};

/** The base weight of output k of an item. */
const baseWeight = (access: Access, baseAt: number, s: Shape, k: number): Text => {
  const output = `column * ${u(s.each)}${k === 0 ? '' : ` + ${u(k)}`}`;
  return s.baseBits === 8
    ? `signed8(${access.section(baseAt)} + input * ${u(Math.ceil(s.outputs / 4))}, ${output})`
    : signed(constantAt(`${access.section(baseAt)} + input * ${u(s.outputs)} + ${output}`));
};

/** Dot products are of values before the shift; plain ones of shifted values. */
const total = (a: TableBasisAttrs, s: Shape, hasBase: boolean, k: number): Text => {
  const splines = `splines${k}`;
  const shifted = s.dot ? signed(a.shift > 0 ? `${splines} << ${u(a.shift)}` : splines) : splines;
  return hasBase ? `${shifted} + base${k}` : shifted;
};
