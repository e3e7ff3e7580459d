/**
 * Building and rewriting graphs. A builder is the only mutable thing near a graph: it is made, filled and
 * closed inside one function, and what comes out never changes.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, type Diagnostics, fail, InternalError, invariant } from '../diagnostics/index.js';
import { type Graph, type Node, toValueName, type Value, type ValueName } from './graph.js';
import { inferType, type Op } from './ops/index.js';
import type { Level, ValueType } from './types.js';

export interface Builder<L extends Level> {
  /** Adds an input of the graph. */
  readonly input: (hint: string, type: ValueType) => ValueName;
  /**
   * Adds an op and returns the name of its value: `hint` itself when free, else the hint with a number. A
   * type error is remembered and told by `build`; a rewrite ends with it after the step.
   */
  readonly add: (hint: string, op: Op, operands: ReadonlyArray<ValueName>) => ValueName;
  readonly typeOf: (name: ValueName) => ValueType;
  /** The node that defines a value of the new graph; undefined for inputs. */
  readonly nodeOf: (name: ValueName) => Node | undefined;
  /** The first refusal of a type rule, if there was one. */
  readonly failure: () => E.Either<Diagnostics, never> | undefined;
  readonly build: (outputs: ReadonlyArray<ValueName>) => Checked<Graph<L>>;
}

/** Gives names that it has not given yet: the hint, or the hint with another number. */
const freshNames = (): ((hint: string) => ValueName) => {
  const taken = new Set<ValueName>();
  return (hint) => {
    const base = toValueName(hint);
    invariant(base !== undefined, `'${hint}' is not a value name`);
    if (!taken.has(base)) {
      taken.add(base);
      return base;
    }
    const stem = hint.replace(/_?\d+$/, '');
    for (let n = 0; ; n++) {
      const candidate = toValueName(`${stem}${/\d$/.test(stem) ? '_' : ''}${n}`);
      if (candidate !== undefined && !taken.has(candidate)) {
        taken.add(candidate);
        return candidate;
      }
    }
  };
};

export const builder = <L extends Level>(name: string, level: L): Builder<L> => {
  const inputs: Value[] = [];
  const nodes: Node[] = [];
  const types = new Map<ValueName, ValueType>();
  const definitions = new Map<ValueName, Node>();
  const fresh = freshNames();
  let failure: E.Either<Diagnostics, never> | undefined;

  return {
    input: (hint, type) => {
      const value = { name: fresh(hint), type };
      inputs.push(value);
      types.set(value.name, type);
      return value.name;
    },
    add: (hint, op, operands) => {
      const result = fresh(hint);
      const operandTypes = operands.flatMap((o) => types.get(o) ?? []);
      if (operandTypes.length < operands.length) {
        failure ??= fail('K0401', `${op.kind} uses a value that was not defined before it`, {
          place: { op: result },
        });
        return result;
      }
      const type = inferType(op, operandTypes);
      if (E.isLeft(type)) {
        failure ??= fail('K0401', `${op.kind} ${type.left}`, { place: { op: result } });
        return result;
      }
      const node: Node = { name: result, type: type.right, op, operands };
      nodes.push(node);
      definitions.set(result, node);
      types.set(result, type.right);
      return result;
    },
    typeOf: (value) => {
      const type = types.get(value);
      if (type === undefined) throw new InternalError(`value %${value} has no type`);
      return type;
    },
    nodeOf: (value) => definitions.get(value),
    failure: () => failure,
    build: (outputs) => failure ?? E.right({ name, level, inputs, nodes, outputs }),
  };
};

/** What a rewriting step sees of the graph under construction. */
export interface Rewriter<L extends Level> {
  readonly add: Builder<L>['add'];
  readonly typeOf: Builder<L>['typeOf'];
  readonly nodeOf: Builder<L>['nodeOf'];
  /** The new name of an old value. */
  readonly of: (old: ValueName) => ValueName;
  /** Copies a node as it is, under its old name where that is free. */
  readonly keep: (node: Node) => ValueName;
}

/** What stands for an old value: a new one, or nothing where it is dropped, which only values without uses can be. */
export type Replacement = ValueName | undefined;

/** Whether a step has said that it may fail. */
const isChecked = (made: Replacement | Checked<Replacement>): made is Checked<Replacement> =>
  typeof made === 'object';

/**
 * A new graph at `level` from an old one: `step` is called for every node in order and says what stands for it. The
 * first step that fails ends the walk with its diagnostics, and so does the first op that a type rule refuses.
 */
export const rewrite = <L extends Level>(
  graph: Graph,
  level: L,
  step: (node: Node, rewriter: Rewriter<L>) => Replacement | Checked<Replacement>,
): Checked<Graph<L>> => {
  const b = builder(graph.name, level);
  const renamed = new Map<ValueName, ValueName>();
  for (const input of graph.inputs) renamed.set(input.name, b.input(input.name, input.type));
  const of = (old: ValueName): ValueName => {
    const now = renamed.get(old);
    if (now === undefined) throw new InternalError(`value %${old} is used after it was dropped`);
    return now;
  };
  const rewriter: Rewriter<L> = {
    add: b.add,
    typeOf: b.typeOf,
    nodeOf: b.nodeOf,
    of,
    keep: (node) => b.add(node.name, node.op, node.operands.map(of)),
  };
  for (const node of graph.nodes) {
    const made = step(node, rewriter);
    // A refused op first: a step may fail for want of its value.
    const failure = b.failure();
    if (failure !== undefined) return failure;
    const now = isChecked(made) ? made : E.right(made);
    if (E.isLeft(now)) return now;
    if (now.right !== undefined) renamed.set(node.name, now.right);
  }
  return b.build(graph.outputs.map(of));
};
