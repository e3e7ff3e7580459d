/** Where integers or floats would not suffice: told, or left undone, never wrapped. */
import { describe, expect, it } from 'vitest';
import {
  type Branch,
  builder,
  constant,
  edgeTableRange,
  F32,
  floatType,
  int,
  type TableEdgeAttrs,
  uint,
  valueType,
  verify,
} from '../../src/ir/index.js';
import { BUILTIN_PASSES, bindPipelineText, NO_CONTEXT, prune, runPipeline } from '../../src/passes/index.js';
import { withinIntegers } from '../../src/passes/integer-limits.js';
import { withoutBias } from '../../src/passes/table-parts.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';

const LARGEST = 2 ** 31 - 1;

/** A layer of one-bit inputs: entries [input][code], one output. */
const edge = (entries: ReadonlyArray<readonly [number, number]>, bias: number): TableEdgeAttrs => {
  const parts = {
    table: constant(int(32), [entries.length, 2, 1], Int32Array.from(entries.flat())),
    bias: constant(int(32), [1], Int32Array.of(bias)),
    scale: 1,
    acc: 32,
  };
  return { ...parts, ...edgeTableRange(parts, entries.length) };
};

const graphOf = (attrs: TableEdgeAttrs) => {
  const b = builder('full', 'table');
  const quantizer = { _tag: 'uniform', lo: 0, step: 1, levels: 2 } as const;
  const x = b.input('x', valueType(uint(1), [attrs.table.shape[0]!], quantizer));
  const graph = rightOf(b.build([b.add('acc', { kind: 'table.edge', attrs }, [x])]));
  rightOf(verify(graph));
  return graph;
};

describe('functions', () => {
  const compile = (branches: ReadonlyArray<Branch>) => {
    const b = builder('large', 'float');
    const x = b.input('x', floatType([1]));
    const graph = rightOf(b.build([b.add('y', { kind: 'kan', attrs: { branches } }, [x])]));
    const pipeline = rightOf(bindPipelineText('calibrate,quantize,tabulate', BUILTIN_PASSES, 'float'));
    return runPipeline(pipeline, graph, { context: NO_CONTEXT, verifyEach: true });
  };
  const branch: Branch = {
    basis: { _tag: 'base', activation: 'identity' },
    weights: constant(F32, [1, 1, 1], Float32Array.of(3e38)),
  };

  it('of large weights are tabulated while f32 holds them, and are K0204 beyond', () => {
    rightOf(compile([branch]));
    expect(codeOf(compile([branch, branch]))).toBe('K0204');
  });
});

describe('rewrites that would leave 32 bits are not made', () => {
  it('a bias that keeps partial sums in range stays in its table', () => {
    const needed = edge(
      [
        [LARGEST, 0],
        [LARGEST, 0],
      ],
      -LARGEST,
    );
    graphOf(needed);
    expect(withoutBias({ kind: 'table.edge', attrs: needed })).toBeUndefined();
    const free = edge([[LARGEST, 0]], -LARGEST);
    expect(withoutBias({ kind: 'table.edge', attrs: free })?.op.attrs.bias).toBeUndefined();
  });

  it('a constant input stays when the bias could not hold it', () => {
    const pruned = (bias: number) =>
      rightOf(
        prune.run(
          {},
          NO_CONTEXT,
        )(
          graphOf(
            edge(
              [
                [-10, -20],
                [LARGEST, LARGEST],
              ],
              bias,
            ),
          ),
        ),
      ).remarks.length;
    expect(pruned(0)).toBe(1);
    expect(pruned(5)).toBe(0);
  });
});

describe('sums over images', () => {
  const quantizer = { _tag: 'uniform', lo: -1, step: 1, levels: 3 } as const;
  const meanOf = (size: number) => {
    const b = builder('large', 'quantized');
    const x = b.input('x', valueType(uint(2), [1, size, size], quantizer));
    const decoded = b.add('d', { kind: 'decode', attrs: {} }, [x]);
    const window = {
      kernel: [size, size],
      stride: [1, 1],
      padding: [0, 0],
      dilation: [1, 1],
      groups: 1,
    } as const;
    return rightOf(b.build([b.add('mean', { kind: 'pool', attrs: { reduce: 'mean', window } }, [decoded])]));
  };

  it('are refused before anything runs where 32 bits cannot hold them', () => {
    expect(codeOf(withinIntegers(meanOf(724)))).toBe('ok');
    expect(messageOf(withinIntegers(meanOf(725)))).toMatch(/K0611: op %mean: .*725x725.*524416 pixels/);
  });

  it('are refused by tabulate where their range turns out too large', () => {
    const pipeline = rightOf(bindPipelineText('tabulate', BUILTIN_PASSES, 'quantized'));
    const tabulated = (size: number) =>
      runPipeline(pipeline, meanOf(size), { context: NO_CONTEXT, verifyEach: true });
    rightOf(tabulated(724));
    expect(messageOf(tabulated(800))).toMatch(/K0611: pass tabulate, op %mean: .*overflow 32 bits/);
  });

  it('as statistics of a norm have a limit too', () => {
    const b = builder('large', 'float');
    const x = b.input('x', floatType([1, 257, 256]));
    const attrs = { over: 'channel', epsilon: 1e-5, scale: 1, shift: 0 } as const;
    const graph = rightOf(b.build([b.add('norm', { kind: 'norm', attrs }, [x])]));
    expect(messageOf(withinIntegers(graph))).toMatch(/K0611: op %norm: .*65792 elements.*at most 65536/);
  });
});
