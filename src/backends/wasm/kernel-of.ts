/** The kernel of one node. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import type { Program } from '../../code/language.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Node } from '../../ir/graph.js';
import { lowerOp } from '../../ir/ops/index.js';
import { type TableLayerOp, tableLayer } from '../../ir/table-layer.js';
import { channelsOf, innerOf, levelsOf, sizeOf, type ValueType } from '../../ir/types.js';
import { permutation } from '../shared/image.js';
import type { Kernel, KernelBase } from './kernel.js';
import { basisTable } from './kernels/basis/index.js';
import type { CodeSource } from './kernels/code-source.js';
import { concatChannels } from './kernels/concat.js';
import { edgeTable } from './kernels/edge/index.js';
import { elementKernel } from './kernels/elementwise/index.js';
import { gatherElements } from './kernels/gather.js';
import { multiplyPairs } from './kernels/multiply.js';
import { normCodes } from './kernels/norm/index.js';
import { poolWindows } from './kernels/pool.js';
import { quantizeUniform } from './kernels/quantize-uniform.js';
import { recodeLinear } from './kernels/recode-linear.js';
import { type WindowGeometry, windowGeometry } from './kernels/window.js';
import { type Storage, storageOf } from './storage.js';
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
  const sources = types.map((type) => storageOf(type.element));
  return match(node.op)
    .with({ kind: 'table.norm' }, ({ attrs }) => E.right(normCodes(base, attrs, from, to)))
    .with({ kind: 'table.edge' }, (op) => {
      const layer = layerOf(node, op, base, operand, view);
      const { inputs, source, window } = layer;
      return edgeTable(layer.base, op.attrs, inputs, levelsOf(operand), source, to, window);
    })
    .with({ kind: 'table.basis' }, (op) => {
      const { base: own, inputs, source, window } = layerOf(node, op, base, operand, view);
      return E.right(basisTable(own, op.attrs, inputs, source, to, window));
    })
    .otherwise((op) => {
      // Before it is lowered: the thresholds of a quantizer with a closed form cost seconds where it has many.
      const faster = fasterKernel(op, base, from, to);
      if (faster !== undefined) return E.right(faster);
      return pipe(
        lowerOp(op, types, node.type),
        E.map((program) => programKernel(base, op.kind, program, types, node.type, sources, to)),
        E.orElseW((what) =>
          fail('K0602', `the WASM target has no ${what}`, {
            place: { op: node.name },
            hint: 'Only graphs of the table level can be compiled: quantize and tabulate first.',
          }),
        ),
      );
    });
};

/** Elementwise ops that lanes of floats or of 16 bits do faster than the program that they are lowered to. */
const fasterKernel = (op: Node['op'], base: KernelBase, from: Storage, to: Storage): Kernel | undefined => {
  if (op.kind === 'quantize' && op.attrs.quantizer._tag === 'uniform') {
    return quantizeUniform(base, op.attrs.quantizer, to);
  }
  return op.kind === 'recode' && from === 'u8' && to === 'u8' ? recodeLinear(base, op.attrs) : undefined;
};

const programKernel = (
  base: KernelBase,
  op: string,
  { form, body }: Program,
  types: ReadonlyArray<ValueType>,
  type: ValueType,
  sources: ReadonlyArray<Storage>,
  to: Storage,
): Kernel => {
  const [operand, from] = [types[0]!, sources[0]!];
  const moved = (pick: (j: number) => number): Kernel =>
    gatherElements(base, permutation(operand, type, pick), sizeOf(operand), to, op);
  return match(body)
    .with({ _tag: 'elements' }, ({ value }) => elementKernel(base, op, form, value, sources, to))
    .with({ _tag: 'channels' }, ({ sources: channels }) => {
      // Several operands stand side by side, each whole.
      if (types.length > 1) return concatChannels(base, types.map(channelsOf), to);
      const inner = innerOf(type);
      return moved((j) => channels[Math.floor(j / inner)]!.channel * inner + (j % inner));
    })
    .with({ _tag: 'reshape' }, () => moved((j) => j))
    .with({ _tag: 'pairs' }, (pairs) => multiplyPairs(base, pairs, channelsOf(operand), from))
    .with({ _tag: 'windows' }, (windows) => poolWindows(base, form, windows, operand.shape, from, to))
    .exhaustive();
};

/** Where a layer reads its codes: in the value behind maps and gathers, or, over windows, around each position. */
const layerOf = (
  node: Node,
  op: TableLayerOp,
  base: KernelBase,
  operand: ValueType,
  view: GraphView,
): {
  readonly base: KernelBase;
  readonly inputs: number;
  readonly source: CodeSource;
  readonly window: WindowGeometry | undefined;
} => {
  const { inputs, window: over } = tableLayer(op);
  if (over === undefined) {
    const { from, codes } = view.source(node.operands[0]!);
    return { base: { ...base, operands: [from] }, inputs, source: codes, window: undefined };
  }
  const window = windowGeometry(over, operand.shape);
  const source = {
    storage: storageOf(operand.element),
    levels: levelsOf(operand),
    positions: window.offsets,
  };
  return { base, inputs: window.taps, source, window };
};
