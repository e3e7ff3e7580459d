/** Table graphs with codes by integer thresholds: those of networks with cells of least error, and extreme ones. */
import { constant } from '../../../src/ir/constant.js';
import { int, uint } from '../../../src/ir/element.js';
import { type Graph, isLevel } from '../../../src/ir/graph.js';
import { valueType } from '../../../src/ir/types.js';
import { calibrationOf, compiled, randomKan } from '../../passes/support.js';
import { filled, tableBuilder, uniform } from '../wasm/random.js';
import { finish } from '../wasm/support.js';

/** A network of [4, 6, 3] whose hidden values have cells of least squared error. */
export const lloydGraph = (form: 'edge' | 'basis', act: number): Graph<'table'> => {
  const text = `calibrate{data=x},quantize{act=${act},quantizer=lloyd},tabulate{form=${form}},fold,prune,dedupe,narrow,dce`;
  const graph = compiled(randomKan(act, { layers: [4, 6, 3] }), text, calibrationOf(4));
  if (!isLevel('table')(graph)) throw new Error('a table graph is expected');
  return graph;
};

/** Accumulators at and around thresholds that repeat, per channel, and reach the ends of 24 bits. */
export const thresholdGraph = (levels: number): Graph<'table'> => {
  const [channels, count, end] = [3, levels - 1, 2 ** 23];
  const rows = Array.from({ length: channels * count }, (_, k) => {
    const [c, t] = [Math.floor(k / count), k % count];
    if (t === 0) return -end;
    return c === 1 ? 2 * Math.floor(t / 2) : (t - Math.floor(count / 2)) * (c + 1);
  });
  const ascending = Array.from({ length: channels }, (_, c) =>
    rows.slice(c * count, (c + 1) * count).sort((a, b) => a - b),
  ).flat();
  const near = ascending.flatMap((t) => [t - 1, t, t + 1]).filter((v) => Math.abs(v) < end);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [channels]));
  let next = 0;
  const table = filled(int(32), [channels, 256], () => near[next++ % near.length]!);
  const attrs = { tables: [table], scale: 1, acc: 32, lo: -end, hi: end };
  const s = b.add('s', { kind: 'table.sum', attrs }, [x]);
  const thresholds = constant(int(32), [channels, count], Int32Array.from(ascending));
  const quantizer = uniform(levels);
  return finish(b, b.add('codes', { kind: 'bucketize', attrs: { thresholds, bits: 8, quantizer } }, [s]));
};

/** Small graphs of all kinds, by what they are. */
export const bucketizeGraphs = (): ReadonlyArray<readonly [string, Graph<'table'>]> => [
  ['edge tables, 2 bits', lloydGraph('edge', 2)],
  ['edge tables, 5 bits', lloydGraph('edge', 5)],
  ['basis tables, 4 bits', lloydGraph('basis', 4)],
  ['one threshold', thresholdGraph(2)],
  ['many thresholds', thresholdGraph(37)],
];
