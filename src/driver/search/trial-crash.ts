/** Exceptions of trials, in this thread or in another: bugs of ours, with what reproduces them. */
import { showPipeline } from '../../passes/pipeline-text.js';
import { type CrashInfo, recorded } from '../crash.js';
import type { Study } from './study.js';
import { type Try, trialCalls } from './trial.js';

/** The same trials; an exception leaves as a `Crash` with the calibrated graph of the fold and the passes of the trial. */
export const crashingWith =
  (study: Study, info: CrashInfo) =>
  (attempt: Try): Try =>
  (trial) =>
    recorded(
      { graph: study.folds[trial.fold]?.calibrated, pipeline: showPipeline(trialCalls(study, trial)) },
      info,
    )(attempt(trial));
