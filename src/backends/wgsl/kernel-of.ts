/** The kernel of one node. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Node } from '../../ir/graph.js';
import { checkOp, lowerOp, proveOp } from '../../ir/ops/index.js';
import { channelsOf, sizeOf } from '../../ir/types.js';
import { type GraphValues, isF32 } from '../shared/values.js';
import type { Kernel } from './kernel.js';
import { basisTables } from './kernels/basis.js';
import { edgeTables } from './kernels/edge.js';
import { concatValues, gatherChannels, multiplyPairs, poolWindows } from './kernels/elements.js';
import { type Emitted, elementKernel } from './kernels/elementwise.js';
import { normCodes } from './kernels/norm.js';

/** `limit`: words of constants that one dispatch may read. */
export const kernelOf = (node: Node, values: GraphValues, limit: number): Checked<Kernel> => {
  const types = node.operands.map((o) => values.value(o).type);
  const operand = types[0]!;
  const { type } = node;
  const unsupported = (what: string): Checked<Emitted> =>
    fail('K0602', `the WGSL target has no ${what}`, {
      place: { op: node.name },
      hint: 'Only graphs of the table level can be compiled: quantize and tabulate first.',
    });
  const ofIntegers = (what: string, make: () => Emitted): Checked<Emitted> =>
    operand.element.kind === 'f32' ? unsupported(`${what} of floats`) : E.right(make());
  /** The arithmetic is exact only for what the definition proves, whoever made the graph. */
  const proven = (make: () => Emitted): Checked<Emitted> =>
    pipe(
      checkOp(node.op, types),
      E.flatMap(() => proveOp(node.op, types)),
      E.matchW(
        (fault): Checked<Emitted> => fail('K0401', `${node.op.kind}: ${fault}`, { place: { op: node.name } }),
        () => E.right(make()),
      ),
    );
  const handMade = (): Checked<Emitted> =>
    match(node.op)
      .with({ kind: 'gather' }, ({ attrs }) => E.right(gatherChannels(attrs.indices, type)))
      .with({ kind: 'concat' }, () => E.right(concatValues(types.map(sizeOf), type)))
      .with({ kind: 'table.norm' }, ({ attrs }) => proven(() => normCodes(attrs, type)))
      .with({ kind: 'pool' }, ({ attrs }) =>
        ofIntegers('pool', () => poolWindows(attrs, operand.shape, type)),
      )
      .with({ kind: 'multiply' }, ({ attrs }) =>
        ofIntegers('multiply', () => multiplyPairs(attrs, channelsOf(operand), type)),
      )
      .with({ kind: 'table.edge' }, ({ attrs }) => edgeTables(attrs, operand, type, limit))
      .with({ kind: 'table.basis' }, ({ attrs }) => basisTables(attrs, operand, type, limit))
      // Float ops that passes fold away, and ops of networks that the kernels do not cover.
      .otherwise(({ kind }) => unsupported(kind));
  const lowered = lowerOp(node.op, types, type);
  const emitted =
    lowered === undefined
      ? handMade()
      : isF32(lowered.scale ?? 1)
        ? proven(() => elementKernel(lowered, type))
        : fail('K0602', `the scale of %${node.operands[0]} is not an f32 value`, {
            place: { op: node.name },
          });
  return pipe(
    emitted,
    E.mapLeft(
      ([first, ...rest]) => [{ ...first, place: { op: node.name, ...first.place } }, ...rest] as const,
    ),
    E.map(({ parts, form, bits }): Kernel => {
      const { element } = type;
      return {
        name: node.name,
        operands: node.operands.map(values.root),
        length: sizeOf(type),
        storage: element.kind === 'f32' ? 'f32' : element.kind === 'int' ? 'i32' : 'u32',
        parts,
        summary: {
          op: node.op.kind,
          form,
          inputs: sizeOf(operand),
          outputs: sizeOf(type),
          ...(bits === undefined ? {} : { bits }),
        },
      };
    }),
  );
};
