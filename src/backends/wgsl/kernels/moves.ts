/** Kernels that move elements, and those that make one of a window or of two features. */
import { type Numbers, runsOf, type Source, type WindowShape } from '../../../code/language.js';
import { channelsOf, innerOf, sizeOf, type ValueType } from '../../../ir/types.js';
import {
  type Access,
  channelOf,
  constantAt,
  type Emitted,
  each,
  i,
  signed,
  type Text,
  u,
  unsigned,
} from '../kernel.js';
import { integers, NO_WORDS, wordsOf } from '../words.js';

/** Channels of one operand by a table, and those of several by the runs in which they stand. */
export const channelsKernel = (
  form: string,
  sources: ReadonlyArray<Source>,
  operands: number,
  type: ValueType,
): Emitted => {
  const inner = innerOf(type);
  if (operands > 1)
    return { form, parts: each(sizeOf(type), NO_WORDS, (access) => copiedRuns(access, sources, inner)) };
  const words = wordsOf([integers(sources.map(({ channel }) => channel))]);
  return {
    form,
    parts: each(sizeOf(type), words, (access) => {
      const channel = channelOf('item', channelsOf(type), sizeOf(type));
      const from = `${constantAt(`${access.section(0)} + ${channel}`)} * ${u(inner)} + item % ${u(inner)}`;
      return [access.store('item', access.word(0, from))];
    }),
  };
};

const copiedRuns = (access: Access, sources: ReadonlyArray<Source>, inner: number): ReadonlyArray<Text> => {
  const runs = runsOf(sources);
  let end = 0;
  const cases = runs.map(({ operand, channel, count }, k) => {
    const back = end - channel * inner;
    const index = back === 0 ? 'item' : back > 0 ? `item - ${u(back)}` : `item + ${u(-back)}`;
    end += count * inner;
    const test = k === runs.length - 1 ? '' : `if (item < ${u(end)}) `;
    return `${test}{ word = ${access.word(operand, index)}; }`;
  });
  return ['var word = 0u;', cases.join(' else '), access.store('item', 'word')];
};

/** Sums or largest elements over windows. `shape`: of the operand, [C, H, W]. */
export const windowsKernel = (
  form: string,
  { reduce, window: w }: { readonly reduce: 'sum' | 'max'; readonly window: WindowShape },
  shape: ReadonlyArray<number>,
  type: ValueType,
): Emitted => {
  const [height, width] = [shape[1]!, shape[2]!];
  const [rows, columns] = [type.shape[1]!, type.shape[2]!];
  return {
    form,
    parts: each(sizeOf(type), NO_WORDS, (access) => {
      const value = signed(access.word(0, `(channel * ${u(height)} + u32(y)) * ${u(width)} + u32(x)`));
      return [
        `let channel = item / ${u(rows * columns)};`,
        `let top = i32(item / ${u(columns)} % ${u(rows)}) * ${i(w.stride[0])} - ${i(w.padding[0])};`,
        `let left = i32(item % ${u(columns)}) * ${i(w.stride[1])} - ${i(w.padding[1])};`,
        `var result = ${i(reduce === 'max' ? -(2 ** 31) : 0)};`,
        `for (var ky = 0i; ky < ${i(w.kernel[0])}; ky++) {`,
        `  let y = top + ky * ${i(w.dilation[0])};`,
        `  if (y < 0i || y >= ${i(height)}) { continue; }`,
        `  for (var kx = 0i; kx < ${i(w.kernel[1])}; kx++) {`,
        `    let x = left + kx * ${i(w.dilation[1])};`,
        `    if (x < 0i || x >= ${i(width)}) { continue; }`,
        reduce === 'max' ? `    result = max(result, ${value});` : `    result += ${value};`,
        '  }',
        '}',
        access.store('item', unsigned('result')),
      ];
    }),
  };
};

/** Products of two features each; an index equal to the number of features stands for 1. */
export const pairsKernel = (
  form: string,
  left: Numbers,
  right: Numbers,
  features: number,
  type: ValueType,
): Emitted => ({
  form,
  parts: each(sizeOf(type), wordsOf([integers(left), integers(right)]), (access) => {
    const factor = (name: Text, section: number): ReadonlyArray<Text> => [
      `let ${name}_index = ${constantAt(`${access.section(section)} + item`)};`,
      `var ${name} = 1i;`,
      `if (${name}_index < ${u(features)}) { ${name} = ${signed(access.word(0, `${name}_index`))}; }`,
    ];
    return [...factor('left', 0), ...factor('right', 1), access.store('item', unsigned('left * right'))];
  }),
});
