/** Ops that move values about move what they mean with them: the meaning of the result is the result of the meaning. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import {
  builder,
  channelsOf,
  inferType,
  innerOf,
  int,
  interpret,
  type Op,
  type Quantizer,
  thresholdList,
  uint,
  type ValueType,
  valueType,
} from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { randomTensor } from '../support/graphs.js';
import { anyQuantizer, anyScale, integers } from '../support/quantizers.js';
import { type Random, randomOf } from '../support/random.js';

const concat: Op = { kind: 'concat', attrs: {} };

const anyCodes = (r: Random, shape: ReadonlyArray<number>, levels: number): ValueType =>
  valueType(uint(4), shape, { ...quantizerOf(r, shape[0]!, levels) });

const quantizerOf = (r: Random, channels: number, levels: number): Quantizer => {
  for (;;) {
    const q = anyQuantizer(r, channels, Math.ceil(Math.log2(levels)));
    if (q.levels === levels) return q;
  }
};

const anyAccumulators = (r: Random, shape: ReadonlyArray<number>): ValueType =>
  valueType(int(16), shape, { _tag: 'scaled', scale: anyScale(r, shape[0]!), lo: -99, hi: 99 });

/** op(meaning of x) and meaning of op(x), as floats. */
const bothWays = (
  r: Random,
  types: ReadonlyArray<ValueType>,
  op: Op,
): ReadonlyArray<ReadonlyArray<number>> => {
  const b = builder('g', 'table');
  const read: Op =
    types[0]!.element.kind === 'int' ? { kind: 'dequantize', attrs: {} } : { kind: 'decode', attrs: {} };
  const inputs = types.map((type) => b.input('x', type));
  const outside = b.add(
    'y',
    op,
    inputs.map((x) => b.add('d', read, [x])),
  );
  const inside = b.add('z', read, [b.add('moved', op, inputs)]);
  const graph = rightOf(b.build([outside, inside]));
  const results = rightOf(
    interpret(
      graph,
      types.map((type) => randomTensor(r, type, 3)),
    ),
  );
  return results.map((t) => Array.from(t.data));
};

/** Thresholds of every element of a sample. */
const thresholdsOf = (type: ValueType): ReadonlyArray<ReadonlyArray<number>> => {
  const { meaning } = type;
  if (meaning === undefined || meaning._tag === 'scaled') throw new Error('no quantizer');
  const rows = Array.from({ length: channelsOf(type) }, (_, c) => Array.from(thresholdList(meaning, c)));
  return rows.flatMap((row) => Array.from({ length: innerOf(type) }, () => row));
};

const resultOf = (op: Op, types: ReadonlyArray<ValueType>): ValueType => {
  const type = inferType(op, types);
  if (E.isLeft(type)) throw new Error(type.left);
  return type.right;
};

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

describe('the meaning of a value', () => {
  it('is joined with it', () => {
    const tags = new Set<string>();
    for (const seed of SEEDS) {
      const r = randomOf(seed);
      const rest = r.pick([[], [2], [2, 3]]);
      const levels = r.whole(2, 9);
      const types = Array.from({ length: r.whole(1, 3) }, () =>
        anyCodes(r, [r.whole(1, 4), ...rest], levels),
      );
      const [outside, inside] = bothWays(r, types, concat);
      expect(inside, `seed ${seed}`).toStrictEqual(outside);
      const result = resultOf(concat, types);
      expect(thresholdsOf(result), `seed ${seed}`).toStrictEqual(types.flatMap(thresholdsOf));
      tags.add(`${types.map((t) => t.meaning?._tag[0]).join('')} to ${result.meaning?._tag}`);
    }
    expect([...tags]).toEqual(
      expect.arrayContaining(['uu to uniform', 'ut to thresholds', 'tt to thresholds']),
    );
  });

  it('is split and kept by new shapes', () => {
    for (const seed of SEEDS) {
      const r = randomOf(seed);
      const [channels, parts, inner] = [r.whole(1, 4), r.whole(1, 3), r.whole(1, 4)];
      const type = r.chance(0.5)
        ? anyCodes(r, [channels, parts, inner], r.whole(2, 9))
        : anyAccumulators(r, [channels, parts, inner]);
      for (const shape of [
        [channels * parts * inner],
        [channels * parts, inner],
        [channels, inner, parts],
        [channels, parts * inner],
      ]) {
        const op: Op = { kind: 'reshape', attrs: { shape } };
        const [outside, inside] = bothWays(r, [type], op);
        expect(inside, `seed ${seed}`).toStrictEqual(outside);
        if (type.element.kind === 'uint')
          expect(thresholdsOf(resultOf(op, [type])), `seed ${seed}`).toStrictEqual(thresholdsOf(type));
      }
    }
  });

  it('is picked with it', () => {
    for (const seed of SEEDS) {
      const r = randomOf(seed);
      const shape = [r.whole(1, 4), ...r.pick([[], [2], [2, 3]])];
      const type = r.chance(0.5) ? anyCodes(r, shape, r.whole(2, 9)) : anyAccumulators(r, shape);
      const indices = integers(r, uint(8), [r.whole(1, 6)], 0, shape[0]! - 1);
      const [outside, inside] = bothWays(r, [type], { kind: 'gather', attrs: { indices } });
      expect(inside, `seed ${seed}`).toStrictEqual(outside);
    }
  });
});
