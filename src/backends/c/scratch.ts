/** Where the values between the stages of a C program lie. */
import * as t from 'io-ts';

/**
 * `stack`: in the frame of the call. `caller`: in a structure that each call is given. `static`: in memory of the program's own,
 * so that calls must not overlap.
 */
export const ScratchCodec = t.keyof({ stack: null, caller: null, static: null });
export type Scratch = t.TypeOf<typeof ScratchCodec>;

/** Bytes that a call takes of its stack without being asked to; for smaller stacks there are the other places. */
export const STACK_BYTES = 1024;

/** Where they lie unless an option says so: calls may always overlap. */
export const scratchFor = (bytes: number): Scratch => (bytes <= STACK_BYTES ? 'stack' : 'caller');
