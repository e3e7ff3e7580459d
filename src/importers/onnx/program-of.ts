/** A tensor program of an ONNX model, for a number of samples. */
import * as E from 'fp-ts/lib/Either.js';
import {
  along,
  type Checked,
  type Diagnostics,
  fail,
  nearest,
  type Steps,
  step,
} from '../../diagnostics/index.js';
import { tensorBuilder } from '../../tensor/builder.js';
import type { Shape, TensorProgram, TensorType, ValueId } from '../../tensor/program.js';
import type { OnnxGraph, OnnxModel, OnnxValue } from '../containers/onnx/model.js';
import { dtypeOf, type Refusal } from './call.js';
import { type Conversions, convertNodes, type Scope, valueOfName } from './convert.js';
import { neededOf } from './needed.js';

export interface ProgramOptions {
  /** The size of the first dimension of what the network is given. */
  readonly samples: number;
  /** Values of the graph that the program is called with, in order; those of the file if absent. */
  readonly inputs?: ReadonlyArray<string>;
  /** Values of the graph that the program gives, in order; those of the file if absent. */
  readonly outputs?: ReadonlyArray<string>;
}

/** The number of samples that a model was exported for, where it takes no other. */
export const declaredBatch = (model: OnnxModel): number | undefined => {
  const first = model.graph.inputs[0]?.shape?.[0];
  return typeof first === 'number' ? first : undefined;
};

/** The oldest operators that are read: those before broadcast by attributes. */
const OLDEST_OPSET = 7;

/** A name that stands for the number of samples: that of the first dimension of an input. */
const sampleNames = (graph: OnnxGraph): ReadonlySet<string> =>
  new Set(graph.inputs.flatMap(({ shape }) => (typeof shape?.[0] === 'string' ? [shape[0]] : [])));

const inputShape = (input: OnnxValue, samples: number, names: ReadonlySet<string>): Checked<Shape> => {
  const { name, shape } = input;
  const hint = `Export the network with fixed sizes behind the first dimension, or cut the graph behind "${name}"`;
  if (shape === undefined)
    return fail('K0215', `The file does not say what shape the input "${name}" has`, { hint });
  const open = shape.findIndex(
    (size, d) => typeof size !== 'number' && d > 0 && !(size !== undefined && names.has(size)),
  );
  if (open >= 0) {
    const what = shape[open] === undefined ? 'unknown' : `"${shape[open]}"`;
    return fail('K0215', `Dimension ${open} of the input "${name}" is ${what}`, {
      expected: 'a number',
      hint,
    });
  }
  return E.right(shape.map((size) => (typeof size === 'number' ? size : samples)));
};

/** The types of the inputs of a graph. */
const inputTypes = (model: OnnxModel, samples: number): Checked<ReadonlyMap<string, TensorType>> => {
  const batch = declaredBatch(model);
  if (batch !== undefined && batch !== samples)
    return fail('K0217', `The network was exported for batches of ${batch} and takes no others`, {
      expected: `${batch} samples instead of ${samples}`,
      hint: 'Export it with a dynamic first dimension, or give it data in batches of this size',
    });
  const names = sampleNames(model.graph);
  const types = new Map<string, TensorType>();
  for (const input of model.graph.inputs) {
    const shape = inputShape(input, samples, names);
    if (E.isLeft(shape)) return shape;
    types.set(input.name, { shape: shape.right, dtype: dtypeOf(input.element ?? 'float') });
  }
  return E.right(types);
};

/** Names that are like one, or have it in them. */
const alike = (name: string, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const near = nearest(name, names);
  const holding = names.filter(
    (other) => other !== near && (other.includes(name) || (other !== '' && name.includes(other))),
  );
  return [...(near === undefined ? [] : [near]), ...holding].slice(0, 5);
};

/** That all names are values of a graph. */
const namesKnown = (graph: OnnxGraph, names: ReadonlyArray<string>, what: string): Checked<void> => {
  const values = new Set([
    ...graph.inputs.map((i) => i.name),
    ...graph.nodes.flatMap((n) => n.outputs.filter((o) => o !== '')),
  ]);
  const unknown = names.find((name) => !values.has(name));
  if (unknown === undefined) return E.right(undefined);
  const near = alike(unknown, [...values]);
  const ends = [...graph.inputs, ...graph.outputs].map((v) => `"${v.name}"`).join(', ');
  return fail('K0216', `The graph has no value "${unknown}" that could be an ${what}`, {
    expected:
      near.length === 0 ? `the name of a value, such as ${ends}` : near.map((n) => `"${n}"`).join(' or '),
  });
};

const told = (refusal: Refusal): Checked<never> => {
  if (refusal._tag === 'opaque') return fail('K0214', refusal.why);
  if (refusal._tag === 'limit') return fail('K0113', refusal.message);
  const { message, expected, node } = refusal;
  const sentence = `${node === undefined ? '' : `In ${node}, `}${message}`;
  return fail('K0214', sentence.charAt(0).toUpperCase() + sentence.slice(1), {
    ...(expected === undefined ? {} : { expected }),
    hint: 'The file breaks a rule of its format: export it again, and check that a runtime of ONNX takes it',
  });
};

/** The types of values inside the graph, which the nodes before them give. */
function* typesOf(
  model: OnnxModel,
  names: ReadonlyArray<string>,
  samples: number,
): Steps<Diagnostics, ReadonlyMap<string, TensorType>> {
  const { known, program } = yield* step(built(model, { samples, outputs: names }));
  const types = new Map<string, TensorType>();
  for (const [k, name] of names.entries()) {
    const node = program.nodes[program.outputs[k]!]!;
    if (!known[k])
      return yield* step(
        fail(
          'K0215',
          `The shape of "${name}" is not known: ${node.op.kind === 'opaque' ? node.op.why : ''}`,
          {
            hint: 'Cut the graph at another value',
          },
        ),
      );
    types.set(name, node.type);
  }
  return types;
}

interface Built {
  readonly program: TensorProgram;
  /** For each output, whether it has a type that is known. */
  readonly known: ReadonlyArray<boolean>;
}

/** The types of what the program is called with. */
function* calledWith(
  model: OnnxModel,
  options: ProgramOptions,
): Steps<Diagnostics, ReadonlyMap<string, TensorType>> {
  const { samples, inputs } = options;
  const own = yield* step(inputTypes(model, samples));
  if (inputs === undefined) return own;
  yield* step(namesKnown(model.graph, inputs, 'input'));
  const inside = inputs.filter((name) => !own.has(name));
  const types = inside.length === 0 ? own : new Map([...own, ...(yield* typesOf(model, inside, samples))]);
  return new Map(
    inputs.flatMap((name) => {
      const type = types.get(name);
      return type === undefined ? [] : [[name, type] as const];
    }),
  );
}

function* building(model: OnnxModel, options: ProgramOptions): Steps<Diagnostics, Built> {
  const { graph, opset } = model;
  if (opset < OLDEST_OPSET)
    return yield* step(
      fail('K0214', `The file is of the operator set ${opset}`, {
        expected: `the operator set ${OLDEST_OPSET} or a newer one`,
        hint: 'Convert it (`onnx.version_converter`), or export it with a newer exporter',
      }),
    );
  const types = yield* calledWith(model, options);
  const wanted = options.outputs ?? graph.outputs.map((o) => o.name);
  if (options.outputs !== undefined) yield* step(namesKnown(graph, wanted, 'output'));
  const { nodes, values } = neededOf(graph, wanted, new Set(types.keys()));
  const missing = graph.inputs.find(({ name }) => values.has(name) && !types.has(name));
  if (missing !== undefined)
    return yield* step(
      fail(
        'K0216',
        `The outputs need the input "${missing.name}", which is not among the inputs that were named`,
        {
          hint: `Name it as well, or a value behind it`,
        },
      ),
    );
  const builder = tensorBuilder(graph.name, options.samples);
  const names = new Map(
    [...types].map(
      ([name, type]) => [name, builder.input(type, { name, origin: { node: name, op: 'input' } })] as const,
    ),
  );
  const inputs = [...names.values()];
  const state: Conversions = { builder, opset, shapeless: new Set() };
  const scope: Scope = { names, graph };
  const outputs: ValueId[] = [];
  const converted = along(convertNodes(state, scope, nodes));
  if (E.isLeft(converted)) return yield* step(told(converted.left));
  for (const name of wanted) {
    const value = along(valueOfName(state, scope, name));
    outputs.push(E.isRight(value) ? value.right : yield* step(told(value.left)));
  }
  return { program: builder.finish(inputs, outputs), known: outputs.map((o) => !state.shapeless.has(o)) };
}

const built = (model: OnnxModel, options: ProgramOptions): Checked<Built> => along(building(model, options));

/** Numbers of samples that exporters bake in. */
const USUAL_BATCHES = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 50, 64, 96, 100, 128, 256, 512];

/**
 * The only number of samples that a model takes: as its input says, or as its nodes do where they fit together for no
 * other although the input says any. Undefined where it takes several, and where none of the usual ones fits.
 */
export const bakedBatch = (
  model: OnnxModel,
  ends: Omit<ProgramOptions, 'samples'> = {},
): number | undefined => {
  const declared = declaredBatch(model);
  if (declared !== undefined) return declared;
  const fits = (samples: number): boolean => E.isRight(built(model, { ...ends, samples }));
  return fits(2) && fits(3) ? undefined : USUAL_BATCHES.find(fits);
};

/** What was wrong, or that nodes fit together for another number of samples only. */
const orBaked = (model: OnnxModel, options: ProgramOptions, found: Diagnostics): Checked<never> => {
  if (found[0].code !== 'K0214' || model.opset < OLDEST_OPSET) return E.left(found);
  const batch = bakedBatch(model, options);
  return batch === undefined || batch === options.samples
    ? E.left(found)
    : fail(
        'K0217',
        `The network was exported for batches of ${batch} and takes no others: ${found[0].message}`,
        {
          expected: `${batch} samples instead of ${options.samples}`,
          hint: 'Export it with a dynamic first dimension that no reshape fixes, or give it data in batches of this size',
        },
      );
};

/**
 * The tensor program of a model. Wrong where the file breaks a rule of ONNX (K0214), where the shape of an input is
 * open behind its first dimension (K0215), where a name is of no value (K0216), where another number of samples is
 * baked in (K0217). Nodes without a meaning here become opaque ops.
 */
export const programOf = (model: OnnxModel, options: ProgramOptions): Checked<TensorProgram> =>
  E.match(
    (found: Diagnostics): Checked<TensorProgram> => orBaked(model, options, found),
    ({ program }: Built) => E.right(program),
  )(built(model, options));
