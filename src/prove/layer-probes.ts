/** All probes of a table layer: pairs, sums at their ends, and random codes. */
import { allocate, type TypedArray } from '../ir/element.js';
import { windowOutput } from '../ir/window.js';
import { baseCodes, extremeCodes } from './layer-codes.js';
import type { LayerModel } from './layer-model.js';
import { pairProbes } from './layer-pairs.js';
import { byDefinition, counted, listed, type Probes, uniformNumbers } from './probes.js';
import type { Unit } from './unit.js';

/** Additions for one sample, roughly. */
export const layerWork = ({ readerInput, width, results }: LayerModel): number =>
  readerInput.length * width + results;

/** Additions of the interpreter that the ends of the sums and the random codes may take, each. */
const MOST_WORK = 2 ** 31;

/** `mostWork`: additions that the pairs of one base may take. */
export const layerProbes = (model: LayerModel, unit: Unit, mostWork: number): ReadonlyArray<Probes> => {
  const bases = baseCodes(model);
  const work = layerWork(model);
  const most = Math.max(1, Math.floor(mostWork / work));
  return [
    ...bases.map((base) => pairProbes(model, unit, base, most)),
    extremes(model, unit, bases[0]!.codes, Math.max(1, Math.floor(MOST_WORK / work))),
    mixed(model, unit, bases[0]!.codes, Math.max(8, Math.min(256, Math.floor(MOST_WORK / 8 / work)))),
  ];
};

/** Whether a reader is of a place whose window shares no pixel with those of the others that count. */
const separatePlaces = (model: LayerModel): ((reader: number) => boolean) => {
  const { window: over, inner, readerTarget } = model;
  if (over === undefined) return () => true;
  const { window, shape } = over;
  const size = windowOutput(window, shape[1]!, shape[2]!) ?? [1, 1];
  const step = ([0, 1] as const).map((axis) =>
    Math.ceil((window.dilation[axis] * (window.kernel[axis] - 1) + 1) / window.stride[axis]),
  );
  return (reader) => {
    const place = readerTarget[reader]! % inner;
    return Math.floor(place / size[1]) % step[0]! === 0 && (place % size[1]) % step[1]! === 0;
  };
};

/**
 * For every output the largest and the smallest sum that codes can give. A kernel that adds in narrower integers, some
 * entries at a time, has each of these partial sums at its largest here too.
 */
const extremes = (model: LayerModel, unit: Unit, base: Uint16Array, most: number): Probes => {
  const { width, groups, inner, readerTarget } = model;
  const outputs = width * groups;
  const separate = separatePlaces(model);
  const wanted = Math.max(1, Math.ceil((2 * outputs) / most));
  // Odd, so that largest and smallest sums alternate.
  const stride = wanted % 2 === 0 ? wanted + 1 : wanted;
  const samples = Math.ceil((2 * outputs) / stride);
  const output = (sample: number): number => (sample * stride) >> 1;
  const isLargest = (sample: number): boolean => (sample * stride) % 2 === 0;
  return {
    claim: stride === 1 ? 'proved' : 'sampled',
    what: `${counted(samples, 'largest and smallest sum', 'largest and smallest sums')} of ${counted(outputs, 'output')}`,
    ...(stride === 1 ? {} : { why: 'of all outputs it would take too long' }),
    samples,
    fill: (from, count, [codes]) => {
      for (let s = 0; s < count; s++) {
        const channel = output(from + s);
        const group = Math.floor(channel / width);
        const reads = (r: number): boolean =>
          Math.floor(readerTarget[r]! / inner / width) === group && separate(r);
        const own = extremeCodes(model, channel % width, isLargest(from + s), base, reads);
        codes!.set(own, s * model.elements);
      }
    },
    expect: byDefinition(unit),
    describe: (sample) =>
      `the codes with the ${isLargest(sample) ? 'largest' : 'smallest'} sum of output ${output(sample)}`,
  };
};

/** Random codes: of few inputs up to all of them, the others at the base. */
const mixed = (model: LayerModel, unit: Unit, base: Uint16Array, samples: number): Probes => {
  const random = uniformNumbers(11);
  const { element } = unit.operands[0]!.type;
  const lists = Array.from({ length: samples }, (_, s): ReadonlyArray<TypedArray> => {
    const share = (s % 8) / 7;
    const codes = allocate(element, model.elements);
    for (let e = 0; e < codes.length; e++) {
      const drawn = Math.floor(random() * model.levels);
      codes[e] = random() < share && model.occurs(e, drawn) ? drawn : base[e]!;
    }
    return [codes];
  });
  return listed(unit, lists, {
    claim: 'besides',
    what: counted(samples, 'list of random codes', 'lists of random codes'),
    describe: (sample) => `random codes, list ${sample}`,
  });
};
