/** Stages that move elements: gathers, orders of images, values side by side; and products of two features. */
import type { MultiplyAttrs } from '../../../ir/ops/multiply.js';
import { type Code, loop } from '../code.js';
import { type Dialect, load, type Stage, store } from '../stage.js';
import { tableOf } from '../table.js';
import type { StageBase } from './elementwise.js';

const copied = (d: Dialect, base: StageBase, from: string, to: string): string =>
  base.output.type === 'f32' ? `${to} = ${from};` : store(d, to, base.output.type, load(from));

/** Element j of the result is element `order[j]` of the operand, both as they lie in memory. */
export const moveStage = (base: StageBase, op: string, order: Uint32Array): Stage => {
  const table = tableOf(`${base.id}_from`, order);
  return {
    ...base,
    op,
    tables: [table],
    helpers: [],
    body: (d) =>
      loop(
        'j',
        base.output.length,
        [copied(d, base, `in0[${d.table(table).read('', 'j')}]`, 'out[j]')],
        d.pragma('HLS PIPELINE II=1'),
      ),
    inOrder: false,
    cycles: () => base.output.length,
    summary: { form: 'picked', inputs: base.inputs[0]!.length, outputs: base.output.length },
  };
};

/** The operands one after another along channels, at every position. `channels`: of each operand. */
export const concatStage = (base: StageBase, channels: ReadonlyArray<number>): Stage => ({
  ...base,
  op: 'concat',
  tables: [],
  helpers: [],
  body: (d) => {
    const positions = base.output.length / base.channels;
    let first = 0;
    const parts: Code = channels.flatMap((count, k) => {
      const to = positions === 1 ? `${first} + c` : `p * ${base.channels} + ${first} + c`;
      const from = positions === 1 ? 'c' : `p * ${count} + c`;
      first += count;
      return loop(
        'c',
        count,
        [copied(d, base, `in${k}[${from}]`, `out[${to}]`)],
        d.pragma('HLS PIPELINE II=1'),
      );
    });
    return positions === 1 ? parts : loop('p', positions, parts);
  },
  inOrder: true,
  cycles: () => base.output.length,
  summary: {
    form: 'side by side',
    inputs: base.inputs.reduce((n, s) => n + s.length, 0),
    outputs: base.output.length,
  },
});

/** Products of two features each; an index equal to the number of features means 1. */
export const multiplyStage = (base: StageBase, a: MultiplyAttrs): Stage => {
  const features = base.inputs[0]!.length;
  const factor = (i: number): string => (i === features ? '1' : load(`in0[${i}]`));
  return {
    ...base,
    op: 'multiply',
    tables: [],
    helpers: [],
    body: (d) =>
      Array.from({ length: base.output.length }, (_, m) => {
        const [left, right] = [a.left.data[m]!, a.right.data[m]!];
        return store(d, `out[${m}]`, base.output.type, `${factor(left)} * ${factor(right)}`);
      }),
    inOrder: false,
    cycles: () => base.output.length,
    summary: { form: 'products', inputs: features, outputs: base.output.length },
  };
};
