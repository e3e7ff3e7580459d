/** Movements against their definition by index, and how fast they are told. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { movementOf, PADDING } from '../../src/tensor/movement.js';
import { type Movement, type Shape, sizeOfShape, stridesOf } from '../../src/tensor/program.js';
import { typeOfOp } from '../../src/tensor/shapes.js';

const places = (shape: Shape): ReadonlyArray<ReadonlyArray<number>> =>
  shape.reduce<ReadonlyArray<ReadonlyArray<number>>>(
    (tuples, n) => tuples.flatMap((t) => Array.from({ length: n }, (_, k) => [...t, k])),
    [[]],
  );

const number = (shape: Shape, place: ReadonlyArray<number>): number =>
  place.reduce((sum, k, d) => sum + k * stridesOf(shape)[d]!, 0);

/** The number of the element that stands at each place of the result. */
const expected = (shape: Shape, at: (place: ReadonlyArray<number>) => number): ReadonlyArray<number> =>
  places(shape).map(at);

const moved = (op: Movement, operands: ReadonlyArray<Shape>, shape: Shape): ReadonlyArray<number> => {
  const type = typeOfOp(
    op,
    operands.map((s) => ({ dtype: 'f32', shape: s })),
    { shape },
  );
  expect(type).toEqual(E.right({ dtype: 'f32', shape }));
  return [...movementOf(op, operands, shape)];
};

describe('movementOf', () => {
  const from = [2, 3, 4];
  it('reshape', () => {
    expect(moved({ kind: 'reshape' }, [from], [6, 4])).toEqual(Array.from({ length: 24 }, (_, k) => k));
  });

  it.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 2, 0]], [[0, 2, 1]]])('transpose %j', (perm) => {
    const shape = perm.map((p) => from[p]!);
    const at = (place: ReadonlyArray<number>): number =>
      number(
        from,
        from.map((_, d) => place[perm.indexOf(d)]!),
      );
    expect(moved({ kind: 'transpose', perm }, [from], shape)).toEqual(expected(shape, at));
  });

  it.each([
    [
      [0, 1, 1],
      [1, 1, 2],
      [2, 2, 2],
    ],
    [
      [1, 2, 3],
      [-1, -2, -3],
      [2, 2, 2],
    ],
    [
      [0, 0, 0],
      [1, 1, 1],
      [2, 3, 0],
    ],
  ])('slice from %j in steps of %j', (start, step, shape) => {
    const at = (place: ReadonlyArray<number>): number =>
      number(
        from,
        place.map((k, d) => start[d]! + k * step[d]!),
      );
    expect(moved({ kind: 'slice', start, step }, [from], shape)).toEqual(expected(shape, at));
  });

  it.each([
    [
      [3, 1],
      [2, 3, 4],
    ],
    [[], [2, 2]],
    [
      [1, 1, 4],
      [5, 2, 4],
    ],
    [
      [2, 3],
      [2, 3],
    ],
  ])('expand %j to %j', (small, shape) => {
    const at = (place: ReadonlyArray<number>): number =>
      number(
        small,
        small.map((n, d) => (n === 1 ? 0 : place[place.length - small.length + d]!)),
      );
    expect(moved({ kind: 'expand' }, [small], shape)).toEqual(expected(shape, at));
  });

  it.each([0, 1, 2])('concat along axis %i', (axis) => {
    const operands = [1, 3, 2].map((n) => [2, 2, 2].map((size, d) => (d === axis ? n : size)));
    const shape = [2, 2, 2].map((size, d) => (d === axis ? 6 : size));
    const bases = [0, 4, 16];
    const at = (place: ReadonlyArray<number>): number => {
      const k = place[axis]!;
      const [operand, first] = k < 1 ? [0, 0] : k < 4 ? [1, 1] : [2, 4];
      return (
        bases[operand]! +
        number(
          operands[operand]!,
          place.map((p, d) => (d === axis ? p - first : p)),
        )
      );
    };
    expect(moved({ kind: 'concat', axis }, operands, shape)).toEqual(expected(shape, at));
  });

  it.each([
    [
      [1, 0, 2],
      [4, 3, 7],
    ],
    [
      [-1, 1, -2],
      [1, 5, 3],
    ],
    [
      [0, -1, 0],
      [2, 1, 4],
    ],
    [
      [5, 0, 0],
      [3, 3, 4],
    ],
  ])('pad by %j to %j', (before, shape) => {
    const at = (place: ReadonlyArray<number>): number => {
      const inside = place.map((k, d) => k - before[d]!);
      return inside.every((k, d) => k >= 0 && k < from[d]!) ? number(from, inside) : PADDING;
    };
    expect(moved({ kind: 'pad', before, value: 0 }, [from], shape)).toEqual(expected(shape, at));
  });

  it('pick gives its index', () => {
    const index = Int32Array.of(5, 0, 7);
    expect(moved({ kind: 'pick', index }, [[2, 3], [2]], [3])).toEqual([5, 0, 7]);
  });

  it('refuses what does not fit', () => {
    const wrong: ReadonlyArray<readonly [Movement, Shape]> = [
      [{ kind: 'reshape' }, [5]],
      [{ kind: 'transpose', perm: [0, 0, 1] }, [2, 2, 3]],
      [{ kind: 'slice', start: [0, 0, 0], step: [1, 1, 2] }, [2, 3, 3]],
      [{ kind: 'slice', start: [0, 0, 0], step: [-1, 1, 1] }, [2, 3, 4]],
      [{ kind: 'expand' }, [2, 3, 8]],
      [{ kind: 'expand' }, [3, 4]],
      [{ kind: 'concat', axis: 3 }, from],
      [{ kind: 'pad', before: [0, 0], value: 0 }, from],
      [{ kind: 'pick', index: Int32Array.of(24) }, [1]],
      [{ kind: 'pick', index: Int32Array.of(-1) }, [1]],
    ];
    for (const [op, shape] of wrong)
      expect(E.isLeft(typeOfOp(op, [{ dtype: 'f32', shape: from }], { shape })), JSON.stringify(op)).toBe(
        true,
      );
  });

  it('tells a million elements in little time', () => {
    const big = [64, 16, 32, 32];
    const cases: ReadonlyArray<readonly [Movement, Shape]> = [
      [{ kind: 'transpose', perm: [0, 2, 3, 1] }, [64, 32, 32, 16]],
      [{ kind: 'pad', before: [0, 0, 1, 1], value: 0 }, [64, 16, 34, 34]],
      [{ kind: 'slice', start: [0, 0, 0, 0], step: [1, 1, 1, 1] }, [64, 16, 32, 31]],
    ];
    for (const [op, shape] of cases) {
      movementOf(op, [big], shape);
      const start = performance.now();
      const index = movementOf(op, [big], shape);
      expect(index.length).toBe(sizeOfShape(shape));
      // A few milliseconds on an idle machine.
      expect(performance.now() - start).toBeLessThan(500);
    }
  });
});
