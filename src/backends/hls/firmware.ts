/** The hardware of a design: the functions of its stages, and the top function that connects them. */

import { channelsOf, innerOf } from '../../ir/types.js';
import { type Code, commentText, loop, render } from '../cpp/code.js';
import { helperCode } from '../cpp/helpers.js';
import type { Dialect, Helper, Slot, Stage } from '../cpp/stage.js';
import { tableCode } from '../cpp/table.js';
import { interleaved } from '../shared/image.js';
import { checkDefines } from './build.js';
import { arrayCode, dataflowBody, resultPort, typeName } from './dataflow.js';
import type { Design } from './design.js';
import { apType, foldedDialect, romForm, unrolledDialect } from './dialect.js';
import { bitsFor, type EdgeTables } from './edge-tables.js';

/** Bits of a word of a stream: whole bytes. */
export const wordBits = (slots: ReadonlyArray<Slot>): number =>
  Math.max(...slots.map((s) => (s.type === 'f32' ? 32 : 8 * Math.ceil(s.type.bits / 8))));

const parameters = (stage: Stage): string =>
  [
    ...stage.inputs.map((slot, k) => `const ${typeName(slot)} in${k}[${slot.length}]`),
    `${typeName(stage.output)} out[${stage.output.length}]`,
  ].join(', ');

const stageCode = (stage: Stage, d: Dialect, begin: Code): Code => [
  `/* ${stage.comment} */`,
  `static void ${stage.name}(${parameters(stage)})`,
  '{',
  [...begin, ...stage.body(d)],
  '}',
  '',
];

/** A layer as truth tables and adders. */
const logicCode = (stage: Stage, { tables, outputs }: EdgeTables): Code => {
  const type = stage.output.type;
  const target = type === 'f32' ? 'float' : apType(type);
  return [
    `/* ${stage.comment}: ${tables.length} tables */`,
    `static void ${stage.name}(${parameters(stage)})`,
    '{',
    [
      '#pragma HLS INLINE',
      // Where every edge is constant the input is not read, which compilers warn of.
      ...(tables.length === 0 ? ['(void)in0;'] : []),
      ...tables.map(
        (t, k) => `const ap_uint<${bitsFor(t.most)}> e${k} = ${t.table.name}[(int32_t)in0[${t.input}]];`,
      ),
      ...outputs.flatMap(({ bias, nodes, last }, o) => [
        ...nodes.map((n) => `const ap_uint<${bitsFor(n.most)}> ${n.name} = ${n.of.join(' + ')};`),
        last === undefined
          ? `out[${o}] = ${bias};`
          : `out[${o}] = (${target})(${last.name} + ap_int<33>(${bias}));`,
      ]),
    ],
    '}',
    '',
  ];
};

/** The last integers, row-major: to an array, or as words of a stream. */
const resultCode = ({ program, interface: port }: Design): Code => {
  const { raw, rawSlot } = program;
  const [channels, inner] = [channelsOf(raw.type), innerOf(raw.type)];
  const at = interleaved(raw.type) === 1 ? 'j' : `(j % ${inner}) * ${channels} + j / ${inner}`;
  const write =
    port === 'vector'
      ? [`y[j] = in0[${at}];`]
      : [
          'output_word word;',
          `word.data = (ap_int<${wordBits([rawSlot])}>)in0[${at}];`,
          'word.keep = -1;',
          'word.strb = -1;',
          `word.last = j == ${rawSlot.length - 1};`,
          'stream_out.write(word);',
        ];
  const target = port === 'vector' ? `result_t y[${rawSlot.length}]` : 'hls::stream<output_word> &stream_out';
  return [
    `static void write_result(const ${typeName(rawSlot)} in0[${rawSlot.length}], ${target})`,
    '{',
    loop('j', rawSlot.length, ['#pragma HLS PIPELINE II=1', ...write]),
    '}',
    '',
  ];
};

/** Words of a stream to the arrays of the inputs, one after the other. */
const readCode = ({ inputs, interface: port }: Design): Code =>
  port === 'vector'
    ? []
    : [
        `static void read_input(hls::stream<input_word> &stream_in${inputs
          .map((slot) => `, ${typeName(slot)} ${slot.name}[${slot.length}]`)
          .join('')})`,
        '{',
        inputs.flatMap((slot) =>
          loop('j', slot.length, [
            '#pragma HLS PIPELINE II=1',
            'const input_word word = stream_in.read();',
            `${slot.name}[j] = (${typeName(slot)})word.data;`,
          ]),
        ),
        '}',
        '',
      ];

/** All stages in one function, a sample a clock. */
const coreCode = (design: Design): Code => {
  const { rawSlot } = design.program;
  return [
    `static void core(${design.inputs
      .map((slot) => `const ${typeName(slot)} ${slot.name}[${slot.length}], `)
      .join('')}${typeName(rawSlot)} result[${rawSlot.length}])`,
    '{',
    [
      '#pragma HLS PIPELINE II=1',
      ...design.hardware.flatMap((stage) => [
        ...(stage.output.name === rawSlot.name
          ? []
          : arrayCode(
              stage.output.name,
              stage.output,
              `ARRAY_PARTITION variable=${stage.output.name} type=complete`,
            )),
        `${stage.name}(${[...stage.inputs, stage.output]
          .map((slot) => (slot.name === rawSlot.name ? 'result' : slot.name))
          .join(', ')});`,
      ]),
    ],
    '}',
    '',
  ];
};

const unrolledBody = (design: Design): Code => {
  const { rawSlot } = design.program;
  const partition = (name: string): string => `ARRAY_PARTITION variable=${name} type=complete`;
  return [
    ...(design.interface === 'vector'
      ? []
      : [
          ...design.inputs.flatMap((slot) => arrayCode(slot.name, slot, partition(slot.name))),
          `read_input(stream_in${design.inputs.map((slot) => `, ${slot.name}`).join('')});`,
        ]),
    ...arrayCode('result', rawSlot, partition('result')),
    `core(${design.inputs.map((slot) => `${slot.name}, `).join('')}result);`,
    `write_result(result, ${resultPort(design)});`,
  ];
};

/** The top function, without a semicolon. */
export const topSignature = (design: Design): string =>
  design.interface === 'axis'
    ? `void ${design.name}(hls::stream<input_word> &stream_in, hls::stream<output_word> &stream_out)`
    : `void ${design.name}(${design.inputs
        .map((slot) => `const ${typeName(slot)} ${slot.name}[${slot.length}], `)
        .join('')}result_t y[${design.program.rawSlot.length}])`;

const interfaceCode = (design: Design): Code => {
  if (design.interface === 'axis') {
    return [
      '#pragma HLS INTERFACE mode=axis port=stream_in',
      '#pragma HLS INTERFACE mode=axis port=stream_out',
      '#pragma HLS INTERFACE mode=ap_ctrl_none port=return',
      '#pragma HLS DATAFLOW',
    ];
  }
  const ports = [...design.inputs.map((slot) => slot.name), 'y'];
  return design.architecture === 'folded'
    ? ['#pragma HLS INTERFACE mode=ap_ctrl_chain port=return', '#pragma HLS DATAFLOW']
    : [
        ...ports.flatMap((port) => [
          `#pragma HLS ARRAY_PARTITION variable=${port} type=complete`,
          `#pragma HLS INTERFACE mode=ap_none port=${port}`,
        ]),
        '#pragma HLS INTERFACE mode=ap_ctrl_none port=return',
        '#pragma HLS PIPELINE II=1',
      ];
};

export const firmwareText = (design: Design): string => {
  const unrolled = design.architecture === 'unrolled';
  const d = unrolled ? unrolledDialect : foldedDialect(design.lanes);
  const needed = new Set<Helper>(design.hardware.flatMap((s) => s.helpers));
  const flow = unrolled ? undefined : dataflowBody(design);
  return render([
    `/* ${commentText(design.program.name)}: ${design.architecture} design by kanc ${commentText(design.version)}. */`,
    `#include "${design.name}.h"`,
    '#include "parameters.h"',
    ...checkDefines(design, `${design.name}.cpp`),
    '',
    ...helperCode(needed),
    ...design.hardware.flatMap((stage) => {
      const tables = design.tables.get(stage.name);
      return tables === undefined
        ? stageCode(stage, d, unrolled ? ['#pragma HLS INLINE'] : [])
        : logicCode(stage, tables);
    }),
    ...(flow?.splits ?? coreCode(design)),
    ...readCode(design),
    ...resultCode(design),
    topSignature(design),
    '{',
    [...interfaceCode(design), ...(flow?.body ?? unrolledBody(design))],
    '}',
  ]);
};

/** All constants of the hardware. */
export const parametersText = (design: Design): string =>
  render([
    '/* Constants of the design: tables, biases, multipliers. */',
    '#ifndef PARAMETERS_H_',
    '#define PARAMETERS_H_',
    '',
    '#include "defines.h"',
    ...checkDefines(design, 'parameters.h'),
    '',
    ...design.hardware.flatMap((stage) => {
      const logic = design.tables.get(stage.name);
      const tables = logic === undefined ? stage.tables : logic.tables.map((t) => t.table);
      return tables.flatMap((t) => [...tableCode(t, romForm(t)), '']);
    }),
    '#endif',
  ]);
