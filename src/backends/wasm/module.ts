/** Assembly of the WASM module: a function per kernel and per part, and those that call them. */
import { invariant } from '../../diagnostics/index.js';
import type { ValueName } from '../../ir/graph.js';
import { asmOf, fixed, INPUT, type Library, type Place, type WasmModule } from './asm.js';
import { appendData } from './binary.js';
import { addCall, partName } from './calls.js';
import type { Bound, Kernel } from './kernel.js';
import { bufferOf, type Layout } from './layout.js';
import type { Plan } from './plan.js';

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
      const bound = {
        source: sources[0]!,
        sources,
        target: addressOf(layout, kernel.name),
        blocks: layout.blocks[k]!,
        scratch: layout.scratch[k]!,
      };
      const body = kernel.emit(asm, bound);
      m.addFunction(`kernel${k}`, library.i32, library.none, asm.locals(), m.block(null, [...body]));
      if (layout.cuts.some((cut) => cut.kernel === k)) addParts(library, m, kernel, k, bound);
    });
    const hasFloats = plan.output.name !== plan.raw.name;
    addCall(library, m, plan, layout, 'runRaw', plan.raw.name, hasFloats ? plan.output.name : undefined);
    if (hasFloats) addCall(library, m, plan, layout, 'run', plan.output.name, undefined);
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

/** The input of the sample where nothing has copied it; the copying kernel has the name of the input itself. */
export const placeOf = (plan: Plan, layout: Layout, kernel: ValueName, operand: ValueName): Place =>
  operand === plan.input.name && (kernel === operand || !layout.buffers.some((b) => b.name === operand))
    ? INPUT
    : fixed(addressOf(layout, operand));

/** The functions of a layer's parts. */
const addParts = (library: Library, m: WasmModule, { parts }: Kernel, k: number, bound: Bound): void => {
  for (let part = 0; parts !== undefined && part < parts.count; part++) {
    const asm = asmOf(library, m, 3);
    const body = parts.emit(asm, bound, part);
    const parameters = library.createType([library.i32, library.i32, library.i32]);
    m.addFunction(partName(k, part), parameters, library.none, asm.locals(), m.block(null, [...body]));
  }
};

const addressOf = (layout: Layout, name: ValueName): number => bufferOf(layout, name).address;
