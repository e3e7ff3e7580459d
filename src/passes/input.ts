/** Declares what the program is given: raw pixels or floats, and their normalisation. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { builder } from '../ir/builder.js';
import { constant } from '../ir/constant.js';
import { F32, uint } from '../ir/element.js';
import type { Graph, ValueName } from '../ir/graph.js';
import { valueType } from '../ir/types.js';
import { choiceOption, declareOptions, numberOption } from './options.js';
import { definePass, unremarked } from './pass.js';

const { codec, help } = declareOptions({
  dtype: choiceOption('what the program is given: f32, or u8 (pixels, divided by 255 first)', ['f32', 'u8']),
  mean: numberOption('subtracted from the input', -1e30, 1e30, 0),
  std: numberOption('divides the input after that', 1e-30, 1e30, 1),
});

/** The 256 values of a pixel, computed in f32 in the order that training code uses: u/255, - mean, / std. */
const pixelValues = (mean: number, std: number): Float32Array =>
  Float32Array.from({ length: 256 }, (_, u) =>
    Math.fround(Math.fround(Math.fround(u / 255) - Math.fround(mean)) / Math.fround(std)),
  );

export const input = definePass<'float', 'float', { dtype: 'f32' | 'u8'; mean: number; std: number }>({
  name: 'input',
  summary: 'declares the input: f32 or u8 pixels, and the normalisation (x - mean) / std',
  options: codec,
  help,
  from: 'float',
  to: 'float',
  run:
    ({ dtype, mean, std }) =>
    (graph) => {
      const [only, ...others] = graph.inputs;
      if (only === undefined || others.length > 0) {
        return fail('K0505', 'the pass takes a graph with one input', { place: { pass: 'input' } });
      }
      if (only.type.element.kind !== 'f32') {
        return fail('K0505', `the input %${only.name} is not f32 any more`, { place: { pass: 'input' } });
      }
      if (dtype === 'f32' && mean === 0 && std === 1) return unremarked(E.right(graph));
      // Each may be an f32 and what they make of the input not.
      if (
        ![...pixelValues(mean, std), Math.fround(1 / std), Math.fround(-mean / std)].every(Number.isFinite)
      ) {
        return fail('K0503', `(x - ${mean}) / ${std} is beyond what 32-bit floats hold`, {
          place: { pass: 'input' },
          expected: 'mean and std of the data that the network was trained on',
        });
      }
      return unremarked(prepend(graph, dtype, mean, std));
    },
});

const prepend = (
  graph: Graph<'float'>,
  dtype: 'f32' | 'u8',
  mean: number,
  std: number,
): Checked<Graph<'float'>> => {
  const b = builder(graph.name, 'float');
  const old = graph.inputs[0]!;
  const renamed = new Map<ValueName, ValueName>();
  if (dtype === 'u8') {
    const pixels = b.input(old.name, valueType(uint(8), old.type.shape));
    const values = constant(F32, [1, 256], pixelValues(mean, std));
    renamed.set(old.name, b.add('normalised', { kind: 'decode', attrs: { values } }, [pixels]));
  } else {
    const raw = b.input(old.name, old.type);
    const attrs = { scale: Math.fround(1 / std), shift: Math.fround(-mean / std) };
    renamed.set(old.name, b.add('normalised', { kind: 'affine', attrs }, [raw]));
  }
  const of = (name: ValueName): ValueName => renamed.get(name) ?? name;
  for (const node of graph.nodes) renamed.set(node.name, b.add(node.name, node.op, node.operands.map(of)));
  return b.build(graph.outputs.map(of));
};
