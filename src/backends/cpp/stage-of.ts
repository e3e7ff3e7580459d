/** The stage of one node. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match, P } from 'ts-pattern';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Node } from '../../ir/graph.js';
import { checkOp, proveOp } from '../../ir/ops/index.js';
import { channelsOf, innerOf } from '../../ir/types.js';
import { permutation } from '../shared/image.js';
import { commentText } from './code.js';
import type { Slot, Stage } from './stage.js';
import { basisStage } from './stages/basis.js';
import { edgeStage } from './stages/edge.js';
import {
  bucketizeStage,
  dequantizeStage,
  quantizeStage,
  recodeStage,
  requantizeStage,
  type StageBase,
  sumStage,
} from './stages/elementwise.js';
import { concatStage, moveStage, multiplyStage } from './stages/moves.js';
import { normStage } from './stages/norm.js';
import { poolStage } from './stages/pool.js';
import { checkScale, type Scope, scaleOf } from './values.js';

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
  return (
    match(node.op)
      .with({ kind: 'quantize' }, ({ attrs }) => E.right(quantizeStage(base, attrs)))
      .with({ kind: 'recode' }, ({ attrs }) => proven(() => recodeStage(base, attrs)))
      .with({ kind: 'gather' }, ({ attrs }) => {
        const inner = innerOf(node.type);
        return move('gather', (j) => attrs.indices.data[Math.floor(j / inner)]! * inner + (j % inner));
      })
      .with({ kind: 'bucketize' }, ({ attrs }) => E.right(bucketizeStage(base, attrs)))
      .with({ kind: 'reshape' }, () => move('reshape', (j) => j))
      .with({ kind: 'concat' }, () => E.right(concatStage(base, types.map(channelsOf))))
      .with({ kind: 'requantize' }, ({ attrs }) => proven(() => requantizeStage(base, attrs)))
      .with({ kind: 'table.norm' }, ({ attrs }) => proven(() => normStage(base, attrs, node.type.shape)))
      .with({ kind: 'table.sum' }, ({ attrs }) => proven(() => sumStage(base, attrs)))
      .with({ kind: 'table.edge' }, (op) => proven(() => edgeStage(base, op, operand.shape)))
      .with({ kind: 'table.basis' }, (op) => proven(() => basisStage(base, op, operand.shape)))
      .with({ kind: 'dequantize' }, () =>
        pipe(
          checkScale(scaleOf(operand), { name: node.operands[0]!, type: operand }, target),
          E.map(() => dequantizeStage(base, scaleOf(operand))),
        ),
      )
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
      .with({ kind: P.union('activate', 'add', 'affine', 'decode', 'kan', 'norm', 'observe') }, ({ kind }) =>
        unsupported(kind),
      )
      .exhaustive()
  );
};
