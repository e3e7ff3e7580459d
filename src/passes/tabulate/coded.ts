/**
 * Coded values: a float value of a quantized graph as what it is made of, codes and for each channel a function of
 * the code. Whatever is univariate between the codes and the reader is part of that function.
 */
import type { Rewriter } from '../../ir/builder.js';
import type { Node, ValueName } from '../../ir/graph.js';
import { type DecodeAttrs, decodedValue } from '../../ir/ops/decode.js';
import { channelSources, hasRole, univariateOf } from '../../ir/ops/index.js';
import type { ObserveAttrs } from '../../ir/ops/observe.js';
import { coderOf, decodeValue, isShared, type Quantizer } from '../../ir/quantizer.js';
import { channelsOf, type ValueType } from '../../ir/types.js';
import { eachSeenBin } from '../seen-bins.js';

/** One channel of a coded value. */
export interface CodedChannel {
  /** What code c stands for: the mean of its cell, where calibration told it. */
  readonly value: (code: number) => number;
  /** The same from the quantizer alone, so that channels with one quantizer have one function. */
  readonly middle: (code: number) => number;
  /** Calls back for every occupied bin of the calibration histogram: its code, the value at its mean, its count. */
  readonly eachBin: (visit: (code: number, value: number, count: number) => void) => void;
}

export interface Coded {
  /** Codes of the shape of the value, in the new graph. */
  readonly codes: ValueName;
  readonly levels: number;
  readonly channels: ReadonlyArray<CodedChannel>;
}

/** Statistics of what was quantized, by the name of the codes. */
export type Statistics = ReadonlyMap<ValueName, ObserveAttrs>;

/**
 * Resolves a value of the new graph: decode, then univariate and layout ops above it. Layout ops are repeated on the
 * codes. Undefined when the value is not made of codes.
 */
export const resolveCoded = (
  value: ValueName,
  r: Rewriter<'table'>,
  statistics: Statistics,
): Coded | undefined => {
  const node = r.nodeOf(value);
  if (node === undefined) return undefined;
  const operands = (): ReadonlyArray<Coded> | undefined => {
    const parts = node.operands.map((o) => resolveCoded(o, r, statistics));
    const known = parts.flatMap((p) => p ?? []);
    return known.length === parts.length ? known : undefined;
  };
  const { op } = node;
  if (op.kind === 'decode') return decoded(node, op.attrs, r, statistics);
  const functionOf = univariateOf(op);
  if (functionOf !== undefined) return mapped(operands()?.[0], functionOf);
  if (!hasRole(op, 'layout')) return undefined;
  const parts = operands();
  if (parts === undefined) return undefined;
  const sources = channelSources(
    op,
    parts.map((p) => p.channels.length),
  );
  return {
    codes: r.add(
      `${node.name}_code`,
      op,
      parts.map((p) => p.codes),
    ),
    levels: parts[0]!.levels,
    channels: (sources ?? []).map(({ operand, channel }) => parts[operand]!.channels[channel]!),
  };
};

const decoded = (
  node: Node,
  attrs: DecodeAttrs,
  r: Rewriter<'table'>,
  statistics: Statistics,
): Coded | undefined => {
  const codes = node.operands[0]!;
  const type = r.typeOf(codes);
  const { meaning } = type;
  if (meaning === undefined || meaning._tag === 'scaled') return undefined;
  const stats = statistics.get(codes);
  const shared = isShared(meaning) ? coderOf(meaning, 0) : undefined;
  return {
    codes,
    levels: meaning.levels,
    channels: Array.from({ length: channelsOf(type) }, (_, c) =>
      decodedChannel(attrs, type, c, meaning, shared, stats),
    ),
  };
};

const decodedChannel = (
  attrs: DecodeAttrs,
  type: ValueType,
  c: number,
  quantizer: Quantizer,
  shared: ((x: number) => number) | undefined,
  stats: ObserveAttrs | undefined,
): CodedChannel => ({
  value: (code) => decodedValue(attrs, type, c, code),
  middle: (code) => decodeValue(quantizer, c, code),
  eachBin: (visit) => {
    if (stats === undefined || stats.samples === 0) return;
    const coder = shared ?? coderOf(quantizer, c);
    eachSeenBin(stats, quantizer, c, (mean, count) => visit(coder(mean), mean, count));
  },
});

/** The value after a univariate function of each channel. */
const mapped = (
  coded: Coded | undefined,
  functionOf: (c: number) => (x: number) => number,
): Coded | undefined =>
  coded === undefined
    ? undefined
    : {
        ...coded,
        channels: coded.channels.map((channel, c) => {
          const f = functionOf(c);
          return {
            value: (code) => f(channel.value(code)),
            middle: (code) => f(channel.middle(code)),
            eachBin: (visit) => channel.eachBin((code, value, count) => visit(code, f(value), count)),
          };
        }),
      };
