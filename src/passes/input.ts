/** Declares what the program is given: raw pixels or floats, and their normalisation. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { builder } from '../ir/builder.js';
import { constant, type PerChannel } from '../ir/constant.js';
import { F32, uint } from '../ir/element.js';
import type { Graph, ValueName } from '../ir/graph.js';
import { channelsOf, type ValueType, valueType } from '../ir/types.js';
import { choiceOption, declareOptions, numbersOption } from './options.js';
import { definePass, unremarked } from './pass.js';

const { codec, help } = declareOptions({
  dtype: choiceOption('what the program is given: f32, or u8 (pixels, divided by 255 first)', ['f32', 'u8']),
  mean: numbersOption('subtracted from the input: one number, or one for each channel', -1e30, 1e30, 0),
  std: numbersOption('divides the input after that, likewise', 1e-30, 1e30, 1),
});

/** The 256 values of a pixel, computed in f32 in the order that training code uses: u/255, - mean, / std. */
const pixelValues = ({ mean, std }: Normalisation): Float32Array =>
  Float32Array.from({ length: 256 }, (_, u) =>
    Math.fround(Math.fround(Math.fround(u / 255) - Math.fround(mean)) / Math.fround(std)),
  );

/** (x - mean) / std of one channel. */
interface Normalisation {
  readonly mean: number;
  readonly std: number;
}

interface InputOptions {
  readonly dtype: 'f32' | 'u8';
  /** One for all channels, or one for each. */
  readonly mean: ReadonlyArray<number>;
  readonly std: ReadonlyArray<number>;
}

/** One for all channels where all are alike, else one for each. Fails with K0503 on other counts. */
const normalisations = (
  { mean, std }: InputOptions,
  type: ValueType,
): Checked<ReadonlyArray<Normalisation>> => {
  const channels = channelsOf(type);
  for (const [name, list] of [
    ['mean', mean],
    ['std', std],
  ] as const) {
    if (list.length === 1 || list.length === channels) continue;
    return fail(
      'K0503',
      `there are ${list.length} numbers as ${name} for an input of shape [${type.shape.join(', ')}]`,
      {
        place: { pass: 'input' },
        expected: `one number, or one for each of its ${channels} ${type.shape.length > 1 ? 'channels' : 'features'}`,
        ...(type.shape.length > 1
          ? {}
          : { hint: 'Flat images have no channels any more: normalise them beforehand, and store floats.' }),
      },
    );
  }
  const count = Math.max(mean.length, std.length);
  return E.right(
    Array.from({ length: count }, (_, c) => ({
      mean: mean[mean.length === 1 ? 0 : c]!,
      std: std[std.length === 1 ? 0 : c]!,
    })),
  );
};

export const input = definePass<'float', 'float', InputOptions>({
  name: 'input',
  summary: 'declares the input: f32 or u8 pixels, and the normalisation (x - mean) / std',
  options: codec,
  help,
  from: 'float',
  to: 'float',
  run: (options) => (graph) => {
    const [only, ...others] = graph.inputs;
    if (only === undefined || others.length > 0) {
      return fail('K0505', 'the pass takes a graph with one input', { place: { pass: 'input' } });
    }
    if (only.type.element.kind !== 'f32') {
      return fail('K0505', `the input %${only.name} is not f32 any more`, { place: { pass: 'input' } });
    }
    const { dtype } = options;
    const all = normalisations(options, only.type);
    if (E.isLeft(all)) return all;
    if (dtype === 'f32' && all.right.every(({ mean, std }) => mean === 0 && std === 1)) {
      return unremarked(E.right(graph));
    }
    // Each may be an f32 and what they make of the input not.
    const beyond = all.right.find(
      (n) =>
        ![...pixelValues(n), Math.fround(1 / n.std), Math.fround(-n.mean / n.std)].every(Number.isFinite),
    );
    if (beyond !== undefined) {
      return fail('K0503', `(x - ${beyond.mean}) / ${beyond.std} is beyond what 32-bit floats hold`, {
        place: { pass: 'input' },
        expected: 'mean and std of the data that the network was trained on',
      });
    }
    return unremarked(prepend(graph, dtype, all.right));
  },
});

/** One f32 where there is one, else a constant of one for each channel. */
const perChannel = (values: ReadonlyArray<number>): PerChannel =>
  values.length === 1 ? Math.fround(values[0]!) : constant(F32, [values.length], Float32Array.from(values));

const prepend = (
  graph: Graph<'float'>,
  dtype: 'f32' | 'u8',
  all: ReadonlyArray<Normalisation>,
): Checked<Graph<'float'>> => {
  const b = builder(graph.name, 'float');
  const old = graph.inputs[0]!;
  const renamed = new Map<ValueName, ValueName>();
  if (dtype === 'u8') {
    const pixels = b.input(old.name, valueType(uint(8), old.type.shape));
    const rows = Float32Array.from(all.flatMap((n) => Array.from(pixelValues(n))));
    const values = constant(F32, [all.length, 256], rows);
    renamed.set(old.name, b.add('normalised', { kind: 'decode', attrs: { values } }, [pixels]));
  } else {
    const raw = b.input(old.name, old.type);
    const attrs = {
      scale: perChannel(all.map(({ std }) => 1 / std)),
      shift: perChannel(all.map(({ mean, std }) => -mean / std)),
    };
    renamed.set(old.name, b.add('normalised', { kind: 'affine', attrs }, [raw]));
  }
  const of = (name: ValueName): ValueName => renamed.get(name) ?? name;
  for (const node of graph.nodes) renamed.set(node.name, b.add(node.name, node.op, node.operands.map(of)));
  return b.build(graph.outputs.map(of));
};
