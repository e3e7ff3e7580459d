/** Calibration statistics of a value, recorded in the graph: passes stay pure and dumps show what they used. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { constantOf, Finite, integer, record } from '../codec.js';
import type { Constant } from '../constant.js';
import { defineOp, NO_COST } from '../op-definition.js';
import { channelsOf } from '../types.js';

export interface ObserveAttrs {
  /** Number of samples seen; 0 when there was no data and the range is an assumption. */
  readonly samples: number;
  /** Smallest and largest finite value seen over all features. */
  readonly lo: number;
  readonly hi: number;
  /** The part of it that nearly all values lie in, where it is much narrower: bins are finer there (numeric/histogram.ts). */
  readonly core?: readonly [number, number];
  /** u32[C, B]: how many values of channel c fell into bin b of B over [lo, hi]. */
  readonly counts: Constant;
  /** f32[C, B]: the mean of the values in the bin (its middle where the bin is empty). */
  readonly means: Constant;
}

export const observe = defineOp<'observe', ObserveAttrs, 'observer'>({
  kind: 'observe',
  role: { _tag: 'observer' },
  summary: 'the value itself, with the histogram that calibration data gave it',
  doc: {
    does: 'the value itself, with what calibration saw',
    text: [
      'The value itself, f32, with what calibration saw: `samples` (0: no data, the range is an assumption), `lo` and `hi`, `counts` u32[C, B] in B bins over [lo, hi], and `means` f32[C, B] of the values in each bin. The bins are equal; with `core?`, two bounds within which nearly all values lie, B/8 equal ones are below it, B/8 above it (none where nothing is), and the others within.',
    ],
  },
  levels: ['float', 'quantized', 'table'],
  operands: 1,
  attrs: record(
    {
      samples: integer(0, 2 ** 32 - 1),
      lo: Finite,
      hi: Finite,
      counts: constantOf('uint', 2),
      means: constantOf('f32', 2),
    },
    { core: t.readonly(t.tuple([Finite, Finite]), 'two finite numbers') },
  ),
  infer: (a, [x]) => {
    if (x === undefined || x.element.kind !== 'f32') {
      return E.left('takes an f32 value');
    }
    const features = channelsOf(x);
    const bins = a.counts.shape[1];
    if (a.lo > a.hi) return E.left('lo is above hi');
    if (a.core !== undefined && !(a.lo <= a.core[0] && a.core[0] < a.core[1] && a.core[1] <= a.hi)) {
      return E.left('core is no interval within [lo, hi]');
    }
    if (a.counts.shape[0] !== features || a.means.shape[0] !== features || a.means.shape[1] !== bins) {
      return E.left(`counts and means must be [${features}, bins]`);
    }
    return E.right(x);
  },
  evaluate: (_, [x]) => x!,
  cost: () => NO_COST,
});
