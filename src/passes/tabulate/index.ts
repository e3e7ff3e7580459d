/** Replaces everything that reads codes by integer tables: the recursion ends here. */
import * as E from 'fp-ts/lib/Either.js';
import { fail } from '../../diagnostics/index.js';
import { rewrite } from '../../ir/builder.js';
import { checkLayers } from '../layer-settings.js';
import { definePass, type Remark, withRemarks } from '../pass.js';
import { refitOn } from '../refit/index.js';
import { codec, help, type TabulateOptions } from './options.js';
import { type Tabulation, tabulateNode } from './step.js';

export const tabulate = definePass<'quantized', 'table', TabulateOptions>({
  name: 'tabulate',
  summary: 'replaces layers, sums, norms and whatever reads codes by integer tables',
  options: codec,
  help,
  files: ({ data }) => (data === '' ? [] : [data]),
  from: 'quantized',
  to: 'table',
  run: (options, context) => (graph) => {
    const known = checkLayers(options.layers, graph, 'tabulate');
    if (E.isLeft(known)) return known;
    const dataset = context.dataset(options.data);
    if (options.data !== '' && dataset === undefined) {
      return fail('K0505', `the data '${options.data}' was not loaded`, { place: { pass: 'tabulate' } });
    }
    const refit =
      options.data === '' || dataset === undefined ? E.right(undefined) : refitOn(graph, dataset, options);
    if (E.isLeft(refit)) return refit;
    const said: Remark[] = [];
    const shared: Omit<Tabulation, 'r'> = {
      graph,
      options,
      refit: refit.right,
      statistics: new Map(),
      norms: new Map(),
      said,
    };
    const result = rewrite<'table'>(graph, 'table', (node, r) => tabulateNode({ ...shared, r }, node));
    return withRemarks(result, said);
  },
});
