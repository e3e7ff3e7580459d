/**
 * Golden text. Every `fixtures/*.kir` must be canonical and pass the verifier, and the graphs below must print
 * to the files of their names. To add a case, put a file there (any layout will do) or a graph here, and run
 *
 *     UPDATE_FIXTURES=1 npx vitest run test/ir/fixtures.test.ts
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  builder,
  constant,
  edgeTableRange,
  F32,
  floatType,
  type Graph,
  graphToDot,
  int,
  parseGraph,
  printGraph,
  uint,
  valueType,
  verify,
} from '../../src/ir/index.js';
import { codeOf, rightOf } from '../support/checked.js';

const FOLDER = new URL('./fixtures/', import.meta.url);
const UPDATE = process.env['UPDATE_FIXTURES'] === '1';

const golden = (name: string, text: string): void => {
  if (UPDATE) writeFileSync(new URL(name, FOLDER), text);
  expect(readFileSync(new URL(name, FOLDER), 'utf8'), name).toBe(text);
};

/** A small network as an importer makes it: normalisation, a spline and a base branch, statistics. */
const float = (): Graph => {
  const b = builder('tiny', 'float');
  const x = b.input('x', floatType([2]));
  const scale = constant(F32, [2], Float32Array.of(0.1, 2));
  const normal = b.add('x0', { kind: 'affine', attrs: { scale, shift: -0.5 } }, [x]);
  const seen = b.add(
    'x0',
    {
      kind: 'observe',
      attrs: {
        samples: 100,
        lo: -1,
        hi: 1,
        counts: constant(uint(32), [2, 2], Uint32Array.of(50, 50, 99, 1)),
        means: constant(F32, [2, 2], Float32Array.of(-0.5, 0.5, -0.25, 0.75)),
      },
    },
    [normal],
  );
  const knots = constant(F32, [1, 6], Float32Array.of(-1.5, -1, -0.5, 0, 0.5, 1));
  const weights = constant(
    F32,
    [2, 4, 3],
    Float32Array.from({ length: 24 }, (_, i) => (i - 12) / 8),
  );
  const base = constant(
    F32,
    [2, 1, 3],
    Float32Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? -0 : 1 / 3)),
  );
  const branches = [
    { basis: { _tag: 'bspline', order: 1, knots }, weights },
    { basis: { _tag: 'base', activation: 'silu' }, weights: base },
  ] as const;
  const precision = { table: 8, coef: 8, basis: 6 };
  return rightOf(b.build([b.add('y', { kind: 'kan', attrs: { branches, precision } }, [seen])]));
};

const quantized = (): Graph => {
  const b = builder('tiny quantized', 'quantized');
  const x = b.input('x', floatType([2]));
  const quantizer = {
    _tag: 'thresholds',
    thresholds: constant(
      F32,
      [1, 3],
      Float32Array.of(Number.NEGATIVE_INFINITY, -0, Number.POSITIVE_INFINITY),
    ),
    values: constant(F32, [1, 4], Float32Array.of(-2, -1, 1, 2)),
    levels: 4,
  } as const;
  const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 2, nan: 'refuse' } }, [x]);
  const d = b.add('d', { kind: 'decode', attrs: {} }, [q]);
  const indices = constant(uint(32), [1], Uint32Array.of(1));
  return rightOf(b.build([d, b.add('picked', { kind: 'gather', attrs: { indices } }, [q])]));
};

/** Pixels to scores in two edge tables. */
const table = (): Graph => {
  const b = builder('tiny', 'table');
  const x = b.input('x', valueType(uint(8), [4]));
  const step = Math.fround(0.03);
  const q6 = { _tag: 'uniform', lo: -1, step, levels: 8 } as const;
  const map = constant(
    uint(8),
    [1, 256],
    Uint8Array.from({ length: 256 }, (_, i) => i >> 5),
  );
  const q = b.add('q', { kind: 'recode', attrs: { map, bits: 3, quantizer: q6 } }, [x]);
  const one = {
    table: constant(
      int(8),
      [4, 8, 3],
      Int8Array.from({ length: 96 }, (_, i) => ((i * 37) % 201) - 100),
    ),
    bias: constant(int(32), [3], Int32Array.of(5, -6, 0)),
  };
  const a0 = b.add(
    'a0',
    { kind: 'table.edge', attrs: { ...one, ...edgeTableRange(one, 4), acc: 16, scale: 2 ** -9 } },
    [q],
  );
  const q1 = b.add(
    'q1',
    { kind: 'requantize', attrs: { mul: 18397, shift: 21, bits: 2, quantizer: { ...q6, levels: 4 } } },
    [a0],
  );
  const two = {
    table: constant(
      int(4),
      [3, 4, 2],
      Int8Array.from({ length: 24 }, (_, i) => (i % 16) - 8),
    ),
  };
  const scale = constant(F32, [2], Float32Array.of(0.1, 0.25));
  const a1 = b.add(
    'a1',
    { kind: 'table.edge', attrs: { ...two, ...edgeTableRange(two, 3), acc: 8, scale } },
    [q1],
  );
  return rightOf(b.build([b.add('y', { kind: 'dequantize', attrs: {} }, [a1])]));
};

const GRAPHS: Readonly<Record<string, () => Graph>> = { float, quantized, table };

describe('fixtures', () => {
  it.each(Object.entries(GRAPHS))('%s.kir is what its graph prints', (name, graph) => {
    golden(`${name}.kir`, printGraph(graph()));
  });

  it('table.dot is what the graph table draws', () => {
    golden('table.dot', graphToDot(table()));
  });

  it.each(readdirSync(FOLDER).filter((f) => f.endsWith('.kir')))('%s is canonical and sound', (file) => {
    const graph = rightOf(parseGraph(readFileSync(new URL(file, FOLDER), 'utf8'), file));
    expect(codeOf(verify(graph))).toBe('ok');
    golden(file, printGraph(graph));
  });
});
