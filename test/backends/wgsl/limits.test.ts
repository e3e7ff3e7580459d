/** What is bound at once, and the memory of a workgroup: programs keep to what every device has. */
import { describe, expect, it } from 'vitest';
import { edgeTables } from '../../../src/backends/wgsl/kernels/edge.js';
import { layoutOf } from '../../../src/backends/wgsl/layout.js';
import { planOf } from '../../../src/backends/wgsl/plan.js';
import { constant } from '../../../src/ir/constant.js';
import { int, uint } from '../../../src/ir/element.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, tableBuilder, uniform } from '../wasm/random.js';
import { finish } from '../wasm/support.js';
import { emit, manifestIn } from './support.js';

describe('limits', () => {
  it('a network whose values do not fit a workgroup is run layer by layer', () => {
    const r = randomOf(1);
    const b = tableBuilder();
    const x = b.input('x', floatType([5000]));
    const quantizer = uniform(2, 0, 1);
    const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 1, nan: 'zero' } }, [x]);
    const graph = finish(b, b.add('sums', edgeOp(r, 5000, 2, 3, 8), [q]));
    const plan = rightOf(planOf(graph, 2 ** 25));
    expect(layoutOf(plan, 'auto', 2 ** 25).schedule).toBe('layers');
    expect(layoutOf(plan, 'fused', 2 ** 25).schedule).toBe('layers');
  });

  it('workgroups keep to the memory that every device has', async () => {
    for (const inputs of [10, 1000, 3000, 3900]) {
      const r = randomOf(inputs);
      const b = tableBuilder();
      const x = b.input('x', floatType([inputs]));
      const quantizer = uniform(2, 0, 1);
      const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 1, nan: 'zero' } }, [x]);
      const graph = finish(b, b.add('sums', edgeOp(r, inputs, 2, 3, 8), [q]));
      const { program } = manifestIn(rightOf(await emit(graph)));
      expect(program.workgroupBytes).toBeLessThanOrEqual(16384);
      expect(program.schedule).toBe(inputs < 3900 ? 'fused' : 'layers');
    }
  });

  it('no page of tables that are split exceeds what is bound at once', async () => {
    const r = randomOf(12);
    for (const [inputs, outputs, bindingBytes] of [
      [60, 24, 1024],
      [100, 16, 1024],
      [33, 100, 4096],
    ] as const) {
      for (const shared of [true, false]) {
        const b = tableBuilder();
        const x = b.input('x', valueType(uint(8), [inputs], uniform(16)));
        const graph = finish(b, b.add('sums', edgeOp(r, inputs, 16, outputs, 8, { shared }), [x]));
        const { program } = manifestIn(rightOf(await emit(graph, { bindingBytes })));
        expect(program.steps.length).toBeGreaterThan(1);
        for (const { length } of program.pages) expect(4 * length).toBeLessThanOrEqual(bindingBytes);
      }
    }
  });

  it('a table of exactly the size of a binding is split, for there is more than the table', () => {
    const [inputs, outputs] = [512, 1024];
    const data = new Int8Array(inputs * 256 * outputs);
    data[0] = -128;
    data[1] = 127;
    const attrs = {
      table: constant(int(8), [inputs, 256, outputs], data),
      scale: 1,
      acc: 32,
      lo: -(2 ** 20),
      hi: 2 ** 20,
    };
    const emitted = rightOf(
      edgeTables(attrs, valueType(uint(8), [inputs]), valueType(int(32), [outputs]), 2 ** 25),
    );
    expect(emitted.parts).toHaveLength(2);
    for (const { words } of emitted.parts) expect(words.length).toBeLessThanOrEqual(2 ** 25);
  });

  it('a table that cannot be split is refused, with what to do', async () => {
    const r = randomOf(2);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(8), [3]));
    const graph = finish(b, b.add('sums', edgeOp(r, 3, 256, 40, 8), [x]));
    const refused = await emit(graph, { bindingBytes: 4096 });
    expect(refused).toMatchObject({
      _tag: 'Left',
      left: [{ code: 'K0605', place: { op: 'sums' }, hint: expect.stringContaining('Lower the bits') }],
    });
  });
});
