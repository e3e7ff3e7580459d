/** What the program costs, beside what other forms of it would, and what every pass did to its accuracy. */
import * as Plot from '@observablehq/plot';
import type { CostRow, ViewModel } from '../../src/view/model.js';
import { h } from './dom.js';
import { showBytes, showCount, showPercent, showValue } from './format.js';
import { isCompared, referenceOf } from './reference.js';
import type { State } from './store.js';

const cell = (text: string, attributes = {}): HTMLElement => h('td', attributes, text);

const bitsText = ({ bits, op }: CostRow): string => {
  if (bits === undefined) return '';
  return op === 'table.basis'
    ? `${bits.act} / ${bits.coef} \u00d7 ${bits.basis}`
    : op === 'table.edge'
      ? `${bits.act} / ${bits.table}`
      : String(bits.act);
};

const row = (r: CostRow, model: ViewModel): HTMLElement => {
  const compiled = r.costs['compiled'];
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, r.name),
    cell(r.size),
    cell(r.op ?? ''),
    cell(bitsText(r)),
    cell(r.parameters === undefined ? '' : showCount(r.parameters)),
    cell(compiled === undefined ? '' : showBytes(compiled.bytes)),
    cell(compiled === undefined ? '' : showCount(compiled.bitOps)),
    cell(compiled === undefined ? '' : showCount(Math.round(compiled.reads))),
    ...model.costs.forms
      .filter(({ form }) => form !== 'compiled')
      .map(({ form }) => {
        const cost = r.costs[form];
        return cell(cost === undefined ? '' : showCount(cost.bitOps), { class: 'other' });
      }),
  );
};

const table = (model: ViewModel): HTMLElement => {
  const others = model.costs.forms.filter(({ form }) => form !== 'compiled');
  return h(
    'div',
    { class: 'wide' },
    h(
      'table',
      { class: 'costs-table' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { colspan: 5 }),
          h('th', { colspan: 3, scope: 'colgroup' }, 'compiled'),
          ...(others.length === 0
            ? []
            : [
                h(
                  'th',
                  { colspan: others.length, scope: 'colgroup', class: 'other' },
                  'BitOps in other forms',
                ),
              ]),
        ),
        h(
          'tr',
          {},
          ...['layer', 'size', 'op', 'bits in / table', 'parameters', 'bytes', 'BitOps', 'reads'].map((t) =>
            h('th', { scope: 'col' }, t),
          ),
          ...others.map(({ title }) => h('th', { scope: 'col', class: 'other' }, title)),
        ),
      ),
      h('tbody', {}, ...model.costs.layers.map((r) => row(r, model))),
      h('tfoot', {}, row(model.costs.total, model)),
    ),
  );
};

/** What plots of horizontal bars have in common: a row of 34 pixels for each, its name before it. */
const barsFrame = (names: ReadonlyArray<string>, width: number) => ({
  width,
  height: 34 * names.length + 70,
  marginBottom: 44,
  marginLeft: 172,
  style: { background: 'none', fontSize: '12px' },
  y: { domain: names, label: null, tickSize: 0 },
});

/** The value of a bar, behind it. */
const VALUE_TEXT = { dx: 6, textAnchor: 'start', fill: 'var(--ink)' } as const;
const BAR_INSETS = { insetTop: 4, insetBottom: 4 };

const formsPlot = (model: ViewModel, width: number): Element | undefined => {
  const bars = model.costs.forms.flatMap(({ form, title }) => {
    const bitOps = model.costs.total.costs[form]?.bitOps ?? 0;
    return bitOps > 0 ? [{ form, title, bitOps }] : [];
  });
  if (bars.length === 0) return undefined;
  const least = 10 ** (Math.floor(Math.log10(Math.min(...bars.map((b) => b.bitOps)))) - 0.5);
  return Plot.plot({
    ...barsFrame(
      bars.map((b) => b.title),
      width,
    ),
    marginRight: 64,
    x: {
      type: 'log',
      domain: [least, Math.max(...bars.map((b) => b.bitOps))],
      label: 'BitOps of one inference, logarithmic',
      labelOffset: 38,
      tickFormat: 's',
      ticks: 4,
      tickSize: 0,
    },
    marks: [
      Plot.barX(bars, {
        x1: least,
        x2: 'bitOps',
        y: 'title',
        fill: (b: (typeof bars)[number]) => (b.form === 'compiled' ? 'var(--accent)' : 'var(--bar)'),
        ...BAR_INSETS,
      }),
      Plot.text(bars, {
        x: 'bitOps',
        y: 'title',
        text: (b: (typeof bars)[number]) => showCount(b.bitOps),
        ...VALUE_TEXT,
      }),
    ],
  });
};

const bytesPlot = (model: ViewModel, width: number): Element | undefined => {
  const form = model.costs.forms.some((f) => f.form === 'compiled') ? 'compiled' : 'edge';
  const all = model.costs.layers.flatMap(({ name, costs }) => {
    const bytes = costs[form]?.bytes ?? 0;
    return bytes > 0 ? [{ name, bytes }] : [];
  });
  const bars = [...all].sort((a, b) => b.bytes - a.bytes).slice(0, 12);
  if (bars.length === 0) return undefined;
  return Plot.plot({
    ...barsFrame(
      bars.map((b) => b.name),
      width,
    ),
    marginRight: 72,
    x: {
      label: `bytes of constants${form === 'edge' ? ', as edge tables' : ''}`,
      labelOffset: 38,
      grid: true,
      tickFormat: 's',
      ticks: 4,
      domain: [0, Math.max(...bars.map((b) => b.bytes))],
    },
    marks: [
      Plot.barX(bars, { x: 'bytes', y: 'name', fill: 'var(--bar)', ...BAR_INSETS }),
      Plot.text(bars, {
        x: 'bytes',
        y: 'name',
        text: (b: (typeof bars)[number]) => showBytes(b.bytes),
        ...VALUE_TEXT,
      }),
    ],
  });
};

interface Measured {
  readonly pass: string;
  readonly value: number;
}

/** From a little below the least to a little above the most, and never so narrow that chance looks like change. */
const domainOf = (points: ReadonlyArray<Measured>, narrowest: number): readonly [number, number] => {
  const values = points.map((p) => p.value);
  const [lo, hi] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(narrowest - (hi - lo), (hi - lo) * 0.3) / 2;
  return [Math.max(0, lo - room), hi + room];
};

const line = (
  points: ReadonlyArray<Measured>,
  label: string,
  width: number,
  show: (v: number) => string,
  narrowest: number,
): Element =>
  Plot.plot({
    width,
    height: 220,
    marginLeft: 60,
    marginRight: 30,
    marginTop: 30,
    marginBottom: 40,
    style: { background: 'none', fontSize: '12px' },
    x: { type: 'point', domain: points.map((p) => p.pass), label: null, tickSize: 0 },
    y: {
      label,
      domain: [...domainOf(points, narrowest)],
      grid: true,
      nice: true,
      tickFormat: show,
      ticks: 4,
    },
    marks: [
      Plot.lineY(points, { x: 'pass', y: 'value', stroke: 'var(--curve)', strokeWidth: 2 }),
      Plot.dot(points, { x: 'pass', y: 'value', fill: 'var(--curve)', r: 3.5 }),
      Plot.text(points, {
        x: 'pass',
        y: 'value',
        text: (p: Measured) => show(p.value),
        dy: -12,
        fill: 'var(--ink)',
        fontSize: 11,
      }),
    ],
  });

const qualityPlots = (model: ViewModel, width: number): ReadonlyArray<HTMLElement> => {
  const { measured } = model;
  if (measured === undefined) return [];
  const series = (
    of: (q: NonNullable<ViewModel['steps'][number]['quality']>) => number | undefined,
  ): ReadonlyArray<Measured> =>
    model.steps.flatMap((step) => {
      const value = step.quality === undefined ? undefined : of(step.quality);
      return value === undefined || !step.changed ? [] : [{ pass: step.name, value }];
    });
  const accuracy = series((q) => q.accuracy);
  const rmse = series((q) => q.rmse);
  const divergence = isCompared(model) ? series((q) => q.divergence) : [];
  const figure = (title: string, plot: Element): HTMLElement =>
    h('figure', {}, h('figcaption', {}, title), plot);
  return [
    ...(accuracy.length > 0
      ? [
          figure(
            'Accuracy behind every pass',
            line(accuracy, 'accuracy', width, (v) => showPercent(v, 1), 0.04),
          ),
        ]
      : []),
    ...(rmse.length > 0 ? [figure('RMSE behind every pass', line(rmse, 'RMSE', width, showValue, 0))] : []),
    ...(divergence.length > 0
      ? [
          figure(
            `Distance of the outputs from ${referenceOf(model)?.name ?? 'the first graph'} (relative RMS)`,
            line(divergence, 'relative RMS', width, (v) => showPercent(v, 2), 0.0001),
          ),
        ]
      : []),
  ];
};

export interface CostsPanel {
  readonly element: HTMLElement;
  readonly update: (now: State, before: State | undefined) => void;
}

export const costsPanel = (model: ViewModel): CostsPanel => {
  const element = h('div', { class: 'costs' });
  const draw = (): void => {
    const whole = Math.min(1280, element.clientWidth - 48);
    const width = whole > 900 ? Math.floor((whole - 32) / 2) : whole;
    const plots = [
      ['BitOps by form', formsPlot(model, width)] as const,
      ['Memory by layer', bytesPlot(model, width)] as const,
    ].flatMap(([title, plot]) =>
      plot === undefined ? [] : [h('figure', {}, h('figcaption', {}, title), plot)],
    );
    element.replaceChildren(
      h('div', { class: 'cost-plots' }, ...plots, ...qualityPlots(model, width)),
      ...(model.measured === undefined
        ? [
            h(
              'p',
              { class: 'quiet' },
              'Nothing was measured: --calib, or --data with --labels, gives figures for every pass.',
            ),
          ]
        : [h('p', { class: 'quiet' }, `Measured on ${model.measured.samples} samples by the interpreter.`)]),
      h('h2', {}, 'By layer'),
      table(model),
    );
  };
  return {
    element,
    update: (now, before) => {
      if (now.tab === 'costs' && before?.tab !== 'costs') draw();
    },
  };
};
