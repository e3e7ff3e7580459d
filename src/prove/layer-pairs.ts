/**
 * Every pair of an element and a code, the others at a base code: one pair at a time in each result. Over windows many
 * pixels change at once, so far apart that no window holds two of them.
 */
import type { TypedArray } from '../ir/element.js';
import { windowOutput } from '../ir/window.js';
import type { LayerModel } from './layer-model.js';
import { counted, type Probes } from './probes.js';
import { evaluateUnit, type Unit } from './unit.js';

/** Which elements change in a probe, and to what. */
interface Schedule {
  readonly samples: number;
  /** Calls back for every change of a sample. */
  readonly changes: (sample: number, visit: (element: number, code: number) => void) => void;
  /** Every element takes every code. */
  readonly complete: boolean;
}

/** One element after another. With `most` samples at most, elements take turns so that all are met, with fewer codes. */
const oneByOne = ({ elements, levels }: LayerModel, most: number): Schedule => {
  const all = elements * levels;
  const stride = Math.max(1, Math.ceil(all / Math.max(1, most)));
  return {
    samples: Math.ceil(all / stride),
    complete: stride === 1,
    changes: (sample, visit) => {
      const pair = sample * stride;
      visit(Math.floor(pair / levels), pair % levels);
    },
  };
};

/** Lists of pixels, no two of a list in one window. */
const apart = ({
  window,
  shape,
}: NonNullable<LayerModel['window']>): ReadonlyArray<ReadonlyArray<number>> => {
  const [height, width] = [shape[1]!, shape[2]!];
  const reach = ([0, 1] as const).map((axis) => window.dilation[axis] * (window.kernel[axis] - 1) + 1);
  const [down, right] = [Math.min(height, reach[0]!), Math.min(width, reach[1]!)];
  const phases: number[][] = Array.from({ length: down * right }, () => []);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) phases[(y % down) * right + (x % right)]!.push(y * width + x);
  }
  return phases;
};

/**
 * Of every pixel, one channel of each group at a time. Where running all pairs at all pixels takes more than `most`
 * samples, pixels start at different pairs, so that together they take all of them.
 */
const spread = (model: LayerModel, over: NonNullable<LayerModel['window']>, most: number): Schedule => {
  const { shape, elementOf, window } = over;
  const phases = apart(over);
  const pixels = shape[1]! * shape[2]!;
  const perGroup = shape[0]! / model.groups;
  const pairs = perGroup * model.levels;
  // Pixels at the border lack windows: as many again make up for them.
  const fewest = Math.ceil((2 * pairs) / Math.min(...phases.map((p) => p.length)));
  const each = Math.min(pairs, Math.max(fewest, Math.floor(most / phases.length)));
  return {
    samples: phases.length * each,
    complete: each === pairs,
    changes: (sample, visit) => {
      const phase = phases[Math.floor(sample / each)]!;
      for (let s = 0; s < phase.length; s++) {
        const pair = ((sample % each) + s * each) % pairs;
        for (let g = 0; g < window.groups; g++) {
          const channel = g * perGroup + Math.floor(pair / model.levels);
          visit(elementOf[channel * pixels + phase[s]!]!, pair % model.levels);
        }
      }
    },
  };
};

/** The schedule for at most `most` samples, or somewhat more over windows where fewer would not hold all pairs. */
const scheduleOf = (model: LayerModel, most: number): Schedule =>
  model.window === undefined ? oneByOne(model, most) : spread(model, model.window, most);

export const pairProbes = (
  model: LayerModel,
  unit: Unit,
  base: { readonly name: string; readonly codes: Uint16Array },
  most: number,
): Probes => {
  const schedule = scheduleOf(model, most);
  const operand = { type: unit.operands[0]!.type, batch: 1, data: base.codes };
  const start = evaluateUnit(unit, [operand]).data;
  const { width, inner, results, elements, levels } = model;
  /** Pairs of an input of the layer and a code of an element that some result has shown. */
  const seen = new Uint8Array(model.inputs * levels);
  const expectOne = (sample: number, acc: TypedArray, at: number): void => {
    acc.set(start, at);
    schedule.changes(sample, (e, code) => {
      const [to, from] = [model.layerCode(e, code), model.layerCode(e, base.codes[e]!)];
      for (let r = model.first[e]!; r < model.first[e + 1]!; r++) {
        const input = model.readerInput[r]!;
        seen[input * levels + code] = 1;
        if (to === from) continue;
        const rows = model.rowsOf(input);
        const [plus, minus] = [rows.at + to * width, rows.at + from * width];
        const target = at + model.readerTarget[r]!;
        for (let o = 0; o < width; o++)
          acc[target + o * inner]! += rows.data[plus + o]! - rows.data[minus + o]!;
      }
    });
  };
  return {
    claim: 'proved',
    what: 'pairs of input and code',
    samples: schedule.samples,
    incremental: true,
    fill: (from, count, [codes]) => {
      for (let s = 0; s < count; s++) {
        codes!.set(base.codes, s * elements);
        schedule.changes(from + s, (e, code) => {
          codes![s * elements + e] = code;
        });
      }
    },
    expect: (from, count, _, acc) => {
      for (let s = 0; s < count; s++) expectOne(from + s, acc, s * results);
    },
    describe: (sample, element) => describeChange(model, schedule, base.name, sample, element),
    covered: () => coverage(model, schedule, base.name, seen),
  };
};

/** The pair that a result shows: the change that it reads. */
const describeChange = (
  model: LayerModel,
  schedule: Schedule,
  base: string,
  sample: number,
  element: number,
): string => {
  const others = `the others at ${base}`;
  let found = `no input changed, ${others}`;
  const row = model.width * model.inner;
  schedule.changes(sample, (e, code) => {
    for (let r = model.first[e]!; r < model.first[e + 1]!; r++) {
      const target = model.readerTarget[r]!;
      const within = element - target;
      if (within < 0 || within >= row || within % model.inner !== 0) continue;
      const own = model.layerCode(e, code);
      const seen = own === code ? '' : `, which is code ${own} of the layer`;
      const place = model.window === undefined ? '' : ` (tap ${model.readerInput[r]} of the window)`;
      found = `input ${e}${place} at code ${code}${seen}, ${others}`;
    }
  });
  // A result that none of the changed inputs should reach.
  if (model.window === undefined && found.startsWith('no input')) {
    schedule.changes(sample, (e, code) => {
      found = `input ${e} at code ${code}, ${others}`;
    });
  }
  return found;
};

const coverage = (
  model: LayerModel,
  schedule: Schedule,
  base: string,
  seen: Uint8Array,
): ReturnType<NonNullable<Probes['covered']>> => {
  const { readerInput, levels, window } = model;
  /** Pairs that can occur and that some result shows. */
  const possible = new Uint8Array(model.inputs * levels);
  for (let e = 0; e < model.elements; e++) {
    for (let c = 0; c < levels; c++) {
      if (!model.occurs(e, c)) continue;
      for (let r = model.first[e]!; r < model.first[e + 1]!; r++) possible[readerInput[r]! * levels + c] = 1;
    }
  }
  const wanted = possible.reduce((n, p) => n + p, 0);
  const found = possible.reduce((n, p, k) => n + (p & seen[k]!), 0);
  const places =
    window === undefined ? undefined : windowOutput(window.window, window.shape[1]!, window.shape[2]!);
  const at = places === undefined ? '' : schedule.complete ? ` at all ${places[0] * places[1]} places` : '';
  const pairs = counted(found, `pair of input and code`, 'pairs of input and code');
  if (found < wanted) {
    return {
      claim: 'sampled',
      what: `${pairs} of ${wanted.toLocaleString('en-US')}, the others at ${base}`,
      why: 'running all of them would take too long',
    };
  }
  return {
    claim: 'proved',
    what: `${pairs}${at}, the others at ${base}`,
    ...(schedule.complete
      ? {}
      : { why: 'every pair at some of the places: at all of them it would take too long' }),
  };
};
