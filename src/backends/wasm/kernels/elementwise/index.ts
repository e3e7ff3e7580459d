/**
 * Kernels that compute every element by itself: expressions of src/code, sixteen or four elements at a time where lanes
 * have what they need, else one by one.
 */
import { type Expr as Element, nodesOf, type Rows, rowsOf, type Value } from '../../../../code/language.js';
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
import type { BlockAddresses, Bound, Kernel, KernelBase } from '../../kernel.js';
import { type Block, blockOf, roundUp, type Storage, storageBytes } from '../../storage.js';
import { channelTable, elementRounds, type Round } from './rounds.js';
import { scalarOf, scalarTables } from './scalars.js';
import { isVectorial, vectorOf, vectorTables } from './vectors.js';

/** Elements of a round where the result is integers; floats are stored a vector at a time. */
const LANES = 16;

/** Elements of neighbouring channels that are done in a row: they share what finds them. */
const TOGETHER = 4;

/** An expression, and where the result is floats, what it is multiplied by. */
interface Computed {
  readonly integer: Element;
  readonly factor: Rows | undefined;
  /** Storage of each operand, and of the result. */
  readonly sources: ReadonlyArray<Storage>;
  readonly result: Storage;
}

/** `sources`: storage of each operand. */
export const elementKernel = (
  base: KernelBase,
  op: string,
  form: string,
  value: Value,
  sources: ReadonlyArray<Storage>,
  result: Storage,
): Kernel => {
  const computed: Computed =
    value._tag === 'float'
      ? { integer: value.of, factor: value.factor, sources, result }
      : { integer: value, factor: undefined, sources, result };
  const perChannel = [...rowsOf(value), computed.factor].some(
    (table) => table !== undefined && table.rows > 1,
  );
  // Without constants that differ there is no second counter to keep.
  const counted = perChannel ? base : { ...base, channels: 1 };
  const lanes = computed.factor === undefined ? LANES : 4;
  const inLanes = isVectorial(computed.integer, counted, lanes);
  const searches = nodesOf(value).some((part) => part._tag === 'rank' && part.of._tag !== 'order');
  return {
    ...base,
    ...(inLanes ? inVectors(counted, computed, lanes) : oneByOne(counted, computed)),
    result,
    summary: {
      op,
      form: searches ? `${form}, ${inLanes ? 'compared' : 'searched'}` : form,
      inputs: base.length,
      outputs: base.length,
    },
  };
};

type Rendered = Pick<Kernel, 'reach' | 'blocks' | 'emit'>;

/** The factors of channels, as they are read; one for all stands in the code. */
const factorBlock = (
  factor: Rows | undefined,
  table: (of: (c: number) => number) => Float32Array,
): ReadonlyArray<Block> =>
  factor === undefined || factor.rows === 1 ? [] : [blockOf(table((c) => factor.data[c]!))];

const inVectors = (base: KernelBase, computed: Computed, lanes: number): Rendered => {
  const { integer, factor, sources, result } = computed;
  const tables = vectorTables(integer, base, lanes);
  const floats = (n: number): Float32Array => new Float32Array(n);
  const bytes = storageBytes(result);
  const multiplier = (asm: Asm, bound: Bound<BlockAddresses>, { rows, data }: Rows, { at }: Round): Expr => {
    if (rows === 1) return splatF32(asm, data[0]!);
    const block = fixed(bound.blocks[tables.blocks.length]!);
    return loadVector(
      asm,
      addressIn(asm, block, () => scaled(asm.m, at(), 4)),
    );
  };
  return {
    reach: roundUp(base.length, lanes),
    blocks: [...tables.blocks, ...factorBlock(factor, (of) => channelTable(base, lanes, floats, of))],
    emit: (asm, bound) =>
      elementRounds(asm, base, lanes, (index, at) => {
        const { f32x4 } = asm.m;
        const round = { index, at };
        const vectors = Array.from({ length: lanes / 4 }, (_, v) =>
          vectorOf(asm, bound, tables, sources, round, 4 * v, integer),
        );
        const values = vectors.map((v) => v.value);
        const target = { pointer: () => scaled(asm.m, index(), bytes), offset: bound.target };
        const stored =
          factor === undefined
            ? narrowed(asm, result, values)
            : [f32x4.mul(f32x4.convert_i32x4_s(values[0]!), multiplier(asm, bound, factor, round))];
        return [
          ...vectors.flatMap((v) => v.before),
          ...stored.map((value, k) => storeVector(asm, plus(target, 16 * k), value)),
        ];
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

const oneByOne = (base: KernelBase, { integer, factor, sources, result }: Computed): Rendered => {
  const tables = scalarTables(integer);
  const bytes = storageBytes(result);
  const lanes = base.channels % TOGETHER === 0 ? TOGETHER : 1;
  const multiplier = (
    { m }: Asm,
    bound: Bound<BlockAddresses>,
    { rows, data }: Rows,
    { at }: Round,
    lane: number,
  ): Expr =>
    rows === 1
      ? m.f32.const(data[0]!)
      : m.f32.load(bound.blocks[tables.blocks.length]! + 4 * lane, 1, scaled(m, at(), 4));
  return {
    reach: base.length,
    blocks: [
      ...tables.blocks,
      ...factorBlock(factor, (of) => Float32Array.from({ length: base.channels }, (_, c) => of(c))),
    ],
    emit: (asm, bound) =>
      elementRounds(asm, base, lanes, (index, at) =>
        Array.from({ length: lanes }, (_, lane) => {
          const { m } = asm;
          const round = { index, at };
          const { before, value } = scalarOf(asm, bound, tables, sources, round, lane, integer);
          const [offset, to] = [bound.target + lane * bytes, scaled(m, index(), bytes)];
          const stored =
            factor === undefined
              ? storeElement(asm, result, offset, to, value)
              : m.f32.store(
                  offset,
                  1,
                  to,
                  m.f32.mul(m.f32.convert_s.i32(value), multiplier(asm, bound, factor, round, lane)),
                );
          return [...before, stored];
        }).flat(),
      ),
  };
};
