/** The kernel of one node. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Node } from '../../ir/graph.js';
import { checkOp, lowerOp, type OpOf, proveOp } from '../../ir/ops/index.js';
import { channelsOf, innerOf, levelsOf, sizeOf, type ValueType } from '../../ir/types.js';
import { permutation } from '../shared/image.js';
import { isF32 } from '../shared/values.js';
import type { Kernel, KernelBase } from './kernel.js';
import { basisTable } from './kernels/basis.js';
import type { CodeSource } from './kernels/code-source.js';
import { concatChannels } from './kernels/concat.js';
import { edgeTable } from './kernels/edge.js';
import { elementKernel } from './kernels/elementwise/index.js';
import { gatherElements } from './kernels/gather.js';
import { multiplyPairs } from './kernels/multiply.js';
import { normCodes } from './kernels/norm.js';
import { poolWindows } from './kernels/pool.js';
import { quantizeUniform } from './kernels/quantize-uniform.js';
import { recodeLinear } from './kernels/recode-linear.js';
import { type WindowGeometry, windowGeometry } from './kernels/window.js';
import { storageOf } from './storage.js';
import type { GraphView } from './view.js';

export const kernelOf = (node: Node, view: GraphView): Checked<Kernel> => {
  const types = node.operands.map((o) => view.value(o).type);
  const operand = types[0]!;
  const base: KernelBase = {
    name: node.name,
    operands: node.operands.map(view.root),
    length: sizeOf(node.type),
    channels: channelsOf(node.type),
  };
  const [from, to] = [storageOf(operand.element), storageOf(node.type.element)];
  const unsupported = (what: string): Checked<Kernel> =>
    fail('K0602', `the WASM target has no ${what}`, {
      place: { op: node.name },
      hint: 'Only graphs of the table level can be compiled: quantize and tabulate first.',
    });
  const move = (op: string, pick: (j: number) => number): Checked<Kernel> =>
    E.right(gatherElements(base, permutation(operand, node.type, pick), sizeOf(operand), to, op));
  /** The arithmetic is exact only for what the definition proves, whoever made the graph. */
  const proven = (op: Node['op'], make: () => Kernel): Checked<Kernel> =>
    pipe(
      checkOp(op, types),
      E.flatMap(() => proveOp(op, types)),
      E.matchW(
        (fault): Checked<Kernel> => fail('K0401', `${op.kind}: ${fault}`, { place: { op: node.name } }),
        () => E.right(make()),
      ),
    );
  const lowered = lowerOp(node.op, types, node.type);
  if (lowered !== undefined) {
    if (!isF32(lowered.scale ?? 1)) {
      return fail('K0602', `the scale of %${node.operands[0]} is not an f32 value`, {
        place: { op: node.name },
      });
    }
    const sources = types.map((type) => storageOf(type.element));
    return proven(
      node.op,
      () => fasterKernel(node.op, base, from, to) ?? elementKernel(base, node.op.kind, lowered, sources, to),
    );
  }
  return (
    match(node.op)
      .with({ kind: 'gather' }, ({ attrs }) => {
        const inner = innerOf(node.type);
        return move('gather', (j) => attrs.indices.data[Math.floor(j / inner)]! * inner + (j % inner));
      })
      .with({ kind: 'reshape' }, () => move('reshape', (j) => j))
      .with({ kind: 'concat' }, () => E.right(concatChannels(base, types.map(channelsOf), to)))
      .with({ kind: 'table.norm' }, (op) => proven(op, () => normCodes(base, op.attrs, from, to)))
      .with({ kind: 'pool' }, ({ attrs }) =>
        operand.element.kind === 'f32'
          ? unsupported('pool of floats')
          : E.right(poolWindows(base, attrs, operand.shape, from, to)),
      )
      .with({ kind: 'multiply' }, ({ attrs }) =>
        operand.element.kind === 'f32'
          ? unsupported('multiply of floats')
          : E.right(multiplyPairs(base, attrs, channelsOf(operand), from)),
      )
      .with({ kind: 'table.edge' }, (op) => {
        const inputs = op.attrs.slabs?.shape[0] ?? op.attrs.table.shape[0]!;
        const layer = layerOf(node, op, base, operand, inputs, view);
        return edgeTable(
          layer.base,
          op.attrs,
          layer.inputs,
          levelsOf(operand),
          layer.source,
          to,
          layer.window,
        );
      })
      .with({ kind: 'table.basis' }, (op) => {
        const layer = layerOf(node, op, base, operand, op.attrs.coefficients.shape[0]!, view);
        return E.right(basisTable(layer.base, op.attrs, layer.inputs, layer.source, to, layer.window));
      })
      // Float ops that passes fold away, and ops of networks that the kernels do not cover.
      .otherwise(({ kind }) => unsupported(kind))
  );
};

/** Where a layer reads its codes: in the value behind maps and gathers, or, over windows, around each position. */
const layerOf = (
  node: Node,
  { attrs }: OpOf<'table.edge'> | OpOf<'table.basis'>,
  base: KernelBase,
  operand: ValueType,
  inputs: number,
  view: GraphView,
): {
  readonly base: KernelBase;
  readonly inputs: number;
  readonly source: CodeSource;
  readonly window: WindowGeometry | undefined;
} => {
  if (attrs.window === undefined) {
    const { from, codes } = view.source(node.operands[0]!);
    return { base: { ...base, operands: [from] }, inputs, source: codes, window: undefined };
  }
  const window = windowGeometry(attrs.window, operand.shape);
  const source = {
    storage: storageOf(operand.element),
    levels: levelsOf(operand),
    positions: window.offsets,
  };
  return { base, inputs: window.taps, source, window };
};

/** Elementwise ops that lanes of floats or of 16 bits do faster than the code that they are lowered to. */
const fasterKernel = (
  op: Node['op'],
  base: KernelBase,
  from: Kernel['result'],
  to: Kernel['result'],
): Kernel | undefined => {
  if (op.kind === 'quantize' && op.attrs.quantizer._tag === 'uniform') {
    return quantizeUniform(base, op.attrs.quantizer, to);
  }
  return op.kind === 'recode' && from === 'u8' && to === 'u8' ? recodeLinear(base, op.attrs) : undefined;
};
