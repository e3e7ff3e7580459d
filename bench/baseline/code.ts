/** Straight-line code as it is written: every result is a local, which the engine's compiler turns into a register. */
import { type Asm, type Expr, rounds, splatF32, splatI32 } from '../../src/backends/wasm/asm.js';

/** A computed value: every call makes a new use of it. */
export type Use = () => Expr;

/** Statements under construction. */
export interface Code {
  readonly asm: Asm;
  readonly statements: ReadonlyArray<Expr>;
  readonly push: (statement: Expr) => void;
  /** Keeps a vector in a local. */
  readonly vector: (value: Expr) => Use;
  /** Keeps an i32 in a local. */
  readonly integer: (value: Expr) => Use;
  /** Runs `body` for index 0, step, ... below count * step. */
  readonly loop: (count: number, step: number, body: (code: Code, index: Use) => void) => void;
}

export const codeOf = (asm: Asm): Code => {
  const statements: Expr[] = [];
  const push = (statement: Expr): void => {
    statements.push(statement);
  };
  return {
    asm,
    statements,
    push,
    vector: (value) => {
      const local = asm.v128();
      push(local.set(value));
      return local.get;
    },
    integer: (value) => {
      const local = asm.i32();
      push(local.set(value));
      return local.get;
    },
    loop: (count, step, body) => {
      for (const statement of rounds(asm, count, step, (index) => nested(asm, (code) => body(code, index)))) {
        push(statement);
      }
    },
  };
};

/** The statements that `write` makes. */
export const nested = (asm: Asm, write: (code: Code) => void): ReadonlyArray<Expr> => {
  const code = codeOf(asm);
  write(code);
  return code.statements;
};

/** Arithmetic on four floats at once. */
export interface Floats {
  readonly constant: (value: number) => Use;
  readonly bits: (value: number) => Use;
  readonly add: (a: Use, b: Use) => Use;
  readonly sub: (a: Use, b: Use) => Use;
  readonly mul: (a: Use, b: Use) => Use;
  readonly div: (a: Use, b: Use) => Use;
  /** a where a <= b, one instruction; b where either is NaN. */
  readonly least: (a: Use, b: Use) => Use;
  readonly greatest: (a: Use, b: Use) => Use;
  readonly floor: (a: Use) => Use;
  readonly and: (a: Use, b: Use) => Use;
  /** Horner's scheme, highest coefficient first. */
  readonly polynomial: (x: Use, coefficients: ReadonlyArray<number>) => Use;
}

export const floatsOf = (code: Code): Floats => {
  const { asm, vector } = code;
  const { f32x4, v128 } = asm.m;
  const constant =
    (value: number): Use =>
    () =>
      splatF32(asm, value);
  const add = (a: Use, b: Use): Use => vector(f32x4.add(a(), b()));
  const mul = (a: Use, b: Use): Use => vector(f32x4.mul(a(), b()));
  return {
    constant,
    bits: (value) => () => splatI32(asm, value),
    add,
    mul,
    sub: (a, b) => vector(f32x4.sub(a(), b())),
    div: (a, b) => vector(f32x4.div(a(), b())),
    // pmin(b, a) is a < b ? a : b.
    least: (a, b) => vector(f32x4.pmin(b(), a())),
    greatest: (a, b) => vector(f32x4.pmax(b(), a())),
    floor: (a) => vector(f32x4.floor(a())),
    and: (a, b) => vector(v128.and(a(), b())),
    polynomial: (x, [first = 0, ...rest]) =>
      rest.reduce((sum, c) => add(mul(sum, x), constant(c)), constant(first)),
  };
};

/**
 * Adding 1.5 * 2^23 to a float of magnitude below 2^22 rounds it to the nearest integer, which then stands in the
 * low bits: cheaper than a conversion, which has to watch for NaN and overflow.
 */
export const ROUNDER = 12582912;
const ROUNDER_BITS = 0x4b400000;

/** A float without fraction, below 2^22 in magnitude, as an integer. */
export const toInteger = (code: Code, value: Use): Use => {
  const { asm } = code;
  const { f32x4, i32x4 } = asm.m;
  return code.vector(i32x4.sub(f32x4.add(value(), splatF32(asm, ROUNDER)), splatI32(asm, ROUNDER_BITS)));
};
