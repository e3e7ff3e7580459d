/** Frequent codes: found by `tabulate` where calibration saw them, and kept by the passes that change layers. */
import { describe, expect, it } from 'vitest';
import { randomOf } from '../support/random.js';
import {
  asDataset,
  compiled,
  floatInput,
  nodesOf,
  onlyOf,
  outputOf,
  randomKan,
  uniformValues,
} from './support.js';

const FEATURES = 6;
const SAMPLES = 400;
const net = randomKan(3, { layers: [FEATURES, 4, 2] });

/** Values in [-1, 1], but for the features `still`, which have `value` in three of four samples. */
const dataWith = (still: ReadonlyArray<number>, value: number) => {
  const r = randomOf(9);
  const values = uniformValues(r, SAMPLES, FEATURES);
  for (let n = 0; n < SAMPLES; n++) {
    for (const i of still) if (r.chance(0.75)) values[n * FEATURES + i] = value;
  }
  return asDataset(FEATURES, values);
};

const tables = (form: string, data: ReturnType<typeof dataWith>) =>
  compiled(net, `calibrate{data=x},quantize{act=4},tabulate{form=${form}}`, data);

describe.each([
  ['edge', 'table.edge'],
  ['basis', 'table.basis'],
] as const)('tabulate{form=%s}', (form, kind) => {
  it('names the code that most values of an input have, and the number of levels where there is none', () => {
    const [first, second] = nodesOf(tables(form, dataWith([1, 4], -1)), kind).map((n) => n.op.attrs);
    expect([...(first?.frequent?.data ?? [])]).toEqual([16, 0, 16, 16, 0, 16]);
    expect(second?.frequent).toBeUndefined();
  });

  it('says nothing where no code is frequent', () => {
    expect(nodesOf(tables(form, dataWith([], 0)), kind).map((n) => n.op.attrs.frequent)).toEqual([
      undefined,
      undefined,
    ]);
  });
});

it('takes the code of a value inside the range', () => {
  const layer = nodesOf(tables('edge', dataWith([2], 0.4)), 'table.edge')[0];
  expect(layer?.op.attrs.frequent?.data[2]).toBe(Math.floor(((0.4 + 1) / 2) * 16));
});

it('prune keeps the frequent codes of the inputs that stay', () => {
  const still = compiled(
    randomKan(5, { layers: [FEATURES, 2] }),
    'calibrate{data=x},quantize{act=3},tabulate{form=edge}',
    dataWith([0, 3], -1),
  );
  const { attrs } = onlyOf(still, 'table.edge').op;
  // Input 0 no longer changes with its code.
  const table = attrs.table.data.slice();
  const row = attrs.table.shape[2]!;
  for (let e = row; e < attrs.table.shape[1]! * row; e++) table[e] = table[e % row]!;
  const nodes = still.nodes.map((n) =>
    n.op.kind === 'table.edge'
      ? { ...n, op: { ...n.op, attrs: { ...n.op.attrs, table: { ...attrs.table, data: table } } } }
      : n,
  );
  const graph = { ...still, nodes };
  const pruned = compiled(graph, 'prune');
  expect([...(onlyOf(pruned, 'table.edge').op.attrs.frequent?.data ?? [])]).toEqual([8, 8, 0, 8, 8]);
  const x = floatInput(FEATURES, uniformValues(randomOf(2), 50, FEATURES));
  expect(outputOf(pruned, x).data).toEqual(outputOf(graph, x).data);
});
