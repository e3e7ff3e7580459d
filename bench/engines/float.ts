/** The float network compiled by ourselves. */
import * as E from 'fp-ts/lib/Either.js';
import type { Graph } from '../../src/ir/graph.js';
import { compileBaseline } from '../baseline/index.js';
import type { Absent, Engine } from './engine.js';

export const floatEngine = async (graph: Graph): Promise<Engine | Absent> => {
  const made = await compileBaseline(graph);
  if (E.isLeft(made)) return { why: made.left };
  const { bytes, load } = made.right;
  const predict = await load();
  return {
    bytes: bytes.length,
    load,
    prepare: async ({ floats }, batch) => {
      let last = predict(floats, batch);
      return {
        run: () => {
          last = predict(floats, batch);
        },
        outputs: async () => last,
      };
    },
  };
};
