/** Layers in which outputs read inputs without a pattern: every input has its functions, every edge its weights. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Checked } from '../../diagnostics/index.js';
import type { Branch } from '../../ir/basis.js';
import type { ValueName } from '../../ir/graph.js';
import type { FunctionId } from '../functions.js';
import { raised } from '../inner.js';
import { type Cut, factorAt, NO_SOURCE, type RowsTerm } from '../traced.js';
import { applied } from './pointwise.js';
import { addOp, f32, type Lifting } from './state.js';
import { type BuildCut, valueOfSources } from './values.js';

/** What one cut adds to the outputs: the functions of each of its elements that has a part, with weights. */
type Share = Map<number, Map<FunctionId, Float64Array>>;

/** Adds the terms of the elements, whose place in `elements` is the number of their output. */
const gather = (
  l: Lifting,
  terms: ReadonlyArray<RowsTerm>,
  elements: Int32Array,
): { readonly shares: ReadonlyMap<Cut, Share>; readonly bias: Float64Array } => {
  const shares = new Map<Cut, Share>();
  const bias = new Float64Array(elements.length);
  const rowFor = (source: number, fn: FunctionId): Float64Array => {
    const cut = l.ownerOf(source);
    let share = shares.get(cut);
    if (share === undefined) {
      share = new Map();
      shares.set(cut, share);
    }
    let functions = share.get(source);
    if (functions === undefined) {
      functions = new Map();
      share.set(source, functions);
    }
    let row = functions.get(fn);
    if (row === undefined) {
      row = new Float64Array(elements.length);
      functions.set(fn, row);
    }
    return row;
  };
  for (const term of terms) gatherTerm(l, term, elements, rowFor, bias);
  return { shares, bias };
};

const gatherTerm = (
  l: Lifting,
  { operand, patch, row, factor, offset, tap, weights }: RowsTerm,
  elements: Int32Array,
  rowFor: (source: number, fn: FunctionId) => Float64Array,
  bias: Float64Array,
): void => {
  const { table } = l.trace;
  const byPatch = new Map<number, number[]>();
  for (let o = 0; o < elements.length; o++) {
    const p = patch[elements[o]!]!;
    if (p < 0) continue;
    const outputs = byPatch.get(p);
    if (outputs === undefined) byPatch.set(p, [o]);
    else outputs.push(o);
  }
  for (const [p, outputs] of byPatch) {
    for (let j = 0; j < tap.length; j++) {
      const u = offset[p]! + tap[j]!;
      const source = operand.source[u]!;
      const literal = source === NO_SOURCE ? (table.constantOf(operand.fn[u]!) ?? Number.NaN) : 1;
      const target = source === NO_SOURCE ? bias : rowFor(source, operand.fn[u]!);
      const times = literal * factorAt(operand, u);
      for (const o of outputs) {
        const e = elements[o]!;
        target[o]! += times * weights[row[e]! * tap.length + j]! * (factor?.[e] ?? 1);
      }
    }
  }
};

/** Sources of a cut in the order in which they lie in its value, so that whole values are read as they are. */
const inOrder = (cut: Cut, sources: Iterable<number>, position: Int32Array): ReadonlyArray<number> =>
  [...sources].sort((a, b) => position[cut.rank[a - cut.base]!]! - position[cut.rank[b - cut.base]!]!);

/** The terms as one layer with an output for each element; `bias` is added to. */
export const denseLayer = (
  l: Lifting,
  build: BuildCut,
  terms: ReadonlyArray<RowsTerm>,
  elements: Int32Array,
  hint: string,
): Checked<{ readonly value: ValueName; readonly bias: Float64Array }> => {
  const { shares, bias } = gather(l, terms, elements);
  const sources: number[] = [];
  const branches: Branch[] = [];
  const functionsOfInputs: FunctionId[] = [];
  const cuts = [...shares.keys()].sort((a, b) => a.index - b.index);
  for (const cut of cuts) {
    const built = build(l, cut);
    if (E.isLeft(built)) return built;
    const functions = shares.get(cut)!;
    const inputs = inOrder(cut, functions.keys(), built.right.position);
    const made = raised(l.trace.table, {
      outputs: elements.length,
      functions: inputs.map((s) => [...functions.get(s)!.keys()]),
      weights: inputs.map((s) => [...functions.get(s)!.values()]),
      bias: new Float64Array(elements.length),
    });
    if (E.isLeft(made)) return made;
    const { branches: named, inner } = made.right;
    const from = sources.length;
    for (const branch of named.branches) branches.push(from === 0 ? branch : { ...branch, from });
    for (let o = 0; o < bias.length; o++) bias[o]! += named.bias[o]!;
    sources.push(...inputs);
    functionsOfInputs.push(...(inner ?? inputs.map(() => l.trace.table.x)));
  }
  const operand = pipe(
    valueOfSources(l, build, Int32Array.from(sources), [sources.length]),
    E.flatMap((value) => applied(l, value, Int32Array.from(functionsOfInputs))),
  );
  if (E.isLeft(operand)) return operand;
  const attrs = { branches: wholeOf(branches, sources.length, elements.length) };
  return E.map((value: ValueName) => ({ value, bias }))(
    addOp(l, hint, { kind: 'kan', attrs }, [operand.right]),
  );
};

/** A layer has a branch at least; one without functions has zeros. */
const wholeOf = (branches: ReadonlyArray<Branch>, inputs: number, outputs: number): ReadonlyArray<Branch> =>
  branches.length > 0
    ? branches
    : [
        {
          basis: { _tag: 'base', activation: 'zero' },
          weights: f32([inputs, 1, outputs], new Float32Array(inputs * outputs)),
        },
      ];
