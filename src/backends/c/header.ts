/** The header of a C program: what its functions take and give, and the memory that they need. */

import * as t from 'io-ts';
import { match } from 'ts-pattern';
import type { Graph } from '../../ir/graph.js';
import { levelsOf, sizeOf } from '../../ir/types.js';
import { BUILD, buildDefinition } from '../cpp/build.js';
import { type Code, commentText, render } from '../cpp/code.js';
import { cType, type Memory } from '../cpp/memory.js';
import { type Program, refusal } from '../cpp/program.js';

/** What the text of a program depends on, besides the program. */
export interface CStyle {
  /** An identifier that names files and functions. */
  readonly name: string;
  readonly scratch: Scratch;
  /** Entries of at most 4 bits share bytes. */
  readonly pack: boolean;
  readonly version: string;
}

export const inputType = (program: Program): string => cType(program.inputSlot.type);

const scratchParameter = ({ name, scratch }: CStyle): string =>
  scratch === 'caller' ? `${name}_scratch *scratch, ` : '';

/** The declarations of the two entry points, without a semicolon. */
export const signatures = (
  program: Program,
  style: CStyle,
): { readonly raw: string; readonly floats: string } => {
  const given = `${scratchParameter(style)}const ${inputType(program)} *x`;
  return {
    raw: `int ${style.name}_predict_raw(${given}, int32_t *out)`,
    floats: `int ${style.name}_predict(${given}, float *out)`,
  };
};

const shapeText = (shape: ReadonlyArray<number>): string => `[${shape.join('][')}]`;

/** What the header says about the memory between the stages; for `caller` also the structure that holds it. */
const scratchLines = ({ bytes, pools }: Memory, { name, scratch }: CStyle): Code => [
  ...match(scratch)
    .with('stack', () => [
      `/* The values between the stages take ${bytes} bytes on the stack of each call: calls may overlap. */`,
    ])
    .with('static', () => [
      `/* The values between the stages lie in ${bytes} static bytes: one call at a time. Calls that overlap, of two`,
      ' * threads or of an interrupt, spoil the results of each other. */',
    ])
    .with('caller', () => [
      `/* The values between the stages take ${bytes} bytes, which the caller gives. Nothing in them need be set or kept; calls`,
      ' * that overlap need memory of their own each. */',
    ])
    .exhaustive(),
  `#define ${name.toUpperCase()}_SCRATCH_BYTES ${bytes}`,
  ...(scratch === 'caller'
    ? [
        `typedef struct ${name}_scratch {`,
        pools.map((p) => `${p.ctype} ${p.name}[${p.length}];`),
        `} ${name}_scratch;`,
      ]
    : []),
];

export const headerText = (graph: Graph, program: Program, memory: Memory, style: CStyle): string => {
  const { name } = style;
  const upper = name.toUpperCase();
  const { raw, floats } = signatures(program, style);
  const refused = refusal(graph, program, 'x');
  const codes =
    program.input.type.element.kind === 'f32' ? '' : ` codes below ${levelsOf(program.input.type)},`;
  return render([
    `/* ${commentText(program.name)}: compiled by kanc ${commentText(style.version)}. Integers only between input and output. */`,
    `#ifndef KANC_${upper}_H`,
    `#define KANC_${upper}_H`,
    '',
    ...buildDefinition(`${upper}_BUILD`),
    '',
    '#include <stdint.h>',
    '',
    '#ifdef __cplusplus',
    'extern "C" {',
    '#endif',
    '',
    '/* Elements of one sample, and of its results. */',
    `#define ${upper}_INPUTS ${sizeOf(program.input.type)}`,
    `#define ${upper}_OUTPUTS ${sizeOf(program.raw.type)}`,
    '',
    ...scratchLines(memory, style),
    '',
    '/*',
    ` * x:${codes} ${inputType(program)} ${shapeText(program.input.type.shape)}, row-major.`,
    ` * out: the last integers, ${shapeText(program.raw.type.shape)}, row-major; README.md tells what each stands for.`,
    ` * Returns 0${refused === undefined ? '; no input is refused' : `, or 1 without a result when x ${refused.text}`}.`,
    ' */',
    `${raw};`,
    '',
    ...(program.scale === undefined
      ? ['/* The network ends with integers: there are no floats to give. */', '']
      : [`#define ${upper}_HAS_FLOATS 1`, '/* The same integers times their scales. */', `${floats};`, '']),
    '#ifdef __cplusplus',
    '}',
    '#endif',
    '',
    '/* The header of another model with this name must not be left out without a word. */',
    `#elif ${upper}_BUILD != ${BUILD}`,
    `#error "two different models are both called ${name}: compile one of them with --target-options name=other"`,
    '#endif',
  ]);
};

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
