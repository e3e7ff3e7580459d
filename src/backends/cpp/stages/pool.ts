/** Pooling over windows: sums of the pixels, or the largest of them. */
import type { WindowShape } from '../../../code/language.js';
import { type Code, loop } from '../code.js';
import { type Dialect, type Stage, type StageBase, store } from '../stage.js';
import { overWindows, tapInside, tapPixel, tapRead, type WindowLoops } from './window.js';

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
