/**
 * Ops that no pass and no target knows, beside those of the list: what their definitions say is enough for them to be
 * compiled, because passes ask for roles and never for these kinds.
 */
import * as E from 'fp-ts/lib/Either.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { TARGETS } from '../../src/backends/index.js';
import { showDiagnostic } from '../../src/diagnostics/index.js';
import {
  builder,
  decodeOp,
  defineOp,
  floatType,
  type Graph,
  isLevel,
  isOpKind,
  NO_COST,
  OPS,
  type Op,
  type OpOfRole,
  parseGraph,
  printGraph,
  record,
} from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';
import { calibrationOf, compiled, randomKan } from './support.js';

type NoAttrs = Record<never, never>;

const doc = { does: 'a test', text: [] };

/** A function of each element. */
const negate = defineOp<'negate', NoAttrs, 'univariate'>({
  kind: 'negate',
  role: { _tag: 'univariate', of: () => (x) => -x },
  summary: 'y = -x',
  doc,
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record({}, {}),
  infer: (_, [x]) => (x?.element.kind === 'f32' ? E.right(x) : E.left('takes floats')),
  evaluate: (_, [x], type) => ({
    type,
    batch: x!.batch,
    data: Float32Array.from(x!.data, (v: number) => -v),
  }),
  cost: () => NO_COST,
});

/** An op of an added definition, as text gives one. */
const added = (kind: string): Op => {
  const op = isOpKind(kind) ? decodeOp(kind, {}) : E.left('not in the list');
  if (E.isLeft(op)) throw new Error(`${kind}: ${op.left}`);
  return op.right;
};

const NEGATED: Op = { kind: 'affine', attrs: { scale: -1, shift: 0 } };
/** How many of an op stand before, between and behind two layers. */
type Places = readonly [before: number, between: number, behind: number];

const network = (op: Op, [before, between, behind]: Places): Graph => {
  const layers = randomKan(7, { layers: [3, 3, 3] }).nodes.map((node) => node.op);
  const times = (count: number): ReadonlyArray<Op> => Array.from({ length: count }, () => op);
  const ops = [...times(before), layers[0]!, ...times(between), layers[1]!, ...times(behind)];
  const b = builder('net', 'float');
  const x = b.input('x', floatType([3]));
  return rightOf(b.build([ops.reduce((value, o, k) => b.add(`v${k}`, o, [value]), x)]));
};

const tables = (graph: Graph): Graph => {
  const text = 'calibrate{data=x},quantize,tabulate,fold,dedupe,narrow,dce';
  return compiled(graph, text, calibrationOf(3));
};

/** What every target says of a graph. */
const said = async (graph: Graph): Promise<ReadonlyArray<string>> => {
  if (!isLevel('table')(graph)) throw new Error(`a ${graph.level} graph`);
  const emits = TARGETS.map((target) => target.emit({}, { version: '0' })(graph)());
  return (await Promise.all(emits)).flatMap((made) => (E.isLeft(made) ? made.left.map(showDiagnostic) : []));
};

beforeAll(() => {
  Object.assign(OPS, { negate });
});

describe('an op that only the list knows', () => {
  it.each<Places>([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 2, 1],
  ])(
    'folds into tables as the affine map of the same function does: %i, %i and %i of it',
    async (...places) => {
      const graph = tables(network(added('negate'), places));
      expect(printGraph(graph)).toBe(printGraph(tables(network(NEGATED, places))));
      expect(await said(graph)).toEqual([]);
    },
  );

  it('is read from text, printed and verified', () => {
    const graph = network(added('negate'), [0, 1, 0]);
    expect(rightOf(parseGraph(printGraph(graph)))).toEqual(graph);
  });

  it('is named by the type checker where it does not say what passes ask of it', () => {
    const { role: _, ...silent } = negate;
    // @ts-expect-error: what is to become of the op is not said.
    defineOp<'negate', NoAttrs, 'univariate'>(silent);
    // @ts-expect-error: a function of elements is not told where channels come from.
    defineOp<'negate', NoAttrs, 'layout'>(negate);
    // @ts-expect-error: a match over values must be told of every op that makes one.
    const handled: Record<OpOfRole<'value'>['kind'], true> = { kan: true, add: true, norm: true, pool: true };
    expect(Object.keys(handled)).toHaveLength(4);
  });
});
