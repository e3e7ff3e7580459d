/** What a type and a constant must be for the rules of the ops to hold. */
import * as E from 'fp-ts/lib/Either.js';
import { eachHolds, HOLDS, type Rule } from '../diagnostics/index.js';
import { showErrors } from './codec.js';
import { type Constant, elementCount, firstUnfit, showConstantType } from './constant.js';
import { type ElementType, storesElement } from './element.js';
import { MeaningCodec, quantizerFault } from './quantizer.js';
import { visitConstants } from './resources.js';
import { channelsOf, type ValueType } from './types.js';

// Untyped code makes graphs too: what the type says to be there may be missing.
const isElement = (e: ElementType | undefined): boolean =>
  e?.kind === 'f32' ||
  ((e?.kind === 'uint' || e?.kind === 'int') && Number.isInteger(e.bits) && e.bits >= 1 && e.bits <= 32);

const isShape = (shape: ReadonlyArray<number>, least: number): boolean =>
  Array.isArray(shape) && shape.every((d) => Number.isSafeInteger(d) && d >= least);

/** A constant itself, wherever it stands. */
const constantHolds = (c: Constant): Rule<void> => {
  if (!isElement(c.element) || !isShape(c.shape, 0)) return E.left('a constant has no valid type');
  const name = `a constant of type ${showConstantType(c)}`;
  if (!ArrayBuffer.isView(c.data) || !storesElement(c.element, c.data)) {
    return E.left(`${name} is not stored in the array of its type`);
  }
  if (c.data.length !== elementCount(c.shape)) return E.left(`${name} holds ${c.data.length} elements`);
  // Floats are judged by the ops: a threshold may be infinite, a weight may not.
  if (c.element.kind === 'f32') return HOLDS;
  const wrong = firstUnfit(c);
  return wrong < 0 ? HOLDS : E.left(`${name} holds ${c.data[wrong]}, which does not fit its bits`);
};

/** All constants inside a value. */
export const constantsHold = (u: unknown): Rule<void> => {
  const constants: Constant[] = [];
  visitConstants(u, (c) => {
    constants.push(c);
  });
  return eachHolds(constants, constantHolds);
};

const meaningHolds = (type: ValueType): Rule<void> => {
  const { element, meaning } = type;
  if (meaning === undefined) return HOLDS;
  const constants = constantsHold(meaning);
  if (E.isLeft(constants)) return constants;
  const decoded = MeaningCodec.decode(meaning);
  if (E.isLeft(decoded)) return E.left(`the meaning of the type is malformed: ${showErrors(decoded.left)}`);
  if (meaning._tag !== 'scaled') {
    return element.kind === 'uint'
      ? quantizerFault(meaning, channelsOf(type), element.bits)
      : E.left('only unsigned codes have a quantizer');
  }
  if (element.kind !== 'int') return E.left('only signed accumulators have a scale');
  if (typeof meaning.scale !== 'number' && meaning.scale.shape[0] !== channelsOf(type)) {
    return E.left(`scale has ${meaning.scale.shape[0]} elements for ${channelsOf(type)} channels`);
  }
  return meaning.lo > meaning.hi ? E.left(`range [${meaning.lo}, ${meaning.hi}] is empty`) : HOLDS;
};

/** The type of a value. */
export const typeHolds = (type: ValueType): Rule<void> => {
  if (!isElement(type.element)) return E.left('the element type is none of f32, u1 to u32, i1 to i32');
  if (!isShape(type.shape, 1)) {
    return E.left(`the shape [${type.shape.join(', ')}] is not made of positive integers`);
  }
  return meaningHolds(type);
};
