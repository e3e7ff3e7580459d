/**
 * A first version of an architecture file from the names and shapes of tensors. What has no tensors (strides,
 * padding, pooling, activations, the size of images) is guessed, and every guess is told in `assumed`; with golden
 * data it is found by trying. Where tensors are of no layer that an architecture file has there is no draft.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../../diagnostics/index.js';
import type { TensorFile } from '../../containers/tensor.js';
import { isResKanet, type ResKanetReading, resKanetArchitecture } from '../../families/reskanet.js';
import type { Architecture } from '../architecture.js';
import { buildArchitecture } from '../build.js';
import { type Attempt, CANDIDATES, passing } from './check.js';
import type { Golden } from './golden.js';
import { assumptionsOf, checkedNotes, HOW_TO_CHECK, showChoices } from './notes.js';
import { asNoDraft, candidatesOf, type Plan, planOf, tryOut } from './plan.js';

export { type Golden, goldenOf } from './golden.js';
export { showArchitecture } from './show.js';

/** The draft that rests on the usual choices. K0213 where no draft can be right. */
export const draftArchitecture = (file: TensorFile, input?: ReadonlyArray<number>): Checked<Architecture> => {
  if (isResKanet(file)) {
    return E.map((arch: Architecture) => ({ ...arch, assumed: [...(arch.assumed ?? []), HOW_TO_CHECK] }))(
      resKanetDraft(file, input),
    );
  }
  const plan = planOf(file, input, false);
  return E.isLeft(plan) ? plan : usualDraft(plan.right);
};

const resKanetDraft = (file: TensorFile, input?: ReadonlyArray<number>): Checked<Architecture> =>
  E.map(({ architecture, assumptions }: ResKanetReading) => ({
    ...architecture,
    ...(input === undefined ? {} : { input }),
    assumed: assumptions(input === undefined ? {} : { inputShape: input }).map(
      ({ what, assumed }) => `${what}: ${assumed}`,
    ),
  }))(resKanetArchitecture(file));

const usualDraft = (plan: Plan): Checked<Architecture> => {
  const { input, layers, unfinished } = plan.usual;
  const arch: Architecture = { input, layers, assumed: assumptionsOf(plan, plan.usual) };
  if (unfinished !== undefined) return E.right(arch);
  const tried = tryOut(arch, plan);
  return E.isLeft(tried) ? asNoDraft(tried.left) : E.right(arch);
};

/**
 * The draft that computes golden outputs from golden inputs, out of a bounded number of networks in a fixed order.
 * K0213 where none of them does, with how far off the nearest is, and where no draft can be right.
 */
export const checkedDraft = (
  file: TensorFile,
  golden: Golden,
  onTried: (networks: number) => void = () => {},
): Checked<Architecture> => {
  if (isResKanet(file)) {
    const drafted = resKanetDraft(file, golden.shape.length === 3 ? golden.shape : undefined);
    return E.isLeft(drafted)
      ? drafted
      : found(file, golden, [attemptOf(file, drafted.right, [])], [], onTried);
  }
  const plan = planOf(file, golden.shape, true);
  return E.isLeft(plan) ? plan : found(file, golden, attemptsOf(plan.right), plan.right.idle, onTried);
};

const attemptOf = (file: TensorFile, arch: Architecture, words: ReadonlyArray<string>): Attempt => ({
  arch,
  words,
  graph: () => {
    const built = buildArchitecture(arch, file, {});
    return E.isRight(built) ? built.right.graph : undefined;
  },
});

function* attemptsOf(plan: Plan): Generator<Attempt> {
  for (const candidate of candidatesOf(plan, CANDIDATES)) {
    const { input, layers, choices } = candidate;
    const assumed = checkedNotes(plan, candidate);
    yield attemptOf(plan.file, { input, layers, assumed }, showChoices(choices));
  }
}

const found = (
  file: TensorFile,
  golden: Golden,
  attempts: Iterable<Attempt>,
  idle: ReadonlyArray<string>,
  onTried: (networks: number) => void,
): Checked<Architecture> => {
  const arch = passing(attempts, golden, onTried);
  if (E.isLeft(arch)) return arch;
  const tried = tryOut(arch.right, { file, idle });
  return E.isLeft(tried) ? asNoDraft(tried.left) : arch;
};
