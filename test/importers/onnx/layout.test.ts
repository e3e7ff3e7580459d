/** Ops that move elements, against their definition by index. */
import { describe, expect, it } from 'vitest';
import {
  b,
  both,
  element,
  f,
  fixed,
  type Given,
  i,
  list,
  type Options,
  places,
  type Result,
  random,
} from './one-node.js';

const counted = (...shape: ReadonlyArray<number>): Given =>
  f(
    shape,
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, k) => k),
  );

/** Both ways give the same, which is returned. */
const only = (op: string, operands: ReadonlyArray<Given | undefined>, options: Options = {}): Result => {
  const { varying, folded } = both(op, operands, options);
  expect(varying).toEqual(folded);
  return varying[0]!;
};

/** A result by a function of the place of each element. */
const made = (shape: ReadonlyArray<number>, at: (place: ReadonlyArray<number>) => number): Result => ({
  shape,
  data: places(shape).map(at),
});

describe('Reshape', () => {
  it.each([
    [[2, -1], {}, [2, 12]],
    [[0, 0, -1], {}, [2, 3, 4]],
    [[-1], {}, [24]],
  ])('to %j', (to, attributes, shape) => {
    expect(only('Reshape', [counted(2, 3, 4), list(...to)], { attributes })).toEqual({
      shape,
      data: counted(2, 3, 4).data,
    });
  });

  it('takes a zero for a size of zero with allowzero', () => {
    const empty = fixed(f([0, 3], []));
    expect(only('Reshape', [empty, list(3, 0)], { attributes: { allowzero: 1 } })).toEqual({
      shape: [3, 0],
      data: [],
    });
  });

  it.each([[[-1, -1]], [[5, -1]], [[-2, -12]], [[3, 0, 8]]])('refuses %j', (to) => {
    expect(() => only('Reshape', [counted(2, 3, 4), list(...to)])).toThrow(/K0214.*Reshape/);
  });
});

describe('Flatten, Squeeze, Unsqueeze', () => {
  it.each([
    [1, [2, 12]],
    [0, [1, 24]],
    [3, [24, 1]],
    [-1, [6, 4]],
    [-2, [2, 12]],
  ])('Flatten at %i', (axis, shape) => {
    expect(only('Flatten', [counted(2, 3, 4)], { attributes: { axis } }).shape).toEqual(shape);
  });

  it('Squeeze by an attribute, an input, or all of one element', () => {
    expect(only('Squeeze', [counted(2, 1, 3, 1)], { attributes: { axes: [1] }, opset: 11 }).shape).toEqual([
      2, 3, 1,
    ]);
    expect(only('Squeeze', [counted(2, 1, 3, 1), list(-1)]).shape).toEqual([2, 1, 3]);
    expect(only('Squeeze', [counted(2, 1, 3, 1)]).shape).toEqual([2, 3]);
    expect(() => only('Squeeze', [counted(2, 1, 3, 1), list(0)])).toThrow(/more than one element/);
  });

  it('Unsqueeze counts axes in the result', () => {
    expect(only('Unsqueeze', [counted(2, 3), list(0, -1)]).shape).toEqual([1, 2, 3, 1]);
    expect(only('Unsqueeze', [counted(2, 3)], { attributes: { axes: [1] }, opset: 11 }).shape).toEqual([
      2, 1, 3,
    ]);
    expect(() => only('Unsqueeze', [counted(2, 3), list(1, 1)])).toThrow(/twice/);
  });
});

describe('Transpose', () => {
  const x = random([2, 3, 4]);
  it.each([[[2, 0, 1]], [[0, 2, 1]], [[-1, 0, 1]]])('by %j', (perm) => {
    const from = perm.map((p) => (p < 0 ? p + 3 : p));
    const shape = from.map((p) => x.shape[p]!);
    const expected = made(shape, (place) => {
      const at = [0, 0, 0];
      from.forEach((p, d) => {
        at[p] = place[d]!;
      });
      return element(x, at);
    });
    expect(only('Transpose', [x], { attributes: { perm } })).toEqual(expected);
  });

  it('reverses dimensions where no permutation is given', () => {
    expect(only('Transpose', [x])).toEqual(made([4, 3, 2], ([a, c, d]) => element(x, [d!, c!, a!])));
  });
});

describe('Slice', () => {
  const x = counted(2, 10);
  /** As Python cuts lists. */
  const cut = (start: number, end: number, step: number): ReadonlyArray<number> => {
    const found: number[] = [];
    const at = (k: number): number => (k < 0 ? k + 10 : k);
    for (let k = 0; k < 10; k++) {
      const p = step > 0 ? k : 9 - k;
      const first = step > 0 ? Math.max(at(start), 0) : Math.min(at(start), 9);
      const inside = step > 0 ? p >= first && p < at(end) : p <= first && p > at(end);
      if (inside && (p - first) % step === 0) found.push(p);
    }
    return found;
  };
  it.each([
    [0, 10, 1],
    [2, 7, 2],
    [-3, 2 ** 63, 1],
    [9, -11, -1],
    [8, 1, -3],
    [-1, -(2 ** 63), -1],
    [-20, 4, 1],
    [5, 5, 1],
    [7, 2, 1],
    [3, 100, 4],
  ])('from %d to %d in steps of %d', (start, end, step) => {
    const columns = cut(start, end, step);
    const { shape, data } = only('Slice', [x, list(start), list(end), list(1), list(step)]);
    expect(shape).toEqual([2, columns.length]);
    expect(data).toEqual([0, 10].flatMap((row) => columns.map((c) => row + c)));
  });

  it('by attributes before opset 10', () => {
    const attributes = { starts: [1], ends: [3], axes: [1] };
    expect(only('Slice', [x], { attributes, opset: 9 }).data).toEqual([1, 2, 11, 12]);
  });
});

describe('Split and Concat', () => {
  it('splits evenly, by sizes, and by a number that does not divide', () => {
    const { varying } = both('Split', [counted(2, 6)], { attributes: { axis: 1 }, outputs: 3 });
    expect(varying.map((r) => r.data)).toEqual([
      [0, 1, 6, 7],
      [2, 3, 8, 9],
      [4, 5, 10, 11],
    ]);
    const uneven = both('Split', [counted(1, 6), list(1, 5)], { attributes: { axis: -1 }, outputs: 2 });
    expect(uneven.varying.map((r) => r.data)).toEqual([[0], [1, 2, 3, 4, 5]]);
    const numbered = both('Split', [counted(7)], { attributes: { num_outputs: 3 }, outputs: 3 });
    expect(numbered.folded.map((r) => r.data)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(() => both('Split', [counted(7), list(3, 3)], { outputs: 2 })).toThrow(/do not make up/);
  });

  it('joins along any axis', () => {
    const [x, y] = [random([2, 1, 3], 1), random([2, 2, 3], 2)];
    const expected = made([2, 3, 3], ([n, k, c]) =>
      k === 0 ? element(x, [n!, 0, c!]) : element(y, [n!, k! - 1, c!]),
    );
    expect(only('Concat', [x, y], { attributes: { axis: 1 } })).toEqual(expected);
    expect(only('Concat', [x, y], { attributes: { axis: -2 } })).toEqual(expected);
    expect(() => only('Concat', [x, y], { attributes: { axis: 0 } })).toThrow(/cannot be joined/);
  });
});

describe('Expand and Tile', () => {
  it('broadcasts both ways', () => {
    const x = random([2, 1, 3]);
    expect(only('Expand', [x, list(4, 1)])).toEqual(made([2, 4, 3], ([n, , c]) => element(x, [n!, 0, c!])));
    expect(only('Expand', [x, list(5, 1, 1, 3)]).shape).toEqual([5, 2, 1, 3]);
    expect(() => only('Expand', [x, list(2, 1, 4)])).toThrow(/cannot be broadcast/);
  });

  it('repeats', () => {
    const x = random([2, 3]);
    expect(only('Tile', [x, list(2, 3)])).toEqual(made([4, 9], ([r, c]) => element(x, [r! % 2, c! % 3])));
  });
});

describe('DepthToSpace and SpaceToDepth', () => {
  const x = random([1, 8, 2, 3]);
  it('moves channels into blocks, the block first or last', () => {
    expect(only('DepthToSpace', [x], { attributes: { blocksize: 2 } })).toEqual(
      made([1, 2, 4, 6], ([n, c, h, w]) =>
        element(x, [n!, (h! % 2) * 4 + (w! % 2) * 2 + c!, Math.floor(h! / 2), Math.floor(w! / 2)]),
      ),
    );
    expect(only('DepthToSpace', [x], { attributes: { blocksize: 2, mode: 'CRD' } })).toEqual(
      made([1, 2, 4, 6], ([n, c, h, w]) =>
        element(x, [n!, c! * 4 + (h! % 2) * 2 + (w! % 2), Math.floor(h! / 2), Math.floor(w! / 2)]),
      ),
    );
  });

  it('and back', () => {
    const y = random([1, 2, 4, 6]);
    expect(only('SpaceToDepth', [y], { attributes: { blocksize: 2 } })).toEqual(
      made([1, 8, 2, 3], ([n, c, h, w]) => {
        const block = Math.floor(c! / 2);
        return element(y, [n!, c! % 2, h! * 2 + Math.floor(block / 2), w! * 2 + (block % 2)]);
      }),
    );
  });
});

describe('Gather and its kin', () => {
  const x = random([3, 4, 2]);
  it('Gather along an axis, from the end for negative indices', () => {
    const at = [1, -1, 0, 3];
    const expected = made([3, 2, 2, 2], ([n, r, c, k]) => {
      const row = at[r! * 2 + c!]!;
      return element(x, [n!, row < 0 ? row + 4 : row, k!]);
    });
    expect(only('Gather', [x, i([2, 2], at)], { attributes: { axis: 1 } })).toEqual(expected);
    expect(only('Gather', [x, fixed(i([2, 2], at))], { attributes: { axis: 1 } })).toEqual(expected);
    expect(only('Gather', [x, fixed(i([], [2]))]).shape).toEqual([4, 2]);
    expect(() => only('Gather', [x, list(3)])).toThrow(/no element 3 of 3/);
  });

  it('GatherElements', () => {
    const at = i([2, 2], [0, -1, 2, 1]);
    const table = random([2, 3]);
    const expected = made([2, 2], ([r, c]) => element(table, [r!, [0, 2, 2, 1][r! * 2 + c!]!]));
    expect(only('GatherElements', [table, at], { attributes: { axis: 1 } })).toEqual(expected);
    expect(only('GatherElements', [table, fixed(at)], { attributes: { axis: 1 } })).toEqual(expected);
  });

  it('GatherND, also behind dimensions of a batch', () => {
    const at = i([2, 2], [2, 3, 0, -4]);
    const expected = made([2, 2], ([t, k]) =>
      element(x, [
        ...[
          [2, 3],
          [0, 0],
        ][t!]!,
        k!,
      ]),
    );
    expect(only('GatherND', [x, at])).toEqual(expected);
    expect(only('GatherND', [x, fixed(at)])).toEqual(expected);
    const rows = i([3, 1], [1, 0, 3]);
    const batched = made([3, 2], ([n, k]) => element(x, [n!, [1, 0, 3][n!]!, k!]));
    expect(only('GatherND', [x, rows], { attributes: { batch_dims: 1 } })).toEqual(batched);
    expect(only('GatherND', [x, fixed(rows)], { attributes: { batch_dims: 1 } })).toEqual(batched);
  });
});

describe('ScatterND and ScatterElements', () => {
  it('writes rows, later ones over earlier ones', () => {
    const [x, updates] = [random([4, 2], 1), random([3, 2], 2)];
    const rows = [2, 0, 2];
    const expected = made([4, 2], ([r, c]) => {
      const t = rows.lastIndexOf(r!);
      return t < 0 ? element(x, [r!, c!]) : element(updates, [t, c!]);
    });
    expect(only('ScatterND', [x, fixed(i([3, 1], rows)), updates])).toEqual(expected);
  });

  it('joins what is written with what is there', () => {
    const x = f([3], [1, 2, 3]);
    const result = only('ScatterND', [x, fixed(i([2, 1], [2, 0])), f([2], [10, 20])], {
      attributes: { reduction: 'add' },
    });
    expect(result.data).toEqual([21, 2, 13]);
  });

  it('writes elements along an axis', () => {
    const x = f([2, 3], [0, 0, 0, 0, 0, 0]);
    const at = fixed(i([2, 2], [1, 2, 0, -1]));
    expect(
      only('ScatterElements', [x, at, f([2, 2], [1, 2, 3, 4])], { attributes: { axis: 1 } }).data,
    ).toEqual([0, 1, 2, 3, 0, 4]);
  });

  it('has no meaning for places that are computed', () => {
    expect(() => both('ScatterND', [f([3], [1, 2, 3]), i([1, 1], [0]), f([1], [1])])).toThrow(
      /places that are computed/,
    );
  });
});

describe('Pad', () => {
  const x = f([1, 4], [1, 2, 3, 4]);
  it.each([
    ['constant', [9, 9, 1, 2, 3, 4, 9]],
    ['reflect', [3, 2, 1, 2, 3, 4, 3]],
    ['edge', [1, 1, 1, 2, 3, 4, 4]],
    ['wrap', [3, 4, 1, 2, 3, 4, 1]],
  ])('by %s', (mode, data) => {
    const value = mode === 'constant' ? fixed(f([], [9])) : undefined;
    expect(only('Pad', [x, list(0, 2, 0, 1), value], { attributes: { mode } })).toEqual({
      shape: [1, 7],
      data,
    });
  });

  it('cuts off where it is negative, pads axes that are named, and takes attributes before opset 11', () => {
    expect(only('Pad', [x, list(0, -1, 0, 1)]).data).toEqual([2, 3, 4, 0]);
    expect(only('Pad', [x, list(1, -2), undefined, list(-1)]).data).toEqual([0, 1, 2]);
    expect(only('Pad', [x], { attributes: { pads: [0, 1, 0, 0], value: 0.5 }, opset: 10 }).data).toEqual([
      0.5, 1, 2, 3, 4,
    ]);
  });
});

describe('Trilu, Compress', () => {
  it.each([
    [1, 0],
    [0, 0],
    [1, 1],
    [0, -1],
  ])('upper %i, diagonal %i', (upper, k) => {
    const x = random([2, 3, 4]);
    const expected = made([2, 3, 4], ([n, r, c]) => {
      const kept = upper === 1 ? c! - r! >= k : c! - r! <= k;
      return kept ? element(x, [n!, r!, c!]) : 0;
    });
    expect(only('Trilu', [x, fixed(i([], [k]))], { attributes: { upper } })).toEqual(expected);
  });

  it('keeps what a constant mask has, along an axis or of all elements', () => {
    const x = counted(2, 3);
    expect(only('Compress', [x, fixed(b([3], [1, 0, 1]))], { attributes: { axis: 1 } })).toEqual({
      shape: [2, 2],
      data: [0, 2, 3, 5],
    });
    expect(only('Compress', [x, fixed(b([5], [0, 1, 0, 0, 1]))]).data).toEqual([1, 4]);
  });
});
