/** What a file can be drafted as: its layers with what belongs to them, or the reason why no draft can be right. */

import * as E from 'fp-ts/lib/Either.js';
import { type Checked, type Diagnostics, fail, printable, type Rule } from '../../../diagnostics/index.js';
import type { TensorFile } from '../../containers/tensor.js';
import { listed } from '../../listed.js';
import { consumingAll } from '../../unconsumed.js';
import { type Architecture, LAYER_LIMIT } from '../architecture.js';
import { buildArchitecture } from '../build.js';
import type { FoundLayer } from '../detect.js';
import { axesOf, type Choices, nearestFirst, USUAL } from './choices.js';
import { type Composed, compose } from './compose.js';
import { findLayers, type Stray } from './find.js';
import { type Units, unitsOf } from './units.js';

/** The layers under some choices. */
export interface Candidate extends Composed {
  readonly choices: Choices;
  readonly units: Units;
}

export interface Plan {
  readonly file: TensorFile;
  readonly layers: ReadonlyArray<FoundLayer>;
  /** Tensors with which no network computes. */
  readonly idle: ReadonlyArray<string>;
  /** Shape of a sample, where somebody said it. */
  readonly input: ReadonlyArray<number> | undefined;
  /** What is drafted where nothing can be checked. */
  readonly usual: Candidate;
}

const REASONS_SHOWN = 3;
const NAMES_SHOWN = 2;

/** Strays of one reason are told together. */
const showStrays = (strays: ReadonlyArray<Stray>): string => {
  const reasons = new Map<string, Stray[]>();
  for (const stray of strays) reasons.set(stray.why, [...(reasons.get(stray.why) ?? []), stray]);
  const shown = [...reasons].slice(0, REASONS_SHOWN).map(([why, members]) => {
    const show = ({ name, shape }: Stray): string => `${printable(name, 60)} [${shape.join(', ')}]`;
    return `${listed(members, NAMES_SHOWN, show)}: ${why}`;
  });
  return shown.join('; ') + (reasons.size > shown.length ? '; and others' : '');
};

const OTHERWISE =
  'docs/architecture-files.md lists the layers that there are. A tensor of one of them under another name has to be renamed in the checkpoint; a network with others cannot be read.';

const AS_KAJN =
  'Of these KAJN alone can be read: kanc import --draft-arch --check golden_inputs.npy golden_outputs.npy tries it, or write kajn-conv2d in an architecture file of your own.';

const refuseStrays = (strays: ReadonlyArray<Stray>, layers: number): Checked<never> => {
  if (strays.every(({ unclear }) => unclear === true)) {
    return fail(
      'K0213',
      `${strays.length} tensors may be of layers that architecture files do not have: ${showStrays(strays)}`,
      { hint: AS_KAJN },
    );
  }
  const beside = layers === 0 ? '' : `, beside ${layers} layer${layers === 1 ? '' : 's'} that they have`;
  return fail(
    'K0213',
    `${strays.length} tensors are of layers that architecture files do not have${beside}: ${showStrays(strays)}`,
    { hint: OTHERWISE },
  );
};

/**
 * K0213 where tensors are of no layer that an architecture file has, or layers cannot stand one after another.
 * `checked`: whether golden data will tell what names do not.
 */
export const planOf = (
  file: TensorFile,
  input: ReadonlyArray<number> | undefined,
  checked: boolean,
): Checked<Plan> => {
  const { layers, strays, idle } = findLayers(file, checked);
  if (strays.length > 0) return refuseStrays(strays, layers.length);
  if (layers.length === 0 || layers.length > LAYER_LIMIT) {
    return fail('K0213', `the tensors are of ${layers.length} layers`, {
      expected: `1 to ${LAYER_LIMIT} layers`,
    });
  }
  const plan = { file, layers, idle, input };
  const usual = candidateOf(plan, unitsOf(file, layers, USUAL.normSide), USUAL);
  return E.isRight(usual)
    ? E.right({ ...plan, usual: usual.right })
    : fail('K0213', `the layers are not one after another in the order of the file: ${usual.left}`, {
        expected: 'layers that take what the one before them gives',
        hint: 'Branches, concatenations and attention cannot be said by an architecture file. Another order, or a shortcut with layers of its own (residual), can: write the file by hand as docs/architecture-files.md describes.',
      });
};

/** Left with the reason where the layers do not fit each other. */
const candidateOf = ({ input }: Pick<Plan, 'input'>, units: Units, choices: Choices): Rule<Candidate> =>
  E.map((one: Composed): Candidate => ({ ...one, choices, units }))(compose(units.units, choices, input));

/** Most choices that are looked at: of many, layers do not fit each other, which is soon seen. */
const CHOICES = 40_000;

/** The usual candidate first, then others that fit, at most `limit`, in the order in which a check tries them. */
export function* candidatesOf(plan: Plan, limit: number): Generator<Candidate> {
  const { units } = plan.usual;
  const sides = { after: units, before: unitsOf(plan.file, plan.layers, 'before') };
  let count = 0;
  for (const choices of nearestFirst(axesOf(units.units, units.moved.length > 0), CHOICES)) {
    const one = candidateOf(plan, sides[choices.normSide], choices);
    if (E.isLeft(one) || one.right.unfinished !== undefined) continue;
    if (count++ === limit) return;
    yield one.right;
  }
}

/** Whether all tensors have a part in the network and all layers fit: what reading the file will say. */
export const tryOut = (arch: Architecture, { file, idle }: Pick<Plan, 'file' | 'idle'>): Checked<void> =>
  E.map(() => undefined)(
    consumingAll(file, idle.length > 0 ? { ignoreExtra: true } : {}, (recorded) =>
      buildArchitecture(arch, recorded, {}),
    ),
  );

/** The same fault as one of drafts: the file that would have it is not there. */
export const asNoDraft = ([first]: Diagnostics): Checked<never> =>
  fail('K0213', `no draft of these tensors reads: ${first.message}`, {
    place: first.place,
    ...(first.expected === undefined ? {} : { expected: first.expected }),
    hint: OTHERWISE,
  });
