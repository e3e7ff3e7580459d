/** All ops of ONNX that have a conversion. */
import { ACTIVATIONS } from './activations.js';
import type { Conversion } from './call.js';
import { CONSTANTS } from './constants.js';
import { CONTROL } from './control.js';
import { ELEMENTWISE } from './elementwise.js';
import { INDEXING } from './indexing.js';
import { LAYOUT } from './layout.js';
import { LINEAR } from './linear.js';
import { NORMS } from './norms.js';
import { REDUCTIONS } from './reductions.js';
import { RESIZE } from './resize.js';
import { SELECTIONS } from './selections.js';
import { WINDOWS } from './windows.js';
import { WITHOUT_MEANING } from './without-meaning.js';

const CONVERSIONS: ReadonlyMap<string, Conversion> = new Map(
  [
    ACTIVATIONS,
    CONSTANTS,
    CONTROL,
    ELEMENTWISE,
    INDEXING,
    LAYOUT,
    LINEAR,
    NORMS,
    REDUCTIONS,
    RESIZE,
    SELECTIONS,
    WINDOWS,
    WITHOUT_MEANING,
  ].flatMap((table) => Object.entries(table)),
);

/** The conversion of an op of ONNX itself; undefined for others. */
export const conversionOf = (domain: string, op: string): Conversion | undefined =>
  domain === '' || domain === 'ai.onnx' ? CONVERSIONS.get(op) : undefined;
