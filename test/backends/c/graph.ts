/** A network of two layers on 8 codes of 4 bits, with as many values between its layers as a test of memory wants. */
import { uint } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { valueType } from '../../../src/ir/types.js';
import { randomOf } from '../../support/random.js';
import { edgeOp, network, tableBuilder, uniform } from '../wasm/random.js';

/** `width` accumulators between its layers. */
export const layersOf = (width: number): Graph<'table'> => {
  const r = randomOf(width);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(4), [8], uniform(16)));
  return network(r, b, x, edgeOp(r, 8, 16, width, 8), 16);
};
