/** One edge, large: function and table over the same axis as the inputs that calibration saw. */
import * as Plot from '@observablehq/plot';
import { h } from './dom.js';
import type { EdgeData } from './edge-data.js';
import { edgeName } from './edge-grid.js';
import { showPercent, showValue } from './format.js';

interface Step {
  readonly from: number;
  readonly to: number;
  readonly y: number;
}

const stepsOf = (data: EdgeData, edge: number, lo: number, hi: number): ReadonlyArray<Step> => {
  const [steps, table] = [data.steps(edge), data.shape(edge)?.table];
  if (steps === undefined || table === undefined) return [];
  return Array.from({ length: steps.length }, (_, c) => ({
    from: c === 0 ? lo : ((steps[c - 1] ?? 0) + (steps[c] ?? 0)) / 2,
    to: c === steps.length - 1 ? hi : ((steps[c] ?? 0) + (steps[c + 1] ?? 0)) / 2,
    y: table[c] ?? 0,
  }));
};

interface Gap {
  readonly x: number;
  readonly function: number;
  readonly table: number;
}

/** Function and table at the same places, for what is shaded between them. */
const gapsOf = (
  points: ReadonlyArray<{ x: number; y: number }>,
  steps: ReadonlyArray<Step>,
): ReadonlyArray<Gap> => {
  const at = (x: number): number => {
    const k = points.findIndex((p) => p.x >= x);
    const [a, b] = [points[Math.max(0, k - 1)], points[k < 0 ? points.length - 1 : k]];
    if (a === undefined || b === undefined) return 0;
    return b.x > a.x ? a.y + ((b.y - a.y) * (x - a.x)) / (b.x - a.x) : b.y;
  };
  return steps.flatMap(({ from, to, y }) =>
    [from, (from + to) / 2, to].map((x) => ({ x, function: at(x), table: y })),
  );
};

const plotOf = (data: EdgeData, edge: number, width: number): Element | undefined => {
  const channel = data.channel(edge);
  const shape = data.shape(edge);
  if (channel === undefined || shape === undefined) return undefined;
  const last = Math.max(1, shape.curve.length - 1);
  const points = Array.from(shape.curve, (y, k) => ({
    x: channel.lo + ((channel.hi - channel.lo) * k) / last,
    y,
  }));
  const steps = stepsOf(data, edge, channel.lo, channel.hi);
  const known = data.layer.source === 'functions';
  return Plot.plot({
    width,
    height: 230,
    marginLeft: 52,
    marginRight: 12,
    marginBottom: 34,
    style: { background: 'none', fontSize: '11px' },
    x: { domain: [channel.lo, channel.hi], label: 'input value', nice: false },
    y: { label: 'added to the output', grid: true, nice: true },
    marks: [
      ...(known && steps.length > 0
        ? [
            Plot.areaY(gapsOf(points, steps), {
              x: 'x',
              y1: 'function',
              y2: 'table',
              fill: 'var(--error-fill)',
            }),
          ]
        : []),
      ...(known || steps.length === 0
        ? [Plot.line(points, { x: 'x', y: 'y', stroke: 'var(--curve)', strokeWidth: 2.25 })]
        : []),
      ...(steps.length === 0
        ? []
        : [
            Plot.line(
              steps.flatMap(({ from, to, y }) => [
                { x: from, y },
                { x: to, y },
              ]),
              { x: 'x', y: 'y', stroke: 'var(--accent)', strokeWidth: 1.25 },
            ),
          ]),
    ],
  });
};

const histogramOf = (data: EdgeData, edge: number, width: number): Element | undefined => {
  const channel = data.channel(edge);
  const counts = data.histogram(edge);
  if (channel === undefined || counts === undefined) return undefined;
  const each = (channel.hi - channel.lo) / counts.length;
  const bars = Array.from(counts, (count, b) => ({
    from: channel.lo + b * each,
    to: channel.lo + (b + 1) * each,
    share: count / 255,
  }));
  return Plot.plot({
    width,
    height: 84,
    marginLeft: 52,
    marginRight: 12,
    marginTop: 18,
    marginBottom: 20,
    style: { background: 'none', fontSize: '11px' },
    x: { domain: [channel.lo, channel.hi], label: null },
    y: {
      type: 'sqrt',
      label: 'calibration inputs, share of the most frequent',
      ticks: [0, 0.25, 1],
      tickFormat: '%',
    },
    marks: [
      Plot.rectY(bars, { x1: 'from', x2: 'to', y: 'share', fill: 'var(--bar)', insetRight: 0.5 }),
      Plot.ruleY([0], { stroke: 'var(--rule)' }),
    ],
  });
};

const figure = (name: string, value: string): HTMLElement =>
  h('div', {}, h('dt', {}, name), h('dd', {}, value));

const key = (colour: string, text: string): HTMLElement =>
  h('span', {}, h('i', { style: `background:var(--${colour})` }), text);

export const edgeDetail = (data: EdgeData, edge: number | undefined, width: number): HTMLElement => {
  if (edge === undefined) {
    return h('section', { class: 'edge-detail' }, h('p', { class: 'quiet' }, 'Choose an edge.'));
  }
  const { layer } = data;
  const [error, importance] = [data.error(edge), data.importance(edge)];
  const full = data.shape(edge)?.full === true;
  const { compared } = data;
  const plots = [plotOf(data, edge, width), histogramOf(data, edge, width)].filter((p) => p !== undefined);
  return h(
    'section',
    { class: 'edge-detail', 'aria-label': `Edge ${edgeName(edge, layer.outputs)}` },
    h(
      'h3',
      {},
      `Input ${Math.floor(edge / layer.outputs)} \u2192 output ${edge % layer.outputs}`,
      ...(data.dead(edge) ? [h('span', { class: 'said removed' }, 'constant at every code')] : []),
    ),
    h(
      'dl',
      { class: 'figures' },
      ...(compared ? [figure('error (RMS)', showValue(error))] : []),
      figure('importance (std)', showValue(importance)),
      ...(compared && importance > 0 ? [figure('error / importance', showPercent(error / importance))] : []),
    ),
    h(
      'p',
      { class: 'legend' },
      ...(layer.source === 'functions' ? [key('curve', 'function (float)')] : []),
      ...(full && layer.form !== 'none'
        ? [key('accent', layer.form === 'codes' ? 'quantized' : 'table')]
        : []),
      ...(full && compared ? [key('error-fill', 'error')] : []),
      ...(data.histogram(edge) === undefined ? [] : [key('bar', 'inputs')]),
    ),
    ...plots,
    ...(full || !compared
      ? []
      : [
          h(
            'p',
            { class: 'quiet' },
            `An outline only: the page holds tables of the ${layer.details.length} edges with the largest error or importance.`,
          ),
        ]),
  );
};
