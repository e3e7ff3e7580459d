/** Lists of operand values for one stage, what they show about it, and what it must give for them. */
import { InternalError } from '../diagnostics/index.js';
import { allocate, type TypedArray } from '../ir/element.js';
import { sizeOf } from '../ir/types.js';
import { evaluateUnit, type Unit } from './unit.js';

/**
 * Whether the samples, together with the assumptions of docs/proofs.md, cover every input of the stage; or are run besides
 * those that do, against the assumptions.
 */
export type Claim = 'proved' | 'sampled' | 'besides';

export interface Probes {
  readonly claim: Claim;
  /** What is run, in a few words with counts. */
  readonly what: string;
  /** Why it is not more: for what is sampled, or rests on an assumption of its own. */
  readonly why?: string;
  readonly samples: number;
  /** Writes samples from, from + 1, ... into arrays [sample, element], one for each operand. */
  readonly fill: (from: number, count: number, operands: ReadonlyArray<TypedArray>) => void;
  /** Expected results of these samples into `results`, [sample, element]. */
  readonly expect: (
    from: number,
    count: number,
    operands: ReadonlyArray<TypedArray>,
    results: TypedArray,
  ) => void;
  /** Expected results do not come from the interpreter: some of them are compared with it. */
  readonly incremental?: boolean;
  /** A sample in words, with regard to one element of the result. */
  readonly describe: (sample: number, element: number) => string;
  /** Of what was expected in all samples, how much `what` really holds; asked for when all samples have been run. */
  readonly covered?: () => { readonly claim: Claim; readonly what: string; readonly why?: string };
}

/** The definition itself: the nodes of the unit in the interpreter. */
export const byDefinition =
  (unit: Unit): Probes['expect'] =>
  (_, count, operands, results) => {
    const tensors = unit.operands.map(({ type }, k) => ({
      type,
      batch: count,
      data: operands[k]!.subarray(0, count * sizeOf(type)),
    }));
    results.set(evaluateUnit(unit, tensors).data);
  };

/** Arrays for `samples` values of each operand. */
export const operandArrays = (unit: Unit, samples: number): ReadonlyArray<TypedArray> =>
  unit.operands.map(({ type }) => allocate(type.element, samples * sizeOf(type)));

/** Probes that are kept as arrays: few, or of no regular form. */
export const listed = (
  unit: Unit,
  samples: ReadonlyArray<ReadonlyArray<TypedArray>>,
  about: Pick<Probes, 'claim' | 'what' | 'why' | 'describe'>,
): Probes => ({
  ...about,
  samples: samples.length,
  fill: (from, count, operands) => {
    for (let s = 0; s < count; s++) {
      const sample = samples[from + s];
      if (sample === undefined) throw new InternalError(`there is no probe ${from + s}`);
      for (let k = 0; k < operands.length; k++) operands[k]!.set(sample[k]!, s * sample[k]!.length);
    }
  },
  expect: byDefinition(unit),
});

/** Mulberry32: uniform numbers of [0, 1), the same on every run. */
export const uniformNumbers = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
};

export const counted = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
