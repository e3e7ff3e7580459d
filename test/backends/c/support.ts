/** Compiles C artifacts with a C compiler and compares every value with the interpreter. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { type COptions, c } from '../../../src/backends/c/index.js';
import { programOf } from '../../../src/backends/cpp/program.js';
import { placeInMemory } from '../../../src/backends/shared/image.js';
import type { Graph } from '../../../src/ir/graph.js';
import { interpret } from '../../../src/ir/interpret.js';
import type { Tensor } from '../../../src/ir/tensor.js';
import { rightOf } from '../../support/checked.js';
import { runTool, usableFlags } from '../../support/tools.js';

export const STRICT = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-pedantic', '-Wshadow', '-Wconversion'];
/** The flags of sanitizers, where the compiler has their libraries. */
export const sanitizersOf = (compiler: string): ReadonlyArray<string> =>
  usableFlags(compiler, ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']);

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export const writeFiles = (files: ReadonlyMap<string, Uint8Array | string>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kanc-test-'));
  folders.push(folder);
  for (const [name, content] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
};

export const emitC = async (graph: Graph<'table'>, options: COptions = {}) =>
  rightOf(await c.emit({ name: 'net', ...options }, { version: 'test' })(graph)());

/** Writes the bytes of every traced value after each other, sample by sample. */
const TRACE = `
#include <stdio.h>
#include "net.h"
void kanc_trace(const void *values, size_t bytes) { fwrite(values, bytes, 1, stdout); }
static INPUT x[NET_INPUTS];
static int32_t raw[NET_OUTPUTS];
int main(void) {
    while (fread(x, sizeof x, 1, stdin) == 1) {
        if (net_predict_raw(x, raw) != 0) return 2;
        fwrite(raw, sizeof raw, 1, stdout);
    }
    return 0;
}
`;
const TRACE_HEADER = `
#include <stddef.h>
void kanc_trace(const void *values, size_t bytes);
#define NET_TRACE(stage, values, count) kanc_trace(values, (size_t)(count) * sizeof *(values))
`;

const WIDTH = { i8: 1, u8: 1, i16: 2, u16: 2, i32: 4, u32: 4, f32: 4 } as const;

const readers = (view: DataView) =>
  ({
    i8: (at) => view.getInt8(at),
    u8: (at) => view.getUint8(at),
    i16: (at) => view.getInt16(at, true),
    u16: (at) => view.getUint16(at, true),
    i32: (at) => view.getInt32(at, true),
    u32: (at) => view.getUint32(at, true),
    f32: (at) => view.getFloat32(at, true),
  }) satisfies Record<keyof typeof WIDTH, (at: number) => number>;

export const bytesOf = (data: Tensor['data']): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Every stage of every sample equals the value of the interpreter; returns how many numbers were compared. */
export const expectSame = async (
  graph: Graph<'table'>,
  input: Tensor,
  {
    cc = 'gcc',
    flags = ['-O1'],
    options = {},
  }: { cc?: string; flags?: ReadonlyArray<string>; options?: COptions } = {},
): Promise<number> => {
  const artifact = await emitC(graph, { scratch: 'stack', ...options });
  const isFloat = input.data instanceof Float32Array;
  const folder = writeFiles(new Map([...artifact.files, ['trace.c', TRACE], ['trace.h', TRACE_HEADER]]));
  runTool(
    cc,
    [
      ...STRICT,
      ...flags,
      '-include',
      'trace.h',
      `-DINPUT=${isFloat ? 'float' : 'uint8_t'}`,
      '-o',
      'trace',
      'trace.c',
      'net.c',
    ],
    { cwd: folder },
  );
  const values = new Map<string, Tensor>();
  rightOf(interpret(graph, [input], (name, value) => values.set(name, value)));
  const program = rightOf(programOf(graph, 'C'));
  const found = runTool(join(folder, 'trace'), [], { cwd: folder, input: bytesOf(input.data) });
  const read = readers(new DataView(found.buffer, found.byteOffset, found.byteLength));
  let [at, compared] = [0, 0];
  const compare = (name: string, n: number, kind: keyof typeof WIDTH, row: boolean): void => {
    const tensor = values.get(name);
    if (tensor === undefined) throw new Error(`%${name} is unknown`);
    const size = tensor.data.length / tensor.batch;
    const place = row ? (j: number) => j : placeInMemory(tensor.type);
    const got = Array.from({ length: size }, (_, j) => read[kind](at + place(j) * WIDTH[kind]));
    expect([name, n, ...got]).toEqual([name, n, ...tensor.data.subarray(n * size, (n + 1) * size)]);
    at += size * WIDTH[kind];
    compared += size;
  };
  for (let n = 0; n < input.batch; n++) {
    for (const { output } of program.stages) {
      const kind =
        output.type === 'f32'
          ? 'f32'
          : (`${output.type.signed ? 'i' : 'u'}${output.type.bits <= 8 ? 8 : output.type.bits <= 16 ? 16 : 32}` as const);
      compare(output.value, n, kind, false);
    }
    compare(program.raw.name, n, 'i32', true);
  }
  expect(at).toBe(found.length);
  return compared;
};
