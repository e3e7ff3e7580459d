/** What runs the stages of an artifact one at a time, on any values of their operands. */
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../diagnostics/index.js';
import type { TypedArray } from '../ir/element.js';
import type { ValueName } from '../ir/graph.js';
import type { Occurs } from './unit.js';

export interface MachineStage {
  /** The value that it gives, and those that it reads. */
  readonly name: ValueName;
  readonly operands: ReadonlyArray<ValueName>;
  /** Which of several ways to compute the value this is; empty where there is one. */
  readonly way: string;
  /** Which codes its operands can have, where not all can be given to it. */
  readonly occurs?: Occurs;
  /** Samples so far that the stage could not be given, as they hold codes that cannot occur in it. */
  readonly skipped?: () => number;
  /** Arrays [sample, element], row-major, in the element types of the values; gives the value of each sample alike. */
  readonly run: (
    operands: ReadonlyArray<TypedArray>,
    samples: number,
  ) => TE.TaskEither<Diagnostics, TypedArray>;
}

export interface StageMachine {
  readonly stages: ReadonlyArray<MachineStage>;
  /** Integers that its table layers add in a second, roughly: how much is run depends on it. */
  readonly addsPerSecond: number;
  /** What is run, and what of the artifact is not in it. */
  readonly about: string;
  readonly close: () => void;
}
