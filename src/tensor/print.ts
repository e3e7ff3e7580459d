/** Tensor programs as text, for people: one line for each value. */
import { match } from 'ts-pattern';
import { printable } from '../diagnostics/index.js';
import type { TensorNode, TensorOp, TensorProgram, TensorType, Windows } from './program.js';
import { showShape } from './shapes.js';

/** How many numbers of a constant or an index are shown. */
const FEW = 6;

const few = (numbers: ArrayLike<number>): string => {
  const shown = Array.from({ length: Math.min(FEW, numbers.length) }, (_, k) =>
    String(Number(numbers[k]!.toPrecision(6))),
  );
  return [...shown, ...(numbers.length > FEW ? ['...'] : [])].join(', ');
};

/** A list by dimension, as 3x3. */
const by = (list: ReadonlyArray<number>): string => list.join('x');

const windowsText = ({ kernel, stride, dilation, before, after }: Windows): string =>
  [
    `kernel ${by(kernel)}`,
    ...(stride.every((s) => s === 1) ? [] : [`stride ${by(stride)}`]),
    ...(dilation.every((d) => d === 1) ? [] : [`dilation ${by(dilation)}`]),
    ...([...before, ...after].every((p) => p === 0) ? [] : [`padding ${by(before)} ${by(after)}`]),
  ].join('; ');

const list = (name: string, numbers: ReadonlyArray<number>): string => `${name} ${numbers.join(', ')}`;

/** The name of an op and what is in its braces; '' where there is nothing. */
const partsOf = (op: TensorOp): readonly [name: string, attributes: string] =>
  match<TensorOp, readonly [string, string]>(op)
    .with({ kind: 'input' }, { kind: 'reshape' }, { kind: 'expand' }, ({ kind }) => [kind, ''])
    .with({ kind: 'constant' }, ({ data }) => ['constant', few(data)])
    .with({ kind: 'map' }, ({ fn }) => [fn, ''])
    .with({ kind: 'transpose' }, ({ perm }) => ['transpose', perm.join(', ')])
    .with({ kind: 'slice' }, ({ start, step }) => [
      'slice',
      `${list('start', start)}${step.every((s) => s === 1) ? '' : `; ${list('step', step)}`}`,
    ])
    .with({ kind: 'concat' }, { kind: 'lookup' }, ({ kind, axis }) => [kind, `axis ${axis}`])
    .with({ kind: 'pad' }, ({ before, value }) => ['pad', `${list('before', before)}; value ${value}`])
    .with({ kind: 'pick' }, ({ index }) => ['pick', few(index)])
    .with({ kind: 'contract' }, ({ equation: { left, right, result } }) => [
      'contract',
      `${left},${right}->${result}`,
    ])
    .with({ kind: 'conv' }, ({ windows, groups }) => [
      'conv',
      `${windowsText(windows)}${groups === 1 ? '' : `; groups ${groups}`}`,
    ])
    .with({ kind: 'reduce' }, ({ fn, axes, keep }) => [
      `reduce.${fn}`,
      `${list('axes', axes)}${keep ? '; kept' : ''}`,
    ])
    .with({ kind: 'pool' }, ({ fn, windows, countPadding }) => [
      `pool.${fn}`,
      `${windowsText(windows)}${countPadding ? '; padding counts' : ''}`,
    ])
    .with({ kind: 'standardize' }, ({ axes, epsilon }) => [
      'standardize',
      `${list('axes', axes)}; epsilon ${Number(epsilon.toPrecision(6))}`,
    ])
    .with({ kind: 'softmax' }, ({ axis, log }) => ['softmax', `axis ${axis}${log ? '; logarithm' : ''}`])
    .with({ kind: 'opaque' }, ({ why }) => ['opaque', printable(why)])
    .exhaustive();

const showType = ({ dtype, shape }: TensorType): string => `${dtype}${showShape(shape)}`;

const lineOf = (node: TensorNode, id: number): string => {
  const [name, attributes] = partsOf(node.op);
  const words = [
    `%${id} : ${showType(node.type)} = ${name}`,
    ...(node.operands.length === 0 ? [] : [node.operands.map((o) => `%${o}`).join(', ')]),
    ...(attributes === '' ? [] : [`{${attributes}}`]),
  ];
  return `${words.join(' ')}   # ${printable(node.name, 120)}`;
};

/**
 * A program as text: `%12 : f32[2, 64, 8] = contract %9, %11 {ab,bc->ac}   # /layers.0/MatMul`, one line for each
 * value, of constants and indices the first numbers. It cannot be read back.
 */
export const showTensorProgram = (program: TensorProgram): string =>
  [
    `program "${printable(program.name, 120)}" of ${program.samples} samples`,
    ...program.nodes.map((node, id) => `  ${lineOf(node, id)}`),
    `  return ${program.outputs.map((o) => `%${o}`).join(', ')}`,
    '',
  ].join('\n');
