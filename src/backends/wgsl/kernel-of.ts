/** The kernel of one node: a program of src/code written as WGSL, or made by hand for layers and norms. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import type { Program } from '../../code/language.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Node } from '../../ir/graph.js';
import { lowerOp } from '../../ir/ops/index.js';
import { channelsOf, sizeOf, type ValueType } from '../../ir/types.js';
import type { GraphValues } from '../shared/values.js';
import type { Emitted, Kernel } from './kernel.js';
import { basisTables } from './kernels/basis.js';
import { edgeTables } from './kernels/edge.js';
import { elementsKernel } from './kernels/elements.js';
import { channelsKernel, pairsKernel, windowsKernel } from './kernels/moves.js';
import { normCodes } from './kernels/norm.js';

/** `limit`: words of constants that one dispatch may read. */
export const kernelOf = (node: Node, values: GraphValues, limit: number): Checked<Kernel> => {
  const types = node.operands.map((o) => values.value(o).type);
  const operand = types[0]!;
  const { type } = node;
  const emitted: Checked<Emitted> = match(node.op)
    .with({ kind: 'table.norm' }, ({ attrs }) => E.right(normCodes(attrs, type)))
    .with({ kind: 'table.edge' }, ({ attrs }) => edgeTables(attrs, operand, type, limit))
    .with({ kind: 'table.basis' }, ({ attrs }) => basisTables(attrs, operand, type, limit))
    .otherwise((op) =>
      pipe(
        lowerOp(op, types, type),
        E.flatMap((program) => programKernel(program, types, type)),
        E.orElseW((what) =>
          fail('K0602', `the WGSL target has no ${what}`, {
            place: { op: node.name },
            hint: 'Only graphs of the table level can be compiled: quantize and tabulate first.',
          }),
        ),
      ),
    );
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

/** A reshape is no kernel: values lie row-major. */
const programKernel = (
  { form, body }: Program,
  operands: ReadonlyArray<ValueType>,
  type: ValueType,
): E.Either<string, Emitted> => {
  const operand = operands[0]!;
  return match(body)
    .with({ _tag: 'elements' }, ({ value }) => E.right(elementsKernel(form, value, operands, type)))
    .with({ _tag: 'channels' }, ({ sources }) =>
      E.right(channelsKernel(form, sources, operands.length, type)),
    )
    .with({ _tag: 'reshape' }, () => E.left('reshape'))
    .with({ _tag: 'pairs' }, ({ left, right }) =>
      E.right(pairsKernel(form, left, right, channelsOf(operand), type)),
    )
    .with({ _tag: 'windows' }, (windows) => E.right(windowsKernel(form, windows, operand.shape, type)))
    .exhaustive();
};
