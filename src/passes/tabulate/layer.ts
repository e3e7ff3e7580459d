/** The table form of one layer: which it is, and what is said of it. */
import * as E from 'fp-ts/lib/Either.js';
import { chooseForm, edgeCost, type Form, hasBasisForm } from '../../analyses/form-cost.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { PerChannel } from '../../ir/constant.js';
import type { ValueName } from '../../ir/graph.js';
import type { Op } from '../../ir/ops/index.js';
import type { KanAttrs } from '../../ir/ops/kan.js';
import { settingOf } from '../layer-settings.js';
import type { LayerSite } from '../layer-site.js';
import { note, type Remark, warning } from '../pass.js';
import type { Evidence } from '../refit/index.js';
import { tabulateBasis } from './basis.js';
import { tabulateEdge } from './edge.js';
import { FORM, type TabulateOptions } from './options.js';

/** The form that is wanted of a layer; a layer that has no basis form gets edge tables all the same. */
export const wantedForm = (
  { form, layers, budget }: Pick<TabulateOptions, 'form' | 'layers' | 'budget'>,
  name: string,
  layer: KanAttrs,
  inputs: number,
  levels: number,
  positions: number,
): Form => {
  const asked = settingOf(layers, name, 'form', FORM) ?? form;
  return asked === 'auto' ? chooseForm(layer, inputs, levels, budget, positions) : asked;
};

const NOT_REFIT = note(
  'not refit: the data has too few samples, or the network is too large to run on enough of them (samples=... runs it on as many as you say)',
);

const NO_BASIS_FORM = 'the basis form needs one B-spline branch and at most one base branch';
const TOO_WIDE = 'sums of the basis form need more than 32 bits; coefficients of fewer bits fit';

/** Weights may be finite and what they compute not: a table of it would mean nothing. */
export const finite = <A>(scale: PerChannel, made: A): Checked<A> => {
  const scales = typeof scale === 'number' ? [scale] : [...scale.data];
  return scales.every((v) => Number.isFinite(v) && v > 0)
    ? E.right(made)
    : fail('K0204', 'its functions reach values that 32-bit floats do not hold', {
        expected: 'weights whose functions stay finite over the range of the inputs',
        hint: 'The training probably diverged: take an earlier checkpoint.',
      });
};

interface Tabulated {
  readonly op: Op;
  readonly said: ReadonlyArray<Remark>;
}

export const tabulateLayer = (
  site: LayerSite,
  name: ValueName,
  /** Windows of a sample; 1 for layers of features. */
  positions: number,
  options: TabulateOptions,
  /** Absent when nothing is to be refit. */
  evidenceOf: (() => Evidence | undefined) | undefined,
): Checked<Tabulated> => {
  const { levels } = site.coded;
  const wanted = wantedForm(options, name, site.layer, site.inputs, levels, positions);
  const evidence = evidenceOf?.();
  const unrefit = evidenceOf === undefined || evidence !== undefined ? [] : [NOT_REFIT];
  const hasForm = hasBasisForm(site.layer);
  const tables = wanted === 'basis' && hasForm ? tabulateBasis(site, options.coefScale, evidence) : undefined;
  if (tables !== undefined) {
    const { attrs, basisBits, said: told } = tables;
    const asked = site.layer.precision?.basis ?? basisBits;
    const said = [...told, ...unrefit, note(`basis table, range [${attrs.lo}, ${attrs.hi}]`)];
    const fewer = `basis values have ${basisBits} bits instead of ${asked}: more would overflow accumulators or the table of the base branch`;
    return finite(attrs.scale, {
      op: { kind: 'table.basis', attrs },
      said: basisBits === asked ? said : [warning(fewer), ...said],
    });
  }
  const table = tabulateEdge(site, options, evidence);
  if (table === undefined) {
    return fail(
      'K0402',
      `${site.inputs} inputs of ${site.layer.precision?.table ?? 8}-bit tables need accumulators of more than 32 bits`,
      {
        hint: 'Tables of fewer bits fit: --quant table=8.',
      },
    );
  }
  const { attrs } = table;
  const { bytes } = edgeCost(site.layer, site.inputs, levels);
  const said = [
    ...table.said,
    ...unrefit,
    note(`edge table of ${bytes} bytes, range [${attrs.lo}, ${attrs.hi}] in i${attrs.acc}`),
  ];
  return finite(attrs.scale, {
    op: { kind: 'table.edge', attrs },
    said: wanted === 'basis' ? [warning(`edge table: ${hasForm ? TOO_WIDE : NO_BASIS_FORM}`), ...said] : said,
  });
};
