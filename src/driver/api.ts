/** The compiler for scripts, bound to Node. */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostics, showDiagnostic } from '../diagnostics/index.js';
import type { Compilation } from './compile.js';
import { compileWith } from './compile-input.js';
import { sha256Of } from './node/hash.js';
import { ownVersion } from './node/index.js';
import type { CompileInput } from './script-input.js';

export type { ArrayData, CompileInput } from './script-input.js';

/** What `compile` rejects with: the diagnostics, and their text as the message. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
  readonly diagnostics: Diagnostics;
  constructor(diagnostics: Diagnostics) {
    super(diagnostics.map(showDiagnostic).join('\n'));
    this.diagnostics = diagnostics;
  }
}

/** `compileWith` in this process. */
export const compileTask = (input: CompileInput): TE.TaskEither<Diagnostics, Compilation> =>
  compileWith({ version: ownVersion(), now: () => performance.now(), sha256: sha256Of })(input);

/** The same as a promise, for scripts without fp-ts: rejects with a `CompileError`. */
export const compile = async (input: CompileInput): Promise<Compilation> => {
  const result = await compileTask(input)();
  if (E.isLeft(result)) throw new CompileError(result.left);
  return result.right;
};
