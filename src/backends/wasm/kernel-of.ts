/** The kernel of one node. */
import * as E from 'fp-ts/lib/Either.js';
import { match, P } from 'ts-pattern';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Node } from '../../ir/graph.js';
import type { OpOf } from '../../ir/ops/index.js';
import type { Quantizer } from '../../ir/quantizer.js';
import { channelsOf, innerOf, levelsOf, sizeOf, type ValueType } from '../../ir/types.js';
import { permutation } from '../shared/image.js';
import { scaleOf } from '../shared/values.js';
import type { Kernel, KernelBase } from './kernel.js';
import { basisTable } from './kernels/basis/index.js';
import { bucketizeCodes } from './kernels/bucketize.js';
import type { CodeSource } from './kernels/code-source.js';
import { concatChannels } from './kernels/concat.js';
import { dequantizeValues } from './kernels/dequantize.js';
import { edgeTable } from './kernels/edge/index.js';
import { gatherElements } from './kernels/gather.js';
import { multiplyPairs } from './kernels/multiply.js';
import { normCodes } from './kernels/norm/index.js';
import { poolWindows } from './kernels/pool.js';
import { quantizeThresholds } from './kernels/quantize-thresholds.js';
import { quantizeUniform } from './kernels/quantize-uniform.js';
import { recodeMap } from './kernels/recode.js';
import { requantizeCodes } from './kernels/requantize.js';
import { sumTables } from './kernels/table-sum.js';
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
  return (
    match(node.op)
      .with({ kind: 'quantize' }, ({ attrs }) => E.right(quantizeBy(base, attrs.quantizer, to)))
      .with({ kind: 'recode' }, ({ attrs }) => E.right(recodeMap(base, attrs, from, to)))
      .with({ kind: 'gather' }, ({ attrs }) => {
        const inner = innerOf(node.type);
        return move('gather', (j) => attrs.indices.data[Math.floor(j / inner)]! * inner + (j % inner));
      })
      .with({ kind: 'reshape' }, () => move('reshape', (j) => j))
      .with({ kind: 'concat' }, () => E.right(concatChannels(base, types.map(channelsOf), to)))
      .with({ kind: 'requantize' }, ({ attrs }) => E.right(requantizeCodes(base, attrs, from, to)))
      .with({ kind: 'bucketize' }, ({ attrs }) => E.right(bucketizeCodes(base, attrs, from, to)))
      .with({ kind: 'table.norm' }, ({ attrs }) => E.right(normCodes(base, attrs, from, to)))
      .with({ kind: 'dequantize' }, () => E.right(dequantizeValues(base, scaleOf(operand), from)))
      .with({ kind: 'table.sum' }, ({ attrs }) =>
        E.right(
          sumTables(
            base,
            attrs,
            types.map((t) => storageOf(t.element)),
            to,
          ),
        ),
      )
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
      .with({ kind: P.union('activate', 'add', 'affine', 'decode', 'kan', 'norm', 'observe') }, ({ kind }) =>
        unsupported(kind),
      )
      .exhaustive()
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

const quantizeBy = (base: KernelBase, q: Quantizer, to: Kernel['result']): Kernel =>
  q._tag === 'uniform' ? quantizeUniform(base, q, to) : quantizeThresholds(base, q, to);
