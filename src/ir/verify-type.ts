/** What a type and a constant must be for the rules of the ops to hold. */
import * as E from 'fp-ts/lib/Either.js';
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

/** What is wrong with a constant itself, wherever it stands. */
export const constantFault = (c: Constant): string | undefined => {
  if (!isElement(c.element) || !isShape(c.shape, 0)) return 'a constant has no valid type';
  const name = `a constant of type ${showConstantType(c)}`;
  if (!ArrayBuffer.isView(c.data) || !storesElement(c.element, c.data)) {
    return `${name} is not stored in the array of its type`;
  }
  if (c.data.length !== elementCount(c.shape)) return `${name} holds ${c.data.length} elements`;
  // Floats are judged by the ops: a threshold may be infinite, a weight may not.
  if (c.element.kind === 'f32') return undefined;
  const wrong = firstUnfit(c);
  return wrong < 0 ? undefined : `${name} holds ${c.data[wrong]}, which does not fit its bits`;
};

const meaningFault = (type: ValueType): string | undefined => {
  const { element, meaning } = type;
  if (meaning === undefined) return undefined;
  let fault: string | undefined;
  visitConstants(meaning, (c) => {
    fault ??= constantFault(c);
  });
  if (fault !== undefined) return fault;
  const decoded = MeaningCodec.decode(meaning);
  if (E.isLeft(decoded)) return `the meaning of the type is malformed: ${showErrors(decoded.left)}`;
  if (meaning._tag !== 'scaled') {
    return element.kind === 'uint'
      ? quantizerFault(meaning, channelsOf(type), element.bits)
      : 'only unsigned codes have a quantizer';
  }
  if (element.kind !== 'int') return 'only signed accumulators have a scale';
  if (typeof meaning.scale !== 'number' && meaning.scale.shape[0] !== channelsOf(type)) {
    return `scale has ${meaning.scale.shape[0]} elements for ${channelsOf(type)} channels`;
  }
  return meaning.lo > meaning.hi ? `range [${meaning.lo}, ${meaning.hi}] is empty` : undefined;
};

/** What is wrong with the type of a value, or undefined. */
export const typeFault = (type: ValueType): string | undefined => {
  if (!isElement(type.element)) return 'the element type is none of f32, u1 to u32, i1 to i32';
  if (!isShape(type.shape, 1)) return `the shape [${type.shape.join(', ')}] is not made of positive integers`;
  return meaningFault(type);
};
