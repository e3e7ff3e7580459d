/** What a draft tells about itself, for people: everything that it has guessed, and how to find out. */

import { printable } from '../../../diagnostics/index.js';
import { listed } from '../../listed.js';
import { type Choices, USUAL } from './choices.js';
import type { Candidate, Plan } from './plan.js';

const NAMES_SHOWN = 12;

const list = (names: ReadonlyArray<string>): string =>
  listed(names, NAMES_SHOWN, (name) => printable(name, 60));

/** Modules of a Sequential that have no tensors. */
const gaps = (prefixes: ReadonlyArray<string>): ReadonlyArray<string> => {
  const numbers = prefixes.map((prefix) => (/^\d{1,6}$/.test(prefix) ? Number(prefix) : -1));
  if (numbers.some((n) => n < 0)) return [];
  const has = new Set(numbers);
  const missing = Array.from({ length: Math.max(...numbers) }, (_, n) => n).filter((n) => !has.has(n));
  return missing.length === 0
    ? []
    : [
        `modules ${missing.slice(0, 20).join(', ')} have no tensors: activations, poolings, flattenings or dropouts stand there`,
      ];
};

/** What differs from the usual choices, in words; empty when nothing does. */
export const showChoices = (choices: Choices): ReadonlyArray<string> => [
  ...(choices.activation === undefined
    ? []
    : [
        `activation ${choices.activation} ${choices.beforeNorm ? 'before the normalisation of' : 'after'} plain layers`,
      ]),
  ...(choices.base === undefined ? [] : [`base activation ${choices.base}`]),
  ...(choices.last === undefined ? [] : [`${choices.last} after the last layer`]),
  ...(choices.padded ? [] : ['no padding']),
  ...(choices.residual ? ['residual sums around layers that keep their size'] : []),
  ...(choices.normSide === USUAL.normSide ? [] : ['normalisations before their layers']),
  ...choices.strides.flatMap((s, k) => (s === 1 ? [] : [`stride ${s} in layer ${k}`])),
  ...choices.pools.flatMap((p, k) => (p === 'none' ? [] : [`${p} pooling after layer ${k}`])),
];

const NOTHING_BETWEEN =
  'activations between layers, residual sums, dropout and other modules without tensors: none';

/** How to find out whether a draft is right. */
export const HOW_TO_CHECK =
  'nothing of this was tried: compare with the outputs of the library, kanc eval MODEL --arch FILE --data golden_inputs.npy --labels golden_outputs.npy, or draft with --check golden_inputs.npy golden_outputs.npy';

/** Of a draft that nobody has checked. */
export const assumptionsOf = (
  { layers, idle }: Plan,
  { guesses, unfinished, units }: Candidate,
): ReadonlyArray<string> => {
  const prefixes = layers.map(({ prefix }) => prefix);
  return [
    ...(unfinished === undefined ? [] : [`the draft does not run before it is edited: ${unfinished}`]),
    ...guesses,
    ...(layers.length < 2
      ? []
      : [`order of the layers, one after another: that of the file, ${list(prefixes)}`]),
    ...(units.moved.length === 0
      ? []
      : [`order of the normalisations, which are a list of their own: by number, ${list(units.moved)}`]),
    ...gaps(prefixes),
    NOTHING_BETWEEN,
    ...(idle.length === 0
      ? []
      : [`no part of the network, to be left out with --ignore-tensors: ${list(idle)}`]),
    HOW_TO_CHECK,
  ];
};

/** Of a draft that computes what it should, which has been told already. */
export const checkedNotes = (plan: Plan, candidate: Candidate): ReadonlyArray<string> => {
  const found = showChoices(candidate.choices);
  return [
    ...(found.length === 0 ? [] : [`found by trying: ${found.join('; ')}`]),
    ...assumptionsOf(plan, candidate).filter(
      (note) => note !== HOW_TO_CHECK && (found.length === 0 || note !== NOTHING_BETWEEN),
    ),
  ];
};
