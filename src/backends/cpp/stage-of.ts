/** The stage of one node: a program of src/code written as C, or made by hand for layers and norms. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import type { Program } from '../../code/language.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Node, ValueName } from '../../ir/graph.js';
import { lowerOp } from '../../ir/ops/index.js';
import { channelsOf, innerOf, type ValueType } from '../../ir/types.js';
import { permutation } from '../shared/image.js';
import { commentText } from './code.js';
import type { Slot, Stage, StageBase } from './stage.js';
import { basisStage } from './stages/basis.js';
import { edgeStage } from './stages/edge.js';
import { elementsStage } from './stages/elements.js';
import { channelsStage, orderStage, pairsStage, windowsStage } from './stages/moves.js';
import { normStage } from './stages/norm.js';

/** What stages know of the values around them. */
export interface Scope {
  readonly typeOf: (name: ValueName) => ValueType;
  readonly slotOf: (name: ValueName) => Slot;
}

export const stageOf = (
  node: Node,
  { typeOf, slotOf }: Scope,
  output: Slot,
  id: string,
  target: string,
): Checked<Stage> => {
  const types = node.operands.map(typeOf);
  const operand = types[0]!;
  const base: StageBase = {
    name: `${id}_${node.op.kind.replace('.', '_')}`,
    op: node.op.kind,
    id,
    comment: commentText(`${node.op.kind}: ${node.name}, ${node.type.shape.join(' x ')}`),
    inputs: node.operands.map(slotOf),
    output,
    channels: channelsOf(node.type),
  };
  return match(node.op)
    .with({ kind: 'table.norm' }, ({ attrs }) => E.right(normStage(base, attrs, node.type.shape)))
    .with({ kind: 'table.edge' }, (op) => E.right(edgeStage(base, op, operand.shape)))
    .with({ kind: 'table.basis' }, (op) => E.right(basisStage(base, op, operand.shape)))
    .otherwise((op) =>
      pipe(
        lowerOp(op, types, node.type),
        E.orElseW((what) =>
          fail('K0602', `the ${target} target has no ${what}`, {
            place: { op: node.name },
            hint: 'Only graphs of the table level can be compiled: quantize and tabulate first.',
          }),
        ),
        E.flatMap((program) => programStage(base, program, types, node, target)),
      ),
    );
};

const programStage = (
  base: StageBase,
  { form, body }: Program,
  types: ReadonlyArray<ValueType>,
  node: Node,
  target: string,
): Checked<Stage> => {
  const operand = types[0]!;
  const inOrder = (pick: (j: number) => number): Checked<Stage> =>
    E.right(orderStage(base, form, permutation(operand, node.type, pick)));
  return match(body)
    .with({ _tag: 'elements' }, ({ value }) =>
      pipe(
        checkFactors(value._tag === 'float' ? value.factor.data : [], node.operands[0]!, target),
        E.map(() => elementsStage(base, form, value)),
      ),
    )
    .with({ _tag: 'channels' }, ({ sources }) => {
      if (types.length > 1) return E.right(channelsStage(base, form, sources, types.map(channelsOf)));
      const inner = innerOf(node.type);
      return inOrder((j) => sources[Math.floor(j / inner)]!.channel * inner + (j % inner));
    })
    .with({ _tag: 'reshape' }, () => inOrder((j) => j))
    .with({ _tag: 'pairs' }, ({ left, right }) => E.right(pairsStage(base, form, left, right)))
    .with({ _tag: 'windows' }, (windows) => E.right(windowsStage(base, form, windows, operand.shape)))
    .exhaustive();
};

/** A scale that is no number has no literal. */
export const checkFactors = (factors: ArrayLike<number>, value: ValueName, target: string): Checked<void> =>
  Array.from(factors).every(Number.isFinite)
    ? E.right(undefined)
    : fail('K0602', `the scale of %${value} is not a finite f32 value`, {
        place: { op: value },
        hint: `The ${target} target multiplies in f32.`,
      });
