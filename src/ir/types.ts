/** Types of the values that flow through a graph. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Rule } from '../diagnostics/index.js';
import { elementCount } from './constant.js';
import { type ElementType, F32, sameElement, uint } from './element.js';
import { type Quantizer, quantizerFault, type Scaled, sameMeaning } from './quantizer.js';

/**
 * A level says which stage of the compiler a graph is in: `float` (the network as trained), `quantized`
 * (activations are codes, functions still float), `table` (integers only, no recursion left).
 */
export type Level = 'float' | 'quantized' | 'table';

export const LEVELS: ReadonlyArray<Level> = ['float', 'quantized', 'table'];

/** Every value has a leading batch dimension, printed as `n` and not part of `shape`. */
export interface ValueType {
  readonly element: ElementType;
  readonly shape: ReadonlyArray<number>;
  /** What a code or an accumulator means; absent on f32 and on raw integers such as u8 pixels. */
  readonly meaning?: Quantizer | Scaled;
}

export const floatType = (shape: ReadonlyArray<number>): ValueType => ({ element: F32, shape });

export const valueType = (
  element: ElementType,
  shape: ReadonlyArray<number>,
  meaning?: Quantizer | Scaled,
): ValueType => (meaning === undefined ? { element, shape } : { element, shape, meaning });

/** The type of codes of a quantizer, where it fits them. */
export const codesOf = (
  { quantizer, bits }: { readonly quantizer: Quantizer; readonly bits: number },
  shape: ReadonlyArray<number>,
): Rule<ValueType> =>
  pipe(
    quantizerFault(quantizer, channelsOf({ shape }), bits),
    E.map(() => valueType(uint(bits), shape, quantizer)),
  );

export const sameType = (a: ValueType, b: ValueType): boolean =>
  sameElement(a.element, b.element) &&
  a.shape.length === b.shape.length &&
  a.shape.every((d, i) => d === b.shape[i]) &&
  sameMeaning(a.meaning, b.meaning);

/** Elements of one sample. */
export const sizeOf = (type: Pick<ValueType, 'shape'>): number => elementCount(type.shape);

/** Channels of a value: its first dimension. What is given per channel (scales, maps, ranges) is shared along the others. */
export const channelsOf = (type: Pick<ValueType, 'shape'>): number => type.shape[0] ?? 1;

/** Elements of one channel of a sample: 1 for features, height times width for images. */
export const innerOf = (type: Pick<ValueType, 'shape'>): number => elementCount(type.shape.slice(1));

/** The channel of each element of a batch, row-major: element j belongs to channel floor(j / inner) mod channels. */
export const channelIndex = (type: Pick<ValueType, 'shape'>): ((j: number) => number) => {
  const channels = channelsOf(type);
  const inner = innerOf(type);
  return inner === 1 ? (j) => j % channels : (j) => Math.floor(j / inner) % channels;
};

/** How many different codes a value of unsigned type can hold: its quantizer's levels, or 2^bits. */
export const levelsOf = (type: ValueType): number => {
  if (type.meaning !== undefined && type.meaning._tag !== 'scaled') return type.meaning.levels;
  return type.element.kind === 'uint' ? 2 ** type.element.bits : 0;
};
