/** Assembly of the WASM module: a function per kernel, and the loops over samples that call them. */
import { invariant } from '../../diagnostics/index.js';
import type { ValueName } from '../../ir/graph.js';
import {
  type Asm,
  asmOf,
  type Expr,
  fixed,
  INPUT,
  type Library,
  type Local,
  type Place,
  repeat,
  rounds,
  scaled,
  type WasmModule,
} from './asm.js';
import { appendData } from './data-section.js';
import type { Layout } from './layout.js';
import type { Plan } from './plan.js';
import type { Storage } from './storage.js';
import { storageBytes } from './storage.js';

/** Exports: `memory`; `run(n)` and `runRaw(n)` take n samples, 1 to the capacity, from the input area to the output area. */
export const assemble = (library: Library, plan: Plan, layout: Layout): Uint8Array => {
  const m = new library.Module();
  try {
    const { SIMD128, NontrappingFPToInt, BulkMemory, BulkMemoryOpt } = library.Features;
    m.setFeatures(SIMD128 | NontrappingFPToInt | BulkMemory | BulkMemoryOpt);
    m.setMemory(layout.pages, layout.pages, 'memory');
    plan.kernels.forEach((kernel, k) => {
      const asm = asmOf(library, m);
      const sources = kernel.operands.map((operand) => placeOf(plan, layout, kernel.name, operand));
      const body = kernel.emit(asm, {
        source: sources[0]!,
        sources,
        target: addressOf(layout, kernel.name),
        blocks: layout.blocks[k]!,
        scratch: layout.scratch[k]!,
      });
      m.addFunction(`kernel${k}`, library.i32, library.none, asm.locals(), m.block(null, [...body]));
    });
    const hasFloats = plan.output.name !== plan.raw.name;
    addLoop(library, m, plan, layout, 'runRaw', plan.raw.name, hasFloats ? plan.output.name : undefined);
    if (hasFloats) addLoop(library, m, plan, layout, 'run', plan.output.name, undefined);
    invariant(m.validate() === 1, 'the emitted WASM module is not valid');
    return appendData(
      m.emitBinary(),
      plan.kernels.flatMap((kernel, k) =>
        kernel.blocks.map((block, b) => ({ ...block, address: layout.blocks[k]![b]! })),
      ),
    );
  } finally {
    m.dispose();
  }
};

const bufferOf = (layout: Layout, name: ValueName): Layout['buffers'][number] => {
  const buffer = layout.buffers.find((b) => b.name === name);
  invariant(buffer !== undefined, `%${name} has no buffer`);
  return buffer;
};

/** The input of the sample where nothing has copied it; the copying kernel has the name of the input itself. */
const placeOf = (plan: Plan, layout: Layout, kernel: ValueName, operand: ValueName): Place =>
  operand === plan.input.name && (kernel === operand || !layout.buffers.some((b) => b.name === operand))
    ? INPUT
    : fixed(addressOf(layout, operand));

const addressOf = (layout: Layout, name: ValueName): number => bufferOf(layout, name).address;

/** A function that runs the kernels (but `skipped`) for every sample and copies `result` to the output area. */
const addLoop = (
  library: Library,
  m: WasmModule,
  plan: Plan,
  layout: Layout,
  name: string,
  result: ValueName,
  skipped: ValueName | undefined,
): void => {
  const asm = asmOf(library, m);
  const sample = asm.i32();
  const out = asm.i32();
  const end = asm.i32();
  const buffer = bufferOf(layout, result);
  const calls = plan.kernels.flatMap((kernel, k) =>
    kernel.name === skipped ? [] : [m.call(`kernel${k}`, [sample.get()], library.none)],
  );
  const stride = 4 * buffer.length;
  const body = m.block(null, [
    sample.set(m.i32.const(layout.input.address)),
    out.set(m.i32.const(layout.output.address)),
    end.set(m.i32.add(out.get(), m.i32.mul(asm.input(), m.i32.const(stride)))),
    repeat(asm, out, stride, end.get, [
      ...calls,
      ...copyOut(asm, buffer, out),
      sample.set(m.i32.add(sample.get(), m.i32.const(layout.input.stride))),
    ]),
  ]);
  m.addFunction(name, library.i32, library.none, asm.locals(), body);
  m.addFunctionExport(name, name);
};

/** The value as 32-bit elements, row-major. */
const copyOut = (asm: Asm, buffer: Layout['buffers'][number], out: Local): ReadonlyArray<Expr> => {
  const { m } = asm;
  const { storage, address, channels } = buffer;
  const bytes = storageBytes(storage);
  const copy = (to: () => Expr, from: () => Expr): Expr =>
    m.i32.store(
      0,
      1,
      m.i32.add(out.get(), scaled(m, to(), 4)),
      widened(asm, storage, address, scaled(m, from(), bytes)),
    );
  if (channels === 1 || channels === buffer.length)
    return rounds(asm, buffer.length, 1, (index) => [copy(index, index)]);
  const positions = buffer.length / channels;
  const to = asm.i32();
  return [
    to.set(m.i32.const(0)),
    ...rounds(asm, channels, 1, (c) =>
      rounds(asm, positions, channels, (p) => [
        copy(to.get, () => m.i32.add(p(), c())),
        to.set(m.i32.add(to.get(), m.i32.const(1))),
      ]),
    ),
  ];
};

/** One element as 32 bits: integers are extended, floats copied as they are. */
const widened = (asm: Asm, storage: Storage, offset: number, pointer: Expr): Expr => {
  const { i32 } = asm.m;
  switch (storage) {
    case 'u8':
      return i32.load8_u(offset, 1, pointer);
    case 'u16':
      return i32.load16_u(offset, 1, pointer);
    case 'i16':
      return i32.load16_s(offset, 1, pointer);
    default:
      return i32.load(offset, 1, pointer);
  }
};
