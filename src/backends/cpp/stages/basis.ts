/** Basis tables as a stage: rows of coefficients times basis values that all inputs share. */
import type { OpOf } from '../../../ir/ops/index.js';
import { tableLayer } from '../../../ir/table-layer.js';
import { type Code, literal, loop, rangeOf } from '../code.js';
import type { Dialect, Stage, StageBase } from '../stage.js';
import { type Table, tableOf } from '../table.js';
import { layerStage, rowPipeline, type Sums } from './layer.js';

/** The largest product of two integers of tables. */
const largestProduct = (a: ArrayLike<number>, b: ArrayLike<number>, shift: number): number => {
  const most = (data: ArrayLike<number>): number => {
    const [lo, hi] = rangeOf(data);
    return Math.max(Math.abs(lo), Math.abs(hi));
  };
  return most(a) * most(b) * 2 ** shift;
};

/** p + 1 rows of coefficients times basis values, which all inputs share, and one times the base branch. */
// Long: one stage, its tables and the text that reads them.
export const basisStage = (base: StageBase, op: OpOf<'table.basis'>, shape: ReadonlyArray<number>): Stage => {
  const { attrs: a } = op;
  const [functions, width] = [a.coefficients.shape[1]!, a.coefficients.shape[2]!];
  const [levels, values] = [a.span.shape[1]!, a.basis.shape[1]!];
  const table = (name: string, data: Parameters<typeof tableOf>[1], row = 1): Table =>
    tableOf(`${base.id}_${name}`, data, row);
  const coefficients = table('coef', a.coefficients.data, width);
  const basis = table('basis', a.basis.data);
  const [span, frac] = [table('span', a.span.data), table('frac', a.frac.data)];
  const knots = a.rows === undefined || a.span.shape[0] === 1 ? undefined : table('knots', a.rows.data);
  const [own, ownTable] = [a.base, a.baseTable];
  const baseRows =
    own === undefined || ownTable === undefined
      ? undefined
      : {
          weights: table('base', own.data, width),
          values: table('base_value', ownTable.data),
          wide: largestProduct(own.data, ownTable.data, 0) >= 2 ** 31,
        };
  const wide = largestProduct(a.coefficients.data, a.basis.data, a.shift) >= 2 ** 31;
  const onCode = (d: Dialect, sums: Sums): Code => {
    const read = (t: Table, from: string, offset = '0'): string => d.table(t).read(from, offset);
    const place = knots === undefined ? 'code' : `${read(knots, 'i')} * ${levels} + code`;
    const value = `${read(basis, `fraction * ${values}`, 'k')}${a.shift === 0 ? '' : ` << ${a.shift}`}`;
    return [
      `const int32_t place = ${place};`,
      `const int32_t fraction = ${read(frac, 'place')};`,
      `const int32_t first = i * ${functions} + ${read(span, 'place')};`,
      ...loop(
        'k',
        values,
        [
          `const int32_t b = ${value};`,
          `const int32_t row = (first + k) * ${width};`,
          ...sums({ table: coefficients, from: 'row', times: 'b', wide }),
        ],
        rowPipeline(d, width),
      ),
      ...(baseRows === undefined
        ? []
        : [
            `const int32_t s = ${read(baseRows.values, 'place')};`,
            `const int32_t own = i * ${width};`,
            ...sums({ table: baseRows.weights, from: 'own', times: 's', wide: baseRows.wide }),
          ]),
    ];
  };
  return layerStage(base, tableLayer(op), shape, {
    tables: [
      coefficients,
      basis,
      span,
      frac,
      ...(knots === undefined ? [] : [knots]),
      ...(baseRows === undefined ? [] : [baseRows.weights, baseRows.values]),
    ],
    wide: [coefficients, ...(baseRows === undefined ? [] : [baseRows.weights])],
    onCode,
    rows: values + (baseRows === undefined ? 0 : 1),
    form: `basis table of ${a.basis.shape[0]} x ${values} values, ${literal(functions)} coefficients an edge`,
    bits: coefficients.type.bits,
  });
};
