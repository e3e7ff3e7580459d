/** A thread that tries configurations: it is given a study when it starts, and then one trial after another. */
import { parentPort, workerData } from 'node:worker_threads';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { InternalError, showDiagnostic } from '../../diagnostics/index.js';
import type { Study } from '../../search/study.js';
import { TrialCodec, tryOn } from '../../search/trial.js';

const StudyShape = t.type({
  folds: t.array(t.unknown),
  calls: t.array(t.unknown),
  layers: t.array(t.unknown),
});

/** It comes from nodeTrials alone, whose type says what it is; graphs need not be checked again. */
const isStudy = (u: unknown): u is Study => StudyShape.is(u);

const handler = (data: unknown): ((job: unknown) => Promise<unknown>) => {
  if (!isStudy(data)) throw new InternalError('a thread was started without a study');
  const attempt = tryOn(data);
  return async (job) => {
    if (!TrialCodec.is(job)) throw new InternalError('a thread was given something else than a trial');
    const result = await attempt(job)();
    if (E.isLeft(result)) throw new InternalError(result.left.map(showDiagnostic).join(' '));
    return result.right;
  };
};

const handle = handler(workerData);

parentPort?.on('message', async (job: unknown) => {
  try {
    parentPort?.postMessage({ _tag: 'done', result: await handle(job) });
  } catch (error) {
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    parentPort?.postMessage({ _tag: 'threw', message, stack });
  }
});
