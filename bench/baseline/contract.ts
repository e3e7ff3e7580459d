/**
 * The second half of a layer: sums of products of basis values with rows of coefficients.
 *
 * Outputs are contiguous, so a value is spread over a vector and multiplied with four outputs at a time. What makes it
 * fast: sums stay in registers, at most 8 vectors of them, and a layer of more outputs is done in several passes over
 * its inputs; where there are fewer vectors, each has several sums, so that no addition waits for the one before it;
 * of splines only the p + 1 rows of functions that can be non-zero are touched; the coefficients of a pass are
 * contiguous, and where those of a layer do not fit the second-level cache a pass is done for several samples before
 * the next. Sums of several samples in registers, so that a row of coefficients is loaded once for them, were tried and
 * gained nothing: it is the products that take the time, and more samples leave fewer outputs for each value spread.
 */
import { type Local, repeat, scaled } from '../../src/backends/wasm/asm.js';
import { type Code, nested, type Use } from './code.js';
import type { Part, Term } from './layer.js';
import { LANES, type Layout, load, type Operands, type Piece, write } from './storage.js';
import { ENTRY } from './window-list.js';

export interface Contraction {
  readonly parts: ReadonlyArray<Part>;
  readonly groups: number;
  /** Taps of the kernel. */
  readonly area: number;
  readonly output: Layout;
  readonly passes: Passes;
  /** Outputs of a group. */
  readonly width: number;
  /** Which block is what: coefficients of each part come first. */
  readonly bias: number;
  /** The taps of each position; absent where there is one of each. */
  readonly list?: { readonly starts: number; readonly entries: number; readonly someEmpty: boolean };
  /** What is done to sums before they are stored. */
  readonly finish: (code: Code, x: Use, channel: number, operands: Operands) => Use;
}

/** Most sums that stay in registers beside factors and products. */
const SUMS = 8;

/** Bytes of a row of coefficients of a pass. */
export const rowBytesOf = ({ rowVectors }: Passes): number => 4 * LANES * rowVectors;

/** How the outputs of a group are split. */
export interface Passes {
  readonly count: number;
  /** Vectors of all outputs of a group. */
  readonly vectors: number;
  /** Vectors of a row of coefficients in memory: those of the largest pass. */
  readonly rowVectors: number;
}

/** The first vector of a pass, and that of the next. */
export const passRange = ({ count, vectors }: Passes, k: number): readonly [number, number] => [
  Math.floor((k * vectors) / count),
  Math.floor(((k + 1) * vectors) / count),
];

export const passesOf = (width: number): Passes => {
  const vectors = Math.ceil(width / LANES);
  const count = Math.ceil(vectors / SUMS);
  return { count, vectors, rowVectors: Math.ceil(vectors / count) };
};

/** Vectors of outputs of one pass, and the number of sums of each. */
interface Pass {
  readonly operands: Operands;
  readonly group: number;
  /** Its number within the group. */
  readonly number: number;
  readonly vectors: number;
  readonly sets: number;
  /** The channel of its first output. */
  readonly channel: number;
}

/** A piece for each pass. */
export const contraction = (c: Contraction): ReadonlyArray<Piece> => {
  const terms = Math.max(...c.parts.map((p) => p.terms.length));
  return Array.from({ length: c.groups * c.passes.count }, (_, k): Piece => {
    const [group, number] = [Math.floor(k / c.passes.count), k % c.passes.count];
    const [first, end] = passRange(c.passes, number);
    const vectors = end - first;
    const sets = Math.max(1, Math.min(terms, Math.floor(SUMS / vectors)));
    const channel = group * c.width + first * LANES;
    return (code, operands) =>
      code.loop(c.output.positions, 1, (inner, position) =>
        emitPass(inner, c, { operands, group, number, vectors, sets, channel }, position),
      );
  });
};

const emitPass = (code: Code, c: Contraction, pass: Pass, position: Use): void => {
  const { asm } = code;
  const { m } = asm;
  const { vectors, sets, operands } = pass;
  const sums = Array.from({ length: sets * vectors }, () => asm.v128());
  const sum: Sum = (set, v) => sums[set * vectors + v]!;
  const biasAt = operands.blocks[c.bias]! + 4 * pass.channel;
  for (let set = 0; set < sets; set++) {
    for (let v = 0; v < vectors; v++) {
      const bias = load(asm, biasAt + 4 * v * LANES, m.i32.const(0));
      code.push(sum(set, v).set(set === 0 ? bias : m.f32x4.splat(m.f32.const(0))));
    }
  }
  emitTaps(code, c, pass, position, sum);
  const to = code.integer(scaled(m, position(), 4 * c.output.stride));
  for (let v = 0; v < vectors; v++) {
    let total: Use = sum(0, v).get;
    for (let set = 1; set < sets; set++) total = code.vector(m.f32x4.add(total(), sum(set, v).get()));
    const channel = pass.channel + v * LANES;
    code.push(write(asm, operands.target, to, 4 * channel, c.finish(code, total, channel, operands)()));
  }
};

type Sum = (set: number, vector: number) => Local;

/** Part by part, tap by tap. */
const emitTaps = (code: Code, c: Contraction, pass: Pass, position: Use, sum: Sum): void => {
  const { asm } = code;
  const { m } = asm;
  const rowBytes = rowBytesOf(c.passes);
  let planes = pass.operands.scratch;
  for (const [k, part] of c.parts.entries()) {
    const perGroup = part.channels / c.groups;
    const tapBytes = perGroup * part.rows * rowBytes;
    const passBytes = c.area * tapBytes + 2 * part.margin * rowBytes;
    const number = pass.group * c.passes.count + pass.number;
    const weights = pass.operands.blocks[k]! + number * passBytes + part.margin * rowBytes;
    const skipped = 4 * pass.group * perGroup;
    const start = planes;
    planes += part.planes * part.planeBytes;
    if (c.list === undefined) {
      const input = code.integer(m.i32.add(asm.input(), m.i32.const(skipped)));
      emitChannels(code, c, pass, part, start, input, code.integer(m.i32.const(weights)), sum);
      continue;
    }
    const { someEmpty } = c.list;
    const [starts, entries] = [pass.operands.blocks[c.list.starts]!, pass.operands.blocks[c.list.entries]!];
    const entry = asm.i32();
    const at = code.integer(scaled(m, position(), 4));
    const end = code.integer(m.i32.load(starts + 4, 4, at()));
    code.push(entry.set(m.i32.load(starts, 4, at())));
    const body = nested(asm, (tap) => {
      const pixel = scaled(m, m.i32.load(entries, 4, entry.get()), part.stride);
      const input = tap.integer(m.i32.add(m.i32.add(pixel, m.i32.const(skipped)), asm.input()));
      const tapOffset = m.i32.mul(m.i32.load(entries + 4, 4, entry.get()), m.i32.const(tapBytes));
      emitChannels(
        tap,
        c,
        pass,
        part,
        start,
        input,
        tap.integer(m.i32.add(tapOffset, m.i32.const(weights))),
        sum,
      );
    });
    const loop = repeat(asm, entry, ENTRY, end, body);
    code.push(someEmpty ? m.if(m.i32.ne(entry.get(), end()), loop) : loop);
  }
};

/** All channels of a part at one tap: `input` is their offset in planes, `weights` the address of their first row. */
const emitChannels = (
  code: Code,
  c: Contraction,
  pass: Pass,
  part: Part,
  planes: number,
  input: Use,
  weights: Use,
  sum: Sum,
): void => {
  const { asm } = code;
  const { m } = asm;
  const rowBytes = rowBytesOf(c.passes);
  const channels = part.channels / c.groups;
  const at = asm.i32();
  const row = asm.i32();
  const end = code.integer(m.i32.add(input(), m.i32.const(4 * channels)));
  code.push(at.set(input()));
  code.push(row.set(weights()));
  const body = nested(asm, (inner) => {
    const shifted = new Map<number, Use>();
    const plane = (number: number): number => planes + number * part.planeBytes;
    /** The address of row 0 of the function a term stands for. */
    const rowsOf = ({ shift }: Term): Use => {
      if (shift === undefined) return row.get;
      const known = shifted.get(shift);
      if (known !== undefined) return known;
      const made = inner.integer(m.i32.add(row.get(), m.i32.load(plane(shift), 4, at.get())));
      shifted.set(shift, made);
      return made;
    };
    for (const [k, term] of part.terms.entries()) {
      const factor = inner.vector(m.v128.load32_splat(plane(term.plane), 4, at.get()));
      const rows = rowsOf(term);
      for (let v = 0; v < pass.vectors; v++) {
        const offset = term.row * rowBytes + v * 4 * LANES;
        const total = sum(k % pass.sets, v);
        const product = m.f32x4.mul(factor(), load(asm, offset, rows()));
        inner.push(total.set(m.f32x4.add(total.get(), product)));
      }
    }
    inner.push(row.set(m.i32.add(row.get(), m.i32.const(part.rows * rowBytes))));
  });
  for (const statement of channels === 1 ? body : [repeat(asm, at, 4, end, body)]) code.push(statement);
};
