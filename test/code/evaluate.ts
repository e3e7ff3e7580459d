/** The language of src/code by its definition, one element after another: what lowerings and renderers are held against. */
import { match } from 'ts-pattern';
import type { BinaryOp, Body, Expr, Rows, Value } from '../../src/code/language.js';
import { emptyTensor, type Tensor } from '../../src/ir/tensor.js';
import { channelsOf, innerOf, sizeOf, type ValueType } from '../../src/ir/types.js';

/** Where an expression stands: the elements of the operands at one place, and its channel. */
export interface Place {
  readonly element: (operand: number) => number;
  readonly channel: number;
}

const rowOf = ({ rows, width, data }: Rows, channel: number): ReadonlyArray<number> => {
  const from = rows === 1 ? 0 : channel * width;
  return Array.from(data.subarray(from, from + width));
};

const orderOf = (x: number): number => {
  if (Number.isNaN(x)) return -(2 ** 31);
  if (x === 0) return -1;
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, Math.abs(x));
  return x > 0 ? bits.getInt32(0) : -1 - bits.getInt32(0);
};

const BINARY: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  min: Math.min,
  max: Math.max,
  and: (a, b) => a & b,
  shl: (a, b) => a * 2 ** b,
  shr: (a, b) => Math.floor(a / 2 ** b),
};

/** Products of `scaled` are beyond doubles where it is wide: big integers have no ends. */
const scaled = (of: number, mul: number, shift: number, top: number): number => {
  const code = (BigInt(of) * BigInt(mul) + 2n ** BigInt(shift - 1)) >> BigInt(shift);
  return Number(code < 0n ? 0n : code > BigInt(top) ? BigInt(top) : code);
};

export const evaluate = (value: Value, place: Place): number => {
  const at = (e: Expr): number => evaluate(e, place);
  return match(value)
    .with({ _tag: 'literal' }, (e) => e.value)
    .with({ _tag: 'element' }, (e) => place.element(e.operand))
    .with({ _tag: 'order' }, (e) => orderOf(place.element(e.operand)))
    .with({ _tag: 'entry' }, (e) => rowOf(e.rows, place.channel)[at(e.at)] ?? Number.NaN)
    .with({ _tag: 'rank' }, (e) => {
      const key = at(e.of);
      return rowOf(e.rows, place.channel).filter((threshold) => threshold <= key).length;
    })
    .with({ _tag: 'binary' }, (e) => BINARY[e.op](at(e.left), at(e.right)))
    .with({ _tag: 'choose' }, (e) => {
      const [a, b] = [at(e.left), at(e.right)];
      return (e.when === 'less' ? a < b : a === b) ? at(e.yes) : at(e.no);
    })
    .with({ _tag: 'scaled' }, (e) => scaled(at(e.of), at(e.mul), e.shift, e.top))
    .with({ _tag: 'float' }, (e) =>
      Math.fround(Math.fround(at(e.of)) * (rowOf(e.factor, place.channel)[0] ?? Number.NaN)),
    )
    .exhaustive();
};

/** One sample: element j of the result. */
type Sample = (j: number) => number;

const sampleOf = (
  body: Body,
  operands: ReadonlyArray<Sample>,
  types: ReadonlyArray<ValueType>,
  result: ValueType,
): Sample => {
  const inner = innerOf(result);
  const [first, type] = [operands[0]!, types[0]!];
  return match(body)
    .with(
      { _tag: 'elements' },
      ({ value }): Sample =>
        (j) =>
          evaluate(value, { element: (k) => operands[k]!(j), channel: Math.floor(j / inner) }),
    )
    .with(
      { _tag: 'channels' },
      ({ sources }): Sample =>
        (j) => {
          const { operand, channel } = sources[Math.floor(j / inner)]!;
          return operands[operand]!(channel * inner + (j % inner));
        },
    )
    .with({ _tag: 'reshape' }, (): Sample => first)
    .with({ _tag: 'pairs' }, ({ left, right }): Sample => {
      const feature = (i: number): number => (i === channelsOf(type) ? 1 : first(i));
      return (j) => feature(left[j]!) * feature(right[j]!);
    })
    .with(
      { _tag: 'windows' },
      ({ reduce, window: w }): Sample =>
        (j) => {
          const [, height = 1, width = 1] = type.shape;
          const columns = result.shape[2]!;
          const [c, oy, ox] = [Math.floor(j / inner), Math.floor((j % inner) / columns), j % columns];
          const pixels: number[] = [];
          for (let ky = 0; ky < w.kernel[0]; ky++) {
            for (let kx = 0; kx < w.kernel[1]; kx++) {
              const y = oy * w.stride[0] + ky * w.dilation[0] - w.padding[0];
              const x = ox * w.stride[1] + kx * w.dilation[1] - w.padding[1];
              if (y >= 0 && y < height && x >= 0 && x < width)
                pixels.push(first((c * height + y) * width + x));
            }
          }
          return reduce === 'max' ? Math.max(...pixels) : pixels.reduce((a, b) => a + b, 0);
        },
    )
    .exhaustive();
};

/** A program on a batch. */
export const run = (body: Body, operands: ReadonlyArray<Tensor>, type: ValueType): Tensor => {
  const { batch } = operands[0]!;
  const result = emptyTensor(type, batch);
  const size = sizeOf(type);
  for (let n = 0; n < batch; n++) {
    const samples = operands.map(
      (x): Sample =>
        (j) =>
          x.data[n * sizeOf(x.type) + j]!,
    );
    const sample = sampleOf(
      body,
      samples,
      operands.map((x) => x.type),
      type,
    );
    for (let j = 0; j < size; j++) result.data[n * size + j] = sample(j);
  }
  return result;
};
