/** Stages that move elements: channels picked, other orders, values side by side; and products of two features. */
import { type Numbers, type Run, runsOf, type Source, type WindowShape } from '../../../code/language.js';
import { type Code, loop } from '../code.js';
import { type Dialect, load, type Stage, type StageBase, store } from '../stage.js';
import { tableOf } from '../table.js';
import { overWindows, tapInside, tapPixel, tapRead, type WindowLoops } from './window.js';

const copied = (d: Dialect, base: StageBase, from: string, to: string): string =>
  base.output.type === 'f32' ? `${to} = ${from};` : store(d, to, base.output.type, load(from));

const moving = (base: StageBase, form: string): Pick<Stage, 'helpers' | 'cycles' | 'summary'> => ({
  helpers: [],
  cycles: () => base.output.length,
  summary: {
    form,
    inputs: base.inputs.reduce((n, slot) => n + slot.length, 0),
    outputs: base.output.length,
  },
});

/** Element j of the result is element `order[j]` of the operand, both as they lie in memory. */
export const orderStage = (base: StageBase, form: string, order: Uint32Array): Stage => {
  const table = tableOf(`${base.id}_from`, order);
  return {
    ...base,
    ...moving(base, form),
    tables: [table],
    body: (d) =>
      loop(
        'j',
        base.output.length,
        [copied(d, base, `in0[${d.table(table).read('', 'j')}]`, 'out[j]')],
        d.pragma('HLS PIPELINE II=1'),
      ),
    inOrder: false,
  };
};

/** Channels of the operands one after another, at every position. `channels`: of each operand. */
export const channelsStage = (
  base: StageBase,
  form: string,
  sources: ReadonlyArray<Source>,
  channels: ReadonlyArray<number>,
): Stage => {
  const runs = runsOf(sources);
  const whole = ({ operand, count }: Run): boolean => count === channels[operand];
  return {
    ...base,
    ...moving(base, form),
    tables: [],
    body: (d) => {
      const positions = base.output.length / base.channels;
      const place = (size: number, before: number): string =>
        [positions === 1 ? '' : `p * ${size}`, before === 0 ? '' : `${before}`, 'c']
          .filter((term) => term !== '')
          .join(' + ');
      let first = 0;
      const parts: Code = runs.flatMap(({ operand, channel, count }) => {
        const from = `in${operand}[${place(channels[operand]!, channel)}]`;
        const to = `out[${place(base.channels, first)}]`;
        first += count;
        return loop('c', count, [copied(d, base, from, to)], d.pragma('HLS PIPELINE II=1'));
      });
      return positions === 1 ? parts : loop('p', positions, parts);
    },
    inOrder: runs.length === channels.length && runs.every(whole),
  };
};

/** Products of two features each; an index equal to the number of features means 1. */
export const pairsStage = (base: StageBase, form: string, left: Numbers, right: Numbers): Stage => {
  const features = base.inputs[0]!.length;
  const factor = (i: number): string => (i === features ? '1' : load(`in0[${i}]`));
  return {
    ...base,
    ...moving(base, form),
    tables: [],
    body: (d) =>
      Array.from({ length: base.output.length }, (_, m) =>
        store(d, `out[${m}]`, base.output.type, `${factor(left[m]!)} * ${factor(right[m]!)}`),
      ),
    inOrder: false,
  };
};

export const windowsStage = (
  base: StageBase,
  form: string,
  { reduce, window }: { readonly reduce: 'sum' | 'max'; readonly window: WindowShape },
  shape: ReadonlyArray<number>,
): Stage => {
  const loops: WindowLoops = { window: { ...window, groups: 1 }, shape, input: base.inputs[0]! };
  const [kh, kw] = window.kernel;
  const isMax = reduce === 'max';
  const body = (d: Dialect): Code => {
    const update = isMax
      ? [`const int32_t v = ${tapRead(d, loops, 'c')};`, 'sum = v > sum ? v : sum;']
      : [`sum += ${tapRead(d, loops, 'c')};`];
    const inside = tapInside(loops);
    const tap: Code = [
      ...tapPixel(loops),
      ...(inside === undefined ? update : [`if (${inside}) {`, update, '}']),
    ];
    const channel: Code = [
      // Every window of which the largest is taken holds a pixel.
      `int32_t sum = ${isMax ? '-2147483647 - 1' : '0'};`,
      ...loop('ky', kh, loop('kx', kw, tap, d.pragma('HLS PIPELINE II=1'))),
      store(d, `out[p * ${base.channels} + c]`, base.output.type, 'sum'),
    ];
    return overWindows(d, loops, loop('c', base.channels, channel));
  };
  return {
    ...base,
    tables: [],
    helpers: [],
    body,
    inOrder: true,
    cycles: () => base.output.length * kh * kw,
    summary: { form, inputs: base.inputs[0]!.length, outputs: base.output.length },
  };
};
