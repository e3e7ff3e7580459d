/** Headers of a design: widths, the top function, and the software beside it. */
import { channelsOf } from '../../ir/types.js';
import { BUILD, buildDefinition } from '../cpp/build.js';
import { type Code, commentText, loop, render } from '../cpp/code.js';
import { helperCode } from '../cpp/helpers.js';
import type { Refusal } from '../cpp/program.js';
import { type Helper, type Slot, scalesOf } from '../cpp/stage.js';
import { factorCode } from '../cpp/stages/elements.js';
import { tableCode } from '../cpp/table.js';
import { buildMacro, checkDefines } from './build.js';
import { typeName } from './dataflow.js';
import type { Design } from './design.js';
import { apType, elementName, hostDialect, romForm } from './dialect.js';
import { topSignature, wordBits } from './firmware.js';

const typedefs = (slots: ReadonlyArray<Slot>): Code =>
  slots.map(
    (slot) => `typedef ${elementName(slot.type)} ${typeName(slot)}; /* %${commentText(slot.value)} */`,
  );

/** Widths of all values, as ap_int and ap_uint. */
export const definesText = (design: Design): string => {
  const { program, inputs, hardware } = design;
  const { rawSlot } = program;
  const slots = new Map<string, Slot>(
    [...inputs, ...hardware.map((s) => s.output)].map((slot) => [slot.name, slot]),
  );
  const words: Code =
    design.interface === 'vector'
      ? []
      : [
          '',
          '/* Words of the streams: an element each. */',
          `typedef ap_axiu<${wordBits(inputs)}, 0, 0, 0> input_word;`,
          `typedef ap_axiu<${wordBits([rawSlot])}, 0, 0, 0> output_word;`,
        ];
  return render([
    '/* Widths of everything that flows through the design. */',
    '#ifndef DEFINES_H_',
    '#define DEFINES_H_',
    '',
    ...buildDefinition(buildMacro(design)),
    '',
    '#include <stdint.h>',
    '',
    "/* The vendor's types where they are at hand; KANC_OWN_AP_INT asks for those of kanc all the same. */",
    '#if !defined(KANC_OWN_AP_INT) && defined(__has_include)',
    '#if __has_include(<ap_int.h>)',
    '#define KANC_VENDOR_AP_INT',
    '#endif',
    '#endif',
    '#ifdef KANC_VENDOR_AP_INT',
    '#include <ap_int.h>',
    '#include <hls_stream.h>',
    '#include <ap_axi_sdata.h>',
    'template <int W> using rom_int = ap_int<W>;',
    'template <int W> using rom_uint = ap_uint<W>;',
    '#else',
    '#include "kanc_hls.h"',
    '/* Constants as native integers, which compile in a fraction of the time. */',
    'template <int W> using rom_int = typename kanc_ap::native<W, true>::type;',
    'template <int W> using rom_uint = typename kanc_ap::native<W, false>::type;',
    '#endif',
    '',
    ...typedefs([...slots.values()]),
    `typedef ${rawSlot.type === 'f32' ? 'float' : apType(rawSlot.type)} result_t;`,
    ...words,
    '',
    '#endif',
  ]);
};

export const topHeaderText = (design: Design): string => {
  const guard = `KANC_${design.name.toUpperCase()}_H_`;
  return render([
    `/* The top function. ${design.interface === 'axis' ? 'A sample is as many words in as there are elements, and as many out.' : 'A sample in, its last integers out.'} */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include "defines.h"',
    ...checkDefines(design, `${design.name}.h`),
    '',
    `${topSignature(design)};`,
    '',
    '/* The header of another design with this name must not be left out without a word. */',
    `#elif ${buildMacro(design)} != ${BUILD}`,
    `#error "two different designs are both called ${design.name}: compile one of them with --target-options name=other"`,
    '#endif',
  ]);
};

/** From what people have to what the top function takes: floats to codes, or bytes as they are. */
const prepareCode = (design: Design, refused: Refusal | undefined): Code => {
  const { program, inputs, host } = design;
  const isFloat = program.inputSlot.type === 'f32';
  const outputs = inputs.map((slot) => `, ${typeName(slot)} *${slot.name}`).join('');
  const given = new Set(inputs.map((slot) => slot.name));
  const body: Code = isFloat
    ? host.flatMap((stage) => [
        ...(given.has(stage.output.name)
          ? []
          : [`static ${elementName(stage.output.type)} ${stage.output.name}[${stage.output.length}];`]),
        `host::${stage.name}(${[...stage.inputs, stage.output].map((slot) => slot.name).join(', ')});`,
      ])
    : loop('j', program.inputSlot.length, [`${program.inputSlot.name}[j] = given[j];`]);
  const type = isFloat ? 'float' : 'uint8_t';
  return [
    '/* The inputs of the design from a sample; false where the sample is refused. */',
    `static inline bool ${design.name}_prepare(const ${type} *given${outputs})`,
    '{',
    [
      ...(refused === undefined
        ? []
        : loop('j', program.inputSlot.length, [`if (${refused.test}) {`, ['return false;'], '}'])),
      ...(isFloat ? [`const float *${program.inputSlot.name} = given;`] : []),
      ...body,
      'return true;',
    ],
    '}',
    '',
  ];
};

const hostStages = (design: Design, refused: Refusal | undefined): Code => [
  'namespace host {',
  '',
  ...helperCode(new Set<Helper>([...design.host.flatMap((s) => s.helpers), ...(refused?.helpers ?? [])])),
  ...design.host.flatMap((stage) => [
    ...stage.tables.flatMap((t) => [...tableCode(t, romForm(t)), '']),
    `/* ${stage.comment} */`,
    `static inline void ${stage.name}(${stage.inputs
      .map((slot, k) => `const ${elementName(slot.type)} *in${k}, `)
      .join('')}${elementName(stage.output.type)} *out)`,
    '{',
    stage.body(hostDialect),
    '}',
    '',
  ]),
  '} // namespace host',
  '',
];

const callCode = (design: Design): Code => {
  const { program, inputs } = design;
  const { rawSlot } = program;
  const declare = inputs.map((slot) => `static ${typeName(slot)} ${slot.name}[${slot.length}];`);
  const call: Code =
    design.interface === 'vector'
      ? [
          `static result_t y[${rawSlot.length}];`,
          `${design.name}(${inputs.map((slot) => `${slot.name}, `).join('')}y);`,
          ...loop('j', rawSlot.length, ['out[j] = (int32_t)y[j];']),
        ]
      : [
          'hls::stream<input_word> stream_in;',
          'hls::stream<output_word> stream_out;',
          ...inputs.flatMap((slot) =>
            loop('j', slot.length, [
              'input_word word;',
              `word.data = ${slot.name}[j];`,
              'word.keep = -1;',
              'word.strb = -1;',
              'word.last = 0;',
              'stream_in.write(word);',
            ]),
          ),
          `${design.name}(stream_in, stream_out);`,
          ...loop('j', rawSlot.length, ['out[j] = (int32_t)(result_t)stream_out.read().data;']),
        ];
  return [
    '/* A sample through the design: 0, or 1 where it is refused. */',
    `static inline int ${design.name}_predict_raw(const ${program.inputSlot.type === 'f32' ? 'float' : 'uint8_t'} *given, int32_t *out)`,
    '{',
    [
      ...declare,
      `if (!${design.name}_prepare(given${inputs.map((slot) => `, ${slot.name}`).join('')})) {`,
      ['return 1;'],
      '}',
      ...call,
      'return 0;',
    ],
    '}',
    '',
  ];
};

const floatsCode = ({ name, program }: Design): Code => {
  if (program.scale === undefined) return [];
  const channels = channelsOf(program.raw.type);
  const line = factorCode(hostDialect, scalesOf(program.raw.type), 'result', 'decimal');
  const inner = program.rawSlot.length / channels;
  return [
    '/* The same as floats. */',
    `static inline int ${name}_predict(const ${program.inputSlot.type === 'f32' ? 'float' : 'uint8_t'} *given, float *out)`,
    '{',
    [
      ...line.declare,
      `static int32_t raw[${program.rawSlot.length}];`,
      `if (${name}_predict_raw(given, raw) != 0) {`,
      ['return 1;'],
      '}',
      ...loop('j', program.rawSlot.length, [
        ...(line.perChannel ? [`const int32_t c = ${inner === 1 ? 'j' : `j / ${inner}`};`] : []),
        `out[j] = (float)raw[j] * ${line.factor};`,
      ]),
      'return 0;',
    ],
    '}',
    '',
  ];
};

/** Software beside the design. `refused`: when sample `given` is refused, as code over its element j. */
export const hostText = (design: Design, refused: Refusal | undefined): string => {
  const upper = design.name.toUpperCase();
  return render([
    '/* Software beside the design: quantizing inputs, running a sample, results as floats. */',
    '#ifndef HOST_H_',
    '#define HOST_H_',
    '',
    `#include "${design.name}.h"`,
    ...checkDefines(design, 'host.h'),
    '',
    `#define ${upper}_INPUTS ${design.program.inputSlot.length}`,
    `#define ${upper}_OUTPUTS ${design.program.rawSlot.length}`,
    '',
    ...(design.host.length === 0 ? [] : hostStages(design, refused)),
    ...prepareCode(design, refused),
    ...callCode(design),
    ...floatsCode(design),
    '#endif',
  ]);
};
