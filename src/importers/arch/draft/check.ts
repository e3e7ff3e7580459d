/** Drafts that are tried on golden data: of the networks that the tensors can be, the one that computes the outputs. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { Graph } from '../../../ir/graph.js';
import type { Architecture } from '../architecture.js';
import { type Difference, differenceFrom, type Ending, type Golden } from './golden.js';

/** Most networks that are tried. */
export const CANDIDATES = 2000;

/** Off by no more than the noise of floats: the search ends. In parts of the largest output. */
const SAME = 1e-5;
/** Off by so little that it may be the noise of a deep network: taken where nothing is nearer. */
const NEAR = 1e-3;

export interface Attempt {
  readonly arch: Architecture;
  /** What differs from a draft without a check, in words. */
  readonly words: ReadonlyArray<string>;
  /** Undefined where its layers do not fit each other. */
  readonly graph: () => Graph | undefined;
}

interface Match {
  readonly attempt: Attempt;
  /** Which of those that were tried. */
  readonly number: number;
  readonly ending: Ending;
  readonly difference: Difference;
}

interface Search {
  /** Computes the outputs. */
  readonly best?: Match;
  /** Of those that do not, the one that is off by least on one sample; absent where none has outputs of the shape. */
  readonly nearest?: Match;
  readonly tried: number;
}

/** Tries all in their order until one is the same. One sample tells most of them apart. */
const search = (attempts: Iterable<Attempt>, golden: Golden, onTried: (networks: number) => void): Search => {
  let tried = 0;
  let best: Match | undefined;
  let nearest: Match | undefined;
  for (const attempt of attempts) {
    const graph = attempt.graph();
    if (graph === undefined) continue;
    const number = ++tried;
    onTried(number);
    for (const ending of golden.endings) {
      const glance = differenceFrom(golden, graph, 1, ending);
      const near = glance.largest <= NEAR;
      const difference = near ? differenceFrom(golden, graph, golden.samples, ending) : glance;
      if (difference.largest < (best?.difference.largest ?? NEAR)) {
        best = { attempt, number, ending, difference };
      } else if (difference.rms < (nearest?.difference.rms ?? Number.POSITIVE_INFINITY)) {
        nearest = { attempt, number, ending, difference };
      }
    }
    if (best !== undefined && best.difference.largest <= SAME) break;
  }
  return { tried, ...(best === undefined ? {} : { best }), ...(nearest === undefined ? {} : { nearest }) };
};

/** Samples with which networks that are almost alike (an activation, an epsilon) differ somewhere. */
const ENOUGH = 16;

const NOT_THE_SAME =
  'the outputs differ by more than the noise of floats: the network may be another one that is close to this, with another activation, width or epsilon';
const TOO_FEW = `fewer than ${ENOUGH} samples: another network may give the same for so few; check again with more`;

const showDifference = ({ largest, rms }: Difference, { scale, samples }: Golden): string =>
  `largest difference ${(largest * scale).toPrecision(3)}, RMS ${(rms * scale).toPrecision(3)}, of values up to ${scale.toPrecision(4)}, on ${samples} samples`;

const resultOf = ({ difference, ending, number }: Match, golden: Golden): ReadonlyArray<string> => [
  `checked: ${showDifference(difference, golden)}; network ${number} of those that were tried`,
  ...(difference.largest <= SAME ? [] : [NOT_THE_SAME]),
  ...(golden.samples >= ENOUGH ? [] : [TOO_FEW]),
  ...(ending === 'none'
    ? []
    : [
        `the ${ending} at the end is left out: kanc has no such layer, so that the network gives what goes into it; the classes are the same, the values are not`,
      ]),
];

/** The first that computes the outputs, with the result of the check among its notes. K0213 where none does. */
export const passing = (
  attempts: Iterable<Attempt>,
  golden: Golden,
  onTried: (networks: number) => void,
): Checked<Architecture> => {
  const { best, nearest, tried } = search(attempts, golden, onTried);
  if (best !== undefined) {
    const { arch } = best.attempt;
    return E.right({ ...arch, assumed: [...resultOf(best, golden), ...(arch.assumed ?? [])] });
  }
  return fail('K0213', failureOf(nearest, tried, golden), {
    expected: `a largest difference below ${NEAR} of the largest output`,
    hint: 'Nothing is written. Without --check a draft is written to be edited (strides, poolings, activations, residual sums, an order of layers that names do not tell), and kanc eval --arch compares it again. The outputs must be those of the network in its eval mode.',
  });
};

const failureOf = (nearest: Match | undefined, tried: number, golden: Golden): string => {
  const full = nearest === undefined ? undefined : wholeDifference(nearest, golden);
  if (nearest === undefined || full === undefined) {
    return `none of the ${tried} networks that were tried has such inputs and outputs`;
  }
  const what = nearest.attempt.words.join('; ') || 'the draft that is written without a check';
  return `none of the ${tried} networks that were tried computes these outputs; the nearest is another function: ${showDifference(full, golden)} (${what})`;
};

const wholeDifference = ({ attempt, ending }: Match, golden: Golden): Difference | undefined => {
  const graph = attempt.graph();
  return graph === undefined ? undefined : differenceFrom(golden, graph, golden.samples, ending);
};
