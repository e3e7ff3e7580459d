/**
 * The code that each input of a layer most often has: the background of images, the zeros of sparse features. Layers
 * say so, and backends may skip what is there.
 */
import { constant } from '../ir/constant.js';
import { allocate, uint } from '../ir/element.js';
import type { Frequent } from '../ir/ops/layers.js';
import type { LayerSite } from './layer-site.js';

/** Share of the values of an input at its most frequent code from which that code counts as frequent. */
const LEAST_SHARE = 0.25;

/** The attribute; nothing where no input has a frequent code, or the layer is over windows. */
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
