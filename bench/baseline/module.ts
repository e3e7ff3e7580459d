/** The steps of a plan as one WASM module, with `run(n)`: n samples from the input area to the output area. */
import {
  type Asm,
  asmOf,
  type Expr,
  fixed,
  INPUT,
  type Library,
  repeat,
  rounds,
  scaled,
} from '../../src/backends/wasm/asm.js';
import { appendData } from '../../src/backends/wasm/data-section.js';
import { littleEndianBytes } from '../../src/ir/constant.js';
import type { Graph, ValueName } from '../../src/ir/graph.js';
import { sizeOf, type ValueType } from '../../src/ir/types.js';
import { codeOf } from './code.js';
import type { Step } from './plan.js';
import { type Block, layoutOf, type Operands, type Value } from './storage.js';

export interface Memory {
  /** Samples that one call takes. */
  readonly capacity: number;
  readonly input: number;
  readonly output: number;
  readonly pages: number;
  /** Addresses of all values but the input. */
  readonly values: ReadonlyMap<ValueName, number>;
  readonly blocks: ReadonlyMap<Block, number>;
  readonly scratch: number;
}

const PAGE = 65536;
/** As the artifacts have it: input and output of a call stay in the second-level cache. */
const CALL_BYTES = 128 * 1024;
const CALL_SAMPLES = 256;

/** Values take the memory of those that nothing reads any more. */
const placeValues = (
  graph: Graph,
  steps: ReadonlyArray<Step>,
  place: (bytes: number) => number,
): Map<ValueName, number> => {
  const lastUse = new Map<ValueName, number>();
  for (const [k, { operands }] of steps.entries()) for (const name of operands) lastUse.set(name, k);
  for (const name of graph.outputs) lastUse.set(name, steps.length);
  const values = new Map<ValueName, number>();
  const sizes = new Map<number, number>();
  const free: number[] = [];
  for (const [k, { result, type, operands }] of steps.entries()) {
    const needed = layoutOf(type).bytes;
    const fitting = free.filter((a) => sizes.get(a)! >= needed).sort((a, b) => sizes.get(a)! - sizes.get(b)!);
    const address = fitting[0] ?? place(needed);
    if (fitting[0] !== undefined) free.splice(free.indexOf(address), 1);
    else sizes.set(address, needed);
    values.set(result, address);
    for (const name of new Set(operands)) {
      const known = values.get(name);
      if (lastUse.get(name) === k && known !== undefined) free.push(known);
    }
  }
  return values;
};

export const memoryOf = (graph: Graph, steps: ReadonlyArray<Step>): Memory => {
  let next = 64;
  const place = (bytes: number): number => {
    const address = Math.ceil(next / 64) * 64;
    next = address + bytes;
    return address;
  };
  const input = graph.inputs[0]!;
  const features = sizeOf(input.type);
  const outputs = sizeOf(typeOfOutput(graph, steps));
  const capacity = Math.max(1, Math.min(CALL_SAMPLES, Math.floor(CALL_BYTES / (4 * (features + outputs)))));
  // Whole vectors are read at the end.
  const inputAt = place(4 * capacity * features + 64);
  const outputAt = place(4 * capacity * outputs);
  const values = placeValues(graph, steps, place);
  const scratch = place(Math.max(0, ...steps.map(({ kernel }) => kernel.scratch)) + 64);
  const blocks = new Map<Block, number>();
  for (const { kernel } of steps) {
    for (const block of kernel.blocks) if (!blocks.has(block)) blocks.set(block, place(block.byteLength));
  }
  const pages = Math.ceil((next + 64) / PAGE);
  return { capacity, input: inputAt, output: outputAt, pages, values, blocks, scratch };
};

/** Where a step finds an operand; the step that has the name of the input itself reads the input. */
const placedValue = (
  graph: Graph,
  steps: ReadonlyArray<Step>,
  memory: Memory,
  name: ValueName,
  reader: Step,
): Value => {
  const address = name === reader.result ? undefined : memory.values.get(name);
  const type = steps.find((s) => s.result === name)?.type ?? graph.inputs[0]!.type;
  return { layout: layoutOf(type), place: address === undefined ? INPUT : fixed(address) };
};

export const typeOfOutput = (graph: Graph, steps: ReadonlyArray<Step>): ValueType =>
  steps.find((s) => s.result === graph.outputs[0])!.type;

export const assemble = (
  library: Library,
  graph: Graph,
  steps: ReadonlyArray<Step>,
  memory: Memory,
): Uint8Array => {
  const m = new library.Module();
  try {
    const { SIMD128, NontrappingFPToInt, BulkMemory, BulkMemoryOpt } = library.Features;
    m.setFeatures(SIMD128 | NontrappingFPToInt | BulkMemory | BulkMemoryOpt);
    m.setMemory(memory.pages, memory.pages, 'memory');
    const define = (name: string, emit: (asm: Asm) => ReadonlyArray<Expr>): void => {
      const asm = asmOf(library, m);
      const body = emit(asm);
      m.addFunction(name, library.i32, library.none, asm.locals(), m.block(null, [...body]));
    };
    steps.forEach((step, k) => {
      const operands: Operands = {
        sources: step.operands.map((name) => placedValue(graph, steps, memory, name, step)),
        target: memory.values.get(step.result)!,
        blocks: step.kernel.blocks.map((b) => memory.blocks.get(b)!),
        scratch: memory.scratch,
      };
      define(`step${k}`, (asm) => {
        const code = codeOf(asm);
        step.kernel.emit(code, operands);
        return code.statements;
      });
    });
    define('run', (asm) => runBody(asm, library, graph, steps, memory));
    m.addFunctionExport('run', 'run');
    if (m.validate() !== 1) throw new Error('the module of the baseline is not valid');
    const segments = [...memory.blocks].map(([block, address]) => ({
      address,
      length: block.byteLength,
      bytes: () => littleEndianBytes(block),
    }));
    return appendData(m.emitBinary(), segments);
  } finally {
    m.dispose();
  }
};

/** All steps for every sample. */
const runBody = (
  asm: Asm,
  library: Library,
  graph: Graph,
  steps: ReadonlyArray<Step>,
  memory: Memory,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const features = sizeOf(graph.inputs[0]!.type);
  const outputs = sizeOf(typeOfOutput(graph, steps));
  const [sample, out, end] = [asm.i32(), asm.i32(), asm.i32()];
  return [
    sample.set(m.i32.const(memory.input)),
    out.set(m.i32.const(memory.output)),
    end.set(m.i32.add(out.get(), m.i32.mul(asm.input(), m.i32.const(4 * outputs)))),
    repeat(asm, out, 4 * outputs, end.get, [
      ...steps.map((_, k) => m.call(`step${k}`, [sample.get()], library.none)),
      ...copyOut(asm, graph, steps, memory, out.get),
      sample.set(m.i32.add(sample.get(), m.i32.const(4 * features))),
    ]),
  ];
};

/** Row-major, as callers expect it. */
const copyOut = (
  asm: Asm,
  graph: Graph,
  steps: ReadonlyArray<Step>,
  memory: Memory,
  out: () => Expr,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { positions, channels, stride } = layoutOf(typeOfOutput(graph, steps));
  const from = memory.values.get(graph.outputs[0]!)!;
  return rounds(asm, channels, 1, (c) =>
    rounds(asm, positions, 1, (p) => [
      m.f32.store(
        0,
        4,
        m.i32.add(out(), scaled(m, m.i32.add(scaled(m, c(), positions), p()), 4)),
        m.f32.load(from, 4, scaled(m, m.i32.add(scaled(m, p(), stride), c()), 4)),
      ),
    ]),
  );
};
