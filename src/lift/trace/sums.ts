/** Sums of values: their terms are those of the sums that go into them, and functions of single sources. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../diagnostics/index.js';
import type { TensorNode, ValueId } from '../../tensor/program.js';
import { type Cut, factorAt, isAdditive, NO_SOURCE, type Term, type Varying } from '../traced.js';
import {
  addCut,
  elementsOf,
  entangled,
  owners,
  sampleOf,
  sumOf,
  type Tracer,
  UNKNOWN_SAMPLE,
} from './state.js';

/** A summand, with a factor for each element of the sum. */
export interface Summand {
  readonly value: Varying;
  readonly factor: (e: number) => number;
}

/** Elements of sums by the cut of the sum: for each element of the new one its place there, or -1. */
const byOwner = (t: Tracer, { value }: Summand): ReadonlyMap<Cut, Int32Array> => {
  const owner = owners(t.cuts);
  const found = new Map<Cut, Int32Array>();
  for (let e = 0; e < value.source.length; e++) {
    const sum = sumOf(owner, value.source[e]!);
    if (sum === undefined) continue;
    let places = found.get(sum.cut);
    if (places === undefined) {
      places = new Int32Array(value.source.length).fill(-1);
      found.set(sum.cut, places);
    }
    places[e] = sum.local;
  }
  return found;
};

/** A term of one sum as a term of another, whose element e takes element places[e] of it. */
const moved = (t: Tracer, term: Term, places: Int32Array, factor: (e: number) => number): Term => {
  if (term.kind === 'pointwise')
    return { kind: 'pointwise', operand: picked(t, term.operand, places, factor) };
  return {
    ...term,
    patch: Int32Array.from(places, (at) => (at < 0 ? -1 : term.patch[at]!)),
    row: Int32Array.from(places, (at) => (at < 0 ? 0 : term.row[at]!)),
    factor: Float64Array.from(places, (at, e) => (at < 0 ? 0 : factor(e) * (term.factor?.[at] ?? 1))),
  };
};

const picked = (t: Tracer, v: Varying, places: Int32Array, factor: (e: number) => number): Varying => {
  const zero = t.table.constant(0);
  return {
    tag: 'varying',
    source: Int32Array.from(places, (at) => (at < 0 ? NO_SOURCE : v.source[at]!)),
    fn: Int32Array.from(places, (at) => (at < 0 ? zero : v.fn[at]!)),
    factor: Float64Array.from(places, (at, e) => (at < 0 ? 1 : factor(e) * factorAt(v, at))),
  };
};

/** The terms of summands, and the constants in them. */
const termsOf = (
  t: Tracer,
  summands: ReadonlyArray<Summand>,
  size: number,
): { readonly terms: ReadonlyArray<Term>; readonly bias: Float64Array } => {
  const bias = new Float64Array(size);
  const terms: Term[] = [];
  for (const summand of summands) {
    const { value, factor } = summand;
    for (const [cut, places] of byOwner(t, summand)) {
      if (cut.definition.kind !== 'sum') continue;
      const { definition } = cut;
      const whole = (e: number): number => factor(e) * factorAt(value, e);
      for (const term of definition.terms) terms.push(moved(t, term, places, whole));
      if (definition.bias === undefined) continue;
      for (let e = 0; e < size; e++) {
        if (places[e]! >= 0) bias[e]! += whole(e) * definition.bias[places[e]!]!;
      }
    }
    const single = new Int32Array(size).fill(-1);
    let some = false;
    for (let e = 0; e < size; e++) {
      const source = value.source[e]!;
      if (source === NO_SOURCE) {
        bias[e]! += factor(e) * factorAt(value, e) * (t.table.constantOf(value.fn[e]!) ?? Number.NaN);
      } else if (!isAdditive(source)) {
        single[e] = e;
        some = true;
      }
    }
    if (some) terms.push({ kind: 'pointwise', operand: picked(t, value, single, factor) });
  }
  return { terms, bias };
};

/**
 * Puts the samples of what a term adds into `sample`; the first element that gets parts of several samples, or -1.
 */
const addSamples = (t: Tracer, term: Term, sample: Uint16Array): number => {
  const of = sampleOf(t);
  const join = (e: number, s: number): boolean => {
    if (s === UNKNOWN_SAMPLE) return true;
    if (sample[e] === UNKNOWN_SAMPLE) sample[e] = s;
    return sample[e] === s;
  };
  if (term.kind === 'pointwise') {
    const { source } = term.operand;
    for (let e = 0; e < source.length; e++) if (source[e]! >= 0 && !join(e, of(source[e]!))) return e;
    return -1;
  }
  const ofPatch = patchSamples(t, term);
  for (let e = 0; e < term.patch.length; e++) {
    const p = term.patch[e]!;
    if (p < 0) continue;
    if (ofPatch[p] === MIXED || !join(e, ofPatch[p]!)) return e;
  }
  return -1;
};

const MIXED = 0xfffe;

const patchSamples = (t: Tracer, { offset, tap, operand }: Extract<Term, { kind: 'rows' }>): Uint16Array => {
  const of = sampleOf(t);
  const { source } = operand;
  return Uint16Array.from(offset, (from) => {
    let found = UNKNOWN_SAMPLE;
    for (let j = 0; j < tap.length; j++) {
      const s = source[from + tap[j]!]!;
      if (s < 0) continue;
      const sample = of(s);
      if (found === UNKNOWN_SAMPLE) found = sample;
      else if (found !== sample) return MIXED;
    }
    return found;
  });
};

/**
 * A new cut for a sum of terms. Where several nodes take it, layers end here and its elements are sources; otherwise
 * what takes it decides.
 */
export const cutOfTerms = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  terms: ReadonlyArray<Term>,
  bias: Float64Array,
): Checked<Varying> => {
  const sample = new Uint16Array(bias.length).fill(UNKNOWN_SAMPLE);
  for (const term of terms) {
    if (addSamples(t, term, sample) >= 0) return entangled(t, node, 'mixes the samples of a batch');
  }
  const definition = bias.some((b) => b !== 0)
    ? ({ kind: 'sum', terms, bias } as const)
    : ({ kind: 'sum', terms } as const);
  const cut = addCut(t, node, value, definition, sample, bias.length);
  if (E.isLeft(cut)) return cut;
  return E.right(elementsOf(t, cut.right, t.consumers.count(value) > 1 ? 'sources' : 'sums'));
};

/** The sum of values, element by element. */
export const addUp = (
  t: Tracer,
  node: TensorNode,
  value: ValueId,
  summands: ReadonlyArray<Summand>,
  size: number,
): Checked<Varying> => {
  const { terms, bias } = termsOf(t, summands, size);
  return cutOfTerms(t, node, value, terms, bias);
};
