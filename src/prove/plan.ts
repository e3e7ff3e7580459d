/** Which probes show what about a stage, by the op that it computes. */
import { match, P } from 'ts-pattern';
import { allocate, type TypedArray } from '../ir/element.js';
import { hasRole, type Op } from '../ir/ops/index.js';
import { channelsOf, sizeOf, type ValueType } from '../ir/types.js';
import {
  codeSteps,
  elementProbes,
  everyInteger,
  rangeOf,
  someIntegers,
  tableSumValues,
  thresholdValues,
} from './element-probes.js';
import { fusedProbes } from './fused-probes.js';
import { layerModel } from './layer-model.js';
import { layerProbes } from './layer-probes.js';
import { counted, listed, type Probes, uniformNumbers } from './probes.js';
import type { Unit } from './unit.js';

/** `mostWork`: additions that may be spent on the pairs of a layer. */
export const probesOf = (unit: Unit, mostWork: number): ReadonlyArray<Probes> => {
  // Behind the op there may be names for the same elements.
  const last = unit.nodes.findLast(({ op }) => !isName(op));
  // Moves alone: what remains is to see that every element is where it belongs.
  if (unit.nodes.every(({ op }) => hasRole(op, 'layout', 'observer')) || last === undefined) {
    return [moveProbes(unit)];
  }
  const work = unit.operands.reduce((n, o) => n + sizeOf(o.type) * sizeOf(unit.type), 1);
  const fused = fusedProbes(unit, Math.floor(mostWork / work));
  return fused ?? probesOfOp(unit, last.op, mostWork);
};

const probesOfOp = (unit: Unit, op: Op, mostWork: number): ReadonlyArray<Probes> => {
  const each = (probes: () => ReadonlyArray<Probes>): ReadonlyArray<Probes> =>
    isElementwise(unit) ? probes() : [mixedProbes(unit, 'the stage moves elements too')];
  const behindOthers = () => [mixedProbes(unit, `${op.kind} is behind other ops in one stage`)];
  // Moves, of which there are none left here, and floats, which no stage of a table graph computes with.
  if (hasRole(op, 'layout', 'univariate', 'observer')) return behindOthers();
  return match(op)
    .with({ kind: P.union('table.edge', 'table.basis') }, () => {
      const model = layerModel(unit);
      return model === undefined
        ? [mixedProbes(unit, 'the stage does more than look up and add')]
        : layerProbes(model, unit, mostWork);
    })
    .with({ kind: P.union('requantize', 'bucketize') }, () =>
      each(() => ownProbes(unit, everyInteger(unit, 'accumulator') ?? codeSteps(unit))),
    )
    .with({ kind: 'quantize' }, ({ attrs }) =>
      each(() => [elementProbes(unit, thresholdValues(attrs, channelsOf(unit.type)))]),
    )
    .with({ kind: 'recode' }, () => each(() => ownProbes(unit, everyInteger(unit, 'code'))))
    .with({ kind: 'dequantize' }, () =>
      each(() =>
        ownProbes(
          unit,
          everyInteger(unit, 'accumulator') ?? someIntegers(unit, 'too many accumulators to run all'),
        ),
      ),
    )
    .with({ kind: 'table.sum' }, ({ attrs }) => [elementProbes(unit, tableSumValues(unit, attrs.tables))])
    .with({ kind: 'multiply' }, () => [mixedProbes(unit, 'products of two accumulators have too many cases')])
    .with({ kind: 'pool' }, () => [mixedProbes(unit, 'a window of accumulators has too many cases')])
    .with({ kind: 'table.norm' }, () => [
      mixedProbes(unit, 'a norm depends on all accumulators of its group'),
    ])
    .with({ kind: P.union('add', 'decode', 'kan', 'norm', 'softmax') }, behindOthers)
    .exhaustive();
};

/** Every result of a unit depends on the element of the same number. */
const isElementwise = ({ nodes, type, operands }: Unit): boolean =>
  operands.every((o) => channelsOf(o.type) === channelsOf(type) && sizeOf(o.type) === sizeOf(type)) &&
  nodes.filter(({ op }) => !isName(op)).length === 1;

/** Ops that leave every element where it is, in row-major order. */
const isName = ({ kind }: Op): boolean => kind === 'reshape' || kind === 'observe';

const ownProbes = (
  unit: Unit,
  list: Parameters<typeof elementProbes>[1] | undefined,
): ReadonlyArray<Probes> => [
  list === undefined ? mixedProbes(unit, 'too many thresholds to look for all') : elementProbes(unit, list),
];

/** Samples of at most so many elements in all. */
const MOST_ELEMENTS = 2 ** 22;

/** Ends, zeros and random values of all amplitudes: for stages whose inputs are too many. */
const mixedProbes = (unit: Unit, why: string): Probes => {
  const size = unit.operands.reduce((n, { type }) => n + sizeOf(type), 0);
  const samples = Math.max(16, Math.min(512, Math.floor(MOST_ELEMENTS / size)));
  const random = uniformNumbers(13);
  const lists = Array.from({ length: samples }, (_, s) =>
    unit.operands.map(({ type }) => mixedValues(type, s, random)),
  );
  return listed(unit, lists, {
    claim: 'sampled',
    what: `${counted(samples, 'sample')} of ends, small and random values`,
    why,
    describe: (sample) => `sample ${sample} of the ends, small and random values`,
  });
};

const mixedValues = (type: ValueType, s: number, random: () => number): TypedArray => {
  const data = allocate(type.element, sizeOf(type));
  if (type.element.kind === 'f32') return data.map(() => 8 * random() - 4);
  const { lo, hi } = rangeOf(type);
  const middle = Math.min(hi, Math.max(lo, 0));
  // From one another by at most a share of the range, which gets smaller from sample to sample.
  const reach = (hi - lo) / 2 ** (s % 20);
  const centre = lo + random() * (hi - lo);
  for (let e = 0; e < data.length; e++) {
    const draw = random();
    if (s === 0) data[e] = lo;
    else if (s === 1) data[e] = hi;
    else if (s === 2) data[e] = middle;
    else if (s % 4 === 3) data[e] = draw < 0.5 ? lo : hi;
    else data[e] = Math.min(hi, Math.max(lo, Math.round(centre + (draw - 0.5) * reach)));
  }
  return data;
};

/** The digits of the number of every element, in samples of their own: what moves nothing else shows up at once. */
const moveProbes = (unit: Unit): Probes => {
  const size = unit.operands.reduce((n, { type }) => n + sizeOf(type), 0);
  const { type } = unit.operands[0]!;
  const float = type.element.kind === 'f32';
  const { lo, hi } = float ? { lo: 0, hi: 2 ** 20 - 1 } : rangeOf(type);
  const base = hi - lo + 1;
  const digits = Math.max(1, Math.ceil(Math.log(size) / Math.log(base)));
  const lists = Array.from({ length: 2 * digits }, (_, s) => {
    let first = 0;
    return unit.operands.map((operand) => {
      const data = allocate(operand.type.element, sizeOf(operand.type));
      for (let e = 0; e < data.length; e++) {
        const digit = Math.floor((first + e) / base ** (s >> 1)) % base;
        data[e] = s % 2 === 0 ? lo + digit : hi - digit;
      }
      first += data.length;
      return data;
    });
  });
  return listed(unit, lists, {
    claim: 'proved',
    what: `where each of ${counted(size, 'element')} goes, by the digits of its number`,
    describe: (sample) => `digit ${sample >> 1} of the number of each element`,
  });
};
