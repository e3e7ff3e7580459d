/** From a float graph to kernels in their order. Affine maps and activations behind a layer are computed with it. */
import * as E from 'fp-ts/lib/Either.js';
import {
  definitionsOf,
  type Graph,
  type Node,
  typesOf,
  usesOf,
  type Value,
  type ValueName,
} from '../../src/ir/graph.js';
import type { AffineAttrs } from '../../src/ir/ops/affine.js';
import { sizeOf, type ValueType } from '../../src/ir/types.js';
import { activateKernel, activationCode, addKernel, affineKernel } from './elementwise.js';
import { layerKernel, type Tail } from './layer.js';
import { concatKernel, multiplyKernel, permuteKernel } from './moves.js';
import { normKernel } from './norm.js';
import { poolKernel } from './pool.js';
import { type Kernel, layoutOf } from './storage.js';

/** A kernel, the values that it reads, and the one that it makes. */
export interface Step {
  readonly kernel: Kernel;
  readonly operands: ReadonlyArray<ValueName>;
  readonly result: ValueName;
  readonly type: ValueType;
}

/** The steps of a graph of floats with one input and one output; Left: the op that there is no code for, and why. */
export const planOf = (graph: Graph): E.Either<string, ReadonlyArray<Step>> => {
  const types = typesOf(graph);
  const uses = usesOf(graph);
  const definitions = definitionsOf(graph);
  const steps: Step[] = [...inputOrder(graph.inputs[0]!)];
  const fused = new Set<ValueName>();
  const next = (value: ValueName): Node | undefined =>
    uses.get(value) === 1 ? graph.nodes.find((n) => n.operands.includes(value)) : undefined;
  for (const node of graph.nodes) {
    if (fused.has(node.name)) continue;
    const operandTypes = node.operands.map((name) => types.get(name)!);
    let result = node.name;
    let tail: Tail = {};
    if (node.op.kind === 'kan') {
      let follower = next(result);
      if (follower?.op.kind === 'affine') {
        tail = { scale: follower.op.attrs.scale, shift: follower.op.attrs.shift };
        fused.add(follower.name);
        result = follower.name;
        follower = next(result);
      }
      if (follower?.op.kind === 'activate') {
        const activation = activationCode(follower.op.attrs.function, layoutOf(follower.type));
        if (activation !== undefined) {
          tail = { ...tail, activation };
          fused.add(follower.name);
          result = follower.name;
        }
      }
    }
    const type = types.get(result)!;
    const made = kernelOf(node, operandTypes, type, tail);
    if (E.isLeft(made)) return E.left(`%${node.name}: ${made.left}`);
    steps.push({ kernel: made.right, operands: node.operands, result, type });
  }
  return definitions.has(graph.outputs[0]!) ? E.right(steps) : E.left('the output is the input');
};

const kernelOf = (
  { op }: Node,
  operands: ReadonlyArray<ValueType>,
  type: ValueType,
  tail: Tail,
): E.Either<string, Kernel> => {
  const [x] = operands;
  switch (op.kind) {
    case 'kan':
      return layerKernel(op.attrs, x!, type, tail);
    case 'affine':
      return E.right(affine(op.attrs, type));
    case 'activate':
      return activateKernel(op.attrs.function, type);
    case 'add':
      return E.right(addKernel(type));
    case 'norm':
      return normKernel(op.attrs, type);
    case 'pool':
      return E.right(poolKernel(op.attrs, x!, type));
    case 'multiply':
      return E.right(multiplyKernel(op.attrs, x!));
    case 'concat':
      return concatKernel(operands);
    case 'reshape':
      return E.right(permuteKernel(reordered(x!, type)));
    case 'gather':
      return E.right(permuteKernel(picked(op.attrs.indices.data, x!, type)));
    default:
      return E.left(`${op.kind} is no op of float networks`);
  }
};

const affine = ({ scale, shift }: AffineAttrs, type: ValueType): Kernel => affineKernel(scale, shift, type);

/** A copy, under the name of the input, of an input of several channels and positions: it comes row-major. */
const inputOrder = ({ name, type }: Value): ReadonlyArray<Step> => {
  const { positions, channels } = layoutOf(type);
  if (positions === 1 || channels === 1) return [];
  const place = placeOf(type);
  const order = Array.from({ length: sizeOf(type) }, (_, j) => [j, place(j)] as const);
  return [{ kernel: permuteKernel(order), operands: [name], result: name, type }];
};

/** Where element j of a value, counted row-major, lies in memory. */
const placeOf = (type: ValueType): ((j: number) => number) => {
  const { positions, stride } = layoutOf(type);
  return (j) => (j % positions) * stride + Math.floor(j / positions);
};

const reordered = (from: ValueType, to: ValueType): ReadonlyArray<readonly [number, number]> => {
  const [source, target] = [placeOf(from), placeOf(to)];
  return Array.from({ length: sizeOf(to) }, (_, j) => [source(j), target(j)]);
};

const picked = (
  indices: ArrayLike<number>,
  from: ValueType,
  to: ValueType,
): ReadonlyArray<readonly [number, number]> => {
  const [source, target] = [placeOf(from), placeOf(to)];
  const { positions } = layoutOf(from);
  return Array.from({ length: sizeOf(to) }, (_, j) => {
    const channel = indices[Math.floor(j / positions)]!;
    return [source(channel * positions + (j % positions)), target(j)];
  });
};
