/** What lies beside the module: a testbench that checks itself, and the commands of free tools. */

import type { Circuit } from './lower.js';
import type { Port } from './ports.js';
import { widthOf } from './vectors.js';

const slices = (
  ports: ReadonlyArray<Pick<Port, 'width'>>,
  name: string,
  bus: string,
): ReadonlyArray<string> => {
  let from = 0;
  return ports.map(({ width }, k) => {
    const slice = width === 1 ? `${bus}[${from}]` : `${bus}[${from + width - 1}:${from}]`;
    from += width;
    return `    .${name}${k}(${slice}),`;
  });
};

/**
 * Feeds the golden vectors twice: one on every clock, where the latency is checked too, and with pauses at both ends.
 * Everything is driven at the falling edge.
 */
// Long: one text, in the order in which it is read.
export const testbenchText = (
  { inputs, outputs }: Circuit,
  module: string,
  latency: number,
  samples: number,
): string => {
  const [iw, ow] = [widthOf(inputs), widthOf(outputs)];
  return `
// Compares ${module} with the golden vectors of the interpreter. Ends with a line that begins with PASS or FAIL.
module tb;
  localparam SAMPLES = ${samples};
  localparam LATENCY = ${latency};
  reg [${iw + ow - 1}:0] vectors [0:SAMPLES-1];
  reg clk = 0;
  always #5 clk = ~clk;

  reg rst = 1;
  reg in_valid = 0;
  reg out_ready = 0;
  reg [${iw - 1}:0] codes = 0;
  wire in_ready;
  wire out_valid;
  wire [${ow - 1}:0] results;
  ${module} dut (
    .clk(clk),
    .rst(rst),
    .in_valid(in_valid),
    .in_ready(in_ready),
${slices(inputs, 'x', 'codes').join('\n')}
    .out_valid(out_valid),
    .out_ready(out_ready),
${slices(outputs, 'y', 'results').join('\n').replace(/,$/, '')}
  );

  integer sent;
  integer got;
  integer errors;
  integer cycle;
  integer first_in;
  integer first_out;
  integer round;
  reg [15:0] noise;
  reg [${iw + ow - 1}:0] vector;

  initial begin
    $readmemh("vectors.mem", vectors);
    errors = 0;
    noise = 16'hace1;
    for (round = 0; round < 2; round = round + 1) begin
      rst = 1;
      in_valid = 0;
      out_ready = 0;
      sent = 0;
      got = 0;
      first_in = -1;
      first_out = -1;
      cycle = 0;
      @(negedge clk);
      @(negedge clk);
      rst = 0;
      while (got < SAMPLES && cycle < 16 * SAMPLES + 1000) begin
        // What happens at the next rising edge is decided here, at the falling edge before it.
        noise = {noise[14:0], noise[15] ^ noise[13] ^ noise[12] ^ noise[10]};
        out_ready = round == 0 || noise[0];
        in_valid = sent < SAMPLES && (round == 0 || noise[3]);
        vector = vectors[sent < SAMPLES ? sent : 0];
        codes = in_valid ? vector[${iw - 1}:0] : {${iw}{1'bx}};
        #1;
        if (out_valid && out_ready) begin
          vector = vectors[got];
          if (results !== vector[${iw + ow - 1}:${iw}]) begin
            if (errors < 5) $display("vector %0d: expected %h, got %h", got, vector[${iw + ow - 1}:${iw}], results);
            errors = errors + 1;
          end
          if (first_out < 0) first_out = cycle;
          got = got + 1;
        end
        if (in_valid && in_ready) begin
          if (first_in < 0) first_in = cycle;
          sent = sent + 1;
        end
        cycle = cycle + 1;
        @(negedge clk);
      end
      if (got < SAMPLES) errors = errors + SAMPLES - got;
      if (round == 0 && first_out - first_in != LATENCY) begin
        $display("latency: expected %0d, got %0d", LATENCY, first_out - first_in);
        errors = errors + 1;
      end
    end
    if (errors == 0) $display("PASS: %0d vectors twice, latency %0d", SAMPLES, LATENCY);
    else $display("FAIL: %0d errors", errors);
    $finish;
  end
endmodule
`;
};

/**
 * A module that reads codes from `codes.mem`, a sample a line, and prints what the module gives for each: as many as
 * `+samples=` says.
 */
export const simulatorText = (
  module: string,
  inputs: ReadonlyArray<Pick<Port, 'width'>>,
  outputs: ReadonlyArray<Pick<Port, 'width'>>,
  most: number,
): string => {
  const [iw, ow] = [widthOf(inputs), widthOf(outputs)];
  return `module simulator;
  reg [${iw - 1}:0] samples [0:${most - 1}];
  reg [${iw - 1}:0] codes;
  reg clk = 0;
  reg rst = 1;
  reg in_valid = 0;
  wire in_ready;
  wire out_valid;
  wire [${ow - 1}:0] results;
  integer count;
  integer sent;
  integer got;
  ${module} dut (
    .clk(clk),
    .rst(rst),
    .in_valid(in_valid),
    .in_ready(in_ready),
${slices(inputs, 'x', 'codes').join('\n')}
    .out_valid(out_valid),
${slices(outputs, 'y', 'results').join('\n')}
    .out_ready(1'b1)
  );
  initial begin
    if (!$value$plusargs("samples=%d", count)) count = 0;
    $readmemh("codes.mem", samples, 0, count - 1);
    #1 clk = 1;
    #1 clk = 0;
    rst = 0;
    sent = 0;
    got = 0;
    while (got < count) begin
      in_valid = sent < count;
      codes = samples[in_valid ? sent : 0];
      #1;
      if (out_valid) begin
        $display("%h", results);
        got = got + 1;
      end
      if (in_valid && in_ready) sent = sent + 1;
      clk = 1;
      #1 clk = 0;
    end
    $finish;
  end
endmodule
`;
};

export const makefileText = (
  module: string,
): string => `# make test: simulates with Icarus Verilog; make verilate: with Verilator 5.
# make synth: LUTs and registers by yosys, for Xilinx devices of series 7.
.PHONY: test verilate synth clean
test: build
	iverilog -g2005 -Wall -o build/sim.vvp tb.v model.v
	vvp build/sim.vvp | tee build/sim.log
	grep -q '^PASS' build/sim.log

verilate: build
	verilator --binary --timing -Wno-fatal -Wno-WIDTH --top-module tb -Mdir build/verilated tb.v model.v >build/verilate.log
	build/verilated/Vtb | tee build/sim.log
	grep -q '^PASS' build/sim.log

synth: build
	yosys -p 'read_verilog model.v; synth_xilinx -flatten -top ${module}; tee -o build/stat.txt stat' >build/synth.log
	cat build/stat.txt

build:
	mkdir -p build

clean:
	rm -rf build
`;
