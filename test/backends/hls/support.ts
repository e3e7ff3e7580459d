/** Simulates HLS projects with a C++ compiler and compares their results with the interpreter. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { programOf } from '../../../src/backends/cpp/program.js';
import { type HlsOptions, hls } from '../../../src/backends/hls/index.js';
import type { Graph } from '../../../src/ir/graph.js';
import { interpret } from '../../../src/ir/interpret.js';
import type { Tensor } from '../../../src/ir/tensor.js';
import { rightOf } from '../../support/checked.js';
import { runTool } from '../../support/tools.js';
import { bytesOf, writeFiles } from '../c/support.js';

export const FLAGS = ['-std=c++17', '-Wall', '-Wextra', '-Wshadow', '-Werror', '-Wno-unknown-pragmas'];

export const emitHls = async (graph: Graph<'table'>, options: HlsOptions = {}) =>
  rightOf(await hls.emit({ name: 'net', ...options }, { version: 'test' })(graph)());

export interface Simulation {
  readonly cxx?: string;
  readonly flags?: ReadonlyArray<string>;
  readonly options?: HlsOptions;
}

/** The last integers of a project for a batch; its golden vectors are checked too. */
export const simulate = async (
  graph: Graph<'table'>,
  input: Tensor,
  { cxx = 'g++', flags = ['-O0'], options = {} }: Simulation,
): Promise<Int32Array> => {
  const { files } = await emitHls(graph, options);
  const folder = writeFiles(files);
  runTool(cxx, [...FLAGS, ...flags, '-o', 'net_test', 'net_test.cpp', 'firmware/net.cpp'], { cwd: folder });
  const program = join(folder, 'net_test');
  expect(runTool(program, [], { cwd: folder }).toString()).toMatch(/^PASS/);
  const found = runTool(program, ['raw'], { cwd: folder, input: bytesOf(input.data) });
  return new Int32Array(found.buffer.slice(found.byteOffset, found.byteOffset + found.length));
};

export const expectSimulated = async (
  graph: Graph<'table'>,
  input: Tensor,
  how: Simulation,
): Promise<void> => {
  const values = new Map<string, Tensor>();
  rightOf(interpret(graph, [input], (name, value) => values.set(name, value)));
  const raw = values.get(rightOf(programOf(graph, 'HLS')).raw.name);
  expect([...(await simulate(graph, input, how))]).toEqual([...(raw?.data ?? [])]);
};
