/** Convolutions, pools and resizing against loops over their definitions. */
import { describe, expect, it } from 'vitest';
import {
  both,
  element,
  f,
  fixed,
  type Given,
  list,
  type Options,
  places,
  type Result,
  random,
  size,
} from './one-node.js';

const near = (found: Result, expected: Result, within = 3e-6): void => {
  expect(found.shape).toEqual(expected.shape);
  for (const [k, y] of expected.data.entries())
    expect(Math.abs(found.data[k]! - y), `element ${k}`).toBeLessThanOrEqual(
      within * Math.max(1, Math.abs(y)),
    );
};

const only = (op: string, operands: ReadonlyArray<Given | undefined>, options: Options = {}): Result => {
  const { varying, folded } = both(op, operands, options);
  near(varying[0]!, folded[0]!, 0);
  return varying[0]!;
};

/** Undefined outside of the operand. */
const at = (x: Given, place: ReadonlyArray<number>): number | undefined =>
  place.every((k, d) => Number.isInteger(k) && k >= 0 && k < x.shape[d]!) ? element(x, place) : undefined;

interface Setting {
  readonly x: ReadonlyArray<number>;
  readonly w: ReadonlyArray<number>;
  readonly strides?: ReadonlyArray<number>;
  readonly dilations?: ReadonlyArray<number>;
  readonly pads?: ReadonlyArray<number>;
  readonly group?: number;
}

const SETTINGS: ReadonlyArray<readonly [string, Setting]> = [
  ['1-D', { x: [2, 3, 7], w: [4, 3, 3] }],
  ['1-D, strides and padding', { x: [2, 3, 8], w: [4, 3, 3], strides: [2], pads: [1, 2] }],
  ['2-D', { x: [2, 3, 5, 6], w: [4, 3, 3, 2] }],
  [
    '2-D, all at once',
    { x: [1, 4, 7, 8], w: [6, 2, 3, 2], strides: [2, 3], dilations: [2, 1], pads: [1, 0, 2, 1], group: 2 },
  ],
  ['depthwise', { x: [2, 4, 5, 5], w: [8, 1, 3, 3], pads: [1, 1, 1, 1], group: 4 }],
  ['3-D', { x: [1, 2, 4, 5, 3], w: [3, 2, 2, 3, 2], strides: [1, 2, 1], pads: [1, 1, 0, 0, 1, 1] }],
  ['padding larger than the kernel', { x: [1, 1, 3], w: [1, 1, 2], pads: [4, 5] }],
];

const attributesOf = ({
  strides,
  dilations,
  pads,
  group,
}: Setting): Record<string, number | ReadonlyArray<number>> => ({
  ...(strides === undefined ? {} : { strides }),
  ...(dilations === undefined ? {} : { dilations }),
  ...(pads === undefined ? {} : { pads }),
  ...(group === undefined ? {} : { group }),
});

/** The parts of a setting with nothing left out. */
const full = (s: Setting) => {
  const rank = s.x.length - 2;
  const ones = new Array<number>(rank).fill(1);
  return {
    rank,
    strides: s.strides ?? ones,
    dilations: s.dilations ?? ones,
    pads: s.pads ?? new Array<number>(2 * rank).fill(0),
    group: s.group ?? 1,
    kernel: s.w.slice(2),
  };
};

describe('Conv', () => {
  it.each(SETTINGS)('%s', (_, setting) => {
    const { rank, strides, dilations, pads, group, kernel } = full(setting);
    const [x, w, bias] = [random(setting.x, 1), random(setting.w, 2), random([setting.w[0]!], 3)];
    const counts = kernel.map(
      (k, d) =>
        Math.floor(
          (setting.x[d + 2]! + pads[d]! + pads[d + rank]! - dilations[d]! * (k - 1) - 1) / strides[d]!,
        ) + 1,
    );
    const shape = [setting.x[0]!, setting.w[0]!, ...counts];
    const data = places(shape).map(([n, o, ...p]) => {
      let sum = bias.data[o!]!;
      const first = Math.floor(o! / (setting.w[0]! / group)) * setting.w[1]!;
      for (let c = 0; c < setting.w[1]!; c++)
        for (const t of places(kernel)) {
          const from = p.map((q, d) => q * strides[d]! + t[d]! * dilations[d]! - pads[d]!);
          sum += element(w, [o!, c, ...t]) * (at(x, [n!, first + c, ...from]) ?? 0);
        }
      return sum;
    });
    near(only('Conv', [x, w, bias], { attributes: attributesOf(setting) }), { shape, data });
  });

  it('pads by itself so that every stride-th place has a window', () => {
    const [x, w] = [random([1, 1, 5], 1), random([1, 1, 4], 2)];
    const sum = (first: number): number =>
      [0, 1, 2, 3].reduce((s, k) => s + (at(x, [0, 0, first + k]) ?? 0) * w.data[k]!, 0);
    const upper = only('Conv', [x, w], { attributes: { auto_pad: 'SAME_UPPER', strides: [2] } });
    near(upper, { shape: [1, 1, 3], data: [-1, 1, 3].map(sum) });
    const lower = only('Conv', [x, w], { attributes: { auto_pad: 'SAME_LOWER', strides: [2] } });
    near(lower, { shape: [1, 1, 3], data: [-2, 0, 2].map(sum) });
    expect(only('Conv', [x, w], { attributes: { auto_pad: 'VALID' } }).shape).toEqual([1, 1, 2]);
  });

  it('refuses weights that do not fit', () => {
    expect(() => only('Conv', [random([1, 3, 5]), random([2, 2, 3])])).toThrow(/K0214.*Conv/);
  });
});

describe('ConvTranspose', () => {
  interface Transposed extends Setting {
    readonly output_padding?: ReadonlyArray<number>;
  }
  const settings: ReadonlyArray<readonly [string, Transposed]> = [
    ['1-D', { x: [2, 3, 4], w: [3, 2, 3] }],
    ['1-D, stride', { x: [1, 2, 4], w: [2, 3, 2], strides: [2] }],
    [
      '2-D, all at once',
      {
        x: [1, 4, 3, 4],
        w: [4, 3, 3, 2],
        strides: [2, 3],
        dilations: [1, 2],
        pads: [1, 0, 2, 1],
        group: 2,
        output_padding: [1, 0],
      },
    ],
    ['3-D', { x: [1, 2, 2, 3, 2], w: [2, 1, 2, 2, 3], strides: [2, 1, 2] }],
    ['padding larger than what the kernel reaches', { x: [1, 1, 6], w: [1, 1, 2], pads: [2, 3] }],
  ];
  it.each(settings)('%s', (_, setting) => {
    const { rank, strides, dilations, pads, group, kernel } = full(setting);
    const extra = setting.output_padding ?? new Array<number>(rank).fill(0);
    const [x, w, bias] = [random(setting.x, 1), random(setting.w, 2), random([setting.w[1]! * group], 3)];
    const counts = kernel.map(
      (k, d) =>
        (setting.x[d + 2]! - 1) * strides[d]! +
        dilations[d]! * (k - 1) +
        1 +
        extra[d]! -
        pads[d]! -
        pads[d + rank]!,
    );
    const shape = [setting.x[0]!, setting.w[1]! * group, ...counts];
    const data = new Array<number>(size(shape)).fill(0);
    const [inputs, outputs] = [setting.x[1]! / group, setting.w[1]!];
    // Every element of the operand adds the weights, times itself, around its place.
    for (const [n, c, ...p] of places(setting.x))
      for (let o = 0; o < outputs; o++)
        for (const t of places(kernel)) {
          const to = p.map((q, d) => q * strides[d]! + t[d]! * dilations[d]! - pads[d]!);
          if (to.some((q, d) => q < 0 || q >= counts[d]!)) continue;
          const channel = Math.floor(c! / inputs) * outputs + o;
          const place = [n!, channel, ...to].reduce((e, k, d) => e * shape[d]! + k, 0);
          data[place]! += element(x, [n!, c!, ...p]) * element(w, [c!, o, ...t]);
        }
    const expected = {
      shape,
      data: data.map((v, e) => v + bias.data[Math.floor(e / size(counts)) % shape[1]!]!),
    };
    const attributes = { ...attributesOf(setting), output_padding: extra };
    near(only('ConvTranspose', [x, w, bias], { attributes }), expected);
  });

  it('with a size that is asked for', () => {
    const [x, w] = [random([1, 1, 3], 1), random([1, 1, 3], 2)];
    expect(only('ConvTranspose', [x, w], { attributes: { strides: [2], output_shape: [6] } }).shape).toEqual([
      1, 1, 6,
    ]);
    expect(
      only('ConvTranspose', [x, w], { attributes: { strides: [2], auto_pad: 'SAME_UPPER' } }).shape,
    ).toEqual([1, 1, 6]);
  });
});

describe('pools', () => {
  interface Pool {
    readonly x: ReadonlyArray<number>;
    readonly kernel_shape: ReadonlyArray<number>;
    readonly strides: ReadonlyArray<number>;
    readonly pads: ReadonlyArray<number>;
    readonly ceil_mode: number;
  }
  const pools: ReadonlyArray<readonly [string, Pool]> = [
    ['1-D', { x: [2, 3, 8], kernel_shape: [2], strides: [2], pads: [0, 0], ceil_mode: 0 }],
    [
      '2-D with padding',
      { x: [1, 2, 6, 7], kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1], ceil_mode: 0 },
    ],
    [
      '2-D, over the end',
      { x: [1, 2, 6, 7], kernel_shape: [3, 2], strides: [2, 2], pads: [0, 0, 0, 0], ceil_mode: 1 },
    ],
    [
      'over the end, with padding',
      { x: [1, 1, 6], kernel_shape: [3], strides: [2], pads: [1, 1], ceil_mode: 1 },
    ],
    [
      'no last window in the padding alone',
      { x: [1, 1, 5], kernel_shape: [2], strides: [3], pads: [1, 1], ceil_mode: 1 },
    ],
    [
      '3-D',
      {
        x: [1, 2, 4, 4, 5],
        kernel_shape: [2, 2, 2],
        strides: [2, 2, 1],
        pads: [0, 0, 0, 0, 0, 1],
        ceil_mode: 0,
      },
    ],
  ];
  const naive = (
    { x: from, kernel_shape, strides, pads, ceil_mode }: Pool,
    join: (inside: ReadonlyArray<number>, padding: number) => number,
  ): Result => {
    const x = random(from, 1);
    const rank = kernel_shape.length;
    const counts = kernel_shape.map((k, d) => {
      const room = from[d + 2]! + pads[d]! + pads[d + rank]! - k;
      const n = (ceil_mode === 1 ? Math.ceil(room / strides[d]!) : Math.floor(room / strides[d]!)) + 1;
      return ceil_mode === 1 && (n - 1) * strides[d]! >= from[d + 2]! + pads[d]! ? n - 1 : n;
    });
    const shape = [from[0]!, from[1]!, ...counts];
    return {
      shape,
      data: places(shape).map(([n, c, ...p]) => {
        const all = places(kernel_shape).map((t) => p.map((q, d) => q * strides[d]! + t[d]! - pads[d]!));
        const inside = all.flatMap((place) => at(x, [n!, c!, ...place]) ?? []);
        // Of the padding that the file asks for, not of what a last window reaches over it.
        const padded = all.filter((place) => place.every((q, d) => q < from[d + 2]! + pads[d + rank]!));
        return join(inside, padded.length - inside.length);
      }),
    };
  };
  it.each(pools)('%s', (_, pool) => {
    const { x, ...attributes } = pool;
    const given = random(x, 1);
    near(
      only('MaxPool', [given], { attributes }),
      naive(pool, (inside) => Math.max(...inside)),
    );
    const sum = (ns: ReadonlyArray<number>): number => ns.reduce((s, v) => s + v, 0);
    near(
      only('AveragePool', [given], { attributes }),
      naive(pool, (inside) => sum(inside) / inside.length),
    );
    near(
      only('AveragePool', [given], { attributes: { ...attributes, count_include_pad: 1 } }),
      naive(pool, (inside, padding) => sum(inside) / (inside.length + padding)),
    );
  });

  it('over the whole image', () => {
    const x = random([2, 3, 2, 2], 4);
    const rows = places([2, 3]).map(([n, c]) => places([2, 2]).map((p) => element(x, [n!, c!, ...p])));
    near(only('GlobalMaxPool', [x]), { shape: [2, 3, 1, 1], data: rows.map((r) => Math.max(...r)) });
    near(only('GlobalAveragePool', [x]), {
      shape: [2, 3, 1, 1],
      data: rows.map((r) => r.reduce((s, v) => s + v, 0) / 4),
    });
  });
});

describe('Resize', () => {
  const row = f([1, 1, 4], [1, 2, 4, 8]);
  const scales = (s: number): Given => fixed(f([3], [1, 1, s]));
  const none = undefined;
  it.each([
    ['asymmetric', 'floor', 2, [1, 1, 2, 2, 4, 4, 8, 8]],
    ['half_pixel', 'round_prefer_floor', 2, [1, 1, 2, 2, 4, 4, 8, 8]],
    ['asymmetric', 'ceil', 2, [1, 2, 2, 4, 4, 8, 8, 8]],
    ['half_pixel', 'round_prefer_ceil', 0.5, [2, 8]],
    ['half_pixel', 'round_prefer_floor', 0.5, [1, 4]],
    ['align_corners', 'round_prefer_floor', 1.5, [1, 2, 2, 4, 4, 8]],
  ])('nearest, %s, %s, times %d', (mode, nearest, scale, data) => {
    const attributes = { coordinate_transformation_mode: mode, nearest_mode: nearest };
    expect(only('Resize', [row, none, scales(scale)], { attributes }).data).toEqual(data);
  });

  it('linear', () => {
    const attributes = { mode: 'linear' };
    const half = only('Resize', [row, none, scales(2)], { attributes });
    near(half, { shape: [1, 1, 8], data: [1, 1.25, 1.75, 2.5, 3.5, 5, 7, 8] });
    const corners = only('Resize', [row, none, none, list(1, 1, 7)], {
      attributes: { ...attributes, coordinate_transformation_mode: 'align_corners' },
    });
    near(corners, { shape: [1, 1, 7], data: [1, 1.5, 2, 3, 4, 6, 8] });
  });

  it('linear in two dimensions, by sizes, some axes alone', () => {
    const x = f([1, 1, 2, 2], [0, 2, 4, 6]);
    const attributes = { mode: 'linear', coordinate_transformation_mode: 'align_corners' };
    const expected = { shape: [1, 1, 3, 3], data: [0, 1, 2, 2, 3, 4, 4, 5, 6] };
    near(only('Resize', [x, none, none, list(1, 1, 3, 3)], { attributes }), expected);
    near(
      only('Resize', [x, none, none, list(3, 3)], { attributes: { ...attributes, axes: [2, 3] } }),
      expected,
    );
  });

  it('cubic goes through the elements where they stand, and keeps lines', () => {
    const line = f([1, 1, 8], [0, 1, 2, 3, 4, 5, 6, 7]);
    const attributes = { mode: 'cubic', coordinate_transformation_mode: 'asymmetric' };
    const { data } = only('Resize', [line, none, scales(2)], { attributes });
    for (let k = 0; k < 8; k++) expect(data[2 * k]).toBeCloseTo(k, 5);
    // At a half: a(7/8 terms) of the four neighbours, which for the coefficient -0.75 is not the mean of two.
    const weights = [-0.09375, 0.59375, 0.59375, -0.09375];
    for (let k = 1; k < 6; k++) {
      const expected = weights.reduce((s, w, n) => s + w * (k - 1 + n), 0);
      expect(data[2 * k + 1]).toBeCloseTo(expected, 5);
    }
  });

  it('Upsample and the first Resize', () => {
    expect(only('Upsample', [row, scales(2)], { opset: 9 }).data).toEqual([1, 1, 2, 2, 4, 4, 8, 8]);
    expect(only('Resize', [row, scales(0.5)], { opset: 10 }).data).toEqual([1, 4]);
  });

  it('has no meaning where it smooths first', () => {
    const attributes = { mode: 'linear', antialias: 1 };
    expect(() => only('Resize', [row, none, scales(0.5)], { attributes })).toThrow(/smooths/);
  });
});
