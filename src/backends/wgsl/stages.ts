/**
 * Runs the stages of a WebGPU program one at a time. A layered program has entry points for each; for a fused one, entry
 * points are added behind the text of the artifact, which call its functions as its own entry point does.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, fail } from '../../diagnostics/index.js';
import { allocate, type TypedArray } from '../../ir/element.js';
import { type Graph, typesOf } from '../../ir/graph.js';
import type { ValueType } from '../../ir/types.js';
import type { Stage } from '../backend.js';
import { WGSL_STAGES } from '../texts.js';
import { fusedBlock, type Step, sampleEntry } from './entries.js';
import { loaderHead } from './glue.js';
import type { Kernel, Text } from './kernel.js';
import { u } from './kernel.js';
import { BINDING_BYTES, type Layout, layoutOf } from './layout.js';
import type { WgslManifest } from './manifest.js';
import { type Plan, planOf } from './plan.js';
import { attempt } from './runtime.js';

export type WgslStage = Stage<TE.TaskEither<Diagnostics, TypedArray>>;

export interface WgslStages {
  readonly stages: ReadonlyArray<WgslStage>;
  readonly schedule: Layout['schedule'];
  readonly close: () => void;
}

/** A stage as the runner takes it. */
interface Runnable {
  readonly steps: ReadonlyArray<Step>;
  readonly result: { readonly start: number; readonly length: number };
}

interface Operand {
  /** Undefined: the input of the program. */
  readonly start: number | undefined;
  readonly data: TypedArray;
}

interface Runner {
  readonly capacity: number;
  readonly run: (k: number, operands: ReadonlyArray<Operand>, samples: number) => Promise<Uint32Array>;
  readonly destroy: () => void;
}

/** What the runner of stages exports: web/loaders has it. */
export type LoadStages = (options: {
  readonly gpu: unknown;
  readonly code: string;
  readonly more: string;
  readonly bin: Uint8Array;
  readonly stages: ReadonlyArray<Runnable>;
}) => Promise<Runner>;

/** The module is text of this package, so that its exports are known. */
const isRunner = (module: unknown): module is { readonly loadStages: LoadStages } =>
  typeof module === 'object' &&
  module !== null &&
  'loadStages' in module &&
  typeof module.loadStages === 'function';

export const stagesOnGpu = (
  graph: Graph<'table'>,
  manifest: WgslManifest,
  { wgsl, bin }: { readonly wgsl: Uint8Array; readonly bin: Uint8Array },
  gpu: unknown,
): TE.TaskEither<Diagnostics, WgslStages> => {
  const limit = BINDING_BYTES / 4;
  const { schedule } = manifest.program;
  return pipe(
    planOf(graph, limit),
    E.bindTo('plan'),
    E.let('layout', ({ plan }) => layoutOf(plan, schedule, limit)),
    E.tap(({ plan, layout }) => checkValues(plan, layout, manifest)),
    E.let('runnables', ({ plan }) => plan.kernels.map((kernel, k) => runnableOf(kernel, k, manifest))),
    TE.fromEither,
    TE.bind('runner', ({ plan, layout, runnables }) =>
      attempt(async () => {
        const source = [loaderHead(manifest), WGSL_STAGES].join('\n');
        const module: unknown = await import(
          /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`
        );
        if (!isRunner(module)) throw new Error('the runner of stages exports no loadStages');
        const code = new TextDecoder().decode(wgsl);
        const more = schedule === 'fused' ? addedEntries(plan, layout) : '';
        return module.loadStages({ gpu, code, more, bin, stages: runnables });
      }),
    ),
    TE.map(({ plan, layout, runner }) => {
      const types = typesOf(graph);
      return {
        stages: plan.kernels.map((kernel, k) =>
          stageOf(kernel, k, plan, layout, types.get(kernel.name) ?? plan.input.type, runner),
        ),
        schedule,
        close: runner.destroy,
      };
    }),
  );
};

/** Whether the values are where this version puts them (K0603). */
const checkValues = (plan: Plan, layout: Layout, { program }: WgslManifest): Checked<void> =>
  layout.schedule === program.schedule &&
  plan.kernels.length === program.values.length &&
  layout.values.every(({ name, start, length }, k) => {
    const other = program.values[k]!;
    return other.name === name && other.start === start && other.length === length;
  })
    ? E.right(undefined)
    : fail('K0603', 'the values of model.wgsl do not lie where this version of kanc puts them', {
        hint: 'Another version has written the artifact: compile the model again.',
      });

const ADDED = 'prove_k';

const runnableOf = ({ name }: Kernel, k: number, { program }: WgslManifest): Runnable => {
  const { start, length } = program.values.find((v) => v.name === name) ?? { start: 0, length: 0 };
  const own = new RegExp(`^run_k${k}(?:_\\d+)?$`);
  return {
    steps:
      program.schedule === 'fused'
        ? [{ entry: `${ADDED}${k}`, page: 0, items: 1, each: 1 }]
        : program.steps.filter(({ entry }) => own.test(entry)),
    result: { start, length },
  };
};

/** For each kernel: its operands into the memory of the workgroup, and the lines that the program has for it. */
const addedEntries = ({ kernels, input }: Plan, layout: Layout): Text =>
  kernels
    .map((kernel, k) => {
      const operands = [...new Set(kernel.operands)].filter((name) => name !== input.name);
      const loads = operands.flatMap((name): ReadonlyArray<Text> => {
        const value = layout.values.find((v) => v.name === name);
        if (value?.local === undefined) return [];
        const stored = `values[run.capacity * ${u(value.start)} + sample * ${u(value.length)} + j]`;
        return [
          `for (var j = lane; j < ${u(value.length)}; j += ${u(layout.size)}) { local_words[${u(value.local)} + j] = ${stored}; }`,
        ];
      });
      const body = [...loads, 'workgroupBarrier();', ...fusedBlock(kernel, k, true, layout)];
      return sampleEntry(`${ADDED}${k}`, layout, body);
    })
    .join('\n');

const stageOf = (
  kernel: Kernel,
  k: number,
  plan: Plan,
  layout: Layout,
  type: ValueType,
  runner: Runner,
): WgslStage => {
  const places = kernel.operands.map((name) => layout.values.find((v) => v.name === name)?.start);
  const { length } = kernel;
  const some = async (
    operands: ReadonlyArray<TypedArray>,
    samples: number,
    from: number,
    count: number,
    values: TypedArray,
  ): Promise<void> => {
    const given = operands.map((data, o): Operand => {
      const size = data.length / samples;
      const own = data.subarray(from * size, (from + count) * size);
      return { start: places[o], data: places[o] === undefined ? inputWords(own) : wordsOf(own) };
    });
    const words = await runner.run(k, given, count);
    values.set(valuesOf(words, kernel.storage), from * length);
  };
  return {
    name: kernel.name,
    // The input of the program is the value that has no place.
    operands: kernel.operands.map((name, o) => (places[o] === undefined ? plan.input.name : name)),
    run: (operands, samples) =>
      attempt(async () => {
        const values = allocate(type.element, samples * length);
        for (let from = 0; from < samples; from += runner.capacity) {
          await some(operands, samples, from, Math.min(runner.capacity, samples - from), values);
        }
        return values;
      }),
  };
};

/** Floats as they are; bytes padded to whole words. */
const inputWords = (data: TypedArray): TypedArray => {
  if (data instanceof Float32Array || data.byteLength % 4 === 0) return data.slice();
  const padded = new Uint8Array(4 * Math.ceil(data.length / 4));
  padded.set(data);
  return padded;
};

const wordsOf = (data: TypedArray): TypedArray =>
  data instanceof Float32Array ? data.slice() : Int32Array.from(data);

const valuesOf = (words: Uint32Array, storage: Kernel['storage']): TypedArray =>
  storage === 'f32'
    ? new Float32Array(words.buffer)
    : storage === 'i32'
      ? new Int32Array(words.buffer)
      : words;
