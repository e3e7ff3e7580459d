/** The C99 of a program: one header and one source. */

import type { Graph } from '../../ir/graph.js';
import { channelsOf, innerOf, levelsOf, sizeOf } from '../../ir/types.js';
import { type Code, commentText, loop, render } from '../cpp/code.js';
import { helperCode } from '../cpp/helpers.js';
import { cType, type Memory } from '../cpp/memory.js';
import type { Program } from '../cpp/program.js';
import { refusal } from '../cpp/refusal.js';
import type { Dialect, Helper, Slot, Stage } from '../cpp/stage.js';
import { dequantizeLine } from '../cpp/stages/elementwise.js';
import { tableCode, tableForm } from '../cpp/table.js';
import { interleaved } from '../shared/image.js';

/** What the text of a program depends on, besides the program. */
export interface CStyle {
  /** An identifier that names files and functions. */
  readonly name: string;
  /** Who gives the memory for the values between stages. */
  readonly scratch: 'static' | 'caller';
  /** Entries of at most 4 bits share bytes. */
  readonly pack: boolean;
  readonly version: string;
}

export const cDialect = (pack: boolean): Dialect => ({
  element: cType,
  table: (table) => tableForm(table, pack),
  lineBuffers: false,
  localSums: false,
  pragma: () => [],
  lanes: () => 1,
});

export const inputType = (program: Program): string => cType(program.inputSlot.type);

const scratchParameter = ({ name, scratch }: CStyle): string =>
  scratch === 'caller' ? `${name}_scratch *scratch, ` : '';

/** The declarations of the two entry points, without a semicolon. */
const signatures = (program: Program, style: CStyle): { readonly raw: string; readonly floats: string } => {
  const given = `${scratchParameter(style)}const ${inputType(program)} *x`;
  return {
    raw: `int ${style.name}_predict_raw(${given}, int32_t *out)`,
    floats: `int ${style.name}_predict(${given}, float *out)`,
  };
};

const shapeText = (shape: ReadonlyArray<number>): string => `[${shape.join('][')}]`;

export const headerText = (graph: Graph, program: Program, memory: Memory, style: CStyle): string => {
  const { name, scratch } = style;
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
    ...(scratch === 'caller'
      ? [
          `/* Memory for what lies between the stages: ${memory.bytes} bytes. Nothing in it need be set or kept. */`,
          `typedef struct ${name}_scratch {`,
          memory.pools.map((p) => `${p.ctype} ${p.name}[${p.length}];`),
          `} ${name}_scratch;`,
          '',
        ]
      : [`/* The values between the stages lie in ${memory.bytes} static bytes: one call at a time. */`, '']),
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
    '#endif',
  ]);
};

const slotCode = (memory: Memory, slot: Slot): string => {
  const place = memory.places.get(slot.name);
  if (place === undefined) return 'x';
  return `s->${place.pool.name}${place.at === 0 ? '' : ` + ${place.at}`}`;
};

const stageCode = (stage: Stage, d: Dialect): Code => [
  `/* ${stage.comment} */`,
  `static void ${stage.name}(${stage.inputs
    .map((slot, k) => `const ${cType(slot.type)} *in${k}, `)
    .join('')}${cType(stage.output.type)} *out)`,
  '{',
  stage.body(d),
  '}',
  '',
];

/** Runs all stages; gives where the last integers lie. */
const runCode = (graph: Graph, program: Program, memory: Memory, style: CStyle): Code => {
  const refused = refusal(graph, program, 'x');
  const size = sizeOf(program.input.type);
  const type = inputType(program);
  return [
    `static int run(${style.name}_memory *s, const ${type} *x)`,
    '{',
    [
      ...(refused === undefined ? [] : loop('j', size, [`if (${refused.test}) {`, ['return 1;'], '}'])),
      ...program.stages.flatMap((stage, k) => [
        `${stage.name}(${[...stage.inputs, stage.output].map((slot) => slotCode(memory, slot)).join(', ')});`,
        `${style.name.toUpperCase()}_TRACE(${k}, ${slotCode(memory, stage.output)}, ${stage.output.length});`,
      ]),
      'return 0;',
    ],
    '}',
    '',
  ];
};

/** Every result in row-major order: `e` is where it lies, `j` its place in `out`, `c` its channel. */
const resultLoops = (program: Program, body: Code): Code => {
  const { type } = program.raw;
  if (interleaved(type) === 1) {
    const [channels, inner] = [channelsOf(type), innerOf(type)];
    const c = inner === 1 ? 'j' : channels === 1 ? '0' : `j / ${inner}`;
    return loop('j', sizeOf(type), ['const int32_t e = j;', `const int32_t c = ${c};`, ...body]);
  }
  const [channels, inner] = [channelsOf(type), innerOf(type)];
  return loop(
    'c',
    channels,
    loop('p', inner, [
      `const int32_t e = p * ${channels} + c;`,
      `const int32_t j = c * ${inner} + p;`,
      ...body,
    ]),
  );
};

const entryCode = (program: Program, memory: Memory, style: CStyle): Code => {
  const { raw, floats } = signatures(program, style);
  const shared = style.scratch === 'static' ? '&memory' : 'scratch';
  const begin: Code = [
    `${style.name}_memory *s = ${shared};`,
    'const int refused = run(s, x);',
    'if (refused) {',
    ['return refused;'],
    '}',
  ];
  const from = slotCode(memory, program.rawSlot);
  const value = `(${from})[e]`;
  const line =
    program.scale === undefined
      ? undefined
      : dequantizeLine(program.scale, channelsOf(program.raw.type), 'result');
  return [
    ...(style.scratch === 'static' ? [`static ${style.name}_memory memory;`, ''] : []),
    raw,
    '{',
    [...begin, ...resultLoops(program, ['(void)c;', `out[j] = (int32_t)${value};`]), 'return 0;'],
    '}',
    ...(line === undefined
      ? []
      : [
          '',
          floats,
          '{',
          [
            ...line.declare,
            ...begin,
            ...resultLoops(program, ['(void)c;', `out[j] = (float)${value} * ${line.factor};`]),
            'return 0;',
          ],
          '}',
        ]),
  ];
};

export const sourceText = (graph: Graph, program: Program, memory: Memory, style: CStyle): string => {
  const d = cDialect(style.pack);
  const { name } = style;
  const upper = name.toUpperCase();
  const needed = new Set<Helper>([
    ...program.stages.flatMap((s) => s.helpers),
    ...(refusal(graph, program, 'x')?.helpers ?? []),
  ]);
  const scratch: Code =
    style.scratch === 'caller'
      ? [`typedef ${name}_scratch ${name}_memory;`, '']
      : [
          `typedef struct ${name}_memory {`,
          memory.pools.map((p) => `${p.ctype} ${p.name}[${p.length}];`),
          `} ${name}_memory;`,
          '',
        ];
  return render([
    `/* ${commentText(program.name)}: compiled by kanc ${commentText(style.version)}. C99; no library, no allocation, no recursion. */`,
    `#include "${name}.h"`,
    '',
    '/* Defined by those who want to see every value: called after each stage. */',
    `#ifndef ${upper}_TRACE`,
    `#define ${upper}_TRACE(stage, values, count) ((void)0)`,
    '#endif',
    '',
    ...scratch,
    ...helperCode(needed),
    ...program.stages.flatMap((s) => [
      ...s.tables.flatMap((t) => [...tableCode(t, d.table(t)), '']),
      ...stageCode(s, d),
    ]),
    ...runCode(graph, program, memory, style),
    ...entryCode(program, memory, style),
  ]);
};
