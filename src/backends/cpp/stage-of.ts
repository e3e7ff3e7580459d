/** The stage of one node. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Node } from '../../ir/graph.js';
import { checkOp, lowerOp, proveOp } from '../../ir/ops/index.js';
import { channelsOf, innerOf } from '../../ir/types.js';
import { permutation } from '../shared/image.js';
import { commentText } from './code.js';
import type { Slot, Stage } from './stage.js';
import { basisStage } from './stages/basis.js';
import { edgeStage } from './stages/edge.js';
import { elementStage, type StageBase } from './stages/elementwise.js';
import { concatStage, moveStage, multiplyStage } from './stages/moves.js';
import { normStage } from './stages/norm.js';
import { poolStage } from './stages/pool.js';
import { checkScale, type Scope } from './values.js';

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
    id,
    comment: commentText(`${node.op.kind}: ${node.name}, ${node.type.shape.join(' x ')}`),
    inputs: node.operands.map(slotOf),
    output,
    channels: channelsOf(node.type),
  };
  const unsupported = (what: string): Checked<Stage> =>
    fail('K0602', `the ${target} target has no ${what}`, {
      place: { op: node.name },
      hint: 'Only graphs of the table level can be compiled: quantize and tabulate first.',
    });
  const move = (op: string, pick: (j: number) => number): Checked<Stage> =>
    E.right(moveStage(base, op, permutation(operand, node.type, pick)));
  /** The arithmetic is exact only for what the definition proves, whoever made the graph. */
  const proven = (make: () => Stage): Checked<Stage> =>
    pipe(
      checkOp(node.op, types),
      E.flatMap(() => proveOp(node.op, types)),
      E.matchW(
        (fault): Checked<Stage> => fail('K0401', `${node.op.kind}: ${fault}`, { place: { op: node.name } }),
        () => E.right(make()),
      ),
    );
  const lowered = lowerOp(node.op, types, node.type);
  if (lowered !== undefined) {
    return pipe(
      checkScale(lowered.scale, { name: node.operands[0]!, type: operand }, target),
      E.flatMap(() => proven(() => elementStage(base, node.op.kind, lowered))),
    );
  }
  return (
    match(node.op)
      .with({ kind: 'gather' }, ({ attrs }) => {
        const inner = innerOf(node.type);
        return move('gather', (j) => attrs.indices.data[Math.floor(j / inner)]! * inner + (j % inner));
      })
      .with({ kind: 'reshape' }, () => move('reshape', (j) => j))
      .with({ kind: 'concat' }, () => E.right(concatStage(base, types.map(channelsOf))))
      .with({ kind: 'table.norm' }, ({ attrs }) => proven(() => normStage(base, attrs, node.type.shape)))
      .with({ kind: 'table.edge' }, (op) => proven(() => edgeStage(base, op, operand.shape)))
      .with({ kind: 'table.basis' }, (op) => proven(() => basisStage(base, op, operand.shape)))
      .with({ kind: 'pool' }, ({ attrs }) =>
        operand.element.kind === 'f32'
          ? unsupported('pool of floats')
          : proven(() => poolStage(base, attrs, operand.shape)),
      )
      .with({ kind: 'multiply' }, ({ attrs }) =>
        operand.element.kind === 'f32'
          ? unsupported('multiply of floats')
          : E.right(multiplyStage(base, attrs)),
      )
      // Float ops that passes fold away.
      .otherwise(({ kind }) => unsupported(kind))
  );
};
