/** Artifacts as `kanc compile` makes them, loaded by the loader that ships with them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { hasBasisForm } from '../../src/analyses/form-cost.js';
import { type Manifest, parseManifest, wasm } from '../../src/backends/wasm/index.js';
import { showDiagnostic } from '../../src/diagnostics/index.js';
import { type CompileOptions, compilePipeline } from '../../src/driver/compile-options.js';
import type { NpyArray } from '../../src/importers/containers/index.js';
import { type Graph, isLevel } from '../../src/ir/graph.js';
import { BUILTIN_PASSES, bindPipelineText, runPipeline } from '../../src/passes/index.js';
import type { Absent, Engine } from './engine.js';

export interface KancOptions extends Omit<CompileOptions, 'calib'> {
  readonly calibration?: NpyArray;
}

const sure = <A>(result: E.Either<ReadonlyArray<Parameters<typeof showDiagnostic>[0]>, A>): A => {
  if (E.isLeft(result)) throw new Error(result.left.map(showDiagnostic).join('\n'));
  return result.right;
};

export interface Compiled {
  readonly graph: Graph<'table'>;
  readonly manifest: Manifest;
  readonly files: ReadonlyMap<string, Uint8Array | string>;
}

/** The pipeline that `kanc compile` runs with these options, and the emitter. */
export const compileGraph = async (
  graph: Graph,
  { calibration, ...options }: KancOptions,
): Promise<Compiled> => {
  const text = sure(
    compilePipeline(calibration === undefined ? options : { ...options, calib: 'calibration' }, graph.level),
  );
  const dataset = calibration === undefined ? undefined : { path: 'calibration', array: calibration };
  const made = sure(
    runPipeline(sure(bindPipelineText(text, BUILTIN_PASSES, graph.level)), graph, {
      context: { dataset: () => dataset },
      verifyEach: false,
    }),
  );
  if (!isLevel('table')(made)) throw new Error('the pipeline ends with another level than tables');
  const { files } = sure(await wasm.emit({}, { version: 'bench' })(made)());
  const manifest = files.get('manifest.json');
  return { graph: made, files, manifest: sure(parseManifest(typeof manifest === 'string' ? manifest : '')) };
};

interface Model {
  readonly predict: (input: Float32Array | Uint8Array, batch: number) => Float32Array;
}

const isModel = (u: unknown): u is Model =>
  typeof u === 'object' && u !== null && 'predict' in u && typeof u.predict === 'function';

/** `load` of an artifact, called with the module's bytes. */
export const loaderOf = async ({ files }: Compiled): Promise<() => Promise<Model>> => {
  const folder = await mkdtemp(join(tmpdir(), 'kanc-bench-'));
  const path = join(folder, 'index.mjs');
  await writeFile(path, files.get('index.js') ?? '');
  const module: unknown = await import(pathToFileURL(path).href);
  await rm(folder, { recursive: true });
  const load = typeof module === 'object' && module !== null && 'load' in module ? module.load : undefined;
  if (typeof load !== 'function') throw new Error('index.js exports no load');
  const bytes = files.get('model.wasm');
  return async () => {
    const model: unknown = await load({ wasm: bytes });
    if (!isModel(model)) throw new Error('load gives no model');
    return model;
  };
};

export const kancEngine = async (graph: Graph, options: KancOptions): Promise<Engine> => {
  const compiled = await compileGraph(graph, options);
  const load = await loaderOf(compiled);
  const model = await load();
  return {
    bytes: compiled.files.get('model.wasm')?.length ?? 0,
    load,
    prepare: async ({ own }, batch) => {
      let last = model.predict(own, batch);
      return {
        run: () => {
          last = model.predict(own, batch);
        },
        outputs: async () => last,
      };
    },
  };
};

/** The same with basis tables wherever a layer has that form. */
export const basisEngine = async (graph: Graph, options: KancOptions): Promise<Engine | Absent> => {
  const layers = graph.nodes.flatMap(({ op }) => (op.kind === 'kan' ? [op.attrs] : []));
  if (!layers.some(hasBasisForm)) return { why: 'no layer is a B-spline with a base branch alone' };
  return kancEngine(graph, { ...options, form: 'basis' });
};
