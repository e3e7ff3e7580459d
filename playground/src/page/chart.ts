/** Quality against size, of everything that was tried. */
import * as Plot from '@observablehq/plot';
import type { Settings } from '../shared/protocol.js';
import { bytes, micro } from './format.js';
import { type Entry, paretoOf } from './history.js';

interface Drawable extends Entry {
  readonly value: number;
}

const FORM_COLOURS = { auto: 'var(--auto)', edge: 'var(--edge)', basis: 'var(--basis)' } as const;

const padded = (values: ReadonlyArray<number>, least: number): readonly [number, number] => {
  const [lo, hi] = [Math.min(...values), Math.max(...values)];
  const pad = Math.max(least, 0.12 * (hi - lo));
  return [lo - pad, hi + pad];
};

const drawable = (entries: ReadonlyArray<Entry>): ReadonlyArray<Drawable> =>
  entries.flatMap((entry) => (entry.quality === undefined ? [] : [{ ...entry, value: entry.quality.value }]));

const isDrawable = (u: unknown): u is Drawable => typeof u === 'object' && u !== null && 'settings' in u;

export interface ChartData {
  readonly entries: ReadonlyArray<Entry>;
  readonly current: string;
  /** The float network's, in the same unit. */
  readonly reference: number | undefined;
  readonly width: number;
}

/** The plot; undefined where nothing has a quality. A click on a point calls `onChoose`. */
export const drawChart = (
  { entries, current, reference, width }: ChartData,
  onChoose: (settings: Settings) => void,
): Element | undefined => {
  const points = drawable(entries);
  const [first] = points;
  if (first?.quality === undefined) return undefined;
  const sizes = points.map(({ size }) => size);
  const values = [...points.map(({ value }) => value), ...(reference === undefined ? [] : [reference])];
  const scale = Math.max(...values.map(Math.abs));
  const now = points.filter(({ name }) => name === current);
  const plot = Plot.plot({
    width,
    height: 270,
    marginLeft: 52,
    marginBottom: 40,
    marginRight: 16,
    ariaLabel: `${first.quality.label} against the size of model.wasm`,
    style: { background: 'transparent', fontSize: '12px' },
    x: {
      type: 'log',
      domain: [Math.min(...sizes) / 1.6, Math.max(...sizes) * 1.6],
      label: 'model.wasm →',
      ticks: 4,
      tickFormat: bytes,
      grid: true,
    },
    y: {
      domain: padded(values, 0.004 * scale),
      label: `${first.quality.higherIsBetter ? '↑' : '↓'} ${first.quality.label}`,
      grid: true,
      ticks: 5,
    },
    marks: [
      ...(reference === undefined
        ? []
        : [
            Plot.ruleY([reference], { stroke: 'currentColor', strokeDasharray: '4 4', strokeOpacity: 0.55 }),
            Plot.text([reference], {
              y: (d: number) => d,
              text: () => 'float network',
              frameAnchor: 'right',
              textAnchor: 'end',
              dy: -8,
              fillOpacity: 0.7,
            }),
          ]),
      Plot.line(drawable(paretoOf(points)), {
        x: 'size',
        y: 'value',
        curve: 'step-after',
        stroke: 'var(--accent)',
        strokeOpacity: 0.35,
        strokeWidth: 1.5,
      }),
      Plot.dot(points, {
        x: 'size',
        y: 'value',
        r: 4.5,
        fill: (d: Drawable) => FORM_COLOURS[d.settings.form],
        fillOpacity: 0.85,
      }),
      Plot.dot(now, { x: 'size', y: 'value', r: 9, stroke: 'var(--accent)', strokeWidth: 2 }),
      Plot.tip(
        points,
        Plot.pointer({
          x: 'size',
          y: 'value',
          title: (d: Drawable) =>
            `${d.name}\n${d.quality?.text ?? ''}, ${bytes(d.size)}, ${micro(d.microseconds)}`,
          fill: 'var(--panel)',
          stroke: 'var(--line)',
        }),
      ),
    ],
  });
  plot.addEventListener('click', () => {
    const chosen: unknown = plot.value;
    if (isDrawable(chosen)) onChoose(chosen.settings);
  });
  return plot;
};
