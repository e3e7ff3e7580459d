/** What tracing a program knows and makes. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import type { TensorNode, TensorProgram, ValueId } from '../../tensor/program.js';
import type { Consumers } from '../consumers.js';
import type { FunctionTable } from '../functions.js';
import {
  additive,
  additiveId,
  type Cut,
  type Definition,
  isAdditive,
  sourceAt,
  type Varying,
} from '../traced.js';

/** Filled while a program is traced, and closed with it. */
export interface Tracer {
  readonly program: TensorProgram;
  readonly table: FunctionTable;
  readonly consumers: Consumers;
  readonly cuts: Cut[];
}

/** The cut that an element belongs to. */
export const ownerOf = (cuts: ReadonlyArray<Cut>, id: number): Cut => {
  let [low, high] = [0, cuts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (cuts[middle]!.base <= id) low = middle;
    else high = middle - 1;
  }
  return cuts[low]!;
};

/** A function that remembers the last answer of `ownerOf`: neighbours mostly have one owner. */
export const owners = (cuts: ReadonlyArray<Cut>): ((id: number) => Cut) => {
  let last: Cut | undefined;
  return (id) => {
    if (last === undefined || id < last.base || id >= last.base + last.size) last = ownerOf(cuts, id);
    return last;
  };
};

/** The sample of each source. */
export const sampleOf = (t: Tracer): ((source: number) => number) => {
  const owner = owners(t.cuts);
  return (source) => {
    const cut = owner(source);
    return cut.sample[source - cut.base]!;
  };
};

const showNode = ({ origin }: TensorNode): string => `${origin.op} '${printable(origin.node, 80)}'`;

/** The values that sources are elements of, for people. */
const namesOf = (t: Tracer, sources: Iterable<number>): string => {
  const names = new Set([...sources].map((s) => t.program.nodes[ownerOf(t.cuts, s).value]!.name));
  const shown = [...names].slice(0, 3).map((name) => `'${printable(name, 60)}'`);
  return shown.join(', ') + (names.size > 3 ? ` and ${names.size - 3} more` : '');
};

/** Refuses a node that mixes what no layer of functions of one variable does. */
export const entangled = (
  t: Tracer,
  node: TensorNode,
  how: string,
  sources: Iterable<number> = [],
): Checked<never> => {
  const names = namesOf(t, sources);
  return fail('K0221', `${showNode(node)} ${how}${names === '' ? '' : ` (elements of ${names})`}`, {
    place: { op: node.origin.node },
    expected:
      'sums of functions of one variable each, norms, pools, products of two values, and what moves elements',
    hint: `The part before it can be compiled: --outputs with the name of one of its inputs (${
      node.operands
        .map((o) => t.program.nodes[o]!)
        .filter(({ op }) => op.kind !== 'constant')
        .map(({ name }) => printable(name, 60))
        .slice(0, 3)
        .join(', ') || 'none'
    }). kanc import --describe tells how far the network is a KAN.`,
  });
};

/** The samples of the elements of a value that is laid out sample after sample. */
const leadingSamples = (samples: number, size: number): Uint16Array =>
  Uint16Array.from({ length: size }, (_, e) => Math.floor((e * samples) / size));

/** The sample of an element that is a constant in fact. */
export const UNKNOWN_SAMPLE = 0xffff;

/** The places of elements among those of their sample. */
const ranksOf = (sample: Uint16Array, samples: number): Int32Array => {
  const next = new Int32Array(samples);
  return Int32Array.from(sample, (s) => next[s]!++);
};

/**
 * Adds a cut for a value of the program. `known` are the samples of its elements; those of UNKNOWN_SAMPLE, and all if it
 * is absent, are taken to lie sample after sample, which is checked against those that are known.
 */
export const addCut = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  definition: Definition,
  known: Uint16Array | undefined,
  size: number,
): Checked<Cut> => {
  const { samples } = t.program;
  const leading = size % samples === 0 ? leadingSamples(samples, size) : undefined;
  const sample = known ?? leading;
  if (sample === undefined) return entangled(t, node, `makes ${size} elements of ${samples} samples`);
  if (sample.includes(UNKNOWN_SAMPLE)) {
    for (let e = 0; e < size; e++) {
      if (sample[e] === UNKNOWN_SAMPLE && leading !== undefined) sample[e] = leading[e]!;
      else if (leading === undefined || sample[e] !== leading[e]) {
        return entangled(t, node, 'makes constants of which nobody can tell which sample they belong to');
      }
    }
  }
  const rank = ranksOf(sample, samples);
  const last = t.cuts.at(-1);
  const base = last === undefined ? 0 : last.base + last.size;
  const cut: Cut = { index: t.cuts.length, base, size, sample, rank, value, definition };
  t.cuts.push(cut);
  return E.right(cut);
};

/** The elements of a cut as sources, or as sums that what is linear in them may still go through. */
export const elementsOf = (t: Tracer, { base, size }: Cut, as: 'sources' | 'sums'): Varying => ({
  tag: 'varying',
  source: Int32Array.from({ length: size }, (_, e) => (as === 'sources' ? base + e : additive(base + e))),
  fn: new Int32Array(size).fill(t.table.x),
});

/** The samples of elements, UNKNOWN_SAMPLE for constants. */
export const samplesOf = (t: Tracer, v: Varying): Uint16Array => {
  const of = sampleOf(t);
  return Uint16Array.from(v.source, (_, e) => {
    const source = sourceAt(v, e);
    return source < 0 ? UNKNOWN_SAMPLE : of(source);
  });
};

/** A value that is the operand's elements mixed in a known way, which is a cut of its own. */
export const cutLike = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  definition: Definition,
  operand: Varying,
): Checked<Varying> => {
  const cut = addCut(t, node, value, definition, samplesOf(t, operand), operand.source.length);
  return E.isLeft(cut) ? cut : E.right(elementsOf(t, cut.right, 'sources'));
};

/** The sum that an additive element is. */
export const sumOf = (
  owner: (id: number) => Cut,
  source: number,
): { cut: Cut; local: number } | undefined => {
  if (!isAdditive(source)) return undefined;
  const id = additiveId(source);
  const cut = owner(id);
  return { cut, local: id - cut.base };
};
