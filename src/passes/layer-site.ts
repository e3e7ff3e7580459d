/** A layer to tabulate, with the coded value that it reads. */
import { constant } from '../ir/constant.js';
import { allocate, uint } from '../ir/element.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import type { Frequent } from '../ir/ops/layers.js';
import { isPadded, tapsOf } from '../ir/window.js';
import type { Coded, CodedChannel } from './tabulate/coded.js';

/** What a layer is tabulated from: the layer and the coded value that it reads. */
export interface LayerSite {
  readonly layer: KanAttrs;
  /** Inputs that tables are for: features, or the taps of all groups of a window. */
  readonly inputs: number;
  /** Outputs of one table row: all, or those of one group of a window. */
  readonly outputs: number;
  readonly coded: Coded;
}

/** The channel of the coded value that input i of the layer reads. */
export const inputChannel = ({ layer, coded }: LayerSite, i: number): CodedChannel => {
  const area = layer.window === undefined ? 1 : layer.window.kernel[0] * layer.window.kernel[1];
  return coded.channels[Math.floor(i / area)]!;
};

export const siteOf = (layer: KanAttrs, coded: Coded): LayerSite => ({
  layer,
  coded,
  inputs:
    layer.window === undefined
      ? coded.channels.length
      : tapsOf(layer.window, coded.channels.length) * layer.window.groups,
  outputs: layer.branches[0]!.weights.shape[2]!,
});

/** What an input may be: its codes, and one more where it may lie in the padding of a window. */
export const rowsOf = ({ layer: { window }, coded }: LayerSite): number =>
  window !== undefined && isPadded(window) ? coded.levels + 1 : coded.levels;

/** Share of the values of an input at its most frequent code from which that code counts as frequent. */
const LEAST_SHARE = 0.25;

/**
 * The code that each input of a layer most often has: the background of images, the zeros of sparse features. Layers
 * say so, and backends may skip what is there. Nothing where no input has one, or the layer is over windows.
 */
export const frequentCodes = ({ layer, coded, inputs }: LayerSite): Frequent => {
  if (layer.window !== undefined) return {};
  const { levels } = coded;
  const element = uint(Math.ceil(Math.log2(levels + 1)));
  const codes = allocate(element, inputs).fill(levels);
  const counts = new Float64Array(levels);
  let found = false;
  coded.channels.forEach((channel, i) => {
    counts.fill(0);
    channel.eachBin((code, _, count) => {
      counts[code]! += count;
    });
    const most = counts.reduce((a, b) => Math.max(a, b), 0);
    const all = counts.reduce((a, b) => a + b, 0);
    if (most === 0 || most < LEAST_SHARE * all) return;
    codes[i] = counts.indexOf(most);
    found = true;
  });
  return found ? { frequent: constant(element, [inputs], codes) } : {};
};
