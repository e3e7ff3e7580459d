/**
 * A program around the sources of a C or HLS artifact: it includes them, so that the stages that run are the functions of the
 * artifact itself, and sends samples through one of them, from the standard input to the output.
 */
import type { Scratch } from '../../backends/c/header.js';
import { cType } from '../../backends/cpp/memory.js';
import type { Slot, Stage } from '../../backends/cpp/stage.js';
import { typeName } from '../../backends/hls/dataflow.js';
import type { Design } from '../../backends/hls/design.js';
import { elementName } from '../../backends/hls/dialect.js';

/** A function of a harness: what it reads and writes, sample by sample, as native integers or floats. */
export interface HarnessStage {
  readonly inputs: ReadonlyArray<Slot>;
  readonly output: Slot;
  readonly text: string;
}

const PREFIX = 'kanc_prove';

/** A function that reads samples into `in0`, `in1`, ..., calls, and writes `out`. */
const filter = (
  k: number,
  inputs: ReadonlyArray<string>,
  output: string,
  body: ReadonlyArray<string>,
): string => `static int ${PREFIX}_stage_${k}(void)
{
${inputs.map((array) => `    static ${array};\n`).join('')}    static ${output};
    while (${inputs.map((_, i) => `fread(in${i}, sizeof in${i}, 1, stdin) == 1`).join(' && ')}) {
${body.map((line) => `        ${line}\n`).join('')}        fwrite(out, sizeof out, 1, stdout);
    }
    return fflush(stdout);
}
`;

const native = (slot: Slot, name: string): string => `${cType(slot.type)} ${name}[${slot.length}]`;

/** A stage of C: arrays as they lie in memory. */
export const cStage = (stage: Stage, k: number): HarnessStage => ({
  inputs: stage.inputs,
  output: stage.output,
  text: filter(
    k,
    stage.inputs.map((slot, i) => native(slot, `in${i}`)),
    native(stage.output, 'out'),
    [`${stage.name}(${stage.inputs.map((_, i) => `in${i}, `).join('')}out);`],
  ),
});

/** A stage of HLS: arrays of exact widths, from and to native ones. `scope`: of the software beside the design. */
export const hlsStage = (stage: Stage, k: number, scope: '' | 'host::'): HarnessStage => {
  const exact = (slot: Slot, name: string): string =>
    `static ${elementName(slot.type)} ${name}[${slot.length}];`;
  const toExact = (slot: Slot, i: number): string =>
    `for (int j = 0; j < ${slot.length}; j++) x${i}[j] = (${elementName(slot.type)})in${i}[j];`;
  const { inputs, output } = stage;
  return {
    inputs,
    output,
    text: filter(
      k,
      inputs.map((slot, i) => native(slot, `in${i}`)),
      native(output, 'out'),
      [
        ...inputs.map((slot, i) => exact(slot, `x${i}`)),
        exact(output, 'y'),
        ...inputs.map(toExact),
        `${scope}${stage.name}(${inputs.map((_, i) => `x${i}, `).join('')}y);`,
        `for (int j = 0; j < ${output.length}; j++) out[j] = (${cType(output.type)})${output.type === 'f32' ? '' : '(int32_t)'}y[j];`,
      ],
    ),
  };
};

/** The last integers to floats: `predict` is called, with `given` in place of what the network computed. */
export const floatStage = (name: string, k: number, raw: Slot, output: Slot, call: string): HarnessStage => ({
  inputs: [raw],
  output,
  text: filter(k, [native(raw, 'in0')], native(output, 'out'), [
    `${PREFIX}_given = in0;`,
    `if (${name}_predict(${call}, out) != 0) return 2;`,
  ]),
});

const mainText = (stages: ReadonlyArray<HarnessStage>): string => `int main(int count, char **arguments)
{
    switch (count > 1 ? atoi(arguments[1]) : -1) {
${stages.map((_, k) => `    case ${k}: return ${PREFIX}_stage_${k}();\n`).join('')}    default: return 3;
    }
}
`;

/**
 * Of C. The source tells where values are after each stage (its TRACE); after the one that leaves the last integers, others
 * are put in their place while `kanc_prove_given` is set.
 */
export const cHarness = (
  name: string,
  rawStage: number,
  stages: ReadonlyArray<HarnessStage>,
  scratch: Scratch,
  input: Slot,
): string => `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static const void *${PREFIX}_given = NULL;
static void ${PREFIX}_trace(int stage, void *values, size_t bytes)
{
    if (stage == ${rawStage} && ${PREFIX}_given != NULL) memcpy(values, ${PREFIX}_given, bytes);
}
#define ${name.toUpperCase()}_TRACE(stage, values, count) ${PREFIX}_trace(stage, values, (size_t)(count) * sizeof *(values))
#include "${name}.c"
static ${native(input, `${PREFIX}_input`)};
${scratch === 'caller' ? `static ${name}_scratch ${PREFIX}_scratch;\n` : ''}${stages.map((s) => s.text).join('')}${mainText(stages)}`;

/** Of HLS. The software beside the design is compiled with a design that gives `kanc_prove_given`. */
export const hlsHarness = (design: Design, stages: ReadonlyArray<HarnessStage>): string => {
  const { name, inputs, program } = design;
  const { rawSlot } = program;
  const top =
    design.interface === 'axis'
      ? [
          'hls::stream<input_word> &stream_in, hls::stream<output_word> &stream_out',
          'while (!stream_in.empty()) stream_in.read();',
          'output_word word;',
          `for (int j = 0; j < ${rawSlot.length}; j++) { word.data = ${PREFIX}_given[j]; stream_out.write(word); }`,
        ]
      : [
          [...inputs.map((s) => `const ${typeName(s)} *`), 'result_t *y'].join(', '),
          `for (int j = 0; j < ${rawSlot.length}; j++) y[j] = (result_t)${PREFIX}_given[j];`,
        ];
  return `#include <cstdio>
#include <cstdlib>
#include "firmware/${name}.cpp"
static const ${cType(rawSlot.type)} *${PREFIX}_given = nullptr;
static void ${PREFIX}_top(${top[0]})
{
${top
  .slice(1)
  .map((line) => `    ${line}\n`)
  .join('')}}
#define ${name} ${PREFIX}_top
#include "firmware/host.h"
#undef ${name}
static ${native(program.inputSlot, `${PREFIX}_input`)};
${stages.map((s) => s.text).join('')}${mainText(stages)}`;
};
