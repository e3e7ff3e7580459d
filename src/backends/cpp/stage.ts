/**
 * What C and folded HLS share: a program is a list of stages, each a function from arrays to one array. The text of
 * a stage is the same for both; a dialect says how types are called, and HLS adds its pragmas.
 */
import type { ValueName } from '../../ir/graph.js';
import { levelsOf, type ValueType } from '../../ir/types.js';
import type { KernelSummary } from '../shared/manifest.js';
import type { Code } from './code.js';
import { type IntegerType, integerType, type Table, type TableForm } from './table.js';

export type ElementType = IntegerType | 'f32';

/** What integers a value holds: codes below their levels, accumulators in their proven range. */
export const elementOf = (type: ValueType): ElementType => {
  if (type.element.kind === 'f32') return 'f32';
  if (type.element.kind === 'uint') return integerType(0, levelsOf(type) - 1);
  const { meaning } = type;
  if (meaning?._tag !== 'scaled') return { signed: true, bits: type.element.bits };
  const { bits } = integerType(Math.min(meaning.lo, -1), meaning.hi);
  return { signed: true, bits };
};

/** The scale of a value, one for all channels or one for each. */
export const scalesOf = ({ meaning }: ValueType): ArrayLike<number> =>
  meaning?._tag !== 'scaled' ? [1] : typeof meaning.scale === 'number' ? [meaning.scale] : meaning.scale.data;

/** An array between stages. Images lie with their channels last (see ../image.ts). */
export interface Slot {
  /** The value of the graph that lies in it. */
  readonly value: ValueName;
  /** The name of the array in code. */
  readonly name: string;
  readonly type: ElementType;
  readonly length: number;
  /** Channels that stand interleaved: 1 where the array is simply row-major. */
  readonly channels: number;
}

export interface Dialect {
  /** The name of an element type. */
  readonly element: (type: ElementType) => string;
  /** How a table is stored and read. */
  readonly table: (table: Table) => TableForm;
  /** What stands before the declaration of a constant array, and how floats in one are read. */
  readonly place: string;
  readonly float: (array: string, at: string) => string;
  /** Convolutions keep the rows that they still need; otherwise they read the whole image. */
  readonly lineBuffers: boolean;
  /** Layers sum in an array of their own and write every result once, in order. */
  readonly localSums: boolean;
  /** A pragma of HLS, or nothing. */
  readonly pragma: (text: string) => Code;
  /** How many outputs of a layer of so many are added at once: a divisor of their number. */
  readonly lanes: (outputs: number) => number;
}

export interface Stage {
  /** The function. */
  readonly name: string;
  /** The op. */
  readonly op: string;
  /** What it does, for a comment. */
  readonly comment: string;
  readonly inputs: ReadonlyArray<Slot>;
  readonly output: Slot;
  readonly tables: ReadonlyArray<Table>;
  /** Statements over `in0`, `in1`, ... and `out`. */
  readonly body: (d: Dialect) => Code;
  /** Helper functions that the body calls. */
  readonly helpers: ReadonlyArray<Helper>;
  /** Whether it reads its operands once each, from the first element to the last. */
  readonly inOrder: boolean;
  /** Clock cycles for one sample, when `lanes` outputs are added in one cycle: an estimate. */
  readonly cycles: (lanes: (outputs: number) => number) => number;
  /** The functions of the edges of a plain layer: what designs without memories are made from. */
  readonly edges?: LayerEdges;
  /** For the manifest and for reports. */
  readonly summary: StageSummary;
}

/** What every stage is told about its value. */
export interface StageBase extends Pick<Stage, 'name' | 'op' | 'comment' | 'inputs' | 'output'> {
  /** The prefix of its tables. */
  readonly id: string;
  readonly channels: number;
}

/** What input i adds to output o at a code. */
export type EdgeFunction = (i: number, code: number, o: number) => number;

export interface LayerEdges {
  readonly inputs: number;
  readonly outputs: number;
  readonly levels: number;
  readonly bias?: ArrayLike<number>;
  readonly edge: EdgeFunction;
}

export type StageSummary = Omit<KernelSummary, 'op'>;

/** What a manifest tells of a stage, under the name of its value. */
export const summaryOf = ({
  op,
  output,
  summary,
}: Stage): { readonly name: ValueName; readonly summary: KernelSummary } => ({
  name: output.value,
  summary: { op, ...summary },
});

/** Functions beside the stages. */
export type Helper = 'shift' | 'sqrt' | 'bits' | 'order';

/** Assigns an int32_t expression to an element. */
export const store = (d: Dialect, target: string, type: ElementType, value: string): string => {
  const name = d.element(type);
  return name === 'int32_t' ? `${target} = ${value};` : `${target} = (${name})(${value});`;
};

/** The value of an integer element, as an int32_t. */
export const load = (element: string): string => `(int32_t)${element}`;
