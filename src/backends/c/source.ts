/** The source of a C program: its tables, a function for each stage, and the entry points that the header declares. */
import { match } from 'ts-pattern';

import type { Graph } from '../../ir/graph.js';
import { channelsOf, innerOf, sizeOf } from '../../ir/types.js';
import { buildCheck } from '../cpp/build.js';
import { type Code, commentText, loop, render } from '../cpp/code.js';
import { helperCode } from '../cpp/helpers.js';
import { cType, type Memory } from '../cpp/memory.js';
import { type Program, refusal } from '../cpp/program.js';
import { type Dialect, type Helper, type Slot, type Stage, scalesOf } from '../cpp/stage.js';
import { factorCode } from '../cpp/stages/elements.js';
import { tableCode, tableForm } from '../cpp/table.js';
import { interleaved } from '../shared/image.js';
import { FLASH, flashCode, flashRead } from './flash.js';
import { type CStyle, inputType, signatures } from './header.js';

export const cDialect = (pack: boolean): Dialect => ({
  element: cType,
  table: (table) => tableForm(table, pack, flashRead),
  place: FLASH,
  float: (array, at) => flashRead('float', array, at),
  lineBuffers: false,
  localSums: false,
  pragma: () => [],
  lanes: () => 1,
});

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

/** A pointer to the memory of a call. */
const memoryCode = ({ name, scratch }: CStyle): Code =>
  match(scratch)
    .with('caller', () => [`${name}_memory *s = scratch;`])
    .with('static', () => [`${name}_memory *s = &memory;`])
    .with('stack', () => [`${name}_memory memory;`, `${name}_memory *s = &memory;`])
    .exhaustive();

const entryCode = (program: Program, memory: Memory, style: CStyle, d: Dialect): Code => {
  const { raw, floats } = signatures(program, style);
  const begin: Code = [
    ...memoryCode(style),
    'const int refused = run(s, x);',
    'if (refused) {',
    ['return refused;'],
    '}',
  ];
  const from = slotCode(memory, program.rawSlot);
  const value = `(${from})[e]`;
  const line = program.scale === undefined ? undefined : factorCode(d, scalesOf(program.raw.type), 'result');
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
    ...buildCheck(`${upper}_BUILD`, `${name}.h and ${name}.c`),
    '',
    '/* Defined by those who want to see every value: called after each stage. */',
    `#ifndef ${upper}_TRACE`,
    `#define ${upper}_TRACE(stage, values, count) ((void)0)`,
    '#endif',
    '',
    ...flashCode,
    ...scratch,
    ...helperCode(needed),
    ...program.stages.flatMap((s) => [
      ...s.tables.flatMap((t) => [...tableCode(t, d.table(t), d.place), '']),
      ...stageCode(s, d),
    ]),
    ...runCode(graph, program, memory, style),
    ...entryCode(program, memory, style, d),
  ]);
};
