/**
 * Stages whose results depend on one element of each operand: every element runs through a list of values, all elements
 * at once, each starting at another place of the list so that a stage that mixes them up is seen.
 */
import type { TypedArray } from '../ir/element.js';
import { channelsOf, innerOf, sizeOf } from '../ir/types.js';
import { byDefinition, operandArrays, type Probes } from './probes.js';
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
    expect:
      table === undefined
        ? byDefinition(unit)
        : (from, count, _, results) => {
            const channels = size / inner;
            for (let s = 0; s < count; s++) {
              for (let e = 0; e < size; e++) {
                results[s * size + e] = table[indexAt(from + s, e) * channels + Math.floor(e / inner)]!;
              }
            }
          },
    describe: (sample, element) => {
      const index = indexAt(sample, element);
      const channel = Math.floor(element / inner);
      const values = unit.operands.map(({ name }, k) => `${list.value(k, channel, index)} in %${name}`);
      return `element ${element} from ${values.join(' and ')}`;
    },
  };
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
