/**
 * The state of the pickle reader and its primitive moves. Failure is sticky: the first one is kept, later moves
 * are harmless and return fillers, and the loop over opcodes stops. That keeps every opcode a line or two.
 */
import type * as E from 'fp-ts/lib/Either.js';
import { type DiagnosticCode, type Diagnostics, fail } from '../../../diagnostics/index.js';
import { viewOf } from '../bytes.js';
import { NONE, type PersistentNode, type PickleNode } from './node.js';

/** Far above any checkpoint: about 40 opcodes make a tensor. */
const MAX_WORK = 4_000_000;
/** Python writes containers in batches of 1000, so a deep stack is a deep nesting. */
const MAX_STACK = 65_536;

export interface Machine {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  position: number;
  readonly stack: PickleNode[];
  /** Heights of the stack at the open marks. */
  readonly marks: number[];
  readonly memo: Map<number, PickleNode>;
  /** Every persistent id, in order of appearance. */
  readonly persistent: PersistentNode[];
  work: number;
  failure: E.Left<Diagnostics> | undefined;
}

export const newMachine = (bytes: Uint8Array, position: number): Machine => ({
  bytes,
  view: viewOf(bytes),
  position,
  stack: [],
  marks: [],
  memo: new Map(),
  persistent: [],
  work: 0,
  failure: undefined,
});

export const refuse = (m: Machine, code: DiagnosticCode, message: string, hint?: string): void => {
  if (m.failure !== undefined) return;
  const result = fail(code, message, hint === undefined ? {} : { hint });
  if (result._tag === 'Left') m.failure = result;
};

export const malformed = (m: Machine, what: string): void =>
  refuse(m, 'K0108', `The pickle is malformed at byte ${m.position}: ${what}`);

/** Counts work against the limit of the whole pickle. */
export const charge = (m: Machine, work: number): void => {
  m.work += work;
  if (m.work > MAX_WORK) refuse(m, 'K0113', `The pickle takes more than ${MAX_WORK} steps`);
};

const NOTHING = new Uint8Array(0);

/** The next bytes, as a window; nothing when there are fewer. No length is believed before this check. */
export const take = (m: Machine, length: number): Uint8Array => {
  if (length > m.bytes.length - m.position) {
    refuse(m, 'K0103', `The pickle ends at byte ${m.bytes.length}, in the middle of an instruction`);
    return NOTHING;
  }
  m.position += length;
  return m.bytes.subarray(m.position - length, m.position);
};

/** Moves over a number of fixed width and reads it, or returns 0 at the end of the bytes. */
export const number = (m: Machine, width: number, read: (view: DataView, at: number) => number): number => {
  take(m, width);
  return m.failure === undefined ? read(m.view, m.position - width) : 0;
};

export const push = (m: Machine, node: PickleNode): void => {
  if (m.stack.length + m.marks.length >= MAX_STACK) {
    refuse(m, 'K0108', `The pickle nests more than ${MAX_STACK} values deep`);
    return;
  }
  m.stack.push(node);
};

/** Only what was pushed since the last mark can be popped. */
export const pop = (m: Machine): PickleNode => {
  const floor = m.marks.at(-1) ?? 0;
  const node = m.stack.length > floor ? m.stack.pop() : undefined;
  if (node === undefined) malformed(m, 'it takes a value from an empty stack');
  return node ?? NONE;
};

export const top = (m: Machine): PickleNode => {
  const node = pop(m);
  if (m.failure === undefined) m.stack.push(node);
  return node;
};

export const mark = (m: Machine): void => {
  if (m.stack.length + m.marks.length >= MAX_STACK) {
    refuse(m, 'K0108', `The pickle nests more than ${MAX_STACK} values deep`);
    return;
  }
  m.marks.push(m.stack.length);
};

/** Everything since the last mark, and the mark is gone. */
export const popToMark = (m: Machine): PickleNode[] => {
  const floor = m.marks.pop();
  if (floor === undefined) {
    malformed(m, 'it looks for a mark that was never set');
    return [];
  }
  return m.stack.splice(floor);
};
