/**
 * The float network as WebGPU kernels: what the tables are compared with, by the same loader. For networks of B-spline
 * layers on features. Its floats are as WGSL computes them, so that they agree with the reference up to rounding only.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Checked } from '../../../diagnostics/index.js';
import { channel } from '../../../ir/constant.js';
import type { Graph, Node, Value } from '../../../ir/graph.js';
import { decodeValue } from '../../../ir/quantizer.js';
import { channelsOf, levelsOf, sizeOf, type ValueType } from '../../../ir/types.js';
import { type GraphValues, valuesOf } from '../../shared/values.js';
import { channelOf, constantAt, each, type Kernel, type Part, u, unsigned } from '../kernel.js';
import type { Plan } from '../plan.js';
import { floatBits, wordsOf } from '../words.js';
import { floatLayer, unsupported } from './layer.js';

/** K0602 on networks that it does not cover. */
export const baselinePlan = (graph: Graph): Checked<Plan> => {
  const values = valuesOf(graph, ({ op }) => op.kind === 'observe' || op.kind === 'reshape');
  const [input, ...others] = graph.inputs;
  const result = graph.outputs[0];
  if (input === undefined || result === undefined || others.length > 0) return unsupported('several inputs');
  const output: Value = { ...values.value(result), name: values.root(result) };
  return pipe(
    graph.nodes.filter((node) => !values.isFree(node)),
    E.traverseArray((node) => kernelOf(node, values)),
    E.map((kernels) => ({ input, kernels, output, raw: output })),
  );
};

const kernelOf = (node: Node, values: GraphValues): Checked<Kernel> => {
  const operand = values.value(node.operands[0]!).type;
  return pipe(
    partsOf(node, operand),
    E.map((parts) => ({
      name: node.name,
      operands: node.operands.map(values.root),
      length: sizeOf(node.type),
      storage: 'f32',
      parts,
      summary: {
        op: node.op.kind,
        form: 'floats',
        inputs: sizeOf(operand),
        outputs: sizeOf(node.type),
      },
    })),
  );
};

const partsOf = ({ op, type }: Node, operand: ValueType): Checked<ReadonlyArray<Part>> => {
  const [length, channels] = [sizeOf(type), channelsOf(type)];
  if (op.kind === 'kan') return floatLayer(op.attrs, operand, type);
  if (op.kind === 'affine') {
    const list = (of: (c: number) => number) => floatBits(Array.from({ length: channels }, (_, c) => of(c)));
    const words = wordsOf([list((c) => channel(op.attrs.scale, c)), list((c) => channel(op.attrs.shift, c))]);
    return E.right(
      each(length, words, (access) => {
        const at = (section: number): string =>
          `bitcast<f32>(${constantAt(`${access.section(section)} + ${channelOf('item', channels, length)}`)})`;
        const value = `bitcast<f32>(${access.word(0, 'item')}) * ${at(0)} + ${at(1)}`;
        return [access.store('item', unsigned(value))];
      }),
    );
  }
  if (op.kind === 'decode') {
    const levels = levelsOf(operand);
    const { values } = op.attrs;
    const rows = values === undefined ? channels : values.shape[0]!;
    const { meaning } = operand;
    const valueAt = (row: number, code: number): number =>
      values === undefined
        ? meaning === undefined || meaning._tag === 'scaled'
          ? Number.NaN
          : decodeValue(meaning, row, code)
        : values.data[row * levels + code]!;
    const table = Array.from({ length: rows * levels }, (_, k) =>
      valueAt(Math.floor(k / levels), k % levels),
    );
    return E.right(
      each(length, wordsOf([floatBits(table)]), (access) => {
        const row = rows === 1 ? '' : `${channelOf('item', channels, length)} * ${u(levels)} + `;
        return [access.store('item', constantAt(`${access.section(0)} + ${row}${access.word(0, 'item')}`))];
      }),
    );
  }
  return unsupported(op.kind);
};
