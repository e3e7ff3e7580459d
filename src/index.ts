/**
 * kanc as a library.
 *
 *     import { readFile } from 'node:fs/promises';
 *     import { compile, writeArtifact } from 'kanc';
 *
 *     const { artifact, divergence } = await compile({
 *       checkpoint: await readFile('model.safetensors'),
 *       calibration: await readFile('calib.npy'),
 *       quant: { act: 6, table: 8 },
 *     });
 *     await writeArtifact('out', artifact);
 *
 * `compile` rejects with a `CompileError` whose `diagnostics` tell what is wrong; `compileTask` is the same as an
 * fp-ts TaskEither. The parts of the compiler are under 'kanc/ir', 'kanc/passes', 'kanc/importers' and
 * 'kanc/backends'.
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { Artifact } from './backends/backend.js';
import { type Diagnostics, showDiagnostic } from './diagnostics/index.js';
import { writeArtifact as write } from './driver/atomic.js';
import type { Compilation } from './driver/compile.js';
import { compileWith } from './driver/compile-input.js';
import { sha256Of } from './driver/node/hash.js';
import { nodeDisk, ownVersion } from './driver/node/index.js';
import type { CompileInput } from './driver/script-input.js';

export type { Divergence } from './analyses/divergence.js';
export type { GraphCost } from './analyses/graph-cost.js';
export type { Artifact } from './backends/backend.js';
export { instantiate, type Manifest, type Program, parseManifest } from './backends/wasm/index.js';
export * from './diagnostics/index.js';
export type { Compilation } from './driver/compile.js';
export type { CompileOptions } from './driver/compile-options.js';
export type { PassRemark, Timing } from './driver/run-passes.js';
export type { ArrayData, CompileInput } from './driver/script-input.js';
export { type NpyArray, readNpy, writeNpy } from './importers/containers/npy/index.js';
export { importCheckpoint } from './importers/import.js';
export type { Graph, Level, Node, Op, Tensor, ValueType } from './ir/index.js';
export { graphToJson, interpret, parseGraph, printGraph, verify } from './ir/index.js';
export type { NamedPass } from './passes/registry.js';

/** What `compile` rejects with: the diagnostics, and their text as the message. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
  readonly diagnostics: Diagnostics;
  constructor(diagnostics: Diagnostics) {
    super(diagnostics.map(showDiagnostic).join('\n'));
    this.diagnostics = diagnostics;
  }
}

/** Compiles in this process. */
export const compileTask = (input: CompileInput): TE.TaskEither<Diagnostics, Compilation> =>
  compileWith({ version: ownVersion(), now: () => performance.now(), sha256: sha256Of })(input);

/** The same as a promise, for scripts without fp-ts: rejects with a `CompileError`. */
export const compile = async (input: CompileInput): Promise<Compilation> => {
  const result = await compileTask(input)();
  if (E.isLeft(result)) throw new CompileError(result.left);
  return result.right;
};

/**
 * Writes the files of an artifact to a folder, all or none. An artifact of kanc that is there is replaced; rejects
 * with a `CompileError` (K0102) when the folder holds anything else, or cannot be written.
 */
export const writeArtifact = async (folder: string, artifact: Artifact): Promise<void> => {
  const written = await write(nodeDisk)(folder, artifact)();
  if (E.isLeft(written)) throw new CompileError(written.left);
};
