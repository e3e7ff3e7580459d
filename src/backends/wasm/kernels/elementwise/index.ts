/**
 * Elementwise ops as kernels: what an element is, sixteen or four elements at a time where lanes can compute it, else one
 * by one.
 */
import { type ElementCode, everyPart, isPerChannel } from '../../../../code/expr.js';
import {
  type Asm,
  addressIn,
  type Expr,
  fixed,
  loadVector,
  plus,
  scaled,
  splatF32,
  storeVector,
} from '../../asm.js';
import type { Bound, Kernel, KernelBase } from '../../kernel.js';
import { type Block, blockOf, roundUp, type Storage, storageBytes } from '../../storage.js';
import { channelTable, elementRounds } from './rounds.js';
import { scalarOf, scalarTables } from './scalars.js';
import { isVectorial, type Round, vectorOf, vectorTables } from './vectors.js';

/** Elements of a round where the result is integers; floats are stored a vector at a time. */
const LANES = 16;

/** Elements of neighbouring channels that are done in a row: they share what finds them. */
const TOGETHER = 4;

/** `sources`: storage of each operand. */
export const elementKernel = (
  base: KernelBase,
  op: string,
  code: ElementCode,
  sources: ReadonlyArray<Storage>,
  result: Storage,
): Kernel => {
  const perChannel = isPerChannel(code.value) || typeof code.scale === 'object';
  // Without constants that differ there is no second counter to keep.
  const counted = perChannel ? base : { ...base, channels: 1 };
  const lanes = code.scale === undefined ? LANES : 4;
  const vectorial = isVectorial(code.value, counted, lanes);
  const rendered = vectorial
    ? inVectors(counted, code, sources, result, lanes)
    : oneByOne(counted, code, sources, result);
  const searches = everyPart(code.value).some(({ kind }) => kind === 'count');
  return {
    ...base,
    ...rendered,
    result,
    summary: {
      op,
      form: searches ? `${code.form}, ${vectorial ? 'compared' : 'searched'}` : code.form,
      inputs: base.length,
      outputs: base.length,
      ...(code.bits === undefined ? {} : { bits: code.bits }),
    },
  };
};

type Rendered = Pick<Kernel, 'reach' | 'blocks' | 'emit'>;

/** The scales of a result of floats, as they are read. */
const scaleBlock = (
  code: ElementCode,
  table: (of: (c: number) => number) => Float32Array,
): ReadonlyArray<Block> => {
  const { scale } = code;
  return typeof scale === 'object' ? [blockOf(table((c) => scale.data[c]!))] : [];
};

const inVectors = (
  base: KernelBase,
  code: ElementCode,
  sources: ReadonlyArray<Storage>,
  result: Storage,
  lanes: number,
): Rendered => {
  const tables = vectorTables(code.value, base, lanes);
  const floats = (n: number): Float32Array => new Float32Array(n);
  const scales = scaleBlock(code, (of) => channelTable(base, lanes, floats, of));
  const bytes = storageBytes(result);
  const factor = (asm: Asm, bound: Bound, { at }: Round): Expr => {
    if (typeof code.scale === 'number') return splatF32(asm, code.scale);
    const block = fixed(bound.blocks[tables.blocks.length]!);
    return loadVector(
      asm,
      addressIn(asm, block, () => scaled(asm.m, at(), 4)),
    );
  };
  return {
    reach: roundUp(base.length, lanes),
    blocks: [...tables.blocks, ...scales],
    emit: (asm, bound) =>
      elementRounds(asm, base, lanes, (index, at) => {
        const round = { index, at };
        const vectors = Array.from({ length: lanes / 4 }, (_, v) =>
          vectorOf(asm, bound, tables, sources, round, 4 * v, code.value),
        );
        const before = vectors.flatMap((v) => v.before);
        const values = vectors.map((v) => v.value);
        const target = { pointer: () => scaled(asm.m, index(), bytes), offset: bound.target };
        const stored =
          code.scale === undefined
            ? narrowed(asm, result, values)
            : [asm.m.f32x4.mul(asm.m.f32x4.convert_i32x4_s(values[0]!), factor(asm, bound, round))];
        return [...before, ...stored.map((value, k) => storeVector(asm, plus(target, 16 * k), value))];
      }),
  };
};

/** Four vectors of i32 as vectors of a storage, which their values fit. */
const narrowed = ({ m }: Asm, result: Storage, values: ReadonlyArray<Expr>): ReadonlyArray<Expr> => {
  if (result === 'i32') return values;
  const narrow = result === 'i16' ? m.i16x8.narrow_i32x4_s : m.i16x8.narrow_i32x4_u;
  const [low, high] = [narrow(values[0]!, values[1]!), narrow(values[2]!, values[3]!)];
  return result === 'u8' ? [m.i8x16.narrow_i16x8_u(low, high)] : [low, high];
};

const storeElement = (asm: Asm, result: Storage, offset: number, to: Expr, value: Expr): Expr => {
  const { i32 } = asm.m;
  const bytes = storageBytes(result);
  if (bytes === 1) return i32.store8(offset, 1, to, value);
  return bytes === 2 ? i32.store16(offset, 1, to, value) : i32.store(offset, 1, to, value);
};

const oneByOne = (
  base: KernelBase,
  code: ElementCode,
  sources: ReadonlyArray<Storage>,
  result: Storage,
): Rendered => {
  const tables = scalarTables(code.value);
  const scales = scaleBlock(code, (of) => Float32Array.from({ length: base.channels }, (_, c) => of(c)));
  const bytes = storageBytes(result);
  const lanes = base.channels % TOGETHER === 0 ? TOGETHER : 1;
  const factor = ({ m }: Asm, bound: Bound, { at }: Round, lane: number): Expr =>
    typeof code.scale === 'number'
      ? m.f32.const(code.scale)
      : m.f32.load(bound.blocks[tables.blocks.length]! + 4 * lane, 1, scaled(m, at(), 4));
  return {
    reach: base.length,
    blocks: [...tables.blocks, ...scales],
    emit: (asm, bound) =>
      elementRounds(asm, base, lanes, (index, at) =>
        Array.from({ length: lanes }, (_, lane) => {
          const { m } = asm;
          const round = { index, at };
          const { before, value } = scalarOf(asm, bound, tables, sources, round, lane, code.value);
          const [offset, to] = [bound.target + lane * bytes, scaled(m, index(), bytes)];
          const stored =
            code.scale === undefined
              ? storeElement(asm, result, offset, to, value)
              : m.f32.store(
                  offset,
                  1,
                  to,
                  m.f32.mul(m.f32.convert_s.i32(value), factor(asm, bound, round, lane)),
                );
          return [...before, stored];
        }).flat(),
      ),
  };
};
