/**
 * Layer and instance norm: numeric/integer-norm.ts line by line. Sums of squares have up to 47 bits and are kept in
 * 64; everything else fits 32. Made by hand, as on every target: its sums are what targets differ in.
 */
import { channel } from '../../../ir/constant.js';
import { normGroup } from '../../../ir/ops/norm.js';
import type { TableNormAttrs } from '../../../ir/ops/table-norm.js';
import { type Code, literal, loop } from '../code.js';
import { type Dialect, load, type Stage, type StageBase, store } from '../stage.js';
import { type SharedRows, shareRows, tableOf } from '../table.js';

/** Statistics of the elements j = from + n * step for n < count; gives mean, reciprocal and s = g + 14 + h. */
const statistics = (d: Dialect, count: number, element: string, epsilon: string, gainShift: number): Code => [
  'int32_t total = 0;',
  ...loop('n', count, [`total += ${load(`in0[${element}]`)};`], d.pragma('HLS PIPELINE II=1')),
  // floor((8 S + floor(N / 2)) / N)
  `total = 8 * total + ${Math.floor(count / 2)};`,
  `const int32_t mean = total >= 0 ? total / ${count} : -1 - (-1 - total) / ${count};`,
  `uint64_t w = ${epsilon};`,
  ...loop(
    'n',
    count,
    [
      `const int32_t distance = 8 * ${load(`in0[${element}]`)} - mean;`,
      'w += (uint64_t)(distance * distance);',
    ],
    d.pragma('HLS PIPELINE II=1'),
  ),
  'const int32_t k = bit_length(w) - 30;',
  `const uint32_t v = (uint32_t)(k >= 0 ? w >> k : w << -k) / ${count}u;`,
  'int32_t shift = 30 - bit_length(v);',
  'if (((k - shift) & 1) != 0) {',
  ['shift--;'],
  '}',
  'const uint32_t reciprocal = 1073741824u / square_root(shift >= 0 ? v << shift : v >> -shift);',
  `const int32_t s = ${gainShift + 14} + (k - shift) / 2;`,
];

/** The code of element j of channel c. */
const code = (d: Dialect, base: StageBase, top: number, gain: string, offset: string): Code => [
  `const int32_t gain = ${gain};`,
  `const int32_t offset = ${offset};`,
  `const int32_t factor = (int32_t)((reciprocal * (uint32_t)(gain < 0 ? -gain : gain) + 32768u) >> 16);`,
  `const int32_t t = (8 * ${load('in0[j]')} - mean) * (gain < 0 ? -factor : factor);`,
  'int32_t q;',
  'if (s < 1) {',
  [`q = t > 0 ? ${top} : t < 0 ? 0 : offset;`],
  '} else {',
  ['q = offset + (s > 30 ? 0 : shift_right(t + ((int32_t)1 << (s - 1)), s));'],
  '}',
  `q = q < 0 ? 0 : q > ${top} ? ${top} : q;`,
  store(d, 'out[j]', base.output.type, 'q'),
];

const many = (name: string, values: ReadonlyArray<number>): SharedRows =>
  shareRows(name, Int32Array.from(values), values.length, 1);

// Long: one stage, its constants and the text that reads them.
export const normStage = (base: StageBase, a: TableNormAttrs, shape: ReadonlyArray<number>): Stage => {
  const { channels } = base;
  const count = normGroup(a.over, shape);
  const inner = base.output.length / channels;
  const all = Array.from({ length: channels }, (_, c) => c);
  const gain = many(
    `${base.id}_gain`,
    all.map((c) => channel(a.gain, c)),
  );
  const offset = many(
    `${base.id}_offset`,
    all.map((c) => channel(a.offset, c)),
  );
  // Epsilon reaches 2^45: its high and low halves.
  const epsilons = all.map((c) => channel(a.epsilon, c));
  const alike = a.over === 'sample' || epsilons.every((e) => e === epsilons[0]);
  const low = tableOf(
    `${base.id}_epsilon`,
    Uint32Array.from(epsilons, (e) => e % 2 ** 32),
  );
  const high = tableOf(
    `${base.id}_epsilon_high`,
    Uint32Array.from(epsilons, (e) => Math.floor(e / 2 ** 32)),
  );
  const split = (lo: string, hi: string): string => `((uint64_t)${hi} << 32) | (uint64_t)${lo}`;
  const epsilonOf = (d: Dialect): string =>
    alike
      ? split(`${epsilons[0]! % 2 ** 32}u`, literal(Math.floor(epsilons[0]! / 2 ** 32)))
      : split(d.table(low).element('c'), d.table(high).element('c'));
  const body = (d: Dialect): Code => {
    const read = (r: SharedRows): string => d.table(r.table).read(r.start(d.table, 'c'), '0');
    const codes = code(d, base, a.quantizer.levels - 1, read(gain), read(offset));
    const pipeline = d.pragma('HLS PIPELINE II=1');
    if (a.over === 'channel') {
      const at = `n * ${channels} + c`;
      return loop('c', channels, [
        ...statistics(d, count, at, epsilonOf(d), a.gainShift),
        ...loop('n', inner, [`const int32_t j = ${at};`, ...codes], pipeline),
      ]);
    }
    const each =
      inner === 1
        ? loop('c', channels, ['const int32_t j = c;', ...codes], pipeline)
        : loop(
            'p',
            inner,
            loop('c', channels, [`const int32_t j = p * ${channels} + c;`, ...codes], pipeline),
          );
    return [...statistics(d, count, 'n', epsilonOf(d), a.gainShift), ...each];
  };
  return {
    ...base,
    tables: [...gain.tables, ...offset.tables, ...(alike ? [] : [low, high])],
    helpers: ['shift', 'bits', 'sqrt'],
    body,
    inOrder: false,
    cycles: () => 3 * base.output.length + 64 * (a.over === 'sample' ? 1 : channels),
    summary: {
      form: `integer norm over ${a.over}`,
      inputs: count,
      outputs: base.output.length,
      bits: a.bits,
    },
  };
};
