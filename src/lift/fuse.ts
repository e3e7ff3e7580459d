/**
 * Norms that a program computes step by step, as one op. What they mix (a mean and a variance of all elements of a
 * group) is no sum of functions of single elements, so that they are found as wholes before anything is followed.
 *
 *   d = x - mean(x);  v = mean(d * d) or mean(x * x) - mean(x)^2, times a constant c where the variance is unbiased
 *   y = d / sqrt(v + e), or d times the reciprocal of that, or x * r + (b - mean(x) * r) with r = g / sqrt(v + e)
 *
 * is (x standardized with e / c) / sqrt(c), times g plus b in the last form.
 */
import type { ScalarFunction } from '../numeric/scalar.js';
import { withoutDead } from '../tensor/live.js';
import type { TensorNode, TensorOp, TensorProgram, ValueId } from '../tensor/program.js';

type Nodes = ReadonlyArray<TensorNode>;

const mapOf = (
  nodes: Nodes,
  id: ValueId | undefined,
  fn: ScalarFunction,
): ReadonlyArray<ValueId> | undefined => {
  const node = id === undefined ? undefined : nodes[id];
  return node?.op.kind === 'map' && node.op.fn === fn ? node.operands : undefined;
};

/** A constant of equal elements. */
const literal = (nodes: Nodes, id: ValueId | undefined): number | undefined => {
  const op = id === undefined ? undefined : nodes[id]?.op;
  if (op?.kind !== 'constant' || op.data.length === 0) return undefined;
  const [first] = op.data;
  return op.data.every((v) => v === first) ? first : undefined;
};

/** What is multiplied by a literal, or divided by one; 1 times itself otherwise. */
const timesLiteral = (nodes: Nodes, id: ValueId): { value: ValueId; times: number } => {
  const product = mapOf(nodes, id, 'mul');
  if (product !== undefined) {
    const [a, b] = product;
    const right = literal(nodes, b);
    if (right !== undefined) return { value: a!, times: right };
    const left = literal(nodes, a);
    if (left !== undefined) return { value: b!, times: left };
  }
  const quotient = mapOf(nodes, id, 'div');
  const by = literal(nodes, quotient?.[1]);
  return quotient !== undefined && by !== undefined
    ? { value: quotient[0]!, times: 1 / by }
    : { value: id, times: 1 };
};

const axesKey = (axes: ReadonlyArray<number>): string => [...axes].sort((a, b) => a - b).join();

/** What a choice by a constant is, which guards of degrees of freedom leave behind. */
const chosen = (nodes: Nodes, id: ValueId): ValueId => {
  const choice = mapOf(nodes, id, 'where');
  const condition = literal(nodes, choice?.[0]);
  return choice === undefined || condition === undefined
    ? id
    : chosen(nodes, choice[condition !== 0 ? 1 : 2]!);
};

interface Mean {
  readonly of: ValueId;
  readonly axes: ReadonlyArray<number>;
}

/** A mean that keeps its dimensions: as one op, or as a sum that is divided and reshaped. */
const meanOf = (nodes: Nodes, given: ValueId | undefined): Mean | undefined => {
  if (given === undefined) return undefined;
  const { value, times } = timesLiteral(nodes, chosen(nodes, given));
  const outer = nodes[value]!;
  const reduced = outer.op.kind === 'reshape' ? outer.operands[0]! : value;
  const node = nodes[reduced]!;
  if (node.op.kind !== 'reduce' || (node.op.fn !== 'mean' && node.op.fn !== 'sum')) return undefined;
  const { axes, fn } = node.op;
  const of = node.operands[0]!;
  const { shape } = nodes[of]!.type;
  const kept = shape.map((n, d) => (axes.includes(d) ? 1 : n));
  if (outer.type.shape.length !== kept.length || outer.type.shape.some((n, d) => n !== kept[d]))
    return undefined;
  const count = fn === 'mean' ? 1 : axes.reduce((n, d) => n * shape[d]!, 1);
  return Math.abs(times * count - 1) < 1e-6 ? { of, axes } : undefined;
};

const squareOf = (nodes: Nodes, id: ValueId | undefined): ValueId | undefined => {
  const product = mapOf(nodes, id, 'mul');
  if (product !== undefined) return product[0] === product[1] ? product[0] : undefined;
  const powered = mapOf(nodes, id, 'pow');
  return powered !== undefined && literal(nodes, powered[1]) === 2 ? powered[0] : undefined;
};

/** x - mean(x). */
const centredOf = (nodes: Nodes, id: ValueId | undefined): Mean | undefined => {
  const difference = mapOf(nodes, id, 'sub');
  const mean = meanOf(nodes, difference?.[1]);
  return mean !== undefined && mean.of === difference?.[0] ? mean : undefined;
};

interface Spread {
  readonly of: ValueId;
  readonly axes: ReadonlyArray<number>;
  readonly epsilon: number;
  /** What the biased variance is multiplied by. */
  readonly times: number;
}

/** The variance of a value, biased. */
const varianceOf = (nodes: Nodes, given: ValueId): Mean | undefined => {
  const id = chosen(nodes, given);
  const direct = meanOf(nodes, id);
  const centred = centredOf(nodes, squareOf(nodes, direct?.of));
  if (direct !== undefined && centred !== undefined) {
    return axesKey(direct.axes) === axesKey(centred.axes) ? centred : undefined;
  }
  // The mean of the squares less the square of the mean, kept from falling below 0.
  const bounded = mapOf(nodes, id, 'max');
  const inner = bounded === undefined ? id : literal(nodes, bounded[0]) === 0 ? bounded[1] : bounded[0];
  const difference = mapOf(nodes, inner, 'sub');
  const squares = meanOf(nodes, difference?.[0]);
  const mean = meanOf(nodes, squareOf(nodes, difference?.[1]));
  const of = squareOf(nodes, squares?.of);
  if (squares === undefined || mean === undefined || of === undefined || of !== mean.of) return undefined;
  return axesKey(squares.axes) === axesKey(mean.axes) ? mean : undefined;
};

/** c * variance + e. */
const spreadOf = (nodes: Nodes, id: ValueId | undefined): Spread | undefined => {
  const sum = mapOf(nodes, id, 'add');
  if (sum === undefined) return undefined;
  const right = literal(nodes, sum[1]);
  const [value, epsilon] = right === undefined ? [sum[1]!, literal(nodes, sum[0])] : [sum[0]!, right];
  if (epsilon === undefined || epsilon <= 0) return undefined;
  const scaled = timesLiteral(nodes, value);
  const variance = varianceOf(nodes, scaled.value) ?? varianceOf(nodes, value);
  if (variance === undefined) return undefined;
  const times = varianceOf(nodes, scaled.value) === undefined ? 1 : scaled.times;
  return { ...variance, epsilon, times };
};

/** The square root of a spread. */
const deviationOf = (nodes: Nodes, id: ValueId | undefined): Spread | undefined => {
  const root = mapOf(nodes, id, 'sqrt');
  if (root !== undefined) return spreadOf(nodes, root[0]);
  const powered = mapOf(nodes, id, 'pow');
  return powered !== undefined && literal(nodes, powered[1]) === 0.5
    ? spreadOf(nodes, powered[0])
    : undefined;
};

/** One over the square root of a spread. */
const inverseOf = (nodes: Nodes, id: ValueId | undefined): Spread | undefined => {
  const reciprocal = mapOf(nodes, id, 'reciprocal');
  if (reciprocal !== undefined) return deviationOf(nodes, reciprocal[0]);
  const powered = mapOf(nodes, id, 'pow');
  if (powered !== undefined && literal(nodes, powered[1]) === -0.5) return spreadOf(nodes, powered[0]);
  const quotient = mapOf(nodes, id, 'div');
  return quotient !== undefined && literal(nodes, quotient[0]) === 1
    ? deviationOf(nodes, quotient[1])
    : undefined;
};

/** A norm that ends at a node, with what it is multiplied by and what is added. */
interface Norm {
  readonly spread: Spread;
  readonly gain?: ValueId;
  readonly shift?: ValueId;
}

const sameGroup = (spread: Spread | undefined, mean: Mean | undefined) =>
  spread !== undefined &&
  mean !== undefined &&
  spread.of === mean.of &&
  axesKey(spread.axes) === axesKey(mean.axes)
    ? spread
    : undefined;

/** d / deviation or d * inverse. */
const quotientNorm = (nodes: Nodes, id: ValueId): Norm | undefined => {
  const quotient = mapOf(nodes, id, 'div');
  if (quotient !== undefined) {
    const spread = sameGroup(deviationOf(nodes, quotient[1]), centredOf(nodes, quotient[0]));
    return spread === undefined ? undefined : { spread };
  }
  const product = mapOf(nodes, id, 'mul');
  if (product === undefined) return undefined;
  const [a, b] = product;
  const spread =
    sameGroup(inverseOf(nodes, b), centredOf(nodes, a)) ??
    sameGroup(inverseOf(nodes, a), centredOf(nodes, b));
  if (spread !== undefined) return { spread };
  return gained(nodes, a, b) ?? gained(nodes, b, a);
};

/** d times (inverse * g). */
const gained = (
  nodes: Nodes,
  centred: ValueId | undefined,
  factor: ValueId | undefined,
): Norm | undefined => {
  const scale = factorOf(nodes, factor);
  const spread = sameGroup(scale?.spread, centredOf(nodes, centred));
  return spread === undefined || scale?.gain === undefined ? undefined : { spread, gain: scale.gain };
};

/** inverse, or inverse * g. */
const factorOf = (nodes: Nodes, id: ValueId | undefined): { spread: Spread; gain?: ValueId } | undefined => {
  const plain = inverseOf(nodes, id);
  if (plain !== undefined) return { spread: plain };
  const product = mapOf(nodes, id, 'mul');
  if (product === undefined) return undefined;
  for (const [factor, gain] of [product, [product[1], product[0]]] as const) {
    const spread = inverseOf(nodes, factor);
    if (spread !== undefined && gain !== undefined && nodes[gain]?.op.kind === 'constant')
      return { spread, gain };
  }
  return undefined;
};

/** b - a * r, or -a * r + b: b, and the two factors of which one is a mean. */
const shiftedProduct = (
  nodes: Nodes,
  id: ValueId | undefined,
): { shift: ValueId; factors: ReadonlyArray<readonly [ValueId, ValueId]> } | undefined => {
  const both = (product: ReadonlyArray<ValueId>) =>
    [
      [product[0]!, product[1]!],
      [product[1]!, product[0]!],
    ] as const;
  const [shift, subtracted] = mapOf(nodes, id, 'sub') ?? [];
  const product = mapOf(nodes, subtracted, 'mul');
  if (shift !== undefined && product !== undefined) return { shift, factors: both(product) };
  const sum = mapOf(nodes, id, 'add');
  if (sum === undefined) return undefined;
  for (const [a, b] of both(sum)) {
    const negated = mapOf(nodes, a, 'mul');
    if (negated === undefined) continue;
    for (const [first, second] of both(negated)) {
      const [value] = mapOf(nodes, first, 'neg') ?? [];
      if (value !== undefined) return { shift: b, factors: [[value, second]] };
    }
  }
  return undefined;
};

/** x * r + (b - mean(x) * r), in any order. */
const sumNorm = (nodes: Nodes, id: ValueId): Norm | undefined => {
  const sum = mapOf(nodes, id, 'add');
  if (sum === undefined) return undefined;
  for (const [product, rest] of [sum, [sum[1], sum[0]]] as const) {
    const [x, r] = mapOf(nodes, product, 'mul') ?? [];
    const shifted = shiftedProduct(nodes, rest);
    if (shifted === undefined) continue;
    for (const [value, factor] of [
      [x, r],
      [r, x],
    ] as const) {
      const scale = factorOf(nodes, factor);
      const mean = shifted.factors.find(([, again]) => again === factor)?.[0];
      const spread = sameGroup(scale?.spread, meanOf(nodes, mean));
      if (spread === undefined || value !== spread.of) continue;
      return { spread, shift: shifted.shift, ...(scale?.gain === undefined ? {} : { gain: scale.gain }) };
    }
  }
  return undefined;
};

/** The program with the norms in it as single ops. What only they took is left out. */
export const fuseNorms = (program: TensorProgram): TensorProgram => {
  const { nodes } = program;
  const made: TensorNode[] = [];
  const renamed: ValueId[] = [];
  for (const [id, node] of nodes.entries()) {
    const norm = node.op.kind === 'map' ? (sumNorm(nodes, id) ?? quotientNorm(nodes, id)) : undefined;
    if (norm === undefined) {
      renamed.push(made.push({ ...node, operands: node.operands.map((o) => renamed[o]!) }) - 1);
    } else renamed.push(writeNorm(made, node, nodes, norm, renamed));
  }
  return withoutDead({
    ...program,
    nodes: made,
    inputs: program.inputs.map((i) => renamed[i]!),
    outputs: program.outputs.map((o) => renamed[o]!),
  });
};

const writeNorm = (
  made: TensorNode[],
  node: TensorNode,
  nodes: Nodes,
  { spread, gain, shift }: Norm,
  renamed: ReadonlyArray<ValueId>,
): ValueId => {
  const { of, axes, epsilon, times } = spread;
  const add = (suffix: string, op: TensorOp, operands: ReadonlyArray<ValueId>, type = node.type): ValueId =>
    made.push({ ...node, name: `${node.name}${suffix}`, type, op, operands }) - 1;
  let value = add(
    '',
    { kind: 'standardize', axes, epsilon: epsilon / times },
    [renamed[of]!],
    nodes[of]!.type,
  );
  if (times !== 1) {
    const data = Float64Array.of(1 / Math.sqrt(times));
    const factor = add('.scale', { kind: 'constant', data }, [], { dtype: 'f32', shape: [] });
    value = add('.scaled', { kind: 'map', fn: 'mul' }, [value, factor]);
  }
  if (gain !== undefined) value = add('.gained', { kind: 'map', fn: 'mul' }, [value, renamed[gain]!]);
  if (shift !== undefined) value = add('.shifted', { kind: 'map', fn: 'add' }, [value, renamed[shift]!]);
  return value;
};
