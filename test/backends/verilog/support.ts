/** Circuits and RTL against the interpreter: evaluated in this process, and simulated with free tools. */
import { expect } from 'vitest';
import { evaluateCircuit } from '../../../src/backends/verilog/evaluate.js';
import { type VerilogOptions, verilog } from '../../../src/backends/verilog/index.js';
import { type Circuit, lower } from '../../../src/backends/verilog/lower.js';
import { vectorsOf } from '../../../src/backends/verilog/vectors.js';
import type { Graph } from '../../../src/ir/graph.js';
import type { Tensor } from '../../../src/ir/tensor.js';
import { rightOf } from '../../support/checked.js';
import { runTool } from '../../support/tools.js';
import { writeFiles } from '../c/support.js';

export const circuitOf = (graph: Graph<'table'>, chain = 16): Circuit => rightOf(lower(graph, { chain }));

/** The circuit gives the integers of the interpreter. */
export const expectSameCircuit = (graph: Graph<'table'>, input: Tensor, chain = 16): void =>
  expectExact(graph, circuitOf(graph, chain), input);

export const expectExact = (graph: Graph<'table'>, circuit: Circuit, input: Tensor): void => {
  const { samples, codes, expected } = rightOf(vectorsOf(graph, circuit, input));
  const [ins, outs] = [circuit.inputs.length, circuit.outputs.length];
  for (let s = 0; s < samples; s++) {
    const row = Array.from({ length: ins }, (_, k) => codes[s * ins + k]!);
    const wanted = Array.from({ length: outs }, (_, k) => expected[s * outs + k]!);
    expect([s, ...evaluateCircuit(circuit, row)]).toEqual([s, ...wanted]);
  }
};

/** Runs the testbench of an artifact, whose vectors are the interpreter's on `input`. */
export const expectSimulatedRtl = async (
  graph: Graph<'table'>,
  input: Tensor,
  simulator: 'iverilog' | 'verilator',
  options: VerilogOptions = {},
): Promise<void> => {
  const context = { version: 'test', samples: input };
  const emitted = await verilog.emit(
    { vectors: input.batch, 'vectors-from': 'samples', ...options },
    context,
  )(graph)();
  const folder = writeFiles(rightOf(emitted).files);
  const said = runTool('make', ['-s', simulator === 'iverilog' ? 'test' : 'verilate'], { cwd: folder });
  expect(said.toString()).toContain(`PASS: ${input.batch} vectors twice`);
};
