/**
 * What the readers of layers have in common: a layer is a step from one value of the graph under construction to
 * the next, so that networks are compositions of steps whichever file or family describes them.
 */

import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { Builder } from '../../../ir/builder.js';
import type { ValueName } from '../../../ir/graph.js';
import { attrsFault, inferType, type Op } from '../../../ir/ops/index.js';
import { sizeOf } from '../../../ir/types.js';
import { MOST_OF_VALUE } from '../../../ir/verify.js';
import type { TensorFile } from '../../containers/tensor.js';

export interface Scope {
  readonly builder: Builder<'float'>;
  readonly file: TensorFile;
}

export type Step = (scope: Scope, value: ValueName) => Checked<ValueName>;

/**
 * Most elements of one sample of a value, and of the weights of a layer that are stored with zeros: a short
 * architecture file can ask for an image of any size.
 */
export const ELEMENT_LIMIT = MOST_OF_VALUE;

export const tooLarge = (what: string, elements: number): Checked<never> =>
  fail('K0113', `${what} would have ${elements} elements`, { expected: `at most ${ELEMENT_LIMIT}` });

/**
 * Adds an op. Unlike the builder, which remembers the first error until the graph is closed, it fails at once, so
 * that the layer at fault is told.
 */
export const emit = (
  { builder }: Scope,
  hint: string,
  op: Op,
  operands: ReadonlyArray<ValueName>,
): Checked<ValueName> => {
  const sound = attrsFault(op);
  if (E.isLeft(sound)) return fail('K0203', sound.left);
  const type = inferType(op, operands.map(builder.typeOf));
  if (E.isLeft(type)) return fail('K0203', `${op.kind} ${type.left}`);
  const elements = sizeOf(type.right);
  return elements > ELEMENT_LIMIT
    ? tooLarge('the value', elements)
    : E.right(builder.add(hint, op, operands));
};

/** One step after another. */
export const sequence =
  (steps: ReadonlyArray<Step>): Step =>
  (scope, value) => {
    let now: Checked<ValueName> = E.right(value);
    for (const step of steps) {
      if (E.isLeft(now)) return now;
      now = step(scope, now.right);
    }
    return now;
  };

/** The sum of two ways through the network; the shortcut is the value itself when it has no steps. */
export const residual =
  (hint: string, body: Step, shortcut: Step): Step =>
  (scope, value) => {
    const long = body(scope, value);
    if (E.isLeft(long)) return long;
    const short = shortcut(scope, value);
    if (E.isLeft(short)) return short;
    return emit(scope, hint, { kind: 'add', attrs: {} }, [long.right, short.right]);
  };

/** Shape of an image, [C, H, W]. */
export const imageShape = (
  { builder }: Scope,
  value: ValueName,
): Checked<readonly [number, number, number]> => {
  const [channels, height, width, ...more] = builder.typeOf(value).shape;
  return channels === undefined || height === undefined || width === undefined || more.length > 0
    ? fail('K0203', `the layer is given a value of shape [${builder.typeOf(value).shape.join(', ')}]`, {
        expected: 'an image, [channels, height, width]',
      })
    : E.right([channels, height, width]);
};
