/**
 * Functions of a function: where all that a layer computes of an input is computed of g(x), g is a value of its own and
 * the layer is one of g. Behind an activation or a PReLU the functions of a layer then have their names again.
 */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import type { Checked } from '../diagnostics/index.js';
import { argumentsOf, type FunctionId, type FunctionTable, partsOf } from './functions.js';
import { branchesOf, type Raised as NamedBranches } from './raise/index.js';
import type { LayerTerms } from './terms.js';

/** The parts of functions that depend on x, parts before wholes. */
const varyingParts = (
  table: FunctionTable,
  functions: ReadonlyArray<FunctionId>,
): ReadonlyArray<FunctionId> => {
  const varying = new Set<FunctionId>([table.x]);
  return partsOf(table.nodeOf, functions).filter((id) => {
    if (Array.from(argumentsOf(table.nodeOf(id))).some((part) => varying.has(part))) varying.add(id);
    return varying.has(id);
  });
};

/** The last part, of those that are no whole, through which all functions depend on x; x itself if there is no other. */
const bottleneck = (table: FunctionTable, functions: ReadonlyArray<FunctionId>): FunctionId => {
  const parts = varyingParts(table, functions);
  const lastUser = new Map<FunctionId, FunctionId>();
  for (const id of parts) {
    for (const part of Array.from(argumentsOf(table.nodeOf(id)))) lastUser.set(part, id);
  }
  const whole = new Set(functions);
  let found = table.x;
  let open = -1;
  for (const id of parts) {
    // No part before this one is taken by one behind it.
    if (open <= id && !whole.has(id)) found = id;
    if (whole.has(id)) break;
    open = Math.max(open, lastUser.get(id) ?? Number.POSITIVE_INFINITY);
  }
  return found;
};

/** Functions with x in place of a part. */
const outerOf = (table: FunctionTable, inner: FunctionId): ((id: FunctionId) => FunctionId) => {
  const known = new Map<FunctionId, FunctionId>([[inner, table.x]]);
  return (id) => {
    for (const part of partsOf(table.nodeOf, [id])) {
      if (known.has(part)) continue;
      const node = table.nodeOf(part);
      const of = (arg: FunctionId): FunctionId => known.get(arg) ?? arg;
      const outer = match(node)
        .with({ kind: 'call' }, ({ fn, args }) => table.call(fn, of(args[0]!), ...args.slice(1).map(of)))
        .with({ kind: 'sum' }, ({ parts, factors }) => table.sum(parts.map(of), factors))
        .with({ kind: 'lookup' }, ({ table: entries, arg }) => table.lookup(entries, of(arg)))
        .with({ kind: 'x' }, { kind: 'constant' }, () => part)
        .exhaustive();
      known.set(part, outer);
    }
    return known.get(id)!;
  };
};

/** A layer in branches, of the inputs themselves or of functions of them. */
export interface Raised {
  readonly branches: NamedBranches;
  /** For each input what the layer is computed of; absent: of the inputs themselves. */
  readonly inner?: Int32Array;
  /** What becomes of an input that is 0, the same for all inputs where that was asked for. */
  readonly ofZero: number;
}

const expressions = ({ branches }: NamedBranches): number =>
  branches.filter(({ basis }) => basis._tag === 'expression').length;

/**
 * The layer with named bases, taking functions of inputs into account if that gives it more of them. With `alike` zeros
 * those are taken only if they are the same at 0 for all inputs: what stands around an image is one number.
 */
export const raised = (
  table: FunctionTable,
  terms: LayerTerms,
  zeros: 'any' | 'alike' = 'any',
): Checked<Raised> => {
  const plain = branchesOf(table, terms);
  if (E.isRight(plain) && expressions(plain.right) === 0)
    return E.right({ branches: plain.right, ofZero: 0 });
  const asItIs = E.map((branches: NamedBranches): Raised => ({ branches, ofZero: 0 }))(plain);
  const known = new Map<string, FunctionId>();
  const inner = Int32Array.from(terms.functions, (functions) => {
    const key = functions.join();
    const found = known.get(key) ?? (functions.length === 0 ? table.x : bottleneck(table, functions));
    known.set(key, found);
    return found;
  });
  if (inner.every((g) => g === table.x)) return asItIs;
  const { values, evaluate } = table.evaluator([...new Set(inner)]);
  evaluate(0);
  if (zeros === 'alike' && values.some((v) => v !== values[0])) return asItIs;
  const outer = new Map([...new Set(inner)].map((g) => [g, outerOf(table, g)]));
  const functions = terms.functions.map((own, i) => own.map(outer.get(inner[i]!)!));
  const again = branchesOf(table, { ...terms, functions });
  if (E.isLeft(again)) return asItIs;
  if (E.isRight(plain) && expressions(again.right) >= expressions(plain.right)) return asItIs;
  return E.right({ branches: again.right, inner, ofZero: values[0]! });
};
