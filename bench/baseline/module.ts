/** The steps of a plan as one WASM module, with `run(n)`: n samples from the input area to the output area. */
import {
  type Asm,
  asmOf,
  type Expr,
  type Library,
  type Local,
  repeat,
  rounds,
  scaled,
} from '../../src/backends/wasm/asm.js';
import { appendData } from '../../src/backends/wasm/binary.js';
import { littleEndianBytes } from '../../src/ir/constant.js';
import type { Graph, ValueName } from '../../src/ir/graph.js';
import { sizeOf } from '../../src/ir/types.js';
import { type Code, codeOf } from './code.js';
import { type Memory, typeOfOutput } from './memory.js';
import type { Step } from './plan.js';
import { layoutOf, type Operands, type Piece, type Value } from './storage.js';

interface Program {
  readonly graph: Graph;
  readonly steps: ReadonlyArray<Step>;
  readonly memory: Memory;
}

/** Where a step finds an operand; the step that has the name of the input itself reads the input. */
const placedValue = (code: Code, { graph, steps, memory }: Program, name: ValueName, reader: Step): Value => {
  const { asm } = code;
  const address = name === reader.result ? undefined : memory.values.get(name);
  const layout = layoutOf(steps.find((s) => s.result === name)?.type ?? graph.inputs[0]!.type);
  return address === undefined
    ? { layout, address: 0, base: code.integer(asm.m.i32.load(memory.pointer, 4, asm.input())) }
    : { layout, address, base: asm.input };
};

/** What a step is emitted against, in one function. */
const operandsOf = (code: Code, program: Program, step: Step): Operands => ({
  sources: step.operands.map((name) => placedValue(code, program, name, step)),
  target: {
    layout: layoutOf(step.type),
    address: program.memory.values.get(step.result)!,
    base: code.asm.input,
  },
  blocks: step.kernel.blocks.map((b) => program.memory.blocks.get(b)!),
  scratch: program.memory.scratch,
});

/** The functions of a program, in the order in which they are called: of every step one, or one for each piece. */
const functionsOf = ({
  steps,
  memory,
}: Program): ReadonlyArray<{ step: Step; pieces: ReadonlyArray<Piece> }> =>
  steps.flatMap((step) =>
    memory.tile === 1
      ? [{ step, pieces: step.kernel.pieces }]
      : step.kernel.pieces.map((piece) => ({ step, pieces: [piece] })),
  );

export const assemble = (
  library: Library,
  graph: Graph,
  steps: ReadonlyArray<Step>,
  memory: Memory,
): Uint8Array => {
  const program = { graph, steps, memory };
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
    const functions = functionsOf(program);
    functions.forEach(({ step, pieces }, k) => {
      define(`f${k}`, (asm) => {
        const code = codeOf(asm);
        const operands = operandsOf(code, program, step);
        for (const piece of pieces) piece(code, operands);
        return code.statements;
      });
    });
    const calls = functions.map((_, k) => (frame: Expr) => m.call(`f${k}`, [frame], library.none));
    define('run', (asm) => runBody(asm, calls, program));
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

/** Tile by tile; in a tile function by function, for all its samples. */
const runBody = (
  asm: Asm,
  calls: ReadonlyArray<(frame: Expr) => Expr>,
  program: Program,
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { graph, steps, memory } = program;
  const features = sizeOf(graph.inputs[0]!.type);
  const outputs = sizeOf(typeOfOutput(graph, steps));
  const [sample, out] = [asm.i32(), asm.i32()];
  const frames = asm.i32();
  const frame = asm.i32();
  /** Runs statements for the frame of every sample of the tile. */
  const forFrames = (body: ReadonlyArray<Expr>): ReadonlyArray<Expr> =>
    memory.tile === 1
      ? body
      : [frame.set(m.i32.const(0)), repeat(asm, frame, memory.frame, frames.get, body)];
  const left = asm.i32();
  return [
    sample.set(m.i32.const(memory.input)),
    out.set(m.i32.const(memory.output)),
    left.set(asm.input()),
    // The body counts down by itself.
    repeat(asm, left, 0, () => m.i32.const(0), [
      ...tileSize(asm, left, frames, memory),
      ...forFrames([
        m.i32.store(memory.pointer, 4, frame.get(), sample.get()),
        sample.set(m.i32.add(sample.get(), m.i32.const(4 * features))),
      ]),
      ...calls.flatMap((call) => forFrames([call(frame.get())])),
      ...forFrames([
        ...copyOut(asm, program, frame, out.get),
        out.set(m.i32.add(out.get(), m.i32.const(4 * outputs))),
      ]),
    ]),
  ];
};

/** Takes the samples of the next tile off those that are left, and sets where their frames end. */
const tileSize = (asm: Asm, left: Local, frames: Local, { tile, frame }: Memory): ReadonlyArray<Expr> => {
  const { m } = asm;
  const size = asm.i32();
  const whole = m.i32.lt_u(left.get(), m.i32.const(tile));
  return [
    size.set(m.select(whole, left.get(), m.i32.const(tile))),
    left.set(m.i32.sub(left.get(), size.get())),
    frames.set(m.i32.mul(size.get(), m.i32.const(frame))),
  ];
};

/** Row-major, as callers expect it. */
const copyOut = (
  asm: Asm,
  { graph, steps, memory }: Program,
  frame: Local,
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
        m.f32.load(from, 4, m.i32.add(frame.get(), scaled(m, m.i32.add(scaled(m, p(), stride), c()), 4))),
      ),
    ]),
  );
};
