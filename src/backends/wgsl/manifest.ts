/** The manifest of a WebGPU artifact: what `kanc run`, `eval`, `verify` and `report` read, and what its loader does. */
import * as t from 'io-ts';
import type { Graph } from '../../ir/graph.js';
import type { EmitContext } from '../backend.js';
import {
  COMMON,
  describeLayer,
  manifestHead,
  manifestTail,
  Natural,
  parseManifestOf,
  Size,
} from '../shared/manifest.js';
import type { Step } from './entries.js';
import type { Layout } from './layout.js';
import type { Plan } from './plan.js';

/** What a loader runs: plain data, the same for every program. */
export const ProgramCodec = t.type({
  /** What model.wgsl and model.bin are marked with (build.ts), and their lengths. */
  build: t.string,
  bytes: t.type({ wgsl: Natural, bin: Natural }),
  schedule: t.union([t.literal('fused'), t.literal('layers')]),
  /** Invocations of a workgroup. */
  size: Size,
  /** Bytes of workgroup memory. */
  workgroupBytes: Natural,
  /** Runs of words of model.bin, each bound as one buffer. */
  pages: t.array(t.type({ start: Natural, length: Natural })),
  /** Every value, in the order in which they lie in the buffer of values: `start` and `length` in words of a sample. */
  values: t.array(
    t.type({
      name: t.string,
      element: t.keyof({ u32: null, i32: null, f32: null }),
      start: Natural,
      length: Size,
      kept: t.boolean,
    }),
  ),
  /** Dispatches in their order: ceil(samples * items / each) workgroups. */
  steps: t.array(t.type({ entry: t.string, page: Natural, items: Size, each: Size })),
});

export type Program = t.TypeOf<typeof ProgramCodec>;

/** A program whose files are not marked as those of one build yet. */
export type Unmarked = Omit<Program, 'build' | 'bytes'>;

export const WgslManifestCodec = t.type({ ...COMMON, target: t.literal('wgsl'), program: ProgramCodec });

export type WgslManifest = t.TypeOf<typeof WgslManifestCodec>;

/** Reads a manifest; K0603 when it is none. */
export const parseWgslManifest = parseManifestOf(WgslManifestCodec, 'a WebGPU artifact');

/** `workgroupBytes`: memory that a workgroup takes. */
export const programOf = (layout: Layout, steps: ReadonlyArray<Step>, workgroupBytes: number): Unmarked => ({
  schedule: layout.schedule,
  size: layout.size,
  workgroupBytes,
  pages: layout.pages.map(({ start, length }) => ({ start, length })),
  values: layout.values.map(({ name, storage, start, length, kept }) => ({
    name,
    element: storage,
    start,
    length,
    kept,
  })),
  steps: steps.map((step) => ({ ...step })),
});

export const wgslManifestOf = (
  graph: Graph<'table'>,
  plan: Plan,
  program: Program,
  files: ReadonlyMap<string, Uint8Array | string>,
  context: EmitContext,
): WgslManifest => ({
  ...manifestHead('wgsl', graph, plan, context),
  layers: plan.kernels.map((k) =>
    describeLayer(
      graph,
      k,
      k.parts.reduce((n, part) => n + 4 * part.words.length, 0),
    ),
  ),
  program,
  ...manifestTail(files, context),
});
