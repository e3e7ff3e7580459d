/**
 * Layer and instance norm of accumulators, exactly as numeric/integer-norm.ts says: a workgroup for each group.
 *
 * W = E + sum d^2 takes up to 47 bits. Squares are below 2^31 and are added in two halves of 16 bits, which for groups
 * of 2^16 elements stay below 2^32; from there on W is two words. Made by hand: invocations share the sums of a group out and
 * wait for one another, which no program of elements does.
 */
import { channel } from '../../../ir/constant.js';
import { normGroup } from '../../../ir/ops/norm.js';
import type { TableNormAttrs } from '../../../ir/ops/table-norm.js';
import { channelsOf, innerOf, sizeOf, type ValueType } from '../../../ir/types.js';
import { type Access, type Emitted, i, perChannel, signed, type Text, u } from '../kernel.js';
import { integers, type Section, wordsOf } from '../words.js';

/** Non-negative integers below 2^53 as pairs of words, the low one first. */
const words64 = (values: ReadonlyArray<number>): Section =>
  integers(values.flatMap((value) => [value % 2 ** 32, Math.floor(value / 2 ** 32)]));

/** Statements for every element of the group, `k`, shared out to the workgroup. */
const over = (group: number, size: number, statements: ReadonlyArray<Text>): ReadonlyArray<Text> => [
  `for (var k = lane; k < ${u(group)}; k += ${u(size)}) {`,
  ...statements.map((s) => `  ${s}`),
  '}',
];

/** The sum of what all invocations have left in memory. */
const total = (name: Text, memory: Text, size: number): ReadonlyArray<Text> => [
  `var ${name} = 0u;`,
  `for (var k = 0u; k < ${u(size)}; k++) { ${name} += ${memory}[k]; }`,
];

/** `mean`, and W as `w1` and `w0`, of the elements `value`. */
const sumsText = (
  group: number,
  size: number,
  value: Text,
  epsilon: readonly [Text, Text],
): ReadonlyArray<Text> => [
  '// The mean, with 3 bits of fraction.',
  'var own_sum = 0i;',
  ...over(group, size, [`own_sum += ${value};`]),
  'norm_low[lane] = bitcast<u32>(own_sum);',
  'workgroupBarrier();',
  ...total('sum', 'norm_low', size),
  // |M| <= 2^14, so that 2^15 N more make the dividend positive and keep it below 2^32.
  `let mean = i32((8u * sum + ${u(Math.floor(group / 2))} + ${u((2 ** 15 * group) >>> 0)}) / ${u(group)}) - 32768i;`,
  'workgroupBarrier();',
  '// The sum of squares, in halves.',
  'var own_low = 0u;',
  'var own_high = 0u;',
  ...over(group, size, [
    `let d = 8i * ${value} - mean;`,
    'let square = u32(d * d);',
    'own_low += square & 0xffffu;',
    'own_high += square >> 16u;',
  ]),
  'norm_low[lane] = own_low;',
  'norm_high[lane] = own_high;',
  'workgroupBarrier();',
  ...total('low', 'norm_low', size),
  ...total('high', 'norm_high', size),
  '// W, as two words.',
  'let squares = (high << 16u) + low;',
  `let w0 = squares + ${epsilon[0]};`,
  `let w1 = (high >> 16u) + select(0u, 1u, squares < low) + ${epsilon[1]} + select(0u, 1u, w0 < squares);`,
];

/** `reciprocal` and `s`, of W. */
const deviationText = (group: number, gainShift: number): ReadonlyArray<Text> => [
  '// m of 30 bits, W ~ m 2^exponent.',
  'let bits = select(32i - i32(countLeadingZeros(w0)), 64i - i32(countLeadingZeros(w1)), w1 != 0u);',
  'let exponent = bits - 30i;',
  'var m = 0u;',
  'if (exponent <= 0i) { m = w0 << u32(-exponent); } else { m = (w0 >> u32(exponent)) | (w1 << u32(32i - exponent)); }',
  `let v = m / ${u(group)};`,
  'var up = i32(countLeadingZeros(v)) - 2i;',
  'up -= (exponent - up) & 1i;',
  'let scaled = select(v << u32(max(up, 0i)), v >> u32(max(-up, 0i)), up < 0i);',
  '// Integer square root, bit by bit.',
  'var root = 0u;',
  'for (var bit = 32768u; bit >= 1u; bit = bit >> 1u) {',
  '  if ((root + bit) * (root + bit) <= scaled) { root += bit; }',
  '}',
  'let reciprocal = 1073741824u / root;',
  `let s = ${i(gainShift + 14)} + ((exponent - up) >> 1u);`,
];

/** `code` of an element `value`, with its `gain` and `offset`. */
const codeText = (value: Text, top: number): ReadonlyArray<Text> => [
  'let size = i32((reciprocal * u32(abs(gain)) + 32768u) >> 16u);',
  `let t = (8i * ${value} - mean) * select(size, -size, gain < 0i);`,
  'var code = 0i;',
  'if (s < 1i) {',
  `  code = select(select(offset, 0i, t < 0i), ${i(top)}, t > 0i);`,
  '} else if (s > 30i) {',
  '  code = offset;',
  '} else {',
  '  code = ((t + (1i << u32(s - 1i))) >> u32(s)) + offset;',
  '}',
];

export const normCodes = (a: TableNormAttrs, type: ValueType): Emitted => {
  const [length, channels, inner] = [sizeOf(type), channelsOf(type), innerOf(type)];
  const group = normGroup(a.over, type.shape);
  const top = a.quantizer.levels - 1;
  const sections: Section[] = [
    words64(Array.from({ length: a.over === 'sample' ? 1 : channels }, (_, c) => channel(a.epsilon, c))),
  ];
  const gainAt = typeof a.gain === 'number' ? undefined : sections.push(integers(a.gain.data)) - 1;
  const offsetAt = typeof a.offset === 'number' ? undefined : sections.push(integers(a.offset.data)) - 1;
  const epsilon = (access: Access, word: number): Text =>
    `constants[${access.section(0)} + ${a.over === 'sample' ? '0u' : '2u * part'} + ${u(word)}]`;
  const body = (access: Access, size: number): ReadonlyArray<Text> => {
    const value = signed(access.word(0, `part * ${u(group)} + k`));
    return [
      ...sumsText(group, size, value, [epsilon(access, 0), epsilon(access, 1)]),
      ...deviationText(group, a.gainShift),
      ...over(group, size, [
        `let element = part * ${u(group)} + k;`,
        ...(gainAt === undefined && offsetAt === undefined ? [] : [`let channel = element / ${u(inner)};`]),
        `let gain = ${perChannel(access, gainAt, channel(a.gain, 0), 'channel')};`,
        `let offset = ${perChannel(access, offsetAt, channel(a.offset, 0), 'channel')};`,
        ...codeText(value, top),
        access.store('element', `u32(clamp(code, 0i, ${i(top)}))`),
      ]),
    ];
  };
  return {
    form: `over each ${a.over}`,
    parts: [
      {
        form: {
          kind: 'together',
          groups: length / group,
          memory: (size) => ({ norm_low: size, norm_high: size }),
          body,
        },
        words: wordsOf(sections),
        uses: [],
      },
    ],
  };
};
