/**
 * Calibration runs the float network on all samples, and depends on no slider. Passes are pure functions, so that its
 * result can be kept for as long as the project is the same.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../../src/diagnostics/index.js';
import type { Level } from '../../../src/ir/types.js';
import type { PassResult } from '../../../src/passes/pass.js';
import { type BoundPass, BUILTIN_PASSES, type NamedPass } from '../../../src/passes/registry.js';

/** What comes before it in a pipeline depends on the project alone. */
const KEPT = 'calibrate';

/** The pass, which answers from memory where it is asked again with the same options. */
const remembering = (pass: NamedPass): NamedPass => {
  const known = new Map<string, Checked<PassResult<Level>>>();
  return {
    ...pass,
    bind: (options) => {
      const key = JSON.stringify(options);
      return E.map(
        (bound: BoundPass): BoundPass => ({
          ...bound,
          run: (context) => (graph) => {
            const result = known.get(key) ?? bound.run(context)(graph);
            known.set(key, result);
            return result;
          },
        }),
      )(pass.bind(options));
    },
  };
};

/** The built-in passes for the pipelines of one project. */
export const projectPasses = (): ReadonlyArray<NamedPass> =>
  BUILTIN_PASSES.map((pass) => (pass.name === KEPT ? remembering(pass) : pass));
