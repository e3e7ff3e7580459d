/** Building: what folds, what stays, what goes; and how programs run. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import type { Rule } from '../../src/diagnostics/index.js';
import { tensorBuilder } from '../../src/tensor/builder.js';
import { evaluateProgram } from '../../src/tensor/evaluate.js';
import type { TensorOp, ValueId } from '../../src/tensor/program.js';
import type { Wanted } from '../../src/tensor/shapes.js';

const right = <A>(rule: Rule<A>): A => {
  if (E.isLeft(rule)) throw new Error(rule.left);
  return rule.right;
};

const building = () => {
  const builder = tensorBuilder('b', 2);
  const label = (name: string) => ({ name, origin: { node: name, op: 'test' } });
  return {
    builder,
    input: (name: string, ...shape: number[]): ValueId => builder.input({ dtype: 'f32', shape }, label(name)),
    constant: (shape: ReadonlyArray<number>, ...data: number[]): ValueId =>
      right(builder.constant({ dtype: 'f32', shape }, Float64Array.from(data), label('constant'))),
    apply: (op: TensorOp, operands: ReadonlyArray<ValueId>, wanted: Wanted = {}): ValueId =>
      right(builder.apply(op, operands, wanted, label(op.kind))),
  };
};

const map = (fn: 'add' | 'mul' | 'exp'): TensorOp => ({ kind: 'map', fn });

describe('tensorBuilder', () => {
  it('computes what follows from constants, in f32', () => {
    const { builder, constant, apply } = building();
    const sum = apply(map('add'), [constant([2], 0.1, 1), constant([], 0.2)]);
    expect([...(builder.constantOf(sum) ?? [])]).toEqual(
      [0.1, 1].map((x) => Math.fround(Math.fround(x) + Math.fround(0.2))),
    );
  });

  it('never computes opaque ops, nor what they give', () => {
    const { builder, constant, apply } = building();
    const odd = apply({ kind: 'opaque', why: 'because' }, [constant([], 1)], { shape: [], dtype: 'f32' });
    const more = apply(map('exp'), [odd]);
    expect([builder.constantOf(odd), builder.constantOf(more)]).toEqual([undefined, undefined]);
    const program = builder.finish([], [more]);
    expect(evaluateProgram(program, [])).toEqual(E.left('"opaque" (test): because'));
  });

  it('gives the operand for what changes nothing', () => {
    const { builder, input, apply } = building();
    const x = input('x', 2, 3);
    expect(apply({ kind: 'reshape' }, [x], { shape: [2, 3] })).toBe(x);
    expect(apply({ kind: 'transpose', perm: [0, 1] }, [x])).toBe(x);
    expect(apply({ kind: 'slice', start: [0, 0], step: [1, 1] }, [x], { shape: [2, 3] })).toBe(x);
    expect(apply({ kind: 'expand' }, [x], { shape: [2, 3] })).toBe(x);
    expect(apply({ kind: 'concat', axis: 0 }, [x])).toBe(x);
    expect(apply({ kind: 'pad', before: [0, 0], value: 0 }, [x], { shape: [2, 3] })).toBe(x);
    expect(apply({ kind: 'reshape' }, [x], { shape: [2, 3], dtype: 'int' })).not.toBe(x);
    expect(apply({ kind: 'transpose', perm: [1, 0] }, [x])).not.toBe(x);
    expect(builder.count()).toBe(3);
  });

  it('leaves out what no output needs, but no input, and numbers the rest anew', () => {
    const { builder, input, constant, apply } = building();
    const [x, unused] = [input('x', 2), input('unused', 2)];
    apply(map('exp'), [unused]);
    const y = apply(map('mul'), [x, constant([], 3)]);
    const program = builder.finish([x, unused], [y, x]);
    expect(program.nodes.map((n) => n.name)).toEqual(['x', 'unused', 'constant', 'map']);
    expect(program).toMatchObject({ inputs: [0, 1], outputs: [3, 0], samples: 2 });
    expect(program.nodes[3]!.operands).toEqual([0, 2]);
    const result = right(evaluateProgram(program, [Float64Array.of(1, 2), new Float64Array(2)]));
    expect(result.map((r) => [...r])).toEqual([
      [3, 6],
      [1, 2],
    ]);
  });

  it('refuses what does not fit, and tensors larger than can be', () => {
    const { builder, input } = building();
    const x = input('x', 2, 3);
    const label = { name: 'y', origin: { node: 'y', op: 'test' } };
    expect(builder.apply({ kind: 'transpose', perm: [0] }, [x], {}, label)).toMatchObject({
      left: expect.stringMatching(/\[2, 3\] cannot be transposed/),
    });
    expect(builder.apply(map('add'), [x], {}, label)).toMatchObject({
      left: expect.stringMatching(/takes 2/),
    });
    const wide = right(builder.apply({ kind: 'reshape' }, [x], { shape: [2, 1, 3] }, label));
    expect(builder.apply({ kind: 'expand' }, [wide], { shape: [2, 2 ** 28, 3] }, label)).toMatchObject({
      left: expect.stringMatching(/cannot be made/),
    });
  });
});

describe('evaluateProgram', () => {
  it('wants all inputs in their sizes', () => {
    const { builder, input } = building();
    const x = input('x', 2);
    const program = builder.finish([x], [x]);
    expect(evaluateProgram(program, [])).toMatchObject({
      left: expect.stringMatching(/no numbers instead of 2/),
    });
    expect(evaluateProgram(program, [new Float64Array(3)])).toMatchObject({
      left: expect.stringMatching(/3 numbers instead of 2/),
    });
  });

  it('rounds inputs to f32, leaves what it is given alone, and shows every value once', () => {
    const { builder, input, apply } = building();
    const x = input('x', 2);
    const y = apply(map('add'), [x, x]);
    const program = builder.finish([x], [y]);
    const given = Float64Array.of(0.1, 0.2);
    const seen: Array<readonly [number, ReadonlyArray<number>]> = [];
    right(evaluateProgram(program, [given], (id, data) => seen.push([id, [...data]])));
    expect(seen).toEqual([
      [0, [Math.fround(0.1), Math.fround(0.2)]],
      [1, [2 * Math.fround(0.1), 2 * Math.fround(0.2)]],
    ]);
    expect([...given]).toEqual([0.1, 0.2]);
  });
});
