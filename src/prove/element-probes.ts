/**
 * Stages whose results depend on one element of each operand: every element runs through a list of values, all elements
 * at once, each starting at another place of the list so that a stage that mixes them up is seen.
 */
import { SPECIAL_FLOATS } from '../analyses/probes.js';
import type { TypedArray } from '../ir/element.js';
import type { QuantizeAttrs } from '../ir/ops/quantize.js';
import { isShared, thresholdList } from '../ir/quantizer.js';
import { channelsOf, innerOf, levelsOf, sizeOf, type ValueType } from '../ir/types.js';
import { floatAt, HIGHEST, LOWEST, orderOf } from '../numeric/float-order.js';
import { byDefinition, counted, operandArrays, type Probes, uniformNumbers } from './probes.js';
import { evaluateUnit, narrowed, type Unit } from './unit.js';

/** Values for the elements of a channel: `value(k, channel, index)` for operand k, index below `length`. */
export interface ValueList {
  readonly length: number;
  readonly value: (operand: number, channel: number, index: number) => number;
  readonly claim: Probes['claim'];
  readonly what: string;
  readonly why?: string;
}

/** Elements times samples that a list may take at most, where every channel still sees all of it. */
const MOST_ELEMENTS = 2 ** 24;

export const elementProbes = (unit: Unit, list: ValueList): Probes => {
  const { type } = unit.operands[0]!;
  const size = sizeOf(type);
  const inner = innerOf(type);
  const { length } = list;
  const fewest = Math.ceil(length / inner) + 1;
  const samples = Math.min(length, Math.max(fewest, Math.floor(MOST_ELEMENTS / size)));
  /** Together the elements of a channel, which start at equal distances, see the whole list. */
  const indexAt = (sample: number, element: number): number => {
    const [channel, place] = [Math.floor(element / inner), element % inner];
    return (sample + Math.floor((place * length) / inner) + 61 * channel) % length;
  };
  /** Where a code cannot occur in an element, the next of the list that can. */
  const valueAt = (k: number, e: number, index: number): number => {
    const channel = Math.floor(e / inner);
    for (let step = 0; unit.occurs !== undefined && step < length; step++) {
      const value = list.value(k, channel, (index + step) % length);
      if (unit.occurs(k, e, value)) return value;
    }
    return list.value(k, channel, index);
  };
  const complete = samples === length;
  // Where channels have many places, an entry of the list is evaluated once for all of them.
  const table =
    unit.occurs === undefined && 2 * length * channelsOf(type) < samples * size
      ? resultTable(unit, list)
      : undefined;
  const where = complete ? 'at every element' : 'in every channel';
  return {
    claim: list.claim,
    what: `${list.what} ${where}`,
    ...(list.why !== undefined
      ? { why: list.why }
      : complete
        ? {}
        : { why: 'spread over the places of a channel: at every one of them it would take too long' }),
    samples,
    fill: (from, count, operands) => {
      for (let k = 0; k < operands.length; k++) {
        const data = operands[k]!;
        for (let s = 0; s < count; s++) {
          for (let e = 0; e < size; e++) {
            data[s * size + e] = valueAt(k, e, indexAt(from + s, e));
          }
        }
      }
    },
    incremental: table !== undefined,
    expect: table === undefined ? byDefinition(unit) : tabulated(table, size, inner, indexAt),
    describe: (sample, element) => {
      const index = indexAt(sample, element);
      const channel = Math.floor(element / inner);
      const values = unit.operands.map(({ name }, k) => `${list.value(k, channel, index)} in %${name}`);
      return `element ${element} from ${values.join(' and ')}`;
    },
  };
};

/** Results out of those of the list, [index, channel]. */
const tabulated =
  (
    table: TypedArray,
    size: number,
    inner: number,
    indexAt: (sample: number, element: number) => number,
  ): Probes['expect'] =>
  (from, count, _, results) => {
    const channels = size / inner;
    for (let s = 0; s < count; s++) {
      for (let e = 0; e < size; e++) {
        results[s * size + e] = table[indexAt(from + s, e) * channels + Math.floor(e / inner)]!;
      }
    }
  };

/** The results of a list by definition: [index, channel]. */
const resultTable = (unit: Unit, list: ValueList): TypedArray => {
  const one = narrowed(unit);
  const channels = sizeOf(one.type);
  const operands = operandArrays(one, list.length).map((data, k) => {
    for (let j = 0; j < data.length; j++) data[j] = list.value(k, j % channels, Math.floor(j / channels));
    return { type: one.operands[k]!.type, batch: list.length, data };
  });
  return evaluateUnit(one, operands).data;
};

/** Accumulators, of all channels together, that are run one by one. */
const MOST_VALUES = 2 ** 25;

/** The integers that an operand can hold: codes, or what its range proves. */
export const rangeOf = (type: ValueType): { readonly lo: number; readonly hi: number } => {
  if (type.meaning?._tag === 'scaled') return { lo: type.meaning.lo, hi: type.meaning.hi };
  return { lo: 0, hi: levelsOf(type) - 1 };
};

/** Every integer of the range of a unit's operand, where these are few. */
export const everyInteger = (unit: Unit, what: string): ValueList | undefined => {
  const { type } = unit.operands[0]!;
  const { lo, hi } = rangeOf(type);
  const length = hi - lo + 1;
  return length * channelsOf(type) > MOST_VALUES
    ? undefined
    : {
        length,
        value: (_, __, index) => lo + index,
        claim: 'proved',
        what: `all ${counted(length, what)} of [${lo}, ${hi}]`,
      };
};

const SEARCHED = 2 ** 22;

/**
 * For codes that grow with accumulators of many values: for every channel and code the first accumulator that has it, and
 * its neighbours; the ends of the range; random ones. Undefined where such a list would be too long.
 */
export const codeSteps = (whole: Unit): ValueList | undefined => {
  const unit = narrowed(whole);
  const { type } = unit.operands[0]!;
  const { lo, hi } = rangeOf(type);
  const [channels, steps] = [channelsOf(type), levelsOf(unit.type) - 1];
  const size = channels * steps;
  if (size > SEARCHED || sizeOf(type) !== channels) return undefined;
  // The first value with a code above step s, by bisection of all channels and steps at once.
  const low = new Float64Array(size).fill(lo);
  const high = new Float64Array(size).fill(hi + 1);
  const middle = new Int32Array(size);
  for (let width = hi + 1 - lo; width >= 1; width = Math.floor(width / 2)) {
    for (let j = 0; j < size; j++) middle[j] = Math.min(hi, Math.floor((low[j]! + high[j]!) / 2));
    const codes = evaluateUnit(unit, [{ type, batch: steps, data: middle }]).data;
    for (let j = 0; j < size; j++) {
      if (low[j]! >= high[j]!) continue;
      if (codes[j]! > Math.floor(j / channels)) high[j] = middle[j]!;
      else low[j] = middle[j]! + 1;
    }
  }
  const random = uniformNumbers(5);
  const others = Float64Array.from({ length: 256 }, () => Math.floor(lo + random() * (hi - lo + 1)));
  const clamp = (v: number): number => Math.min(hi, Math.max(lo, v));
  const length = 3 * steps + 2 + others.length;
  return {
    length,
    value: (_, c, index) => {
      if (index === 0) return lo;
      if (index === 1) return hi;
      const step = Math.floor((index - 2) / 3);
      return step < steps
        ? clamp(high[step * channels + c]! - 1 + ((index - 2) % 3))
        : others[index - 2 - 3 * steps]!;
    },
    claim: 'proved',
    what: `the ${counted(steps, 'accumulator')} where codes change, with the neighbours, and the ends of [${lo}, ${hi}]`,
    why: 'too many accumulators to run all: codes are taken to grow with them',
  };
};

/** Ends of the range and random integers, for stages where all would be too many. */
export const someIntegers = (unit: Unit, why: string): ValueList => {
  const { lo, hi } = rangeOf(unit.operands[0]!.type);
  const random = uniformNumbers(7);
  const near = [0, 1, -1, 127, -128, 255, 32767, -32768, 2 ** 24, -(2 ** 24), 2 ** 24 + 1];
  const values = [lo, lo + 1, hi - 1, hi, ...near].filter((v) => v >= lo && v <= hi);
  const drawn = Array.from({ length: 4096 }, () => Math.floor(lo + random() * (hi - lo + 1)));
  const all = [...values, ...drawn];
  return {
    length: all.length,
    value: (_, __, index) => all[index]!,
    claim: 'sampled',
    what: `${counted(all.length, 'accumulator')} of [${lo}, ${hi}]`,
    why,
  };
};

const RANDOM_FLOATS = 64;

/** Every threshold of a quantizer with its neighbours, the special floats, and random ones of all magnitudes. */
export const thresholdValues = (attrs: QuantizeAttrs, channels: number): ValueList => {
  const { quantizer } = attrs;
  const shared = isShared(quantizer);
  const lists = Array.from({ length: shared ? 1 : channels }, (_, c) => thresholdList(quantizer, c));
  const specials = attrs.nan === 'refuse' ? SPECIAL_FLOATS.filter((x) => !Number.isNaN(x)) : SPECIAL_FLOATS;
  const random = uniformNumbers(3);
  const drawn = Float32Array.from({ length: RANDOM_FLOATS }, () =>
    floatAt(LOWEST + Math.floor(random() * (HIGHEST - LOWEST + 1))),
  );
  const fixed = [...specials, ...drawn];
  const steps = quantizer.levels - 1;
  return {
    // Two floats below: under a threshold of 0 there is -0, which is not below it.
    length: fixed.length + 4 * steps,
    value: (_, c, index) => {
      if (index < fixed.length) return fixed[index]!;
      const threshold = lists[shared ? 0 : c]![Math.floor((index - fixed.length) / 4)]!;
      const order = orderOf(threshold) - 2 + ((index - fixed.length) % 4);
      return floatAt(Math.min(HIGHEST, Math.max(LOWEST, order)));
    },
    claim: 'proved',
    what: `the ${counted(steps, 'threshold')} with the floats beside them, and ${fixed.length} other floats`,
  };
};

/** Of tables that are added: every combination of codes, or one table after another at the ends of the others. */
export const tableSumValues = (
  unit: Unit,
  tables: ReadonlyArray<{ readonly shape: ReadonlyArray<number>; readonly data: ArrayLike<number> }>,
): ValueList => {
  const levels = unit.operands.map(({ type }) => levelsOf(type));
  const all = levels.reduce((n, l) => n * l, 1);
  if (all <= 2 ** 16) {
    const place = levels.map((_, k) => levels.slice(0, k).reduce((n, l) => n * l, 1));
    return {
      length: all,
      value: (k, _, index) => Math.floor(index / place[k]!) % levels[k]!,
      claim: 'proved',
      what: `all ${counted(all, 'combination')} of codes`,
    };
  }
  const channels = channelsOf(unit.type);
  const end = (k: number, c: number, sign: number): number => {
    const table = tables[k]!;
    const at = table.shape[0] === 1 ? 0 : c * levels[k]!;
    let best = 0;
    for (let code = 1; code < levels[k]!; code++) {
      if (sign * table.data[at + code]! > sign * table.data[at + best]!) best = code;
    }
    return best;
  };
  const ends = tables.map((_, k) =>
    Array.from({ length: channels }, (_, c) => [end(k, c, 1), end(k, c, -1)] as const),
  );
  const total = levels.reduce((n, l) => n + l, 0);
  const firsts = levels.map((_, k) => levels.slice(0, k).reduce((n, l) => n + l, 0));
  return {
    length: 2 * total,
    value: (k, c, index) => {
      const code = (index >> 1) - firsts[k]!;
      return code >= 0 && code < levels[k]! ? code : ends[k]![c]![index % 2]!;
    },
    claim: 'proved',
    what: `every code of every operand, the others at their largest and smallest entries: ${counted(2 * total, 'combination')}`,
  };
};
