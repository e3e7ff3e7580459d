/** What lies beside the firmware: the script for Vitis HLS, a Makefile for simulation, a README. */
import { commentText } from '../cpp/code.js';
import type { Golden } from '../cpp/golden.js';
import type { Slot } from '../cpp/stage.js';
import { scalesText } from '../shared/scales.js';
import { typeName } from './dataflow.js';
import type { Design } from './design.js';
import { elementName } from './dialect.js';
import { estimateOf } from './estimate.js';
import { topSignature, wordBits } from './firmware.js';

export const tclText = ({ name, part, clock }: Design): string => `# vitis_hls -f build_prj.tcl
# Steps are chosen on the command line: vitis_hls -f build_prj.tcl "csim=1 synth=1 cosim=1 export=1 part=... clock=..."
array set opt {
    reset 1
    csim 1
    synth 1
    cosim 0
    export 0
    part ${part}
    clock ${clock}
}
foreach argument $::argv {
    foreach {pair key value} [regexp -all -inline {(\\w+)=([\\w.-]+)} $argument] {
        set opt($key) $value
    }
}

if {$opt(reset)} {
    open_project -reset ${name}_prj
} else {
    open_project ${name}_prj
}
set_top ${name}
add_files firmware/${name}.cpp -cflags "-std=c++14"
add_files -tb ${name}_test.cpp -cflags "-std=c++14 -Wno-unknown-pragmas"
add_files -tb golden.h

if {$opt(reset)} {
    open_solution -reset solution1
} else {
    open_solution solution1
}
set_part $opt(part)
create_clock -period $opt(clock) -name default

if {$opt(csim)} {
    csim_design
}
if {$opt(synth)} {
    csynth_design
}
if {$opt(cosim)} {
    cosim_design -rtl verilog
}
if {$opt(export)} {
    export_design -format ip_catalog
}
exit
`;

export const hlsMakefileText = ({
  name,
}: Design): string => `# make csim: the testbench with any C++17 compiler. CXX=clang++, SANITIZE=1 to look for undefined behaviour.
# With the vendor's headers: make csim CPPFLAGS=-I/path/to/Vitis_HLS/include; without them those of kanc stand in.
CXX = g++
CXXFLAGS = -O1
WARNINGS = -std=c++17 -Wall -Wextra -Werror -Wno-unknown-pragmas
ifdef SANITIZE
CXXFLAGS += -g -fsanitize=address,undefined -fno-sanitize-recover=all
endif
HEADERS = $(wildcard firmware/*.h) golden.h

.PHONY: csim clean
csim: build/${name}_test
	./build/${name}_test

build/${name}_test: ${name}_test.cpp firmware/${name}.cpp $(HEADERS)
	@mkdir -p build
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(WARNINGS) -o $@ ${name}_test.cpp firmware/${name}.cpp

clean:
	rm -rf build
`;

const number = (n: number): string => n.toLocaleString('en-US');

const bitsOf = (slots: ReadonlyArray<Slot>): number =>
  slots.reduce((n, s) => n + s.length * (s.type === 'f32' ? 32 : s.type.bits), 0);

/** Wires of designs without memories at their ports. */
const pins = ({ architecture, inputs, program, interface: port }: Design): string =>
  architecture === 'unrolled' && port === 'vector'
    ? `Pins: ${bitsOf(inputs)} in, ${bitsOf([program.rawSlot])} out, and the clock.\n`
    : '';

const ARCHITECTURE = {
  unrolled: 'Every edge is a table in logic, added up by trees of three-input adders: a sample a clock.',
  folded: 'Tables lie in block memories, inputs come one after another, and stages overlap (dataflow).',
} as const;

// Long: one text, in the order in which it is read.
export const hlsReadmeText = (design: Design, golden: Golden): string => {
  const { name, architecture, part, clock, inputs, program } = design;
  const e = estimateOf(design);
  const { rawSlot } = program;
  const ports =
    design.interface === 'axis'
      ? [
          `| stream_in | AXI4-Stream, ${wordBits(inputs)} bits | ${inputs.map((s) => `${s.length} words, each ${elementName(s.type)}`).join('; then ')} |`,
          `| stream_out | AXI4-Stream, ${wordBits([rawSlot])} bits, TLAST on the last | ${rawSlot.length} words, each ${elementName(rawSlot.type)} |`,
        ]
      : [
          ...inputs.map(
            (s) =>
              `| ${s.name} | array of ${s.length}, ${architecture === 'unrolled' ? 'a wire each (ap_none)' : 'ap_memory'} | ${elementName(s.type)} |`,
          ),
          `| y | array of ${rawSlot.length}, ${architecture === 'unrolled' ? 'a wire each (ap_none)' : 'ap_memory'} | ${elementName(rawSlot.type)} |`,
        ];
  const control =
    design.interface === 'axis' || architecture === 'unrolled'
      ? 'ap_ctrl_none: the design runs freely'
      : 'ap_ctrl_chain';
  const stages = e.stages.map(
    ({ stage, cycles, bits }) =>
      `| ${stage.name} | ${stage.summary.form} | ${stage.output.length} x ${elementName(stage.output.type)} | ${architecture === 'unrolled' ? '' : `${number(cycles)} | `}${number(bits)} |`,
  );
  return `# ${name}

${commentText(program.name)}, compiled by kanc ${commentText(design.version)} for Vitis HLS, ${architecture}. ${ARCHITECTURE[architecture]}

    make csim                  # ${golden.samples} golden vectors of the interpreter, with any C++17 compiler
    make csim CXX=clang++ SANITIZE=1
    vitis_hls -f build_prj.tcl "csim=1 synth=1 cosim=1 export=1"

| file | |
| ---- | --- |
| \`firmware/${name}.cpp\` | the top function \`${name}\` and its stages |
| \`firmware/defines.h\` | the width of every value |
| \`firmware/parameters.h\` | tables and other constants |
| \`firmware/host.h\` | software beside it: ${design.host.length === 0 ? 'inputs as they are' : 'floats to codes'}, results to floats |
| \`firmware/kanc_ap_int.h\`, \`kanc_hls.h\` | stand in for the vendor's headers in simulations; not used where \`ap_int.h\` is found |
| \`${name}_test.cpp\`, \`golden.h\` | testbench; \`build/${name}_test raw\` or \`float\` is a filter from samples to results |

## Interface

    ${topSignature(design)};

| port | kind | elements |
| ---- | ---- | -------- |
${ports.join('\n')}

${pins(design)}Control: ${control}. Part ${part}, clock ${clock} ns; both are options of \`build_prj.tcl\`.
${design.host.length === 0 ? '' : `\nFloats become codes in software (\`${name}_prepare\` in host.h); the design takes ${inputs.map(typeName).join(', ')}.\n`}
Results are integers; \`${name}_predict\` in host.h multiplies them by their scales. ${scalesText(program.raw.type, (k) => `\`y[${k}]\``)}

## Estimates

Made by kanc before any synthesis, not measured: ${
    architecture === 'unrolled'
      ? `a sample every ${e.interval} clock${e.interval === 1 ? '' : 's'}; ${e.latency} steps of logic (tables and adders) in a row, which the tool places into pipeline stages; about ${number(e.luts)} LUTs for tables and adders.`
      : `latency ${number(e.latency)} clocks, a sample every ${number(e.interval)} clocks, if every loop reaches the interval that it asks for.`
  }

| stage | form | result |${architecture === 'unrolled' ? '' : ' clocks |'} bits of constants |
| ----- | ---- | ------ |${architecture === 'unrolled' ? '' : ' -----: |'} ----------------: |
${stages.join('\n')}

\`model.kir\` is the program as kanc sees it: \`kanc print model.kir\`.
`;
};
