/**
 * A thin layer over binaryen's expression builder: locals with types, loops over runtime counters, and
 * addresses that are partly known at compile time. Kernels are written in these terms only.
 */
import type Binaryen from 'binaryen';

/** The library, loaded at run time: its import costs a quarter of a second, so only `emit` pays it. */
export type Library = typeof Binaryen;
export type WasmModule = Binaryen.Module;
/** A node of binaryen's expression tree. A node has one parent: it is built anew for every use. */
export type Expr = Binaryen.ExpressionRef;

export interface Local {
  readonly get: () => Expr;
  readonly set: (value: Expr) => Expr;
}

/** The body of one function under construction. Its parameters are i32; 0 is the address of the current sample's input. */
export interface Asm {
  readonly m: WasmModule;
  readonly i32: () => Local;
  readonly i64: () => Local;
  readonly f32: () => Local;
  readonly v128: () => Local;
  /** The input pointer parameter. */
  readonly input: () => Expr;
  readonly parameter: (index: number) => Expr;
  readonly label: () => string;
  /** Types of the locals made so far, in order. */
  readonly locals: () => ReadonlyArray<Binaryen.Type>;
}

export const asmOf = (library: Library, m: WasmModule, parameters = 1): Asm => {
  const types: Binaryen.Type[] = [];
  let labels = 0;
  const local = (type: Binaryen.Type): Local => {
    const index = parameters + types.length;
    types.push(type);
    return { get: () => m.local.get(index, type), set: (value) => m.local.set(index, value) };
  };
  return {
    m,
    i32: () => local(library.i32),
    i64: () => local(library.i64),
    f32: () => local(library.f32),
    v128: () => local(library.v128),
    input: () => m.local.get(0, library.i32),
    parameter: (index) => m.local.get(index, library.i32),
    label: () => `l${labels++}`,
    locals: () => types,
  };
};

/** Where a value lies: at a fixed address, or in the input of the current sample. */
export type Place = { readonly _tag: 'fixed'; readonly address: number } | { readonly _tag: 'input' };

export const fixed = (address: number): Place => ({ _tag: 'fixed', address });
export const INPUT: Place = { _tag: 'input' };

/** A pointer expression and the constant offset that a load or store adds to it. */
export interface Address {
  readonly pointer: () => Expr;
  readonly offset: number;
}

/** The address `bytes` into a place: `index` is a runtime part, when there is one. */
export const addressIn = (asm: Asm, place: Place, index?: () => Expr): Address => {
  if (place._tag === 'fixed') {
    return { pointer: index ?? (() => asm.m.i32.const(0)), offset: place.address };
  }
  return {
    pointer: index === undefined ? asm.input : () => asm.m.i32.add(asm.input(), index()),
    offset: 0,
  };
};

export const plus = (address: Address, bytes: number): Address => ({
  pointer: address.pointer,
  offset: address.offset + bytes,
});

/**
 * do { body; counter += step } while (counter != end): the counter must not be at its end already.
 */
export const repeat = (
  asm: Asm,
  counter: Local,
  step: number,
  end: () => Expr,
  body: ReadonlyArray<Expr>,
): Expr => {
  const { m } = asm;
  const label = asm.label();
  return m.loop(
    label,
    m.block(null, [
      ...body,
      counter.set(m.i32.add(counter.get(), m.i32.const(step))),
      m.br(label, m.i32.ne(counter.get(), end())),
    ]),
  );
};

/**
 * Runs `body` for index 0, step, 2 * step, ... below `count * step`; a single round has no loop and a
 * constant index.
 */
export const rounds = (
  asm: Asm,
  count: number,
  step: number,
  body: (index: () => Expr) => ReadonlyArray<Expr>,
): ReadonlyArray<Expr> => {
  if (count === 0) return [];
  if (count === 1) return body(() => asm.m.i32.const(0));
  const index = asm.i32();
  return [
    index.set(asm.m.i32.const(0)),
    repeat(
      asm,
      index,
      step,
      () => asm.m.i32.const(count * step),
      body(() => index.get()),
    ),
  ];
};

/** index * factor, as a shift where the factor is a power of two. */
export const scaled = (m: WasmModule, index: Expr, factor: number): Expr => {
  if (factor === 1) return index;
  const log = Math.log2(factor);
  return Number.isInteger(log) && factor > 0
    ? m.i32.shl(index, m.i32.const(log))
    : m.i32.mul(index, m.i32.const(factor));
};

export const loadVector = (asm: Asm, a: Address): Expr => asm.m.v128.load(a.offset, 1, a.pointer());

export const storeVector = (asm: Asm, a: Address, value: Expr): Expr =>
  asm.m.v128.store(a.offset, 1, a.pointer(), value);

export const splatI32 = (asm: Asm, value: number): Expr => asm.m.i32x4.splat(asm.m.i32.const(value));

export const splatF32 = (asm: Asm, value: number): Expr => asm.m.f32x4.splat(asm.m.f32.const(value));
