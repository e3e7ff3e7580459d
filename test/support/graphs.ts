/**
 * Random graphs of every level, for properties and fuzzers: each is built with the builder, passes the
 * verifier, and over many seeds all ops and all forms of their attributes occur.
 */
import * as fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { showDiagnostic } from '../../src/diagnostics/index.js';
import {
  allocate,
  type Builder,
  builder,
  floatType,
  type Graph,
  int,
  LEVELS,
  type Level,
  levelsOf,
  maxOf,
  minOf,
  type Op,
  printGraph,
  sizeOf,
  type Tensor,
  uint,
  type ValueName,
  type ValueType,
  valueType,
} from '../../src/ir/index.js';
import { anyUse } from './ops.js';
import { anyQuantizer, anyScale } from './quantizers.js';
import { type Random, randomOf } from './random.js';

/** Features, matrices or images. */
const anyShape = (r: Random): ReadonlyArray<number> => {
  const kind = r.unit();
  if (kind < 0.6) return [r.whole(1, 6)];
  return kind < 0.7 ? [r.whole(1, 3), r.whole(1, 3)] : [r.whole(1, 4), r.whole(1, 5), r.whole(1, 5)];
};

const inputType = (r: Random): ValueType => {
  const shape = anyShape(r);
  const kind = r.unit();
  if (kind < 0.5) return floatType(shape);
  if (kind < 0.65) return valueType(uint(r.whole(1, 8)), shape);
  if (kind < 0.85) {
    const bits = r.whole(1, 6);
    return valueType(uint(bits), shape, anyQuantizer(r, shape[0]!, bits));
  }
  const bound = r.pick([30, 2000, 9999]);
  const meaning = {
    _tag: 'scaled',
    scale: anyScale(r, shape[0]!),
    lo: -r.whole(0, bound),
    hi: r.whole(0, bound),
  } as const;
  return valueType(int(r.pick([16, 32])), shape, meaning);
};

const HINTS = ['x', 'h', 'q0', 'acc', 'layers.0.out', '_t', 'Value9'];
const NAMES = ['net', 'fashion_mnist', 'my net', 'été "x"', '', 'a\u202eb\n', '9lives', '\ud800'];

/** Adds up to `size` ops to values that suit them; what suits nothing is left out. */
const grow = <L extends Level>(
  r: Random,
  b: Builder<L>,
  level: L,
  names: ValueName[],
  size: number,
): void => {
  const values = names.map((name) => ({ name, type: b.typeOf(name) }));
  for (let step = 0; step < size; step++) {
    const use = anyUse(r, level, r.pick(values), values);
    if (use === undefined) continue;
    const name = b.add(r.pick(HINTS), use.op, use.operands);
    values.push({ name, type: b.typeOf(name) });
    names.push(name);
  }
};

/** The graph of a seed: about `size` ops. The same arguments give the same graph. */
export const randomGraph = (level: Level, seed: number, size: number): Graph => {
  const r = randomOf(seed);
  const b = builder(r.pick(NAMES), level);
  const values = Array.from({ length: r.whole(1, 2) }, () => b.input(r.pick(HINTS), inputType(r)));
  grow(r, b, level, values, size);
  const last = values.at(-1);
  const outputs = [...(last === undefined ? [] : [last]), ...(r.chance(0.3) ? [r.pick(values)] : [])];
  const graph = b.build(outputs);
  if (E.isLeft(graph)) throw new Error(`seed ${seed}: ${graph.left.map(showDiagnostic).join(' ')}`);
  return graph.right;
};

/** Graphs of one level, or of all. Shrinks towards few ops. */
export const arbitraryGraph = (level?: Level): fc.Arbitrary<Graph> =>
  fc
    .record({
      size: fc.nat(8),
      level: level === undefined ? fc.constantFrom(...LEVELS) : fc.constant(level),
      seed: fc.integer(),
    })
    .map(({ level: l, seed, size }) => randomGraph(l, seed, size));

/** A batch of values of a type: codes below its levels, accumulators within their range, any finite f32. */
export const randomTensor = (r: Random, type: ValueType, batch: number): Tensor => {
  const data = allocate(type.element, batch * sizeOf(type));
  const [lo, hi] =
    type.meaning?._tag === 'scaled'
      ? [type.meaning.lo, type.meaning.hi]
      : [minOf(type.element), type.element.kind === 'uint' ? levelsOf(type) - 1 : maxOf(type.element)];
  for (let i = 0; i < data.length; i++) data[i] = type.element.kind === 'f32' ? r.float() : r.whole(lo, hi);
  return { type, batch, data };
};

/** All kinds of ops in graphs. */
export const kindsIn = (graphs: ReadonlyArray<Graph>): ReadonlySet<Op['kind']> =>
  new Set(graphs.flatMap((g) => g.nodes.map((node) => node.op.kind)));

/** The text of some graph that has at least two constants in its resource section. */
export const textWithResources = (level: Level): string => {
  for (let seed = 0; ; seed++) {
    const text = printGraph(randomGraph(level, seed, 8));
    if ((text.match(/sha256-/g) ?? []).length >= 2) return text;
  }
};
