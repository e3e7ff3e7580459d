/** Outputs that a library has computed, and how far a network is from them. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import { elementCount } from '../../../ir/constant.js';
import type { Graph } from '../../../ir/graph.js';
import { interpret } from '../../../ir/interpret.js';
import { sizeOf } from '../../../ir/types.js';
import { exp, log } from '../../../numeric/transcendental.js';
import type { NpyArray } from '../../containers/npy/index.js';

/** What the outputs were made of at last, which no layer of kanc does and no class depends on. */
export type Ending = 'none' | 'softmax' | 'log-softmax';

export interface Golden {
  readonly samples: number;
  /** Shape of one input. */
  readonly shape: ReadonlyArray<number>;
  readonly inputs: Float32Array;
  /** Values of one output. */
  readonly width: number;
  readonly outputs: Float32Array;
  /** The largest value of the outputs, without its sign. */
  readonly scale: number;
  /** `none`, and what the outputs look like. */
  readonly endings: ReadonlyArray<Ending>;
}

/** Samples that a check looks at. */
const SAMPLES = 256;
/** Samples that are run at once. */
const BATCH = 16;

/** Rows of numbers that are the shares of a whole. */
const areShares = (outputs: Float32Array, width: number, share: (y: number) => number): boolean => {
  if (width < 2) return false;
  for (let at = 0; at < outputs.length; at += width) {
    let sum = 0;
    for (let k = 0; k < width; k++) {
      const s = share(outputs[at + k]!);
      if (!(s >= 0)) return false;
      sum += s;
    }
    if (!(Math.abs(sum - 1) < 1e-4)) return false;
  }
  return true;
};

/** K0701 where the arrays are not of one network's inputs and outputs. */
export const goldenOf = (x: NpyArray, y: NpyArray): Checked<Golden> => {
  const [samples = 0, ...rest] = x.shape;
  const given = y.shape[0] ?? 0;
  if (samples === 0 || samples !== given || rest.length === 0) {
    return fail(
      'K0701',
      `the inputs have shape [${x.shape.join(', ')}], the outputs [${y.shape.join(', ')}]`,
      {
        expected:
          '[samples, features] or [samples, channels, height, width], and as many outputs in the same order',
      },
    );
  }
  if (!x.dtype.startsWith('f') || !y.dtype.startsWith('f')) {
    return fail('K0701', `the inputs are ${x.dtype}, the outputs ${y.dtype}`, {
      expected:
        'floats as the network takes and gives them: normalised inputs, and outputs in place of labels',
    });
  }
  // What is no image is so many features.
  const shape = rest.length === 3 ? rest : [elementCount(rest)];
  const used = Math.min(samples, SAMPLES);
  const width = y.data.length / samples;
  const outputs = Float32Array.from(y.data.subarray(0, used * width));
  const scale = outputs.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  if (!(scale > 0 && Number.isFinite(scale))) {
    return fail('K0701', `the largest of the outputs is ${scale}`, { expected: 'finite outputs, not all 0' });
  }
  const inputs = Float32Array.from(x.data.subarray(0, (used * x.data.length) / samples));
  const endings: ReadonlyArray<Ending> = [
    'none',
    ...(areShares(outputs, width, (v) => v) ? ['softmax' as const] : []),
    ...(areShares(outputs, width, exp) ? ['log-softmax' as const] : []),
  ];
  return E.right({ samples: used, shape, inputs, width, outputs, scale, endings });
};

export interface Difference {
  /** In parts of the largest output. */
  readonly largest: number;
  readonly rms: number;
}

const NO_MATCH: Difference = { largest: Number.POSITIVE_INFINITY, rms: Number.POSITIVE_INFINITY };

/** One row as shares of a whole, in place. */
const endRow = (row: Float64Array, ending: Ending): void => {
  if (ending === 'none') return;
  const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = row.reduce((n, v) => n + exp(v - most), 0);
  for (let k = 0; k < row.length; k++) {
    row[k] = ending === 'softmax' ? exp(row[k]! - most) / sum : row[k]! - most - log(sum);
  }
};

/**
 * How far the first samples of a network are from those that are right. Infinite where it takes or gives other
 * shapes.
 */
export const differenceFrom = (golden: Golden, graph: Graph, samples: number, ending: Ending): Difference => {
  const type = graph.inputs[0]?.type;
  if (type === undefined) return NO_MATCH;
  const size = sizeOf(type);
  const { width, outputs, scale } = golden;
  if (size !== golden.inputs.length / golden.samples) return NO_MATCH;
  let [largest, squares] = [0, 0];
  const count = Math.min(samples, golden.samples);
  for (let at = 0; at < count; at += BATCH) {
    const batch = Math.min(BATCH, count - at);
    const data = golden.inputs.subarray(at * size, (at + batch) * size);
    const result = interpret(graph, [{ type, batch, data }]);
    if (E.isLeft(result)) return NO_MATCH;
    const got = result.right[0]?.data;
    if (got === undefined || got.length !== batch * width) return NO_MATCH;
    for (let n = 0; n < batch; n++) {
      const row = Float64Array.from(got.subarray(n * width, (n + 1) * width));
      endRow(row, ending);
      for (let k = 0; k < width; k++) {
        const d = Math.abs(row[k]! - outputs[(at + n) * width + k]!) / scale;
        // NaN is no match either.
        if (!(d <= Number.MAX_VALUE)) return NO_MATCH;
        largest = Math.max(largest, d);
        squares += d * d;
      }
    }
  }
  return { largest, rms: Math.sqrt(squares / (count * width)) };
};
