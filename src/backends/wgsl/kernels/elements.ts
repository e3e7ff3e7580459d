/** Kernels that move or combine elements: gather, concat, pool, multiply. */
import type { Constant } from '../../../ir/constant.js';
import type { MultiplyAttrs } from '../../../ir/ops/multiply.js';
import type { PoolAttrs } from '../../../ir/ops/pool.js';
import { channelsOf, innerOf, sizeOf, type ValueType } from '../../../ir/types.js';
import { channelOf, constantAt, each, i, signed, type Text, u, unsigned } from '../kernel.js';
import { integers, NO_WORDS, wordsOf } from '../words.js';
import type { Emitted } from './elementwise.js';

/** Picks channels. */
export const gatherChannels = (indices: Constant, type: ValueType): Emitted => {
  const inner = innerOf(type);
  return {
    form: 'copy',
    parts: each(sizeOf(type), wordsOf([integers(indices.data)]), (access) => {
      const channel = channelOf('item', channelsOf(type), sizeOf(type));
      const from = `${constantAt(`${access.section(0)} + ${channel}`)} * ${u(inner)} + item % ${u(inner)}`;
      return [access.store('item', access.word(0, from))];
    }),
  };
};

/** Values one after another. `sizes`: elements of the operands. */
export const concatValues = (sizes: ReadonlyArray<number>, type: ValueType): Emitted => ({
  form: 'copy',
  parts: each(sizeOf(type), NO_WORDS, (access) => {
    let from = 0;
    const cases = sizes.map((size, k) => {
      const index = from === 0 ? 'item' : `item - ${u(from)}`;
      from += size;
      const test = k === sizes.length - 1 ? '' : `if (item < ${u(from)}) `;
      return `${test}{ word = ${access.word(k, index)}; }`;
    });
    return ['var word = 0u;', cases.join(' else '), access.store('item', 'word')];
  }),
});

/** Sums or largest elements over windows. `shape`: of the operand, [C, H, W]. */
export const poolWindows = (
  { reduce, window: w }: PoolAttrs,
  shape: ReadonlyArray<number>,
  type: ValueType,
): Emitted => {
  const [height, width] = [shape[1]!, shape[2]!];
  const [rows, columns] = [type.shape[1]!, type.shape[2]!];
  return {
    form: reduce,
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
export const multiplyPairs = (a: MultiplyAttrs, features: number, type: ValueType): Emitted => ({
  form: 'products',
  parts: each(sizeOf(type), wordsOf([integers(a.left.data), integers(a.right.data)]), (access) => {
    const factor = (name: Text, section: number): ReadonlyArray<Text> => [
      `let ${name}_index = ${constantAt(`${access.section(section)} + item`)};`,
      `var ${name} = 1i;`,
      `if (${name}_index < ${u(features)}) { ${name} = ${signed(access.word(0, `${name}_index`))}; }`,
    ];
    return [...factor('left', 0), ...factor('right', 1), access.store('item', unsigned('left * right'))];
  }),
});
