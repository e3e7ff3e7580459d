/**
 * Networks exported as graphs of tensors: whatever library wrote them, the layers are found in the graph (src/lift), and
 * what they compute is compared with it.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { at, type Checked, fail, printable } from '../../diagnostics/index.js';
import { type BuiltGraph, lift } from '../../lift/index.js';
import type { TensorProgram } from '../../tensor/program.js';
import { isOnnx, type OnnxModel, readOnnx } from '../containers/onnx/index.js';
import type { Assumption, DocumentFamily, ImportOptions, Reading } from '../family.js';
import type { Source } from '../source.js';
import { agreement } from './agreement.js';
import { declaredBatch, programOf } from './program-of.js';

/** Samples for which a program is made where the file leaves it open: two, so that what mixes samples shows. */
const SAMPLES = 2;

/** Names of values, separated by commas. */
const namesOf = (text: string | undefined): ReadonlyArray<string> | undefined =>
  text === undefined
    ? undefined
    : text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');

/** The tensor program of a model, or of the part of it that the options choose. */
export const tensorProgram = (model: OnnxModel, options: ImportOptions): Checked<TensorProgram> => {
  const inputs = namesOf(options.graphInputs);
  const outputs = namesOf(options.graphOutputs) ?? firstOutput(model);
  if ((outputs ?? model.graph.outputs).length === 0) {
    return fail('K0214', 'the graph has no output', {
      expected: 'a value that the network gives',
      hint: 'Name one with --outputs.',
    });
  }
  return programOf(model, {
    samples: declaredBatch(model) ?? SAMPLES,
    ...(inputs === undefined ? {} : { inputs }),
    ...(outputs === undefined ? {} : { outputs }),
  });
};

/** Programs have one result: the first of the file, unless another is asked for. */
const firstOutput = (model: OnnxModel): ReadonlyArray<string> | undefined => {
  const [first, ...others] = model.graph.outputs;
  return first === undefined || others.length === 0 ? undefined : [first.name];
};

const oneInput = (program: TensorProgram): Checked<TensorProgram> => {
  const names = program.inputs.map((i) => `'${printable(program.nodes[i]!.name, 60)}'`);
  return program.inputs.length === 1
    ? E.right(program)
    : fail('K0226', `the network takes ${names.length} inputs: ${names.slice(0, 6).join(', ')}`, {
        expected: 'one input',
        hint: 'Join them to one before the export, or give the name of one value behind them with --inputs.',
      });
};

const assumptionsOf = (
  model: OnnxModel,
  options: ImportOptions,
  deviation: number,
): ReadonlyArray<Assumption> => {
  const batch = declaredBatch(model);
  const [first, ...others] = model.graph.outputs;
  return [
    ...(batch === undefined
      ? []
      : [
          {
            what: `the network was exported for batches of ${batch}`,
            assumed:
              batch === 1
                ? 'one that computes a sample as it computes a batch of one'
                : 'its samples do not depend on each other, which is proved, and it takes any number of them',
          },
        ]),
    ...(options.graphOutputs === undefined && others.length > 0
      ? [
          {
            what: `the network has ${others.length + 1} outputs`,
            assumed: `the first, ${printable(first?.name ?? '', 60)}`,
            option: '--outputs',
          },
        ]
      : []),
    ...(deviation > 1e-4
      ? [
          {
            what: `the graph amplifies the rounding of floats to ${deviation.toExponential(1)} of its results`,
            assumed: 'results that agree with it as far as that',
          },
        ]
      : []),
  ];
};

/** Numbers that the file stores as floats. */
const parametersOf = ({ graph }: OnnxModel): number => {
  const floats = new Set(['float', 'double', 'float16', 'bfloat16']);
  let count = 0;
  for (const t of graph.initializers.values()) if (floats.has(t.element)) count += t.data.length;
  for (const node of graph.nodes) {
    for (const a of node.attributes.values()) {
      if (a._tag === 'tensor' && floats.has(a.value.element)) count += a.value.data.length;
    }
  }
  return count;
};

const read = (source: Source, options: ImportOptions): Checked<Reading & { readonly parameters: number }> =>
  pipe(
    E.Do,
    E.bind('model', () => readOnnx(source.bytes, source.file, source.beside)),
    E.bind('program', ({ model }) => E.flatMap(oneInput)(tensorProgram(model, options))),
    E.bind(
      'built',
      ({ program }): Checked<BuiltGraph> => lift({ ...program, name: options.name ?? 'model' }),
    ),
    E.bind('deviation', ({ program, built }) => agreement(program, built.graph)),
    E.map(({ model, built, deviation }) => ({
      graph: built.graph,
      origins: built.origins,
      assumptions: assumptionsOf(model, options, deviation),
      parameters: parametersOf(model),
    })),
    at({ file: source.file }),
  );

export const onnx: DocumentFamily = {
  name: 'onnx',
  format: 'onnx',
  recognises: ({ bytes }) => isOnnx(bytes),
  read,
};
