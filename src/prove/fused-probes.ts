/**
 * A layer and the codes made of its sums in one stage, where the sums themselves cannot be seen. Every pair of an input and a
 * code is run where the sum of an output is the first accumulator of a code, and where it is the last before it: an entry
 * that is off by one changes a code in one of them.
 */
import type { TypedArray } from '../ir/element.js';
import { channelsOf, sizeOf } from '../ir/types.js';
import { rangeOf } from './element-probes.js';
import { middleCodes } from './layer-codes.js';
import { type LayerModel, layerModel } from './layer-model.js';
import { byDefinition, counted, listed, type Probes, uniformNumbers } from './probes.js';
import { evaluateUnit, type Unit } from './unit.js';

/** Of stages with so few lists of codes all are run. */
const MOST_COMBINATIONS = 2 ** 16;
const LARGEST_RANGE = 2 ** 20;

interface Fused {
  readonly model: LayerModel;
  /** By output: the accumulators at which its code changes, ascending. */
  readonly steps: ReadonlyArray<Int32Array>;
  /** The codes of inputs that do not change, and the sums at these. */
  readonly base: Uint16Array;
  readonly start: TypedArray;
}

/** The stage as a layer without windows, and the codes of its accumulators; undefined where it is something else. */
const fusedOf = (unit: Unit): Fused | undefined => {
  const last = unit.nodes[unit.nodes.length - 1];
  const layer = unit.nodes[unit.nodes.length - 2];
  if (
    last === undefined ||
    layer === undefined ||
    (last.op.kind !== 'requantize' && last.op.kind !== 'bucketize')
  )
    return undefined;
  const sums: Unit = { ...unit, name: layer.name, type: layer.type, nodes: unit.nodes.slice(0, -1) };
  const model = layerModel(sums);
  const { lo, hi } = rangeOf(layer.type);
  const outputs = channelsOf(layer.type);
  if (model === undefined || model.window !== undefined || (hi - lo) * outputs > LARGEST_RANGE * 8)
    return undefined;
  const codes: Unit = {
    name: last.name,
    type: last.type,
    operands: [{ name: layer.name, type: layer.type }],
    nodes: [last],
  };
  const all = Int32Array.from({ length: (hi - lo + 1) * outputs }, (_, j) => lo + Math.floor(j / outputs));
  const found = evaluateUnit(codes, [{ type: layer.type, batch: hi - lo + 1, data: all }]).data;
  const steps = Array.from({ length: outputs }, (_, o) => {
    const own: number[] = [];
    for (let a = 1; a <= hi - lo; a++) {
      if (found[a * outputs + o] !== found[(a - 1) * outputs + o]) own.push(lo + a);
    }
    return Int32Array.from(own);
  });
  const base = middleCodes(model);
  const start = evaluateUnit(sums, [{ type: unit.operands[0]!.type, batch: 1, data: base }]).data;
  return { model, steps, base, start };
};

export const fusedProbes = (unit: Unit, mostSamples: number): ReadonlyArray<Probes> | undefined => {
  const fused = fusedOf(unit);
  if (fused === undefined) return undefined;
  const { model } = fused;
  const all = model.levels ** model.elements;
  return all <= MOST_COMBINATIONS ? [combinations(unit, model, all)] : [atSteps(unit, fused, mostSamples)];
};

const combinations = (unit: Unit, { levels, elements }: LayerModel, all: number): Probes => ({
  claim: 'proved',
  what: `all ${counted(all, 'list')} of codes`,
  samples: all,
  fill: (from, count, [codes]) => {
    for (let s = 0; s < count; s++) {
      for (let e = 0, rest = from + s; e < elements; e++, rest = Math.floor(rest / levels)) {
        codes![s * elements + e] = rest % levels;
      }
    }
  },
  expect: byDefinition(unit),
  describe: (sample) =>
    `codes ${Array.from({ length: elements }, (_, e) => Math.floor(sample / levels ** e) % levels).join(', ')}`,
});

interface Wanted {
  readonly input: number;
  readonly code: number;
  readonly output: number;
  /** The first accumulator of a code, or the last before it. */
  readonly first: boolean;
}

const atSteps = (unit: Unit, fused: Fused, most: number): Probes => {
  const { model, steps } = fused;
  const { elements, levels } = model;
  const outputs = sizeOf(unit.type);
  const pairs = elements * levels;
  const all = 2 * pairs * outputs;
  const wantedStride = Math.max(1, Math.ceil(all / Math.max(1, most)));
  // Odd and no divisor of the sizes, which are even, so that what is left out is spread.
  const stride = wantedStride === 1 ? 1 : wantedStride | 1;
  const search = codesFor(fused);
  const about: Wanted[] = [];
  const samples: TypedArray[][] = [];
  let missing = 0;
  for (let k = 0; k < all; k += stride) {
    const output = (k >> 1) % outputs;
    const pair = Math.floor(k / 2 / outputs);
    const wanted = { input: Math.floor(pair / levels), code: pair % levels, output, first: k % 2 === 0 };
    if (!model.occurs(wanted.input, wanted.code)) continue;
    const codes = search(wanted);
    if (codes === undefined) {
      missing++;
      continue;
    }
    samples.push([codes]);
    about.push(wanted);
  }
  const changes = steps.reduce((n, own) => n + own.length, 0);
  const complete = stride === 1 && missing === 0;
  return listed(unit, samples, {
    claim: complete ? 'proved' : 'sampled',
    what: `${counted(samples.length, 'pair')} of input and code, by output, on both sides of ${counted(changes, 'change')} of its code`,
    why: complete
      ? 'sums inside the stage cannot be seen: entries that are wrong by amounts that make up for one another would pass'
      : stride > 1
        ? `all ${all.toLocaleString('en-US')} would take too long`
        : `for ${missing} no codes of other inputs give such a sum`,
    describe: (sample) => {
      const { input, code, output, first } = about[sample]!;
      return `input ${input} at code ${code}, the sum of output ${output} at the ${first ? 'first accumulator of a code' : 'last accumulator before a code'}`;
    },
  });
};

/** Codes that bring a sum to a step: two other inputs make up for the rest. */
const codesFor = ({ model, steps, base, start }: Fused): ((wanted: Wanted) => Uint16Array | undefined) => {
  const { elements, levels, width } = model;
  const random = uniformNumbers(17);
  const entry = (e: number, code: number, o: number): number => {
    let sum = 0;
    for (let r = model.first[e]!; r < model.first[e + 1]!; r++) {
      const { data, at } = model.rowsOf(model.readerInput[r]!);
      sum += data[at + model.layerCode(e, code) * width + o]!;
    }
    return sum;
  };
  /** By element and output: a code for every value of its entries. */
  const known = new Map<number, Map<number, number>>();
  const codeOf = (e: number, o: number): Map<number, number> => {
    const before = known.get(e * width + o);
    if (before !== undefined) return before;
    const codes = new Map<number, number>();
    for (let c = 0; c < levels; c++) if (model.occurs(e, c)) codes.set(entry(e, c, o), c);
    known.set(e * width + o, codes);
    return codes;
  };
  return ({ input, code, output, first }) => {
    const own = steps[output]!;
    if (own.length === 0 || elements < 2) return undefined;
    for (let attempt = 0; attempt < 2 * elements; attempt++) {
      const a = (input + 1 + Math.floor(random() * (elements - 1))) % elements;
      const b = elements === 2 ? a : (input + 1 + Math.floor(random() * (elements - 1))) % elements;
      if (a === b && elements > 2) continue;
      const second = codeOf(b, output);
      const fixed = start[output]! + entry(input, code, output) - entry(input, base[input]!, output);
      for (let k = 0; k < levels; k++) {
        const tried = (k + Math.floor(random() * levels)) % levels;
        const moved = a === b ? fixed : fixed + entry(a, tried, output) - entry(a, base[a]!, output);
        const step = own[Math.floor(random() * own.length)]! - (first ? 0 : 1);
        const found = second.get(step - moved + entry(b, base[b]!, output));
        if (found === undefined || (a !== b && !model.occurs(a, tried))) continue;
        const codes = base.slice();
        codes[input] = code;
        if (a !== b) codes[a] = tried;
        codes[b] = found;
        return codes;
      }
    }
    return undefined;
  };
};
