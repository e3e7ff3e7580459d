/** The exported functions: they run the kernels for every sample of a call and copy results to the output area. */
import type { ValueName } from '../../ir/graph.js';
import {
  type Asm,
  asmOf,
  type Expr,
  type Library,
  type Local,
  repeat,
  rounds,
  scaled,
  type WasmModule,
} from './asm.js';
import { bufferOf, type Cut, type Layout } from './layout.js';
import type { Plan } from './plan.js';
import type { Storage } from './storage.js';
import { storageBytes } from './storage.js';

/**
 * In calls of fewer samples few rows are read twice, and going through a layer part by part gains nothing. Of tables that
 * nearly stay in the cache without it, more have to be.
 */
const leastSamples = ({ cuts }: Layout): number =>
  cuts.reduce((n, { parts }) => n + parts.tableBytes, 0) < 8 * 2 ** 20 ? 128 : 32;

export const partName = (kernel: number, part: number): string => `kernel${kernel}part${part}`;

/** A function that runs the kernels (but `skipped`) for its samples and copies `result` to the output area. */
export const addCall = (
  library: Library,
  m: WasmModule,
  plan: Plan,
  layout: Layout,
  name: string,
  result: ValueName,
  skipped: ValueName | undefined,
): void => {
  const asm = asmOf(library, m);
  const buffer = bufferOf(layout, result);
  const stride = 4 * buffer.length;
  const sample = asm.i32();
  const out = asm.i32();
  const end = asm.i32();
  const calls = (from: number, to: number): ReadonlyArray<Expr> =>
    plan.kernels.flatMap((kernel, k) =>
      kernel.name === skipped || k < from || k >= to
        ? []
        : [m.call(`kernel${k}`, [sample.get()], library.none)],
    );
  const all = [
    sample.set(m.i32.const(layout.input.address)),
    out.set(m.i32.const(layout.output.address)),
    end.set(m.i32.add(out.get(), m.i32.mul(asm.input(), m.i32.const(stride)))),
    repeat(asm, out, stride, end.get, [
      ...calls(0, plan.kernels.length),
      ...copyOut(asm, buffer, out),
      sample.set(m.i32.add(sample.get(), m.i32.const(layout.input.stride))),
    ]),
  ];
  const body =
    layout.cuts.length === 0
      ? m.block(null, [...all])
      : m.if(
          m.i32.lt_u(asm.input(), m.i32.const(leastSamples(layout))),
          m.block(null, [...all]),
          m.block(null, [
            ...phases(library, asm, plan, layout, calls, copyOut(asm, buffer, out), { sample, out, stride }),
          ]),
        );
  m.addFunction(name, library.i32, library.none, asm.locals(), body);
  m.addFunctionExport(name, name);
};

/** Layers that are cut run part by part, and what is between them sample by sample. */
const phases = (
  library: Library,
  asm: Asm,
  plan: Plan,
  layout: Layout,
  calls: (from: number, to: number) => ReadonlyArray<Expr>,
  finish: ReadonlyArray<Expr>,
  { sample, out, stride }: { readonly sample: Local; readonly out: Local; readonly stride: number },
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const [codes, sums, index] = [asm.i32(), asm.i32(), asm.i32()];
  const { cuts } = layout;
  const code: Expr[] = [];
  for (let c = 0; c <= cuts.length; c++) {
    const [before, next] = [cuts[c - 1], cuts[c]];
    const between = calls(before === undefined ? 0 : before.kernel + 1, next?.kernel ?? plan.kernels.length);
    if (before !== undefined || next?.codes !== undefined) {
      // What stands between two layers that are cut.
      code.push(
        sample.set(m.i32.const(layout.input.address)),
        out.set(m.i32.const(layout.output.address)),
        sums.set(m.i32.const(before?.sums.address ?? 0)),
        codes.set(m.i32.const(next?.codes?.address ?? 0)),
        index.set(m.i32.const(0)),
        repeat(asm, index, 1, asm.input, [
          ...(before === undefined
            ? []
            : rounds(asm, before.parts.tiles, 1, (tile) =>
                copyVectors(
                  asm,
                  () => m.i32.add(sums.get(), scaled(m, tile(), before.sums.stride)),
                  () => m.i32.add(m.i32.const(before.target), scaled(m, tile(), before.parts.tileBytes)),
                  before.parts.tileBytes,
                ),
              )),
          ...between,
          ...(next?.codes === undefined
            ? []
            : copyVectors(asm, () => m.i32.const(next.source), codes.get, next.codes.bytes)),
          ...(next === undefined ? finish : []),
          sample.set(m.i32.add(sample.get(), m.i32.const(layout.input.stride))),
          out.set(m.i32.add(out.get(), m.i32.const(stride))),
          sums.set(m.i32.add(sums.get(), m.i32.const(before?.parts.tileBytes ?? 0))),
          codes.set(m.i32.add(codes.get(), m.i32.const(next?.codes?.stride ?? 0))),
        ]),
      );
    }
    if (next !== undefined) code.push(...partLoops(library, asm, layout, next, { codes, sums, index }));
  }
  return code;
};

const partLoops = (
  library: Library,
  asm: Asm,
  layout: Layout,
  cut: Cut,
  { codes, sums, index }: { readonly codes: Local; readonly sums: Local; readonly index: Local },
): ReadonlyArray<Expr> => {
  const { m } = asm;
  const from = cut.codes ?? layout.input;
  return rounds(asm, cut.parts.tiles, 1, (tile) =>
    Array.from({ length: cut.parts.count }, (_, part) => [
      codes.set(m.i32.const(from.address)),
      sums.set(m.i32.add(m.i32.const(cut.sums.address), scaled(m, tile(), cut.sums.stride))),
      index.set(m.i32.const(0)),
      repeat(asm, index, 1, asm.input, [
        m.call(partName(cut.kernel, part), [codes.get(), sums.get(), tile()], library.none),
        codes.set(m.i32.add(codes.get(), m.i32.const(from.stride))),
        sums.set(m.i32.add(sums.get(), m.i32.const(cut.parts.tileBytes))),
      ]),
    ]).flat(),
  );
};

/** `bytes`: a multiple of 16. */
const copyVectors = (asm: Asm, from: () => Expr, to: () => Expr, bytes: number): ReadonlyArray<Expr> => {
  const { m } = asm;
  return rounds(asm, bytes / 16, 16, (at) => [
    m.v128.store(0, 1, m.i32.add(to(), at()), m.v128.load(0, 1, m.i32.add(from(), at()))),
  ]);
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
