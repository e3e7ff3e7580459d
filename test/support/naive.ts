/**
 * The ops once more, straight from their definitions and with no thought of speed: full recursions, dense
 * loops, whole numbers as BigInt. The interpreter is tested against this.
 */
import {
  type Constant,
  innerOf,
  type Node,
  type OpOf,
  type PerChannel,
  type Quantizer,
  sizeOf,
  type Tensor,
  thresholdList,
  type ValueType,
  type Window,
} from '../../src/ir/index.js';
import { type Approximate, at, basisValue, NAIVE_ACTIVATIONS, rowOf } from './naive-basis.js';
import { naiveExpression } from './naive-expression.js';
import { bigNorm } from './naive-norm.js';

export type { Approximate } from './naive-basis.js';

/** The value of a per-channel attribute. */
const ofChannel = (p: PerChannel, c: number): number => (typeof p === 'number' ? p : at(p, c));

/** A sample of an operand. */
interface Sample {
  readonly type: ValueType;
  readonly data: ReadonlyArray<number>;
}

/** An input of a layer that an output reads: its number, and its element of the sample (none in the padding). */
interface Read {
  readonly input: number;
  readonly element: number | undefined;
}

/** What output element j of a layer reads, in order, and which output it is: of all, and of its group. */
interface Reads {
  readonly reads: ReadonlyArray<Read>;
  readonly channel: number;
  readonly local: number;
}

const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, k) => from + k);

/** The pixels under the window at an output place, as kernel places and elements of one channel. */
const pixelsAt = (
  w: Window,
  [, height, width]: ReadonlyArray<number>,
  oy: number,
  ox: number,
): ReadonlyArray<{ readonly tap: number; readonly pixel: number | undefined }> =>
  range(0, w.kernel[0]).flatMap((ky) =>
    range(0, w.kernel[1]).map((kx) => {
      const y = oy * w.stride[0] + ky * w.dilation[0] - w.padding[0];
      const x = ox * w.stride[1] + kx * w.dilation[1] - w.padding[1];
      const outside = y < 0 || x < 0 || y >= height! || x >= width!;
      return { tap: ky * w.kernel[1] + kx, pixel: outside ? undefined : y * width! + x };
    }),
  );

const readsOf = (window: Window | undefined, from: ValueType, to: ValueType, j: number): Reads => {
  if (window === undefined) {
    return {
      reads: range(0, from.shape[0]!).map((i) => ({ input: i, element: i })),
      channel: j,
      local: j,
    };
  }
  const [outputs, rows, columns] = [to.shape[0]!, to.shape[1]!, to.shape[2]!];
  const channel = Math.floor(j / (rows * columns));
  const pixels = pixelsAt(window, from.shape, Math.floor(j / columns) % rows, j % columns);
  const groupWidth = outputs / window.groups;
  const perGroup = from.shape[0]! / window.groups;
  const group = Math.floor(channel / groupWidth);
  const area = window.kernel[0] * window.kernel[1];
  return {
    reads: range(group * perGroup, (group + 1) * perGroup).flatMap((c) =>
      pixels.map(({ tap, pixel }) => ({
        input: c * area + tap,
        element: pixel === undefined ? undefined : c * innerOf(from) + pixel,
      })),
    ),
    channel,
    local: channel % groupWidth,
  };
};

const kanOutput = ({ attrs }: OpOf<'kan'>, x: Sample, type: ValueType, j: number): Approximate => {
  const { reads, channel, local } = readsOf(attrs.window, x.type, type, j);
  const terms = attrs.branches.flatMap(({ basis, weights, from = 0 }) =>
    reads.flatMap(({ input, element }) => {
      const i = input - from;
      const value0 = element === undefined ? attrs.outside : x.data[element];
      if (value0 === undefined || i < 0 || i >= weights.shape[0]!) return [];
      return range(0, weights.shape[1]!).map((k): Approximate => {
        const weight = at(weights, i, k, local);
        const { value, magnitude } = basisValue(basis, i, k, value0, local);
        return { value: weight * value, magnitude: Math.abs(weight) * magnitude };
      });
    }),
  );
  const bias = attrs.bias === undefined ? 0 : at(attrs.bias, channel);
  return {
    value: terms.reduce((a, b) => a + b.value, bias),
    magnitude: terms.reduce((a, b) => a + b.magnitude, Math.abs(bias)),
  };
};

/** How many of the thresholds of a channel are <= x. */
const countCode = (q: Quantizer, channel: number, x: number): number =>
  thresholdList(q, channel).filter((t) => t <= x).length;

const meant = (q: Quantizer, channel: number, code: number): number =>
  q._tag === 'uniform'
    ? Math.fround(ofChannel(q.lo, channel) + code * ofChannel(q.step, channel))
    : at(q.values, rowOf(q.values, channel), code);

/** floor(((acc + bias) * mul + 2^(shift-1)) / 2^shift), clamped: in whole numbers of any size. */
export const bigRequantize = (
  acc: number,
  bias: number,
  mul: number,
  shift: number,
  levels: number,
): number => {
  const sum = (BigInt(acc) + BigInt(bias)) * BigInt(mul) + (1n << BigInt(shift - 1));
  const code = sum >> BigInt(shift);
  const top = BigInt(levels - 1);
  return Number(code < 0n ? 0n : code > top ? top : code);
};

const edgeOutput = ({ attrs }: OpOf<'table.edge'>, x: Sample, type: ValueType, j: number): number => {
  const { reads, channel, local } = readsOf(attrs.window, x.type, type, j);
  return reads.reduce(
    (acc, { input, element }) => {
      const slab = attrs.slabs === undefined ? input : at(attrs.slabs, input);
      // The row after those of the codes is what the padding adds.
      const row = element === undefined ? attrs.table.shape[1]! - 1 : x.data[element]!;
      return acc + at(attrs.table, slab, row, local);
    },
    attrs.bias === undefined ? 0 : at(attrs.bias, channel),
  );
};

const basisOutput = ({ attrs }: OpOf<'table.basis'>, x: Sample, type: ValueType, j: number): number => {
  const { reads, channel, local } = readsOf(attrs.window, x.type, type, j);
  let acc = attrs.bias === undefined ? 0 : at(attrs.bias, channel);
  for (const { input, element } of reads) {
    if (element === undefined) continue;
    const code = x.data[element]!;
    const row = attrs.rows === undefined ? 0 : at(attrs.rows, input);
    for (let k = 0; k < attrs.basis.shape[1]!; k++) {
      const b = at(attrs.basis, at(attrs.frac, row, code), k) * 2 ** attrs.shift;
      acc += at(attrs.coefficients, input, at(attrs.span, row, code) + k, local) * b;
    }
    if (attrs.base !== undefined && attrs.baseTable !== undefined)
      acc += at(attrs.base, input, local) * at(attrs.baseTable, row, code);
  }
  return acc;
};

const poolOutput = ({ attrs }: OpOf<'pool'>, x: Sample, type: ValueType, j: number): number | Approximate => {
  const [rows, columns] = [type.shape[1]!, type.shape[2]!];
  const channel = Math.floor(j / (rows * columns));
  const pixels = pixelsAt(attrs.window, x.type.shape, Math.floor(j / columns) % rows, j % columns);
  const seen = pixels.flatMap(({ pixel }) =>
    pixel === undefined ? [] : [x.data[channel * innerOf(x.type) + pixel]!],
  );
  if (attrs.reduce === 'max') return Math.max(...seen);
  const sum = seen.reduce((a, b) => a + b, 0);
  if (x.type.element.kind === 'int') return sum;
  const magnitude = seen.reduce((a, b) => a + Math.abs(b), 0);
  return { value: sum / pixels.length, magnitude: magnitude / pixels.length };
};

/** The elements that share their statistics with element j. */
const groupOf = (over: 'sample' | 'channel', x: Sample, j: number): ReadonlyArray<number> => {
  if (over === 'sample') return x.data;
  const inner = innerOf(x.type);
  const from = Math.floor(j / inner) * inner;
  return x.data.slice(from, from + inner);
};

const normOutput = ({ attrs }: OpOf<'norm'>, x: Sample, j: number, channel: number): Approximate => {
  const group = groupOf(attrs.over, x, j);
  const mean = group.reduce((a, b) => a + b / group.length, 0);
  const variance = group.reduce((a, b) => a + (b - mean) ** 2 / group.length, 0);
  const gain = ofChannel(attrs.scale, channel) / Math.sqrt(variance + attrs.epsilon);
  const shift = ofChannel(attrs.shift, channel);
  const largest = Math.max(...group.map(Math.abs));
  return {
    value: (x.data[j]! - mean) * gain + shift,
    magnitude: 2 * largest * Math.abs(gain) + Math.abs(shift),
  };
};

/** The parameters of a channel; one row is for all. */
const rowOfParameters = (parameters: Constant, c: number): ReadonlyArray<number> =>
  range(0, parameters.shape[1]!).map((p) => at(parameters, rowOf(parameters, c), p));

/** Element j of one sample of a node's value, from the sample of its operands. */
const naiveElement = (node: Node, samples: ReadonlyArray<Sample>, j: number): number | Approximate => {
  const { op, type } = node;
  const sample = samples[0]!;
  const x = sample.data[j]!;
  const c = Math.floor(j / innerOf(type));
  switch (op.kind) {
    case 'activate': {
      const f = op.attrs.function;
      if (f._tag === 'prelu') return Math.fround(x >= 0 ? x : ofChannel(f.slope, c) * x);
      const value =
        f._tag === 'activation'
          ? NAIVE_ACTIVATIONS[f.activation](x)
          : naiveExpression(f.function, x, rowOfParameters(f.parameters, c));
      return { value, magnitude: Math.abs(value) + 1e-6 };
    }
    case 'add':
      return Math.fround(x + samples[1]!.data[j]!);
    case 'affine':
      return Math.fround(Math.fround(x * ofChannel(op.attrs.scale, c)) + ofChannel(op.attrs.shift, c));
    case 'bucketize': {
      const { thresholds } = op.attrs;
      const row = rowOf(thresholds, c);
      return range(0, thresholds.shape[1]!).filter((k) => at(thresholds, row, k) <= x).length;
    }
    case 'concat': {
      const all = samples.flatMap((s) => s.data);
      return all[j]!;
    }
    case 'decode': {
      const { values } = op.attrs;
      const { meaning } = sample.type;
      if (values !== undefined) return at(values, rowOf(values, c), x);
      if (meaning === undefined || meaning._tag === 'scaled') throw new Error('nothing to decode by');
      return meant(meaning, c, x);
    }
    case 'dequantize':
      if (sample.type.meaning?._tag !== 'scaled') throw new Error('no scale');
      return Math.fround(Math.fround(x) * ofChannel(sample.type.meaning.scale, c));
    case 'gather':
      return sample.data[at(op.attrs.indices, c) * innerOf(type) + (j % innerOf(type))]!;
    case 'kan':
      return kanOutput(op, sample, type, j);
    case 'multiply': {
      const factor = (i: number): number => (i === sample.data.length ? 1 : sample.data[i]!);
      const product = factor(at(op.attrs.left, j)) * factor(at(op.attrs.right, j));
      return type.element.kind === 'f32' ? Math.fround(product) : product;
    }
    case 'norm':
      return normOutput(op, sample, j, c);
    case 'observe':
    case 'reshape':
      return x;
    case 'pool':
      return poolOutput(op, sample, type, j);
    case 'quantize':
      return countCode(op.attrs.quantizer, c, x);
    case 'recode':
      return at(op.attrs.map, rowOf(op.attrs.map, c), x);
    case 'requantize': {
      const { bias, mul, shift, quantizer } = op.attrs;
      const start = bias === undefined ? 0 : at(bias, c);
      return bigRequantize(x, start, ofChannel(mul, c), shift, quantizer.levels);
    }
    case 'softmax': {
      const sum = sample.data.reduce((n, v) => n + Math.exp(v), 0);
      const value = op.attrs.log ? x - Math.log(sum) : Math.exp(x) / sum;
      return { value, magnitude: 1e-6 + Math.abs(value) + (op.attrs.log ? Math.abs(x) : 0) };
    }
    case 'table.basis':
      return basisOutput(op, sample, type, j);
    case 'table.edge':
      return edgeOutput(op, sample, type, j);
    case 'table.norm': {
      const { over, gainShift, quantizer } = op.attrs;
      const epsilon = ofChannel(op.attrs.epsilon, c);
      const [gain, offset] = [ofChannel(op.attrs.gain, c), ofChannel(op.attrs.offset, c)];
      const group = groupOf(over, sample, j);
      const parameters = { epsilon, gain, gainShift, offset, levels: quantizer.levels };
      return bigNorm(group, over === 'sample' ? j : j % group.length, parameters);
    }
    case 'table.sum':
      return op.attrs.tables.reduce(
        (sum, table, k) => sum + at(table, rowOf(table, c), samples[k]!.data[j]!),
        op.attrs.bias === undefined ? 0 : at(op.attrs.bias, c),
      );
  }
};

/** A node's value, element by element. */
export const naiveValue = (
  node: Node,
  operands: ReadonlyArray<Tensor>,
): ReadonlyArray<number | Approximate> =>
  range(0, operands[0]!.batch).flatMap((n) => {
    const samples = operands.map(({ type, data }) => ({
      type,
      data: Array.from(data.subarray(n * sizeOf(type), (n + 1) * sizeOf(type))),
    }));
    return range(0, sizeOf(node.type)).map((j) => naiveElement(node, samples, j));
  });
