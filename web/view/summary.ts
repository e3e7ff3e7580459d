/** The strip under the title: what came in, what came out, in five figures. */
import type { ViewModel } from '../../src/view/model.js';
import { h } from './dom.js';
import { showBytes, showCount, showInteger, showPercent, showValue } from './format.js';
import { isCompared, referenceOf } from './reference.js';

const figure = (name: string, value: string, about = ''): HTMLElement =>
  h(
    'div',
    {},
    h('dt', {}, name),
    h('dd', {}, value, ...(about === '' ? [] : [h('span', { class: 'quiet' }, about)])),
  );

const ratio = (x: number): string => (x >= 100 ? x.toFixed(0) : x.toPrecision(3));

const qualityFigures = (model: ViewModel): ReadonlyArray<HTMLElement> => {
  const known = model.steps.flatMap(({ quality }) => quality ?? []);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || model.measured === undefined) return [];
  const on = ` on ${showInteger(model.measured.samples)}`;
  const reference = referenceOf(model);
  const compared = isCompared(model) && reference !== undefined;
  /** The figure that the last one is to be read against, and the samples of both. */
  const against = (value: string): string => (compared ? `${reference.short} ${value}${on}` : on.trim());
  return [
    ...(last.accuracy === undefined
      ? []
      : [figure('accuracy', showPercent(last.accuracy), against(showPercent(first.accuracy ?? 0)))]),
    ...(last.rmse === undefined
      ? []
      : [figure('RMSE', showValue(last.rmse), against(showValue(first.rmse ?? 0)))]),
    ...(compared
      ? [
          figure(
            `off ${reference.name}`,
            showPercent(last.divergence),
            last.accuracy === undefined && last.rmse === undefined ? `RMS${on}` : 'RMS',
          ),
        ]
      : []),
    ...(last.clippedInput === undefined && last.clippedHidden === undefined
      ? []
      : [
          figure(
            'clipped',
            `${showPercent(last.clippedInput ?? 0)} inputs`,
            `${showPercent(last.clippedHidden ?? 0)} hidden`,
          ),
        ]),
  ];
};

export const summary = (model: ViewModel): HTMLElement => {
  const last = model.steps.at(-1);
  const { total, ratios } = model.costs;
  const dense = ratios.bitOps['dense32'];
  const edges = model.layers.reduce((n, l) => n + l.inputs * l.outputs, 0);
  const time = model.steps.reduce((n, s) => n + (s.milliseconds ?? 0), 0);
  return h(
    'dl',
    { class: 'summary' },
    figure(
      'edges',
      showInteger(edges),
      `in ${model.layers.length} ${model.layers.length === 1 ? 'layer' : 'layers'}`,
    ),
    ...(total.parameters === undefined ? [] : [figure('parameters', showCount(total.parameters))]),
    figure('constants', showBytes(last?.bytes ?? 0)),
    figure(
      'BitOps',
      showCount(last?.bitOps ?? 0),
      ratios.of === 'compiled' && dense !== undefined ? `recursion ${ratio(dense)}\u00d7` : '',
    ),
    ...qualityFigures(model),
    ...(time > 0 ? [figure('passes', `${(time / 1000).toFixed(2)} s`)] : []),
  );
};
