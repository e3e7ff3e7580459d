/**
 * Marks model.wasm as of one build with its index.js: by an export whose name tells the build. Tools that rewrite modules
 * keep exports, where they drop custom sections; and exports can be looked at without running anything.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { InternalError } from '../../diagnostics/index.js';
import { buildId } from '../shared/build-id.js';
import { addExports, exportedFunctions } from './binary.js';
import type { Manifest } from './manifest.js';

/** What the name of the export begins with; the id of the build follows. */
export const BUILD_EXPORT = 'kanc-build:';

/** What a loader knows of the module that it belongs to. */
export interface Build {
  readonly id: string;
  /** Of model.wasm. */
  readonly bytes: number;
}

export interface MarkedModule {
  readonly module: Uint8Array;
  readonly build: Build;
}

/**
 * The module with its mark. The build is named by the code and by what index.js says about memory, input and results: what is
 * equal in two builds may be exchanged, whichever version of kanc wrote it.
 */
export const markedModule = (
  module: Uint8Array,
  { memory, input, output, raw }: Pick<Manifest, 'memory' | 'input' | 'output' | 'raw'>,
): MarkedModule => {
  const id = buildId(JSON.stringify({ memory, input, output, raw }), module);
  const marked = pipe(
    exportedFunctions(module),
    E.flatMap((exports) =>
      addExports(module, [{ name: `${BUILD_EXPORT}${id}`, index: exports.get('runRaw') ?? 0 }]),
    ),
  );
  if (E.isLeft(marked)) throw new InternalError('a module without exports');
  return { module: marked.right, build: { id, bytes: marked.right.length } };
};
