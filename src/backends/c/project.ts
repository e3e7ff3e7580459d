/** What lies beside the C source: the testbench with its golden vectors, build files, README. */
import { match } from 'ts-pattern';
import { buildCheck } from '../cpp/build.js';
import { type Code, commentText, numberLines, render } from '../cpp/code.js';
import { floatTableBits, type Golden } from '../cpp/golden.js';
import type { Memory } from '../cpp/memory.js';
import type { Program } from '../cpp/program.js';
import { tableForm } from '../cpp/table.js';
import { scalesText } from '../shared/scales.js';
import { type CStyle, inputType } from './header.js';

/** Inputs as bytes or as the bits of floats, and the integers that the interpreter gives. */
export const goldenText = (program: Program, golden: Golden, name: string): string => {
  const isFloat = program.input.type.element.kind === 'f32';
  const { data } = golden.input;
  return render([
    '/* Made by the interpreter when the program was compiled: inputs, and the integers that must come out. */',
    ...buildCheck(`${name.toUpperCase()}_BUILD`, `golden.h and the header of ${name}`),
    '',
    `#define GOLDEN_SAMPLES ${golden.samples}`,
    '',
    ...(isFloat ? ['/* The bits of floats, so that NaN and -0 arrive as they are. */'] : []),
    `static const ${isFloat ? 'uint32_t' : 'uint8_t'} golden_inputs[${data.length}] = {`,
    numberLines(isFloat ? floatTableBits(data) : data),
    '};',
    '',
    `static const int32_t golden_raw[${golden.raw.data.length}] = {`,
    numberLines(golden.raw.data),
    '};',
  ]);
};

const callOf = ({ scratch }: Pick<CStyle, 'scratch'>): string => (scratch === 'caller' ? '&scratch, x' : 'x');

type Called = Pick<CStyle, 'name' | 'scratch'>;

/** Compares the program with the golden vectors. */
const checkCode = (style: Called): Code => {
  const upper = style.name.toUpperCase();
  return [
    'static int check(void)',
    '{',
    [
      'int sample;',
      'for (sample = 0; sample < GOLDEN_SAMPLES; sample++) {',
      [
        'int j;',
        `memcpy(x, golden_inputs + (size_t)sample * ${upper}_INPUTS, sizeof x);`,
        `if (${style.name}_predict_raw(${callOf(style)}, raw) != 0) {`,
        ['printf("FAIL: sample %d is refused\\n", sample);', 'return 1;'],
        '}',
        `for (j = 0; j < ${upper}_OUTPUTS; j++) {`,
        [
          `const int32_t expected = golden_raw[(size_t)sample * ${upper}_OUTPUTS + (size_t)j];`,
          'if (raw[j] != expected) {',
          [
            'printf("FAIL: sample %d, output %d: %ld, expected %ld\\n", sample, j, (long)raw[j], (long)expected);',
            'return 1;',
          ],
          '}',
        ],
        '}',
      ],
      '}',
      `printf("PASS: %d samples, %d integers each\\n", GOLDEN_SAMPLES, ${upper}_OUTPUTS);`,
      'return 0;',
    ],
    '}',
    '',
  ];
};

/** Samples in, results out. `floats`: whether the program has those. */
const filterCode = (style: Called, floats: boolean): Code => {
  const given = callOf(style);
  const asFloats: Code = [
    'if (floats) {',
    [
      `if (${style.name}_predict(${given}, result) != 0) {`,
      ['return 2;'],
      '}',
      'fwrite(result, sizeof result, 1, stdout);',
      'continue;',
    ],
    '}',
  ];
  return [
    'static int filter(int floats)',
    '{',
    [
      '#ifdef _WIN32',
      '_setmode(_fileno(stdin), _O_BINARY);',
      '_setmode(_fileno(stdout), _O_BINARY);',
      '#endif',
      'while (fread(x, sizeof x, 1, stdin) == 1) {',
      [
        ...(floats ? asFloats : ['(void)floats;']),
        `if (${style.name}_predict_raw(${given}, raw) != 0) {`,
        ['return 2;'],
        '}',
        'fwrite(raw, sizeof raw, 1, stdout);',
      ],
      '}',
      'return fflush(stdout) == 0 ? 0 : 3;',
    ],
    '}',
    '',
  ];
};

/** Checks the golden vectors; with an argument it is a filter: samples in, results out. */
export const testbenchText = (program: Program, style: Called, include = `${style.name}.h`): string => {
  const { name } = style;
  const upper = name.toUpperCase();
  const floats = program.scale !== undefined;
  return render([
    '/*',
    ' * Without arguments: compares the program with the golden vectors.',
    ' * raw, float: reads samples from the standard input, as they lie in memory, and writes results to the output.',
    ' */',
    '#include <stdint.h>',
    '#include <stdio.h>',
    '#include <string.h>',
    '#ifdef _WIN32',
    '#include <fcntl.h>',
    '#include <io.h>',
    '#endif',
    `#include "${include}"`,
    '#include "golden.h"',
    '',
    `static ${inputType(program)} x[${upper}_INPUTS];`,
    `static int32_t raw[${upper}_OUTPUTS];`,
    ...(floats ? [`static float result[${upper}_OUTPUTS];`] : []),
    ...(style.scratch === 'caller' ? [`static ${name}_scratch scratch;`] : []),
    '',
    ...checkCode(style),
    ...filterCode(style, floats),
    'int main(int count, char **arguments)',
    '{',
    ['return count < 2 ? check() : filter(strcmp(arguments[1], "float") == 0);'],
    '}',
  ]);
};

export const makefileText = ({
  name,
}: CStyle): string => `# make test: builds the program and checks it against its golden vectors.
# make size: bytes of code and constants (text) and of memory (data, bss).
# make size CROSS=arm-none-eabi- CFLAGS="-Os -mcpu=cortex-m4 -mthumb -ffreestanding": the same for a microcontroller.
CC = gcc
ifdef CROSS
CC = $(CROSS)gcc
endif
CFLAGS = -O2
WARNINGS = -std=c99 -Wall -Wextra -Werror -pedantic

.PHONY: test size clean
test: build/testbench
	./build/testbench

build/testbench: testbench.c golden.h build/${name}.o
	$(CC) $(CFLAGS) $(WARNINGS) -o $@ testbench.c build/${name}.o

build/${name}.o: ${name}.c ${name}.h
	@mkdir -p build
	$(CC) $(CFLAGS) $(WARNINGS) -c -o $@ ${name}.c

size:
	@mkdir -p build
	$(CC) $(CFLAGS) $(WARNINGS) -c -o build/size.o ${name}.c
	$(CROSS)size build/size.o

clean:
	rm -rf build
`;

export const cmakeText = ({ name }: CStyle): string => `cmake_minimum_required(VERSION 3.13)
project(${name} C)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_EXTENSIONS OFF)

# What a project of yours needs: add_subdirectory of this folder, then target_link_libraries(yours ${name}).
add_library(${name} STATIC ${name}.c)
target_include_directories(${name} PUBLIC \${CMAKE_CURRENT_SOURCE_DIR})

enable_testing()
add_executable(${name}_testbench testbench.c)
target_link_libraries(${name}_testbench ${name})
add_test(NAME ${name}_golden COMMAND ${name}_testbench)
`;

const bytes = (n: number): string => n.toLocaleString('en-US');

export const readmeText = (program: Program, memory: Memory, golden: Golden, style: CStyle): string => {
  const { name, pack } = style;
  const sizes = program.stages.map((s) => ({
    stage: s,
    bytes: s.tables.reduce((n, t) => n + tableForm(t, pack).bytes, 0),
  }));
  const wide = program.stages.filter((s) => /split products|norm/.test(s.summary.form)).length;
  const rows = sizes.map(
    ({ stage, bytes: n }) => `| ${stage.op} | ${stage.summary.form} | ${stage.output.length} | ${bytes(n)} |`,
  );
  return `# ${name}

${commentText(program.name)}, compiled by kanc ${commentText(style.version)} to C99: \`${name}.h\` and \`${name}.c\` are all that a program needs. No
library, no allocation, no recursion. Tables lie in flash: where a linker puts constants, and on AVR as \`PROGMEM\`.

    #include "${name}.h"

    ${inputType(program)} x[${name.toUpperCase()}_INPUTS];
    int32_t raw[${name.toUpperCase()}_OUTPUTS];${style.scratch === 'caller' ? `\n    static ${name}_scratch scratch;` : ''}
    int refused = ${name}_predict_raw(${style.scratch === 'caller' ? '&scratch, ' : ''}x, raw);

Between input and results there are only integers: floats at the input are compared by their bits, and only
\`${name}_predict\` multiplies integers by their scales at the end. ${
    wide === 0
      ? 'Nothing is wider than 32 bits.'
      : `${wide} of ${program.stages.length} stages use 64-bit products or sums, all others 32 bits at most.`
  }

\`raw\` holds the last integers. ${scalesText(program.raw.type, (k) => `\`raw[${k}]\``)}

    make test      # compares with ${golden.samples} golden vectors of the interpreter
    make size      # code, constants and memory, as the compiler made them
    make size CROSS=arm-none-eabi- CFLAGS="-Os -mcpu=cortex-m4 -mthumb -ffreestanding"

\`build/testbench raw\` and \`build/testbench float\` read samples from the standard input, as they lie in memory, and write results.

## Sizes

Constants: ${bytes(sizes.reduce((n, s) => n + s.bytes, 0))} bytes. Memory: ${bytes(memory.bytes)} bytes, ${match(
    style.scratch,
  )
    .with('stack', () => 'on the stack of each call')
    .with('caller', () => `in the structure ${name}_scratch that the caller gives`)
    .with('static', () => 'static, so that calls must not overlap')
    .exhaustive()}.

| stage | form | elements | bytes of constants |
| ----- | ---- | -------: | -----------------: |
${rows.join('\n')}

\`model.kir\` is the program as kanc sees it: \`kanc print model.kir\`.
`;
};
